# SPDX-License-Identifier: MIT OR Apache-2.0
"""How right the answers are by size, light and sharpness of the face: a table for the card, from what `liveness-predict` wrote."""
import argparse
import json
import os

import cv2
import numpy as np

import protocol
from measure import auc

SIDE = 64                      # to which a face is brought before its sharpness is measured
# Name, what is measured of (picture, box), limits between the groups.
GROUPS = (
    ('face, shorter side in pixels', lambda gray, face, box: min(box[2:]), (96, 128)),
    ('light, mean luma of the face', lambda gray, face, box: face.mean(), (70, 110, 150)),
    ('sharpness, deviation of the Laplacian at 64 pixels', lambda gray, face, box: cv2.Laplacian(face, cv2.CV_32F).std(), (8, 14, 22)),
)


def share(k, n):
    """k of n in per cent, with Wilson's 95 % interval."""
    if not n:
        return '–'
    z, p = 1.96, k / n
    middle, half = p + z * z / 2 / n, z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    low, high = ((middle + s * half) / (1 + z * z / n) for s in (-1, 1))
    return f'{100 * p:.1f} [{100 * low:.1f}, {100 * high:.1f}]'


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('predictions', help='lines that liveness-predict wrote')
    p.add_argument('--assets', required=True, help='folder that the names in them begin in')
    p.add_argument('--sets', nargs='+', default=['fas_casia', 'fas_replay'])
    p.add_argument('--threshold', type=float, required=True)
    a = p.parse_args()
    rows = []
    for line in open(a.predictions):
        e = json.loads(line)
        name, _, path = e['image'].partition('/')
        if name not in a.sets or e['live'] is None or not e['box']:
            continue
        gray = cv2.imread(os.path.join(a.assets, e['image']), cv2.IMREAD_GRAYSCALE)
        x, y, w, h = (max(0, round(v)) for v in e['box'])
        face = gray[y:y + h, x:x + w]
        if min(face.shape) < 2:
            continue
        face = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        rows.append((protocol.kind(name, path) == 'live', e['live'], *(of(gray, face, e['box']) for _, of, _ in GROUPS)))
    live, odds, *facts = map(np.array, zip(*rows))
    for (title, _, limits), values in zip(GROUPS, facts):
        print(f'\n| {title} | live, spoofs | AUC | APCER % | BPCER % |\n|---|---|---|---|---|')
        for low, high in zip((-np.inf, *limits), (*limits, np.inf)):
            m = (values >= low) & (values < high)
            n, spoofs = (m & live).sum(), (m & ~live).sum()
            group = f'below {high}' if low == -np.inf else f'from {low}' if high == np.inf else f'{low} to {high}'
            passed, refused = (m & ~live & (odds >= a.threshold)).sum(), (m & live & (odds < a.threshold)).sum()
            print(f'| {group} | {n}, {spoofs} | {auc(odds[m], live[m]):.3f} | {share(passed, spoofs)} | {share(refused, n)} |')


if __name__ == '__main__':
    main()
