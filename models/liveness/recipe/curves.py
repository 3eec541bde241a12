# SPDX-License-Identifier: MIT OR Apache-2.0
"""history.csv as a picture: what the losses did, and how well the held-out pictures were told apart."""
import csv
import os

import matplotlib

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402


def write(folder):
    """training.png beside history.csv."""
    with open(os.path.join(folder, 'history.csv')) as f:
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(f)]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), dpi=110)
    for name in ['judged', *(k for k in rows[-1] if k.startswith('knows '))]:
        label = name.replace('judged', 'loss of live or spoof').replace('knows', 'share of the variance:')
        left.plot([r['minutes'] for r in rows], [r[name] for r in rows], label=f'{label} ({rows[-1][name]:.3f})')
    left.set(title="What it knows of the teacher's features", ylim=(0, 1))
    for name in (k for k in rows[-1] if k.endswith(' AUC')):
        right.plot([r['minutes'] for r in rows], [r[name] for r in rows], label=f'{name[:-4]} ({rows[-1][name]:.3f})')
    right.set(title='AUC on pictures that were held out')
    for axes in (left, right):
        axes.set_xlabel('minutes of training')
        axes.grid(alpha=.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(os.path.join(folder, 'training.png'))
    plt.close(figure)
