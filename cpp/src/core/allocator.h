// The caching allocator behind every storage.
//
// Idea: a freed block is kept, by size class, for the next allocation of that class. Blocks under
// 2 MB stay with the thread that freed them (no lock, no atomic instruction: a few ns); larger ones
// are mapped in huge pages and kept in one shared, capped cache, because a fresh page costs more
// than most kernels need for it.
#pragma once

#include <cstdint>

#include "d2lcore/error.h"

namespace d2l {

// A block of at least nbytes, aligned to 64; null for nbytes 0. Throws MemoryError.
void* allocate(int64_t nbytes);

// Any thread may free a block; nbytes is what it was allocated with.
void deallocate(void* p, int64_t nbytes);

struct MemoryStats {
  int64_t allocated_bytes;       // in blocks that are in use, as asked for
  int64_t peak_allocated_bytes;  // exact for one thread; others count in steps of 1 MB
  int64_t cached_bytes;          // in blocks kept for reuse
  int64_t reserved_bytes;        // obtained from the system and not returned
  int64_t allocation_count;      // calls of allocate, and how many the cache could serve
  int64_t cache_hit_count;
};
D2L_API MemoryStats memory_stats();
D2L_API void reset_peak_memory_stats();

// Returns the shared cache's and this thread's kept blocks to the system.
D2L_API void empty_cache();

}  // namespace d2l
