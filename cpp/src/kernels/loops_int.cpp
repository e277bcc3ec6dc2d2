// Integer and bool arithmetic: total functions that wrap and never trap.
//
// The one idea: arithmetic is done in the unsigned type, so that overflow wraps; a division by zero
// yields 0, because the caller has refused it before the loop (as PyTorch raises RuntimeError).
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

// Arithmetic type: unsigned and never promoted to int (uint16 * uint16 would overflow one).
template <class T>
struct WideOf {
  using type = uint32_t;
};
template <>
struct WideOf<int64_t> {
  using type = uint64_t;
};
template <class T>
using Wide = typename WideOf<T>::type;

// The floating type in which quotients of T are exact after truncation.
template <class T>
struct QuotientOf {
  using type = float;
};
template <>
struct QuotientOf<int32_t> {
  using type = double;
};

template <class T>
D2L_INLINE T divide_trunc(T a, T b) {
  T d = b == 0 ? T(1) : b;
  T r;
  if constexpr (sizeof(T) == 8) {
    r = d == -1 ? T(0 - Wide<T>(a)) : a / d;
  } else {
    using Q = typename QuotientOf<T>::type;
    int32_t q =
        static_cast<int32_t>(static_cast<Q>(a) / static_cast<Q>(d));  // may wrap at MIN / -1
    r = T(-1) < T(0) && d == T(-1) ? T(0 - Wide<T>(a)) : static_cast<T>(q);
  }
  return b == 0 ? T(0) : r;
}
template <class T>
D2L_INLINE T mod_trunc(T a, T b) {
  T r = T(Wide<T>(a) - Wide<T>(divide_trunc(a, b)) * Wide<T>(b));
  return b == 0 ? T(0) : r;
}
template <class T>
D2L_INLINE T power(T base, uint64_t e) {
  Wide<T> b = base, r = 1;
  for (; e; e >>= 1, b *= b) {
    if (e & 1) r *= b;
  }
  return T(r);
}

#define D2L_UNARY(Name, expr)            \
  struct Name {                          \
    template <class T>                   \
    D2L_INLINE T operator()(T a) const { \
      using W = Wide<T>;                 \
      (void)sizeof(W);                   \
      return T(expr);                    \
    }                                    \
  };
#define D2L_BINARY(Name, expr)                \
  struct Name {                               \
    template <class T>                        \
    D2L_INLINE T operator()(T a, T b) const { \
      using W = Wide<T>;                      \
      (void)sizeof(W);                        \
      return T(expr);                         \
    }                                         \
  };

D2L_UNARY(Neg, 0 - W(a))
D2L_UNARY(Abs, a < T(0) ? T(0 - W(a)) : a)
D2L_UNARY(Sign, (a > T(0)) - (a < T(0)))
D2L_UNARY(Square, W(a) * W(a))
D2L_UNARY(BitNot, ~a)
D2L_UNARY(BoolNot, a ^ 1)
D2L_UNARY(Relu, a > T(0) ? a : T(0))
D2L_BINARY(Add, W(a) + W(b))
D2L_BINARY(Sub, W(a) - W(b))
D2L_BINARY(Mul, W(a) * W(b))
D2L_BINARY(BitAnd, a& b)
D2L_BINARY(BitOr, a | b)
D2L_BINARY(BitXor, a ^ b)
D2L_BINARY(Max, a > b ? a : b)
D2L_BINARY(Min, a < b ? a : b)
D2L_BINARY(TruncDivide, divide_trunc(a, b))
D2L_BINARY(Fmod, mod_trunc(a, b))
struct FloorDivide {
  template <class T>
  D2L_INLINE T operator()(T a, T b) const {
    T q = divide_trunc(a, b), r = T(Wide<T>(a) - Wide<T>(q) * Wide<T>(b));
    return b != 0 && r != 0 && (r < 0) != (b < 0) ? T(q - 1) : q;
  }
};
struct Remainder {
  template <class T>
  D2L_INLINE T operator()(T a, T b) const {
    T r = mod_trunc(a, b);
    return r != 0 && (r < 0) != (b < 0) ? T(Wide<T>(r) + Wide<T>(b)) : r;
  }
};
// A shift by a negative number or by the width and more pushes every bit out.
struct ShiftLeft {
  template <class T>
  D2L_INLINE T operator()(T a, T b) const {
    bool in = b >= T(0) && b < T(8 * sizeof(T));
    return in ? T(Wide<T>(a) << (Wide<T>(b) & (8 * sizeof(Wide<T>) - 1))) : T(0);
  }
};
struct ShiftRight {
  template <class T>
  D2L_INLINE T operator()(T a, T b) const {
    bool in = b >= T(0) && b < T(8 * sizeof(T));
    T last = T(8 * sizeof(T) - 1);
    if constexpr (T(-1) < T(0)) {
      return T(a >> (in ? b : last));
    } else {
      return in ? T(a >> (b & last)) : T(0);
    }
  }
};
struct Pow {
  template <class T>
  D2L_INLINE T operator()(T a, T b) const {
    if (b >= T(0)) return power(a, static_cast<uint64_t>(b));
    return a == T(1) ? T(1) : a == T(-1) ? ((b & 1) ? T(-1) : T(1)) : T(0);
  }
};

