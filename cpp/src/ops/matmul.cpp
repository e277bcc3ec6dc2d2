// Products: mm, mv, dot, bmm, matmul and linear, each with its derivative and its row.
//
// Every product ends in multiply_into, which hands strides as they are to gemm: no transposed or
// expanded operand is ever copied.
#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "gemm/gemm.h"
#include "ops/matmul_parts.h"

namespace d2l {

const char* c_type(DType t) {
  static constexpr const char* kNames[] = {
      "bool",  "unsigned char", "signed char",         "short",
      "int",   "long int",      "c10::Half",           "c10::BFloat16",
      "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return kNames[static_cast<int>(t)];
}

Tensor scaled_by(const Tensor& g, const Scalar& factor) {
  if (!factor.is_complex() && factor.real() == 1) return g;
  return mul(g, factor.is_complex() ? Scalar(factor.real(), -factor.imag()) : factor);
}

namespace {

// The stride of t's dimension `d` (counted from the end) in a broadcast batch; 0 where it has one
// element or is missing.
int64_t batch_stride(const Tensor& t, int64_t d) {
  const int64_t i = t.dim() - d;
  return i < 0 || t->shape[i] == 1 ? 0 : t->strides[i];
}

void set_matrices(GemmArgs& g, const Tensor& out, const Tensor& a, const Tensor& b) {
  const int64_t n = out.dim(), na = a.dim(), nb = b.dim();
  g.m = out->shape[n - 2];
  g.n = out->shape[n - 1];
  g.k = a->shape[na - 1];
  g.c = out.data();
  g.a = a.data();
  g.b = b.data();
  g.c_row = out->strides[n - 2];
  g.c_col = out->strides[n - 1];
  g.a_row = a->strides[na - 2];
  g.a_col = a->strides[na - 1];
  g.b_row = b->strides[nb - 2];
  g.b_col = b->strides[nb - 1];
}

void set_factors(GemmArgs& g, const Factors& f, const Tensor& d) {
  g.alpha = f.alpha.real();
  g.alpha_i = f.alpha.to_int();
  g.beta = d.defined() ? f.beta.real() : 0;
  g.beta_i = d.defined() ? f.beta.to_int() : 0;
  g.d = d.defined() ? d.data() : nullptr;
}

}  // namespace

void multiply_into(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& d,
                   const Factors& f) {
  if (out.numel() == 0) return;
  GemmArgs g{};
  g.dtype = out.dtype();
  set_matrices(g, out, a, b);
  set_factors(g, f, d);
  if (d.defined()) {
    g.d_row = batch_stride(d, 2);
    g.d_col = batch_stride(d, 1);
  }
  LongOp unlocked(out.numel() * std::max<int64_t>(g.k, 1) >= (1 << 22));
  const int batches = static_cast<int>(out.dim()) - 2;
  if (batches <= 0) {
    gemm(g);
    return;
  }
  // Batch dimensions from the innermost: size, then the strides of c, a, b, d; merged where all
  // four allow it.
  struct Batch {
    int64_t size, c, a, b, d;
  };
  Batch dims[kMaxDims];
  int count = 0;
  for (int i = 3; i <= out.dim(); ++i) {
    const Batch x{out->shape[out.dim() - i], out->strides[out.dim() - i], batch_stride(a, i),
                  batch_stride(b, i), d.defined() ? batch_stride(d, i) : 0};
    if (x.size == 1) continue;
    if (count) {
      Batch& last = dims[count - 1];
      if (x.c == last.size * last.c && x.a == last.size * last.a && x.b == last.size * last.b &&
          x.d == last.size * last.d) {
        last.size *= x.size;
        continue;
      }
    }
    dims[count++] = x;
  }
  if (count) {
    g.batch = dims[0].size;
    g.c_batch = dims[0].c;
    g.a_batch = dims[0].a;
    g.b_batch = dims[0].b;
    g.d_batch = dims[0].d;
  }
  int64_t outer = 1;
  for (int i = 1; i < count; ++i) outer *= dims[i].size;
  const int64_t item = out.item_bytes();
  for (int64_t at = 0; at < outer; ++at) {
    GemmArgs one = g;
    int64_t rest = at, c = 0, pa = 0, pb = 0, pd = 0;
    for (int i = 1; i < count; ++i) {
      const int64_t k = rest % dims[i].size;
      rest /= dims[i].size;
      c += k * dims[i].c;
      pa += k * dims[i].a;
      pb += k * dims[i].b;
      pd += k * dims[i].d;
    }
    one.c = static_cast<char*>(g.c) + c * item;
    one.a = static_cast<const char*>(g.a) + pa * item;
    one.b = static_cast<const char*>(g.b) + pb * item;
    if (g.d) one.d = static_cast<const char*>(g.d) + pd * item;
    gemm(one);
  }
}

Tensor product_result(Dst dst, IntList shape, DType dtype,
                      std::initializer_list<const Tensor*> inputs) {
  if (!dst) return empty(shape, dtype);
  check(dst.tensor().dtype() == dtype, "Expected out tensor to have dtype {}, but got {} instead",
        c_type(dtype), c_type(dst.tensor().dtype()));
  const Tensor out = prepare_result("mm", dst, shape, dtype);
  for (const Tensor* t : inputs) {
    if (overlap(out, *t) != Overlap::None) return empty(shape, dtype);
  }
  return out;
}

Tensor finish_product(Dst dst, const Tensor& computed) {
  if (!dst || computed.is(dst.tensor())) return computed;
  copy_into(dst.tensor(), computed);
  return dst.tensor();
}

Tensor mm(const Tensor& self, const Tensor& mat2, Dst dst) {
  check(self.dim() == 2, "self must be a matrix");
  check(mat2.dim() == 2, "mat2 must be a matrix");
  const DType type = self.dtype();
  check(type == mat2.dtype(), "expected m1 and m2 to have the same dtype, but got: {} != {}",
        c_type(type), c_type(mat2.dtype()));
  check(self->shape[1] == mat2->shape[0],
        "mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})", self->shape[0],
        self->shape[1], mat2->shape[0], mat2->shape[1]);
  check<NotImplementedError>(type != DType::Bool, "\"addmm_impl_cpu_\" not implemented for 'Bool'");
  const int64_t shape[2] = {self->shape[0], mat2->shape[1]};
  Tensor out = product_result(dst, shape, type, {&self, &mat2});
  multiply_into(out, self, mat2);
  return record(
      finish_product(dst, out), "MmBackward0", {&self, &mat2}, saved_factors(self, mat2),
      [](const Tensor& g, const Tensor&, const Tensor& b) { return mm(g, mH(b)); },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return mm(mH(a), g); });
}

namespace {

void check_vector_product(const Tensor& self, const Tensor& mat, const Tensor& vec) {
  check(mat.dim() == 2 && vec.dim() == 1 && self.dim() <= 1,
        "vector + matrix @ vector expected, got {}, {}, {}", self.dim(), mat.dim(), vec.dim());
  check(mat->shape[1] == vec->shape[0] && (self.numel() == mat->shape[0] || self.numel() == 1),
        "size mismatch, got input ({}), mat ({}x{}), vec ({})", self.dim() ? self->shape[0] : 1,
        mat->shape[0], mat->shape[1], vec->shape[0]);
  check(self.dtype() == mat.dtype() && mat.dtype() == vec.dtype(),
        "addmv input tensors must have the same dtype, but got {}, {}, and {}", self.dtype(),
        mat.dtype(), vec.dtype());
  check<NotImplementedError>(mat.dtype() != DType::Bool,
                             "\"addmv_impl_cpu\" not implemented for 'Bool'");
}

// out = alpha mat.vec (+ beta d), with out, vec and d as matrices of one column.
void multiply_vector(const Tensor& out, const Tensor& mat, const Tensor& vec, const Tensor& d,
                     const Factors& f) {
  if (out.numel() == 0) return;
  GemmArgs g{};
  g.dtype = mat.dtype();
  g.m = mat->shape[0];
  g.n = 1;
  g.k = mat->shape[1];
  g.a = mat.data();
  g.a_row = mat->strides[0];
  g.a_col = mat->strides[1];
  g.b = vec.data();
  g.b_row = vec->strides[0];
  g.c = out.data();
  g.c_row = out->strides[0];
  set_factors(g, f, d);
  if (d.defined()) g.d_row = batch_stride(d, 1);
  LongOp unlocked(mat.numel() >= (1 << 22));
  gemm(g);
}

}  // namespace

Tensor mv(const Tensor& self, const Tensor& vec, Dst dst) {
  check(self.dim() == 2 && vec.dim() == 1, "vector + matrix @ vector expected, got {}, {}, {}",
        int64_t{1}, self.dim(), vec.dim());
  check(self->shape[1] == vec->shape[0], "size mismatch, got input ({}), mat ({}x{}), vec ({})",
        self->shape[0], self->shape[0], self->shape[1], vec->shape[0]);
  check(self.dtype() == vec.dtype(),
        "addmv input tensors must have the same dtype, but got {}, {}, and {}", vec.dtype(),
        self.dtype(), vec.dtype());
  check<NotImplementedError>(self.dtype() != DType::Bool,
                             "\"addmv_impl_cpu\" not implemented for 'Bool'");
  if (dst) {
    check(dst.tensor().dtype() == self.dtype(),
          "addmv input tensors must have the same dtype, but got {}, {}, and {}",
          dst.tensor().dtype(), self.dtype(), vec.dtype());
  }
  Tensor out = product_result(dst, Dims{self->shape[0]}, self.dtype(), {&self, &vec});
  multiply_vector(out, self, vec, Tensor(), {});
  return record(
      finish_product(dst, out), "MvBackward0", {&self, &vec}, saved_factors(self, vec),
      [](const Tensor& g, const Tensor&, const Tensor& v) { return outer(g, conj(v)); },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return mv(mH(a), g); });
}

