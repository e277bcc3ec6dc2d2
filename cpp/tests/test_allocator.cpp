// The caching allocator: alignment, reuse, counts, threads, fork, and refusals.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/allocator.h"
#include "d2lcore/error.h"

namespace {
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kCaches = false;
#else
constexpr bool kCaches = true;
#endif
}  // namespace

TEST_CASE("blocks are aligned, disjoint and writable") {
  std::mt19937_64 random(1);
  struct Block {
    unsigned char* p;
    int64_t n;
    unsigned char fill;
  };
  std::vector<Block> live;
  for (int step = 0; step < 20000; ++step) {
    if (live.size() < 50 || random() % 2 == 0) {
      const int64_t n = 1 + static_cast<int64_t>(random() % (int64_t{1} << (1 + random() % 18)));
      auto* p = static_cast<unsigned char*>(d2l::allocate(n));
      REQUIRE(reinterpret_cast<uintptr_t>(p) % 64 == 0);
      const auto fill = static_cast<unsigned char>(random());
      std::memset(p, fill, static_cast<size_t>(n));
      live.push_back({p, n, fill});
    } else {
      const size_t i = random() % live.size();
      const Block b = live[i];
      REQUIRE(b.p[0] == b.fill);
      REQUIRE(b.p[b.n - 1] == b.fill);
      REQUIRE(b.p[b.n / 2] == b.fill);
      d2l::deallocate(b.p, b.n);
      live[i] = live.back();
      live.pop_back();
    }
  }
  for (const Block& b : live) d2l::deallocate(b.p, b.n);
}

TEST_CASE("every size from around the class boundaries fits") {
  for (int64_t base : {64, 1024, 1280, 2048, 4096, 65536, 1 << 20, 2 << 20, 4 << 20, 18 << 20})
    for (int64_t n = base - 1; n <= base + 1; ++n) {
      auto* p = static_cast<unsigned char*>(d2l::allocate(n));
      p[0] = p[n - 1] = 7;
      CHECK(reinterpret_cast<uintptr_t>(p) % 64 == 0);
      d2l::deallocate(p, n);
    }
}

TEST_CASE("an empty block needs no memory") {
  d2l::deallocate(d2l::allocate(0), 0);
  d2l::deallocate(nullptr, 100);
}

TEST_CASE("freed blocks are reused and counted") {
  for (int64_t n : {100, 100000, 3 << 20}) {
    d2l::deallocate(d2l::allocate(n), n);
    const auto before = d2l::memory_stats();
    void* p = d2l::allocate(n);
    const auto during = d2l::memory_stats();
    CHECK(during.allocated_bytes == before.allocated_bytes + n);
    CHECK(during.allocation_count == before.allocation_count + 1);
    if (kCaches) {
      CHECK(during.cache_hit_count == before.cache_hit_count + 1);
      CHECK(during.reserved_bytes == before.reserved_bytes);
      CHECK(during.cached_bytes < before.cached_bytes);
    }
    d2l::deallocate(p, n);
    CHECK(d2l::memory_stats().allocated_bytes == before.allocated_bytes);
  }
  if (kCaches) {
    CHECK(d2l::memory_stats().cached_bytes > 0);
    const auto before = d2l::memory_stats();
    d2l::empty_cache();
    CHECK(d2l::memory_stats().cached_bytes < before.cached_bytes);
    CHECK(d2l::memory_stats().reserved_bytes < before.reserved_bytes);
  }
}

TEST_CASE("the peak is the most that was in use at once") {
  d2l::reset_peak_memory_stats();
  const int64_t base = d2l::memory_stats().allocated_bytes;
  void* a = d2l::allocate(1000);
  void* b = d2l::allocate(5 << 20);
  d2l::deallocate(b, 5 << 20);
  void* c = d2l::allocate(2000);
  CHECK(d2l::memory_stats().peak_allocated_bytes == base + 1000 + (5 << 20));
  d2l::reset_peak_memory_stats();
  CHECK(d2l::memory_stats().peak_allocated_bytes == base + 3000);
  d2l::deallocate(a, 1000);
  d2l::deallocate(c, 2000);
}

TEST_CASE("blocks may be freed on another thread") {
  const int64_t before = d2l::memory_stats().allocated_bytes;
  for (int64_t n : {64, 5000, 4 << 20}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 200; ++i) blocks.push_back(d2l::allocate(n));
    std::thread([&] {
      for (void* p : blocks) d2l::deallocate(p, n);
      blocks.clear();
      for (int i = 0; i < 100; ++i) blocks.push_back(d2l::allocate(n));
    }).join();
    for (void* p : blocks) d2l::deallocate(p, n);
  }
  CHECK(d2l::memory_stats().allocated_bytes == before);
}

TEST_CASE("threads allocate at once") {
  const int64_t before = d2l::memory_stats().allocated_bytes;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      std::mt19937 random(t);
      for (int i = 0; i < 3000; ++i) {
        const int64_t n = 1 + static_cast<int64_t>(random() % (i % 100 == 0 ? 6000000 : 3000));
        auto* p = static_cast<unsigned char*>(d2l::allocate(n));
        p[0] = p[n - 1] = static_cast<unsigned char>(t);
        if (p[0] != t) std::abort();
        d2l::deallocate(p, n);
      }
    });
  for (auto& t : threads) t.join();
  CHECK(d2l::memory_stats().allocated_bytes == before);
}

TEST_CASE("what cannot be had is refused before it is mapped") {
  const auto before = d2l::memory_stats();
  for (int64_t n : {int64_t{1} << 50, int64_t{1} << 61, int64_t{1} << 62, int64_t{-1}}) {
    try {
      d2l::allocate(n);
      FAIL("no exception");
    } catch (const d2l::MemoryError& e) {
      CHECK(std::string(e.what()).find("tried to allocate " + std::to_string(n) + " bytes") !=
            std::string::npos);
    }
  }
  CHECK(d2l::memory_stats().allocated_bytes == before.allocated_bytes);
}

TEST_CASE("the allocator works in a child process") {
  d2l::deallocate(d2l::allocate(100), 100);
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    for (int64_t n : {100, 100000, 5 << 20}) {
      void* p = d2l::allocate(n);
      std::memset(p, 1, static_cast<size_t>(n));
      d2l::deallocate(p, n);
    }
    std::thread([] { d2l::deallocate(d2l::allocate(777), 777); }).join();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}
