// Recurrent layers and cells, and batches of sequences of different lengths.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// Stacked layers over a batch of sequences. input: (steps, batch, size), or (batch, steps, size)
// with batch_first. hx: the first states, (layers * directions, batch, state size). params: for
// each layer and direction w_ih, w_hh, (b_ih, b_hh), and w_hr where an LSTM's state is projected.
// Returns the states of the last layer in all steps, and the last states of all layers.
D2L_API std::tuple<Tensor, Tensor, Tensor> lstm(const Tensor& input, TensorList hx,
                                                TensorList params, bool has_biases,
                                                int64_t num_layers, double dropout, bool train,
                                                bool bidirectional, bool batch_first);
D2L_API std::tuple<Tensor, Tensor> gru(const Tensor& input, const Tensor& hx, TensorList params,
                                       bool has_biases, int64_t num_layers, double dropout,
                                       bool train, bool bidirectional, bool batch_first);
D2L_API std::tuple<Tensor, Tensor> rnn_tanh(const Tensor& input, const Tensor& hx,
                                            TensorList params, bool has_biases, int64_t num_layers,
                                            double dropout, bool train, bool bidirectional,
                                            bool batch_first);
D2L_API std::tuple<Tensor, Tensor> rnn_relu(const Tensor& input, const Tensor& hx,
                                            TensorList params, bool has_biases, int64_t num_layers,
                                            double dropout, bool train, bool bidirectional,
                                            bool batch_first);

// One step. hx: the old states, (batch, state size).
D2L_API std::tuple<Tensor, Tensor> lstm_cell(const Tensor& input, TensorList hx, const Tensor& w_ih,
                                             const Tensor& w_hh, const Tensor& b_ih = {},
                                             const Tensor& b_hh = {});
D2L_API Tensor gru_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih,
                        const Tensor& w_hh, const Tensor& b_ih = {}, const Tensor& b_hh = {});
D2L_API Tensor rnn_tanh_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih,
                             const Tensor& w_hh, const Tensor& b_ih = {}, const Tensor& b_hh = {});
D2L_API Tensor rnn_relu_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih,
                             const Tensor& w_hh, const Tensor& b_ih = {}, const Tensor& b_hh = {});

// Sequences of falling lengths, step after step without gaps, and how many there are in each step.
D2L_API std::tuple<Tensor, Tensor> pack_padded_sequence(const Tensor& input, const Tensor& lengths,
                                                        bool batch_first);
// The way back, and the lengths.
D2L_API std::tuple<Tensor, Tensor> pad_packed_sequence(const Tensor& data,
                                                       const Tensor& batch_sizes, bool batch_first,
                                                       const Scalar& padding_value,
                                                       int64_t total_length);
D2L_API Tensor pad_sequence(TensorList sequences, bool batch_first = false,
                            double padding_value = 0, std::string_view padding_side = "right");

}  // namespace d2l