namespace {

void check_dot(const Tensor& a, const Tensor& b, const char* op) {
  check(a.dim() == 1 && b.dim() == 1, "1D tensors expected, but got {}D and {}D tensors", a.dim(),
        b.dim());
  check(a.dtype() == b.dtype(),
        "dot : expected both vectors to have same dtype, but found {} and {}", a.dtype(),
        b.dtype());
  check(a.numel() == b.numel(),
        "inconsistent tensor size, expected tensor [{}] and src [{}] to have the same number of "
        "elements, but got {} and {} elements respectively",
        a.numel(), b.numel(), a.numel(), b.numel());
  check<NotImplementedError>(a.dtype() != DType::Bool, "\"{}\" not implemented for 'Bool'", op);
}

Tensor dot_value(const Tensor& a, const Tensor& b, Dst dst) {
  Tensor out = product_result(dst, Dims{}, a.dtype(), {&a, &b});
  GemmArgs g{};
  g.dtype = a.dtype();
  g.m = g.n = 1;
  g.k = a.numel();
  g.a = a.data();
  g.a_col = a->strides[0];
  g.b = b.data();
  g.b_row = b->strides[0];
  g.c = out.data();
  gemm(g);
  return finish_product(dst, out);
}

}  // namespace

Tensor dot(const Tensor& self, const Tensor& tensor, Dst dst) {
  check_dot(self, tensor, "dot");
  return record(
      dot_value(self, tensor, dst), "DotBackward0", {&self, &tensor}, saved_factors(self, tensor),
      [](const Tensor& g, const Tensor&, const Tensor& b) { return mul(g, conj(b)); },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return mul(g, conj(a)); });
}

