// einsum: reads the equation, then contracts the operands from left to right, each pair by views,
// one batched product, and nothing else.
//
// Every dimension carries a label: 0..51 for A-Z a-z (so that sorted labels are PyTorch's implicit
// output order), 52 and up for the dimensions that an ellipsis covers, counted from the last one.
#include <array>

#include "d2lcore/ops.h"
#include "ops/matmul_parts.h"

namespace d2l {
namespace {

constexpr int kLetters = 52, kLabels = kLetters + kMaxDims;

int label_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  return -1;
}
char letter(int label) { return static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26); }

constexpr int kEllipsis = -1;
using Labels = std::vector<int>;

// "ij,...k->i" as lists of labels, kEllipsis among them.
struct Equation {
  std::vector<Labels> inputs;
  Labels output;
  bool explicit_output = false;
};

Equation read(std::string_view text) {
  Equation eq;
  eq.inputs.emplace_back();
  bool ellipsis = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    Labels& into = eq.explicit_output ? eq.output : eq.inputs.back();
    const std::string place =
        eq.explicit_output ? "output"
                           : format("operand {}", static_cast<int64_t>(eq.inputs.size() - 1));
    if (c == ' ') continue;
    if (c == '.') {
      check(!ellipsis, "einsum(): found '.' for {} for which an ellipsis was already found", place);
      check(text.substr(i, 3) == "...",
            "einsum(): found '.' for {} that is not part of any ellipsis (...)", place);
      i += 2;
      into.push_back(kEllipsis);
      ellipsis = true;
    } else if (c == ',' && !eq.explicit_output) {
      eq.inputs.emplace_back();
      ellipsis = false;
    } else if (text.substr(i, 2) == "->" && !eq.explicit_output) {
      eq.explicit_output = true;
      ellipsis = false;
      ++i;
    } else {
      const int label = label_of(c);
      check(label >= 0,
            "einsum(): invalid subscript given at index {} in the equation string, subscripts must "
            "be in [a-zA-Z]",
            static_cast<int64_t>(i));
      into.push_back(label);
    }
  }
  return eq;
}

struct Operand {
  Tensor t;
  Labels labels;  // one for each dimension, all different
  int find(int label) const {
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == label) return static_cast<int>(i);
    }
    return -1;
  }
  bool has(int label) const { return find(label) >= 0; }
  int64_t size(int label) const { return t->shape[find(label)]; }
  void sum(int label) {
    const int at = find(label);
    const int64_t d[1] = {at};
    t = d2l::sum(t, IntList(d));
    labels.erase(labels.begin() + at);
  }
  void drop(int label) {  // a dimension of one element
    const int at = find(label);
    t = squeeze_dims(t, Dims{at});
    labels.erase(labels.begin() + at);
  }
};

// Spreads ellipses over labels, takes diagonals for repeated ones.
Operand prepare(const Tensor& t, const Labels& written, int64_t index) {
  Operand op{t, {}};
  int64_t named = 0;
  bool ellipsis = false;
  for (int l : written) {
    named += l != kEllipsis;
    ellipsis |= l == kEllipsis;
  }
  check(ellipsis ? named <= t.dim() : named == t.dim(),
        "einsum(): the number of subscripts in the equation ({}) {} for operand {}{}", named,
        ellipsis ? format("is more than the number of dimensions ({})", t.dim())
                 : format("does not match the number of dimensions ({})", t.dim()),
        index, ellipsis ? "" : " and no ellipsis was given");
  Labels full;
  for (int l : written) {
    if (l != kEllipsis) {
      full.push_back(l);
      continue;
    }
    for (int64_t k = t.dim() - named; k > 0; --k) {
      full.push_back(kLetters + static_cast<int>(k) - 1);
    }
  }
  int64_t d = 0;
  for (int l : full) {
    const int before = op.find(l);
    if (before < 0) {
      op.labels.push_back(l);
      ++d;
      continue;
    }
    const int64_t a = op.t->shape[before], b = op.t->shape[d];
    check(a == b,
          "einsum(): subscript {} is repeated for operand {} but the sizes don't match, {} != {}",
          std::string(1, letter(l)), index, b, a);
    // The diagonal comes last: back to where the first one was.
    op.t = movedim(diagonal(op.t, 0, before, d), Dims{-1}, Dims{before});
  }
  return op;
}

// The dimensions with these labels, in this order.
Tensor arrange(const Operand& op, const Labels& order) {
  Dims dims;
  for (int l : order) dims.push_back(op.find(l));
  return permute(op.t, dims);
}

