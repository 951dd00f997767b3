#!/usr/bin/env python3
"""modules_distance.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("distance")
record, u = cases.record, cases.inputs.uniform

record("cosine_similarity", nn.CosineSimilarity(), u([3, 4, 2]), u([3, 4, 2]))
record("cosine_similarity_dim", nn.CosineSimilarity(dim=0, eps=0.5), u([3, 4]), u([3, 1]))
record("pairwise_distance", nn.PairwiseDistance(), u([3, 4]), u([3, 4]))
record("pairwise_distance_3", nn.PairwiseDistance(p=3, eps=1e-3, keepdim=True), u([3, 4]), u([4]))
cases.finish()
