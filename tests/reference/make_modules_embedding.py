#!/usr/bin/env python3
"""modules_embedding.safetensors: see module_cases.py."""
import numpy as np
from torch import nn

from module_cases import Cases

cases = Cases("embedding")
record, integers = cases.record, cases.inputs.integers

record("embedding", nn.Embedding(6, 3, padding_idx=5), integers([2, 4], 5))
begins = np.array([0, 2, 2])
record("embedding_bag", nn.EmbeddingBag(6, 3), integers([4, 2], 5))
record("embedding_bag_sum", nn.EmbeddingBag(6, 3, mode="sum", padding_idx=2), integers([5], 6), begins)
record("embedding_bag_weighted", nn.EmbeddingBag(6, 3, mode="sum", include_last_offset=True), integers([5], 6),
       np.array([0, 2, 5]), cases.inputs.uniform([5]))
record("embedding_bag_max", nn.EmbeddingBag(6, 3, mode="max"), integers([5], 6), begins)
cases.finish()