// Ops with numbers from Scalars.
struct PowScalar {
  uint64_t e;
  explicit PowScalar(const Scalars& s) : e(static_cast<uint64_t>(s.i[0])) {}
  template <class T>
  D2L_INLINE T operator()(T a) const {
    return power(a, e);
  }
};
struct ClampScalar {
  int64_t lo, hi;
  explicit ClampScalar(const Scalars& s) : lo(s.i[0]), hi(s.i[1]) {}
  template <class T>
  D2L_INLINE T operator()(T a) const {
    int64_t x = a;
    x = x < lo ? lo : x;
    return T(x > hi ? hi : x);
  }
};
struct Affine {
  int64_t a, b;
  explicit Affine(const Scalars& s) : a(s.i[0]), b(s.i[1]) {}
  template <class T>
  D2L_INLINE T operator()(T x) const {
    return T(Wide<T>(T(a)) * Wide<T>(x) + Wide<T>(T(b)));
  }
};
struct AddScaled {
  int64_t alpha;
  explicit AddScaled(const Scalars& s) : alpha(s.i[0]) {}
  template <class T>
  D2L_INLINE T operator()(T x, T y) const {
    return T(Wide<T>(x) + Wide<T>(T(alpha)) * Wide<T>(y));
  }
};
struct BoolAddScaled {
  uint8_t on;
  explicit BoolAddScaled(const Scalars& s) : on(s.i[0] != 0) {}
  D2L_INLINE uint8_t operator()(uint8_t x, uint8_t y) const { return x | (y & on); }
};
struct Addcmul {
  int64_t alpha;
  explicit Addcmul(const Scalars& s) : alpha(s.i[0]) {}
  template <class T>
  D2L_INLINE T operator()(T x, T y, T z) const {
    return T(Wide<T>(x) + Wide<T>(T(alpha)) * Wide<T>(y) * Wide<T>(z));
  }
};
struct Clamp {
  template <class T>
  D2L_INLINE T operator()(T x, T lo, T hi) const {
    x = x < lo ? lo : x;
    return x > hi ? hi : x;
  }
};

template <class Op, int kInputs>
void set_signed(KernelTable& t, Loop loop) {
  slot(t, loop, kI8) = kSimple<Op, int8_t, int8_t, kInputs>;
  slot(t, loop, kI16) = kSimple<Op, int16_t, int16_t, kInputs>;
  slot(t, loop, kI32) = kSimple<Op, int32_t, int32_t, kInputs>;
  slot(t, loop, kI64) = kSimple<Op, int64_t, int64_t, kInputs>;
}
template <class Op, int kInputs>
void set_all(KernelTable& t, Loop loop) {
  set_signed<Op, kInputs>(t, loop);
  slot(t, loop, kU8) = kSimple<Op, uint8_t, uint8_t, kInputs>;
}
// The low bits do not depend on the sign: one loop serves both 8-bit types.
template <class Op, int kInputs>
void set_modular(KernelTable& t, Loop loop) {
  set_signed<Op, kInputs>(t, loop);
  slot(t, loop, kU8) = slot(t, loop, kI8);
}

}  // namespace

void fill_integers(KernelTable& t) {
  set_modular<Neg, 1>(t, Loop::neg);
  set_all<Abs, 1>(t, Loop::abs);
  set_all<Sign, 1>(t, Loop::sign);
  set_modular<Square, 1>(t, Loop::square);
  set_modular<BitNot, 1>(t, Loop::bitwise_not);
  set_all<Relu, 1>(t, Loop::relu);
  set_all<PowScalar, 1>(t, Loop::pow_scalar);
  set_all<ClampScalar, 1>(t, Loop::clamp_scalar);
  set_modular<Affine, 1>(t, Loop::affine);
  set_modular<Add, 2>(t, Loop::add);
  set_modular<Sub, 2>(t, Loop::sub);
  set_modular<Mul, 2>(t, Loop::mul);
  set_modular<AddScaled, 2>(t, Loop::add_scaled);
  set_all<FloorDivide, 2>(t, Loop::floor_divide);
  set_all<TruncDivide, 2>(t, Loop::trunc_divide);
  set_all<Remainder, 2>(t, Loop::remainder);
  set_all<Fmod, 2>(t, Loop::fmod);
  set_all<Pow, 2>(t, Loop::pow);
  set_all<Max, 2>(t, Loop::maximum);
  set_all<Min, 2>(t, Loop::minimum);
  set_modular<BitAnd, 2>(t, Loop::bitwise_and);
  set_modular<BitOr, 2>(t, Loop::bitwise_or);
  set_modular<BitXor, 2>(t, Loop::bitwise_xor);
  set_all<ShiftLeft, 2>(t, Loop::shift_left);
  set_all<ShiftRight, 2>(t, Loop::shift_right);
  set_all<Clamp, 3>(t, Loop::clamp);
  set_modular<Addcmul, 3>(t, Loop::addcmul);
  for (int type = kU8; type <= kI64; ++type) {
    slot(t, Loop::fmax, static_cast<Type>(type)) = slot(t, Loop::maximum, static_cast<Type>(type));
    slot(t, Loop::fmin, static_cast<Type>(type)) = slot(t, Loop::minimum, static_cast<Type>(type));
  }

  // Bool: 0 or 1 in a byte; addition is "or", multiplication "and".
  const LoopFn either = slot(t, Loop::bitwise_or, kI8), both = slot(t, Loop::bitwise_and, kI8);
  slot(t, Loop::add, kBool) = slot(t, Loop::bitwise_or, kBool) = either;
  slot(t, Loop::maximum, kBool) = slot(t, Loop::fmax, kBool) = either;
  slot(t, Loop::mul, kBool) = slot(t, Loop::bitwise_and, kBool) = both;
  slot(t, Loop::minimum, kBool) = slot(t, Loop::fmin, kBool) = both;
  slot(t, Loop::bitwise_xor, kBool) = slot(t, Loop::bitwise_xor, kI8);
  slot(t, Loop::bitwise_not, kBool) = kSimple<BoolNot, uint8_t, uint8_t, 1>;
  slot(t, Loop::add_scaled, kBool) = kSimple<BoolAddScaled, uint8_t, uint8_t, 2>;
}

}  // namespace d2l::D2L_ISA_NS
