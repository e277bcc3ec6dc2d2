// Comparisons, logic, classification, where and fill.
//
// The one idea: these rows look at bits or produce a bool, so they share loops by item size
// wherever the meaning allows it.
#include "kernels/half.h"
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

using Byte = uint8_t;

#define D2L_COMPARE(Name, expr)                  \
  struct Name {                                  \
    template <class T>                           \
    D2L_INLINE Byte operator()(T a, T b) const { \
      return static_cast<Byte>(expr);            \
    }                                            \
    template <class V>                           \
    static D2L_INLINE auto vector(V a, V b) {    \
      return expr;                               \
    }                                            \
  };
D2L_COMPARE(Eq, a == b)
D2L_COMPARE(Ne, a != b)
D2L_COMPARE(Lt, a < b)
D2L_COMPARE(Le, a <= b)
D2L_COMPARE(Gt, a > b)
D2L_COMPARE(Ge, a >= b)
#define D2L_LOGIC(Name, op)                      \
  struct Name {                                  \
    template <class T>                           \
    D2L_INLINE Byte operator()(T a, T b) const { \
      return (a != T(0)) op(b != T(0));          \
    }                                            \
  };
D2L_LOGIC(LogicalAnd, &)
D2L_LOGIC(LogicalOr, |)
D2L_LOGIC(LogicalXor, ^)

template <class T>
struct ComplexCompare {
  struct Eq {
    D2L_INLINE Byte operator()(Complex<T> a, Complex<T> b) const {
      return (a.re == b.re) & (a.im == b.im);
    }
  };
  struct Ne {
    D2L_INLINE Byte operator()(Complex<T> a, Complex<T> b) const {
      return (a.re != b.re) | (a.im != b.im);
    }
  };
  static D2L_INLINE bool on(Complex<T> a) { return (a.re != T(0)) | (a.im != T(0)); }
  struct And {
    D2L_INLINE Byte operator()(Complex<T> a, Complex<T> b) const { return on(a) & on(b); }
  };
  struct Or {
    D2L_INLINE Byte operator()(Complex<T> a, Complex<T> b) const { return on(a) | on(b); }
  };
  struct Xor {
    D2L_INLINE Byte operator()(Complex<T> a, Complex<T> b) const { return on(a) ^ on(b); }
  };
  struct Not {
    D2L_INLINE Byte operator()(Complex<T> a) const { return !on(a); }
  };
  struct IsNan {
    D2L_INLINE Byte operator()(Complex<T> a) const { return (a.re != a.re) | (a.im != a.im); }
  };
  static D2L_INLINE bool inf(T a) { return (a == T(__builtin_inf())) | (a == -T(__builtin_inf())); }
  struct IsInf {
    D2L_INLINE Byte operator()(Complex<T> a) const { return inf(a.re) | inf(a.im); }
  };
  struct IsFinite {
    D2L_INLINE Byte operator()(Complex<T> a) const {
      return (a.re - a.re == T(0)) & (a.im - a.im == T(0));
    }
  };
  static void fill(KernelTable& t, Type type) {
    using C = Complex<T>;
    slot(t, Loop::eq, type) = kSimple<Eq, Byte, C, 2>;
    slot(t, Loop::ne, type) = kSimple<Ne, Byte, C, 2>;
    slot(t, Loop::logical_and, type) = kSimple<And, Byte, C, 2>;
    slot(t, Loop::logical_or, type) = kSimple<Or, Byte, C, 2>;
    slot(t, Loop::logical_xor, type) = kSimple<Xor, Byte, C, 2>;
    slot(t, Loop::logical_not, type) = kSimple<Not, Byte, C, 1>;
    slot(t, Loop::isnan, type) = kSimple<IsNan, Byte, C, 1>;
    slot(t, Loop::isinf, type) = kSimple<IsInf, Byte, C, 1>;
    slot(t, Loop::isfinite, type) = kSimple<IsFinite, Byte, C, 1>;
  }
};

