# SPDX-License-Identifier: MIT OR Apache-2.0
"""YuNet-n's weights (MIT) as the beginning of our network, number for number, with batch norms that training can move.

Its file has the batch norms folded into the convolutions. They are put back from what batches of our samples look like, so that the
network answers as before and every channel has a spread of one before its ReLU.
"""
import numpy as np
import onnx
import torch
from onnx import numpy_helper

from net import STRIDES, FaceDetect, Shape, Stem, Unit

HEADS = ('cls', 'obj', 'bbox', 'kps')      # as our one head has them
IN_FILE = ('cls', 'bbox', 'obj', 'kps')    # as the file has them, all levels of each


class Weights:
    """The file's convolutions in order, and those of the heads by their outputs' names."""

    def __init__(self, path):
        graph = onnx.load(path).graph
        values = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
        self.convs = [tuple(values[n] for n in node.input[1:3]) for node in graph.node if node.op_type == 'Conv']

    def take(self, count):
        """The next `count` convolutions, (weight, bias) each."""
        taken, self.convs = self.convs[:count], self.convs[count:]
        assert len(taken) == count, 'not the file of YuNet-n: too few convolutions'
        return taken


def fill(unit, mix, each):
    unit.mix.weight.data, unit.mix.bias.data = mix
    unit.each.weight.data = each[0]
    if unit.plain:
        unit.each.bias.data = each[1]
    else:
        unit.norm.bias.data = each[1]


@torch.no_grad()
def from_teacher(path):
    """The network with YuNet-n's weights; its batch norms do nothing but add the folded biases (see `settle`)."""
    net, w = FaceDetect(Shape(early=Shape.width)).eval(), Weights(path)
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.eps = 0.
    (k, b), = w.take(1)
    net.stem[0][0].weight.data, net.stem[0][1].bias.data = k, b
    for u in [net.stem[1], *net.early, *[u for s in net.stages for u in s], *[net.lateral[i] for i in (2, 1, 0)], *net.ready]:
        fill(u, *w.take(2))
    parts = {h: [w.take(2) for _ in STRIDES] for h in IN_FILE}
    assert not w.convs
    for i, u in enumerate(net.head):
        join = lambda conv, what: torch.cat([parts[h][i][conv][what] for h in HEADS])
        fill(u, (join(0, 0), join(0, 1)), (join(1, 0), join(1, 1)))
    return net


def choose(x, y, count):
    """Which `count` columns of x [n, c] tell most of y [n, d], taken one by one; and the weights [d, count] and bias [d] with which they do."""
    mean_x, mean_y = x.mean(0), y.mean(0)
    a, b = x - mean_x, y - mean_y
    square, both = a.T @ a / len(a), a.T @ b / len(a)
    square += 1e-6 * square.diagonal().mean() * torch.eye(len(square), dtype=x.dtype)
    kept = []
    solve = lambda k: torch.linalg.solve(square[k][:, k], both[k])
    for _ in range(count):
        gain = {c: (both[kept + [c]] * solve(kept + [c])).sum() for c in range(x.shape[1]) if c not in kept}
        kept.append(max(gain, key=gain.get))
    w = solve(kept)
    left = 1 - (both[kept] * w).sum() / b.square().mean(0).sum()
    print(f'{count} of {x.shape[1]} channels leave {left:.1%} of what the next layer made of them unexplained', flush=True)
    return kept, w.T, mean_y - w.T @ mean_x[kept]


@torch.no_grad()
def narrow(net, batches, early=Shape.early):
    """The network with fewer channels at stride 4: those from which the next layer's answers can best be had, by least squares, and refitted to give them."""
    for i in (1, 2):
        unit, after = net.early[i], net.early[i + 1]
        seen = {}
        hooks = [after.mix.register_forward_hook(lambda m, inputs, out: seen.update(x=inputs[0], y=out))]
        xs, ys = [], []
        rng = torch.Generator().manual_seed(i)
        for x in batches:
            net(x)
            flat = lambda t: t.permute(0, 2, 3, 1).reshape(-1, t.shape[1]).double()
            pick = torch.randint(0, seen['x'].shape[0] * seen['x'].shape[2] * seen['x'].shape[3], (4000,), generator=rng)
            xs.append(flat(seen['x'])[pick])
            ys.append(flat(seen['y'])[pick])
        for h in hooks:
            h.remove()
        kept, w, b = choose(torch.cat(xs), torch.cat(ys), early)
        for m in (unit.mix, unit.each, unit.norm):
            for name, value in [*m.named_parameters(), *m.named_buffers()]:
                if value.ndim:
                    value.data = value.data[kept]
        unit.each.groups = unit.each.in_channels = unit.each.out_channels = unit.mix.out_channels = unit.norm.num_features = early
        after.mix.weight.data, after.mix.bias.data = w.float()[:, :, None, None], b.float()
        after.mix.in_channels = early
    net.shape = Shape(early=early)
    return net


@torch.no_grad()
def settle(net, batches):
    """Gives every batch norm the mean and the spread that it sees in `batches` ([B, 3, h, w] each), without changing any answer."""
    norms = {m: None for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)}
    sums = {m: [0., 0., 0] for m in norms}

    def look(m, inputs, _):
        x = inputs[0].double()
        s = sums[m]
        s[0], s[1], s[2] = s[0] + x.sum((0, 2, 3)), s[1] + x.square().sum((0, 2, 3)), s[2] + x.numel() // x.shape[1]
    hooks = [m.register_forward_hook(look) for m in norms]
    for x in batches:
        net(x)
    for h in hooks:
        h.remove()
    default = torch.nn.BatchNorm2d(1).eps
    before = {u.norm: u.each for u in net.modules() if isinstance(u, Unit) and not u.plain}
    before |= {s[1]: s[0] for s in net.modules() if isinstance(s, Stem)}
    for m, (total, square, n) in sums.items():
        mean = total / n
        spread = torch.sqrt((square / n - mean ** 2).clamp(min=1e-8))
        before[m].weight.data /= spread.float()[:, None, None, None]
        m.eps = default
        m.running_mean.data, m.running_var.data = (mean / spread).float(), torch.ones_like(mean).float()
        # What stood after the norm was x + bias.
        factor = spread * np.sqrt(1 + default)
        m.weight.data, m.bias.data = factor.float(), (m.bias.double() + mean).float()
    return net
