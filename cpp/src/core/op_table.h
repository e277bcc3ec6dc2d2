// The op table: one row per op (a schema, a C++ function, a doc string), the single source of
// truth.
//
// From a row come the Python function, the method, op_, out=, the signature, the stub and the
// tests. Rows know nothing of Python: a call arrives as an array of borrowed Values, one for each
// schema parameter, and Unbox<T> turns each into the C++ type (once per type, never per op). That
// arity, types and defaults of schema and function agree is checked when the row is added.
#pragma once

#include <optional>
#include <tuple>

#include "core/schema.h"
#include "d2lcore/dst.h"
#include "d2lcore/generator.h"
#include "d2lcore/options.h"

namespace d2l {

using TensorList = std::span<const Tensor>;

// One argument, borrowed from the caller for the length of the call.
struct Value {
  enum class Kind : uint8_t {
    None,
    Tensor,
    TensorList,
    Bool,
    Int,
    Float,
    Complex,
    IntList,
    FloatList,
    DType,
    String,
    Generator,
    Other  // layout, device, memory format: accepted, and of one kind only
  };
  Kind kind = Kind::None;
  const void* ptr = nullptr;  // Tensor*, Tensor[], int64_t[], double[], char[], Generator*
  int64_t n = 0;              // length of a list
  int64_t i = 0;              // Bool, Int, DType
  double f = 0, im = 0;       // Float, Complex

