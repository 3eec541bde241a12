# SPDX-License-Identifier: MIT OR Apache-2.0
"""The small classic: PyImageSearch's LivenessNet (Rosebrock 2019) on 32x32 pixels, with ReLU behind the norms instead of before them, as liveness-train has it.

It learns from nothing: no teacher has its features. What the teacher says it hears as the large one does.
"""
import copy

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

SIDE = 32
WIDTHS, DENSE = (16, 32), 64
DROPOUT = .5
# Divides the input.
SPREAD = 64.


def unit(layer, norm):
    return nn.Sequential(layer, norm, nn.ReLU())


class LivenessNet(nn.Module):
    """BGR 0..255 [n, 3, side, side], averaged to 32x32 -> two answers as in net.py, and no features."""

    name, side, spread, licence, began = 'livenessnet', SIDE, SPREAD, 'MIT OR Apache-2.0', 'answers of MiniFASNetV2 (Apache-2.0)'
    features = ()

    def __init__(self):
        super().__init__()
        self.stages, before = nn.ModuleDict(), 3
        for k, width in enumerate(WIDTHS, 1):
            for step in 'ab':
                self.stages[f'conv{k}{step}'] = unit(nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
                before = width
        self.dense = unit(nn.Linear(before * (SIDE // 4) ** 2, DENSE, bias=False), nn.BatchNorm1d(DENSE))
        self.less, self.dropout = nn.Dropout(DROPOUT / 2), nn.Dropout(DROPOUT)
        self.answer, self.echo = nn.Linear(DENSE, 2), nn.Linear(DENSE, 2)

    def forward(self, x, given=None):
        x = F.interpolate(x, (SIDE, SIDE), mode='bilinear', antialias=True) / SPREAD
        for name, stage in self.stages.items():
            x = stage(x)
            if name.endswith('b'):
                x = self.less(F.max_pool2d(x, 2))
        x = self.dropout(self.dense(x.flatten(1)))
        return self.answer(x), self.echo(x), {}

    def spec(self):
        return f'{self.name},size={SIDE},width=1,dropout={DROPOUT}'

    def plain(self):
        """The same function without norms."""
        net = copy.deepcopy(self).eval()
        for part, fuse in [*((s, fuse_conv_bn_eval) for s in net.stages.values()), (net.dense, fuse_linear_bn_eval)]:
            part[0], part[1] = fuse(part[0], part[1]), nn.Identity()
        return net

    def units(self):
        """The layers of `plain` that had norms, in the order of execution: (name in liveness-train, layer)."""
        return [(name, s[0]) for name, s in self.stages.items()] + [('dense', self.dense[0])]

    def head(self, share):
        """Weights [2, 64] and bias of both answers together: `share` is the weight of that of the labels."""
        return tuple((share * getattr(self.answer, k) + (1 - share) * getattr(self.echo, k)).detach() for k in ('weight', 'bias'))

    def lay(self, g, x):
        """Lays `plain`, up to the answers, into a graph behind `x`."""
        for name, layer in self.units():
            w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
            if name == 'dense':
                x = g.node('Flatten', [x], axis=1)
                x = g.node('Relu', [g.node('Gemm', [x, g.weight('dense.weight', w), g.weight('dense.bias', b)], transB=1)])
                continue
            x = g.conv(x, w, b, name=name)
            if name.endswith('b'):
                x = g.node('MaxPool', [x], kernel_shape=[2, 2], strides=[2, 2])
        return x


def begin(net, folder):
    """Nothing is known at the beginning."""


def cost():
    """(parameters, multiply-adds for one face) of the exported net."""
    net, count = LivenessNet().plain(), [2 * DENSE + 2, 2 * DENSE]

    def add(layer, _, out):
        count[0] += layer.weight.numel() + layer.bias.numel()
        count[1] += layer.weight.numel() * (out[0, 0].numel() if out.ndim == 4 else 1)
    for _, layer in net.units():
        layer.register_forward_hook(add)
    with torch.no_grad():
        net(torch.zeros(1, 3, SIDE, SIDE))
    return count
