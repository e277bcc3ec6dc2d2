// Rearranging copies: flip, roll, repeat, tile.
#include "ops/view_parts.h"

namespace d2l {
namespace {

// Rows of one item size, read backwards.
template <class T>
void reverse_rows(char* const* ptr, const int64_t* strides, int64_t n, int64_t m, const Scalars*) {
  for (int64_t j = 0; j < m; ++j) {
    T* to = reinterpret_cast<T*>(ptr[0] + j * strides[2]);
    const T* from = reinterpret_cast<const T*>(ptr[1] + j * strides[3]) - (n - 1);
    for (int64_t i = 0; i < n; ++i) to[i] = from[n - 1 - i];
  }
}

// out[i] = self with the dimensions of `mask` read backwards.
void flip_into(const Tensor& out, const Tensor& self, uint32_t mask) {
  if (self.numel() == 0) return;
  // A plan by hand: strides are negative, which no tensor may have.
  const int n = static_cast<int>(self.dim());
  const int64_t size = self.item_bytes();
  Plan p;
  p.operands = 2;
  p.ndim = n;
  p.numel = self.numel();
  p.data[0] = out.data();
  p.data[1] = self.data();
  for (int i = 0; i < n; ++i) {
    const int d = n - 1 - i;
    p.shape[i] = self->shape[d];
    p.strides[0][i] = out->strides[d] * size;
    p.strides[1][i] = self->strides[d] * size;
    if (mask >> d & 1) {
      p.data[1] += (self->shape[d] - 1) * p.strides[1][i];
      p.strides[1][i] = -p.strides[1][i];
    }
  }
  p.dtype[0] = p.dtype[1] = self.dtype();
  const int type = static_cast<int>(self.dtype());
  LoopFn copy = kernels().cast[type][type];
  if (n > 0 && p.strides[0][0] == size && p.strides[1][0] == -size) {
    copy = size == 1   ? reverse_rows<uint8_t>
           : size == 2 ? reverse_rows<uint16_t>
           : size == 4 ? reverse_rows<uint32_t>
           : size == 8 ? reverse_rows<uint64_t>
                       : copy;
  }
  run_plan(p, copy, p.dtype, 1);
}

// out = self moved by shift (in [0, size)) along dim.
void roll_into(const Tensor& out, const Tensor& self, int64_t dim, int64_t shift) {
  const int64_t n = self->shape[dim];
  copy_into(raw_narrow(out, dim, shift, n - shift), raw_narrow(self, dim, 0, n - shift));
  if (shift) copy_into(raw_narrow(out, dim, 0, shift), raw_narrow(self, dim, n - shift, shift));
}

// Repeats as pairs (repeats, size) for the dimensions that are repeated, (size) for the others.
struct Repeats {
  Dims paired;   // of the result
  Dims reduced;  // dimensions of `paired` that hold repeats
  Dims source;   // strides of self in `paired`
  Dims shape;    // of the result
};
Repeats pair_up(IntList shape, IntList strides, IntList repeats) {
  Repeats r;
  const size_t lead = repeats.size() - shape.size();
  for (size_t i = 0; i < repeats.size(); ++i) {
    const int64_t n = i < lead ? 1 : shape[i - lead], step = i < lead ? 0 : strides[i - lead];
    int64_t total;
    check(!__builtin_mul_overflow(n, repeats[i], &total), "repeat: sizes {} times {} overflow",
          shape, repeats);
    r.shape.push_back(total);
    if (repeats[i] != 1 && n != 1) {
      r.reduced.push_back(r.paired.size());
      r.paired.push_back(repeats[i]);
      r.source.push_back(0);
    }
    if (repeats[i] != 1 && n == 1) {
      r.reduced.push_back(r.paired.size());
      r.paired.push_back(repeats[i]);
      r.source.push_back(0);
    } else {
      r.paired.push_back(n);
      r.source.push_back(step);
    }
  }
  return r;
}

}  // namespace

Tensor flip(const Tensor& self, IntList dims) {
  uint32_t mask = 0;
  for (int64_t d : dims) {
    const int64_t at = wrap_dim(d, self.dim());
    check(!(mask >> at & 1), "dim {} appears multiple times in the list of dims", at);
    mask |= 1u << at;
  }
  Tensor out = empty_as(self, self.dtype());
  flip_into(out, self, mask);
  const Dims list(dims);
  return record(out, "FlipBackward0", {&self}, saved(),
                [list](const Tensor& g) { return flip(g, list); });
}

Tensor roll(const Tensor& self, IntList shifts, IntList dims) {
  check(!shifts.empty(), "`shifts` required");
  if (dims.empty() && shifts.size() == 1) {
    return view(roll(contiguous(reshape(self, Dims{-1})), shifts, Dims{0}), self.shape());
  }
  check(shifts.size() == dims.size(), "shifts and dimensions must align. shifts: {}, dims:{}",
        static_cast<int64_t>(shifts.size()), static_cast<int64_t>(dims.size()));
  check<IndexError>(self.dim() > 0, "Dimension specified as {} but tensor has no dimensions",
                    dims[0]);
  Dims by, at, back;
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t d = wrap_dim(dims[i], self.dim());
    const int64_t n = std::max<int64_t>(self->shape[d], 1);
    at.push_back(d);
    by.push_back((shifts[i] % n + n) % n);
    back.push_back((n - by.back()) % n);
  }
  Tensor out = empty(self.shape(), self.dtype());
  if (self.numel() > 0) {
    Tensor source = self;
    for (int i = 0; i < at.size(); ++i) {
      if (i > 0) out = empty(self.shape(), self.dtype());
      roll_into(out, source, at[i], by[i]);
      source = out;
    }
  }
  return record(out, "RollBackward0", {&self}, saved(),
                [back, at](const Tensor& g) { return roll(g, back, at); });
}

