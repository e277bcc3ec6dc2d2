// The thread pool: parallel_for splits a range into chunks which any thread may claim.
//
// Idea: where a range is cut depends on the sizes alone, and every chunk is computed the same way
// whoever claims it, so the number of threads never changes a result. Chunks are claimed by
// compare-and-swap, so a slow or sleeping worker costs nothing: the caller does its share too.
#pragma once

#include <cstdint>
#include <type_traits>

#include "d2lcore/error.h"

namespace d2l {

// Threads that parallel_for may use, the caller included. Default: D2LCORE_NUM_THREADS, or the
// number of cores this process may run on. Both throw ValueError for a number below 1.
D2L_API int num_threads();
D2L_API void set_num_threads(int n);

// True inside a chunk that runs on the pool; parallel_for runs serially there.
bool in_parallel_region();

namespace detail {
using ChunkFunction = void (*)(void* context, int64_t begin, int64_t end);
void run_chunks(int64_t n, int64_t grain, ChunkFunction function, void* context);
}  // namespace detail

// Calls fn(begin, end) over [0, n) in chunks of `grain` items (the last one shorter), in any order
// and on any thread. The boundaries depend on n and grain only. An exception thrown by fn reaches
// the caller (the first one wins; chunks not begun by then are dropped). Runs serially, chunk by
// chunk, with one thread, inside another parallel_for, or while another thread uses the pool.
template <class F>
void parallel_for(int64_t n, int64_t grain, F&& fn) {
  if (n <= 0) return;
  if (n <= grain) {
    fn(int64_t{0}, n);
    return;
  }
  using Function = std::remove_reference_t<F>;
  detail::run_chunks(
      n, grain < 1 ? 1 : grain,
      [](void* context, int64_t begin, int64_t end) {
        (*static_cast<Function*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&fn)));
}

}  // namespace d2l