struct LogicalNot {
  template <class T>
  D2L_INLINE Byte operator()(T a) const {
    return a == T(0);
  }
};
struct IsNan {
  template <class T>
  D2L_INLINE Byte operator()(T a) const {
    return a != a;
  }
};
struct IsInf {
  template <class T>
  D2L_INLINE Byte operator()(T a) const {
    return (a == T(__builtin_inf())) | (a == -T(__builtin_inf()));
  }
};
struct IsFinite {
  template <class T>
  D2L_INLINE Byte operator()(T a) const {
    return a - a == T(0);
  }
};
struct SignBit {
  template <class T>
  D2L_INLINE Byte operator()(T a) const {
    return a < T(0);
  }
};
struct Never {
  template <class T>
  D2L_INLINE Byte operator()(T) const {
    return 0;
  }
};
struct Always {
  template <class T>
  D2L_INLINE Byte operator()(T) const {
    return 1;
  }
};

struct Where {
  template <class T>
  D2L_INLINE T operator()(Byte c, T a, T b) const {
    return c ? a : b;
  }
};
template <class T>
inline constexpr LoopFn kWhere = entry<Simple<Where, T, Byte, T, T>>;

// One value in every element; the value is made from Scalars once per call.
template <class T>
struct Fill {
  T value;
  D2L_INLINE T operator()() const { return value; }
};
template <class T>
struct FillInteger : Fill<T> {
  explicit FillInteger(const Scalars& s) : Fill<T>{static_cast<T>(s.i[0])} {}
};
template <class T>
struct FillFloat : Fill<T> {
  explicit FillFloat(const Scalars& s) : Fill<T>{static_cast<T>(s.f[0])} {}
};
struct FillBool : Fill<Byte> {
  explicit FillBool(const Scalars& s) : Fill<Byte>{static_cast<Byte>(s.i[0] != 0)} {}
};
struct FillHalf : Fill<uint16_t> {
  explicit FillHalf(const Scalars& s) : Fill<uint16_t>{to_half(static_cast<float>(s.f[0]))} {}
};
struct FillBFloat : Fill<uint16_t> {
  explicit FillBFloat(const Scalars& s) : Fill<uint16_t>{to_bfloat(static_cast<float>(s.f[0]))} {}
};
template <class T>
struct FillComplex : Fill<Complex<T>> {
  explicit FillComplex(const Scalars& s)
      : Fill<Complex<T>>{{static_cast<T>(s.f[0]), static_cast<T>(s.f[1])}} {}
};

#if D2L_AVX512
// A comparison of 4- or 8-byte elements, by way of a mask register.
template <class Op, class T>
struct MaskCompare {
  static constexpr int kOperands = 3, kOutputs = 1, kMaxSize = sizeof(T), kStep = kLanes<T>;
  static constexpr bool kInout = false;
  static constexpr int kSize[] = {1, sizeof(T), sizeof(T)};
  explicit MaskCompare(const Scalars&) {}
  D2L_INLINE void operator()(char* const* p) const {
    VInt<T> r = Op::vector(load<T>(p[1]), load<T>(p[2]));
    if constexpr (sizeof(T) == 4) {
      store(p[0], _mm_maskz_set1_epi8(_mm512_movepi32_mask((__m512i)r), 1));
    } else {
      long long low = _mm_cvtsi128_si64(_mm_maskz_set1_epi8(_mm512_movepi64_mask((__m512i)r), 1));
      __builtin_memcpy(p[0], &low, 8);
    }
  }
};
#endif
// The comparisons of one type, by the quickest means the set has.
template <class Op, class T>
void set_compare(KernelTable& t, Loop loop, Type type) {
#if D2L_AVX512
  if constexpr (sizeof(T) >= 4) {
    slot(t, loop, type) = entry<MaskCompare<Op, T>>;
    return;
  }
#endif
  slot(t, loop, type) = kSimple<Op, Byte, T, 2>;
}
template <class Op>
void set_compares(KernelTable& t, Loop loop) {
  set_compare<Op, uint8_t>(t, loop, kU8);
  slot(t, loop, kBool) = slot(t, loop, kU8);
  set_compare<Op, int8_t>(t, loop, kI8);
  set_compare<Op, int16_t>(t, loop, kI16);
  set_compare<Op, int32_t>(t, loop, kI32);
  set_compare<Op, int64_t>(t, loop, kI64);
  set_compare<Op, float>(t, loop, kF32);
  set_compare<Op, double>(t, loop, kF64);
}

