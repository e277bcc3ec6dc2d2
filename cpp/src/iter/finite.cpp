// Non-finite numbers have an exponent of ones: an integer test, which compilers make vectors of.
//
// A chunk is first asked whether it holds any such number at all, which is all that is ever done to
// a healthy tensor; only a chunk that does is looked at number by number.
#include "iter/finite.h"

#include <algorithm>
#include <cstring>

#include "iter/map.h"

namespace d2l {
namespace {

template <class Bits, Bits kExponent>
struct Format {
  static constexpr Bits kMagnitude = static_cast<Bits>(~Bits{0}) >> 1;

  // The top bit of x + (one step of the exponent) is set when all of the exponent's bits are.
  static bool any(const Bits* p, int64_t n) {
    constexpr Bits kStep = static_cast<Bits>(~kExponent) & kMagnitude;
    Bits seen = 0;
    for (int64_t i = 0; i < n; ++i) {
      seen |= static_cast<Bits>((p[i] & kMagnitude) + kStep + 1);
    }
    return seen >> (8 * sizeof(Bits) - 1);
  }

  static std::optional<NonFinite> find(const char* data, int64_t n, const NumberCheck& what) {
    constexpr int64_t kChunk = 8192;
    const auto* p = reinterpret_cast<const Bits*>(data);
    for (int64_t at = 0; at < n; at += kChunk) {
      const int64_t end = std::min(n, at + kChunk);
      if (!any(p + at, end - at)) continue;
      for (int64_t i = at; i < end; ++i) {
        const Bits magnitude = p[i] & kMagnitude;
        if (magnitude < kExponent) continue;
        const bool nan = magnitude > kExponent;
        if (nan ? what.nan : what.inf) return NonFinite{i, nan};
      }
    }
    return std::nullopt;
  }
};

using Single = Format<uint32_t, 0x7f800000u>;
using Double = Format<uint64_t, 0x7ff0000000000000u>;
using Half = Format<uint16_t, 0x7c00u>;
using BFloat = Format<uint16_t, 0x7f80u>;

std::optional<NonFinite> find_in(const Tensor& t, const NumberCheck& what) {
  const int64_t n = t.numel();
  switch (t.dtype()) {
    case DType::Float:
      return Single::find(t.data(), n, what);
    case DType::Double:
      return Double::find(t.data(), n, what);
    case DType::Half:
      return Half::find(t.data(), n, what);
    case DType::BFloat16:
      return BFloat::find(t.data(), n, what);
    case DType::ComplexFloat:
    case DType::ComplexDouble: {
      auto found = t.dtype() == DType::ComplexFloat ? Single::find(t.data(), 2 * n, what)
                                                    : Double::find(t.data(), 2 * n, what);
      if (found) found->index /= 2;
      return found;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<NonFinite> find_non_finite(const Tensor& t, const NumberCheck& what) {
  if (!is_differentiable(t.dtype()) || t.numel() == 0) return std::nullopt;
  if (t.is_contiguous()) return find_in(t, what);
  // One element may stand for many (an expanded tensor): each is looked at once.
  Dims shape(t.shape()), strides(t.strides());
  for (int d = 0; d < shape.size(); ++d) {
    if (strides[d] == 0) shape[d] = 1;
  }
  const Tensor once = raw_view(t, shape, strides, t.offset());
  const Tensor dense = empty(shape, t.dtype());
  copy_into(dense, once);
  auto found = find_in(dense, what);
  if (!found) return found;
  // From the place among those looked at to the first place in t.
  int64_t rest = found->index, index = 0, step = 1;
  for (int k = shape.size() - 1; k >= 0; --k) {
    index += rest % shape[k] * step;
    rest /= shape[k];
    step *= t.shape()[static_cast<size_t>(k)];
  }
  found->index = index;
  return found;
}

}  // namespace d2l
