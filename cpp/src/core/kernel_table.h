// The table of inner loops: one row per op, one entry per dtype, one table per instruction set.
//
// The one idea: everything above this line (plans, threads, autograd) is compiled once; only the
// loops that this table points to are compiled per instruction set. The table is plain data, so the
// kernel objects need nothing of the C++ library. A null entry means "not for this dtype".
#pragma once

#include <cstdint>

namespace d2l {

// Numbers that a loop takes besides its operands: floating loops read f, integer loops read i.
struct Scalars {
  double f[4] = {0, 0, 0, 0};
  int64_t i[4] = {0, 0, 0, 0};
};

// A 2-D loop: m rows of n elements. ptr holds the operands, outputs first. strides holds their
// inner strides in bytes, then their outer strides in bytes (so operand k of N has strides[k],
// strides[N + k]). n >= 1, m >= 1. An output may be exactly an input (same pointer, same strides);
// partial overlap does not occur.
using LoopFn = void (*)(char* const* ptr, const int64_t* strides, int64_t n, int64_t m,
                        const Scalars* scalars);

// X(name, outputs, inputs, bool_mask): bit k of bool_mask says that operand k (outputs first) is a
// bool whatever the row's dtype is; the other operands have the dtype of the entry.
// clang-format off
#define D2L_LOOPS(X)                                                                             \
  /* one input */                                                                                \
  X(neg, 1, 1, 0) X(abs, 1, 1, 0) X(sign, 1, 1, 0) X(square, 1, 1, 0) X(reciprocal, 1, 1, 0)     \
  X(sqrt, 1, 1, 0) X(rsqrt, 1, 1, 0) X(exp, 1, 1, 0) X(exp2, 1, 1, 0) X(expm1, 1, 1, 0)          \
  X(log, 1, 1, 0) X(log2, 1, 1, 0) X(log10, 1, 1, 0) X(log1p, 1, 1, 0)                           \
  X(sin, 1, 1, 0) X(cos, 1, 1, 0) X(tan, 1, 1, 0) X(asin, 1, 1, 0) X(acos, 1, 1, 0)              \
  X(atan, 1, 1, 0) X(sinh, 1, 1, 0) X(cosh, 1, 1, 0) X(tanh, 1, 1, 0) X(asinh, 1, 1, 0)          \
  X(acosh, 1, 1, 0) X(atanh, 1, 1, 0) X(sigmoid, 1, 1, 0) X(erf, 1, 1, 0) X(erfc, 1, 1, 0)       \
  X(erfinv, 1, 1, 0) X(i0, 1, 1, 0) X(i0e, 1, 1, 0) X(i1, 1, 1, 0) X(i1e, 1, 1, 0)              \
  X(ndtr, 1, 1, 0) X(ndtri, 1, 1, 0) X(log_ndtr, 1, 1, 0) X(erfcx, 1, 1, 0) X(trigamma, 1, 1, 0) \
  X(lgamma, 1, 1, 0) X(digamma, 1, 1, 0) X(floor, 1, 1, 0) X(ceil, 1, 1, 0)   \
  X(trunc, 1, 1, 0) X(round, 1, 1, 0) X(frac, 1, 1, 0) X(relu, 1, 1, 0) X(silu, 1, 1, 0)         \
  X(gelu, 1, 1, 0) X(gelu_tanh, 1, 1, 0) X(bitwise_not, 1, 1, 0) X(logical_not, 1, 1, 1)         \
  X(isnan, 1, 1, 1) X(isinf, 1, 1, 1) X(isfinite, 1, 1, 1) X(signbit, 1, 1, 1) X(conj, 1, 1, 0)  \
  X(round_decimals, 1, 1, 0)  /* round(x * 10^i[0]) / 10^i[0] */                                 \
  X(leaky_relu, 1, 1, 0)      /* x > 0 ? x : f[0] x */                                           \
  X(elu, 1, 1, 0)             /* f[0] alpha, f[1] scale, f[2] input scale, as in PyTorch */      \
  X(softplus, 1, 1, 0)        /* f[0] beta, f[1] threshold */                                    \
  X(logsigmoid, 1, 1, 0)                                                                         \
  X(clamp_scalar, 1, 1, 0)    /* min(max(x, f[0]), f[1]); integers i[0], i[1]; NaN stays */      \
  X(pow_scalar, 1, 1, 0)      /* x ** f[0]; integers i[0] >= 0 */                                \
  X(fill, 1, 0, 0)            /* f[0] (+ i f[1] for complex), i[0] */                            \
  X(affine, 1, 1, 0)          /* f[0] x + f[1]; integers i[0] x + i[1] */                        \
  /* two inputs */                                                                               \
  X(add, 1, 2, 0) X(sub, 1, 2, 0) X(mul, 1, 2, 0) X(div, 1, 2, 0)                                \
  X(add_scaled, 1, 2, 0)      /* a + f[0] b; integers i[0] */                                    \
  X(floor_divide, 1, 2, 0) X(trunc_divide, 1, 2, 0) X(remainder, 1, 2, 0) X(fmod, 1, 2, 0)       \
  X(pow, 1, 2, 0) X(maximum, 1, 2, 0) X(minimum, 1, 2, 0) X(fmax, 1, 2, 0) X(fmin, 1, 2, 0)      \
  X(atan2, 1, 2, 0) X(hypot, 1, 2, 0) X(copysign, 1, 2, 0) X(xlogy, 1, 2, 0)                     \
  X(logaddexp, 1, 2, 0) X(zeta, 1, 2, 0)                                                         \
  X(chebyshev_t, 1, 2, 0) X(chebyshev_u, 1, 2, 0) X(chebyshev_v, 1, 2, 0)                        \
  X(chebyshev_w, 1, 2, 0) X(shifted_t, 1, 2, 0) X(shifted_u, 1, 2, 0) X(shifted_v, 1, 2, 0)      \
  X(shifted_w, 1, 2, 0) X(hermite_h, 1, 2, 0) X(hermite_he, 1, 2, 0) X(laguerre_l, 1, 2, 0)      \
  X(legendre_p, 1, 2, 0)                                                                          \
  X(bitwise_and, 1, 2, 0) X(bitwise_or, 1, 2, 0) X(bitwise_xor, 1, 2, 0)                         \
  X(shift_left, 1, 2, 0) X(shift_right, 1, 2, 0)                                                 \
  X(logical_and, 1, 2, 1) X(logical_or, 1, 2, 1) X(logical_xor, 1, 2, 1)                         \
  X(eq, 1, 2, 1) X(ne, 1, 2, 1) X(lt, 1, 2, 1) X(le, 1, 2, 1) X(gt, 1, 2, 1) X(ge, 1, 2, 1)      \
  /* backward passes in one loop: the cotangent g comes first, then the saved x or y */          \
  X(relu_backward, 1, 2, 0)   /* y > 0 ? g : 0 */                                                \
  X(sigmoid_backward, 1, 2, 0) X(tanh_backward, 1, 2, 0)  /* from y */                           \
  X(gelu_backward, 1, 2, 0) X(gelu_tanh_backward, 1, 2, 0) X(silu_backward, 1, 2, 0)             \
  X(softplus_backward, 1, 2, 0)                                                                  \
  X(leaky_relu_backward, 1, 2, 0) X(elu_backward, 1, 2, 0) X(logsigmoid_backward, 1, 2, 0)       \
  X(masked_scale, 1, 2, 4)    /* mask ? f[0] x : 0  (dropout); operands out, x, mask */          \
  /* three inputs */                                                                             \
  X(where, 1, 3, 2)           /* operands out, condition, a, b */                                \
  X(clamp, 1, 3, 0) X(lerp, 1, 3, 0)                                                             \
  X(addcmul, 1, 3, 0) X(addcdiv, 1, 3, 0)  /* a + f[0] b c, a + f[0] b / c */                    \
  /* optimisers, in place: outputs are also inputs, operand order param, state..., grad */       \
  X(sgd, 1, 1, 0)             /* p -= f[0] (g + f[1] p)            lr, weight decay */           \
  X(sgd_momentum, 2, 1, 0)    /* g += f[1] p; b = f[2] b + f[3] g; p -= f[0] (i[0] ? g + f[2] b : b) */ \
  X(adam, 3, 1, 0)            /* p, m, v; takes AdamScalars instead of Scalars, see below */       \
  X(adam_amsgrad, 4, 1, 0)    /* p, m, v, max v */                                               \
  /* further optimisers: their numbers are Scalars' memory as up to eight doubles, in the order  \
     of the structs in kernels/loops_rules.cpp */                                                \
  X(adagrad, 2, 1, 0)         /* p, sum */                                                       \
  X(adadelta, 3, 1, 0)        /* p, square_avg, acc_delta */                                     \
  X(adamax, 3, 1, 0)          /* p, exp_avg, exp_inf */                                          \
  X(nadam, 3, 1, 0)           /* p, exp_avg, exp_avg_sq */                                       \
  X(radam, 3, 1, 0)           /* p, exp_avg, exp_avg_sq */                                       \
  X(rmsprop, 2, 1, 0)         /* p, square_avg */                                                \
  X(rmsprop_centered, 3, 1, 0)           /* p, square_avg, grad_avg */                           \
  X(rmsprop_momentum, 3, 1, 0)           /* p, square_avg, momentum_buffer */                    \
  X(rmsprop_centered_momentum, 4, 1, 0)  /* p, square_avg, grad_avg, momentum_buffer */          \
  X(rprop, 3, 1, 0)           /* p, prev, step_size */                                           \
  X(asgd, 2, 1, 0)            /* p, ax */
// clang-format on

// What the adam loops read: Scalars' memory as this struct (AdamScalars::pack). PyTorch's formula:
//   g = sign g;  p = keep p;  g += weight_decay p
//   m += one_minus_beta1 (g - m);  v = beta2 v + (1 - beta2) g^2;  w = v, or max v so far (amsgrad)
//   p -= step_size m / (sqrt(w) / root_correction2 + eps)
struct AdamScalars {
  double step_size = 0;     // lr / (1 - beta1^step)
  double weight_decay = 0;  // added to the gradient; 0 for AdamW
  double one_minus_beta1 = 0;
  double beta2 = 0;
  double eps = 0;
  double root_correction2 = 1;  // sqrt(1 - beta2^step)
  double keep = 1;              // decoupled decay, 1 - lr * decay (AdamW); else 1
  double sign = 1;              // -1 to maximize