Tensor vdot(const Tensor& self, const Tensor& other, Dst dst) {
  check_dot(self, other, "vdot");
  return record(
      dot_value(conj(detach(self)), other, dst), "VdotBackward0", {&self, &other},
      saved_factors(self, other),
      [](const Tensor& g, const Tensor&, const Tensor& b) { return mul(conj(g), b); },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return mul(g, a); });
}

Tensor bmm(const Tensor& self, const Tensor& mat2, Dst dst) {
  check(self.dim() == 3, "batch1 must be a 3D tensor");
  check(mat2.dim() == 3, "batch2 must be a 3D tensor");
  check(
      self->shape[0] == mat2->shape[0] && self->shape[2] == mat2->shape[1],
      "Expected size for first two dimensions of batch2 tensor to be: [{}, {}] but got: [{}, {}].",
      self->shape[0], self->shape[2], mat2->shape[0], mat2->shape[1]);
  check(self.dtype() == mat2.dtype(), "expected scalar type {} but found {}", self.dtype(),
        mat2.dtype());
  check<NotImplementedError>(self.dtype() != DType::Bool, "\"bmm\" not implemented for 'Bool'");
  const int64_t shape[3] = {self->shape[0], self->shape[1], mat2->shape[2]};
  Tensor out = product_result(dst, shape, self.dtype(), {&self, &mat2});
  multiply_into(out, self, mat2);
  return record(
      finish_product(dst, out), "BmmBackward0", {&self, &mat2}, saved_factors(self, mat2),
      [](const Tensor& g, const Tensor&, const Tensor& b) { return bmm(g, mH(b)); },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return bmm(mH(a), g); });
}

