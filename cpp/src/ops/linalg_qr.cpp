// QR: an orthonormal basis of the columns, and their coordinates in it.
#include "autograd/record.h"
#include "gemm/buffer.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

enum class Mode : uint8_t { Reduced, Complete, R };

// gA for A = Q R with a square R: (gQ + Q sym(triu(gR R^H - Q^H gQ))) R^-H, where
// sym(X) = X + X^H with the diagonal of X once and real (Walter and Lehmann, Algorithmic
// Differentiation of Linear Algebra Functions, 2010).
Tensor square_backward(const Tensor& g_q, const Tensor& g_r, const Tensor& q, const Tensor& r) {
  Tensor m;
  if (g_r.defined()) m = matmul(g_r, mH(r));
  if (g_q.defined()) {
    const Tensor part = matmul(mH(q), g_q);
    m = m.defined() ? sub(m, part) : neg(part);
  }
  const Tensor upper = triu(m), both = add(upper, mH(upper));
  const Tensor half = mul(diagonal(both, 0, -2, -1), Scalar(0.5));
  Tensor inner = matmul(q, sub(both, diag_embed(half)));
  if (g_q.defined()) inner = add(inner, g_q);
  return solve_triangular(mH(r), inner, false, false);
}

// With more columns than rows, A = Q [R1 R2]: A2 gives its cotangent to Q by R2 = Q^H A2.
Tensor qr_backward(const Tensor& g_q, const Tensor& g_r, const Tensor& q, const Tensor& r) {
  const int64_t k = r.size(-2), n = r.size(-1);
  if (n <= k) return square_backward(g_q, g_r, q, r);
  const Tensor r1 = narrow(r, -1, 0, k), r2 = narrow(r, -1, k, n - k);
  if (!g_r.defined()) {
    const Tensor both[] = {square_backward(g_q, g_r, q, r1),
                           zeros(with_matrix(batch_of(r), q.size(-2), n - k), r.dtype())};
    return cat(both, -1);
  }
  const Tensor g1 = narrow(g_r, -1, 0, k), g2 = narrow(g_r, -1, k, n - k);
  const Tensor through = matmul(q, matmul(r2, mH(g2)));
  const Tensor total = g_q.defined() ? add(g_q, through) : through;
  const Tensor both[] = {square_backward(total, g1, q, r1), matmul(q, g2)};
  return cat(both, -1);
}

TensorTwo factors_of(const Tensor& a, Mode mode) {
  const IntList batch = batch_of(a);
  const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n), count = count_of(batch);
  const int64_t width = mode == Mode::Complete ? m : k;
  const Tensor q =
      mode == Mode::R ? empty(Dims{0}, a.dtype()) : empty_columns(batch, m, width, a.dtype());
  const Tensor r = empty_columns(batch, width, n, a.dtype());
  if (a.numel() == 0) {
    if (q.numel()) copy_into(q, eye_like(q));
    if (r.numel()) fill_into(r, Scalar(0));
    return {q, r};
  }
  const Tensor work = columns_of(a);
  {
    LongOp unlocked(count * m * n * k >= (1 << 20));
    with_type(a.dtype(), [&]<class T>(T) {
      each_matrix(count, 2 * m * n * k, [&](int64_t i) {
        Buffer<T> memory(m * k + k * k);
        std::fill_n(memory.data(), m * k + k * k, T(0));
        const Block<T> v{memory.data(), m, k, 1, m}, t{memory.data() + m * k, k, k, 1, k};
        const Block<T> one{work.data_as<T>() + i * m * n, m, n, 1, m};
        factor_qr(one, v, t);
        const Block<T> upper{r.data_as<T>() + i * width * n, width, n, 1, width};
        for (int64_t c = 0; c < n; ++c)
          for (int64_t row = 0; row < width; ++row) upper(row, c) = row <= c ? one(row, c) : T(0);
        if (mode != Mode::R) form_q(v, t, Block<T>{q.data_as<T>() + i * m * width, m, width, 1, m});
      });
    });
  }
  return {q, r};
}

}  // namespace

