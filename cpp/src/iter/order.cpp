// Radix sort and selection over ordered keys.
#include "iter/order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "core/half.h"
#include "core/kernel_table.h"
#include "core/thread_pool.h"
#include "iter/plan.h"

namespace d2l {
namespace {

// Unsigned numbers in the order of the floats: no branches, so that signs at random cost nothing.
// Adding zero makes -0 equal to 0; NaN comes last.
uint64_t key_of_double(double x) {
  const auto bits = std::bit_cast<uint64_t>(x + 0.0);
  const auto sign = static_cast<uint64_t>(static_cast<int64_t>(bits) >> 63);
  return x != x ? UINT64_MAX : bits ^ (sign | uint64_t{1} << 63);
}
uint32_t key_of_float(float x) {
  const auto bits = std::bit_cast<uint32_t>(x + 0.0f);
  const auto sign = static_cast<uint32_t>(static_cast<int32_t>(bits) >> 31);
  return x != x ? UINT32_MAX : bits ^ (sign | uint32_t{1} << 31);
}

// fn(i, key) for each of n elements, step bytes apart; keys of narrow dtypes fit in 32 bits.
template <class F>
void each_key(DType dtype, const char* p, int64_t step, int64_t n, F fn) {
  auto read = [&]<class T>(T*, auto key) {
    for (int64_t i = 0; i < n; ++i) {
      T v;
      std::memcpy(&v, p + i * step, sizeof v);
      fn(i, static_cast<uint64_t>(key(v)));
    }
  };
  auto flip = [](uint64_t v, int bits) { return v ^ (uint64_t{1} << (bits - 1)); };
  switch (dtype) {
    case DType::Bool:
    case DType::UInt8:
      return read(static_cast<uint8_t*>(nullptr), [](uint8_t v) { return v; });
    case DType::Int8:
      return read(static_cast<uint8_t*>(nullptr), [&](uint8_t v) { return flip(v, 8); });
    case DType::Int16:
      return read(static_cast<uint16_t*>(nullptr), [&](uint16_t v) { return flip(v, 16); });
    case DType::Int32:
      return read(static_cast<uint32_t*>(nullptr), [&](uint32_t v) { return flip(v, 32); });
    case DType::Int64:
      return read(static_cast<uint64_t*>(nullptr), [&](uint64_t v) { return flip(v, 64); });
    case DType::Half:
      return read(static_cast<uint16_t*>(nullptr),
                  [](uint16_t v) { return key_of_float(half_to_float(v)); });
    case DType::BFloat16:
      return read(static_cast<uint16_t*>(nullptr),
                  [](uint16_t v) { return key_of_float(bfloat16_to_float(v)); });
    case DType::Float:
      return read(static_cast<float*>(nullptr), key_of_float);
    default:
      return read(static_cast<double*>(nullptr), key_of_double);
  }
}
bool is_wide(DType t) { return t == DType::Int64 || t == DType::Double; }
uint64_t nan_key(DType t) {
  return t == DType::Double ? UINT64_MAX : is_floating(t) ? UINT32_MAX : UINT64_MAX;
}

// Narrow keys: key and position in one word. Wide ones: a pair.
struct Narrow {
  using Key = uint32_t;
  uint64_t word;
  static Narrow make(uint64_t key, uint64_t i) { return {key << 32 | i}; }
  uint64_t key() const { return word >> 32; }
  int64_t index() const { return static_cast<int64_t>(word & UINT32_MAX); }
  friend bool operator<(const Narrow& a, const Narrow& b) { return a.word < b.word; }
  static constexpr int kBits = 32;
  static uint64_t mirror(uint64_t key) { return ~key & UINT32_MAX; }
};
struct Wide {
  using Key = uint64_t;
  uint64_t k, i;
  static Wide make(uint64_t key, uint64_t i) { return {key, i}; }
  uint64_t key() const { return k; }
  int64_t index() const { return static_cast<int64_t>(i); }
  friend bool operator<(const Wide& a, const Wide& b) { return a.k != b.k ? a.k < b.k : a.i < b.i; }
  static constexpr int kBits = 64;
  static uint64_t mirror(uint64_t key) { return ~key; }
};

// An array of our own allocator: large blocks come back warm.
template <class E>
class Room {
 public:
  void resize(size_t n) {
    size_ = n;
    const auto bytes = static_cast<int64_t>(n * sizeof(E));
    if (!block_.defined() || block_.nbytes() < bytes) block_ = empty(Dims{bytes}, DType::UInt8);
    data_ = reinterpret_cast<E*>(block_.data());
  }
  size_t size() const { return size_; }
  E* begin() const { return data_; }
  E* end() const { return data_ + size_; }
  E& operator[](size_t i) const { return data_[i]; }
  void swap(Room& o) {
    std::swap(block_, o.block_);
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
  }

