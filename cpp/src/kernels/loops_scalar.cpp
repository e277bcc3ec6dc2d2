// Special functions without a vector form: each one element at a time, in double.
//
// Chebyshev series of the Bessel functions and the rational functions of ndtri: S. L. Moshier,
// Cephes Math Library. zeta: Euler and Maclaurin's formula as there. The polynomials: three-term
// recurrences, between -1 and 1 their trigonometric forms.
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr double kPi = 3.14159265358979323846, kInf = __builtin_inf();
constexpr double kNan = __builtin_nan("");

constexpr double kI0Near[] = {
    -4.41534164647933937950e-18, 3.33079451882223809783e-17,  -2.43127984654795469359e-16,
    1.71539128555513303061e-15,  -1.16853328779934516808e-14, 7.67618549860493561688e-14,
    -4.85644678311192946090e-13, 2.95505266312963983461e-12,  -1.72682629144155570723e-11,
    9.67580903537323691224e-11,  -5.18979560163526290666e-10, 2.65982372468238665035e-9,
    -1.30002500998624804212e-8,  6.04699502254191894932e-8,   -2.67079385394061173391e-7,
    1.11738753912010371815e-6,   -4.41673835845875056359e-6,  1.64484480707288970893e-5,
    -5.75419501008210370398e-5,  1.88502885095841655729e-4,   -5.76375574538582365885e-4,
    1.63947561694133579842e-3,   -4.32430999505057594430e-3,  1.05464603945949983183e-2,
    -2.37374148058994688156e-2,  4.93052842396707084878e-2,   -9.49010970480476444210e-2,
    1.71620901522208775349e-1,   -3.04682672343198398683e-1,  6.76795274409476084995e-1};
constexpr double kI0Far[] = {
    -7.23318048787475395456e-18, -4.83050448594418207126e-18, 4.46562142029675999901e-17,
    3.46122286769746109310e-17,  -2.82762398051658348494e-16, -3.42548561967721913462e-16,
    1.77256013305652638360e-15,  3.81168066935262242075e-15,  -9.55484669882830764870e-15,
    -4.15056934728722208663e-14, 1.54008621752140982691e-14,  3.85277838274214270114e-13,
    7.18012445138366623367e-13,  -1.79417853150680611778e-12, -1.32158118404477131188e-11,
    -3.14991652796324136454e-11, 1.18891471078464383424e-11,  4.94060238822496958910e-10,
    3.39623202570838634515e-9,   2.26666899049817806459e-8,   2.04891858946906374183e-7,
    2.89137052083475648297e-6,   6.88975834691682398426e-5,   3.36911647825569408990e-3,
    8.04490411014108831608e-1};
constexpr double kI1Near[] = {
    2.77791411276104639959e-18,  -2.11142121435816608115e-17, 1.55363195773620046921e-16,
    -1.10559694773538630805e-15, 7.60068429473540693410e-15,  -5.04218550472791168711e-14,
    3.22379336594557470981e-13,  -1.98397439776494371520e-12, 1.17361862988909016308e-11,
    -6.66348972350202774223e-11, 3.62559028155211703701e-10,  -1.88724975172282928790e-9,
    9.38153738649577178388e-9,   -4.44505912879632808065e-8,  2.00329475355213526229e-7,
    -8.56872026469545474066e-7,  3.47025130813767847674e-6,   -1.32731636560394358279e-5,
    4.78156510755005422638e-5,   -1.61760815825896745588e-4,  5.12285956168575772895e-4,
    -1.51357245063125314899e-3,  4.15642294431288815669e-3,   -1.05640848946261981558e-2,
    2.47264490306265168283e-2,   -5.29459812080949914269e-2,  1.02643658689847095384e-1,
    -1.76416518357834055153e-1,  2.52587186443633654823e-1};
