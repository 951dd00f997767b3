// All of Gradus but for what a training loop is dressed with, train.h.
#pragma once

#include "autograd.h"
#include "core.h"
#include "data.h"
#include "nn.h"
#include "optim.h"
