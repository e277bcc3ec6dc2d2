// Running reductions.
//
// The one idea: lanes are independent, so a block of lanes keeps its accumulators in L1 while the
// steps go by; a lane of its own in contiguous memory is scanned by vectors, shifting in powers of
// two. Float sums and products accumulate in double, as PyTorch's do on the CPU.
#include "kernels/map.h"
#include "kernels/math_complex.h"
#include "kernels/math_float.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int64_t kLanesAtOnce = 64;

template <class T>
struct SumOf {
  using Acc = T;
};
template <>
struct SumOf<float> {
  using Acc = double;
};
// The running sums (products) of the lanes of v, whose groups of kShift lanes are done.
template <bool kProduct, int kShift = 1>
D2L_INLINE VD scan_lanes(VD v) {
  if constexpr (kShift < kLanes<double>) {
    VL from;
#pragma GCC unroll 8
    for (int i = 0; i < kLanes<double>; ++i) from[i] = i < kShift ? kLanes<double> : i - kShift;
    const VD moved = __builtin_shuffle(v, splat(kProduct ? 1.0 : 0.0), from);
    return scan_lanes<kProduct, 2 * kShift>(kProduct ? v * moved : v + moved);
  }
  return v;
}
D2L_INLINE VD doubles(const float* p) {
  HalfVF part;
  __builtin_memcpy(&part, p, sizeof part);
  return widen(part);
}
D2L_INLINE VD doubles(const double* p) { return load<double>(p); }

// n contiguous elements, floating. The carry meets each vector once, after its scan.
template <class T, bool kProduct>
void scan_row(const T* x, T* y, int64_t n) {
  constexpr int kCount = kLanes<double>;
  typedef T Part __attribute__((vector_size(kCount * sizeof(T))));
  VD carry = splat(kProduct ? 1.0 : 0.0);
  int64_t i = 0;
  for (; i + kCount <= n; i += kCount) {
    const VD s = scan_lanes<kProduct>(doubles(x + i));
    const Part p = __builtin_convertvector(kProduct ? carry * s : carry + s, Part);
    __builtin_memcpy(y + i, &p, sizeof p);
    const VD total = __builtin_shuffle(s, VL{} + (kCount - 1));
    carry = kProduct ? carry * total : carry + total;
  }
  for (double s = carry[0]; i < n; ++i) {
    s = kProduct ? s * x[i] : s + x[i];
    y[i] = static_cast<T>(s);
  }
}

template <class T, bool kProduct>
void scan_sum(const ScanArgs* args) {
  const ScanArgs& a = *args;
  using Acc = typename SumOf<T>::Acc;
  Acc acc[kLanesAtOnce];
  for (int64_t j = 0; j < a.m; j += kLanesAtOnce) {
    const int64_t c = a.m - j < kLanesAtOnce ? a.m - j : kLanesAtOnce;
    for (int64_t k = 0; k < c; ++k) acc[k] = kProduct ? Acc(1) : Acc(0);
    const char* in = a.in + j * a.in_lane;
    char* out = a.out + j * a.out_lane;
    const bool dense = a.in_lane == sizeof(T) && a.out_lane == sizeof(T) && c > 1;
    auto step = [](Acc s, T x) {
      if constexpr (Acc(0.5) != Acc(0)) {
        return kProduct ? s * Acc(x) : s + Acc(x);
      } else {
        return static_cast<Acc>(kProduct ? uint64_t(s) * uint64_t(x) : uint64_t(s) + uint64_t(x));
      }
    };
    if (!dense) {  // lane by lane, the accumulator in a register
      for (int64_t k = 0; k < c; ++k) {
        const char* x = in + k * a.in_lane;
        char* y = out + k * a.out_lane;
        if constexpr (T(0.5) != T(0)) {
          if (a.in_stride == sizeof(T) && a.out_stride == sizeof(T)) {
            scan_row<T, kProduct>(reinterpret_cast<const T*>(x), reinterpret_cast<T*>(y), a.n);
            continue;
          }
        }
        Acc s = acc[k];
        for (int64_t i = 0; i < a.n; ++i, x += a.in_stride, y += a.out_stride) {
          s = step(s, *reinterpret_cast<const T*>(x));
          *reinterpret_cast<T*>(y) = static_cast<T>(s);
        }
      }
      continue;
    }
    for (int64_t i = 0; i < a.n; ++i, in += a.in_stride, out += a.out_stride) {
      const T* x = reinterpret_cast<const T*>(in);
      T* y = reinterpret_cast<T*>(out);
#pragma GCC ivdep
      for (int64_t k = 0; k < c; ++k) y[k] = static_cast<T>(acc[k] = step(acc[k], x[k]));
    }
  }
}

template <class T, bool kProduct>
void scan_complex(const ScanArgs* args) {
  const ScanArgs& a = *args;
  using Acc = double;
  for (int64_t j = 0; j < a.m; ++j) {
    Acc re = kProduct, im = 0;
    for (int64_t i = 0; i < a.n; ++i) {
      const T* x = reinterpret_cast<const T*>(a.in + j * a.in_lane + i * a.in_stride);
      T* y = reinterpret_cast<T*>(a.out + j * a.out_lane + i * a.out_stride);
      Acc r = kProduct ? re * x[0] - im * x[1] : re + x[0];
      im = kProduct ? re * x[1] + im * x[0] : im + x[1];
      re = r;
      y[0] = static_cast<T>(re);
      y[1] = static_cast<T>(im);
    }
  }
}

