// All of Gradus.
#pragma once

#include "autograd.h"
#include "core.h"
#include "data.h"
#include "nn.h"
#include "optim.h"
