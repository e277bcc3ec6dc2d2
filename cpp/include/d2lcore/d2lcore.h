// All of the public C++ API: tensors, ops and their gradients.
#pragma once

#include "d2lcore/autograd.h"
#include "d2lcore/generator.h"
#include "d2lcore/ops.h"
#include "d2lcore/tensor.h"
