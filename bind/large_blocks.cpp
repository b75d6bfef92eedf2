#include "snellen/large_blocks.hpp"

#include <nanobind/nanobind.h>

namespace snellen::bind {

namespace nb = nanobind;

void bind_large_blocks(nb::module_& m) {
  m.def("return_large_blocks", &return_large_blocks,
        "From now on large blocks of memory go back to the system as soon as they are freed; for "
        "the whole process.");
}

}  // namespace snellen::bind