 private:
  Tensor block_;
  E* data_ = nullptr;
  size_t size_ = 0;
};

// Sorts by key; positions rise already, and each pass is stable.
template <class E>
void radix_sort(Room<E>& a, Room<E>& scratch) {
  const size_t n = a.size();
  if (n < 512) {
    std::sort(a.begin(), a.end());
    return;
  }
  constexpr int kDigit = 11, kPasses = (E::kBits + kDigit - 1) / kDigit;
  constexpr uint64_t kMask = (1 << kDigit) - 1;
  std::vector<uint32_t> counts(static_cast<size_t>(kPasses) << kDigit);
  for (const E& e : a) {
    for (int p = 0; p < kPasses; ++p) {
      ++counts[(static_cast<size_t>(p) << kDigit) + (e.key() >> (p * kDigit) & kMask)];
    }
  }
  scratch.resize(n);
  for (int p = 0; p < kPasses; ++p) {
    uint32_t* c = counts.data() + (static_cast<size_t>(p) << kDigit);
    if (c[a[0].key() >> (p * kDigit) & kMask] == n) continue;  // all keys share this digit
    uint32_t sum = 0;
    for (uint64_t d = 0; d <= kMask; ++d) sum += std::exchange(c[d], sum);
    for (const E& e : a) scratch[c[e.key() >> (p * kDigit) & kMask]++] = e;
    a.swap(scratch);
  }
}

template <class E>
struct Lane {
  Room<E> items, scratch;

  // Leaves the chosen positions at the front of items.
  void choose(Pick what, int64_t k, DType dtype) {
    const auto n = static_cast<int64_t>(items.size());
    switch (what) {
      case Pick::Sort:
        radix_sort(items, scratch);
        return;
      case Pick::Top:  // k < n / 8: pick_top
        radix_sort(items, scratch);
        return;
      case Pick::Nth:
        return nth(k);
      case Pick::Median:
      case Pick::NanMedian: {
        const uint64_t nan = nan_key(dtype);
        int64_t first = -1, numbers = 0;
        for (int64_t i = 0; i < n; ++i) {
          const bool is_nan = is_floating(dtype) && items[static_cast<size_t>(i)].key() == nan;
          if (is_nan && first < 0) first = i;
          numbers += !is_nan;
        }
        if (first >= 0 && (what == Pick::Median || numbers == 0)) {
          std::swap(items[0], items[static_cast<size_t>(first)]);
        } else {
          nth((numbers - 1) / 2);
        }
        return;
      }
      case Pick::Mode: {
        radix_sort(items, scratch);
        size_t best = 0, longest = 0;
        for (size_t i = 0, run = 0; i < items.size(); ++i) {
          run = i > 0 && items[i].key() == items[i - 1].key() ? run + 1 : 1;
          if (run > longest) {
            longest = run;
            best = i;
          }
        }
        std::swap(items[0], items[best]);
        return;
      }
    }
  }

 private:
  void nth(int64_t k) {
    std::nth_element(items.begin(), items.begin() + k, items.end());
    std::swap(items[0], items[static_cast<size_t>(k)]);
  }
};

// One lane: where it starts in the three tensors, in elements.
struct Place {
  int64_t in = 0, index = 0, value = 0;
};

struct Job {
  const Tensor& self;
  int64_t dim;
  Pick what;
  int64_t k;
  bool descending;
  const Tensor& values;
  const Tensor& indices;