Tensor repeat(const Tensor& self, IntList repeats) {
  check(
      static_cast<int64_t>(repeats.size()) >= self.dim(),
      "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  const Repeats r = pair_up(self.shape(), self.strides(), repeats);
  Tensor out = empty(r.shape, self.dtype());
  if (out.numel() > 0) {
    copy_into(raw_view(out, r.paired, contiguous_strides(r.paired), 0),
              raw_view(self, r.paired, r.source, self.offset()));
  }
  const Dims times(repeats);
  return record(out, "RepeatBackward0", {&self}, saved(),
                [times](const Node& node, const Tensor& g) {
                  const IntList shape = node.input_shape(0);
                  const Repeats p = pair_up(shape, contiguous_strides(shape), times);
                  if (p.reduced.empty()) return reshape(g, shape);
                  return reshape(sum(reshape(g, p.paired), IntList(p.reduced)), shape);
                });
}

Tensor tile(const Tensor& self, IntList dims) {
  Dims repeats;
  for (int64_t i = static_cast<int64_t>(dims.size()); i < self.dim(); ++i) repeats.push_back(1);
  for (int64_t n : dims) repeats.push_back(n);
  return repeat(self, repeats);
}

namespace {

Tensor fliplr(const Tensor& self) {
  check(self.dim() >= 2, "Input must be >= 2-d.");
  return flip(self, Dims{1});
}
Tensor flipud(const Tensor& self) {
  check(self.dim() >= 1, "Input must be >= 1-d.");
  return flip(self, Dims{0});
}

}  // namespace

void register_view_copies(OpTable& ops) {
  ops.add("flip(Tensor self, int[1] dims) -> Tensor", flip, Both,
          "Returns a copy with the given dimensions in reverse order.");
  ops.add("fliplr(Tensor self) -> Tensor", fliplr, Both, "Returns ``flip(self, 1)``.");
  ops.add("flipud(Tensor self) -> Tensor", flipud, Both, "Returns ``flip(self, 0)``.");
  ops.add(
      "roll(Tensor self, int[1] shifts, int[1] dims=[]) -> Tensor", roll, Both,
      "Returns a copy moved by ``shifts`` along ``dims``, what leaves at the end coming back at "
      "the start; without ``dims`` the flattened tensor is rolled.");
  ops.add("repeat(Tensor self, int[] repeats) -> Tensor", repeat, Method,
          "Returns ``self`` repeated that many times along each dimension (leading ones added).");
  ops.add("tile(Tensor self, int[] dims) -> Tensor", tile, Both,
          "Returns ``self`` repeated along the last ``len(dims)`` dimensions.");
}

}  // namespace d2l
