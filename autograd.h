// Tensors: numbers that remember how they were made, what is computed of them, and their gradients.
#pragma once

#include "autograd/check/gradcheck.h"
#include "autograd/fused/lambda.h"
#include "autograd/graph/engine.h"
#include "autograd/graph/grad_mode.h"
#include "autograd/graph/operation.h"
#include "autograd/ops/activation_rules.h"
#include "autograd/ops/functions.h"
#include "autograd/ops/linalg.h"
#include "autograd/tensor/create.h"
#include "autograd/tensor/operators.h"
#include "autograd/tensor/print.h"
#include "autograd/tensor/tensor.h"
