#!/usr/bin/env python3
"""modules_recurrent.safetensors: see module_cases.py. What returns more than a Tensor is in recurrent.safetensors."""
from torch import nn

from module_cases import Cases

cases = Cases("recurrent")
record, u = cases.record, cases.inputs.uniform

record("rnn_cell", nn.RNNCell(3, 4), u([2, 3]), u([2, 4]))
record("rnn_cell_relu", nn.RNNCell(3, 4, False, "relu"), u([2, 3]), u([2, 4]))
record("gru_cell", nn.GRUCell(3, 4), u([2, 3]), u([2, 4]))
record("gru_cell_one", nn.GRUCell(3, 4, False), u([3]))
cases.finish()
