// Every op, by chapter. Ops are free functions of tensors; the ones that take a Dst can write into
// a given tensor (d2lcore/dst.h).
#pragma once

#include "d2lcore/ops/activation.h"
#include "d2lcore/ops/arithmetic.h"
#include "d2lcore/ops/compare.h"
#include "d2lcore/ops/complex.h"
#include "d2lcore/ops/convert.h"
#include "d2lcore/ops/factory.h"
#include "d2lcore/ops/index.h"
#include "d2lcore/ops/join.h"
#include "d2lcore/ops/linalg.h"
#include "d2lcore/ops/loss.h"
#include "d2lcore/ops/matmul.h"
#include "d2lcore/ops/norm.h"
#include "d2lcore/ops/normalize.h"
#include "d2lcore/ops/optim.h"
#include "d2lcore/ops/random.h"
#include "d2lcore/ops/reduce.h"
#include "d2lcore/ops/scan.h"
#include "d2lcore/ops/sort.h"
#include "d2lcore/ops/unary.h"
#include "d2lcore/ops/view.h"
