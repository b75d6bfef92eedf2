#include "json_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#if __has_include(<unistd.h>)
#define SNELLEN_POSIX_FILES 1
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#include <fstream>
#endif

namespace snellen::json {
namespace {

constexpr std::size_t kFirstBlock = 1 << 16;

}  // namespace

#if defined(SNELLEN_POSIX_FILES)

Source::Source(File file) {
  // The system would take a zero byte for the end of the name, and open another file.
  if (file.path.find('\0') != std::string::npos) {
    error_ = ENOENT;
    return;
  }
  file_ = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (file_ < 0 || ::fstat(file_, &status) != 0) {
    error_ = errno;
  } else if (S_ISDIR(status.st_mode)) {
    error_ = EISDIR;
  } else if (!S_ISREG(status.st_mode)) {
    read_whole();
  } else {
    file_size_ = static_cast<std::uint64_t>(status.st_size);
  }
}

Source::~Source() {
  if (file_ >= 0) ::close(file_);
}

void Source::read_whole() {
  in_memory_ = true;
  std::size_t size = 0;
  for (std::size_t capacity = kFirstBlock;; capacity *= 2) {
    whole_.resize_uninitialised(capacity);
    while (size < capacity) {
      const ssize_t n = ::read(file_, whole_.data() + size, capacity - size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) error_ = errno;
      if (n <= 0) {
        document_ = std::string_view(whole_.data(), size);
        return;
      }
      size += static_cast<std::size_t>(n);
    }
  }
}

std::size_t Source::read(std::uint64_t offset, char* to, std::size_t n) const {
  if (in_memory_) {
    if (offset >= document_.size()) return 0;
    return document_.copy(to, n, static_cast<std::size_t>(offset));
  }
  std::size_t size = 0;
  while (size < n && error_ == 0) {
    const ssize_t got = ::pread(file_, to + size, n - size, static_cast<off_t>(offset + size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error_ = errno;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

#else

Source::Source(File file) : in_memory_(true) {
  errno = 0;
  std::ifstream stream(file.path, std::ios::binary);
  if (!stream) {
    error_ = errno != 0 ? errno : EIO;
    return;
  }
  std::size_t size = 0;
  for (std::size_t capacity = kFirstBlock; stream; capacity *= 2) {
    whole_.resize_uninitialised(capacity);
    stream.read(whole_.data() + size, static_cast<std::streamsize>(capacity - size));
    size += static_cast<std::size_t>(stream.gcount());
  }
  if (stream.bad()) error_ = EIO;
  document_ = std::string_view(whole_.data(), size);
}

Source::~Source() = default;

std::size_t Source::read(std::uint64_t offset, char* to, std::size_t n) const {
  if (offset >= document_.size()) return 0;
  return document_.copy(to, n, static_cast<std::size_t>(offset));
}

#endif

std::string Source::error() const {
  const int error = error_;
  if (error == 0) return "";
  if (error == ENOENT) return "no such file";
  if (error == EISDIR) return "it is a directory, expected a file";
  return std::generic_category().message(error);
}

void Window::open(std::uint64_t offset, std::uint64_t limit) {
  offset_ = offset;
  limit_ = limit;
  if (!source_->in_memory()) {
    begin_ = end_ = buffer_.data();
    closed_ = false;
    return;
  }
  const std::string_view document = source_->document();
  const auto stop = static_cast<std::size_t>(std::min<std::uint64_t>(limit, document.size()));
  begin_ = document.data() + std::min<std::uint64_t>(offset, stop);
  end_ = document.data() + stop;
  closed_ = stop == document.size();
}

bool Window::extend(const char* keep) {
  if (closed_ || source_->in_memory()) return false;
  const auto kept = static_cast<std::size_t>(end_ - keep);
  offset_ = offset_of(keep);
  const std::uint64_t stop = offset_ + kept;
  if (stop >= limit_) return false;
  if (capacity_ < step_) capacity_ = step_;
  if (kept > capacity_ / 2) capacity_ = kept * 2;
  if (capacity_ > buffer_.size()) {
    Column<char> larger;
    larger.resize_uninitialised(capacity_);
    if (kept != 0) std::memcpy(larger.data(), keep, kept);
    buffer_ = std::move(larger);
  } else if (kept != 0) {
    std::memmove(buffer_.data(), keep, kept);
  }
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(capacity_ - kept, limit_ - stop));
  const std::size_t got = source_->read(stop, buffer_.data() + kept, wanted);
  begin_ = buffer_.data();
  end_ = begin_ + kept + got;
  closed_ = got < wanted;
  return true;
}

void Reader::scan_from(std::uint64_t offset) {
  const std::uint64_t skipped = offset - window_.offset_of(window_.begin());
  scanner_ = Scanner(window_.begin(), window_.end(), window_.closed());
  scanner_.seek(window_.begin() + skipped);
}

void Reader::seek(std::uint64_t offset) {
  if (!window_.holds(offset)) window_.open(offset, kNoLimit);
  scan_from(offset);
}

void Reader::seek_within(std::uint64_t offset, std::uint64_t limit) {
  window_.open(offset, limit);
  scan_from(offset);
}

bool Reader::extend(const char* keep) {
  if (!window_.extend(keep)) return false;
  scanner_ = Scanner(window_.begin(), window_.end(), window_.closed());
  return true;
}

}  // namespace snellen::json
