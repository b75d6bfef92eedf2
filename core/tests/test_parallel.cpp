#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "snellen/parallel.hpp"

using snellen::parallel_for;
using snellen::set_thread_count;
using snellen::thread_count;

namespace {

void thread_count_is_what_was_set() {
  set_thread_count(3);
  CHECK_EQUAL(thread_count(), 3);
  set_thread_count(0);
  const int available = thread_count();
  CHECK(available >= 1);
  set_thread_count(-5);
  CHECK_EQUAL(thread_count(), available);
}

void every_job_runs_once() {
  for (const int n_threads : {1, 2, 8, 40}) {
    set_thread_count(n_threads);
    for (const std::size_t n_jobs : {0U, 1U, 2U, 7U, 1000U}) {
      std::vector<std::atomic<int>> runs(n_jobs);
      parallel_for(n_jobs, [&](std::size_t i) { ++runs[i]; });
      bool once = true;
      for (const std::atomic<int>& count : runs) once = once && count == 1;
      CHECK(once);
    }
  }
}

void one_thread_works_inline_and_in_order() {
  set_thread_count(1);
  std::vector<std::size_t> order;
  std::set<std::thread::id> threads;
  parallel_for(5, [&](std::size_t i) {
    order.push_back(i);
    threads.insert(std::this_thread::get_id());
  });
  CHECK(order == (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  CHECK(threads == std::set<std::thread::id>{std::this_thread::get_id()});
}

void several_threads_work_at_once() {
  set_thread_count(2);
  // Each job waits for the other: on one thread this would not end.
  std::atomic<int> arrived{0};
  bool met = true;
  parallel_for(2, [&](std::size_t) {
    ++arrived;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (arrived < 2) {
      if (std::chrono::steady_clock::now() > deadline) {
        met = false;
        return;
      }
      std::this_thread::yield();
    }
  });
  CHECK(met);
}

void the_lowest_failure_is_thrown_after_all_jobs() {
  for (const int n_threads : {1, 2, 8}) {
    set_thread_count(n_threads);
    std::atomic<int> n_runs{0};
    std::string caught;
    try {
      parallel_for(50, [&](std::size_t i) {
        ++n_runs;
        if (i == 40 || i == 7 || i == 30) throw std::runtime_error(std::to_string(i));
      });
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    CHECK_EQUAL(caught, "7");
    CHECK_EQUAL(n_runs.load(), 50);
  }
}

void jobs_may_start_jobs() {
  set_thread_count(2);
  std::atomic<int> n_runs{0};
  parallel_for(3, [&](std::size_t) { parallel_for(4, [&](std::size_t) { ++n_runs; }); });
  CHECK_EQUAL(n_runs.load(), 12);
}

void workers_keep_their_scratch() {
  for (const int n_threads : {1, 3}) {
    set_thread_count(n_threads);
    std::vector<int> runs(100, 0);
    std::atomic<int> n_workers{0};
    snellen::parallel_for_workers(runs.size(), [&] {
      ++n_workers;
      return [&runs, n_done = 0](std::size_t job) mutable { runs[job] = ++n_done; };
    });
    // Every job ran once, each the next of its worker; with one worker they count up.
    CHECK(std::count(runs.begin(), runs.end(), 0) == 0);
    CHECK(n_workers.load() >= 1 && n_workers.load() <= n_threads);
    CHECK_EQUAL(std::count(runs.begin(), runs.end(), 1) <= n_threads, true);
    if (n_threads == 1) CHECK(runs.back() == 100);
  }
  int n_made = 0;
  snellen::parallel_for_workers(0, [&] {
    ++n_made;
    return [](std::size_t) {};
  });
  CHECK_EQUAL(n_made, 0);
}

}  // namespace

int main() {
  thread_count_is_what_was_set();
  every_job_runs_once();
  one_thread_works_inline_and_in_order();
  several_threads_work_at_once();
  the_lowest_failure_is_thrown_after_all_jobs();
  jobs_may_start_jobs();
  workers_keep_their_scratch();
  return snellen::testing::report();
}
