// Indices that are computed: masks, repetitions, classes; and embedding.
#include <cstring>

#include "ops/index_parts.h"

namespace d2l {
namespace {

// self != 0 as contiguous bytes of 0 and 1.
Tensor truth(const Tensor& self) {
  GradModeGuard off(false);
  if (self.dtype() == DType::Bool) return raw_contiguous(self);
  return raw_contiguous(ne(self, wrap(Scalar(0))));
}

}  // namespace

Tensor flat_nonzero(const Tensor& self) {
  const Tensor mask = truth(self);
  const auto* m = mask.data_as<uint8_t>();
  const int64_t n = mask.numel();
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += m[i] != 0;
  // Every position is written and only the true ones are kept: nothing for the processor to guess.
  const Tensor room = empty(Dims{count + 1}, DType::Int64);
  int64_t* to = room.data_as<int64_t>();
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t part = std::min<int64_t>(8, n - i);
    uint64_t word = 0;
    std::memcpy(&word, m + i, static_cast<size_t>(part));
    if (!word) continue;
    for (int64_t k = i; k < i + part; ++k) {
      *to = k;
      to += m[k] != 0;
    }
  }
  return raw_view(room, Dims{count}, Dims{1}, 0);
}

namespace {

// Coordinates along dimension d.
void unravel_into(const Tensor& flat, IntList shape, int64_t d, int64_t* to) {
  int64_t inner = 1;
  for (size_t k = static_cast<size_t>(d) + 1; k < shape.size(); ++k) inner *= shape[k];
  const int64_t size = shape[static_cast<size_t>(d)], block = inner * size;
  const int64_t* from = flat.data_as<int64_t>();
  const int64_t n = flat.numel();
  // Positions rise, so the block that holds one is found from the last one; divisions are rare.
  int64_t base = 0, coordinate = 0;
  for (int64_t i = 0; i < n; ++i) {
    int64_t rest = from[i] - base;
    if (rest >= block) {
      base = rest < 2 * block ? base + block : from[i] / block * block;
      rest = from[i] - base;
      coordinate = 0;
    }
    if (rest >= (coordinate + 1) * inner) {
      coordinate = rest < (coordinate + 2) * inner ? coordinate + 1 : rest / inner;
    }
    to[i] = coordinate;
  }
}

}  // namespace

std::vector<Tensor> unravel(const Tensor& flat, IntList shape) {
  if (shape.size() == 1) return {flat};
  std::vector<Tensor> out;
  for (size_t d = 0; d < shape.size(); ++d) {
    out.push_back(empty(flat.shape(), DType::Int64));
    unravel_into(flat, shape, static_cast<int64_t>(d), out.back().data_as<int64_t>());
  }
  return out;
}

Tensor nonzero(const Tensor& self, Dst dst) {
  check(!dst || dst.tensor().dtype() == DType::Int64,
        "nonzero: Expected out tensor to have scalar type Long but got scalar type {}",
        scalar_name(dst ? dst.tensor().dtype() : DType::Int64));
  const Tensor flat = flat_nonzero(self);
  // As in PyTorch one dimension's coordinates lie side by side, so that they are index tensors.
  Tensor rows = empty(Dims{self.dim(), flat.numel()}, DType::Int64);
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (!rows.numel()) break;
    unravel_into(flat, self.shape(), d, rows.data_as<int64_t>() + d * flat.numel());
  }
  const Tensor out = raw_view(rows, Dims{flat.numel(), self.dim()},
                              Dims{1, std::max<int64_t>(flat.numel(), 1)}, 0);
  return deliver("nonzero", dst, out);
}

namespace {

void check_mask(const char* op, const Tensor& mask, const char* words) {
  check(mask.dtype() == DType::Bool, words, op);
}

// Elements of the contiguous `place` at flat positions, as a vector, and back.
void run_flat(Access access, const Tensor& place, const Tensor& flat, const Tensor& list) {
  if (flat.numel() == 0) return;
  const IndexTensor checked = index_for(flat, 0, place.numel());
  run_indexed(access, {place, Dims{0}, list, checked, Dims{1}, 1});
}

}  // namespace

