# SPDX-License-Identifier: MIT OR Apache-2.0
"""Trains the liveness model: one command from the sets to the ONNX file. See README.md.

The large net begins with the teacher's weights. First every part of the net learns its part of the teacher anew, from the teacher's own features, since it has ReLU where the
teacher has PReLU; then all parts together learn it, and the labels. The small one begins with the last. The
learning rate falls over the minutes that the run may take, not over a number of steps: on a slower machine the run sees fewer samples and
still ends at a rate near zero.
"""
import argparse
import copy
import csv
import os
import time

import numpy as np
import torch
from torch.nn import functional as F

import curves
import measure
import pool
import prepare
from nets import NETS

HERE = os.path.dirname(os.path.abspath(__file__))
TRUST = .6                     # of the label, against the pair's opinion
SMOOTH = .02                   # of the label that is doubted
RENDERED = .5                  # weight of a rendered spoof
APART = .25                    # share of the time in which the parts learn apart
JUDGED = .3, .5                # weight of live or spoof, apart and together
ECHOED = 1.                    # weight of what the teacher says of the very crop
SOFT = 2.                      # divides the teacher's log-odds: what is sure teaches nothing more
TOGETHER = .6                  # of the learning rate
OTHER = .5                     # share of a batch that is looked at mirrored, nearer and moved, with the answers that belong to it as it was
NEARER, MOVED = (.86, 1.03), .06  # side of such a crop, and how far it may be moved, in parts of its side


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--assets', default=os.path.join(HERE, '../../../../shared/assets'), help='folder with the sets and, in models, the pair')
    p.add_argument('--rendered', help='data set that liveness-train render made')
    p.add_argument('--cache', default='/tmp/liveness-cache')
    p.add_argument('--samples', type=int, default=60_000, help='made once, into the cache')
    p.add_argument('--out', default='/tmp/liveness-run')
    p.add_argument('--net', choices=NETS, default='liveness')
    p.add_argument('--leave', nargs='*', default=[], help='sets that nothing is learned from, to measure on them')
    p.add_argument('--minutes', type=float, default=45)
    p.add_argument('--batch', type=int, default=64)
    p.add_argument('--rate', type=float, default=5e-4)
    p.add_argument('--decay', type=float, default=.01)
    p.add_argument('--start', help='checkpoint whose weights to begin with; the parts do not learn apart then')
    p.add_argument('--epoch', type=int, default=500, help='steps between two lines')
    p.add_argument('--threads', type=int, default=1)
    p.add_argument('--workers', type=int, default=2, help='that make samples')
    p.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--resume', action='store_true')
    return p.parse_args()


@torch.no_grad()
def follow(average, net, step):
    keep = min(.998, (1 + step) / (10 + step))
    for a, b in zip(average.state_dict().values(), net.state_dict().values()):
        a.lerp_(b, 1 - keep) if a.dtype.is_floating_point else a.copy_(b)


class Stream:
    """Endless batches of the pool."""

    def __init__(self, samples, rows, features, batch, rng, device):
        self.samples, self.rows, self.batch, self.rng, self.device = samples, rows, batch, rng, device
        self.features = {k: samples.features[k] for k in features}
        label = samples.live * (1 - 2 * SMOOTH) + SMOOTH
        self.target = np.where(samples.rendered, label, TRUST * label + (1 - TRUST) * samples.teacher).astype(np.float32)
        self.weight = np.where(samples.rendered, RENDERED, 1.).astype(np.float32)
        self.said = (1 / (1 + np.exp(-samples.said / SOFT))).astype(np.float32)
        # Features are compared in units of their spread, channel by channel.
        some = np.sort(rng.permutation(rows)[:2000])
        self.scale = {}
        for k, v in self.features.items():
            v = v[some].astype(np.float32)
            axes = tuple(i for i in range(v.ndim) if i != 1)
            self.scale[k] = tuple(torch.from_numpy(t).to(device) for t in (v.mean(axes, keepdims=True), v.std(axes, keepdims=True) + 1e-3))
        self.order = np.empty(0, int)

    def next(self):
        rng = self.rng
        if len(self.order) < self.batch:
            self.order = rng.permutation(self.rows)
        b, self.order = np.sort(self.order[:self.batch]), self.order[self.batch:]
        to = lambda a: torch.from_numpy(np.ascontiguousarray(a)).to(self.device)
        x = to(self.samples.crops[b]).permute(0, 3, 1, 2).float()
        features = {k: to(v[b].astype(np.float32)) for k, v in self.features.items()}
        last = lambda v: v.contiguous(memory_format=torch.channels_last) if v.ndim == 4 else v
        return last(x), to(self.target[b]), to(self.weight[b]), to(self.said[b]), {k: last(v) for k, v in features.items()}

    def other(self, x):
        """The crops as they would be seen from elsewhere: the teacher's own answer changes with that, the student's shall not."""
        rng = self.rng
        side, (dx, dy) = rng.uniform(*NEARER), rng.uniform(-MOVED, MOVED, 2)
        turn = torch.tensor([[side * rng.choice((-1, 1)), 0, dx], [0, side, dy]], dtype=torch.float32, device=x.device)
        return F.grid_sample(x, F.affine_grid(turn.expand(len(x), 2, 3), x.shape, align_corners=False), padding_mode='border', align_corners=False)

    def taught(self, seen, features):
        """How far features are from the teacher's, in units of their spread, and the share of their variance that is known."""
        cost, known = torch.zeros((), device=self.device), []
        for k, t in features.items():
            mean, spread = self.scale[k]
            off = (seen[k][:len(t)].float() - t) / spread
            # A few are far out.
            cost = cost + F.smooth_l1_loss(off, torch.zeros_like(off)) * (2 if k == 'last' else 1)
            known.append(1 - (off.detach().square().mean() / ((t - mean) / spread).square().mean()).item())
        return cost, known


