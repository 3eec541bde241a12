# SPDX-License-Identifier: MIT OR Apache-2.0
"""The network: dense 3x3 convolutions, each conv -> BN -> ReLU, a pyramid of three levels, one 1x1 head per level.

Why this shape: dense 3x3 convolutions on few channels run as fast in ONNX Runtime as depthwise ones on many, train
better, and keep their accuracy in int8. conv -> BN -> ReLU folds into one operation on export. Half of the work of a
detector of this size sits in the first layers, hence the narrow stem and the early downsampling. Channels are
multiples of 16, the width of the vectors that ONNX Runtime works with.
"""
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
HEAD = 15                      # score, box (4), five points (10)


@dataclass
class Shape:
    """Widths and depths, written into every checkpoint so that a file can be read without knowing its configuration."""
    stem: int = 16             # stride 2
    early: int = 16            # stride 4
    early_depth: int = 0       # residual blocks at stride 4
    widths: list = field(default_factory=lambda: [32, 48, 64])   # strides 8, 16, 32
    depths: list = field(default_factory=lambda: [1, 1, 1])      # residual convolutions after each downsampling
    neck: int = 32
    # Kernel and width of the convolution before each head. At stride 8 a 3x3 would cost a fifth of the whole network.
    smooth: list = field(default_factory=lambda: [[1, 48], [3, 32], [3, 32]])
    # What lets stride 32 see a face that fills the picture: separable 5x5 blocks after its stage, and the spacing of the
    # taps of the convolution before its head. With 0 and 1 an answer there knows 239 pixels around it, with 1 and 2, 431.
    far: int = 1
    spread: int = 2


class ConvBnRelu(nn.Sequential):
    def __init__(self, inp, out, kernel=3, stride=1, relu=True, groups=1, dilation=1):
        super().__init__(nn.Conv2d(inp, out, kernel, stride, kernel // 2 * dilation, dilation, groups, bias=False), nn.BatchNorm2d(out),
                         nn.ReLU() if relu else nn.Identity())


class Residual(nn.Module):
    """One convolution with a shortcut: gradients reach the stem, at the price of one addition."""

    def __init__(self, width):
        super().__init__()
        self.conv = ConvBnRelu(width, width, relu=False)

    def forward(self, x):
        return F.relu(self.conv(x) + x)


class Far(nn.Module):
    """A wide look for little work: 5x5 in each channel, then 1x1 across them, with a shortcut. It starts as almost no change,
    so that a network trained without it can go on with it."""

    def __init__(self, width):
        super().__init__()
        self.wide = ConvBnRelu(width, width, 5, groups=width)
        self.mix = ConvBnRelu(width, width, 1, relu=False)

    def forward(self, x):
        return F.relu(self.mix(self.wide(x)) + x)


class FaceDetect(nn.Module):
    def __init__(self, shape=None):
        super().__init__()
        s = self.shape = shape or Shape()
        self.stem = nn.Sequential(ConvBnRelu(3, s.stem, stride=2), ConvBnRelu(s.stem, s.early, stride=2),
                                  *[Residual(s.early) for _ in range(s.early_depth)])
        stages, width = [], s.early
        for w, d in zip(s.widths, s.depths):
            stages.append(nn.Sequential(ConvBnRelu(width, w, stride=2), *[Residual(w) for _ in range(d)]))
            width = w
        stages[-1].extend([Far(width) for _ in range(s.far)])
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList([ConvBnRelu(w, s.neck, 1, relu=False) for w in s.widths])
        self.smooth = nn.ModuleList([ConvBnRelu(s.neck, w, k, dilation=s.spread if i == 2 else 1)
                                     for i, (k, w) in enumerate(s.smooth)])
        self.head = nn.ModuleList([nn.Conv2d(w, HEAD, 1) for _, w in s.smooth])
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')
        for m in self.modules():
            if isinstance(m, Far):
                nn.init.constant_(m.mix[1].weight, .05)
        for h in self.head:
            nn.init.normal_(h.weight, std=.01)
            b = torch.zeros(HEAD)
            b[0] = -4.6                                            # a score of 0.01: most cells are no face
            b[1:3] = .5                                            # the middle of the cell
            b[3:5] = 1.                                            # a face of e cells
            b[5:] = torch.tensor([0., 0., 1., 0., .5, .5, 0., 1., 1., 1.])
            h.bias = nn.Parameter(b)

    def levels(self, x):
        """Raw maps [B, 15, h, w] of the three strides, finest first, and what stands before their heads. x: BGR 0..255."""
        # The division is part of the first convolution after export.
        x = self.stem(x / 128)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        ready, down = [None] * 3, None
        for i in (2, 1, 0):
            f = self.lateral[i](features[i])
            if down is not None:
                f = f + F.interpolate(down, scale_factor=2., mode='nearest')
            f = down = F.relu(f)
            ready[i] = self.smooth[i](f)
        return [head(r) for head, r in zip(self.head, ready)], ready

    def forward(self, x):
        """[B, N, 15] over all cells of all levels, finest first, row by row, the score as a logit; and what stands before the heads, level by level."""
        maps, ready = self.levels(x)
        return torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1), ready


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
