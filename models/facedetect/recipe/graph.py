# SPDX-License-Identifier: MIT OR Apache-2.0
"""ONNX graphs written by hand: batch norm is folded into the weights, in float64, and two exports of one checkpoint are the same bytes."""
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import helper, numpy_helper


class Graph:
    """Nodes and weights in the order in which they are needed."""

    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0

    def node(self, op, inputs, name=None, **attributes):
        self.count += 1
        name = name or f't{self.count}'
        self.nodes.append(helper.make_node(op, inputs, [name], name=f'{op}_{self.count}', **attributes))
        return name

    def weight(self, name, array):
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def conv(self, x, w, b, stride=1, relu=True, groups=1, dilation=1, pad=None, name=None):
        k, names = w.shape[-1], [f'{name}.weight', f'{name}.bias'] if name else [f'c{self.count}.w', f'c{self.count}.b']
        x = self.node('Conv', [x, self.weight(names[0], w), self.weight(names[1], b)], kernel_shape=[k, k],
                      strides=[stride] * 2, pads=[(k // 2 if pad is None else pad) * dilation] * 4, group=groups, dilations=[dilation] * 2)
        return self.node('Relu', [x]) if relu else x

    def model(self, name, inputs, outputs, facts=None):
        """The whole file, checked; `facts` go into its metadata."""
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], producer_name=f'{name} recipe')
        model.ir_version = 8
        for k, v in (facts or {}).items():
            p = model.metadata_props.add()
            p.key, p.value = 'liveness.' + k, v
        onnx.checker.check_model(model, full_check=True)
        return model


def fold(block, input_scale=1.):
    """Weights and bias of a ConvBnRelu with the batch norm inside."""
    conv, bn = block[0], block[1]
    f = (bn.weight.double() / torch.sqrt(bn.running_var.double() + bn.eps)).detach()
    w = conv.weight.detach().double() * f[:, None, None, None] * input_scale
    b = bn.bias.detach().double() - bn.running_mean.double() * f
    return w.float().numpy(), b.float().numpy()


def one(g, m, x, input_scale=1., relu=True):
    w, b = fold(m, input_scale)
    return g.conv(x, w, b, m[0].stride[0], relu, m[0].groups, m[0].dilation[0])


def run(data, x):
    """All outputs of a model for one input, by name."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(data, options, providers=['CPUExecutionProvider'])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, {'input': x})))
