// The operations one by one, for `compare --operations`: a row each, on about 10^6 elements and on 64.
#pragma once

#ifdef GRADUS_BENCH_TORCH
#include <torch/torch.h>
#else
#include <gradus/torch.h>
#endif

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

// What rows take. R is 1000 (8), so that matrices R x R have 10^6 (64) elements.
struct In {
  torch::Tensor a, b, c;     // R x R, normal
  torch::Tensor u, p;        // R x R: in (0.01, 0.99), in (0.5, 1.5)
  torch::Tensor v, w, q;     // R^2: normal, normal, in (0.5, 1.5)
  torch::Tensor r, k;        // R and R x 1, normal
  torch::Tensor m, o, d;     // batch x 64 x 64 (8 x 8): normal, normal, symmetric and positive definite
  torch::Tensor l, s;        // R x 64 (8 x 8), normal
  torch::Tensor x;           // images: 4 x 16 x 125 x 125 (1 x 1 x 8 x 8)
  torch::Tensor t;           // R x R, written in place
  torch::Tensor mask;        // R x R, half of it true
  torch::Tensor ids, rows;   // places from 0 to R - 1: R x R, R
  torch::Tensor at;          // places from 0 to R^2 - 1: R^2
  torch::Tensor few, many;   // R^2 integers from 1 to R, from 1 to 10^9
  torch::Tensor i, j;        // R x R integers from 1 to 1000
  torch::Tensor edges;       // R numbers, ascending
  std::int64_t n, size;      // R^2, R
};

struct Row {
  std::string name;
  std::string wanted;  // the letters of the tensors whose gradients are taken, too; none: forward alone
  torch::Tensor (*f)(const In&);
};

std::vector<Row> pointwise_operations();
std::vector<Row> shape_operations();
std::vector<Row> reduction_operations();
std::vector<Row> indexing_operations();
std::vector<Row> matrix_operations();

}  // namespace bench