constexpr double kI1Far[] = {
    7.51729631084210481353e-18,  4.41434832307170791151e-18,  -4.65030536848935832153e-17,
    -3.20952592199342395980e-17, 2.96262899764595013876e-16,  3.30820231092092828324e-16,
    -1.88035477551078244854e-15, -3.81440307243700780478e-15, 1.04202769841288027642e-14,
    4.27244001671195135429e-14,  -2.10154184277266431302e-14, -4.08355111109219731823e-13,
    -7.19855177624590851209e-13, 2.03562854414708950722e-12,  1.41258074366137813316e-11,
    3.25260358301548823856e-11,  -1.89749581235054123450e-11, -5.58974346219658380687e-10,
    -3.83538038596423702205e-9,  -2.63146884688951950684e-8,  -2.51223623787020892529e-7,
    -3.88256480887769039346e-6,  -1.10588938762623716291e-4,  -9.76109749136146840777e-3,
    7.78576235018280120474e-1};
constexpr double kNdtriP0[] = {-5.99633501014107895267e1, 9.80010754185999661536e1,
                               -5.66762857469070293439e1, 1.39312609387279679503e1,
                               -1.23916583867381258016e0};
constexpr double kNdtriQ0[] = {
    1.00000000000000000000e0,  1.95448858338141759834e0,  4.67627912898881538453e0,
    8.63602421390890590575e1,  -2.25462687854119370527e2, 2.00260212380060660359e2,
    -8.20372256168333339912e1, 1.59056225126211695515e1,  -1.18331621121330003142e0};
constexpr double kNdtriP1[] = {
    4.05544892305962419923e0,   3.15251094599893866154e1,   5.71628192246421288162e1,
    4.40805073893200834700e1,   1.46849561928858024014e1,   2.18663306850790267539e0,
    -1.40256079171354495875e-1, -3.50424626827848203418e-2, -8.57456785154685413611e-4};
constexpr double kNdtriQ1[] = {
    1.00000000000000000000e0,   1.57799883256466749731e1,   4.53907635128879210584e1,
    4.13172038254672030440e1,   1.50425385692907503408e1,   2.50464946208309415979e0,
    -1.42182922854787788574e-1, -3.80806407691578277194e-2, -9.33259480895457427372e-4};
constexpr double kNdtriP2[] = {
    3.23774891776946035970e0,  6.91522889068984211695e0,  3.93881025292474443415e0,
    1.33303460815807542389e0,  2.01485389549179081538e-1, 1.23716634817820021358e-2,
    3.01581553508235416007e-4, 2.65806974686737550832e-6, 6.23974539184983293730e-9};
constexpr double kNdtriQ2[] = {
    1.00000000000000000000e0,  6.02427039364742014255e0,  3.67983563856160859403e0,
    1.37702099489081330271e0,  2.16236993594496635890e-1, 1.34204006088543189037e-2,
    3.28014464682127739104e-4, 2.89247864745380683936e-6, 6.79019408009981274425e-9};

// c[0] T_{n-1}(x / 2) + ... + c[n-1] T_0 / 2.
template <int N>
double chebyshev(double x, const double (&c)[N]) {
  double a = c[0], b = 0, old = 0;
  for (int i = 1; i < N; ++i) {
    old = b;
    b = a;
    a = x * b - old + c[i];
  }
  return 0.5 * (a - old);
}
// c[0] x^(n-1) + ... + c[n-1].
template <int N>
double polynomial(double x, const double (&c)[N]) {
  double r = 0;
  for (int i = 0; i < N; ++i) r = r * x + c[i];
  return r;
}

double i0e(double x) {
  x = __builtin_fabs(x);
  if (x <= 8) return chebyshev(x / 2 - 2, kI0Near);
  return chebyshev(32 / x - 2, kI0Far) / __builtin_sqrt(x);
}
double i0(double x) { return __builtin_exp(__builtin_fabs(x)) * i0e(x); }
double i1e(double x) {
  const double a = __builtin_fabs(x);
  const double y = a <= 8 ? chebyshev(a / 2 - 2, kI1Near) * a
                          : chebyshev(32 / a - 2, kI1Far) / __builtin_sqrt(a);
  return x < 0 ? -y : y;
}
double i1(double x) { return __builtin_exp(__builtin_fabs(x)) * i1e(x); }