namespace {

// Both have batches (or one has): broadcast, never expanded in memory.
Tensor batched_matmul(const Tensor& a, const Tensor& b, Dst dst) {
  const int64_t na = a.dim(), nb = b.dim();
  Dims shape = broadcast_shapes(a.shape().first(static_cast<size_t>(na - 2)),
                                b.shape().first(static_cast<size_t>(nb - 2)));
  int64_t batch = 1;
  for (int64_t s : shape) batch *= s;
  check(
      a->shape[na - 1] == b->shape[nb - 2],
      "Expected size for first two dimensions of batch2 tensor to be: [{}, {}] but got: [{}, {}].",
      batch, a->shape[na - 1], batch, b->shape[nb - 2]);
  check(a.dtype() == b.dtype(), "expected scalar type {} but found {}", a.dtype(), b.dtype());
  check<NotImplementedError>(a.dtype() != DType::Bool, "\"bmm\" not implemented for 'Bool'");
  shape.push_back(a->shape[na - 2]);
  shape.push_back(b->shape[nb - 1]);
  Tensor out = product_result(dst, shape, a.dtype(), {&a, &b});
  multiply_into(out, a, b);
  return record(
      finish_product(dst, out), na == 3 && nb == 3 ? "BmmBackward0" : "UnsafeViewBackward0",
      {&a, &b}, saved_factors(a, b),
      [](const Tensor& g, const Tensor&, const Tensor& y) { return matmul(g, mH(y)); },
      [](const Tensor& g, const Tensor& x, const Tensor&) { return matmul(mH(x), g); });
}

}  // namespace

namespace {

// PyTorch resizes the output of a vector times a matrix to one row and takes the row away again: a
// strided out= ends dense.
void make_dense_row(Dst dst, int64_t n) {
  if (!dst || !dst.is_out() || dst.tensor().dim() != 1 || dst.tensor().numel() != n) return;
  resize_raw(dst.tensor(), Dims{1, n});
  resize_raw(dst.tensor(), Dims{n});
}

}  // namespace

Tensor matmul(const Tensor& self, const Tensor& other, Dst dst) {
  const int64_t na = self.dim(), nb = other.dim();
  if (na == 2 && nb == 2) return mm(self, other, dst);
  check(na > 0 && nb > 0,
        "both arguments to matmul need to be at least 1D, but they are {}D and {}D", na, nb);
  if (na == 1 && nb == 1) return dot(self, other, dst);
  if (na == 2 && nb == 1) return mv(self, other, dst);
  if (na == 1) {
    const Tensor out = squeeze_dims(matmul(unsqueeze(self, 0), other), Dims{nb - 2});
    if (nb == 2) make_dense_row(dst, out.numel());
    return deliver("matmul", dst, out);
  }
  if (nb <= 2) {  // all rows of the batch at once
    int64_t rows = 1;
    Dims shape;
    for (int64_t i = 0; i < na - 1; ++i) {
      rows *= self->shape[i];
      shape.push_back(self->shape[i]);
    }
    const Tensor flat = reshape(self, Dims{rows, self->shape[na - 1]});
    if (nb == 1) return deliver("matmul", dst, view(mv(flat, other), shape));
    shape.push_back(other->shape[1]);
    return deliver("matmul", dst, view(mm(flat, other), shape));
  }
  return batched_matmul(self, other, dst);
}

