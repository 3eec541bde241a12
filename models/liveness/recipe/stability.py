# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a model says when the box is larger, smaller or beside the face: a verdict that turns with it is none.

Beside it the MiniFASNet pair, on the same pictures and boxes, at thresholds at which each refuses as many as it accepts of them.
"""
import argparse
import hashlib
import os

import cv2
import matplotlib
import numpy as np
import onnxruntime as ort

import protocol
from net import SPREAD
from pair import SIDE, Pair, crop, planes
from prepare import biggest
from samples import SCALE
from teacher import Teacher

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

SCALES = (.8, .85, .9, .95, 1.05, 1.1, 1.15, 1.2)
SHIFTS = (-.1, -.05, .05, .1)


class Ours:
    def __init__(self, path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])

    def opinion(self, picture, box):
        logits = self.session.run(None, {'input': planes(crop(picture, box, SCALE, SIDE)) / SPREAD})[0][0]
        return 1 / (1 + np.exp(logits[0] - logits[1]))


def changed(box):
    """(what, how much, box): larger and smaller, and moved in four directions."""
    size, centre = box[2:] - box[:2], (box[:2] + box[2:]) / 2
    for k in SCALES:
        yield 'scale', k, np.concatenate([centre - k * size / 2, centre + k * size / 2])
    for d in SHIFTS:
        yield 'right', d, box + np.tile(size * [d, 0], 2)
        yield 'down', d, box + np.tile(size * [0, d], 2)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('model')
    p.add_argument('--assets', required=True)
    p.add_argument('--sets', nargs='+', default=['fas_replay', 'fas_casia'])
    p.add_argument('--most', type=int, default=60, help='pictures of a class in a set, chosen by a hash of their names')
    p.add_argument('--out', help='picture with the curves')
    a = p.parse_args()
    cv2.setNumThreads(1)
    teacher = Teacher(os.path.join(a.assets, 'models/yunet_n_dynamic.onnx'), threads=1)
    judges = {'ours': Ours(a.model), 'MiniFASNet pair': Pair(os.path.join(a.assets, 'models'))}
    base, moved = {j: [] for j in judges}, {j: [] for j in judges}
    for name in a.sets:
        paths = sorted(protocol.pictures(a.assets, name), key=lambda q: hashlib.sha1(q.encode()).hexdigest())
        live = [q for q in paths if protocol.kind(name, q) == 'live'][:a.most]
        for path in live + [q for q in paths if protocol.kind(name, q) != 'live'][:a.most]:
            picture = cv2.imread(os.path.join(a.assets, name, path))
            box = biggest(teacher, picture, name in protocol.CROPS)
            if box is None:
                continue
            edge = [picture.shape[1], picture.shape[0]] * 2
            for j, judge in judges.items():
                base[j].append(judge.opinion(picture, box))
                moved[j].append([judge.opinion(picture, np.clip(b, 0, edge)) for _, _, b in changed(box)])
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), dpi=110, sharey=True)
    for j in judges:
        at = np.median(base[j])
        flips = 100 * ((np.array(moved[j]) >= at) != (np.array(base[j]) >= at)[:, None])
        print(f'{j}: {len(base[j])} faces, verdicts turned by a changed box {flips.mean():.1f} %')
        kinds = [(w, k) for w, k, _ in changed(np.array([0., 0, 1, 1]))]
        for axis, what in zip(axes, ('scale', 'right', 'down')):
            same = (1. if what == 'scale' else 0., 0.)
            points = sorted([same] + [(k, flips[:, i].mean()) for i, (w, k) in enumerate(kinds) if w == what])
            axis.plot(*zip(*points), marker='o', label=j)
            axis.set(title=f'box: {what}', xlabel='times its size' if what == 'scale' else 'of its size')
            axis.grid(alpha=.3)
            print('  ', what, ' '.join(f'{k:g}: {v:.1f}' for k, v in points))
    axes[0].set(ylabel='verdicts that turn, %', ylim=(0, None))
    axes[0].legend()
    figure.tight_layout()
    if a.out:
        figure.savefig(a.out)


if __name__ == '__main__':
    main()
