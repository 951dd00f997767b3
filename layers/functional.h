// The layers' mathematics as functions, with PyTorch's ...FuncOptions. Each is declared in its layer's header.
#pragma once

#include "activation.h"
#include "activation_smooth.h"
#include "activation_softmax.h"
#include "attention.h"
#include "avg_pool.h"
#include "batch_norm.h"
#include "conv.h"
#include "cross_entropy.h"
#include "dropout.h"
#include "embedding.h"
#include "layer_norm.h"
#include "linear.h"
#include "loss.h"
#include "max_pool.h"
#include "nll_loss.h"
#include "padding.h"
