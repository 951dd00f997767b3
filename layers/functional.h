// The layers' mathematics as functions, with PyTorch's ...FuncOptions. Each is declared in its layer's header.
#pragma once

#include "activation/activation.h"
#include "activation/activation_smooth.h"
#include "activation/activation_softmax.h"
#include "attention/attention.h"
#include "pool/avg_pool.h"
#include "norm/batch_norm.h"
#include "conv/conv.h"
#include "loss/cross_entropy.h"
#include "dropout/dropout.h"
#include "embedding/embedding.h"
#include "norm/layer_norm.h"
#include "linear/linear.h"
#include "loss/loss.h"
#include "pool/max_pool.h"
#include "loss/nll_loss.h"
#include "conv/padding.h"
