# SPDX-License-Identifier: MIT OR Apache-2.0
"""The network: YuNet-n's backbone and pyramid, with one head per level where YuNet-n has four.

Why this shape: YuNet-n's weights (MIT) learned from tens of thousands of photos of a set whose terms keep it from us, and a net that
begins with them knows faces that a few thousand photos do not teach. A unit is a 1x1 convolution across channels and a 3x3
one in each of them, without anything in between: YuNet-n's four heads of a level are four such units on the same input, so
one unit of 16 channels says exactly the same, and ONNX Runtime works on 16 channels at once.
"""
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
HEAD = 16                      # class, objectness, box (4), five points (10)


@dataclass
class Shape:
    """Widths, written into every checkpoint so that a file can be read without knowing its configuration."""
    stem: int = 16             # stride 2
    early: int = 32            # stride 4, where half of YuNet-n's work is: it has 64
    width: int = 64            # strides 8, 16, 32


class Stem(nn.Sequential):
    def __init__(self, out):
        super().__init__(nn.Conv2d(3, out, 3, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU())


class Unit(nn.Module):
    """1x1 across the channels, 3x3 in each; with batch norm and ReLU, or plain as a head."""

    def __init__(self, inp, out, plain=False):
        super().__init__()
        self.mix = nn.Conv2d(inp, out, 1)
        self.each = nn.Conv2d(out, out, 3, padding=1, groups=out, bias=plain)
        self.norm = nn.Identity() if plain else nn.BatchNorm2d(out)
        self.plain = plain

    def forward(self, x):
        x = self.norm(self.each(self.mix(x)))
        return x if self.plain else F.relu(x)


class FaceDetect(nn.Module):
    def __init__(self, shape=None):
        super().__init__()
        s = self.shape = shape or Shape()
        self.stem = nn.Sequential(Stem(s.stem), Unit(s.stem, s.stem))
        self.early = nn.Sequential(Unit(s.stem, s.stem), Unit(s.stem, s.early), Unit(s.early, s.early), Unit(s.early, s.width))
        self.stages = nn.ModuleList([nn.Sequential(Unit(s.width, s.width), Unit(s.width, s.width)) for _ in STRIDES])
        self.lateral = nn.ModuleList([Unit(s.width, s.width) for _ in STRIDES])
        self.ready = nn.ModuleList([Unit(s.width, s.width) for _ in STRIDES])
        self.head = nn.ModuleList([Unit(s.width, HEAD, plain=True) for _ in STRIDES])

    def levels(self, x):
        """Raw maps [B, 16, h, w] of the three strides, finest first, and the maps [B, 64, h, w] before the heads. x: BGR 0..255."""
        half = lambda t: F.max_pool2d(t, 2)
        x = self.early(half(self.stem(x)))
        features = []
        for stage in self.stages:
            x = stage(half(x))
            features.append(x)
        ready, down = [None] * 3, None
        for i in (2, 1, 0):
            f = features[i] if down is None else features[i] + F.interpolate(down, scale_factor=2., mode='nearest')
            down = self.lateral[i](f)
            ready[i] = self.ready[i](down)
        return [head(r) for head, r in zip(self.head, ready)], ready

    def forward(self, x):
        """[B, N, 15] over all cells of all levels, finest first, row by row: the score as a logit, box, points; and the maps before the heads."""
        maps, ready = self.levels(x)
        raw = torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1).float()
        return torch.cat([score(raw[..., :2])[..., None], raw[..., 2:]], -1), ready


def score(pair):
    """Logits of class and objectness [.., 2] -> logit of the score, which is the root of their probabilities' product."""
    log = F.logsigmoid(pair).mean(-1).clamp(max=-1e-6)
    return log - torch.log(-torch.expm1(log))


def cells(height, width, device=None):
    """Column, row and stride of every cell, in the order of `FaceDetect.forward`: [N, 3]."""
    out = []
    for s in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // s), torch.arange(width // s), indexing='ij')
        out.append(torch.stack([x.flatten(), y.flatten(), torch.full((x.numel(),), s)], 1))
    return torch.cat(out).float().to(device)


def decode(raw, grid):
    """Raw rows [.., N, 15] of the cells [N, 3] -> corner boxes [.., N, 4] and points [.., N, 10] in pixels, as for YuNet."""
    xy, s = grid[:, :2], grid[:, 2:]
    centre = (raw[..., 1:3] + xy) * s
    half = torch.exp(raw[..., 3:5].clamp(max=6.)) * s / 2
    points = (raw[..., 5:15] + xy.repeat(1, 5)) * s
    return torch.cat([centre - half, centre + half], -1), points


def cost(shape, size=320):
    """(parameters after folding, multiply-adds) for a square picture."""
    net, total = FaceDetect(shape).eval(), [0, 0]

    def count(m, _, out):
        k = m.weight.numel()
        total[0] += k + m.out_channels
        total[1] += k * out.shape[2] * out.shape[3]
    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net(torch.zeros(1, 3, size, size))
    for h in hooks:
        h.remove()
    return total
