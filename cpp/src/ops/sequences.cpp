// Batches of sequences of different lengths: padded to one length, or packed step after step.
//
// The one idea: a packed sequence is a choice of rows of the padded one.
#include "ops/recurrent_parts.h"

namespace d2l {
namespace {

// Which rows of a padded batch, seen as rows one after the other, a packed one has.
Tensor packed_rows(const std::vector<int64_t>& batch_sizes, int64_t steps, int64_t batch,
                   bool batch_first) {
  int64_t count = 0;
  for (int64_t size : batch_sizes) count += size;
  Tensor rows = empty(Dims{count}, DType::Int64);
  auto* p = reinterpret_cast<int64_t*>(rows.data());
  for (int64_t t = 0; t < static_cast<int64_t>(batch_sizes.size()); ++t) {
    for (int64_t b = 0; b < batch_sizes[static_cast<size_t>(t)]; ++b) {
      *p++ = batch_first ? b * steps + t : t * batch + b;
    }
  }
  return rows;
}

std::vector<int64_t> numbers(const Tensor& t) {
  const Tensor plain = contiguous(detach(t));
  const auto* p = reinterpret_cast<const int64_t*>(plain.data());
  return {p, p + plain.numel()};
}

Tensor vector_of(const std::vector<int64_t>& values) {
  Tensor out = empty(Dims{static_cast<int64_t>(values.size())}, DType::Int64);
  std::copy(values.begin(), values.end(), reinterpret_cast<int64_t*>(out.data()));
  return out;
}

// The first two dimensions as one.
Dims rows_of(const Tensor& t) {
  Dims shape{t.size(0) * t.size(1)};
  for (int64_t d = 2; d < t.dim(); ++d) shape.push_back(t.size(d));
  return shape;
}

}  // namespace

std::tuple<Tensor, Tensor> pack_padded_sequence(const Tensor& input, const Tensor& lengths,
                                                bool batch_first) {
  check<IndexError>(input.dim() >= 2,
                    "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
  check(input.numel() > 0, "Cannot pack empty tensors.");
  check(lengths.dim() == 1 && lengths.dtype() == DType::Int64,
        "'lengths' argument should be a 1D CPU int64 tensor, but got {}D cpu {} tensor",
        lengths.dim(), lengths.dtype());
  const int64_t batch = input.size(batch_first ? 0 : 1), steps = input.size(batch_first ? 1 : 0);
  check(lengths.numel() == batch,
        "Expected `len(lengths)` to be equal to batch_size, but got {} (batch_size={})",
        lengths.numel(), batch);
  const std::vector<int64_t> n = numbers(lengths);
  for (size_t b = 0; b < n.size(); ++b) {
    check(n[b] > 0,
          "Length of all samples has to be greater than 0, but found an element in 'lengths' that "
          "is <= 0");
  }
  for (size_t b = 1; b < n.size(); ++b) {
    check(n[b] <= n[b - 1],
          "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
          "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
          "sidestep this requirement if you do not need ONNX exportability.");
  }
  check(n[0] <= steps, "Expected lengths of at most {} steps, got {}", steps, n[0]);
  std::vector<int64_t> sizes(static_cast<size_t>(n[0]));
  for (int64_t length : n) {
    for (int64_t t = 0; t < length; ++t) ++sizes[static_cast<size_t>(t)];
  }
  return {index_select(reshape(input, rows_of(input)), 0,
                       packed_rows(sizes, steps, batch, batch_first)),
          vector_of(sizes)};
}

std::tuple<Tensor, Tensor> pad_packed_sequence(const Tensor& data, const Tensor& batch_sizes,
                                               bool batch_first, const Scalar& padding_value,
                                               int64_t total_length) {
  check(batch_sizes.dim() == 1 && batch_sizes.dtype() == DType::Int64 && batch_sizes.numel() > 0,
        "batch_sizes has to be a non-empty vector of int64, got shape {}", batch_sizes.shape());
  check(data.dim() > 0, "a packed sequence has at least one dimension");
  const std::vector<int64_t> sizes = numbers(batch_sizes);
  const auto longest = static_cast<int64_t>(sizes.size());
  if (total_length <= 0) total_length = longest;
  check(total_length >= longest,
        "Expected total_length to be at least the length of the longest sequence in input, but got "
        "total_length={} and max sequence length being {}",
        total_length, longest);
  const int64_t batch = sizes[0];
  int64_t count = 0;
  for (size_t t = 0; t < sizes.size(); ++t) {
    check(sizes[t] > 0 && (t == 0 || sizes[t] <= sizes[t - 1]),
          "batch_sizes have to be positive and must not grow, but step {} has {}",
          static_cast<int64_t>(t), sizes[t]);
    check(sizes[t] <= data.size(0) - count, "a packed sequence of {} rows is too short for {} more",
          data.size(0), count + sizes[t]);
    count += sizes[t];
  }
  std::vector<int64_t> lengths(static_cast<size_t>(batch));
  for (int64_t size : sizes) {
    for (int64_t b = 0; b < size; ++b) ++lengths[static_cast<size_t>(b)];
  }
  int64_t places = 0;
  check(!__builtin_mul_overflow(batch, total_length, &places),
        "a batch of {} sequences of {} steps is too large", batch, total_length);
  Dims rows{places}, shape{total_length, batch};
  if (batch_first) std::swap(shape[0], shape[1]);
  for (int64_t d = 1; d < data.dim(); ++d) {
    rows.push_back(data.size(d));
    shape.push_back(data.size(d));
  }
  Options options(data.dtype());
  const Tensor padded =
      index_copy(full(rows, padding_value, options), 0,
                 packed_rows(sizes, total_length, batch, batch_first), narrow(data, 0, 0, count));
  return {reshape(padded, shape), vector_of(lengths)};
}

Tensor pad_sequence(TensorList sequences, bool batch_first, double padding_value,
                    std::string_view padding_side) {
  check(!sequences.empty(), "received an empty list of sequences");
  const bool left = padding_side == "left";
  check(left || padding_side == "right",
        "Expected padding_side to be one of left or right, but got {}.", padding_side);
  int64_t longest = 0;
  for (const Tensor& s : sequences) {
    check(s.dim() > 0, "pad_sequence: a sequence has at least one dimension");
    longest = std::max(longest, s.size(0));
  }
  const Tensor& first = sequences[0];
  std::vector<Tensor> padded;
  for (const Tensor& s : sequences) {
    for (int64_t d = 1; d < std::max(s.dim(), first.dim()); ++d) {
      check(s.dim() == first.dim() && s.size(d) == first.size(d),
            "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton "
            "dimension {}",
            d < first.dim() ? first.size(d) : 0, d < s.dim() ? s.size(d) : 0, d);
    }
    Dims amounts;  // the last dimension comes first
    for (int64_t d = 1; d < s.dim(); ++d) amounts.push_back(0), amounts.push_back(0);
    amounts.push_back(left ? longest - s.size(0) : 0);
    amounts.push_back(left ? 0 : longest - s.size(0));
    padded.push_back(to_dtype(constant_pad_nd(s, amounts, Scalar(padding_value)), first.dtype()));
  }
  return stack(padded, batch_first ? 0 : 1);
}

void register_sequences(OpTable& ops) {
  ops.add(
      "_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, "
      "Tensor)",
      pack_padded_sequence, Function,
      "Returns the rows of a padded batch of sequences of falling lengths, step after step, and "
      "how many there are in each step; see nn.utils.rnn.pack_padded_sequence.");
  ops.add(
      "_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar "
      "padding_value, int total_length) -> (Tensor, Tensor)",
      pad_packed_sequence, Function,
      "Returns a padded batch of the packed one, and its lengths; see "
      "nn.utils.rnn.pad_packed_sequence.");
  ops.add(
      "nn.pad_sequence(Tensor[] sequences, bool batch_first=False, float padding_value=0., str "
      "padding_side='right') -> Tensor",
      pad_sequence, Function,
      "Returns sequences of different lengths as one batch, filled up with "
      "``padding_value`` on one side.");
}

}  // namespace d2l
