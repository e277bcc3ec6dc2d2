// Sparse matrices along one dimension: what interpolation is made of.
//
// The one idea: out[o] = sum of weight[k] x[index[k]] for k in [offset[o], offset[o + 1]). Elements
// that lie together behind that dimension go through it as vectors; where there are none, each
// output is summed on its own.
#include "kernels/map.h"
#include "kernels/row_parts.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T>
void resample(const ResampleArgs* args) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  const T* weight = reinterpret_cast<const T*>(args->weight);
  const int64_t inner = args->inner;
  for (int64_t a = 0; a < args->outer; ++a) {
    const T* x = reinterpret_cast<const T*>(args->x) + a * args->n_in * inner;
    T* y = reinterpret_cast<T*>(args->out) + a * args->n_out * inner;
    for (int64_t o = 0; o < args->n_out; ++o, y += inner) {
      const int64_t begin = args->offset[o], end = args->offset[o + 1];
      if (inner == 1) {
        T sum = begin < end ? weight[begin] * x[args->index[begin]] : T(0);
        for (int64_t k = begin + 1; k < end; ++k) sum += weight[k] * x[args->index[k]];
        *y = sum;
        continue;
      }
      for (int64_t i = 0; i < inner; i += kPer) {
        const int64_t c = inner - i < kPer ? inner - i : kPer;
        V sum{};
        if (begin < end) sum = get(x + args->index[begin] * inner + i, c, V{}) * weight[begin];
        for (int64_t k = begin + 1; k < end; ++k) {
          sum = sum + get(x + args->index[k] * inner + i, c, V{}) * weight[k];
        }
        put(y + i, sum, c);
      }
    }
  }
}

}  // namespace

void fill_resample(KernelTable& t) {
  t.resample[kF32] = resample<float>;
  t.resample[kF64] = resample<double>;
}

}  // namespace d2l::D2L_ISA_NS
