// Strided 2-D copies: rows by memcpy, fills, transposes in register tiles, and a plain loop.
#include "kernels/copy2d.h"

namespace d2l::D2L_ISA_NS {
namespace {

struct Item16 {
  uint64_t a, b;
};

void copy_row(char* to, const char* from, int64_t n) {
  // memcpy is "rep movsb" from a few KB on, which is good for long copies and 16 times slower than
  // a loop where stores run just ahead of loads modulo 4096.
  const int64_t lead = (to - from) & 4095;
  const bool ahead = lead > 0 && lead < 512;
  if (n >= 512) {  // no store across two cache lines
    const int64_t head = -reinterpret_cast<int64_t>(to) & 63;
    copy_bytes(to, from, head);
    to += head, from += head, n -= head;
  }
  if (n >= 2048 && !ahead) {
    __builtin_memcpy(to, from, static_cast<uint64_t>(n));
  } else {
    copy_bytes(to, from, n);
  }
}

template <class T>
D2L_INLINE T get(const char* p) {
  T v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
D2L_INLINE void put(char* p, T v) {
  __builtin_memcpy(p, &v, sizeof v);
}

template <class T>
void fill_row(char* to, T value, int64_t n) {
  constexpr int kPer = kVecBytes / sizeof(T);
  alignas(64) T pattern[kPer];
  for (int i = 0; i < kPer; ++i) pattern[i] = value;
  Vec<uint8_t> v = load<uint8_t>(pattern);
  for (; n >= kPer; n -= kPer, to += kVecBytes) store(to, v);
  if (n)
    copy_bytes(to, reinterpret_cast<const char*>(pattern), n * static_cast<int64_t>(sizeof(T)));
}

// Every second item of a row. Whole vectors are read, so the last item is left to the end.
template <class T>
void pack_row(char* to, const char* from, int64_t n) {
  constexpr int64_t kPer = kLanes<T>, kSize = sizeof(T);
  Vec<T> even;
  for (int i = 0; i < kPer; ++i) even[i] = static_cast<T>(2 * i);
  int64_t i = 0;
  for (; i + kPer < n; i += kPer) {
    const Vec<T> a = load<T>(from + 2 * i * kSize), b = load<T>(from + 2 * i * kSize + kVecBytes);
    store(to + i * kSize, __builtin_shuffle(a, b, even));
  }
  for (; i < n; ++i) put<T>(to + i * kSize, get<T>(from + 2 * i * kSize));
}

// A square of vectors, transposed in registers.
template <class T, int kBit>
D2L_INLINE void exchange_rows(Vec<T>* row) {
#pragma GCC unroll 64
  for (int r = 0; r < kLanes<T>; ++r) {
    if (!(r & kBit)) exchange<T, kBit>(row[r], row[r + kBit]);
  }
}
template <class T>
void transpose_tile(char* to, int64_t to_outer, const char* from, int64_t fi) {
  Vec<T> row[kLanes<T>];
#pragma GCC unroll 64
  for (int i = 0; i < kLanes<T>; ++i) row[i] = load<T>(from + i * fi);
  exchange_rows<T, 1>(row);
  if constexpr (kLanes<T> > 2) exchange_rows<T, 2>(row);
  if constexpr (kLanes<T> > 4) exchange_rows<T, 4>(row);
  if constexpr (kLanes<T> > 8) exchange_rows<T, 8>(row);
#pragma GCC unroll 64
  for (int i = 0; i < kLanes<T>; ++i) store(to + i * to_outer, row[i]);
}
// Items contiguous along i where they go and along j where they come from; n and m are at least a
// tile. The last tiles of a row or a column may overlap their neighbours.
template <class T>
void transpose_tiles(char* to, int64_t to_outer, const char* from, int64_t fi, int64_t n,
                     int64_t m) {
  constexpr int64_t kTile = kLanes<T>, kSize = sizeof(T);
  for (int64_t j = 0;;) {
    for (int64_t i = 0;;) {
      transpose_tile<T>(to + i * kSize + j * to_outer, to_outer, from + i * fi + j * kSize, fi);
      if (i + kTile == n) break;
      i = i + 2 * kTile <= n ? i + kTile : n - kTile;
    }
    if (j + kTile == m) break;
    j = j + 2 * kTile <= m ? j + kTile : m - kTile;
  }
}

// kTile x kTile blocks: both sides touch whole cache lines.
template <class T>
void transpose(char* to, int64_t ti, int64_t to_outer, const char* from, int64_t fi, int64_t fo,
               int64_t n, int64_t m) {
  if constexpr (sizeof(T) == 4 || sizeof(T) == 8) {
    if (n >= kLanes<T> && m >= kLanes<T>) {
      return transpose_tiles<T>(to, to_outer, from, fi, n, m);
    }
  }
  constexpr int kTile = sizeof(T) == 1 ? 16 : sizeof(T) == 16 ? 4 : 8;
  for (int64_t j = 0; j < m; j += kTile) {
    int64_t rows = m - j < kTile ? m - j : kTile;
    int64_t i = 0;
    if (rows == kTile) {
      for (; i + kTile <= n; i += kTile) {
        T block[kTile][kTile];
        const char* f = from + i * fi + j * fo;
#pragma GCC unroll 16
        for (int b = 0; b < kTile; ++b) {  // contiguous along j
          T line[kTile];
          __builtin_memcpy(line, f + b * fi, sizeof line);
#pragma GCC unroll 16
          for (int a = 0; a < kTile; ++a) block[a][b] = line[a];
        }
        char* t = to + i * ti + j * to_outer;
#pragma GCC unroll 16
        for (int a = 0; a < kTile; ++a)
          __builtin_memcpy(t + a * to_outer, block[a], sizeof block[a]);
      }
    }
    for (int64_t a = 0; a < rows; ++a) {
      for (int64_t b = i; b < n; ++b) {
        put<T>(to + b * ti + (j + a) * to_outer, get<T>(from + b * fi + (j + a) * fo));
      }
    }
  }
}

template <class T>
void copy_items(char* to, int64_t ti, int64_t to_outer, const char* from, int64_t fi, int64_t fo,
                int64_t n, int64_t m) {
  constexpr int64_t kSize = sizeof(T);
  if (n == 1) {  // the other loop is the inner one
    n = m, m = 1;
    ti = to_outer, fi = fo;
    to_outer = fo = 0;
  }
  if (ti == kSize && fi == kSize) {
    if (m > 1 && to_outer == n * kSize && fo == n * kSize) n *= m, m = 1;
    for (int64_t j = 0; j < m; ++j) copy_row(to + j * to_outer, from + j * fo, n * kSize);
    return;
  }
  if (ti == kSize && fi == 0) {
    if (m > 1 && fo == 0 && to_outer == n * kSize) n *= m, m = 1;
    for (int64_t j = 0; j < m; ++j) fill_row<T>(to + j * to_outer, get<T>(from + j * fo), n);
    return;
  }
  if (m > 1 && to_outer == kSize && fo == kSize && ti != kSize) {
    for (int64_t i = 0; i < n; ++i) copy_row(to + i * ti, from + i * fi, m * kSize);
    return;
  }
  if (m >= 4 && n >= 4 && ti == kSize && fo == kSize) {
    return transpose<T>(to, ti, to_outer, from, fi, fo, n, m);
  }
  if (m >= 4 && n >= 4 && to_outer == kSize && fi == kSize) {
    return transpose<T>(to, to_outer, ti, from, fo, fi, m, n);
  }
  if constexpr (kSize == 4 || kSize == 8) {
    if (ti == kSize && fi == 2 * kSize) {
      for (int64_t j = 0; j < m; ++j) pack_row<T>(to + j * to_outer, from + j * fo, n);
      return;
    }
  }
  for (int64_t j = 0; j < m; ++j) {
    char* t = to + j * to_outer;
    const char* f = from + j * fo;
    int64_t i = 0;
    for (; i + 4 <= n; i += 4, t += 4 * ti, f += 4 * fi) {
      T a = get<T>(f), b = get<T>(f + fi), c = get<T>(f + 2 * fi), d = get<T>(f + 3 * fi);
      put<T>(t, a), put<T>(t + ti, b), put<T>(t + 2 * ti, c), put<T>(t + 3 * ti, d);
    }
    for (; i < n; ++i, t += ti, f += fi) put<T>(t, get<T>(f));
  }
}

}  // namespace

void copy2d(char* to, int64_t to_inner, int64_t to_outer, const char* from, int64_t from_inner,
            int64_t from_outer, int64_t n, int64_t m, int size) {
  switch (size) {
    case 1:
      return copy_items<uint8_t>(to, to_inner, to_outer, from, from_inner, from_outer, n, m);
    case 2:
      return copy_items<uint16_t>(to, to_inner, to_outer, from, from_inner, from_outer, n, m);
    case 4:
      return copy_items<uint32_t>(to, to_inner, to_outer, from, from_inner, from_outer, n, m);
    case 8:
      return copy_items<uint64_t>(to, to_inner, to_outer, from, from_inner, from_outer, n, m);
    default:
      return copy_items<Item16>(to, to_inner, to_outer, from, from_inner, from_outer, n, m);
  }
}

}  // namespace d2l::D2L_ISA_NS
