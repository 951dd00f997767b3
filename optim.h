// Optimizers, schedules of their rates, clipping of gradients.
#pragma once

#include "optim/check.h"
#include "optim/clip.h"
#include "optim/rules/adagrad.h"
#include "optim/rules/adam.h"
#include "optim/rules/rmsprop.h"
#include "optim/rules/sgd.h"
#include "optim/schedules/cosine_annealing_lr.h"
#include "optim/schedules/decay_lr.h"
#include "optim/schedules/linear_lr.h"
#include "optim/schedules/one_cycle_lr.h"
#include "optim/schedules/reduce_lr_on_plateau.h"
#include "optim/serialize.h"