Operand contract(Operand a, Operand b, const std::array<bool, kLabels>& kept) {
  // A dimension of one element beside a longer one is broadcast: it goes away.
  for (int l = 0; l < kLabels; ++l) {
    if (!a.has(l) || !b.has(l)) continue;
    const int64_t x = a.size(l), y = b.size(l);
    if (x == y) continue;
    (x == 1 ? a : b).drop(l);
  }
  Labels batch, left, summed, right;
  for (int l = 0; l < kLabels; ++l) {
    const bool in_a = a.has(l), in_b = b.has(l);
    if (in_a && in_b) {
      (kept[l] ? batch : summed).push_back(l);
    } else if (in_a && !kept[l]) {
      a.sum(l);
    } else if (in_b && !kept[l]) {
      b.sum(l);
    } else if (in_a) {
      left.push_back(l);
    } else if (in_b) {
      right.push_back(l);
    }
  }
  auto join = [](std::initializer_list<const Labels*> parts) {
    Labels out;
    for (const Labels* p : parts) out.insert(out.end(), p->begin(), p->end());
    return out;
  };
  auto sizes = [](const Operand& op, const Labels& labels) {
    int64_t n = 1;
    for (int l : labels) n *= op.size(l);
    return n;
  };
  Operand out{Tensor(), join({&batch, &left, &right})};
  if (summed.empty()) {  // an outer product
    Tensor x = arrange(a, join({&batch, &left})), y = arrange(b, join({&batch, &right}));
    for (size_t i = 0; i < right.size(); ++i) x = unsqueeze(x, -1);
    for (size_t i = 0; i < left.size(); ++i) y = unsqueeze(y, static_cast<int64_t>(batch.size()));
    out.t = mul(x, y);
    return out;
  }
  Dims shape;
  for (int l : batch) shape.push_back(a.size(l));
  for (int l : left) shape.push_back(a.size(l));
  for (int l : right) shape.push_back(b.size(l));
  const int64_t n = sizes(a, batch), k = sizes(a, summed), rows = sizes(a, left),
                cols = sizes(b, right);
  const Tensor x = reshape(arrange(a, join({&batch, &left, &summed})), Dims{n, rows, k});
  const Tensor y = reshape(arrange(b, join({&batch, &summed, &right})), Dims{n, k, cols});
  out.t = view(batch.empty() ? mm(select(x, 0, 0), select(y, 0, 0)) : bmm(x, y), shape);
  return out;
}

}  // namespace

Tensor einsum(std::string_view equation, TensorList tensors) {
  check(!tensors.empty(), "einsum(): must provide at least one operand");
  const Equation eq = read(equation);
  check(eq.inputs.size() >= tensors.size(),
        "einsum(): more operands were provided than specified in the equation");
  check(eq.inputs.size() <= tensors.size(),
        "einsum(): fewer operands were provided than specified in the equation");
  std::vector<Operand> ops;
  std::array<int, kLabels> count{};
  std::array<int64_t, kLabels> size{};
  size.fill(1);
  int ellipsis = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    ops.push_back(prepare(tensors[i], eq.inputs[i], static_cast<int64_t>(i)));
    for (int l : eq.inputs[i]) {
      if (l >= 0) ++count[l];
    }
    for (int l : ops[i].labels) {
      if (l >= kLetters) ellipsis = std::max(ellipsis, l - kLetters + 1);
      const int64_t n = ops[i].size(l);
      check(n == size[l] || n == 1 || size[l] == 1,
            "einsum(): subscript {} has size {} for operand {} which does not broadcast with "
            "previously seen size {}",
            l < kLetters ? std::string(1, letter(l)) : "...", n, static_cast<int64_t>(i), size[l]);
      if (size[l] == 1) size[l] = n;
    }
  }
  Labels output;
  auto add_ellipsis = [&] {
    for (int k = ellipsis; k > 0; --k) output.push_back(kLetters + k - 1);
  };
  std::array<bool, kLabels> kept{};
  if (eq.explicit_output) {
    for (int l : eq.output) {
      if (l == kEllipsis) {
        add_ellipsis();
        continue;
      }
      check(!kept[l], "einsum(): output subscript {} appears more than once in the output",
            std::string(1, letter(l)));
      check(count[l] > 0,
            "einsum(): output subscript {} does not appear in the equation for any input operand",
            std::string(1, letter(l)));
      kept[l] = true;
      output.push_back(l);
    }
  } else {
    add_ellipsis();
    for (int l = 0; l < kLetters; ++l) {
      if (count[l] == 1) output.push_back(l);
    }
  }
  Operand result = ops[0];
  for (size_t i = 1; i <= ops.size(); ++i) {
    // What is asked for later: by the output or by an operand still to come.
    kept.fill(false);
    for (int l : output) kept[l] = true;
    for (size_t j = i + 1; j < ops.size(); ++j) {
      for (int l : ops[j].labels) kept[l] = true;
    }
    if (i < ops.size()) {
      result = contract(std::move(result), ops[i], kept);
      continue;
    }
    for (int l = 0; l < kLabels; ++l) {
      if (result.has(l) && !kept[l]) result.sum(l);
    }
  }
  return arrange(result, output);
}

void register_einsum(OpTable& ops) {
  ops.add(
      "einsum(str equation, Tensor[] tensors) -> Tensor", einsum, Function,
      "Returns the sums of products that the equation names: 'ij,jk->ik' is a matrix product; "
      "'...' stands for any dimensions, broadcast; without '->' the letters that appear once are "
      "the result's dimensions, sorted.");
}

}  // namespace d2l
