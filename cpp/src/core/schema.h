// Schemas: the signature of an op, in PyTorch's grammar, as one string.
//
//   add(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor
//   max(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)
//
// A name may have a namespace before it (nn.relu, linalg.norm). `int[1] dim` also takes one int.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "d2lcore/error.h"

namespace d2l {

enum class ParamType : uint8_t {
  Tensor,
  TensorList,
  Scalar,
  Int,
  Float,
  Bool,
  IntList,
  FloatList,
  DType,
  Layout,
  Device,
  MemoryFormat,
  String,
  Generator,
};

struct Param {
  std::string name;
  ParamType type;
  bool optional = false;  // Type?: None is allowed
  bool keyword_only = false;
  bool single = false;  // int[1]: one int stands for a list of one
  bool has_default = false;
  std::string default_text;  // as in the schema: "1", "None", "'mean'", "[]", "float32"
};

struct Schema {
  std::string space;  // "", "nn", "linalg", "special"
  std::string name;
  std::vector<Param> params;
  std::vector<std::string> returns;       // types: "Tensor", "Tensor[]", "bool", ...
  std::vector<std::string> return_names;  // names, when there are any
  std::string text;
};

// Throws ValueError that quotes the text when it is not a schema.
Schema parse_schema(std::string_view text);
// "Tensor", "int[]", "Scalar?" as the schema writes it.
std::string type_text(const Param& p);
// As PyTorch's error messages write it: "Tensor", "tuple of ints", "Number".
D2L_API std::string type_words(const Param& p);

}  // namespace d2l
