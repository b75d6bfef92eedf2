// NumPy arrays in and out of the kernels, without a copy.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdlib>
#include <initializer_list>
#include <string>

#include "snellen/column.hpp"

namespace snellen::bind {

namespace nb = nanobind;

// Contiguous input of one or two axes; never converted silently (nb::arg().noconvert()).
template <class T>
using In1 = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using In2 = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Out = nb::ndarray<nb::numpy, T, nb::c_contig>;

// Gives a column's memory to a NumPy array.
template <class T>
Out<T> to_numpy(Column<T>&& column, std::initializer_list<std::size_t> shape) {
  T* const data = column.release();
  nb::capsule owner(data, [](void* block) noexcept { std::free(block); });
  return Out<T>(data, shape, owner);
}

template <class T>
Out<T> to_numpy(Column<T>&& column) {
  const std::size_t size = column.size();
  return to_numpy(std::move(column), {size});
}

inline void check_length(const char* name, std::size_t got, std::size_t want) {
  if (got == want) return;
  const std::string text = std::string("expected ") + std::to_string(want) + " rows of " + name +
                           ", got " + std::to_string(got);
  throw nb::value_error(text.c_str());
}

// A code out of range would be read as an address.
template <class T>
void check_codes(const char* name, const In1<T>& codes, std::size_t n_codes) {
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes.data()[i] >= 0 && static_cast<std::size_t>(codes.data()[i]) < n_codes) continue;
    const std::string text = std::string("expected ") + name + " below " + std::to_string(n_codes) +
                             ", got " + std::to_string(codes.data()[i]) + " in row " +
                             std::to_string(i);
    throw nb::value_error(text.c_str());
  }
}

// The same, where rows must also ascend.
template <class T>
void check_ascending(const char* name, const In1<T>& codes) {
  for (std::size_t i = 1; i < codes.size(); ++i) {
    if (codes.data()[i - 1] <= codes.data()[i]) continue;
    const std::string text = std::string("expected rows ordered by ") + name +
                             ", got a smaller one in row " + std::to_string(i);
    throw nb::value_error(text.c_str());
  }
}

}  // namespace snellen::bind