  bool is_none() const { return kind == Kind::None; }
  d2l::Scalar scalar() const {
    switch (kind) {
      case Kind::Bool:
        return d2l::Scalar(i != 0);
      case Kind::Int:
        return d2l::Scalar(i);
      case Kind::Complex:
        return d2l::Scalar(f, im);
      default:
        return d2l::Scalar(f);
    }
  }
};

// What an op returned.
struct Returned {
  enum class Kind : uint8_t { None, Tensor, TensorTuple, Bool, Int, Float, Number, Dims };
  Kind kind = Kind::None;
  Tensor tensor;
  std::vector<Tensor> tensors;
  Scalar number;
  Dims dims;
};

namespace detail {

inline const Tensor kUndefined;

template <class T>
struct Unbox;  // get(const Value*), kParams (how many schema parameters it takes), accepts(Param)

template <class T, ParamType P, bool Optional>
struct UnboxOne {
  static constexpr int kParams = 1;
  static bool accepts(const Param* p) { return p->type == P && p->optional == Optional; }
};
template <>
struct Unbox<const Tensor&> {
  static constexpr int kParams = 1;
  static bool accepts(const Param* p) { return p->type == ParamType::Tensor; }  // Tensor? too
  static const Tensor& get(const Value* v) {
    return v->is_none() ? kUndefined : *static_cast<const Tensor*>(v->ptr);
  }
};
template <>
struct Unbox<TensorList> : UnboxOne<TensorList, ParamType::TensorList, false> {
  static TensorList get(const Value* v) {
    return TensorList(static_cast<const Tensor*>(v->ptr), static_cast<size_t>(v->n));
  }
};
template <>
struct Unbox<const Scalar&> : UnboxOne<Scalar, ParamType::Scalar, false> {
  static Scalar get(const Value* v) { return v->scalar(); }
};
template <>
struct Unbox<int64_t> : UnboxOne<int64_t, ParamType::Int, false> {
  static int64_t get(const Value* v) { return v->i; }
};
template <>
struct Unbox<double> : UnboxOne<double, ParamType::Float, false> {
  static double get(const Value* v) { return v->scalar().real(); }
};
template <>
struct Unbox<bool> : UnboxOne<bool, ParamType::Bool, false> {
  static bool get(const Value* v) { return v->i != 0; }
};
template <>
struct Unbox<IntList> : UnboxOne<IntList, ParamType::IntList, false> {
  static IntList get(const Value* v) {
    return IntList(static_cast<const int64_t*>(v->ptr), static_cast<size_t>(v->n));
  }
};
template <>
struct Unbox<std::span<const double>>
    : UnboxOne<std::span<const double>, ParamType::FloatList, false> {
  static std::span<const double> get(const Value* v) {
    return {static_cast<const double*>(v->ptr), static_cast<size_t>(v->n)};
  }
};
template <>
struct Unbox<DType> : UnboxOne<DType, ParamType::DType, false> {
  static DType get(const Value* v) { return static_cast<DType>(v->i); }
};
template <>
struct Unbox<std::string_view> : UnboxOne<std::string_view, ParamType::String, false> {
  static std::string_view get(const Value* v) {
    return {static_cast<const char*>(v->ptr), static_cast<size_t>(v->n)};
  }
};
template <>
struct Unbox<Generator*> : UnboxOne<Generator*, ParamType::Generator, true> {  // null: the default
  static Generator* get(const Value* v) {
    return const_cast<Generator*>(static_cast<const Generator*>(v->ptr));
  }
};
template <class T>
struct Unbox<std::optional<T>> {
  using Inner = Unbox<std::conditional_t<std::is_same_v<T, Scalar>, const Scalar&, T>>;
  static constexpr int kParams = 1;
  static bool accepts(const Param* p) {
    Param plain = *p;
    plain.optional = false;
    return p->optional && Inner::accepts(&plain);
  }
  static std::optional<T> get(const Value* v) {
    if (v->is_none()) return std::nullopt;
    return Inner::get(v);
  }
};
template <class T>
struct Unbox<const std::optional<T>&> : Unbox<std::optional<T>> {};
// dtype, layout, device, pin_memory, requires_grad: the tail of every factory (kFactory below).
template <>
struct Unbox<const Options&> {
  static constexpr int kParams = 5;
  static bool accepts(const Param* p) {
    return p[0].type == ParamType::DType && p[1].type == ParamType::Layout &&
           p[2].type == ParamType::Device && p[3].name == "pin_memory" &&
           p[4].name == "requires_grad";
  }
  static Options get(const Value* v) {
    Options o;
    if (!v[0].is_none()) o.dtype = static_cast<DType>(v[0].i);
    o.requires_grad = v[4].i != 0;
    return o;
  }
};
template <>
struct Unbox<MemoryFormat> : UnboxOne<MemoryFormat, ParamType::MemoryFormat, true> {
  static MemoryFormat get(const Value* v) {
    return v->is_none() ? MemoryFormat::Preserve : static_cast<MemoryFormat>(v->i);
  }
};
// A parameter that PyTorch has and that makes no difference here (memory_format, layout, ...).
struct Ignored {};
template <>
struct Unbox<Ignored> {
  static constexpr int kParams = 1;
  static bool accepts(const Param*) { return true; }
  static Ignored get(const Value*) { return {}; }
};

inline void box(Returned& r, Tensor t) {
  r.kind = Returned::Kind::Tensor;
  r.tensor = std::move(t);
}
inline void box(Returned& r, std::vector<Tensor> t) {
  r.kind = Returned::Kind::TensorTuple;
  r.tensors = std::move(t);
}
// One tensor alone, several as a tuple: what flags like return_inverse add to.
struct OneOrMore {
  std::vector<Tensor> tensors;
};
inline void box(Returned& r, OneOrMore t) {
  if (t.tensors.size() == 1) return box(r, std::move(t.tensors[0]));
  box(r, std::move(t.tensors));
}
template <class... T>
  requires(std::is_same_v<T, Tensor> && ...)
void box(Returned& r, std::tuple<T...> t) {
  r.kind = Returned::Kind::TensorTuple;
  std::apply([&](auto&... x) { (r.tensors.push_back(std::move(x)), ...); }, t);
}
inline void box(Returned& r, bool b) {
  r.kind = Returned::Kind::Bool;
  r.number = Scalar(b);
}
inline void box(Returned& r, int64_t i) {
  r.kind = Returned::Kind::Int;
  r.number = Scalar(i);
}
inline void box(Returned& r, double f) {
  r.kind = Returned::Kind::Float;
  r.number = Scalar(f);
}
inline void box(Returned& r, Scalar s) {
  r.kind = Returned::Kind::Number;
  r.number = s;
}
inline void box(Returned& r, Dims d) {
  r.kind = Returned::Kind::Dims;
  r.dims = d;
}

}  // namespace detail

using detail::Ignored;
using detail::OneOrMore;

#define D2L_FACTORY                                                                              \
  "*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, " \
  "bool requires_grad=False"

// Which faces an op has.
enum Face : uint32_t {
  Function = 1,  // torch.op
  Method = 2,    // Tensor.op
  Both = 3,
  Inplace = 4,   // Tensor.op_
  Out = 8,       // out=
  Numbers = 16,  // Python numbers are accepted where the schema says Tensor, but for the first one
  InplaceFunction = 32,  // torch.op_ too
  NumbersFirst = 64,     // Numbers, and for the first one when another is a tensor
  Elementwise = Both | Inplace | Out,
};

struct OpRow {
  Schema schema;
  uint32_t faces = 0;
  const char* doc = "";
  bool has_dst = false;
  void (*call)(const void* fn, const Value* args, Dst dst, Returned& out) = nullptr;
  const void* fn = nullptr;
  void operator()(const Value* args, Dst dst, Returned& out) const { call(fn, args, dst, out); }
};

class D2L_API OpTable {
 public:
  // The table of the process; filled on the first call.
  static const OpTable& get();
  const std::vector<OpRow>& rows() const { return rows_; }

