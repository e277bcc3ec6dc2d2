// Scaled dot-product attention.
//
// The one idea: a block of query rows at a time meets all keys, becomes a softmax and multiplies
// the values while it lies in cache, so that the whole matrix of scores never exists. The gradient
// makes the same blocks anew. Dropout, and masks that need a gradient, go through plain ops.
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "core/thread_pool.h"
#include "d2lcore/ops.h"
#include "gemm/gemm.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
// Scores in one block, and multiply-adds below which one more thread does not pay.
constexpr int64_t kBlock = 1 << 16;
constexpr int64_t kThreadWork = 1 << 19;

// softmax over the last dimension, in which a row of -inf becomes zeros.
Tensor safe_softmax(const Tensor& x) {
  Tensor y;
  {
    GradModeGuard off(false);
    const int64_t last[1] = {-1};
    const Tensor dead = all(eq(x, Scalar(-kInf)), IntList(last), true);
    y = masked_fill(softmax(x, -1), dead, Scalar(0));
  }
  return record(y, "SafeSoftmaxBackward0", {&x}, saved(result),
                [](const Tensor& g, const Tensor& s) { return softmax_backward(g, s, -1); });
}

// 0 where the key takes part, else -inf.
Tensor additive(const Tensor& mask, DType type) {
  if (mask.dtype() != DType::Bool) return to_dtype(mask, type);
  return masked_fill(zeros(mask.shape(), Options(type)), logical_not(mask), Scalar(-kInf));
}
Tensor causal_mask(int64_t rows, int64_t columns, DType type) {
  const Tensor ones_ = ones(Dims{rows, columns}, Options(DType::Bool));
  return additive(tril(ones_), type);
}
Tensor plus(const Tensor& scores, const Tensor& mask) {
  return mask.defined() ? add(scores, mask) : scores;
}
Tensor transposed(const Tensor& t) { return transpose(t, -2, -1); }

// Heads of the keys repeated for the queries' heads.
Tensor for_heads(const Tensor& t, int64_t times) {
  if (times == 1) return t;
  const Tensor count = scalar_tensor(Scalar(times), DType::Int64);
  return repeat_interleave(t, count, t.dim() - 3);
}

struct Heads {
  int64_t batch, heads, group;  // group: query heads for each head of the keys
  int64_t rows, keys, width, out_width;
  double scale;
  bool causal;
  int64_t block() const { return std::min(rows, std::clamp<int64_t>(kBlock / keys, 16, 256)); }
  int64_t blocks() const { return (rows + block() - 1) / block(); }
};

// One matrix of a (batch, heads, rows, columns) tensor.
struct Matrix {
  char* data;
  int64_t row, column;
};
Matrix matrix(const Tensor& t, int64_t b, int64_t h, int64_t first = 0) {
  const int64_t at = b * t->strides[0] + h * t->strides[1] + first * t->strides[2];
  return {t.data() + at * t.item_bytes(), t->strides[2], t->strides[3]};
}
Matrix flipped(Matrix m) { return {m.data, m.column, m.row}; }

void multiply(DType type, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, Matrix c,
              double alpha, bool accumulate) {
  GemmArgs args{};
  args.dtype = type;
  args.m = m;
  args.n = n;
  args.k = k;
  args.a = a.data;
  args.a_row = a.row;
  args.a_col = a.column;
  args.b = b.data;
  args.b_row = b.row;
  args.b_col = b.column;
  args.c = c.data;
  args.c_row = c.row;
  args.c_col = c.column;
  args.alpha = alpha;
  if (accumulate) {
    args.d = c.data;
    args.d_row = c.row;
    args.d_col = c.column;
    args.beta = 1;
  }
  gemm(args);
}

