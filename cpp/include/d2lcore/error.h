// Exceptions and the one check() that every op calls before its first write.
//
// Each class maps to the Python exception of the same name (Error maps to RuntimeError). A message
// is a format string with {} for each argument, so that it can name the op, the shapes and the
// dtypes; it is only put together when the check fails.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#define D2L_API __attribute__((visibility("default")))

namespace d2l {

struct D2L_API Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct D2L_API IndexError : Error {
  using Error::Error;
};
struct D2L_API ValueError : Error {
  using Error::Error;
};
struct D2L_API TypeError : Error {
  using Error::Error;
};
struct D2L_API NotImplementedError : Error {
  using Error::Error;
};
struct D2L_API OverflowError : Error {
  using Error::Error;
};
struct D2L_API BufferError : Error {
  using Error::Error;
};
struct D2L_API MemoryError : Error {
  using Error::Error;
};
struct D2L_API LinAlgError : Error {
  using Error::Error;
};

namespace detail {
// Replaces each {} of `format` by the next argument.
D2L_API std::string substitute(std::string_view format, std::span<const std::string> args);

inline std::string to_text(const char* s) { return s; }
inline std::string to_text(std::string s) { return s; }
inline std::string to_text(std::string_view s) { return std::string(s); }
inline std::string to_text(bool b) { return b ? "True" : "False"; }
D2L_API std::string to_text(double x);
template <class T>
  requires std::is_integral_v<T>
std::string to_text(T x) {
  return std::to_string(x);
}
D2L_API std::string to_text(std::span<const int64_t> shape);  // [2, 3]
}  // namespace detail

template <class... Args>
std::string format(std::string_view text, const Args&... args) {
  using detail::to_text;
  const std::string parts[] = {to_text(args)..., std::string()};
  return detail::substitute(text, std::span(parts, sizeof...(args)));
}

// Throws E when `ok` is false.
template <class E = Error, class... Args>
inline void check(bool ok, std::string_view text, const Args&... args) {
  if (!ok) [[unlikely]]
    throw E(format(text, args...));
}

template <class E = Error, class... Args>
[[noreturn]] void fail(std::string_view text, const Args&... args) {
  throw E(format(text, args...));
}

}  // namespace d2l
