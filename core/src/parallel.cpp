#include "snellen/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace snellen {
namespace {

std::atomic<int> chosen_thread_count{0};
std::atomic<int> n_set_aside{0};

int available_processors() {
#if defined(__linux__)
  // A container or taskset may leave this process fewer processors than the machine has.
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
    return std::max(1, CPU_COUNT(&allowed));
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int thread_count() {
  const int chosen = chosen_thread_count.load();
  return std::max(1, (chosen > 0 ? chosen : available_processors()) - n_set_aside.load());
}

void set_thread_count(int n_threads) { chosen_thread_count.store(std::max(0, n_threads)); }

void set_threads_aside(int n_threads) { n_set_aside.store(std::max(0, n_threads)); }

void parallel_for(std::size_t n_jobs, const std::function<void(std::size_t)>& job) {
  const std::size_t n_threads = std::min(n_jobs, static_cast<std::size_t>(thread_count()));
  std::atomic<std::size_t> next{0};
  std::mutex failure_mutex;
  std::exception_ptr failure;
  std::size_t failed_job = n_jobs;
  auto work = [&] {
    for (std::size_t i = next.fetch_add(1); i < n_jobs; i = next.fetch_add(1)) {
      try {
        job(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(failure_mutex);
        if (i < failed_job) {
          failed_job = i;
          failure = std::current_exception();
        }
      }
    }
  };
  // Threads live for one call: starting one costs tens of microseconds, and nothing is left
  // behind for a fork to trip over.
  std::vector<std::thread> threads;
  try {
    for (std::size_t t = 1; t < n_threads; ++t) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // The system gives no more threads: those that started, and this one, do all the jobs.
  }
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace snellen
