// See allocator.h. Size classes: multiples of 64 bytes to 1 KB, then four to the octave; from 2 MB
// on eight to the octave, in multiples of 2 MB. Nothing here is ever destroyed: storages are freed
// by static destructors and by threads that end after ours.
#include "core/allocator.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "d2lcore/error.h"

namespace d2l {
namespace {

constexpr int64_t kAlign = 64;
constexpr int64_t kHuge = int64_t{2} << 20;       // a huge page; blocks from here on are mapped
constexpr int64_t kChecked = int64_t{256} << 20;  // above: ask whether the memory is there
constexpr int64_t kMostBytes = int64_t{1} << 62;
constexpr int kSmallClasses = 60;
constexpr int kListEntries = 64;                  // blocks kept per class and thread,
constexpr int64_t kListBytes = int64_t{8} << 20;  // and bytes
constexpr int64_t kFlush = int64_t{1} << 20;      // a thread's unreported balance

[[noreturn]] void out_of_memory(int64_t nbytes, const char* why) {
  fail<MemoryError>("not enough memory: you tried to allocate {} bytes.{}", nbytes, why);
}

// The class of a block under 2 MB. 0..15: 64, 128, ..., 1024; then 1280, 1536, 1792, 2048, 2560...
inline int class_of(int64_t nbytes) {
  if (nbytes <= 1024) return static_cast<int>((nbytes - 1) >> 6);
  const uint64_t x = static_cast<uint64_t>(nbytes - 1);
  const int octave = 63 - std::countl_zero(x);  // >= 10
  return 16 + (octave - 10) * 4 + static_cast<int>((x >> (octave - 2)) & 3);
}
constexpr int64_t class_size(int c) {
  if (c < 16) return int64_t{64} * (c + 1);
  const int octave = 10 + (c - 16) / 4;
  return (int64_t{1} << (octave - 2)) * (5 + (c - 16) % 4);
}
static_assert(class_size(kSmallClasses - 1) == kHuge);

// The mapped size of a block of 2 MB or more.
inline int64_t large_size(int64_t nbytes) {
  const int octave = 63 - std::countl_zero(static_cast<uint64_t>(nbytes - 1));
  const int64_t step = std::max(kHuge, int64_t{1} << (octave - 3));
  return (nbytes + step - 1) / step * step;
}

// Totals of all threads. The balance of bytes in use is reported in steps (ThreadCache::report).
std::atomic<int64_t> g_in_use{0}, g_peak{0}, g_reserved{0}, g_calls{0}, g_hits{0};

void raise_peak(int64_t candidate) {
  int64_t peak = g_peak.load(std::memory_order_relaxed);
  while (candidate > peak && !g_peak.compare_exchange_weak(peak, candidate)) {
  }
}

// A counter that one thread writes and others may read: plain moves, no locked instruction.
struct Counter {
  std::atomic<int64_t> value{0};
  operator int64_t() const { return value.load(std::memory_order_relaxed); }
  void operator=(int64_t x) { value.store(x, std::memory_order_relaxed); }
  void operator+=(int64_t x) { *this = *this + x; }
};

struct FreeBlock {
  FreeBlock* next;
};

struct FreeList {
  FreeBlock* head = nullptr;
  Counter count;
};

struct ThreadCache {
  FreeList lists[kSmallClasses];
  Counter balance;  // bytes in use since the last report, may be negative
  Counter high;     // the most it was since then
  Counter calls, hits;

  void add(int64_t nbytes) {
    const int64_t now = balance + nbytes;
    balance = now;
    if (now > high) {
      high = now;
      if (now > kFlush) [[unlikely]]
        report();
    } else if (now < -kFlush) [[unlikely]] {
      report();
    }
  }
  void report() {
    const int64_t before = g_in_use.fetch_add(balance, std::memory_order_relaxed);
    raise_peak(before + high);
    balance = 0;
    high = 0;
  }
  void release_blocks() {
    for (int c = 0; c < kSmallClasses; ++c) {
      FreeList& list = lists[c];
      while (list.head != nullptr) {
        FreeBlock* block = list.head;
        list.head = block->next;
        std::free(block);
      }
      g_reserved.fetch_sub(list.count * class_size(c), std::memory_order_relaxed);
      list.count = 0;
    }
  }
};

// The shared part, behind one mutex: mapped blocks that wait for reuse, and the threads' caches.
struct Shared {
  struct Block {
    void* p;
    int64_t size;
  };
  std::mutex mutex;
  std::vector<Block> blocks;  // oldest first
  int64_t cached = 0;
  int64_t cap = int64_t{1} << 30;
  std::vector<ThreadCache*> threads;

