// Tensors, views, schemas and autograd as a C++ user meets them.
#include <doctest/doctest.h>

#include "core/op_table.h"
#include "d2lcore/d2lcore.h"

using namespace d2l;

TEST_CASE("a view is refused when it reaches outside of its storage") {
  const Tensor t = zeros(Dims{2, 3});
  CHECK_NOTHROW(raw_view(t, Dims{3, 2}, Dims{2, 1}, 0));
  CHECK_THROWS_AS(raw_view(t, Dims{4, 2}, Dims{2, 1}, 0), Error);
  CHECK_THROWS_AS(raw_view(t, Dims{2}, Dims{1}, 5), Error);
  CHECK_THROWS_AS(raw_view(t, Dims{2}, Dims{-1}, 3), Error);
  CHECK_THROWS_AS(raw_view(t, Dims{INT64_MAX, 2}, Dims{INT64_MAX, 1}, 0), Error);
  CHECK_THROWS_AS(raw_view(t, Dims{2}, Dims{1}, -1), Error);
}

TEST_CASE("sizes that overflow are refused before memory is asked for") {
  CHECK_THROWS_AS(empty(Dims{int64_t{1} << 62, 4}, DType::Float), Error);
  CHECK_THROWS_AS(empty(Dims{-1}, DType::Float), Error);
  CHECK(empty(Dims{0, int64_t{1} << 40}, DType::Float).numel() == 0);
  CHECK_THROWS_AS(Dims(IntList(std::vector<int64_t>(17, 1))), Error);
}

TEST_CASE("promotion is PyTorch's lattice") {
  CHECK(promote(DType::UInt8, DType::Int8) == DType::Int16);
  CHECK(promote(DType::Int64, DType::Half) == DType::Half);
  CHECK(promote(DType::Half, DType::BFloat16) == DType::Float);
  CHECK(promote(DType::ComplexFloat, DType::Double) == DType::ComplexDouble);
  for (int a = 0; a < kDTypeCount; ++a) {
    for (int b = 0; b < kDTypeCount; ++b) {
      const auto x = static_cast<DType>(a), y = static_cast<DType>(b);
      CHECK(promote(x, y) == promote(y, x));
      CHECK(promote(x, promote(x, y)) == promote(x, y));
    }
  }
}

TEST_CASE("schemas are read, and what is none is refused") {
  const Schema s = parse_schema(
      "nn.f(Tensor self, int[1] dim=[0, -1], *, Scalar? p=2.5, str mode='a') -> (Tensor x, Tensor "
      "y)");
  CHECK(s.space == "nn");
  CHECK(s.name == "f");
  REQUIRE(s.params.size() == 4);
  CHECK(s.params[1].single);
  CHECK(s.params[1].default_text == "[0, -1]");
  CHECK(s.params[2].optional);
  CHECK(s.params[2].keyword_only);
  CHECK(s.params[3].default_text == "'a'");
  CHECK(s.return_names == std::vector<std::string>{"x", "y"});
  CHECK_THROWS_AS(parse_schema("f(Thing self) -> Tensor"), ValueError);
  CHECK_THROWS_AS(parse_schema("f(Tensor self"), ValueError);
}

TEST_CASE("a row whose schema does not fit its function is refused") {
  OpTable table;
  CHECK_THROWS_AS(
      table.add(
          "f(Tensor self, int n) -> Tensor", +[](const Tensor& t) { return t; }, Both, "doc"),
      ValueError);
  CHECK_THROWS_AS(
      table.add(
          "f(Tensor self, int n) -> Tensor", +[](const Tensor& t, bool) { return t; }, Both, "doc"),
      ValueError);
}

TEST_CASE("gradients of a product, and of a gradient") {
  const Tensor x = full(Dims{3}, Scalar(2.0));
  x.set_requires_grad(true);
  const Tensor y = sum(x * x * x);
  const std::vector<Tensor> g = grad({y}, {x}, {}, {.retain_graph = true, .create_graph = true});
  CHECK(g[0].data_as<float>()[1] == 12);
  const std::vector<Tensor> h = grad({sum(g[0])}, {x}, {});
  CHECK(h[0].data_as<float>()[1] == 12);
}

TEST_CASE("a graph of 200,000 nodes is walked and freed without recursion") {
  const Tensor x = full(Dims{}, Scalar(1.0));
  x.set_requires_grad(true);
  Tensor y = x;
  for (int i = 0; i < 200000; ++i) y = y + Scalar(1);
  backward({y}, {});
  CHECK(item(x.grad()).real() == 1);
}

TEST_CASE("writing to a saved tensor is noticed") {
  const Tensor x = full(Dims{2}, Scalar(2.0));
  x.set_requires_grad(true);
  const Tensor a = x * Scalar(1);
  const Tensor y = sum(a * a);
  a.bump_version();
  CHECK_THROWS_AS(backward({y}, {}), Error);
}

TEST_CASE("a seed gives PyTorch's numbers") {
  Generator g(0);
  // torch.manual_seed(0); torch.rand(3)
  const Tensor t = rand(Dims{3}, &g);
  CHECK(t.data_as<float>()[0] == doctest::Approx(0.49625658988952637));
  CHECK(t.data_as<float>()[2] == doctest::Approx(0.08847743272781372));
}