// Rows [first, first + count) of one head: how many keys they see, and their softmax in `p`, rows
// of that many keys.
template <class T>
int64_t probabilities(const Heads& plan, const Tensor& q, const Tensor& k, const Tensor& mask,
                      int64_t b, int64_t h, int64_t first, int64_t count, T* p) {
  const DType type = q.dtype();
  const int64_t n = plan.causal ? std::min(plan.keys, first + count) : plan.keys;
  const int64_t size = static_cast<int64_t>(sizeof(T));
  const Matrix out{reinterpret_cast<char*>(p), n, 1};
  multiply(type, count, n, plan.width, matrix(q, b, h, first),
           flipped(matrix(k, b, h / plan.group)), out, plan.scale, false);
  const T low = -std::numeric_limits<T>::infinity();
  if (mask.defined()) {
    const Matrix m = matrix(mask, b, h, first);
    char* const ptr[3] = {out.data, out.data, m.data};
    const int64_t strides[6] = {size, size, m.column * size, n * size, n * size, m.row * size};
    const Scalars none;
    kernels().map[static_cast<int>(Loop::add)][static_cast<int>(type)](ptr, strides, n, count,
                                                                       &none);
  }
  if (plan.causal) {
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t j = first + r + 1; j < n; ++j) p[r * n + j] = low;
    }
  }
  // Rows without a key are known before the softmax makes them NaN.
  int64_t dead[256];
  int64_t dead_count = 0;
  for (int64_t r = 0; mask.defined() && r < count; ++r) {
    const T* row = p + r * n;
    int64_t j = 0;
    while (j < n && row[j] == low) ++j;
    if (j == n) dead[dead_count++] = r;
  }
  RowArgs args{};
  args.out = out.data;
  args.a = out.data;
  args.n = n;
  args.rows = count;
  kernels().row[static_cast<int>(Row::softmax)][static_cast<int>(type)](&args);
  for (int64_t i = 0; i < dead_count; ++i) std::fill_n(p + dead[i] * n, n, T(0));
  return n;
}

template <class T>
void forward(const Heads& plan, const Tensor& q, const Tensor& k, const Tensor& v,
             const Tensor& mask, const Tensor& out) {
  const int64_t step = plan.block(), blocks = plan.blocks();
  const int64_t work = step * plan.keys * (plan.width + plan.out_width);
  const int64_t items = plan.batch * plan.heads * blocks;
  LongOp unlocked(work * items > (1 << 20));
  parallel_for(items, std::max<int64_t>(1, kThreadWork / work), [&](int64_t begin, int64_t end) {
    const Tensor scores = empty(Dims{step, plan.keys}, q.dtype());
    for (int64_t i = begin; i < end; ++i) {
      const int64_t head = i / blocks, first = i % blocks * step;
      const int64_t b = head / plan.heads, h = head % plan.heads;
      const int64_t count = std::min(step, plan.rows - first);
      T* p = scores.data_as<T>();
      const int64_t n = probabilities(plan, q, k, mask, b, h, first, count, p);
      multiply(q.dtype(), count, plan.out_width, n, {scores.data(), n, 1},
               matrix(v, b, h / plan.group), matrix(out, b, h, first), 1, false);
    }
  });
}

template <class T>
void backward(const Heads& plan, const Tensor& g, const Tensor& q, const Tensor& k, const Tensor& v,
              const Tensor& mask, const Tensor& dq, const Tensor& dk, const Tensor& dv) {
  const DType type = q.dtype();
  const int64_t step = plan.block(), kv_heads = plan.heads / plan.group;
  const int64_t work = plan.rows * plan.keys * plan.group * (plan.width + plan.out_width) * 2;
  LongOp unlocked(work * plan.batch * kv_heads > (1 << 20));
  // All blocks that add to one head's keys belong to one thread, in order.
  parallel_for(
      plan.batch * kv_heads, std::max<int64_t>(1, kThreadWork / work),
      [&](int64_t begin, int64_t end) {
        const Tensor scores = empty(Dims{step, plan.keys}, type),
                     slopes = empty(scores.shape(), type);
        for (int64_t i = begin; i < end; ++i) {
          const int64_t b = i / kv_heads, kv = i % kv_heads;
          for (int64_t h = kv * plan.group; h < (kv + 1) * plan.group; ++h) {
            for (int64_t first = 0; first < plan.rows; first += step) {
              const int64_t count = std::min(step, plan.rows - first);
              const int64_t n =
                  probabilities(plan, q, k, mask, b, h, first, count, scores.data_as<T>());
              const Matrix p{scores.data(), n, 1}, s{slopes.data(), n, 1};
              const Matrix grad = matrix(g, b, h, first);
              multiply(type, n, plan.out_width, count, flipped(p), grad, matrix(dv, b, kv), 1,
                       true);
              multiply(type, count, n, plan.out_width, grad, flipped(matrix(v, b, kv)), s, 1,
                       false);
              RowArgs args{};
              args.out = s.data;
              args.a = s.data;
              args.b = p.data;
              args.n = n;
              args.rows = count;
              kernels().row[static_cast<int>(Row::softmax_backward)][static_cast<int>(type)](&args);
              multiply(type, count, plan.width, n, s, matrix(k, b, kv), matrix(dq, b, h, first),
                       plan.scale, false);
              multiply(type, n, plan.width, count, flipped(s), matrix(q, b, h, first),
                       matrix(dk, b, kv), plan.scale, true);
            }
          }
        }
      });
}