  Shared() {
    const int64_t memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
    if (memory > 0) cap = std::clamp(memory / 8, int64_t{64} << 20, int64_t{4} << 30);
    blocks.reserve(256);
  }
};

Shared& shared() {
  alignas(Shared) static unsigned char storage[sizeof(Shared)];
  static Shared* const made = [] {
    Shared* s = new (storage) Shared;
    // The child's copy must not be in the middle of a change.
    pthread_atfork([] { shared().mutex.lock(); }, [] { shared().mutex.unlock(); },
                   [] { shared().mutex.unlock(); });
    return s;
  }();
  return *made;
}

// The thread's cache; initial-exec makes this one load instead of a call of __tls_get_addr.
#if defined(__linux__)
#define D2L_FAST_TLS __attribute__((tls_model("initial-exec")))
#else
#define D2L_FAST_TLS
#endif
thread_local ThreadCache* t_cache D2L_FAST_TLS = nullptr;
thread_local bool t_ended D2L_FAST_TLS = false;

struct CacheOwner {
  ThreadCache* cache;
  ~CacheOwner() {
    t_cache = nullptr;
    t_ended = true;
    cache->report();
    cache->release_blocks();
    g_calls.fetch_add(cache->calls);
    g_hits.fetch_add(cache->hits);
    Shared& s = shared();
    {
      std::lock_guard lock(s.mutex);
      std::erase(s.threads, cache);
    }
    delete cache;
  }
};

// Null while the thread ends: blocks then go straight to the system.
ThreadCache* make_cache() {
  if (t_ended) return nullptr;
  static thread_local CacheOwner owner{[] {
    ThreadCache* cache = new ThreadCache;
    Shared& s = shared();
    std::lock_guard lock(s.mutex);
    s.threads.push_back(cache);
    return cache;
  }()};
  t_cache = owner.cache;
  return owner.cache;
}

// Nothing is lost by counting directly when the thread has no cache any more.
void count_directly(int64_t nbytes) {
  raise_peak(g_in_use.fetch_add(nbytes, std::memory_order_relaxed) + nbytes);
}

// --- How much memory is free -----------------------------------------------------------------

// The number after `key` in a file of "key value" lines, or the file's only number; -1 without.
int64_t read_number(const std::string& path, const char* key) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return -1;
  char line[256];
  int64_t value = -1;
  const size_t length = std::strlen(key);
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, key, length) != 0) continue;
    long long number;
    if (std::sscanf(line + length, "%lld", &number) == 1) value = number;
    break;
  }
  std::fclose(file);
  return value;
}

// What a cgroup directory still grants, page cache counted as free; -1 without a limit.
int64_t cgroup_room(const std::string& dir, const char* limit_file, const char* usage_file,
                    const char* inactive_key) {
  const int64_t limit = read_number(dir + limit_file, "");
  const int64_t usage = read_number(dir + usage_file, "");
  if (limit < 0 || usage < 0 || limit > kMostBytes) return -1;
  const int64_t inactive = read_number(dir + "/memory.stat", inactive_key);
  return std::max<int64_t>(0, limit - usage + std::max<int64_t>(0, inactive));
}

// The least of MemAvailable and every cgroup limit above this process; -1 when nothing is known.
int64_t free_memory() {
  int64_t least = -1;
  const auto take = [&](int64_t x) {
    if (x >= 0 && (least < 0 || x < least)) least = x;
  };
  const int64_t available = read_number("/proc/meminfo", "MemAvailable:");
  if (available >= 0) take(available * 1024);
  std::FILE* file = std::fopen("/proc/self/cgroup", "re");
  if (file == nullptr) return least;
  char line[1024];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    line[std::strcspn(line, "\n")] = '\0';
    const char* controllers = std::strchr(line, ':');
    if (controllers == nullptr) continue;
    const char* path = std::strchr(++controllers, ':');
    if (path == nullptr) continue;
    const std::string names = "," + std::string(controllers, path) + ",";
    const bool v2 = names == ",,";
    if (!v2 && names.find(",memory,") == std::string::npos) continue;
    const std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    // In a container the path may not exist below the mount: its parents, and the root, do.
    for (std::string dir = path + 1;;) {
      if (dir == "/") dir.clear();
      take(v2 ? cgroup_room(root + dir, "/memory.max", "/memory.current", "inactive_file")
              : cgroup_room(root + dir, "/memory.limit_in_bytes", "/memory.usage_in_bytes",
                            "total_inactive_file"));
      if (dir.empty()) break;
      dir.erase(dir.rfind('/'));
    }
  }
  std::fclose(file);
  return least;
}