// For ops that see only "equal" or "zero".
template <class Op, int kInputs>
void set_shared(KernelTable& t, Loop loop) {
  slot(t, loop, kI8) = slot(t, loop, kU8) = slot(t, loop, kBool) =
      kSimple<Op, Byte, uint8_t, kInputs>;
  slot(t, loop, kI16) = kSimple<Op, Byte, int16_t, kInputs>;
  slot(t, loop, kI32) = kSimple<Op, Byte, int32_t, kInputs>;
  slot(t, loop, kI64) = kSimple<Op, Byte, int64_t, kInputs>;
  slot(t, loop, kF32) = kSimple<Op, Byte, float, kInputs>;
  slot(t, loop, kF64) = kSimple<Op, Byte, double, kInputs>;
}
template <class Op, class OnIntegers>
void set_class(KernelTable& t, Loop loop) {
  slot(t, loop, kI8) = slot(t, loop, kU8) = slot(t, loop, kBool) =
      kSimple<OnIntegers, Byte, uint8_t, 1>;
  slot(t, loop, kI16) = kSimple<OnIntegers, Byte, int16_t, 1>;
  slot(t, loop, kI32) = kSimple<OnIntegers, Byte, int32_t, 1>;
  slot(t, loop, kI64) = kSimple<OnIntegers, Byte, int64_t, 1>;
  slot(t, loop, kF32) = kSimple<Op, Byte, float, 1>;
  slot(t, loop, kF64) = kSimple<Op, Byte, double, 1>;
}

}  // namespace

void fill_compare(KernelTable& t) {
  set_compares<Eq>(t, Loop::eq);
  set_compares<Ne>(t, Loop::ne);
  set_compares<Lt>(t, Loop::lt);
  set_compares<Le>(t, Loop::le);
  set_compares<Gt>(t, Loop::gt);
  set_compares<Ge>(t, Loop::ge);
  set_shared<LogicalAnd, 2>(t, Loop::logical_and);
  set_shared<LogicalOr, 2>(t, Loop::logical_or);
  set_shared<LogicalXor, 2>(t, Loop::logical_xor);
  set_shared<LogicalNot, 1>(t, Loop::logical_not);
  set_class<IsNan, Never>(t, Loop::isnan);
  set_class<IsInf, Never>(t, Loop::isinf);
  set_class<IsFinite, Always>(t, Loop::isfinite);
  // The sign of a float is that of its bits, -0 and NaN included.
  slot(t, Loop::signbit, kBool) = slot(t, Loop::signbit, kU8) = slot(t, Loop::isnan, kU8);
  slot(t, Loop::signbit, kI8) = kSimple<SignBit, Byte, int8_t, 1>;
  slot(t, Loop::signbit, kI16) = kSimple<SignBit, Byte, int16_t, 1>;
  slot(t, Loop::signbit, kI32) = slot(t, Loop::signbit, kF32) = kSimple<SignBit, Byte, int32_t, 1>;
  slot(t, Loop::signbit, kI64) = slot(t, Loop::signbit, kF64) = kSimple<SignBit, Byte, int64_t, 1>;
  ComplexCompare<float>::fill(t, kC64);
  ComplexCompare<double>::fill(t, kC128);

  LoopFn* where = t.map[static_cast<int>(Loop::where)];
  where[kBool] = where[kU8] = where[kI8] = kWhere<uint8_t>;
  where[kI16] = where[kHalf] = where[kBF16] = kWhere<uint16_t>;
  where[kI32] = where[kF32] = kWhere<uint32_t>;
  where[kI64] = where[kF64] = where[kC64] = kWhere<uint64_t>;
  where[kC128] = kWhere<Complex<double>>;

  LoopFn* fill = t.map[static_cast<int>(Loop::fill)];
  fill[kBool] = entry<Simple<FillBool, uint8_t>>;
  fill[kU8] = fill[kI8] = entry<Simple<FillInteger<uint8_t>, uint8_t>>;
  fill[kI16] = entry<Simple<FillInteger<int16_t>, int16_t>>;
  fill[kI32] = entry<Simple<FillInteger<int32_t>, int32_t>>;
  fill[kI64] = entry<Simple<FillInteger<int64_t>, int64_t>>;
  fill[kHalf] = entry<Simple<FillHalf, uint16_t>>;
  fill[kBF16] = entry<Simple<FillBFloat, uint16_t>>;
  fill[kF32] = entry<Simple<FillFloat<float>, float>>;
  fill[kF64] = entry<Simple<FillFloat<double>, double>>;
  fill[kC64] = entry<Simple<FillComplex<float>, Complex<float>>>;
  fill[kC128] = entry<Simple<FillComplex<double>, Complex<double>>>;
}

}  // namespace d2l::D2L_ISA_NS
