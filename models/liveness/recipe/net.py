# SPDX-License-Identifier: MIT OR Apache-2.0
"""The network: MiniFASNetV2's shape and, to begin with, its weights (Apache-2.0), with ReLU where it has PReLU, and one answer of two classes.

Its slopes below zero are small (.03 in the mean, .14 at the first layer), so what is lost without them is soon learned again; with PReLU, which ONNX Runtime does
not fuse, a face takes a third longer.
"""
import os

import numpy as np
import onnx
import torch
from torch import nn

from pair import FEATURES, FILES, LIVE, SIDE

# Channels: after the first layers, inside each block (the authors pruned them one by one), behind each part, before the places.
FIRST, WIDTHS, WIDE = 32, (64, 128, 128), 512
INSIDE = ((103, 13, 13, 13, 13), (231, 231, 52, 26, 77, 26, 26), (308, 26, 26))
DROPOUT = .2
# Divides the input, so that the first layer's weights are of the others' size. No mean is taken away: the zeros around the crop are black.
SPREAD = 64.


def conv(i, o, k=1, stride=1, groups=1, relu=True, pad=None):
    return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2 if pad is None else pad, groups=groups), *[nn.ReLU()] * relu)


class Block(nn.Sequential):
    """1x1, 3x3 in each channel, 1x1; what comes in is added where it fits."""

    def __init__(self, i, inside, o, stride=1):
        super().__init__(conv(i, inside), conv(inside, inside, 3, stride, inside), conv(inside, o, relu=False))
        self.residual = stride == 1

    def forward(self, x):
        y = super().forward(x)
        return x + y if self.residual else y


class Liveness(nn.Module):
    """BGR 0..255 [n, 3, 80, 80] -> two answers, and what the teacher has in the same places.

    The answers are logits [n, 2] of spoof and live: what the labels say, and what the teacher says. The first knows the sets that it learned from, the
    second others too; the exported net gives a weighted mean, which is one layer (`head`)."""

    name, side, spread, licence = 'liveness', SIDE, SPREAD, 'Apache-2.0'
    began = 'weights to begin with, answers and features of MiniFASNetV2 (Apache-2.0)'
    features = tuple(FEATURES)

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(conv(3, FIRST, 3, 2), conv(FIRST, FIRST, 3, groups=FIRST))
        self.parts, before = nn.ModuleDict(), FIRST
        for name, width, inside in zip(FEATURES, WIDTHS, INSIDE):
            self.parts[name] = nn.Sequential(*[Block(width if k else before, n, width, 1 if k else 2) for k, n in enumerate(inside)])
            before = width
        self.mix = conv(before, WIDE)
        # What is where matters: the middle of the crop is the face, its edge may be that of a screen. So each of the 5x5 places has a weight.
        self.places = conv(WIDE, WIDE, 5, groups=WIDE, relu=False, pad=0)
        self.last, self.dropout = nn.Linear(WIDE, FEATURES['last'][0]), nn.Dropout(DROPOUT)
        self.answer, self.echo = nn.Linear(FEATURES['last'][0], 2), nn.Linear(FEATURES['last'][0], 2)

    def forward(self, x, given=None):
        """`given`: the teacher's features, which each part then goes on from instead of from the part before."""
        x, seen = self.first(x / SPREAD), {}
        for name, part in self.parts.items():
            seen[name] = part(x)
            x = given[name] if given else seen[name]
        seen['last'] = self.last(self.places(self.mix(x)).flatten(1))
        return self.answer(self.dropout(seen['last'])), self.echo(seen['last']), seen

    def head(self, share):
        """Weights [2, 512] and bias from the places on, of both answers together: `share` is the weight of that of the labels."""
        w, b = ((share * getattr(self.answer, k) + (1 - share) * getattr(self.echo, k)).detach().double() for k in ('weight', 'bias'))
        return (w @ self.last.weight.detach().double()).float(), (w @ self.last.bias.detach().double() + b).float()

    def spec(self):
        return f'{self.name},size={SIDE},width=1,blocks=depthwise,dropout={DROPOUT}'

    def plain(self):
        """The same function without norms: it has none."""
        return self.eval()

    def units(self):
        """The layers that have norms in liveness-train, in the order of execution: (name there, layer)."""
        return [(name, conv) for name, conv, _ in self.convs()]

    def lay(self, g, x):
        """Lays the net, up to the last places, into a graph behind `x`."""
        before = x
        for name, conv, relu in self.convs():
            before = x if name.endswith('.widen') else before
            w, b = conv.weight.detach().numpy(), conv.bias.detach().numpy()
            x = g.conv(x, w, b, conv.stride[0], relu, conv.groups, 1, conv.padding[0], name)
            # The first block of a part halves the side: nothing is added to it.
            if name.endswith('.narrow') and '.0.' not in name:
                x = g.node('Add', [before, x])
        return g.node('Flatten', [x], axis=1)

    def convs(self):
        """Its convolutions in the order of execution: (name, Conv2d, ReLU)."""
        out = [('stem', self.first[0]), ('stem.look', self.first[1])]
        for i, part in enumerate(self.parts.values(), 1):
            for k, block in enumerate(part):
                out += [(f'block{i}.{k}.{n}', c) for n, c in zip(('widen', 'look', 'narrow'), block)]
        return [(name, c[0], len(c) > 1) for name, c in out + [('mix', self.mix), ('global', self.places)]]


def begin(net, folder):
    """The teacher's weights; both answers begin with its own."""
    model = onnx.load(os.path.join(folder, FILES[0][0]))
    tensors = {w.name: torch.from_numpy(onnx.numpy_helper.to_array(w).copy()) for w in model.graph.initializer}
    convs = [n for n in model.graph.node if n.op_type == 'Conv']
    with torch.no_grad():
        for (name, conv), node in zip(net.units(), convs, strict=True):
            assert conv.weight.shape == tensors[node.input[1]].shape, name
            conv.weight.copy_(tensors[node.input[1]])
            conv.bias.copy_(tensors[node.input[2]])
        net.first[0][0].weight.mul_(SPREAD)
        first, last = (tensors[n.input[1]] for n in model.graph.node if n.op_type == 'MatMul')
        norm = next(n for n in model.graph.node if n.op_type == 'BatchNormalization')
        gain, shift, mean, variance = (tensors[n] for n in norm.input[1:])
        epsilon = next(a.f for a in norm.attribute if a.name == 'epsilon')
        k = gain / torch.sqrt(variance + epsilon)
        net.last.weight.copy_((first * k).T)
        net.last.bias.copy_(shift - mean * k)
        for answer in (net.answer, net.echo):
            # It has two kinds of spoofs.
            answer.weight.copy_(torch.stack([(last.sum(1) - last[:, LIVE]) / (last.shape[1] - 1), last[:, LIVE]]))
            answer.bias.zero_()


def cost():
    """(parameters, multiply-adds for one face) of the exported net, in which the last layers are one."""
    net, count = Liveness().eval(), [2 * WIDE + 2, 2 * WIDE]

    def add(module, _, out):
        count[0] += module.weight.numel() + out.shape[1]
        count[1] += module.weight.numel() * out[0, 0].numel()
    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            m.register_forward_hook(add)
    with torch.no_grad():
        net(torch.zeros(1, 3, SIDE, SIDE))
    return count