// --- Blocks of 2 MB and more -------------------------------------------------------------------

void unmap(void* p, int64_t size) {
  munmap(p, static_cast<size_t>(size));
  g_reserved.fetch_sub(size, std::memory_order_relaxed);
}

void empty_shared_cache() {
  Shared& s = shared();
  std::vector<Shared::Block> blocks;
  {
    std::lock_guard lock(s.mutex);
    blocks.swap(s.blocks);
    s.cached = 0;
  }
  for (const auto& block : blocks) unmap(block.p, block.size);
}

// Maps `size` bytes at a multiple of 2 MB; null when the system refuses.
void* map_aligned(int64_t size) {
  const size_t total = static_cast<size_t>(size + kHuge);
  void* raw = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(raw);
  const uintptr_t aligned = (begin + kHuge - 1) & ~static_cast<uintptr_t>(kHuge - 1);
  const uintptr_t end = aligned + static_cast<uintptr_t>(size);
  if (aligned > begin) munmap(raw, aligned - begin);
  if (begin + total > end) munmap(reinterpret_cast<void*>(end), begin + total - end);
  void* const p = reinterpret_cast<void*>(aligned);
#if defined(MADV_HUGEPAGE)
  madvise(p, static_cast<size_t>(size), MADV_HUGEPAGE);
#endif
  return p;
}

void* allocate_large(int64_t nbytes, bool* hit) {
  const int64_t size = large_size(nbytes);
  Shared& s = shared();
  {
    std::lock_guard lock(s.mutex);
    for (size_t i = s.blocks.size(); i-- > 0;)  // the youngest one may still be in a cache
      if (s.blocks[i].size == size) {
        void* p = s.blocks[i].p;
        s.blocks.erase(s.blocks.begin() + static_cast<std::ptrdiff_t>(i));
        s.cached -= size;
        *hit = true;
        return p;
      }
  }
  *hit = false;
  if (nbytes > kChecked) {
    int64_t room = free_memory();
    if (room >= 0 && nbytes > room) {
      empty_shared_cache();
      room = free_memory();
      if (room >= 0 && nbytes > room) out_of_memory(nbytes, " That is more than is free.");
    }
  }
  void* p = map_aligned(size);
  if (p == nullptr) {
    empty_shared_cache();
    p = map_aligned(size);
    if (p == nullptr) out_of_memory(nbytes, "");
  }
  g_reserved.fetch_add(size, std::memory_order_relaxed);
  return p;
}

