// See cpu.h. The builtins ask cpuid and the operating system (which must save the wide registers).
#include "core/cpu.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "d2lcore/error.h"

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace d2l {
namespace {

#if defined(__x86_64__)
bool supported(Isa set) {
  switch (set) {
    case Isa::Baseline:
      return true;
#ifdef D2L_HAVE_AVX2
    case Isa::Avx2:
      return __builtin_cpu_supports("x86-64-v3");
#endif
#ifdef D2L_HAVE_AVX512
    case Isa::Avx512:
      return __builtin_cpu_supports("x86-64-v4");
#endif
    default:
      return false;  // not compiled in
  }
  return false;
}
#else
bool supported(Isa set) { return set == Isa::Baseline; }
#endif

Isa choose_isa() {
  constexpr Isa kDescending[] = {Isa::Avx512, Isa::Avx2, Isa::Baseline};
  const char* wanted = std::getenv("D2LCORE_ISA");
  if (wanted != nullptr && *wanted != '\0') {
    for (Isa set : kDescending)
      if (std::string_view(wanted) == isa_name(set)) {
        check<ValueError>(supported(set),
                          "D2LCORE_ISA={}: this processor or build does not support it", wanted);
        return set;
      }
    fail<ValueError>("D2LCORE_ISA={}: expected one of baseline, avx2, avx512", wanted);
  }
  for (Isa set : kDescending)
    if (supported(set)) return set;
  return Isa::Baseline;
}

#if defined(__APPLE__)
int64_t read_size(const char* name, int64_t fallback) {
  int64_t value = 0;
  size_t length = sizeof value;
  return sysctlbyname(name, &value, &length, nullptr, 0) == 0 && value > 0 ? value : fallback;
}
CacheSizes read_caches() {
  return {read_size("hw.l1dcachesize", 32 << 10), read_size("hw.l2cachesize", 1 << 20),
          read_size("hw.l3cachesize", 8 << 20)};
}
#else
int64_t read_size(int name, int64_t fallback, int64_t least, int64_t most) {
  const int64_t value = sysconf(name);  // 0 or -1 where the kernel or a container hides it
  return value >= least && value <= most ? value : fallback;
}
CacheSizes read_caches() {
  return {read_size(_SC_LEVEL1_DCACHE_SIZE, 32 << 10, 8 << 10, 1 << 20),
          read_size(_SC_LEVEL2_CACHE_SIZE, 512 << 10, 128 << 10, 64 << 20),
          read_size(_SC_LEVEL3_CACHE_SIZE, 8 << 20, 1 << 20, int64_t{4} << 30)};
}
#endif

}  // namespace

Isa isa() {
  static const Isa chosen = choose_isa();
  return chosen;
}

const char* isa_name(Isa set) {
  return set == Isa::Avx512 ? "avx512" : set == Isa::Avx2 ? "avx2" : "baseline";
}

bool has_avx512_bf16() {
#if defined(__x86_64__)
  return isa() == Isa::Avx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = read_caches();
  return sizes;
}

}  // namespace d2l
