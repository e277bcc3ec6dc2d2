// See thread_pool.h. One job at a time; its state is a ticket that holds the job's number and how
// many of its chunks nobody has claimed yet, so a worker that wakes late cannot claim a chunk of a
// job it did not look at. Workers are started by the first job that needs them, and never end.
#include "core/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "d2lcore/error.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

namespace d2l {
namespace {

constexpr int kMaxThreads = 1024;
constexpr auto kSpin = std::chrono::microseconds(25);  // then sleep: a wake-up costs about as much

using Word = std::atomic<uint32_t>;

#if defined(__linux__)
void sleep_while(Word& word, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_PRIVATE, value, nullptr,
          nullptr, 0);
}
void wake(Word& word, int count) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, count, nullptr,
          nullptr, 0);
}
#else
void sleep_while(Word& word, uint32_t value) { word.wait(value); }
void wake(Word& word, int) { word.notify_all(); }
#endif

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins until ready() or the time is up; returns ready().
template <class Ready>
bool spin_until(Ready ready) {
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    for (int i = 0; i < 16; ++i) {
      if (ready()) return true;
      relax();
    }
    if (std::chrono::steady_clock::now() - start > kSpin) return ready();
  }
}

thread_local bool t_in_region = false;

class Pool {
 public:
  // Returns false, having called nothing, when another thread is using the pool.
  bool try_run(int64_t n, int64_t grain, detail::ChunkFunction function, void* context,
               int threads) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    start_workers(threads - 1);

    const int64_t chunks = (n - 1) / grain + 1;
    per_claim_ = (chunks - 1) / kMaxClaims + 1;  // 1 unless there are billions of chunks
    claims_ = static_cast<uint32_t>((chunks - 1) / per_claim_ + 1);
    n_ = n;
    grain_ = grain;
    function_ = function;
    context_ = context;
    allowed_ = threads - 1;
    failed_.store(false, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);

    ++job_;
    ticket_.store(static_cast<uint64_t>(job_) << 32 | claims_, std::memory_order_release);
    signal_.fetch_add(1);  // sequentially consistent, with sleepers_: either we see the sleeper
    if (sleepers_.load() > 0) {  // or the sleeper sees the new ticket
      const int started = started_.load(std::memory_order_relaxed);
      wake(signal_, started > threads - 1
                        ? INT_MAX
                        : static_cast<int>(std::min<int64_t>(claims_ - 1, started)));
    }

    t_in_region = true;
    while (claim_and_run()) {
    }
    t_in_region = false;

    // Only chunks that were claimed are waited for.
    const uint32_t claims = claims_;
    const auto finished = [&] { return done_.load(std::memory_order_acquire) == claims; };
    if (!spin_until(finished)) {
      caller_sleeps_.store(true);
      for (uint32_t seen = done_.load(); seen != claims; seen = done_.load())
        sleep_while(done_, seen);
      caller_sleeps_.store(false);
    }

