// Rearrangements of channels and places: pixel_shuffle, its inverse and channel_shuffle.
#include "ops/conv_parts.h"

namespace d2l {
namespace {

// The dimensions of self, split, in another order and merged: always a copy.
Tensor rearranged(const Tensor& self, IntList split, IntList order, IntList out) {
  const Tensor t = permute(reshape(self, split), order);
  return reshape(t.is_contiguous() ? clone(t) : contiguous(t), out);
}

Tensor pixel_shuffle(const Tensor& self, int64_t upscale_factor) {
  const int64_t r = upscale_factor, n = self.dim();
  check(n >= 3,
        "pixel_shuffle expects input to have at least 3 dimensions, but got input with {} "
        "dimension(s)",
        n);
  check(r > 0, "pixel_shuffle expects a positive upscale_factor, but got {}", r);
  const int64_t c = self->shape[n - 3], h = self->shape[n - 2], w = self->shape[n - 1];
  int64_t square, height, width;
  check(!__builtin_mul_overflow(r, r, &square) && !__builtin_mul_overflow(h, r, &height) &&
            !__builtin_mul_overflow(w, r, &width),
        "pixel_shuffle: upscale_factor {} is too large", r);
  check(c % square == 0,
        "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
        "upscale_factor, but input.size(-3)={} is not divisible by {}",
        c, square);
  Dims split(self.shape().first(n - 3)), order, out = split;
  for (int64_t i = 0; i < n - 3; ++i) order.push_back(i);
  for (const int64_t v : {c / square, r, r, h, w}) split.push_back(v);
  for (const int64_t i : {0, 3, 1, 4, 2}) order.push_back(n - 3 + i);
  for (const int64_t v : {c / square, height, width}) out.push_back(v);
  return rearranged(self, split, order, out);
}

Tensor pixel_unshuffle(const Tensor& self, int64_t downscale_factor) {
  const int64_t r = downscale_factor, n = self.dim();
  check(n >= 3,
        "pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
        "{} dimension(s)",
        n);
  check(r > 0, "pixel_unshuffle expects a positive downscale_factor, but got {}", r);
  const int64_t c = self->shape[n - 3], h = self->shape[n - 2], w = self->shape[n - 1];
  check(h % r == 0,
        "pixel_unshuffle expects height to be divisible by downscale_factor, but "
        "input.size(-2)={} is not divisible by {}",
        h, r);
  check(w % r == 0,
        "pixel_unshuffle expects width to be divisible by downscale_factor, but "
        "input.size(-1)={} is not divisible by {}",
        w, r);
  int64_t channels;
  check(!__builtin_mul_overflow(c, r, &channels) && !__builtin_mul_overflow(channels, r, &channels),
        "pixel_unshuffle: downscale_factor {} is too large", r);
  Dims split(self.shape().first(n - 3)), order, out = split;
  for (int64_t i = 0; i < n - 3; ++i) order.push_back(i);
  for (const int64_t v : {c, h / r, r, w / r, r}) split.push_back(v);
  for (const int64_t i : {0, 2, 4, 1, 3}) order.push_back(n - 3 + i);
  for (const int64_t v : {channels, h / r, w / r}) out.push_back(v);
  return rearranged(self, split, order, out);
}

Tensor channel_shuffle(const Tensor& self, int64_t groups) {
  check(self.dim() > 2, "channel_shuffle expects input with > 2 dims, but got input with sizes {}",
        self.shape());
  check(groups > 0, "Number of groups to divide channels in must be positive. Value of groups:{}",
        groups);
  const int64_t c = self->shape[1];
  check(c % groups == 0,
        "Number of channels must be divisible by groups. Got {} channels and {} groups.", c,
        groups);
  Dims split{self->shape[0], groups, c / groups}, order{0, 2, 1};
  for (int64_t i = 2; i < self.dim(); ++i) {
    split.push_back(self->shape[i]);
    order.push_back(i + 1);
  }
  return rearranged(self, split, order, self.shape());
}

}  // namespace

void register_conv_shuffle(OpTable& ops) {
  for (const std::string space : {"", "nn."}) {
    const std::string x = space.empty() ? "(Tensor self, " : "(Tensor input, ";
    ops.add((space + "pixel_shuffle" + x + "int upscale_factor) -> Tensor").c_str(), pixel_shuffle,
            Function,
            "Turns (..., C * r * r, H, W) into (..., C, H * r, W * r): each square of r x r pixels "
            "comes from r * r channels (Shi et al. 2016, arXiv:1609.05158).");
    ops.add((space + "pixel_unshuffle" + x + "int downscale_factor) -> Tensor").c_str(),
            pixel_unshuffle, Function,
            "Turns (..., C, H * r, W * r) into (..., C * r * r, H, W): the inverse of "
            "``pixel_shuffle``.");
    ops.add((space + "channel_shuffle" + x + "int groups) -> Tensor").c_str(), channel_shuffle,
            Function,
            "Exchanges the two parts of the channels (N, groups * c, ...) into (N, c * groups, "
            "...) (Zhang et al. 2018, arXiv:1707.01083).");
  }
  ops.add("native_channel_shuffle(Tensor self, int groups) -> Tensor", channel_shuffle, Function,
          "The same as ``channel_shuffle``.");
}

}  // namespace d2l
