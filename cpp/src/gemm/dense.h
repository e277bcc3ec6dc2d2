// Factorisations of dense matrices whose work is mostly products: LU with partial pivoting,
// Cholesky, QR, and systems with a triangular matrix.
//
// The one idea is recursion on halves: each half is factored or solved, one product carries its
// effect over to the other, and so nearly all multiply-adds happen inside gemm, which absorbs any
// strides. Only blocks of a few rows are worked on element by element. The halves depend on the
// sizes alone, so results have the same bits for every number of threads.
#pragma once

#include <complex>
#include <cstdint>

#include "d2lcore/dtype.h"

namespace d2l {

// A matrix in memory; strides in elements, of either order.
template <class T>
struct Block {
  T* data;
  int64_t rows, cols;
  int64_t row, col;  // strides

  T& operator()(int64_t i, int64_t j) const { return data[i * row + j * col]; }
  Block part(int64_t i, int64_t j, int64_t m, int64_t n) const {
    return {data + i * row + j * col, m, n, row, col};
  }
  Block transposed() const { return {data, cols, rows, col, row}; }
};

// X of T X = B, written over B; T is triangular, n x n, its other triangle is not read.
template <class T>
void solve_triangle(Block<T> t, bool upper, bool unit, Block<T> b);

// A = P L U in place (L below the diagonal, which is 1; U above), m x n. pivots[i], counted from 1,
// is the row exchanged with row i. Returns the first i, from 1, for which U(i, i) is 0, or 0.
template <class T>
int64_t factor_lu(Block<T> a, int32_t* pivots);

// A = L L^H in place, in the lower triangle; the upper one is left undefined. Returns 0, or the
// order of the first leading minor that is not positive.
template <class T>
int64_t factor_cholesky(Block<T> a);

// A = Q R by reflections, R in A's upper triangle (what lies below is left undefined). The product
// of the k = min(m, n) reflections is 1 - V T V^H (C. Bischof and C. Van Loan, The WY
// Representation for Products of Householder Matrices, 1987): v (m x k) is unit lower and t (k x k)
// upper triangular. Both are filled with zeros before.
template <class T>
void factor_qr(Block<T> a, Block<T> v, Block<T> t);
// The first columns of that product.
template <class T>
void form_q(Block<T> v, Block<T> t, Block<T> q);

// Exchanges rows as factor_lu did, first to last or (undoing it) last to first.
template <class T>
void exchange_rows(Block<T> b, const int32_t* pivots, int64_t count, bool forward);

}  // namespace d2l