double ndtri(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p == 0 || p == 1) return p == 0 ? -kInf : kInf;
  constexpr double kTail = 0.13533528323661269189;  // exp(-2)
  const bool upper = p > 1 - kTail;
  double y = upper ? 1 - p : p;
  if (y > kTail) {
    y -= 0.5;
    const double z = y * y;
    return (y + y * (z * polynomial(z, kNdtriP0) / polynomial(z, kNdtriQ0))) *
           2.50662827463100050242;
  }
  const double x = __builtin_sqrt(-2 * __builtin_log(y)), z = 1 / x;
  const double first = x - __builtin_log(x) / x;
  const double more = x < 8 ? z * polynomial(z, kNdtriP1) / polynomial(z, kNdtriQ1)
                            : z * polynomial(z, kNdtriP2) / polynomial(z, kNdtriQ2);
  return upper ? first - more : more - first;
}

// exp(x^2) erfc(x): the product while erfc is normal, then its continued fraction.
double erfcx(double x) {
  if (x < -26.7) return kInf;
  if (x <= 25) {
    const double square = x * x, rest = __builtin_fma(x, x, -square);
    const double e = __builtin_exp(square);
    return (e + e * rest) * __builtin_erfc(x);
  }
  double f = x;
  for (int k = 30; k > 0; --k) f = x + 0.5 * k / f;
  return 0.56418958354775628694807945156 / f;
}

double log_ndtr(double x) {
  const double t = x * 0.70710678118654752440;
  return x < -1 ? __builtin_log(erfcx(-t) / 2) - t * t : __builtin_log1p(-__builtin_erfc(t) / 2);
}
double ndtr(double x) {
  const double t = x * 0.70710678118654752440;
  return t < -1 ? 0.5 * __builtin_erfc(-t) : 0.5 * (1 + __builtin_erf(t));
}

double trigamma(double x) {
  double sign = 1, sum = 0;
  if (x < 0.5) {
    sign = -1;
    const double s = __builtin_sin(kPi * x);
    sum -= kPi * kPi / (s * s);
    x = 1 - x;
  }
  for (int i = 0; i < 6; ++i, x += 1) sum += 1 / (x * x);
  const double z = 1 / (x * x);
  sum += (1 + 1 / (2 * x) + z * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42)))) / x;
  return sign * sum;
}

// The sum of (q + k)^-x over k >= 0, for q > 0 or few negative terms.
double zeta_sum(double x, double q) {
  constexpr double kSmall = 1.11022302462515654042E-16;
  double s = __builtin_pow(q, -x), a = q, b = 0;
  for (int i = 0; i < 9 || a <= 9;) {
    ++i;
    a += 1;
    b = __builtin_pow(a, -x);
    s += b;
    if (-kSmall * s < b && b < kSmall * s) return s;
  }
  // Bernoulli numbers: (2k)! / B_2k.
  static constexpr double kA[] = {12.0,
                                  -720.0,
                                  30240.0,
                                  -1209600.0,
                                  47900160.0,
                                  -1.8924375803183791606e9,
                                  7.47242496e10,
                                  -2.950130727918164224e12,
                                  1.1646782814350067249e14,
                                  -4.5979787224074726105e15,
                                  1.8152105401943546773e17,
                                  -7.1661652561756670113e18};
  const double w = a;
  s += b * w / (x - 1);
  s -= 0.5 * b;
  double factor = 1, k = 0;
  for (const double coefficient : kA) {
    factor *= x + k;
    b /= w;
    const double t = factor * b / coefficient;
    s += t;
    if (__builtin_fabs(t / s) < kSmall) return s;
    k += 1;
    factor *= x + k;
    b /= w;
    k += 1;
  }
  return s;
}
double zeta(double x, double q) {
  if (x != x || q != q) return kNan;
  if (x == 1) return kInf;
  if (x < 1) return kNan;
  if (q <= 0) {
    const double down = __builtin_floor(q);
    if (q == down) return kInf;
    if (x != __builtin_floor(x)) return kNan;
    if (q < -30) {
      // The terms below 0 are those from part to -q, with x's parity; the others begin at 1 - part.
      const double part = __builtin_ceil(q) - q;
      const double below = zeta_sum(x, part) - zeta_sum(x, 1 - q);
      return (__builtin_fmod(x, 2) == 0 ? below : -below) + zeta_sum(x, 1 - part);
    }
  }
  return zeta_sum(x, q);
}

