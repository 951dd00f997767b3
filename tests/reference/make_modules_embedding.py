#!/usr/bin/env python3
"""modules_embedding.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("embedding")
record, integers = cases.record, cases.inputs.integers

record("embedding", nn.Embedding(6, 3, padding_idx=5), integers([2, 4], 5))
cases.finish()
