// Threads over disjoint outputs.
//
// A job is a number; what it writes depends on that number alone, never on the thread that runs it
// or on the order in which jobs finish, so every thread count gives the same bytes.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>

namespace snellen {

// The number of threads that kernels use: what set_thread_count was given, else the processors
// this process may run on; less those that are set aside, but one at least.
int thread_count();

// 0 goes back to the number of processors.
void set_thread_count(int n_threads);

// For work that goes on beside a kernel. Kernels that take long look at it time and again.
void set_threads_aside(int n_threads);

// Runs job(0) … job(n_jobs − 1), handed out in order to the threads that are free. Every job is
// run even if one throws; afterwards the exception of the lowest job number is thrown again.
void parallel_for(std::size_t n_jobs, const std::function<void(std::size_t)>& job);

// The same, where jobs want scratch memory: each thread calls make_worker once and gives the jobs
// that it gets to what that returns.
template <class MakeWorker>
void parallel_for_workers(std::size_t n_jobs, const MakeWorker& make_worker) {
  std::atomic<std::size_t> next{0};
  const std::size_t n_workers = std::min(n_jobs, static_cast<std::size_t>(thread_count()));
  parallel_for(n_workers, [&](std::size_t) {
    auto worker = make_worker();
    for (std::size_t job = next.fetch_add(1); job < n_jobs; job = next.fetch_add(1)) worker(job);
  });
}

}  // namespace snellen