// Polynomials of degree n at x; kLimit is where torch ends the Hermite ones.
constexpr int64_t kLongest = int64_t{1} << 24;  // degrees beyond give NaN
int64_t degree(double n) { return n > -9e18 && n < 9e18 ? static_cast<int64_t>(n) : -1; }

// p, q: degrees 0 and 1 of y_{k+1} = 2 x y_k - y_{k-1}.
double twice_recurrence(double x, int64_t n, double q) {
  if (n == 0) return 1;
  double p = 1, r = q;
  for (int64_t k = 2; k <= n && q == q; ++k) {
    if (k > kLongest) return kNan;
    r = (x + x) * q - p;
    p = q;
    q = r;
  }
  return r;
}
double sign_of(int64_t n) { return n % 2 == 0 ? 1 : -1; }

double chebyshev_t(double x, double degree_of) {
  const int64_t n = degree(degree_of);
  if (n < 0) return 0;
  if (__builtin_fabs(x) == 1) return x > 0 ? 1 : sign_of(n);
  const double m = static_cast<double>(n);
  if (n > 6 && __builtin_fabs(x) < 1) return __builtin_cos(m * __builtin_acos(x));
  return twice_recurrence(x, n, x);
}
double chebyshev_u(double x, double degree_of) {
  const int64_t n = degree(degree_of);
  if (n < 0) return 0;
  const double m = static_cast<double>(n);
  if (__builtin_fabs(x) == 1) return x > 0 ? m + 1 : sign_of(n) * (m + 1);
  if (n > 8 && __builtin_fabs(x) < 1) {
    const double a = __builtin_acos(x);
    return __builtin_sin((m + 1) * a) / __builtin_sin(a);
  }
  return twice_recurrence(x, n, x + x);
}
double chebyshev_v(double x, double degree_of) {
  const int64_t n = degree(degree_of);
  if (n < 0) return 0;
  const double m = static_cast<double>(n);
  if (__builtin_fabs(x) == 1) return x > 0 ? 1 : sign_of(n) * (m + m + 1);
  if (n > 8 && __builtin_fabs(x) < 1) {
    const double a = __builtin_acos(x);
    return __builtin_cos((m + 0.5) * a) / __builtin_cos(a / 2);
  }
  return twice_recurrence(x, n, x + x - 1);
}
double chebyshev_w(double x, double degree_of) {
  const int64_t n = degree(degree_of);
  if (n < 0) return 0;
  const double m = static_cast<double>(n);
  if (__builtin_fabs(x) == 1) return x > 0 ? m + m + 1 : sign_of(n);
  if (n > 8 && __builtin_fabs(x) < 1) {
    const double a = __builtin_acos(x);
    return __builtin_sin((m + 0.5) * a) / __builtin_sin(a / 2);
  }
  return twice_recurrence(x, n, x + x + 1);
}
double shifted_t(double x, double n) { return chebyshev_t(x + x - 1, n); }
double shifted_u(double x, double n) { return chebyshev_u(x + x - 1, n); }
double shifted_v(double x, double n) { return chebyshev_v(x + x - 1, n); }
double shifted_w(double x, double n) { return chebyshev_w(x + x - 1, n); }

