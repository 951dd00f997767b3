#!/usr/bin/env python3
"""modules_attention.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("attention")
record, u = cases.record, cases.inputs.uniform
inside = dict(dim_feedforward=3, dropout=0)

record("encoder_layer", nn.TransformerEncoderLayer(4, 2, **inside), u([3, 2, 4]), u([3, 3]))
record("encoder_layer_first", nn.TransformerEncoderLayer(4, 1, norm_first=True, activation="gelu", **inside), u([3, 2, 4]))
record("decoder_layer", nn.TransformerDecoderLayer(4, 2, **inside), u([2, 2, 4]), u([3, 2, 4]), u([2, 2]))
encoder_layer, decoder_layer = (layer(4, 1, dim_feedforward=2, dropout=0)
                                for layer in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer))
record("encoder", nn.TransformerEncoder(encoder_layer, 2, norm=nn.LayerNorm(4), enable_nested_tensor=False), u([2, 2, 4]))
record("decoder", nn.TransformerDecoder(decoder_layer, 1), u([2, 1, 4]), u([3, 1, 4]))
record("transformer", nn.Transformer(4, 1, 1, 1, dim_feedforward=2, dropout=0), u([2, 1, 4]), u([2, 1, 4]))
record("encoder_layer_dropout", nn.TransformerEncoderLayer(4, 2, dim_feedforward=3), u([3, 2, 4]), draws=True)
cases.finish()