namespace {

Tensor flat_rows(const Tensor& t) {
  if (t.dim() == 2) return t;
  const int64_t last = t->shape[t.dim() - 1];
  int64_t rows = 1;
  for (int64_t i = 0; i < t.dim() - 1; ++i) rows *= t->shape[i];
  return reshape(t, Dims{rows, last});
}

const char* linear_node(int64_t dim, bool bias) {
  if (dim == 2) return bias ? "AddmmBackward0" : "MmBackward0";
  return bias ? "ViewBackward0" : dim == 1 ? "SqueezeBackward4" : "UnsafeViewBackward0";
}

}  // namespace

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias, Dst dst) {
  if (weight.dim() == 1 && !bias.defined()) return matmul(input, weight, dst);
  check(input.dim() > 0,
        "both arguments to linear need to be at least 1D, but they are {}D and {}D", input.dim(),
        weight.dim());
  check(weight.dim() == 2, "mat2 must be a matrix, got {}-D tensor", weight.dim());
  const DType type = input.dtype();
  const int64_t n = input.dim(), k = input->shape[n - 1], out_features = weight->shape[0];
  if (bias.defined()) {
    check(bias.dtype() == weight.dtype() && bias.dtype() == type,
          "self and mat2 must have the same dtype, but got {} and {}", bias.dtype(),
          bias.dtype() == type ? weight.dtype() : type);
  }
  check(type == weight.dtype(), "expected m1 and m2 to have the same dtype, but got: {} != {}",
        c_type(type), c_type(weight.dtype()));
  check<NotImplementedError>(type != DType::Bool, "\"addmm_impl_cpu_\" not implemented for 'Bool'");
  int64_t rows = 1;
  Dims shape;
  for (int64_t i = 0; i < n - 1; ++i) {
    rows *= input->shape[i];
    shape.push_back(input->shape[i]);
  }
  shape.push_back(out_features);
  check(k == weight->shape[1], "mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})", rows,
        k, weight->shape[1], out_features);
  check(!bias.defined() || is_expandable_to(bias.shape(), shape),
        "The expanded size of the tensor ({}) must match the existing size ({}) at non-singleton "
        "dimension 1.  Target sizes: {}.  Tensor sizes: {}",
        out_features, bias.defined() && bias.dim() ? bias->shape[bias.dim() - 1] : 1,
        IntList(Dims{rows, out_features}), bias.defined() ? bias.shape() : IntList());
  Tensor out = empty(shape, type);
  {
    GradModeGuard off(false);
    const Tensor flat = flat_rows(input);
    const Tensor to = n == 2 ? out
                             : raw_view(out, Dims{rows, out_features},
                                        Dims{std::max<int64_t>(out_features, 1), 1}, 0);
    const Tensor transposed =
        raw_view(weight, Dims{k, out_features}, Dims{weight->strides[1], weight->strides[0]},
                 weight.offset());
    const bool wide = bias.defined() && bias.dim() > 2;  // needs the batch dimensions themselves
    multiply_into(to, flat, transposed,
                  wide ? reshape(expand(bias, shape), Dims{rows, out_features}) : bias);
    if (n == 1) make_dense_row(dst, out_features);
    out = deliver("linear", dst, out);
  }
  return record(
      out, linear_node(n, bias.defined()), {&input, &weight, &bias}, saved_factors(input, weight),
      [](const Tensor& g, const Tensor&, const Tensor& w) { return matmul(g, conj(w)); },
      [](const Tensor& g, const Tensor& x, const Tensor&) {
        if (x.dim() == 1) return outer(g, conj(x));
        return mm(t(flat_rows(g)), conj(flat_rows(x)));
      },
      [](const Tensor& g, const Tensor&, const Tensor&) { return g; });
}