  Scalars pack() const {
    Scalars s;
    static_assert(sizeof(Scalars) == 64);
    __builtin_memcpy(static_cast<void*>(&s), static_cast<const void*>(this), sizeof s);
    return s;
  }
};
static_assert(sizeof(AdamScalars) == sizeof(Scalars));

enum class Loop : uint8_t {
#define X(name, outputs, inputs, mask) name,
  D2L_LOOPS(X)
#undef X
      kCount
};
inline constexpr int kLoopCount = static_cast<int>(Loop::kCount);

struct LoopInfo {
  uint8_t outputs, inputs, bool_mask;
  const char* name;
};
inline constexpr LoopInfo kLoopInfo[kLoopCount] = {
#define X(name, outputs, inputs, mask) {outputs, inputs, mask, #name},
    D2L_LOOPS(X)
#undef X
};

// A reduction of one dimension: for j in [0, m): out[j] = reduce over i in [0, n) of in[j, i].
// All strides are in bytes. n >= 1 (an empty reduction is the caller's), m >= 1. index, where the
// row has one, receives the position i of the chosen element (the first of equals; NaN wins).
struct ReduceArgs {
  char* out;
  int64_t* index;
  const char* in;
  int64_t n, in_stride;                              // the reduced dimension
  int64_t m, keep_stride, out_stride, index_stride;  // the kept one; index_stride in elements
  double p;                                          // sum_pow only
};
using ReduceFn = void (*)(const ReduceArgs*);

enum class Reduce : uint8_t {
  sum,   // pairwise; integers wrap; bool: any
  prod,  // bool: all
  max,   // value and, when index is not null, its position
  min,
  any,         // out is bool
  all,         // out is bool
  sum_abs,     // norm 1, pairwise
  sum_square,  // norm 2 before the root, pairwise
  sum_pow,     // sum of |x|^p, pairwise
  max_abs,     // norm inf; NaN wins
  min_abs,
  count_nonzero,  // out has the dtype of in (floating), for the norm of order 0
  kCount
};
inline constexpr int kReduceCount = static_cast<int>(Reduce::kCount);

// Running reductions along one dimension: n steps of m independent lanes, strides in bytes.
struct ScanArgs {
  char* out;
  int64_t* index;  // cummax, cummin; contiguous like out but in elements
  const char* in;
  int64_t n, in_stride, out_stride, index_stride;
  int64_t m, in_lane, out_lane, index_lane;
};
using ScanFn = void (*)(const ScanArgs*);
enum class Scan : uint8_t { cumsum, cumprod, cummax, cummin, logcumsumexp, kCount };
inline constexpr int kScanCount = static_cast<int>(Scan::kCount);

// Row kernels: rows of n contiguous elements, one after the other (row pitch n elements).
// For the backward ones a is the cotangent and b the saved result.
struct RowArgs {
  char* out;
  const char* a;
  const char* b;
  int64_t n, rows;
  int64_t step;  // columns: elements from one to the next of a column; unused by rows
  char* out2 = nullptr;
};
using RowFn = void (*)(const RowArgs*);
enum class Row : uint8_t {
  softmax,
  log_softmax,
  softmax_backward,
  log_softmax_backward,
  logsumexp,  // out: one element for each row or column
  moments,    // out: the means; out2: the sums of squared distances from them
  kCount
};
inline constexpr int kRowCount = static_cast<int>(Row::kCount);

// Turns blocks of 16 uniform numbers from [0, 1) into normal ones, in place.
using NormalFn = void (*)(float* p, int64_t blocks, float mean, float std);
// Kernels of normalisation (kernels/norm.cpp), over float or double without gaps inside a row.
// Which fields a kernel reads stands beside its name; a null pointer leaves that part out.
struct NormArgs {
  char *out = nullptr, *out2 = nullptr, *out3 = nullptr;
  const char *x = nullptr, *g = nullptr;
  const char *a = nullptr, *b = nullptr, *c = nullptr;
  int64_t n = 0, rows = 0;            // rows of n elements
  int64_t row_pitch = 0;              // elements from one row to the next
  int64_t spans = 1, span_pitch = 0;  // moments, dots: a row is several spans of n elements
  int64_t period = 1;                 // scale, combine: row r reads number r % period
  double eps = 0;
};
using NormFn = void (*)(const NormArgs*);
enum class Norm : uint8_t {
  layer,  // out = (x - mean) rstd a[i] + b[i]; out2[row] = mean (null: not centred), out3 = rstd
  layer_backward,  // out = dx; out2[i] += g xhat, out3[i] += g; a weight, b mean (or null), c rstd
  moments,         // out[row] = mean, out2[row] = mean squared distance from it
  dots,            // out[row] = sum g, out2[row] = sum g (x - a[row])
  scale,           // out = x a[row] + b[row]
  combine,         // out = g a[row] + x b[row] + c[row]
  column_moments,  // the same four with a column in place of a row
  column_dots,
  column_scale,
  column_combine,
  kCount
};
inline constexpr int kNormCount = static_cast<int>(Norm::kCount);

// Pooling over `planes` contiguous planes of in_size elements each (three dimensions; missing ones
// come first, with extent 1), giving planes of out_size.
struct PoolArgs {
  char* out;
  int64_t* index;  // of a maximum in its plane; max and max_lists only, null if not wanted
  const char* in;
  int64_t planes;
  int64_t in_size[3], out_size[3];
  // Windows that slide (max, mean, mean_backward). What lies outside of a plane is -inf or 0.
  int64_t kernel[3], stride[3], padding[3], dilation[3];
  char* scratch;  // pool_scratch elements
  // Windows from lists (the other ones): start[i][o], end[i][o]; dilation apart; the lists of the
  // next plane begin list_step elements further on.
  const int64_t* start[3];
  const int64_t* end[3];
  int64_t list_step[3];
  // A mean is the sum divided by the product of count[i][o], or by divisor where that is not 0.
  const int64_t* count[3];
  int64_t divisor;
};
// Padded rows are split so that neighbouring windows find their elements side by side: into phases
// of the stride, or into one part for each place of a window where these do not overlap.
static inline int64_t pool_parts(const PoolArgs& a) {
  return a.kernel[2] < a.stride[2] ? a.kernel[2] : a.stride[2];
}
// The most elements of such a part, and of the scratch memory.
static inline int64_t pool_part_size(const PoolArgs& a) {
  return ((a.out_size[2] + 63) & ~int64_t{63}) + (a.kernel[2] - 1) * a.dilation[2] / a.stride[2];
}
static inline int64_t pool_scratch(const PoolArgs& a) {
  return (a.in_size[0] * a.in_size[1] * pool_parts(a) + 2) * pool_part_size(a) + 64;
}
using PoolFn = void (*)(const PoolArgs*);
enum class Pool : uint8_t {
  max,            // values and positions; the last NaN wins, else the first of equals
  mean,           // sums divided by counts
  mean_backward,  // in: the cotangent (planes of out_size), out: planes of in_size
  max_lists,
  mean_lists,
  mean_lists_backward,
  kCount
};
inline constexpr int kPoolCount = static_cast<int>(Pool::kCount);

// A sparse matrix times one dimension of x (kernels/resample.cpp): row o has the entries
// [offset[o], offset[o + 1]) of index (inputs) and weight. Strides are those of dense tensors of
// the shapes (outer, n_in, inner) and (outer, n_out, inner).
struct ResampleArgs {
  char* out;
  const char* x;
  const int64_t* offset;
  const int64_t* index;
  const char* weight;
  int64_t outer, n_in, n_out, inner;
};
using ResampleFn = void (*)(const ResampleArgs*);

// One step of a recurrent layer, over `rows` rows of n units (kernels/recurrent.cpp); rows have no
// gaps. Gates lie side by side in a row: i f g o (LSTM), r z n (GRU).
struct GateArgs {
  int64_t rows, n;
  char* gates;         // forward: sums in, values out; backward: the values
  const char* part;    // lstm, gru: what of the sums comes from the state
  char* cell;          // lstm, in place: the cell's state; backward: its cotangent
  char* kept;          // lstm: the cell's old state; gru: the state's part of n. May be null
  const char* before;  // gru: the old state
  char* out;           // the new state; backward: cotangents of the gates' sums
  char* out2;          // gru_backward: those of the state's part
  char* state;         // backward: the new state's cotangent; gru: then what goes to the old one
  const char* g;       // backward: added to it; may be null
};
using GateFn = void (*)(const GateArgs*);
enum class Gate : uint8_t {
  lstm,
  gru,
  tanh,  // gates and out are the same memory
  relu,
  lstm_backward,
  gru_backward,
  tanh_backward,
  relu_backward,
  kCount
};
inline constexpr int kGateCount = static_cast<int>(Gate::kCount);

inline constexpr int kKernelDTypes = 12;  // DType's order, d2lcore/dtype.h

struct KernelTable {
  LoopFn map[kLoopCount][kKernelDTypes];
  LoopFn cast[kKernelDTypes][kKernelDTypes];  // [from][to]; the diagonal copies; operands out, in
  ReduceFn reduce[kReduceCount][kKernelDTypes];
  ScanFn scan[kScanCount][kKernelDTypes];
  RowFn row[kRowCount][kKernelDTypes];     // `rows` contiguous rows, one after the other
  RowFn column[kRowCount][kKernelDTypes];  // `rows` neighbouring columns
  NormalFn normal_blocks;
  NormFn norm[kNormCount][kKernelDTypes];
  PoolFn pool[kPoolCount][kKernelDTypes];
  ResampleFn resample[kKernelDTypes];
  GateFn gate[kGateCount][kKernelDTypes];
};

// The table of the instruction set chosen for this process (defined in iter/dispatch.cpp).
const KernelTable& kernels();

}  // namespace d2l
