# SPDX-License-Identifier: MIT OR Apache-2.0
"""history.csv as pictures: what the losses did, and what the validation part said."""
import csv
import os

import matplotlib

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402


def read(path):
    with open(path) as f:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(f)]


def draw(history, names, title, path, low=None):
    figure, axes = plt.subplots(figsize=(8, 4.5), dpi=120)
    for key, label in names:
        rows = [r for r in history if key in r]
        if rows:
            axes.plot([r['pictures'] for r in rows], [r[key] for r in rows], label=f'{label} ({rows[-1][key]:.3f})')
    axes.set(title=title, xlabel='pictures seen', ylim=(low, None))
    axes.grid(alpha=.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def write(folder):
    """loss.png and ap.png beside history.csv."""
    history = read(os.path.join(folder, 'history.csv'))
    draw(history, [('score', 'score'), ('box', 'box (1 - GIoU)'), ('points', 'points / size of the face')], 'Training loss', os.path.join(folder, 'loss.png'), 0)
    draw(history, [(f'{s}@{z}', f'{s} at {z}') for z in (320, 640) for s in ('det_ilc', 'det_kaggle853', 'det_caltech')],
         'AP at IoU 0.5 on the validation part', os.path.join(folder, 'ap.png'))
