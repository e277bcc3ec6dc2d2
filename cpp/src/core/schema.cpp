// A small recursive-descent reader of schema strings.
#include "core/schema.h"

#include <cctype>

namespace d2l {
namespace {

struct TypeName {
  const char* text;
  ParamType type;
};
constexpr TypeName kTypes[] = {
    {"Tensor[]", ParamType::TensorList},
    {"Tensor", ParamType::Tensor},
    {"Scalar", ParamType::Scalar},
    {"ScalarType", ParamType::DType},
    {"int[]", ParamType::IntList},
    {"int[1]", ParamType::IntList},
    {"int", ParamType::Int},
    {"float[]", ParamType::FloatList},
    {"float", ParamType::Float},
    {"bool", ParamType::Bool},
    {"Layout", ParamType::Layout},
    {"Device", ParamType::Device},
    {"MemoryFormat", ParamType::MemoryFormat},
    {"str", ParamType::String},
    {"Generator", ParamType::Generator},
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Schema schema() {
    Schema s;
    s.text = std::string(text_);
    std::string name = word("(");
    if (const size_t dot = name.find('.'); dot != std::string::npos) {
      s.space = name.substr(0, dot);
      name = name.substr(dot + 1);
    }
    s.name = name;
    expect('(');
    bool keyword_only = false;
    while (!accept(')')) {
      if (!s.params.empty() || keyword_only) expect(',');
      if (accept('*')) {
        keyword_only = true;
        continue;
      }
      s.params.push_back(param(keyword_only));
    }
    expect('-');
    expect('>');
    if (accept('(')) {
      while (!accept(')')) {
        if (!s.returns.empty()) expect(',');
        s.returns.push_back(word(" ,)"));
        space();
        if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ')') {
          s.return_names.push_back(word(" ,)"));
        }
      }
    } else {
      space();
      s.returns.push_back(std::string(text_.substr(at_)));
      at_ = text_.size();
    }
    return s;
  }

 private:
  [[noreturn]] void wrong() { fail<ValueError>("not a schema: {}", text_); }
  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool accept(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) wrong();
  }
  std::string word(std::string_view stops) {
    space();
    const size_t begin = at_;
    while (at_ < text_.size() && stops.find(text_[at_]) == std::string_view::npos) ++at_;
    if (begin == at_) wrong();
    return std::string(text_.substr(begin, at_ - begin));
  }

  Param param(bool keyword_only) {
    Param p;
    p.keyword_only = keyword_only;
    std::string type = word(" ");
    if (type.ends_with('?')) {
      p.optional = true;
      type.pop_back();
    }
    bool found = false;
    for (const TypeName& t : kTypes) {
      if (type == t.text) {
        p.type = t.type;
        found = true;
      }
    }
    if (!found) wrong();
    p.single = type == "int[1]";
    p.name = word("=,)");
    if (accept('=')) {
      p.has_default = true;
      space();
      if (at_ < text_.size() && text_[at_] == '[') {
        p.default_text = word("]") + "]";
        ++at_;
      } else {
        p.default_text = word(",)");
      }
    }
    return p;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Schema parse_schema(std::string_view text) { return Reader(text).schema(); }

std::string type_text(const Param& p) {
  std::string out;
  for (const TypeName& t : kTypes) {
    if (t.type == p.type && out.empty()) out = t.text;
  }
  if (p.single) out = "int[1]";
  return p.optional ? out + "?" : out;
}

std::string type_words(const Param& p) {
  switch (p.type) {
    case ParamType::Tensor:
      return "Tensor";
    case ParamType::TensorList:
      return "tuple of Tensors";
    case ParamType::Scalar:
      return "Number";
    case ParamType::Int:
      return "int";
    case ParamType::Float:
      return "float";
    case ParamType::Bool:
      return "bool";
    case ParamType::IntList:
      return "tuple of ints";
    case ParamType::FloatList:
      return "tuple of floats";
    case ParamType::DType:
      return "torch.dtype";
    case ParamType::Layout:
      return "torch.layout";
    case ParamType::Device:
      return "torch.device";
    case ParamType::MemoryFormat:
      return "torch.memory_format";
    case ParamType::String:
      return "str";
    case ParamType::Generator:
      return "torch.Generator";
  }
  return "";
}

}  // namespace d2l
