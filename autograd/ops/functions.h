// Every operation on tensors, as a free function. Names, arguments, defaults and meanings are PyTorch's; each notes its
// formula where it is not its name. Operands broadcast and promote where PyTorch's do. Each family has its header here, which
// declares its members of Tensor, too, and its source file beside it, which defines it with its gradients.
#pragma once

#include "activation.h"
#include "aliases.h"
#include "combine.h"
#include "distance.h"
#include "elementwise.h"
#include "indexing.h"
#include "linalg_members.h"
#include "logic.h"
#include "matmul.h"
#include "pointwise.h"
#include "reduce.h"
#include "scan.h"
#include "shapes.h"
#include "special.h"
#include "statistics.h"
#include "views.h"