Tensor masked_select(const Tensor& self, const Tensor& mask, Dst dst) {
  check_mask("masked_select", mask, "{}: expected BoolTensor for mask");
  check(!dst || dst.tensor().dtype() == self.dtype(),
        "masked_select(): self and result must have the same scalar type");
  check_out(dst, self.dtype(), {&self, &mask});
  const Dims shape = broadcast_shapes(self.shape(), mask.shape());
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor flat = flat_nonzero(expand(mask, shape));
    out = empty(flat.shape(), self.dtype());
    run_flat(Access::Get, raw_contiguous(expand(self, shape)), flat, out);
  }
  return record(deliver("masked_select", dst, out), "MaskedSelectBackward0", {&self}, saved(mask),
                [](const Node& node, const Tensor& g, const Tensor& m) {
                  const Dims whole = broadcast_shapes(node.input_shape(0), m.shape());
                  return masked_scatter(zeros(whole, g.dtype()), m, g);
                });
}

Tensor masked_scatter(const Tensor& self, const Tensor& mask, const Tensor& source, Dst dst) {
  check(self.dtype() == source.dtype(),
        "masked_scatter: expected self and source to have same dtypes but got{} and {}",
        self.dtype(), source.dtype());
  check_mask("masked_scatter", mask,
             "masked_scatter_ only supports boolean masks, but got a mask of another dtype");
  const Dims shape = broadcast_shapes(self.shape(), mask.shape());
  check(!dst || dst.is_out() || equal(shape, self.shape()),
        "output with shape {} doesn't match the broadcast shape {}", self.shape(), IntList(shape));
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor flat = flat_nonzero(expand(mask, shape));
    check(flat.numel() <= source.numel(), "Number of elements of source < number of ones in mask");
    out = empty(shape, self.dtype());
    copy_into(out, self);
    const Tensor values = raw_contiguous(source);
    run_flat(Access::Put, out, flat, raw_view(values, flat.shape(), Dims{1}, values.offset()));
  }
  return record(
      deliver("masked_scatter", dst, out), "MaskedScatterBackward0", {&self, &source}, saved(mask),
      [](const Tensor& g, const Tensor& m) { return masked_fill(g, m, wrap(Scalar(0))); },
      [](const Node& node, const Tensor& g, const Tensor& m) {
        const IntList want = node.input_shape(1);
        const Tensor used = masked_select(g, m);
        const int64_t n = used.numel();
        return reshape(slice_backward(used, Dims{checked_numel(want)}, 0, 0, n, 1), want);
      });
}

namespace {

// 0 repeated repeats[0] times, 1 repeats[1] times, ...
Tensor spread(const Tensor& repeats, OptInt output_size) {
  check(repeats.dim() == 1, "repeat_interleave only accept 1D vector as repeat");
  check<NotImplementedError>(repeats.dtype() == DType::Int64 || repeats.dtype() == DType::Int32,
                             "\"repeat_interleave_cpu\" not implemented for '{}'", repeats.dtype());
  const IndexTensor counts = IndexTensor::checked(
      repeats, 0, INT64_MAX, [](int64_t) { fail("repeats can not be negative"); });
  const Tensor list = raw_contiguous(counts.values());
  const int64_t* r = list.data_as<int64_t>();
  int64_t total = 0;
  bool overflow = false;
  for (int64_t i = 0; i < list.numel(); ++i) {
    overflow |= __builtin_add_overflow(total, r[i], &total);
  }
  check(!overflow, "repeat_interleave: the sum of repeats overflows");
  check(!output_size || *output_size == total, "allocated size does not match required size");
  Tensor out = empty(Dims{total}, DType::Int64);
  int64_t* to = out.data_as<int64_t>();
  for (int64_t i = 0; i < list.numel(); ++i) to = std::fill_n(to, r[i], i);
  return out;
}

}  // namespace

Tensor repeat_interleave(const Tensor& self, const Tensor& repeats, OptInt dim,
                         OptInt output_size) {
  const Tensor input = dim ? self : flatten(self);
  const int64_t at = dim ? wrap_dim(*dim, self.dim()) : 0;
  const int64_t n = input.dim() ? input->shape[at] : 1;
  check(repeats.dim() <= 1, "repeats must be 0-dim or 1-dim tensor");
  Tensor counts = repeats;
  if (repeats.numel() == 1) {
    counts = raw_view(repeats, Dims{n}, Dims{0}, repeats.offset());
  } else {
    check(repeats.dim() == 1 && repeats->shape[0] == n,
          "repeats must have the same size as input along dim, but got repeats.size({}) = {} and "
          "input.size({}) = {}",
          0, repeats.numel(), at, n);
  }
  return index_select(input.dim() ? input : reshape(input, Dims{1}), at,
                      spread(counts, output_size));
}

