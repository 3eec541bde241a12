# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the net says of the pictures that were held out. Numbers for others come from the instrument that measures from outside."""
import json

import cv2
import numpy as np
import torch

from pair import SIDE, crop
from samples import SCALE


def auc(scores, live):
    """Share of pairs of a live face and a spoof in which the live face has the higher score."""
    order = np.argsort(scores, kind='stable')
    ranks = np.empty(len(scores))
    _, start, count = np.unique(scores[order], return_index=True, return_counts=True)
    ranks[order] = np.repeat(start + (count - 1) / 2, count)
    n = live.sum()
    return float((ranks[live].sum() - n * (n - 1) / 2) / (n * (len(live) - n))) if 0 < n < len(live) else float('nan')


class Ground:
    """Crops of the validation part, and of all of the sets that were left out; real pictures only."""

    def __init__(self, windows, leave=()):
        self.facts = [w for w in windows if not w['rendered'] and (w['part'] == 'val' or w['set'] in leave)]
        self.crops = np.stack([crop(cv2.imdecode(w['jpeg'], cv2.IMREAD_COLOR), w['box'], SCALE, SIDE) for w in self.facts])

    @torch.no_grad()
    def odds(self, net):
        """Log-odds of live [2, n]: of the answer that the labels taught, and of the teacher's."""
        device, out = next(net.parameters()).device, []
        net.eval()
        for i in range(0, len(self.crops), 64):
            x = torch.from_numpy(self.crops[i:i + 64]).to(device).permute(0, 3, 1, 2).float()
            out.append(np.stack([(y[:, 1] - y[:, 0]).cpu().numpy() for y in net(x.contiguous(memory_format=torch.channels_last))[:2]]))
        return np.concatenate(out, 1)

    def numbers(self, net):
        odds, names, live = self.odds(net).mean(0), np.array([f['set'] for f in self.facts]), np.array([f['live'] for f in self.facts])
        both = [n for n in dict.fromkeys(names) if 0 < live[names == n].sum() < (names == n).sum()]
        return {f'{n} AUC': auc(odds[names == n], live[names == n]) for n in both}

    def write(self, net, path):
        """One line per picture, for calibrate.py."""
        with open(path, 'w') as f:
            for fact, answer, echo in zip(self.facts, *self.odds(net)):
                f.write(json.dumps({k: fact[k] for k in ('set', 'path', 'group', 'kind', 'live')} | {'answer': float(answer), 'echo': float(echo)}) + '\n')
