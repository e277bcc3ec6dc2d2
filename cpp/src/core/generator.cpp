// MT19937, seeded from the low 32 bits as PyTorch does.
#include "d2lcore/generator.h"

#include <algorithm>
#include <cmath>

namespace d2l {

void Generator::set_seed(uint64_t seed) {
  seed_ = seed;
  words_[0] = static_cast<uint32_t>(seed);
  for (int i = 1; i < kWords; ++i) {
    words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + static_cast<uint32_t>(i);
  }
  left_ = 1;
  next_ = 0;
  normal_.reset();
}

void Generator::twist() {
  constexpr int kShift = 397;
  auto mix = [](uint32_t high, uint32_t low) {
    const uint32_t y = (high & 0x80000000u) | (low & 0x7FFFFFFFu);
    return (y >> 1) ^ ((low & 1) ? 0x9908B0DFu : 0u);
  };
  for (int i = 0; i < kWords - kShift; ++i)
    words_[i] = words_[i + kShift] ^ mix(words_[i], words_[i + 1]);
  for (int i = kWords - kShift; i < kWords - 1; ++i) {
    words_[i] = words_[i + kShift - kWords] ^ mix(words_[i], words_[i + 1]);
  }
  words_[kWords - 1] = words_[kShift - 1] ^ mix(words_[kWords - 1], words_[0]);
  left_ = kWords;
  next_ = 0;
}

double Generator::normal_double() {
  if (normal_) {
    const double kept = *normal_;
    normal_.reset();
    return kept;
  }
  const double u1 = uniform_double(), u2 = uniform_double();
  const double r = std::sqrt(-2.0 * std::log1p(-u2)), theta = 2.0 * M_PI * u1;
  normal_ = r * std::sin(theta);
  return r * std::cos(theta);
}

Generator::State Generator::state() const {
  State s{};
  s.seed = seed_;
  std::copy(words_, words_ + kWords, s.words);
  s.left = left_;
  s.next = next_;
  s.seeded = true;
  s.has_normal = normal_.has_value();
  s.normal = normal_.value_or(0);
  return s;
}

void Generator::set_state(const State& s) {
  check(s.left >= 1 && s.left <= kWords && s.next >= 0 && s.next <= kWords &&
            s.next + s.left <= kWords + 1,
        "Invalid mt19937 state");
  seed_ = s.seed;
  std::copy(s.words, s.words + kWords, words_);
  left_ = s.left;
  next_ = s.next;
  normal_.reset();
  if (s.has_normal) normal_ = s.normal;
}

Generator& default_generator() {
  static Generator* generator = new Generator;  // never destroyed
  return *generator;
}

}  // namespace d2l
