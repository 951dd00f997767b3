// What training feels like: progress, metrics, history and curves, early stopping, checkpoints, Ctrl-C. A loop of one's own
// stays one's own: these are called from it.
#pragma once

#include "optim/train/checkpoint.h"
#include "optim/train/confusion.h"
#include "optim/train/curves.h"
#include "optim/train/history.h"
#include "optim/train/interrupt.h"
#include "optim/train/metrics.h"
#include "optim/train/progress.h"
#include "optim/train/terminal.h"