Tensor one_hot(const Tensor& self, int64_t num_classes) {
  check(self.dtype() == DType::Int64,
        "one_hot is only applicable to index tensor of type LongTensor.");
  GradModeGuard off(false);
  Dims shape(self.shape());
  if (self.numel() == 0) {
    check(num_classes > 0, "Can not infer total number of classes from empty tensor.");
    shape.push_back(num_classes);
    return empty(shape, DType::Int64);
  }
  IndexTensor::checked(self, 0, INT64_MAX,
                       [](int64_t) { fail("Class values must be non-negative."); });
  if (num_classes == -1) {
    const int64_t largest = item(amax(self, IntList())).to_int();
    check(largest < INT64_MAX - 1, "one_hot: class {} is too large", largest);
    num_classes = largest + 1;
  }
  const Tensor places = unsqueeze(self, -1);
  IndexTensor::checked(self, 0, num_classes,
                       [](int64_t) { fail("Class values must be smaller than num_classes."); });
  shape.push_back(num_classes);
  const Tensor zero = zeros(shape, DType::Int64);
  return scatter_value(zero, -1, places, Scalar(1), Dst::inplace(zero));
}

Tensor embedding(const Tensor& weight, const Tensor& indices, int64_t padding_idx,
                 bool scale_grad_by_freq, bool sparse) {
  check(weight.dim() == 2, "'weight' must be 2-D");
  check(
      indices.dtype() == DType::Int64 || indices.dtype() == DType::Int32,
      "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, "
      "Int; but got torch.{}Tensor instead (while checking arguments for embedding)",
      indices.dtype());
  check<NotImplementedError>(!sparse || !GradMode::enabled() || !needs_grad(weight),
                             "embedding: sparse gradients are not implemented in d2lcore");
  const int64_t n = weight->shape[0];
  const IndexTensor checked = IndexTensor::checked(
      indices, 0, n, [](int64_t) { fail<IndexError>("index out of range in self"); });
  Dims shape(indices.shape()), place(static_cast<int>(indices.dim()), 0),
      index_strides(checked.values().strides());
  shape.push_back(weight->shape[1]);
  place.push_back(weight->strides[1]);
  index_strides.push_back(0);
  Tensor out = empty(shape, weight.dtype());
  run_indexed(Access::Get, {weight, place, out, checked, index_strides, weight->strides[0]});
  return record(out, "EmbeddingBackward0", {&weight}, saved(indices),
                [n, padding_idx, scale_grad_by_freq](const Tensor& g, const Tensor& i) {
                  return embedding_backward(g, i, n, padding_idx, scale_grad_by_freq);
                });
}

// Made of differentiable ops, so it has its own derivative.
Tensor embedding_backward(const Tensor& g, const Tensor& indices, int64_t num_weights,
                          int64_t padding_idx, bool scale_grad_by_freq) {
  const Tensor flat = reshape(indices, Dims{-1});
  const int64_t width = g->shape[g.dim() - 1];
  Tensor rows = reshape(g, Dims{flat.numel(), width});
  if (scale_grad_by_freq) {
    const Tensor none = zeros(Dims{num_weights}, g.dtype());
    const Tensor counts = index_add(none, 0, flat, ones(flat.shape(), g.dtype()));
    rows = div(rows, unsqueeze(index_select(counts, 0, flat), 1));
  }
  const Tensor zero = zeros(Dims{num_weights, width}, g.dtype());
  Tensor out = index_add(zero, 0, flat, rows, Scalar(1), Dst::inplace(zero));
  if (padding_idx < 0) return out;
  return index_fill(out, 0, scalar_tensor(padding_idx, DType::Int64), scalar_tensor(0, g.dtype()));
}