  template <class R, class... A>
  void add(const char* schema, R (*fn)(A...), uint32_t faces, const char* doc) {
    constexpr bool kDst = (std::is_same_v<A, Dst> || ...);
    OpRow row;
    row.doc = doc;
    row.faces = faces;
    row.has_dst = kDst;
    row.fn = reinterpret_cast<const void*>(fn);
    row.call = [](const void* f, const Value* v, Dst dst, Returned& out) {
      invoke(reinterpret_cast<R (*)(A...)>(const_cast<void*>(f)), v, dst, out,
             std::index_sequence_for<A...>());
    };
    Check checks[] = {check_of<A>()..., Check{0, nullptr}};
    insert(schema, std::move(row), checks, sizeof...(A));
  }

 private:
  struct Check {
    int params;
    bool (*accepts)(const Param*);  // null for Dst
  };
  template <class A>
  static constexpr int params_of() {
    if constexpr (std::is_same_v<A, Dst>) {
      return 0;
    } else {
      return detail::Unbox<A>::kParams;
    }
  }
  template <class A>
  static Check check_of() {
    if constexpr (std::is_same_v<A, Dst>) {
      return {0, nullptr};
    } else {
      return {detail::Unbox<A>::kParams, &detail::Unbox<A>::accepts};
    }
  }
  template <class... A>
  static constexpr int offset(size_t i) {
    const int sizes[] = {params_of<A>()..., 0};
    int sum = 0;
    for (size_t k = 0; k < i; ++k) sum += sizes[k];
    return sum;
  }
  template <class A>
  static decltype(auto) arg(const Value* v, Dst dst) {
    if constexpr (std::is_same_v<A, Dst>) {
      return dst;
    } else {
      return detail::Unbox<A>::get(v);
    }
  }
  template <class R, class... A, size_t... I>
  static void invoke(R (*fn)(A...), const Value* v, [[maybe_unused]] Dst dst, Returned& out,
                     std::index_sequence<I...>) {
    if constexpr (std::is_void_v<R>) {
      fn(arg<A>(v + offset<A...>(I), dst)...);
    } else {
      detail::box(out, fn(arg<A>(v + offset<A...>(I), dst)...));
    }
  }
  void insert(const char* schema, OpRow row, const Check* checks, size_t count);

  std::vector<OpRow> rows_;
};

}  // namespace d2l
