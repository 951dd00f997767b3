// Data sets, transforms, samplers and loaders.
#pragma once

#include "optim/data/chunk.h"
#include "optim/data/datasets.h"
#include "optim/data/loader.h"
#include "optim/data/samplers.h"
#include "optim/data/transforms.h"
