// A growable array of plain values whose new cells are not initialised.
//
// std::vector writes zeros into cells that a kernel is about to overwrite, which on columns of a
// few hundred megabytes costs as much as the work itself. Growth goes through realloc: for large
// blocks the C library moves page mappings instead of bytes. Large blocks ask for large pages:
// fewer faults when they are first written, fewer address look-ups when rows are read in an order
// that jumps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace snellen {

inline constexpr std::size_t kLargePage = std::size_t{1} << 21;

inline void ask_for_large_pages(void* block, std::size_t size) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(block);
  const std::uintptr_t first = (begin + kLargePage - 1) & ~(kLargePage - 1);
  const std::uintptr_t last = (begin + size) & ~(kLargePage - 1);
  // Advice only: where it cannot be had, small pages do.
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#else
  (void)block;
  (void)size;
#endif
}

// Memory that std::free gives back; from half a large page on it begins at one.
inline void* allocate_block(std::size_t size) {
#if defined(__linux__)
  if (size >= kLargePage / 2) {
    const std::size_t whole = (size + kLargePage - 1) & ~(kLargePage - 1);
    void* const block = std::aligned_alloc(kLargePage, whole);
    if (block != nullptr) ask_for_large_pages(block, whole);
    return block;
  }
#endif
  return std::malloc(size);
}

template <class T>
class Column {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Column() = default;
  Column(const Column&) = delete;
  Column& operator=(const Column&) = delete;
  Column(Column&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Column& operator=(Column&& other) noexcept {
    if (this != &other) {
      std::free(data_);
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
  }
  ~Column() { std::free(data_); }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    if (capacity > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_alloc();
    const std::size_t bytes = capacity * sizeof(T);
    void* const grown =
        data_ == nullptr ? allocate_block(bytes) : std::realloc(static_cast<void*>(data_), bytes);
    if (grown == nullptr) throw std::bad_alloc();
    if (data_ != nullptr) ask_for_large_pages(grown, bytes);
    data_ = static_cast<T*>(grown);
    capacity_ = capacity;
  }
  void push_back(T value) {
    if (size_ == capacity_) reserve(capacity_ == 0 ? 64 : capacity_ * 2);
    data_[size_++] = value;
  }
  void resize_uninitialised(std::size_t size) {
    reserve(size);
    size_ = size;
  }
  void append(const Column& other) {
    if (other.empty()) return;
    const std::size_t old_size = size_;
    resize_uninitialised(old_size + other.size_);
    // Not other.size_: a column may be appended to itself.
    std::memcpy(data_ + old_size, other.data_, (size_ - old_size) * sizeof(T));
  }
  void clear() { size_ = 0; }

  // Hands the block to the caller, who frees it with std::free.
  T* release() {
    size_ = 0;
    capacity_ = 0;
    return std::exchange(data_, nullptr);
  }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace snellen
