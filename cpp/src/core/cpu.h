// What the processor offers: the instruction set that the kernels use, and the cache sizes that the
// blocking of products is derived from. Read once; nothing here changes while the process runs.
#pragma once

#include <cstdint>

#include "d2lcore/error.h"

namespace d2l {

// Ascending: each set contains the ones before it. Baseline is x86-64 (SSE2), Avx2 is x86-64-v3
// (AVX2, FMA, F16C), Avx512 is x86-64-v4 (AVX-512 F, BW, CD, DQ, VL).
enum class Isa : int { Baseline, Avx2, Avx512 };

// The best supported set, or the one that D2LCORE_ISA=baseline|avx2|avx512 names; throws ValueError
// when that is an unknown name or a set which this processor lacks.
D2L_API Isa isa();
const char* isa_name(Isa set);

// True when the AVX-512 bfloat16 dot product can be used (and D2LCORE_ISA leaves AVX-512 on).
bool has_avx512_bf16();

struct CacheSizes {
  int64_t l1, l2, l3;  // bytes of data cache; l1 and l2 per core, l3 shared
};
const CacheSizes& cache_sizes();

}  // namespace d2l
