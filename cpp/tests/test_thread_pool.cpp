// parallel_for: every item once, fixed boundaries, exceptions, nesting, several callers, fork.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "core/thread_pool.h"
#include "d2lcore/error.h"

namespace {

struct Threads {  // sets the number of threads for one test
  explicit Threads(int n) : before(d2l::num_threads()) { d2l::set_num_threads(n); }
  ~Threads() { d2l::set_num_threads(before); }
  int before;
};

std::set<std::pair<int64_t, int64_t>> boundaries(int64_t n, int64_t grain) {
  std::mutex mutex;
  std::set<std::pair<int64_t, int64_t>> seen;
  d2l::parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    std::lock_guard lock(mutex);
    CHECK(seen.insert({begin, end}).second);
  });
  return seen;
}

}  // namespace

TEST_CASE("parallel_for visits every item once, in chunks that depend on the sizes only") {
  for (auto [n, grain] : {std::pair<int64_t, int64_t>{0, 4},
                          {1, 4},
                          {4, 4},
                          {5, 4},
                          {1000, 7},
                          {1000, 1},
                          {13, 1000}}) {
    std::set<std::pair<int64_t, int64_t>> expected;
    for (int64_t i = 0; i < n; i += grain) expected.insert({i, std::min(n, i + grain)});
    for (int threads : {1, 2, 5}) {
      Threads scope(threads);
      CHECK(boundaries(n, grain) == expected);
    }
  }
}

TEST_CASE("parallel_for many times in a row") {
  Threads scope(4);
  for (int round = 0; round < 5000; ++round) {
    std::atomic<int64_t> sum{0};
    d2l::parallel_for(40, 3, [&](int64_t b, int64_t e) {
      for (int64_t i = b; i < e; ++i) sum += i;
    });
    REQUIRE(sum == 780);
  }
}

TEST_CASE("an exception in a chunk reaches the caller, and the pool goes on working") {
  for (int threads : {1, 3}) {
    Threads scope(threads);
    for (int round = 0; round < 200; ++round) {
      CHECK_THROWS_AS(d2l::parallel_for(100, 1,
                                        [&](int64_t b, int64_t) {
                                          if (b % 10 == 3) throw std::out_of_range("chunk");
                                        }),
                      std::out_of_range);
      CHECK_FALSE(d2l::in_parallel_region());
      CHECK(boundaries(10, 1).size() == 10);
    }
  }
}

TEST_CASE("nested calls run serially inside their chunk") {
  Threads scope(3);
  std::atomic<int> total{0};
  d2l::parallel_for(8, 1, [&](int64_t, int64_t) {
    CHECK(d2l::in_parallel_region());
    const auto self = std::this_thread::get_id();
    d2l::parallel_for(16, 1, [&](int64_t, int64_t) {
      if (std::this_thread::get_id() == self) ++total;
    });
  });
  CHECK(total == 128);
  CHECK_FALSE(d2l::in_parallel_region());
}

TEST_CASE("several threads call at once") {
  Threads scope(3);
  std::atomic<int64_t> total{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int round = 0; round < 500; ++round)
        d2l::parallel_for(20, 1, [&](int64_t b, int64_t e) { total += e - b; });
    });
  for (auto& t : callers) t.join();
  CHECK(total == 4 * 500 * 20);
}

#if !defined(__SANITIZE_THREAD__)  // which cannot start threads in a child
TEST_CASE("the pool works in a child process") {
  Threads scope(2);
  CHECK(boundaries(100, 1).size() == 100);  // the workers run when the fork happens
  for (int round = 0; round < 5; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(10);
      std::atomic<int> n{0};
      for (int i = 0; i < 50; ++i) d2l::parallel_for(64, 1, [&](int64_t, int64_t) { ++n; });
      _exit(n == 50 * 64 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(boundaries(100, 1).size() == 100);
  }
}

#endif

TEST_CASE("set_num_threads refuses less than one thread") {
  CHECK_THROWS_AS(d2l::set_num_threads(0), d2l::ValueError);
  CHECK_THROWS_AS(d2l::set_num_threads(-3), d2l::ValueError);
}