// The gradients by ops, for gradients of gradients.
void backward_by_ops(const Heads& plan, const Tensor& g, const Tensor& q, const Tensor& k,
                     const Tensor& v, const Tensor& mask, std::vector<Tensor>& in) {
  const Tensor keys = for_heads(k, plan.group), values = for_heads(v, plan.group);
  Tensor scores = plus(mul(matmul(q, transposed(keys)), Scalar(plan.scale)), mask);
  if (plan.causal) scores = add(scores, causal_mask(plan.rows, plan.keys, q.dtype()));
  const Tensor p = safe_softmax(scores);
  const Tensor s = mul(softmax_backward(matmul(g, transposed(values)), p, -1), Scalar(plan.scale));
  auto by_key_head = [&](const Tensor& t) {
    if (plan.group == 1) return t;
    const int64_t group[1] = {2};
    return sum(unflatten(t, 1, Dims{plan.heads / plan.group, plan.group}), IntList(group));
  };
  in[0] = matmul(s, keys);
  in[1] = by_key_head(matmul(transposed(s), q));
  in[2] = by_key_head(matmul(transposed(p), g));
}

// q, k, v: four dimensions, float32 or float64; mask: undefined, or added, of the scores' shape.
Tensor fused(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask,
             const Heads& plan) {
  const bool single = q.dtype() == DType::Float;
  Tensor out = empty(Dims{plan.batch, plan.heads, plan.rows, plan.out_width}, q.dtype());
  (single ? forward<float> : forward<double>)(plan, q, k, v, mask, out);
  return record(
      out, "ScaledDotProductFlashAttentionForCpuBackward0", {&q, &k, &v}, saved(q, k, v, mask),
      joint([plan](const Node&, const Tensor& g, const Tensor& x, const Tensor& y, const Tensor& z,
                   const Tensor& m, std::vector<Tensor>& in) {
        if (GradMode::enabled()) return backward_by_ops(plan, g, x, y, z, m, in);
        const Options o(x.dtype());
        in[0] = empty(x.shape(), x.dtype());
        in[1] = zeros(y.shape(), o);
        in[2] = zeros(z.shape(), o);
        (x.dtype() == DType::Float ? backward<float> : backward<double>)(plan, g, x, y, z, m, in[0],
                                                                         in[1], in[2]);
      }));
}

// By plain ops: the whole matrix of scores, for what the blocks do not do.
Tensor by_ops(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask,
              double dropout_p, bool causal, double scale, bool gqa) {
  if (is_reduced_floating(q.dtype())) {
    const Tensor wide_mask =
        mask.defined() && mask.dtype() != DType::Bool ? to_dtype(mask, DType::Float) : mask;
    return to_dtype(by_ops(to_dtype(q, DType::Float), to_dtype(k, DType::Float),
                           to_dtype(v, DType::Float), wide_mask, dropout_p, causal, scale, gqa),
                    q.dtype());
  }
  Tensor keys = k, values = v;
  if (gqa) {
    const int64_t heads = q.size(-3);
    for (const Tensor* t : {&k, &v}) {
      check(t->dim() >= 3 && t->size(-3) > 0 && heads % t->size(-3) == 0,
            "Number of heads in key and value must divide the number of heads in query");
    }
    keys = for_heads(k, heads / k.size(-3));
    values = for_heads(v, heads / v.size(-3));
  }
  // Half of the scale on each side, as in PyTorch.
  const double half = std::sqrt(std::abs(scale)), sign = scale < 0 ? -1 : 1;
  Tensor scores = matmul(mul(q, Scalar(half)), mul(transposed(keys), Scalar(half * sign)));
  if (mask.defined()) scores = add(scores, additive(mask, q.dtype()));
  if (causal) scores = add(scores, causal_mask(q.size(-2), k.size(-2), q.dtype()));
  Tensor p = safe_softmax(scores);
  if (dropout_p > 0) p = dropout(p, dropout_p, true);
  return matmul(p, values);
}