TensorTwo qr(const Tensor& a, std::string_view mode) {
  check_matrix(a, "linalg.qr");
  check_float(a, "linalg.qr");
  check(mode == "reduced" || mode == "r" || mode == "complete",
        "qr received unrecognized mode '{}' but expected one of 'reduced' (default), 'r', or "
        "'complete'",
        mode);
  check_lapack(a, "geqrf_cpu");
  const Mode which = mode == "r" ? Mode::R : mode == "complete" ? Mode::Complete : Mode::Reduced;
  TensorTwo out;
  {
    GradModeGuard off(false);
    out = factors_of(detach(a), which);
  }
  const auto& [q, r] = out;
  const Tensor outs[] = {q, r};
  record_many(outs, "LinalgQrBackward0", {&a}, saved(result_nr(0), result_nr(1)),
              joint([which](const Node& node, const std::vector<Tensor>& g, const Tensor& q,
                            const Tensor& r, std::vector<Tensor>& in) {
                if (!g[0].defined() && !g[1].defined()) return;
                const IntList shape = node.input_shape(0);
                check(which != Mode::R,
                      "The derivative of linalg.qr depends on Q, which is not computed when "
                      "mode='r'. Please use linalg.qr(A, mode='reduced') if you are going to "
                      "differentiate through linalg.qr.");
                check(which != Mode::Complete || shape[shape.size() - 2] <= shape[shape.size() - 1],
                      "The QR decomposition is not differentiable when mode='complete' and nrows > "
                      "ncols.");
                in[0] = qr_backward(g[0], g[1], q, r);
              }));
  return out;
}

namespace {

// The reflections themselves: R above, v below the diagonal, and the factors tau.
TensorTwo geqrf(const Tensor& a) {
  check(a.dim() >= 2, "torch.geqrf: input must have at least 2 dimensions.");
  check_lapack(a, "geqrf_cpu");
  const IntList batch = batch_of(a);
  const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n), count = count_of(batch);
  const Tensor out = columns_of(a), tau = empty(with_vector(batch, k), a.dtype());
  if (out.numel() == 0) return {out, tau};
  with_type(a.dtype(), [&]<class T>(T) {
    each_matrix(count, 2 * m * n * k, [&](int64_t i) {
      Buffer<T> memory(m * k + k * k);
      std::fill_n(memory.data(), m * k + k * k, T(0));
      const Block<T> v{memory.data(), m, k, 1, m}, t{memory.data() + m * k, k, k, 1, k};
      const Block<T> one{out.data_as<T>() + i * m * n, m, n, 1, m};
      factor_qr(one, v, t);
      for (int64_t c = 0; c < k; ++c) {
        tau.data_as<T>()[i * k + c] = t(c, c);
        for (int64_t row = c + 1; row < m; ++row) one(row, c) = v(row, c);
      }
    });
  });
  const Tensor outs[] = {out, tau};
  record_many(outs, "GeqrfBackward0", {&a}, saved(),
              joint([](const Node&, const std::vector<Tensor>&, std::vector<Tensor>&) {
                fail<NotImplementedError>("the derivative for 'geqrf' is not implemented.");
              }));
  return {out, tau};
}

TensorTwo old_qr(const Tensor& a, bool some) { return qr(a, some ? "reduced" : "complete"); }

}  // namespace

void register_linalg_qr(OpTable& ops) {
  const char* doc =
      "Returns Q with orthonormal columns and R, upper triangular, with ``A = Q @ R``. mode "
      "'reduced' gives min(m, n) columns of Q, 'complete' all m, 'r' an empty Q.";
  ops.add("linalg.qr(Tensor A, str mode='reduced') -> (Tensor Q, Tensor R)", qr, Function | Out,
          doc);
  ops.add("geqrf(Tensor self) -> (Tensor a, Tensor tau)", geqrf, Both | Out,
          "Returns R in the upper triangle, the vectors of the reflections below it, and their "
          "factors: what linalg.householder_product takes.");
  ops.add("qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)", old_qr, Both | Out,
          "Returns the QR factors (see linalg.qr); without ``some`` the complete ones.");
}

}  // namespace d2l
