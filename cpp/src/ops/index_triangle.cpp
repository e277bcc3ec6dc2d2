// Triangles and diagonals of matrices.
#include <cstring>

#include "ops/index_parts.h"

namespace d2l {
namespace {

// A copy of self (contiguous) with one side of the diagonal set to zero.
Tensor triangle(const char* op, const Tensor& self, int64_t diagonal, bool lower) {
  check(self.dim() >= 2, "{}: input tensor must have at least 2 dimensions", op);
  Tensor out = empty(self.shape(), self.dtype());
  copy_into(out, self);
  const int64_t rows = self->shape[self.dim() - 2], cols = self->shape[self.dim() - 1];
  const int64_t size = self.item_bytes();
  if (self.numel() == 0) return out;
  const int64_t shift = std::clamp(diagonal, -rows, cols);
  char* at = out.data();
  for (int64_t r = 0, n = self.numel() / cols; r < n; ++r, at += cols * size) {
    const int64_t cut = std::clamp<int64_t>(r % rows + shift + (lower ? 1 : 0), 0, cols);
    const int64_t begin = lower ? cut : 0, end = lower ? cols : cut;
    std::memset(at + begin * size, 0, static_cast<size_t>((end - begin) * size));
  }
  return out;
}

}  // namespace

Tensor tril(const Tensor& self, int64_t diagonal, Dst dst) {
  return record(deliver("tril", dst, triangle("tril", self, diagonal, true)), "TrilBackward0",
                {&self}, saved(), [diagonal](const Tensor& g) { return tril(g, diagonal); });
}

Tensor triu(const Tensor& self, int64_t diagonal, Dst dst) {
  return record(deliver("triu", dst, triangle("triu", self, diagonal, false)), "TriuBackward0",
                {&self}, saved(), [diagonal](const Tensor& g) { return triu(g, diagonal); });
}

Tensor diag_embed(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
  const int64_t n = self.dim() + 1;
  const int64_t a = wrap_dim(dim1, n), b = wrap_dim(dim2, n);
  check(a != b, "diagonal dimensions cannot be identical {}, {}", dim1, dim2);
  int64_t size;
  const int64_t length = self.dim() ? self->shape[self.dim() - 1] : 1;
  check(offset > INT64_MIN && !__builtin_add_overflow(length, offset < 0 ? -offset : offset, &size),
        "diag_embed: offset {} is too large", offset);
  Dims shape(self.shape());
  shape.resize(static_cast<int>(n) - 2);
  shape.insert(static_cast<int>(std::min(a, b)), size);
  shape.insert(static_cast<int>(std::max(a, b)), size);
  Tensor out = zeros(shape, self.dtype());
  {
    GradModeGuard off(false);
    copy_into(diagonal(out, offset, a, b), self);
  }
  return record(out, "DiagEmbedBackward0", {&self}, saved(),
                [offset, a, b](const Tensor& g) { return diagonal(g, offset, a, b); });
}

Tensor diag(const Tensor& self, int64_t offset, Dst dst) {
  check(self.dim() == 1 || self.dim() == 2, "diag(): Supports 1D or 2D tensors. Got {}D",
        self.dim());
  if (self.dim() == 1) return deliver("diag", dst, diag_embed(self, offset));
  const Tensor view = diagonal(self, offset);
  return dst ? deliver("diag", dst, view) : clone(view);
}

Tensor trace(const Tensor& self) {
  check(self.dim() == 2, "trace: expected a matrix, but got tensor with dim {}", self.dim());
  check<NotImplementedError>(self.dtype() != DType::Bool, "\"trace\" not implemented for 'Bool'");
  return sum(diagonal(self));
}

namespace {

Tensor indices_of(int64_t row, int64_t col, int64_t offset, const Options& options, bool lower) {
  check(row >= 0, "row must be non-negative, got {}", row);
  check(col >= 0, "col must be non-negative, got {}", col);
  Tensor mask = ones(Dims{row, col}, DType::Bool);
  Tensor out = t(nonzero(lower ? tril(mask, offset) : triu(mask, offset)));
  return to_dtype(contiguous(out), options.dtype.value_or(DType::Int64));
}
Tensor tril_indices(int64_t row, int64_t col, int64_t offset, const Options& options) {
  return indices_of(row, col, offset, options, true);
}
Tensor triu_indices(int64_t row, int64_t col, int64_t offset, const Options& options) {
  return indices_of(row, col, offset, options, false);
}

}  // namespace

void register_index_triangle(OpTable& ops) {
  ops.add("tril(Tensor self, int diagonal=0) -> Tensor", tril, Elementwise,
          "Returns matrices with zeros above the given diagonal.");
  ops.add("triu(Tensor self, int diagonal=0) -> Tensor", triu, Elementwise,
          "Returns matrices with zeros below the given diagonal.");
  ops.add("tril_indices(int row, int col, int offset=0, " D2L_FACTORY ") -> Tensor", tril_indices,
          Function, "Returns the coordinates (2, n) of the lower triangle.");
  ops.add("triu_indices(int row, int col, int offset=0, " D2L_FACTORY ") -> Tensor", triu_indices,
          Function, "Returns the coordinates (2, n) of the upper triangle.");
  ops.add("diag(Tensor self, int diagonal=0) -> Tensor", diag, Both | Out,
          "Returns the diagonal of a matrix, or the matrix with a vector on its diagonal.");
  ops.add("diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", diag_embed,
          Both, "Returns matrices with self's last dimension on their diagonals.");
  ops.add("trace(Tensor self) -> Tensor", trace, Both, "Returns the sum of a matrix's diagonal.");
}

}  // namespace d2l
