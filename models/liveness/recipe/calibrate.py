# SPDX-License-Identifier: MIT OR Apache-2.0
"""Weights of the two answers, temperature and thresholds, from pictures of sets that the model which judges them has not learned from.

Each fold's run (`train.py --leave …`) judged the sets that it left out. A threshold that is chosen on held-out people of a set that was
learned from is too good: cameras that nobody has seen shift the scores.
"""
import argparse
import json
import os

import matplotlib
import numpy as np
import torch

matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

from measure import auc  # noqa: E402

# Attacks that may pass at the recommended threshold, at the strict and at the lax one.
APCER = dict(threshold=.05, strict=.01, lax=.10)
BINS = 10
SHARES = tuple(k / 10 for k in range(11))


def read(folds):
    """Log-odds [2, n] of both answers, live or not, weights (each set counts the same, and in it each class) and sets of what was left out."""
    odds, live, weight, names = [], [], [], []
    for folder in folds:
        with open(os.path.join(folder, 'held-out.jsonl')) as f:
            rows = [json.loads(line) for line in f]
        rows = [r for r in rows if r['set'] in left_out(folder)]
        for name in sorted({r['set'] for r in rows}):
            part = [r for r in rows if r['set'] == name]
            n = {c: sum(r['live'] == c for r in part) for c in (True, False)}
            for r in part:
                odds.append((r['answer'], r['echo']))
                live.append(r['live'])
                weight.append(1 / n[r['live']])
                names.append(name)
    return np.array(odds).T, np.array(live), np.array(weight), np.array(names)


def left_out(folder):
    return set(torch.load(os.path.join(folder, 'last.pt'), map_location='cpu', weights_only=True)['leave'])


def logistic(z):
    return 1 / (1 + np.exp(-z))


def temperature(odds, live, weight):
    """The divisor of the log-odds with the least weighted log-loss."""
    grid = np.exp(np.linspace(np.log(.3), np.log(10), 400))
    z = np.where(live, odds, -odds)
    return float(grid[np.argmin([(weight * np.logaddexp(0, -z / t)).sum() for t in grid])])


def shared(odds, live, names):
    """The share of the labels' answer with the highest mean AUC over the sets: (share, table of AUC by share and set)."""
    sets = list(dict.fromkeys(names))
    table = [[auc(k * odds[0][names == n] + (1 - k) * odds[1][names == n], live[names == n]) for n in sets] for k in SHARES]
    return float(SHARES[int(np.argmax(np.mean(table, 1)))]), dict(zip(SHARES, table))


def threshold(p, live, weight, apcer):
    """Lowest probability from which on at most `apcer` of the attacks pass."""
    order = np.argsort(-p[~live])
    passed = np.cumsum(weight[~live][order]) / weight[~live].sum()
    over = np.flatnonzero(passed > apcer)
    return float(np.nextafter(p[~live][order][over[0]], 1.)) if len(over) else 0.


def reliability(p, live, weight, path):
    """Error between what was said and what was true (ECE), and its diagram."""
    edges, gap, points = np.linspace(0, 1, BINS + 1), 0., []
    for low, high in zip(edges, edges[1:]):
        m = (p >= low) & (p < high if high < 1 else p <= 1)
        if m.any():
            said, true = np.average(p[m], weights=weight[m]), np.average(live[m], weights=weight[m])
            points.append((said, true, m.sum()))
            gap += weight[m].sum() / weight.sum() * abs(said - true)
    figure, axes = plt.subplots(figsize=(5, 5), dpi=110)
    axes.plot([0, 1], [0, 1], color='gray', lw=1)
    axes.plot(*zip(*[(a, b) for a, b, _ in points]), marker='o')
    for a, b, n in points:
        axes.annotate(str(n), (a, b), textcoords='offset points', xytext=(4, -10), fontsize=8)
    axes.set(title=f'Sets left out: ECE {gap:.3f}', xlabel='probability of live', ylabel='share that was live')
    axes.grid(alpha=.3)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    return gap


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folds', nargs='+', help='folders of the runs that left sets out')
    p.add_argument('--out', required=True, help='folder for calibration.json and reliability.png')
    a = p.parse_args()
    odds, live, weight, names = read(a.folds)
    share, table = shared(odds, live, names)
    for k, row in table.items():
        print(f'share {k}', dict(zip(dict.fromkeys(names), np.round(row, 3))))
    odds = share * odds[0] + (1 - share) * odds[1]
    t = temperature(odds, live, weight)
    prob = logistic(odds / t)
    found = {k: threshold(prob, live, weight, v) for k, v in APCER.items()}
    gap = reliability(prob, live, weight, os.path.join(a.out, 'reliability.png'))
    for name in dict.fromkeys(names):
        m = names == name
        print(name, {k: f'APCER {(prob[m & ~live] >= v).mean():.3f} BPCER {(prob[m & live] < v).mean():.3f}' for k, v in found.items()})
    c = dict(share=share, temperature=t, **found, ece=float(gap), meaning='APCER 5 % (strict 1 %, lax 10 %) on ' + ', '.join(dict.fromkeys(names)) + ', of which the runs that judged them had learned nothing')
    print(c)
    with open(os.path.join(a.out, 'calibration.json'), 'w') as f:
        json.dump(c, f, indent=1)


if __name__ == '__main__':
    main()
