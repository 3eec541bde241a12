# SPDX-License-Identifier: MIT OR Apache-2.0
"""What each effect of the rendering brings: a probe learns live from rendered spoofs, with the effect and without it, and meets real spoofs.

The probe is a logistic regression on the last layer of MiniFASNetV2. Its spoofs are rendered ones alone; its live faces are of other sets than the real
pictures that it is then measured on. An effect is in some of the rendered pictures by chance (the manifest says in which), so both probes get as many pictures.
"""
import argparse
import json
import os

import cv2
import numpy as np
import torch
from torch.nn import functional as F

import prepare
import protocol
from measure import auc
from pair import SIDE, Pair, crop
from samples import SCALE

FEWEST = 300                   # rendered spoofs for a probe


def features(windows, models):
    pair, out = Pair(models), []
    for w in windows:
        out.append(pair.features(crop(cv2.imdecode(w['jpeg'], cv2.IMREAD_COLOR), w['box'], SCALE, SIDE))[-1])
    return np.stack(out)


def probe(live, spoof, decay=1e-3, steps=60):
    """Weights of a logistic regression in which both classes weigh the same."""
    x = torch.from_numpy(np.concatenate([live, spoof])).float()
    y = torch.cat([torch.ones(len(live)), torch.zeros(len(spoof))])
    each = torch.cat([torch.full((len(live),), .5 / len(live)), torch.full((len(spoof),), .5 / len(spoof))])
    w, b = torch.zeros(x.shape[1], requires_grad=True), torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([w, b], max_iter=steps, line_search_fn='strong_wolfe')

    def loss():
        optimizer.zero_grad()
        cost = (F.binary_cross_entropy_with_logits(x @ w + b, y, reduction='none') * each).sum() + decay * w.square().sum()
        cost.backward()
        return cost
    optimizer.step(loss)
    return w.detach().numpy()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--assets', required=True, help='folder with the sets and, in models, the pair')
    p.add_argument('--rendered', required=True, help='data set that liveness-train render made; the cache must have been made with it')
    p.add_argument('--cache', default='/tmp/liveness-cache')
    p.add_argument('--draws', type=int, default=8, help='of the pictures, for the interval')
    a = p.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with open(os.path.join(a.rendered, 'manifest.jsonl')) as f:
        effects = {e['file']: (e['label'], frozenset(e['rendered']['effects'])) for e in map(json.loads, f)}
    windows = prepare.read(a.cache)
    seen = features(windows, os.path.join(a.assets, 'models'))
    seen = (seen - seen.mean(0)) / (seen.std(0) + 1e-3)
    name = np.array([w['set'] for w in windows])
    live = np.array([w['live'] for w in windows])
    rendered = np.array([w['rendered'] for w in windows])
    of = [effects[w['path']] if w['rendered'] else ('', frozenset()) for w in windows]
    kinds = {n: {k for k, e in of if n in e} for n in dict.fromkeys(n for _, e in of for n in e)}
    rng = np.random.default_rng(1)

    def score(spoofs, fold):
        """AUC on the real pictures of a fold where nothing of the fold was learned from."""
        lives = np.flatnonzero(live & ~np.isin(name, fold))
        spoofs = spoofs[~np.isin(name[spoofs], fold)]
        w = probe(seen[rng.choice(lives, len(lives))], seen[spoofs])
        test = np.flatnonzero(~rendered & np.isin(name, fold))
        return auc(seen[test] @ w, live[test])

    folds = protocol.FOLDS
    print('| effect | pictures | ' + ' | '.join(folds) + ' |\n|---|---|' + '---|' * len(folds))
    everything = np.flatnonzero(rendered)
    whole = {f: [score(rng.choice(everything, len(everything)), s) for _ in range(a.draws)] for f, s in folds.items()}
    print(f'| all, AUC | {len(everything)} | ' + ' | '.join(f'{np.mean(v):.3f} ± {2 * np.std(v):.3f}' for v in whole.values()) + ' |')
    for effect, kind in sorted(kinds.items()):
        # Among the kinds that it can be on.
        may = np.array([i for i in everything if of[i][0] in kind])
        has = np.array([effect in of[i][1] for i in may])
        n = min(has.sum(), (~has).sum())
        if n < FEWEST:
            print(f'| {effect} | in {has.mean():.0%} of them: nothing to compare |' + ' |' * len(folds))
            continue
        gain = {f: [score(rng.choice(may[has], n), s) - score(rng.choice(may[~has], n), s) for _ in range(a.draws)] for f, s in folds.items()}
        print(f'| {effect} | {n} | ' + ' | '.join(f'{np.mean(v):+.3f} ± {2 * np.std(v):.3f}' for v in gain.values()) + ' |', flush=True)


if __name__ == '__main__':
    main()
