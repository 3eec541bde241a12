# SPDX-License-Identifier: MIT OR Apache-2.0
"""The network: plain 3x3 convolutions with ReLU, which two cores train five times as fast as depthwise ones of the same cost.

Its parts end where the teacher's stages end, so that each can learn its own: first from what the teacher hands it, then from what the part
before it does.
"""
import dataclasses

import torch
from torch import nn

from pair import FEATURES, SIDE

MEAN, SPREAD = 127.5, 64.


@dataclasses.dataclass
class Shape:
    # Channels of the four stages (strides 2, 4, 8, 16), residual blocks in each, channels before the last layer.
    widths: tuple = (16, 64, 96, 96)
    depths: tuple = (1, 1, 2, 1)
    mixed: int = 256
    dropout: float = .2


def conv(i, o, k=3, stride=1, relu=True, groups=1, pad=None):
    return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2 if pad is None else pad, groups=groups, bias=False), nn.BatchNorm2d(o), *[nn.ReLU()] * relu)


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a, self.b = conv(width, width), conv(width, width, relu=False)
        nn.init.constant_(self.b[1].weight, .2)

    def forward(self, x):
        return torch.relu(x + self.b(self.a(x)))


class Liveness(nn.Module):
    """BGR 0..255 [n, 3, 80, 80] -> two answers, and guesses at the teacher's features, in units of their spread.

    The answers are logits [n, 2] of spoof and live: what the labels say, and what the teacher says. The first knows the sets that it learned from, the
    second others too; the exported net gives their mean, which is one layer (`head`)."""

    def __init__(self, shape=Shape()):
        super().__init__()
        w, self.stages, before = shape.widths, nn.ModuleList(), (3, shape.widths[0], *(FEATURES[f][0] for f in ('early', 'fine')))
        for i, depth in enumerate(shape.depths):
            self.stages.append(nn.Sequential(conv(before[i], w[i], stride=2), *[Residual(w[i]) for _ in range(depth)]))
        # From a stage's numbers to the teacher's. Without a summand: then the product of this and the next stage's first layer is one layer.
        self.hands = nn.ModuleDict({f: nn.Conv2d(w[i], FEATURES[f][0], 1, bias=False) for i, f in ((1, 'early'), (2, 'fine'), (3, 'coarse'))})
        self.mix = conv(FEATURES['coarse'][0], shape.mixed, 1)
        # What is where matters: the middle of the crop is the face, its edge may be that of a screen. So each of the 5x5 places has a weight.
        self.places = conv(shape.mixed, shape.mixed, 5, groups=shape.mixed, pad=0)
        self.last, self.dropout = nn.Linear(shape.mixed, FEATURES['last'][0]), nn.Dropout(shape.dropout)
        self.answer, self.echo = nn.Linear(shape.mixed, 2), nn.Linear(shape.mixed, 2)

    def forward(self, x, given=None):
        """`given`: the teacher's features, which each part then goes on from instead of from the guess of the part before."""
        x, guess = self.stages[0]((x - MEAN) / SPREAD), {}
        for stage, name in zip(self.stages[1:], self.hands):
            guess[name] = self.hands[name](stage(x))
            x = given[name] if given else guess[name]
        seen = self.places(self.mix(x)).flatten(1)
        guess['last'] = self.last(seen)
        return self.answer(self.dropout(seen)), self.echo(seen), guess

    def head(self):
        """Weights and bias of the mean of both answers."""
        return tuple(((getattr(self.answer, k) + getattr(self.echo, k)) / 2).detach() for k in ('weight', 'bias'))


def cost(shape):
    """(parameters, multiply-adds for one face) of the exported net, in which `hands` are gone."""
    net, count = Liveness(shape).eval(), [0, 0]
    merged = {id(net.stages[2][0][0]): shape.widths[1], id(net.stages[3][0][0]): shape.widths[2], id(net.mix[0]): shape.widths[3]}

    def add(module, _, out):
        n = module.weight.numel() * merged.get(id(module), module.weight.shape[1]) // module.weight.shape[1]
        count[0] += n + out.shape[1]
        count[1] += n * (out[0, 0].numel() if out.ndim == 4 else 1)
    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)) and m not in (net.last, net.echo) and all(m is not h for h in net.hands.values()):
            m.register_forward_hook(add)
    with torch.no_grad():
        net(torch.zeros(1, 3, SIDE, SIDE))
    return count
