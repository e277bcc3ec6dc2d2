// Generator: the Mersenne twister (MT19937) with PyTorch's conventions, so that a seed gives
// PyTorch's numbers. Matsumoto and Nishimura, ACM TOMACS 8 (1998).
#pragma once

#include <cstdint>
#include <optional>

#include "d2lcore/error.h"

namespace d2l {

class D2L_API Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721ull;
  static constexpr int kWords = 624;

  explicit Generator(uint64_t seed = kDefaultSeed) { set_seed(seed); }
  void set_seed(uint64_t seed);
  uint64_t initial_seed() const { return seed_; }

  uint32_t next32() {
    if (--left_ == 0) twist();
    uint32_t y = words_[next_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9D2C5680u;
    y ^= (y << 15) & 0xEFC60000u;
    return y ^ (y >> 18);
  }
  uint64_t next64() {  // two draws, the first one high
    const uint64_t high = next32();
    return high << 32 | next32();
  }
  // Uniform in [0, 1) with 24 and 53 random bits.
  float uniform_float() { return static_cast<float>(next32() & ((1u << 24) - 1)) * 0x1p-24f; }
  double uniform_double() { return static_cast<double>(next64() & ((1ull << 53) - 1)) * 0x1p-53; }
  // Standard normal by Box and Muller; the second of each pair is kept for the next call.
  double normal_double();

  // The state, as get_state() hands it out.
  struct State {
    uint64_t seed;
    uint32_t words[kWords];
    int32_t left, next;
    bool seeded, has_normal;
    double normal;
  };
  State state() const;
  void set_state(const State& s);

 private:
  void twist();
  uint64_t seed_;
  uint32_t words_[kWords];
  int32_t left_ = 1, next_ = 0;
  std::optional<double> normal_;
};

// The generator of torch.manual_seed.
D2L_API Generator& default_generator();
inline Generator& or_default(Generator* g) { return g ? *g : default_generator(); }

}  // namespace d2l