  Place place(int64_t lane) const {
    Place p;
    for (int64_t d = self.dim() - 1; d >= 0; --d) {
      if (d == dim) continue;
      const int64_t c = lane % self->shape[d];
      lane /= self->shape[d];
      p.in += c * self->strides[d];
      p.index += c * indices->strides[d];
      if (values.defined()) p.value += c * values->strides[d];
    }
    return p;
  }
  template <class F>
  void keys(const Place& p, F fn) const {
    const int64_t size = self.item_bytes();
    each_key(self.dtype(), self.data() + p.in * size, self->strides[dim] * size, self->shape[dim],
             fn);
  }
  template <class E>
  void write(const Place& p, const Lane<E>& lane) const {
    const int64_t size = self.item_bytes(), step = self->strides[dim] * size;
    const char* from = self.data() + p.in * size;
    int64_t* index = indices.data_as<int64_t>() + p.index;
    char* value = values.defined() ? values.data() + p.value * size : nullptr;
    const int64_t n = indices->shape[dim], index_step = indices->strides[dim];
    const int64_t value_step = value ? values->strides[dim] * size : 0;
    for (int64_t j = 0; j < n; ++j) {
      const int64_t i = lane.items[static_cast<size_t>(j)].index();
      index[j * index_step] = i;
      if (value) copy_item(value + j * value_step, from + i * step, size);
    }
  }
  static void copy_item(char* to, const char* from, int64_t size) {
    switch (size) {
      case 1:
        *to = *from;
        return;
      case 2:
        std::memcpy(to, from, 2);
        return;
      case 4:
        std::memcpy(to, from, 4);
        return;
      default:
        std::memcpy(to, from, 8);
        return;
    }
  }
};

// Whether one of n contiguous elements may come before `bound` in the order (or, with `ties`,
// beside it). A plain loop of comparisons, which the compiler makes vectors of; other dtypes are
// always looked at.
bool may_come_before(DType dtype, bool descending, const char* p, int64_t n, const char* bound,
                     bool ties) {
  auto any = [&]<class T>(T*) {
    const T* x = reinterpret_cast<const T*>(p);
    const T b = *reinterpret_cast<const T*>(bound);
    int found = 0;
    if (descending && ties) {
      for (int64_t i = 0; i < n; ++i) found |= !(x[i] < b);  // NaN comes first
    } else if (descending) {
      for (int64_t i = 0; i < n; ++i) found |= !(x[i] <= b);
    } else if (ties) {
      for (int64_t i = 0; i < n; ++i) found |= !(x[i] > b);
    } else {
      for (int64_t i = 0; i < n; ++i) found |= !(x[i] >= b);
    }
    return found != 0;
  };
  switch (dtype) {
    case DType::Int32:
      return any(static_cast<int32_t*>(nullptr));
    case DType::Int64:
      return any(static_cast<int64_t*>(nullptr));
    case DType::Float:
      return any(static_cast<float*>(nullptr));
    case DType::Double:
      return any(static_cast<double*>(nullptr));
    default:
      return true;
  }
}

// The best elements of kGroups interleaved parts of a contiguous lane: k of them are at least as
// good as the k-th of these, so nothing behind it needs a look.
struct Groups {
  static constexpr int64_t kGroups = 32;
  alignas(64) char best[kGroups * 8];

