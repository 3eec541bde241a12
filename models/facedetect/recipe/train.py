# SPDX-License-Identifier: MIT OR Apache-2.0
"""Trains the face detector: one command from the folder of photos to the ONNX file. See README.md.

The learning rate falls over the number of pictures that the run shall see: how long that takes is the machine's affair. `--resume` goes
on where a run was stopped; with more `--pictures` it goes on after the end.
"""
import argparse
import copy
import csv
import multiprocessing
import os
import time

import numpy as np
import torch
from torch import nn

import begin
import curves
import export
import prepare
from data import SHARE, Batches
from hint import Hint
from loss import loss
from measure import Ground, threshold
from net import STRIDES, FaceDetect, Shape, cells, cost

HERE = os.path.dirname(os.path.abspath(__file__))
PLAIN = .7                     # after this part of the run the pictures get calmer


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--assets', default=os.path.join(HERE, '../../../../shared/assets'), help='folder with the sets of photos')
    p.add_argument('--teacher', help='YuNet-n with dynamic input (default: in the assets)')
    p.add_argument('--cache', default='/tmp/facedetect-cache')
    p.add_argument('--out', default='/tmp/facedetect-run')
    p.add_argument('--pictures', type=int, default=160_000, help='samples to see')
    p.add_argument('--hints', type=float, default=1., help='weight of what the teacher sees cell by cell, at the beginning; it falls to nothing')
    p.add_argument('--points', type=float, default=16., help='weight of the landmarks')
    p.add_argument('--batch', type=int, default=32)
    p.add_argument('--rate', type=float, default=8e-4)
    p.add_argument('--decay', type=float, default=.02)
    p.add_argument('--epoch', type=int, default=300, help='steps between two checkpoints')
    p.add_argument('--measure-every', type=int, default=4, help='checkpoints between two measurements')
    p.add_argument('--threads', type=int, default=1, help='more only where nothing else runs: threads that wait for each other starve')
    p.add_argument('--workers', type=int, default=1)
    p.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--resume', action='store_true')
    p.add_argument('--start', help="checkpoint whose weights to begin with (default: YuNet-n's, with fewer channels at stride 4)")
    p.add_argument('--early', type=int, default=Shape.early, help='channels at stride 4, a multiple of 16 up to 64')
    return p.parse_args()


def groups(net, decay):
    """Weights decay, biases and batch norms do not."""
    yes = [p for p in net.parameters() if p.ndim > 1]
    no = [p for p in net.parameters() if p.ndim <= 1]
    return [dict(params=yes, weight_decay=decay), dict(params=no, weight_decay=0.)]


@torch.no_grad()
def follow(average, net, step):
    """Moves the average after the network; quickly at first."""
    keep = min(.9985, (1 + step) / (10 + step))
    for a, b in zip(average.state_dict().values(), net.state_dict().values()):
        if a.dtype.is_floating_point:
            a.lerp_(b, 1 - keep)
        else:
            a.copy_(b)


def check_gradients(net, grid, device):
    """A face must pull on every weight, and an ignored one on none: a broken graph learns quietly, a little."""
    x = torch.rand(2, 3, 320, 320, device=device) * 255
    box = torch.tensor([[100., 90, 160, 170], [10, 12, 24, 30], [200, 60, 215, 76]], device=device)
    five = torch.cat([(box[:, :2] + box[:, 2:]).repeat(1, 5) / 2], 1)
    rows = torch.cat([torch.tensor([[0.], [1], [1]], device=device), box, five, torch.zeros(3, 1, device=device)], 1)
    c, b, p, n = loss(net(x)[0], rows, grid)
    assert n == 3 and all(torch.isfinite(v) and v > 0 for v in (c, b, p)), (c, b, p, n)
    (c + b + p).backward()
    still = [k for k, v in net.named_parameters() if v.grad is None or not torch.isfinite(v.grad).all() or v.grad.abs().sum() == 0]
    assert not still, f'no gradient: {still}'
    net.zero_grad()
    rows[:, 15] = 1
    assert loss(net(x)[0], rows, grid)[3] == 0
    net.zero_grad()


def first(teacher, a, batches=24):
    """YuNet-n, made narrower and ready to be trained; what it is measured on are samples like those that it will see."""
    stream = iter(Batches(a.cache, 16, a.seed * 1000 + 999, multiprocessing.Value('b', False, lock=False)))
    seen = [next(stream)[0].permute(0, 3, 1, 2).float() for _ in range(batches)]
    net = begin.from_teacher(teacher)
    if a.early < net.shape.early:
        net = begin.narrow(net, seen, a.early)
    return begin.settle(net, seen)


def write_history(path, history):
    names = sorted({k for h in history for k in h}, key=lambda k: ('@' in k, k))
    with open(path, 'w', newline='') as f:
        w = csv.DictWriter(f, names)
        w.writeheader()
        w.writerows({k: f'{v:.5g}' if isinstance(v, float) else v for k, v in h.items()} for h in history)