namespace {

bool plain(const Scalar& s) { return !s.is_complex(); }

// What is added must have the product's dtype and expand to its shape.
void check_addend(const Tensor& self, const Tensor& mat2, IntList shape) {
  check(self.dtype() == mat2.dtype(), "self and mat2 must have the same dtype, but got {} and {}",
        self.dtype(), mat2.dtype());
  if (is_expandable_to(self.shape(), shape)) return;
  check(self.dim() <= static_cast<int64_t>(shape.size()),
        "expand({}, size={}): the number of sizes provided ({}) must be greater or equal to the "
        "number of dimensions in the tensor ({})",
        c_type(self.dtype()), shape, static_cast<int64_t>(shape.size()), self.dim());
  for (int64_t i = self.dim() - 1; i >= 0; --i) {
    const int64_t at = static_cast<int64_t>(shape.size()) - self.dim() + i;
    check(self->shape[i] == shape[at] || self->shape[i] == 1,
          "The expanded size of the tensor ({}) must match the existing size ({}) at non-singleton "
          "dimension {}.  Target sizes: {}.  Tensor sizes: {}",
          shape[at], self->shape[i], at, shape, self.shape());
  }
}

// beta self: with beta 0, self is not read, so neither NaN nor its gradient pass.
Tensor addend(const Tensor& self, const Scalar& beta) {
  return beta.is_complex() || !beta.equals(0) ? self : Tensor();
}

}  // namespace

Tensor addmm(const Tensor& self, const Tensor& mat1, const Tensor& mat2, const Scalar& beta,
             const Scalar& alpha, Dst dst) {
  check(mat1.dim() == 2, "mat1 must be a matrix, got {}-D tensor", mat1.dim());
  check(mat2.dim() == 2, "mat2 must be a matrix, got {}-D tensor", mat2.dim());
  check(mat1->shape[1] == mat2->shape[0],
        "mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})", mat1->shape[0],
        mat1->shape[1], mat2->shape[0], mat2->shape[1]);
  const Dims shape{mat1->shape[0], mat2->shape[1]};
  check_addend(self, mat2, shape);
  check(mat1.dtype() == mat2.dtype(), "mat1 and mat2 must have the same dtype, but got {} and {}",
        mat1.dtype(), mat2.dtype());
  check<NotImplementedError>(self.dtype() != DType::Bool,
                             "\"addmm_impl_cpu_\" not implemented for 'Bool'");
  if (!plain(alpha) || !plain(beta)) {
    return deliver("addmm", dst, add(mul(self, beta), mul(mm(mat1, mat2), alpha)));
  }
  Tensor out = product_result(dst, shape, self.dtype(), {&self, &mat1, &mat2});
  multiply_into(out, mat1, mat2, addend(self, beta), {alpha, beta});
  return record(
      finish_product(dst, out), "AddmmBackward0", {&self, &mat1, &mat2}, saved_factors(mat1, mat2),
      [beta](const Tensor& g, const Tensor&, const Tensor&) { return scaled_by(g, beta); },
      [alpha](const Tensor& g, const Tensor&, const Tensor& b) {
        return scaled_by(mm(g, mH(b)), alpha);
      },
      [alpha](const Tensor& g, const Tensor& a, const Tensor&) {
        return scaled_by(mm(mH(a), g), alpha);
      });
}

Tensor addmv(const Tensor& self, const Tensor& mat, const Tensor& vec, const Scalar& beta,
             const Scalar& alpha, Dst dst) {
  check_vector_product(self, mat, vec);
  if (!plain(alpha) || !plain(beta)) {
    return deliver("addmv", dst, add(mul(self, beta), mul(mv(mat, vec), alpha)));
  }
  Tensor out = product_result(dst, Dims{mat->shape[0]}, mat.dtype(), {&self, &mat, &vec});
  multiply_vector(out, mat, vec, addend(self, beta), {alpha, beta});
  return record(
      finish_product(dst, out), "AddmvBackward0", {&self, &mat, &vec}, saved_factors(mat, vec),
      [beta](const Tensor& g, const Tensor&, const Tensor&) { return scaled_by(g, beta); },
      [alpha](const Tensor& g, const Tensor&, const Tensor& v) {
        return scaled_by(outer(g, conj(v)), alpha);
      },
      [alpha](const Tensor& g, const Tensor& a, const Tensor&) {
        return scaled_by(mv(mH(a), g), alpha);
      });
}