const char* cpp_name(DType t) {
  switch (t) {
    case DType::Bool:
      return "bool";
    case DType::UInt8:
      return "unsigned char";
    case DType::Int8:
      return "signed char";
    case DType::Int16:
      return "short int";
    case DType::Int32:
      return "int";
    case DType::Int64:
      return "long int";
    case DType::Half:
      return "c10::Half";
    case DType::BFloat16:
      return "c10::BFloat16";
    case DType::Float:
      return "float";
    case DType::Double:
      return "double";
    case DType::ComplexFloat:
      return "c10::complex<float>";
    default:
      return "c10::complex<double>";
  }
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const Tensor& attn_mask, double dropout_p, bool is_causal,
                                    std::optional<double> scale, bool enable_gqa) {
  const DType type = query.dtype();
  check(type == key.dtype() && type == value.dtype(),
        "Expected query, key, and value to have the same dtype, but got query.dtype: {} key.dtype: "
        "{} and value.dtype: {} instead.",
        cpp_name(type), cpp_name(key.dtype()), cpp_name(value.dtype()));
  check(query.dim() >= 2 && key.dim() >= 2 && value.dim() >= 2,
        "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: {} "
        "key.dim: {} and value.dim: {} instead.",
        query.dim(), key.dim(), value.dim());
  if (attn_mask.defined()) {
    const DType m = attn_mask.dtype();
    check(m == DType::Bool || m == DType::Float || m == type,
          "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
          "attn_mask.dtype: {} and  query.dtype: {} instead.",
          cpp_name(m), cpp_name(type));
    wrap_dim(-2, attn_mask.dim());
  }
  check(dropout_p >= 0 && dropout_p <= 1,
        "dropout probability has to be between 0 and 1, but got {}", dropout_p);
  check(!is_integral_or_bool(type), "expected scalar type Float but found {}", type);
  const double factor = scale.value_or(1 / std::sqrt(static_cast<double>(query.size(-1))));
  const int64_t ndim = query.dim();
  const bool batched = (ndim == 3 || ndim == 4) && key.dim() == ndim && value.dim() == ndim;
  const bool plain = is_floating(type) && dropout_p == 0 && batched && query.numel() > 0 &&
                     key.numel() > 0 && value.numel() > 0 &&
                     (!attn_mask.defined() || !attn_mask.requires_grad());
  auto four = [&](const Tensor& t) { return ndim == 3 ? unsqueeze(t, 0) : t; };
  bool fits = plain && std::isfinite(factor) && key.size(-1) == query.size(-1) &&
              key.size(-2) == value.size(-2) && key.size(-3) == value.size(-3) &&
              (ndim == 3 || (query.size(0) == key.size(0) && key.size(0) == value.size(0)));
  const int64_t heads = batched ? query.size(-3) : 1, kv_heads = batched ? key.size(-3) : 1;
  fits = fits && (enable_gqa ? heads % kv_heads == 0 : heads == kv_heads);
  if (!fits) {
    return by_ops(query, key, value, attn_mask, dropout_p, is_causal, factor, enable_gqa);
  }
  const DType compute = is_reduced_floating(type) ? DType::Float : type;
  const Tensor q = four(to_dtype(query, compute)), k = four(to_dtype(key, compute)),
               v = four(to_dtype(value, compute));
  const Heads plan{q->shape[0], heads,       heads / kv_heads, q->shape[2], k->shape[2],
                   q->shape[3], v->shape[3], factor,           is_causal};
  Tensor mask;
  if (attn_mask.defined()) {
    GradModeGuard off(false);
    const Dims shape{plan.batch, plan.heads, plan.rows, plan.keys};
    const Tensor added = additive(attn_mask, compute);
    // A mask for one sequence has the heads in front; more dimensions than scores do not fit.
    mask = is_expandable_to(added.shape(), shape) ? expand(added, shape) : Tensor();
  }
  if (attn_mask.defined() && !mask.defined()) {
    return by_ops(query, key, value, attn_mask, dropout_p, is_causal, factor, enable_gqa);
  }
  const Tensor out = to_dtype(fused(q, k, v, mask, plan), type);
  return ndim == 3 ? squeeze_dims(out, Dims{0}) : out;
}

void register_attention(OpTable& ops) {
  ops.add(
      "nn.scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? "
      "attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool "
      "enable_gqa=False) -> Tensor",
      scaled_dot_product_attention, Function,
      "Returns ``softmax(query @ key.mT * scale + mask) @ value``; ``scale`` is 1 / sqrt(E) unless "
      "given, ``attn_mask`` a bool tensor (True takes part) or one to add (Vaswani et al., 2017).");
}

}  // namespace d2l
