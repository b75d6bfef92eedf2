#include "snellen/parallel.hpp"

#include <nanobind/nanobind.h>

namespace snellen::bind {

namespace nb = nanobind;

void bind_parallel(nb::module_& m) {
  m.def("thread_count", &thread_count, "Number of threads that kernels use.");
  m.def("set_threads_aside", &set_threads_aside, nb::arg("n_threads"),
        "Let kernels use so many threads less, one at least: something else goes on beside them.");
  m.def("set_thread_count", &set_thread_count, nb::arg("n_threads"),
        "Set the number of threads; 0 goes back to one for each available processor.");
}

}  // namespace snellen::bind