  // The k-th of them, k <= kGroups, and its key; null where this does not help.
  template <class E>
  const char* bound(const Job& job, const char* from, int64_t n, uint64_t least,
                    typename E::Key& key_of_bound) {
    const DType dtype = job.self.dtype();
    const int64_t size = job.self.item_bytes();
    if (n < 8 * kGroups || size < 4) return nullptr;
    const Reduce kind = job.descending ? Reduce::max : Reduce::min;
    const ReduceArgs a{best, nullptr, from, n / kGroups, kGroups * size, kGroups, size, size, 0, 0};
    kernels().reduce[static_cast<int>(kind)][static_cast<int>(dtype)](&a);
    std::array<E, kGroups> keys;
    each_key(dtype, best, size, kGroups, [&](int64_t i, uint64_t key) {
      keys[static_cast<size_t>(i)] =
          E::make(job.descending ? E::mirror(key - least) : key - least, static_cast<uint64_t>(i));
    });
    std::nth_element(keys.begin(), keys.begin() + job.k - 1, keys.end());
    const E& kth = keys[static_cast<size_t>(job.k - 1)];
    key_of_bound = static_cast<typename E::Key>(kth.key());
    return best + kth.index() * size;
  }
};

// The first k of a lane, k much smaller than its length n: a block of elements is looked at as a
// whole, and usually none of them comes before the k-th of those seen so far.
template <class E>
void pick_top(const Job& job, const Place& p, uint64_t least, Lane<E>& lane) {
  using Key = typename E::Key;
  constexpr int64_t kBlock = 32;
  const int64_t n = job.self->shape[job.dim], size = job.self.item_bytes();
  const int64_t step = job.self->strides[job.dim] * size;
  const char* from = job.self.data() + p.in * size;
  const int64_t room = std::max<int64_t>(2 * job.k, 2 * kBlock);
  lane.items.resize(static_cast<size_t>(room + kBlock));
  E* items = lane.items.begin();
  int64_t held = 0;
  Key limit = 0;
  bool limited = false;
  const bool few = job.k <= 16;  // these are kept in order, one inserted at a time
  auto insert = [&](E e) {
    int64_t at = held < job.k ? held++ : held - 1;
    for (; at > 0 && e < items[at - 1]; --at) items[at] = items[at - 1];
    items[at] = e;
    if (held < job.k) return;
    limited = true;
    limit = static_cast<Key>(items[held - 1].key());
  };
  auto shrink = [&] {
    std::nth_element(items, items + job.k - 1, items + held);
    held = job.k;
    limit = static_cast<Key>(items[held - 1].key());
    limited = true;
  };
  Groups groups;
  const char* bound = nullptr;
  if (few && job.k > 0 && step == size) bound = groups.bound<E>(job, from, n, least, limit);
  if (bound && limit == static_cast<Key>(-1)) bound = nullptr;
  if (bound) ++limit;  // its equals may be among the first k
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t count = std::min(kBlock, n - i);
    if (step == size && (limited || bound)) {
      const char* last = limited ? from + items[job.k - 1].index() * step : bound;
      if (!may_come_before(job.self.dtype(), job.descending, from + i * step, count, last,
                           !limited)) {
        continue;
      }
    }
    Key keys[kBlock];
    if (job.descending) {
      each_key(job.self.dtype(), from + i * step, step, count, [&](int64_t j, uint64_t key) {
        keys[j] = static_cast<Key>(E::mirror(key - least));
      });
    } else {
      each_key(job.self.dtype(), from + i * step, step, count,
               [&](int64_t j, uint64_t key) { keys[j] = static_cast<Key>(key - least); });
    }
    for (int64_t j = 0; j < count; ++j) {
      if ((limited || bound) && keys[j] >= limit) continue;
      const E e = E::make(keys[j], static_cast<uint64_t>(i + j));
      if (few) {
        insert(e);
      } else {
        items[held++] = e;
      }
    }
    if (held >= room) shrink();
  }
  if (held > job.k) shrink();
  if (!few) std::sort(items, items + held);
  job.write(p, lane);
}

// One lane with elements of type E; keys are counted from `least`.
template <class E>
void pick_lane(const Job& job, const Place& p, uint64_t least, Lane<E>& lane) {
  if (job.what == Pick::Top && job.k < job.self->shape[job.dim] / 8) {
    return pick_top(job, p, least, lane);
  }
  lane.items.resize(static_cast<size_t>(job.self->shape[job.dim]));
  E* to = lane.items.begin();
  if (job.descending) {
    job.keys(p, [&](int64_t i, uint64_t key) {
      to[i] = E::make(E::mirror(key - least), static_cast<uint64_t>(i));
    });
  } else {
    job.keys(p, [&](int64_t i, uint64_t key) {
      to[i] = E::make(key - least, static_cast<uint64_t>(i));
    });
  }
  lane.choose(job.what, job.k, job.self.dtype());
  job.write(p, lane);
}

}  // namespace

void pick(const Tensor& self, int64_t dim, Pick what, int64_t k, bool descending,
          const Tensor& values, const Tensor& indices) {
  if (self.numel() == 0 || indices.numel() == 0) return;
  check(self->shape[dim] <= UINT32_MAX, "sort: at most 2^32 - 1 elements along one dimension");
  const Job job{self, dim, what, k, descending, values, indices};
  const int64_t n = self->shape[dim];
  const bool wide = is_wide(self.dtype());
  parallel_for(self.numel() / n, std::max<int64_t>(1, 4096 / n), [&](int64_t begin, int64_t end) {
    Lane<Narrow> narrow_lane;
    Lane<Wide> wide_lane;
    for (int64_t l = begin; l < end; ++l) {
      const Place p = job.place(l);
      uint64_t least = 0, greatest = 0;
      if (self.dtype() == DType::Int64) {  // usually of a small range
        least = UINT64_MAX;
        job.keys(p, [&](int64_t, uint64_t key) {
          least = std::min(least, key);
          greatest = std::max(greatest, key);
        });
      }
      if (wide && (least == 0 || greatest - least > UINT32_MAX)) {
        pick_lane(job, p, 0, wide_lane);
      } else {
        pick_lane(job, p, wide ? least : 0, narrow_lane);
      }
    }
  });
}

void order_keys(const Tensor& contiguous, uint64_t* keys) {
  each_key(contiguous.dtype(), contiguous.data(), contiguous.item_bytes(), contiguous.numel(),
           [&](int64_t i, uint64_t key) { keys[i] = key; });
}

}  // namespace d2l