    std::exception_ptr error;
    if (failed_.load(std::memory_order_acquire)) std::swap(error, error_);
    busy_.store(false, std::memory_order_release);
    if (error) std::rethrow_exception(error);
    return true;
  }

 private:
  static constexpr int64_t kMaxClaims = int64_t{1} << 30;

  // Claims one unit of the current job and runs it; false when none is left. The job's fields are
  // read before the claim: if the claim succeeds the ticket did not change in between, and fields
  // are only written while no chunk is unclaimed.
  bool claim_and_run() {
    uint64_t ticket = ticket_.load(std::memory_order_acquire);
    for (;;) {
      const uint32_t left = static_cast<uint32_t>(ticket);
      if (left == 0) return false;
      const int64_t n = n_, grain = grain_, per_claim = per_claim_;
      const uint32_t claims = claims_;
      const detail::ChunkFunction function = function_;
      void* const context = context_;
      if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel,
                                         std::memory_order_acquire))
        continue;
      const int64_t first = static_cast<int64_t>(claims - left) * per_claim;
      try {
        for (int64_t chunk = first; chunk < first + per_claim; ++chunk) {
          const int64_t begin = chunk * grain;
          if (begin >= n || failed_.load(std::memory_order_relaxed)) break;
          function(context, begin, n - begin < grain ? n : begin + grain);
        }
      } catch (...) {
        if (!failing_.test_and_set()) {
          if (!failed_.load(std::memory_order_relaxed)) {
            error_ = std::current_exception();
            failed_.store(true, std::memory_order_release);
          }
          failing_.clear();
        }
      }
      // The last access to the job: the caller may return as soon as it sees the count.
      done_.fetch_add(1);
      if (caller_sleeps_.load()) wake(done_, 1);
      return true;
    }
  }

  bool work_for(int worker) const {
    return static_cast<uint32_t>(ticket_.load(std::memory_order_acquire)) != 0 &&
           worker < allowed_.load(std::memory_order_relaxed);
  }

  [[noreturn]] void worker_loop(int worker) {
    t_in_region = true;
    for (;;) {
      if (spin_until([&] { return work_for(worker); })) {
        while (claim_and_run()) {
        }
        continue;
      }
      const uint32_t seen = signal_.load();
      sleepers_.fetch_add(1);
      if (!work_for(worker)) sleep_while(signal_, seen);
      sleepers_.fetch_sub(1);
    }
  }

  void start_workers(int wanted) {
    if (started_.load(std::memory_order_relaxed) >= wanted) return;
    // Signals belong to the program's own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      while (started_.load(std::memory_order_relaxed) < wanted) {
        const int worker = started_.load(std::memory_order_relaxed);
        std::thread([this, worker] { worker_loop(worker); }).detach();
        started_.store(worker + 1, std::memory_order_relaxed);
      }
    } catch (const std::system_error&) {
      // No more threads to be had: the job runs on those there are.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  // The job. Written by the thread that holds busy_; atomic because a late worker may read them
  // (and then fail to claim) while the next job is written.
  template <class T>
  struct Field : std::atomic<T> {
    operator T() const { return this->load(std::memory_order_relaxed); }
    void operator=(T x) { this->store(x, std::memory_order_relaxed); }
  };
  Field<int64_t> n_{}, grain_{}, per_claim_{};
  Field<uint32_t> claims_{};
  Field<detail::ChunkFunction> function_{};
  Field<void*> context_{};
  std::atomic<int> allowed_{0};
  std::exception_ptr error_;
  std::atomic_flag failing_ = ATOMIC_FLAG_INIT;
  std::atomic<bool> failed_{false};
  uint32_t job_ = 0;

  alignas(64) std::atomic<bool> busy_{false};
  alignas(64) std::atomic<uint64_t> ticket_{0};  // job << 32 | unclaimed units
  alignas(64) Word done_{0};
  std::atomic<bool> caller_sleeps_{false};
  alignas(64) Word signal_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<int> started_{0};
};

// Never destroyed: workers may still look at it while the process exits.
alignas(Pool) unsigned char g_storage[sizeof(Pool)];
std::atomic<int> g_num_threads{0};  // 0: not asked yet

Pool& pool() {
  static Pool* const made = [] {
    // A child has none of the workers, and perhaps half a job: it gets a fresh pool in the same
    // place. No lock has to be held across the fork for that.
    pthread_atfork(nullptr, nullptr, [] { new (g_storage) Pool; });
    return new (g_storage) Pool;
  }();
  return *made;
}

int default_num_threads() {
  if (const char* text = std::getenv("D2LCORE_NUM_THREADS"); text != nullptr && *text != '\0') {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    check<ValueError>(*end == '\0' && n >= 1, "D2LCORE_NUM_THREADS={}: expected a positive integer",
                      text);
    return static_cast<int>(std::min<long>(n, kMaxThreads));
  }
#if defined(__linux__)
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) == 0)
    return std::clamp(CPU_COUNT(&usable), 1, kMaxThreads);
#endif
  return std::clamp<int>(static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)), 1, kMaxThreads);
}

}  // namespace

int num_threads() {
  int n = g_num_threads.load(std::memory_order_relaxed);
  if (n == 0) [[unlikely]] {
    n = default_num_threads();
    int expected = 0;  // a set_num_threads on another thread wins
    if (!g_num_threads.compare_exchange_strong(expected, n)) n = expected;
  }
  return n;
}

void set_num_threads(int n) {
  check<ValueError>(n >= 1, "set_num_threads expects a positive integer, got {}", n);
  g_num_threads.store(std::min(n, kMaxThreads), std::memory_order_relaxed);
}

bool in_parallel_region() { return t_in_region; }

namespace detail {

void run_chunks(int64_t n, int64_t grain, ChunkFunction function, void* context) {
  if (!t_in_region) {
    const int threads = num_threads();
    if (threads > 1 && pool().try_run(n, grain, function, context, threads)) return;
  }
  for (int64_t begin = 0; begin < n;) {
    const int64_t end = n - begin < grain ? n : begin + grain;
    function(context, begin, end);
    begin = end;
  }
}

}  // namespace detail
}  // namespace d2l
