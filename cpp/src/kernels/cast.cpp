// Conversions between all dtypes; the diagonal copies.
//
// The one idea: every conversion is total. An integer out of range takes what x86 gives (the
// "indefinite" value, then its low bits), which is what PyTorch shows; a float becomes uint8
// through int64, and a bool by != 0, so that NaN is True.
#include "kernels/copy2d.h"
#include "kernels/half.h"
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

struct Bool {
  uint8_t v;
};
struct Half {
  uint16_t v;
};
struct BFloat {
  uint16_t v;
};

// Truncation; what does not fit gives the least integer.
template <class I, class F>
D2L_INLINE I truncate(F x) {
  constexpr F kEnd = sizeof(I) == 8 ? F(9223372036854775808.0) : F(2147483648.0);
  constexpr I kLeast = I(1) << (8 * sizeof(I) - 1);
  return x >= -kEnd && x < kEnd ? static_cast<I>(x) : kLeast;
}

template <class From>
D2L_INLINE From plain(From x) {
  return x;
}
D2L_INLINE uint8_t plain(Bool x) { return x.v; }
D2L_INLINE float plain(Half x) { return from_half(x.v); }
D2L_INLINE float plain(BFloat x) { return from_bfloat(x.v); }

template <class T>
inline constexpr bool kFloats = false;
template <>
inline constexpr bool kFloats<float> = true;
template <>
inline constexpr bool kFloats<double> = true;
template <class T>
inline constexpr int kPart = 0;  // complex: the kind of its parts
template <>
inline constexpr int kPart<Complex<float>> = 4;
template <>
inline constexpr int kPart<Complex<double>> = 8;

template <class To>
struct Make {
  template <class F>
  static D2L_INLINE To from(F x) {
    if constexpr (!kFloats<F>) {
      return static_cast<To>(x);
    } else if constexpr (kFloats<To>) {
      return static_cast<To>(x);
    } else if constexpr (sizeof(To) == 8) {
      return truncate<int64_t>(x);
    } else if constexpr (To(-1) > To(0)) {
      return static_cast<To>(truncate<int64_t>(x));  // uint8
    } else {
      return static_cast<To>(truncate<int32_t>(x));
    }
  }
};
template <>
struct Make<Bool> {
  template <class F>
  static D2L_INLINE Bool from(F x) {
    return {static_cast<uint8_t>(x != F(0))};
  }
};
template <>
struct Make<Half> {
  template <class F>
  static D2L_INLINE Half from(F x) {
    return {to_half(static_cast<float>(x))};
  }
};
template <>
struct Make<BFloat> {
  template <class F>
  static D2L_INLINE BFloat from(F x) {
    return {to_bfloat(static_cast<float>(x))};
  }
};
template <class T>
struct Make<Complex<T>> {
  template <class F>
  static D2L_INLINE Complex<T> from(F x) {
    return {static_cast<T>(x), T(0)};
  }
};

template <class To>
struct Convert {
  template <class From>
  D2L_INLINE To operator()(From x) const {
    if constexpr (kPart<From> != 0 && kPart<To> != 0) {
      using T = decltype(To{}.re);
      return {static_cast<T>(x.re), static_cast<T>(x.im)};
    } else if constexpr (kPart<From> != 0 && sizeof(To) == 1 && __is_same(To, Bool)) {
      return {static_cast<uint8_t>((x.re != 0) | (x.im != 0))};
    } else if constexpr (kPart<From> != 0) {
      return Make<To>::from(x.re);
    } else {
      return Make<To>::from(plain(x));
    }
  }
};

template <class To, class From>
inline constexpr LoopFn kCast = entry<Simple<Convert<To>, To, From>>;

#if D2L_AVX512 || D2L_AVX2
// float16 by the processor's conversions (F16C).
struct HalfToFloat {
  static constexpr int kOperands = 2, kOutputs = 1, kMaxSize = 4, kStep = kLanes<float>;
  static constexpr bool kInout = false;
  static constexpr int kSize[] = {4, 2};
  explicit HalfToFloat(const Scalars&) {}
  D2L_INLINE void operator()(char* const* p) const {
#if D2L_AVX512
    store(p[0], _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p[1]))));