Tensor baddbmm(const Tensor& self, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
               const Scalar& alpha, Dst dst) {
  check(batch1.dim() == 3, "batch1 must be a 3D tensor");
  check(batch2.dim() == 3, "batch2 must be a 3D tensor");
  const Dims shape{batch1->shape[0], batch1->shape[1], batch2->shape[2]};
  check_addend(self, batch2, shape);
  check(
      batch1->shape[0] == batch2->shape[0] && batch1->shape[2] == batch2->shape[1],
      "Expected size for first two dimensions of batch2 tensor to be: [{}, {}] but got: [{}, {}].",
      batch1->shape[0], batch1->shape[2], batch2->shape[0], batch2->shape[1]);
  check(batch1.dtype() == batch2.dtype(), "expected scalar type {} but found {}", batch1.dtype(),
        batch2.dtype());
  check<NotImplementedError>(self.dtype() != DType::Bool, "\"baddbmm\" not implemented for 'Bool'");
  if (!plain(alpha) || !plain(beta)) {
    return deliver("baddbmm", dst, add(mul(self, beta), mul(bmm(batch1, batch2), alpha)));
  }
  Tensor out = product_result(dst, shape, self.dtype(), {&self, &batch1, &batch2});
  multiply_into(out, batch1, batch2, addend(self, beta), {alpha, beta});
  return record(
      finish_product(dst, out), "BaddbmmBackward0", {&self, &batch1, &batch2},
      saved_factors(batch1, batch2),
      [beta](const Tensor& g, const Tensor&, const Tensor&) { return scaled_by(g, beta); },
      [alpha](const Tensor& g, const Tensor&, const Tensor& b) {
        return scaled_by(bmm(g, mH(b)), alpha);
      },
      [alpha](const Tensor& g, const Tensor& a, const Tensor&) {
        return scaled_by(bmm(mH(a), g), alpha);
      });
}

void register_matmul(OpTable& ops) {
  ops.add(
      "mm(Tensor self, Tensor mat2) -> Tensor", mm, Both | Out,
      "Returns the product of the matrices ``self`` (n x k) and ``mat2`` (k x m) of one dtype.");
  ops.add("mv(Tensor self, Tensor vec) -> Tensor", mv, Both | Out,
          "Returns the product of the matrix ``self`` (n x k) and the vector ``vec`` (k).");
  ops.add("dot(Tensor self, Tensor tensor) -> Tensor", dot, Both | Out,
          "Returns the sum of the products of two vectors' elements.");
  ops.add("vdot(Tensor self, Tensor other) -> Tensor", vdot, Both | Out,
          "Returns the dot product of two vectors, the first conjugated.");
  ops.add("bmm(Tensor self, Tensor mat2) -> Tensor", bmm, Both | Out,
          "Returns the products of corresponding matrices: b x n x k times b x k x m.");
  const char* matmul_doc =
      "Returns the matrix product: of vectors their dot product, of matrices mm; a vector stands "
      "for "
      "a row on the left and a column on the right; dimensions before the last two are a batch and "
      "are broadcast.";
  ops.add("matmul(Tensor self, Tensor other) -> Tensor", matmul, Both | Out, matmul_doc);
  ops.add("linalg.matmul(Tensor self, Tensor other) -> Tensor", matmul, Function | Out, matmul_doc);
  ops.add("nn.linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", linear,
          Function | Out,
          "Returns ``input @ weight.T + bias``: input (..., in), weight (out, in), bias (out).");
  const char* add_doc =
      "Returns ``beta * self + alpha * product``; self is expanded to the product's shape, and not "
      "read when ``beta`` is 0.";
  ops.add(
      "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
      addmm, Elementwise, add_doc);
  ops.add("addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
          addmv, Elementwise | InplaceFunction, add_doc);
  ops.add(
      "baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> "
      "Tensor",
      baddbmm, Elementwise, add_doc);
  register_contractions(ops);
}

}  // namespace d2l