void deallocate_large(void* p, int64_t nbytes) {
  const int64_t size = large_size(nbytes);
  Shared& s = shared();
  std::vector<Shared::Block> evicted;
  {
    std::lock_guard lock(s.mutex);
    if (size <= s.cap) {
      size_t n = 0;
      for (; s.cached + size > s.cap; ++n) s.cached -= s.blocks[n].size;
      evicted.assign(s.blocks.begin(), s.blocks.begin() + static_cast<std::ptrdiff_t>(n));
      s.blocks.erase(s.blocks.begin(), s.blocks.begin() + static_cast<std::ptrdiff_t>(n));
      s.blocks.push_back({p, size});
      s.cached += size;
      p = nullptr;
    }
  }
  if (p != nullptr) unmap(p, size);
  for (const auto& block : evicted) unmap(block.p, block.size);
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPassThrough = true;  // exact sizes and no reuse, so that ASan sees every mistake
#else
constexpr bool kPassThrough = false;
#endif

void* system_allocate(int64_t nbytes) {
  void* p = nullptr;
  if (posix_memalign(&p, kAlign, static_cast<size_t>(nbytes)) != 0) {
    empty_cache();
    if (posix_memalign(&p, kAlign, static_cast<size_t>(nbytes)) != 0) out_of_memory(nbytes, "");
  }
  return p;
}

void* allocate_pass_through(int64_t nbytes) {
  if (nbytes > kChecked) {
    const int64_t room = free_memory();
    if (room >= 0 && nbytes > room) out_of_memory(nbytes, " That is more than is free.");
  }
  void* p = system_allocate(nbytes);
  g_calls.fetch_add(1, std::memory_order_relaxed);
  g_reserved.fetch_add(nbytes, std::memory_order_relaxed);
  count_directly(nbytes);
  return p;
}

// All that is not a hit in the thread's own list.
void* allocate_slowly(int64_t nbytes) {
  check<MemoryError>(nbytes > 0 && nbytes < kMostBytes,
                     "not enough memory: you tried to allocate {} bytes.", nbytes);
  if (kPassThrough) return allocate_pass_through(nbytes);
  bool hit = false;
  void* p;
  if (nbytes < kHuge) {
    const int64_t size = class_size(class_of(nbytes));
    p = system_allocate(size);
    g_reserved.fetch_add(size, std::memory_order_relaxed);
  } else {
    p = allocate_large(nbytes, &hit);
  }
  ThreadCache* cache = t_cache != nullptr ? t_cache : make_cache();
  if (cache != nullptr) {
    cache->calls += 1;
    cache->hits += hit;
    cache->add(nbytes);
  } else {
    g_calls.fetch_add(1, std::memory_order_relaxed);
    g_hits.fetch_add(hit, std::memory_order_relaxed);
    count_directly(nbytes);
  }
  return p;
}

}  // namespace

void* allocate(int64_t nbytes) {
  if (nbytes == 0) return nullptr;
  ThreadCache* const cache = t_cache;
  if (!kPassThrough && cache != nullptr && nbytes > 0 && nbytes < kHuge) [[likely]] {
    FreeList& list = cache->lists[class_of(nbytes)];
    if (FreeBlock* block = list.head; block != nullptr) [[likely]] {
      list.head = block->next;
      list.count += -1;
      cache->calls += 1;
      cache->hits += 1;
      cache->add(nbytes);
      return block;
    }
  }
  return allocate_slowly(nbytes);
}

void deallocate(void* p, int64_t nbytes) {
  if (p == nullptr) return;
  if (kPassThrough) {
    std::free(p);
    g_reserved.fetch_sub(nbytes, std::memory_order_relaxed);
    g_in_use.fetch_sub(nbytes, std::memory_order_relaxed);
    return;
  }
  ThreadCache* cache = t_cache;
  if (cache == nullptr) [[unlikely]]
    cache = make_cache();
  if (cache != nullptr)
    cache->add(-nbytes);
  else
    g_in_use.fetch_sub(nbytes, std::memory_order_relaxed);
  if (nbytes >= kHuge) return deallocate_large(p, nbytes);

  const int c = class_of(nbytes);
  if (cache != nullptr) {
    FreeList& list = cache->lists[c];
    const int64_t kept = list.count;
    if (kept < kListEntries && (kept < 4 || kept * class_size(c) < kListBytes)) [[likely]] {
      FreeBlock* block = static_cast<FreeBlock*>(p);
      block->next = list.head;
      list.head = block;
      list.count = kept + 1;
      return;
    }
  }
  std::free(p);
  g_reserved.fetch_sub(class_size(c), std::memory_order_relaxed);
}

MemoryStats memory_stats() {
  MemoryStats stats{};
  if (t_cache != nullptr) t_cache->report();
  Shared& s = shared();
  std::lock_guard lock(s.mutex);
  stats.cached_bytes = s.cached;
  stats.allocated_bytes = g_in_use.load();
  stats.allocation_count = g_calls.load();
  stats.cache_hit_count = g_hits.load();
  for (const ThreadCache* cache : s.threads) {
    stats.allocated_bytes += cache->balance;
    stats.allocation_count += cache->calls;
    stats.cache_hit_count += cache->hits;
    for (int c = 0; c < kSmallClasses; ++c)
      stats.cached_bytes += cache->lists[c].count * class_size(c);
  }
  stats.peak_allocated_bytes = std::max(g_peak.load(), stats.allocated_bytes);
  stats.reserved_bytes = g_reserved.load();
  return stats;
}

void reset_peak_memory_stats() {
  const int64_t now = memory_stats().allocated_bytes;
  g_peak.store(now);
}

void empty_cache() {
  if (t_cache != nullptr) t_cache->release_blocks();
  empty_shared_cache();
}

}  // namespace d2l