def main():
    a = options()
    os.makedirs(a.out, exist_ok=True)
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    split = os.path.join(HERE, '..', 'split.json')
    teacher = a.teacher or os.path.join(a.assets, 'models/yunet_n_dynamic.onnx')
    if not os.path.exists(os.path.join(a.cache, 'index.json')):
        prepare.build(a.assets, a.cache, teacher, split)
    pictures = prepare.Pictures(a.cache)
    ground = Ground(pictures, quick=True)

    last = os.path.join(a.out, 'last.pt')
    state = torch.load(last, map_location=a.device, weights_only=True) if a.resume and os.path.exists(last) else None
    start = torch.load(a.start, map_location=a.device, weights_only=True) if a.start and not state else None
    sets = set((state or start or {}).get('sets', [])) | {s for s in SHARE if pictures.part('train', (s,))}
    if state or start:
        net = FaceDetect(Shape(**(state or start)['shape']))
        net.load_state_dict((state or start)['average'])
    else:
        net = first(teacher, a)
    shape = net.shape
    net = net.to(a.device).to(memory_format=torch.channels_last)
    print('parameters, multiply-adds at 320:', cost(shape), flush=True)
    average = copy.deepcopy(net).eval()
    check_gradients(net, cells(320, 320, a.device), a.device)
    hint = Hint().to(a.device)
    optimizer = torch.optim.AdamW(groups(net, a.decay), lr=a.rate, betas=(.9, .99))
    step, epoch, saw, spent, best, history = 0, 0, 0, 0., 0., []
    if state:
        net.load_state_dict(state['net'])
        hint.load_state_dict(state['hint'])
        average.load_state_dict(state['average'])
        optimizer.load_state_dict(state['optimizer'])
        step, epoch, saw, spent, best, history = (state[k] for k in ('step', 'epoch', 'seen', 'spent', 'best', 'history'))

    plain = multiprocessing.Value('b', False, lock=False)
    stream = torch.utils.data.DataLoader(Batches(a.cache, a.batch, a.seed * 1000 + epoch, plain, teacher if a.hints else None), batch_size=None,
                                         num_workers=a.workers, prefetch_factor=4 if a.workers else None,
                                         multiprocessing_context='fork' if a.workers else None)
    grids, since, parts, count, clock = {}, time.time(), [], 0, spent
    half = torch.bfloat16
    for picture, rows, taught in stream:
        now = spent + time.time() - since
        done = min(1., saw / a.pictures)
        plain.value = done > PLAIN
        rate = float(a.rate * (.02 + .98 * .5 * (1 + np.cos(np.pi * done))) * min(1., (step + 1) / 100))
        for g in optimizer.param_groups:
            g['lr'] = rate
        size = picture.shape[1]
        grid = grids.setdefault(size, cells(size, size, a.device))
        x = picture.to(a.device, non_blocking=True).permute(0, 3, 1, 2).float()
        net.train()
        with torch.autocast(torch.device(a.device).type, half):
            raw, ready = net(x)
        far, known = hint(ready, taught) if taught else (torch.zeros(()), [0.] * 3)
        c, b, p, faces = loss(raw, rows.to(a.device), grid)
        total = c + 2 * b + a.points * p + a.hints * (1 - done) * far
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 10.)
        if torch.isfinite(norm):
            optimizer.step()
        follow(average, net, step)
        step += 1
        count += len(picture)
        saw += len(picture)
        parts.append([v.item() for v in (c, b, p, norm, far)] + known)
        if step % a.epoch and done < 1:
            continue
        epoch += 1
        mean = np.mean(parts, 0)
        h = dict(epoch=epoch, step=step, pictures=saw, minutes=now / 60, rate=rate, score=mean[0], box=mean[1], points=mean[2], gradient=mean[3],
                 pictures_per_second=count / (now - clock), hint=mean[4],
                 **{f'knows {s}': m for s, m in zip(STRIDES, mean[5:])})
        if epoch % a.measure_every == 0 or done >= 1:
            numbers, verdicts = ground.numbers(average)
            h.update(numbers)
            h['threshold'] = threshold(verdicts)
        h = {k: v if isinstance(v, int) else float(v) for k, v in h.items()}
        history.append(h)
        print(' '.join(f'{k}={v:.4g}' for k, v in h.items()), flush=True)
        write_history(os.path.join(a.out, 'history.csv'), history)
        spent_now = spent + time.time() - since
        state = dict(shape=vars(shape), sets=[s for s in SHARE if s in sets], average=average.state_dict(), step=step, epoch=epoch, spent=spent_now, history=history,
                     seen=saw, threshold=h.get('threshold'))
        if h.get('choice', 0) > best:
            best = h['choice']
            torch.save(dict(state, best=best), os.path.join(a.out, 'best.pt'))
        torch.save(dict(state, best=best, net=net.state_dict(), hint=hint.state_dict(), optimizer=optimizer.state_dict()), last + '.new')
        os.replace(last + '.new', last)
        parts, count, clock = [], 0, spent + time.time() - since
        if done >= 1:
            break
    curves.write(a.out)
    export.write(os.path.join(a.out, 'best.pt'), os.path.join(a.out, 'facedetect.onnx'), a.cache)


if __name__ == '__main__':
    main()