namespace {

Tensor spread_row(const Tensor& repeats, OptInt output_size) {
  return spread(repeats, output_size);
}
Tensor repeat_interleave_int(const Tensor& self, int64_t repeats, OptInt dim, OptInt output_size) {
  check(repeats >= 0, "Repeats must be non-negative");
  const Tensor input = dim && self.dim() ? self : flatten(self);
  const int64_t at = dim ? wrap_dim(*dim, self.dim()) : 0;
  int64_t total;
  check(!__builtin_mul_overflow(input->shape[at], repeats, &total),
        "repeat_interleave: {} repeats of {} elements overflow", repeats, input->shape[at]);
  check(!output_size || *output_size == total,
        "repeat_interleave: Invalid output_size, expected {} but got {}", total,
        output_size.value_or(0));
  Dims shape(input.shape());
  shape.insert(static_cast<int>(at) + 1, repeats);
  return flatten(clone(expand(unsqueeze(input, at + 1), shape)), at, at + 1);
}
// Scales the rows that are looked up, and are longer than max_norm, in place.
void renorm_rows(const Tensor& weight, const Tensor& indices, double max_norm, double norm_type) {
  GradModeGuard off(false);
  check(weight.storage()->writable, "embedding: the memory of the weight is read-only");
  const Tensor used = std::get<0>(unique(indices, false, false));
  const Tensor rows = index_select(weight, 0, used);
  const Dims last{1};
  const Tensor length = vector_norm(rows, Scalar(norm_type), IntList(last), true);
  const Tensor scale =
      where(gt(length, wrap(Scalar(max_norm))),
            div(wrap(Scalar(max_norm)), add(length, Scalar(1e-7))), wrap(Scalar(1.0)));
  const Tensor scaled = to_dtype(mul(rows, scale), weight.dtype());
  index_copy(weight, 0, to_dtype(used, DType::Int64), scaled, Dst::inplace(weight));
  weight.bump_version();
}
Tensor embedding_function(const Tensor& input, const Tensor& weight, OptInt padding_idx,
                          std::optional<double> max_norm, double norm_type, bool scale_grad_by_freq,
                          bool sparse) {
  check(weight.dim() == 2, "'weight' must be 2-D");
  int64_t padding = -1;
  if (padding_idx) {
    const int64_t n = weight->shape[0];
    check<ValueError>(*padding_idx >= -n && *padding_idx < n,
                      "Padding_idx must be within num_embeddings");
    padding = *padding_idx < 0 ? *padding_idx + n : *padding_idx;
  }
  if (max_norm && input.numel() > 0) renorm_rows(weight, input, *max_norm, norm_type);
  return embedding(weight, input, padding, scale_grad_by_freq, sparse);
}

}  // namespace

void register_index_mask(OpTable& ops) {
  ops.add("nonzero(Tensor self) -> Tensor", nonzero, Both | Out,
          "Returns the coordinates of the non-zero elements, one a row (int64, row-major order).");
  ops.add(
      "argwhere(Tensor self) -> Tensor", +[](const Tensor& self) { return nonzero(self); }, Both,
      "Returns the coordinates of the non-zero elements, one a row.");
  ops.add("masked_select(Tensor self, Tensor mask) -> Tensor", masked_select, Both | Out,
          "Returns the elements where the bool ``mask`` (broadcast) is true, as a vector.");
  ops.add("masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor", masked_scatter,
          Both | Inplace, "Returns ``self`` with source's elements, in order, where mask is true.");
  const char* repeat_doc =
      "Repeats each element (slice along ``dim``) that many times; flat without ``dim``.\n"
      "Of a vector of counts alone: the indices that do so.";
  ops.add(
      "repeat_interleave(Tensor self, int repeats, int? dim=None, *, int? output_size=None) -> "
      "Tensor",
      repeat_interleave_int, Both, repeat_doc);
  ops.add(
      "repeat_interleave(Tensor self, Tensor repeats, int? dim=None, *, int? output_size=None) "
      "-> Tensor",
      repeat_interleave, Both, repeat_doc);
  ops.add("repeat_interleave(Tensor repeats, *, int? output_size=None) -> Tensor", spread_row, Both,
          repeat_doc);
  ops.add(
      "nn.one_hot(Tensor self, int num_classes=-1) -> Tensor", one_hot, Function,
      "Returns int64 vectors with a 1 at each class; ``num_classes`` -1 takes the largest + 1.");
  ops.add(
      "embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool "
      "scale_grad_by_freq=False, bool sparse=False) -> Tensor",
      embedding, Function, "Returns the rows of ``weight`` that ``indices`` names.");
  ops.add(
      "nn.embedding(Tensor input, Tensor weight, int? padding_idx=None, float? max_norm=None, "
      "float norm_type=2.0, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor",
      embedding_function, Function,
      "Returns the rows of ``weight`` that ``input`` (int64 or int32) names.\n"
      "Row ``padding_idx`` gets no gradient; IndexError for an index out of range.");
}

}  // namespace d2l