// The last of equals, and NaN stays, as in PyTorch.
template <class T, bool kMax>
void scan_extreme(const ScanArgs* args) {
  const ScanArgs& a = *args;
  T best[kLanesAtOnce];
  int64_t where[kLanesAtOnce];
  for (int64_t j = 0; j < a.m; j += kLanesAtOnce) {
    const int64_t c = a.m - j < kLanesAtOnce ? a.m - j : kLanesAtOnce;
    for (int64_t i = 0; i < a.n; ++i) {
      for (int64_t k = 0; k < c; ++k) {
        T x = *reinterpret_cast<const T*>(a.in + (j + k) * a.in_lane + i * a.in_stride);
        bool take = i == 0 || x != x || (kMax ? x >= best[k] : x <= best[k]);
        best[k] = take ? x : best[k];
        where[k] = take ? i : where[k];
        *reinterpret_cast<T*>(a.out + (j + k) * a.out_lane + i * a.out_stride) = best[k];
        if (a.index) a.index[(j + k) * a.index_lane + i * a.index_stride] = where[k];
      }
    }
  }
}

template <class T>
void scan_logcumsumexp(const ScanArgs* args) {
  const ScanArgs& a = *args;
  constexpr int64_t kCount = kLanes<T>;
  alignas(64) T pad[kCount];
  for (int64_t j = 0; j < a.m; j += kCount) {
    const int64_t c = a.m - j < kCount ? a.m - j : kCount;
    Vec<T> acc = splat(-T(__builtin_inf()));
    store(pad, acc);
    for (int64_t i = 0; i < a.n; ++i) {
      for (int64_t k = 0; k < c; ++k) {
        pad[k] = *reinterpret_cast<const T*>(a.in + (j + k) * a.in_lane + i * a.in_stride);
      }
      acc = logaddexp(acc, load<T>(pad));
      store(pad, acc);
      for (int64_t k = 0; k < c; ++k) {
        *reinterpret_cast<T*>(a.out + (j + k) * a.out_lane + i * a.out_stride) = pad[k];
      }
    }
  }
}

// The same of complex numbers, in double: log(e^a + e^b) through the one with the larger real part.
template <class T>
void scan_logcumsumexp_complex(const ScanArgs* args) {
  const ScanArgs& a = *args;
  constexpr int64_t kCount = kLanes<double>;
  double re[kCount], im[kCount];
  for (int64_t j = 0; j < a.m; j += kCount) {
    const int64_t c = a.m - j < kCount ? a.m - j : kCount;
    CD acc = {splat(-kInf), VD{}};
    for (int64_t k = 0; k < kCount; ++k) re[k] = im[k] = 0;
    for (int64_t i = 0; i < a.n; ++i) {
      for (int64_t k = 0; k < c; ++k) {
        const T* x = reinterpret_cast<const T*>(a.in + (j + k) * a.in_lane + i * a.in_stride);
        re[k] = static_cast<double>(x[0]);
        im[k] = static_cast<double>(x[1]);
      }
      acc = logaddexp(acc, {load<double>(re), load<double>(im)});
      alignas(64) double out_re[kCount], out_im[kCount];
      store(out_re, acc.re);
      store(out_im, acc.im);
      for (int64_t k = 0; k < c; ++k) {
        T* y = reinterpret_cast<T*>(a.out + (j + k) * a.out_lane + i * a.out_stride);
        y[0] = static_cast<T>(out_re[k]);
        y[1] = static_cast<T>(out_im[k]);
      }
    }
  }
}

inline ScanFn& at(KernelTable& t, Scan s, Type type) { return t.scan[static_cast<int>(s)][type]; }
template <class T>
void set_scans(KernelTable& t, Type type) {
  at(t, Scan::cumsum, type) = scan_sum<T, false>;
  at(t, Scan::cumprod, type) = scan_sum<T, true>;
  at(t, Scan::cummax, type) = scan_extreme<T, true>;
  at(t, Scan::cummin, type) = scan_extreme<T, false>;
}
template <class T>
void set_complex(KernelTable& t, Type type) {
  at(t, Scan::cumsum, type) = scan_complex<T, false>;
  at(t, Scan::cumprod, type) = scan_complex<T, true>;
}

}  // namespace

void fill_scan(KernelTable& t) {
  set_scans<uint8_t>(t, kU8);
  set_scans<int8_t>(t, kI8);
  set_scans<int16_t>(t, kI16);
  set_scans<int32_t>(t, kI32);
  set_scans<int64_t>(t, kI64);
  set_scans<float>(t, kF32);
  set_scans<double>(t, kF64);
  set_complex<float>(t, kC64);
  set_complex<double>(t, kC128);
  at(t, Scan::cummax, kBool) = at(t, Scan::cummax, kU8);
  at(t, Scan::cummin, kBool) = at(t, Scan::cummin, kU8);
  at(t, Scan::logcumsumexp, kF32) = scan_logcumsumexp<float>;
  at(t, Scan::logcumsumexp, kF64) = scan_logcumsumexp<double>;
  at(t, Scan::logcumsumexp, kC64) = scan_logcumsumexp_complex<float>;
  at(t, Scan::logcumsumexp, kC128) = scan_logcumsumexp_complex<double>;
}

}  // namespace d2l::D2L_ISA_NS
