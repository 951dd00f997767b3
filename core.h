// Arrays without gradients: strided values, what is computed of them, random numbers, threads, files.
#pragma once

#include "core/array/create.h"
#include "core/base/errors.h"
#include "core/base/message.h"
#include "core/base/version.h"
#include "core/memory/memory.h"
#include "core/nn/activation.h"
#include "core/nn/conv.h"
#include "core/nn/softmax.h"
#include "core/ops/combine.h"
#include "core/ops/matmul.h"
#include "core/ops/pointwise.h"
#include "core/ops/random.h"
#include "core/ops/reduce.h"
#include "core/ops/scan.h"
#include "core/threads/parallel.h"