// y_{k+1} = (a_k x + b_k) y_k - c_k y_{k-1}.
template <class Step>
double recurrence(int64_t n, double q, Step step) {
  if (n < 0) return 0;
  if (n == 0) return 1;
  double p = 1;
  for (int64_t k = 1; k < n && q == q; ++k) {
    if (k > kLongest) return kNan;
    const double r = step(static_cast<double>(k), q, p);
    p = q;
    q = r;
  }
  return q;
}
constexpr int64_t kHermiteLimit = 512;
double hermite_h(double x, double n) {
  if (degree(n) > kHermiteLimit) return kNan;
  return recurrence(degree(n), x + x,
                    [x](double k, double q, double p) { return (x + x) * q - 2 * k * p; });
}
double hermite_he(double x, double n) {
  if (degree(n) > kHermiteLimit) return kNan;
  return recurrence(degree(n), x, [x](double k, double q, double p) { return x * q - k * p; });
}
double laguerre_l(double x, double n) {
  if (x == 0 && degree(n) >= 0) return 1;
  return recurrence(degree(n), 1 - x, [x](double k, double q, double p) {
    return ((k + k + (1 - x)) * q - k * p) / (k + 1);
  });
}
double legendre_p(double x, double n) {
  if (__builtin_fabs(x) == 1 && degree(n) >= 0) return x > 0 ? 1 : sign_of(degree(n));
  return recurrence(degree(n), x, [x](double k, double q, double p) {
    return ((k + k + 1) * x * q - k * p) / (k + 1);
  });
}

template <class T, double (*F)(double)>
void loop1(char* const* ptr, const int64_t* strides, int64_t n, int64_t m, const Scalars*) {
  for (int64_t j = 0; j < m; ++j) {
    char* out = ptr[0] + j * strides[2];
    const char* in = ptr[1] + j * strides[3];
    for (int64_t i = 0; i < n; ++i, out += strides[0], in += strides[1]) {
      *reinterpret_cast<T*>(out) =
          static_cast<T>(F(static_cast<double>(*reinterpret_cast<const T*>(in))));
    }
  }
}
template <class T, double (*F)(double, double)>
void loop2(char* const* ptr, const int64_t* strides, int64_t n, int64_t m, const Scalars*) {
  for (int64_t j = 0; j < m; ++j) {
    char* out = ptr[0] + j * strides[3];
    const char* a = ptr[1] + j * strides[4];
    const char* b = ptr[2] + j * strides[5];
    for (int64_t i = 0; i < n; ++i, out += strides[0], a += strides[1], b += strides[2]) {
      *reinterpret_cast<T*>(out) =
          static_cast<T>(F(static_cast<double>(*reinterpret_cast<const T*>(a)),
                           static_cast<double>(*reinterpret_cast<const T*>(b))));
    }
  }
}

}  // namespace

void fill_scalar_functions(KernelTable& t) {
#define D2L_ROW(arity, f)                                         \
  t.map[static_cast<int>(Loop::f)][kF32] = loop##arity<float, f>; \
  t.map[static_cast<int>(Loop::f)][kF64] = loop##arity<double, f>
  D2L_ROW(1, i0);
  D2L_ROW(1, i0e);
  D2L_ROW(1, i1);
  D2L_ROW(1, i1e);
  D2L_ROW(1, ndtri);
  D2L_ROW(1, ndtr);
  D2L_ROW(1, log_ndtr);
  D2L_ROW(1, erfcx);
  D2L_ROW(1, trigamma);
  D2L_ROW(2, zeta);
  D2L_ROW(2, chebyshev_t);
  D2L_ROW(2, chebyshev_u);
  D2L_ROW(2, chebyshev_v);
  D2L_ROW(2, chebyshev_w);
  D2L_ROW(2, shifted_t);
  D2L_ROW(2, shifted_u);
  D2L_ROW(2, shifted_v);
  D2L_ROW(2, shifted_w);
  D2L_ROW(2, hermite_h);
  D2L_ROW(2, hermite_he);
  D2L_ROW(2, laguerre_l);
  D2L_ROW(2, legendre_p);
}

}  // namespace d2l::D2L_ISA_NS