def write_history(path, history):
    names = list(dict.fromkeys(k for h in history for k in h))
    with open(path, 'w', newline='') as f:
        w = csv.DictWriter(f, names)
        w.writeheader()
        w.writerows({k: f'{v:.5g}' if isinstance(v, float) else v for k, v in h.items()} for h in history)


def main():
    a = options()
    os.makedirs(a.out, exist_ok=True)
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    if not os.path.exists(os.path.join(a.cache, 'windows.pickle')):
        prepare.build(a.assets, a.cache, a.rendered)
    if not os.path.exists(os.path.join(a.cache, 'pool.done')):
        pool.build(a.cache, os.path.join(a.assets, 'models'), a.samples, a.workers)
    samples = pool.Pool(a.cache, os.path.join(a.assets, 'models'))
    rows = samples.rows(a.leave)
    # A set that is left out is measured on as a whole: nothing of it was seen.
    ground = measure.Ground(samples.windows, a.leave)

    last = os.path.join(a.out, 'last.pt')
    state = torch.load(last, map_location=a.device, weights_only=True) if a.resume and os.path.exists(last) else None
    kind = NETS[a.net]
    net = kind.make().to(a.device).to(memory_format=torch.channels_last)
    kind.begin(net, os.path.join(a.assets, 'models'))
    # Without features there is nothing to learn apart.
    at_once = bool(a.start) or not net.features
    print(f'{len(rows)} samples; parameters, multiply-adds: {kind.cost()}', flush=True)
    average = copy.deepcopy(net).eval()
    if a.start and not state:
        net.load_state_dict(torch.load(a.start, map_location=a.device, weights_only=True)['average'])
        average.load_state_dict(net.state_dict())
    optimizer = torch.optim.AdamW([dict(params=[p for p in net.parameters() if p.ndim > 1], weight_decay=a.decay),
                                   dict(params=[p for p in net.parameters() if p.ndim <= 1], weight_decay=0.)], lr=a.rate, betas=(.9, .99))
    step, spent, history = 0, 0., []
    if state:
        net.load_state_dict(state['net'])
        average.load_state_dict(state['average'])
        optimizer.load_state_dict(state['optimizer'])
        step, spent, history = state['step'], state['spent'], state['history']
    stream = Stream(samples, rows, net.features, a.batch, np.random.default_rng([a.seed, step]), a.device)
    since, parts = time.time(), []
    while True:
        now = spent + time.time() - since
        done = min(1., now / (60 * a.minutes))
        apart = done < APART and not at_once
        part = done / APART if apart else done if at_once else (done - APART) / (1 - APART)
        fall = .5 * (1 + np.cos(np.pi * part))
        rate = float(a.rate * (.15 + .85 * fall if apart else TOGETHER * (.02 + .98 * fall)) * min(1., (step + 1) / 150))
        for g in optimizer.param_groups:
            g['lr'] = rate
        x, target, weight, said, features = stream.next()
        if not apart:
            keep = len(x) - round(OTHER * len(x))
            x = torch.cat([x[:keep], stream.other(x[keep:])]).contiguous(memory_format=torch.channels_last)
            features = {k: v[:keep] for k, v in features.items()}
        net.train()
        answer, echo, seen = net(x, features if apart else None)
        judged = F.binary_cross_entropy_with_logits(answer[:, 1] - answer[:, 0], target, weight, reduction='sum') / weight.sum()
        echoed = F.binary_cross_entropy_with_logits((echo[:, 1] - echo[:, 0]) / SOFT, said)
        taught, known = stream.taught(seen, features)
        optimizer.zero_grad(set_to_none=True)
        (taught + JUDGED[not apart] * judged + ECHOED * echoed).backward()
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(net.parameters(), 5.)):
            optimizer.step()
        follow(average, net, step)
        step += 1
        parts.append([judged.item(), echoed.item(), *known])
        if step % a.epoch and done < 1:
            continue
        mean = np.mean(parts, 0)
        h = dict(step=step, minutes=now / 60, rate=rate, judged=float(mean[0]), echoed=float(mean[1]), **{f'knows {k}': float(v) for k, v in zip(seen, mean[2:])},
                 **ground.numbers(average))
        parts = []
        history.append(h)
        print(' '.join(f'{k}={v:.4g}' for k, v in h.items()), flush=True)
        write_history(os.path.join(a.out, 'history.csv'), history)
        torch.save(dict(kind=a.net, leave=list(a.leave), step=step, spent=spent + time.time() - since, history=history,
                        average=average.state_dict(), net=net.state_dict(), optimizer=optimizer.state_dict()), last + '.new')
        os.replace(last + '.new', last)
        if done >= 1:
            break
    ground.write(average, os.path.join(a.out, 'held-out.jsonl'))
    curves.write(a.out)


if __name__ == '__main__':
    main()