#else
    store(p[0], _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p[1]))));
#endif
  }
};
struct FloatToHalf {
  static constexpr int kOperands = 2, kOutputs = 1, kMaxSize = 4, kStep = kLanes<float>;
  static constexpr bool kInout = false;
  static constexpr int kSize[] = {2, 4};
  explicit FloatToHalf(const Scalars&) {}
  D2L_INLINE void operator()(char* const* p) const {
#if D2L_AVX512
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p[0]),
                        _mm512_cvtps_ph(_mm512_loadu_ps(p[1]), _MM_FROUND_TO_NEAREST_INT));
#else
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p[0]),
                     _mm256_cvtps_ph(_mm256_loadu_ps(reinterpret_cast<const float*>(p[1])), 0));
#endif
  }
};
#endif

template <int kSize>
void copy(char* const* ptr, const int64_t* s, int64_t n, int64_t m, const Scalars*) {
  copy2d(ptr[0], s[0], s[2], ptr[1], s[1], s[3], n, m, kSize);
}

template <class From>
void fill_from(LoopFn* to) {
  to[kBool] = kCast<Bool, From>;
  to[kU8] = kCast<uint8_t, From>;
  to[kI8] = kCast<int8_t, From>;
  to[kI16] = kCast<int16_t, From>;
  to[kI32] = kCast<int32_t, From>;
  to[kI64] = kCast<int64_t, From>;
  to[kHalf] = kCast<Half, From>;
  to[kBF16] = kCast<BFloat, From>;
  to[kF32] = kCast<float, From>;
  to[kF64] = kCast<double, From>;
  to[kC64] = kCast<Complex<float>, From>;
  to[kC128] = kCast<Complex<double>, From>;
}

}  // namespace

void fill_casts(KernelTable& t) {
  fill_from<Bool>(t.cast[kBool]);
  fill_from<uint8_t>(t.cast[kU8]);
  fill_from<int8_t>(t.cast[kI8]);
  fill_from<int16_t>(t.cast[kI16]);
  fill_from<int32_t>(t.cast[kI32]);
  fill_from<int64_t>(t.cast[kI64]);
  fill_from<Half>(t.cast[kHalf]);
  fill_from<BFloat>(t.cast[kBF16]);
  fill_from<float>(t.cast[kF32]);
  fill_from<double>(t.cast[kF64]);
  fill_from<Complex<float>>(t.cast[kC64]);
  fill_from<Complex<double>>(t.cast[kC128]);
#if D2L_AVX512 || D2L_AVX2
  t.cast[kHalf][kF32] = entry<HalfToFloat>;
  t.cast[kF32][kHalf] = entry<FloatToHalf>;
#endif
  static constexpr LoopFn kCopy[kKernelDTypes] = {copy<1>, copy<1>, copy<1>, copy<2>,
                                                  copy<4>, copy<8>, copy<2>, copy<2>,
                                                  copy<4>, copy<8>, copy<8>, copy<16>};
  for (int type = 0; type < kKernelDTypes; ++type) t.cast[type][type] = kCopy[type];
  t.cast[kU8][kI8] = t.cast[kI8][kU8] = t.cast[kBool][kU8] = t.cast[kBool][kI8] = copy<1>;
}

// Rows that change nothing for a dtype.
void fill_copies(KernelTable& t) {
  for (int type = kBool; type <= kI64; ++type) {
    for (int loop = static_cast<int>(Loop::floor); loop <= static_cast<int>(Loop::round); ++loop) {
      t.map[loop][type] = t.cast[type][type];
    }
  }
  for (int type = kBool; type <= kF64; ++type) {
    t.map[static_cast<int>(Loop::conj)][type] = t.cast[type][type];
  }
  slot(t, Loop::abs, kU8) = slot(t, Loop::relu, kU8) = t.cast[kU8][kU8];
  slot(t, Loop::abs, kBool) = slot(t, Loop::sign, kBool) = t.cast[kBool][kBool];
}

}  // namespace d2l::D2L_ISA_NS
