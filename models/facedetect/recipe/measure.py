# SPDX-License-Identifier: MIT OR Apache-2.0
"""Average precision on the validation part while training runs.

Kept short: it decides between checkpoints and about the threshold. Numbers for others come from the instrument that
measures from outside.
"""
import numpy as np
import torch
from PIL import Image

from net import cells, decode
from teacher import nms, overlap

SIZES = (320, 640)
FLOOR, OVERLAP = .02, .45      # lowest score that is looked at; NMS
SMALLEST = 10                  # faces under this many pixels with the picture at 640 count neither for nor against


def letterbox(picture, size):
    """RGB canvas with the picture at its top left, scaled as Pillow does it; and the scale."""
    h, w = picture.shape[:2]
    k = size / max(h, w)
    small = Image.fromarray(picture).resize((max(1, round(w * k)), max(1, round(h * k))), Image.BILINEAR)
    out = np.zeros((size, size, 3), np.uint8)
    out[:small.height, :small.width] = np.asarray(small)
    return out, k


class Ground:
    """The pictures of one part as canvases, made once."""

    def __init__(self, pictures, part='val', quick=False):
        self.quick = quick                                          # half precision: AP moves in the third digit
        self.items = []
        for i in pictures.part(part):
            p, e = pictures.get(i)
            if e['set'].startswith(('det_', 'neg_')):
                self.items.append((e, {s: letterbox(np.ascontiguousarray(p), s) for s in SIZES}))

    @torch.no_grad()
    def find(self, net, size, batch=8):
        """Per picture: boxes [n, 4] and points in the picture's pixels, scores."""
        device = next(net.parameters()).device
        grid, found = cells(size, size, device), []
        for i in range(0, len(self.items), batch):
            part = self.items[i:i + batch]
            x = torch.from_numpy(np.stack([c[size][0] for _, c in part])).to(device).permute(0, 3, 1, 2).float()
            with torch.autocast(device.type, torch.bfloat16, self.quick):
                raw = net(x)[0]
            raw = raw.float()
            boxes, points = decode(raw, grid)
            score = torch.sigmoid(raw[..., 0])
            for k, (_, c) in enumerate(part):
                m = score[k] > FLOOR
                b, s, p = (a[k][m].cpu().numpy() for a in (boxes, score, points))
                keep = nms(b, s, OVERLAP)
                found.append((b[keep] / c[size][1], s[keep], p[keep] / c[size][1]))
        return found

    def judge(self, found):
        """{set: (scores, right or wrong, number of faces, pictures)} and the errors of the points on det_caltech."""
        sets, errors = {}, []
        for (e, _), (b, s, p) in zip(self.items, found):
            k = 640 / max(e['width'], e['height'])
            side = lambda q: np.sqrt(np.clip(q[:, 2] - q[:, 0], 0, None) * np.clip(q[:, 3] - q[:, 1], 0, None)) * k
            care, iou = side(e['boxes']) >= SMALLEST, overlap(b, e['boxes'])
            free, verdict = np.ones(len(e['boxes']), bool), np.full(len(b), 0)
            for i in range(len(b)):
                for c in (True, False):
                    ok = free & (care == c) & (iou[i] >= .5) if len(free) else free
                    if ok.any():
                        j = int(np.argmax(np.where(ok, iou[i], -1)))
                        free[j], verdict[i] = False, 1 if c else -1
                        if c and e['set'] == 'det_caltech' and s[i] >= .3 and not np.isnan(e['points'][j]).any():
                            q, g = p[i].reshape(5, 2), e['points'][j].reshape(5, 2)
                            d = np.hypot(*(g[1] - g[0]))
                            if d >= .6 * np.hypot(*(g[3:].mean(0) - g[:2].mean(0))):
                                off = [q[0] - g[0], q[1] - g[1], q[3:].mean(0) - g[3:].mean(0)]
                                errors.append(np.hypot(*np.array(off).T).mean() / d)
                        break
            wrong = verdict == 0
            if wrong.any():
                ign, q = e['ignore'], b[wrong]
                care_not = side(q) < SMALLEST
                if len(ign):
                    inner = np.clip(np.minimum(q[:, None, 2:], ign[None, :, 2:]) - np.maximum(q[:, None, :2], ign[None, :, :2]), 0, None).prod(-1)
                    share = inner / np.maximum((q[:, 2:] - q[:, :2]).prod(-1), 1e-9)[:, None]
                    care_not |= (np.maximum(share, overlap(q, ign)) >= .5).any(1)
                verdict[np.where(wrong)[0][care_not]] = -1
            r = sets.setdefault('negatives' if e['set'].startswith('neg_') else e['set'], [[], [], 0, 0])
            r[0].append(s)
            r[1].append(verdict)
            r[2] += int(care.sum())
            r[3] += 1
        return {n: (np.concatenate(s), np.concatenate(v), faces, count) for n, (s, v, faces, count) in sets.items()}, errors

    def numbers(self, net):
        """What a line of history.csv says about the network, and the verdicts behind it."""
        out, verdicts = {}, {}
        for size in SIZES:
            sets, errors = self.judge(self.find(net, size))
            verdicts[size] = sets
            for n, (s, v, faces, count) in sets.items():
                if n == 'negatives':
                    out[f'wrong_per_100_negatives@{size}'] = 100 * ((s >= .4) & (v == 0)).sum() / count
                else:
                    out[f'{n}@{size}'] = average_precision(s, v, faces)
            out[f'points@{size}'] = float(np.median(errors)) if errors else float('nan')
        out['choice'] = float(np.mean([out[f'{n}@{s}'] for n in ('det_ilc', 'det_kaggle853') for s in SIZES]))
        return out, verdicts


def average_precision(scores, verdict, faces):
    """Area under the envelope of precision over recall."""
    o = np.argsort(-scores, kind='stable')
    right, wrong = np.cumsum(verdict[o] == 1), np.cumsum(verdict[o] == 0)
    p = np.maximum.accumulate((right / np.maximum(right + wrong, 1))[::-1])[::-1]
    return float((np.diff(np.concatenate([[0], right / max(1, faces)])) * p).sum())


def threshold(verdicts, most=1.):
    """Lowest threshold with at most `most` wrong per 100 negatives at both sizes, and not below the best F1 of all faces."""
    grid = np.arange(.1, .9, .01)
    wrong = np.max([[100 * ((s >= t) & (v == 0)).sum() / n for t in grid] for s, v, _, n in (sets['negatives'] for sets in verdicts.values())], 0)
    f1 = np.zeros(len(grid))
    for sets in verdicts.values():
        s, v = (np.concatenate([r[k] for n, r in sets.items() if n != 'negatives']) for k in (0, 1))
        faces = sum(r[2] for n, r in sets.items() if n != 'negatives')
        tp, fp = (np.array([((s >= t) & (v == k)).sum() for t in grid]) for k in (1, 0))
        f1 += 2 * tp / (tp + fp + faces)
    fit = np.where(wrong <= most)[0]
    return float(grid[max(fit[0] if len(fit) else len(grid) - 1, int(f1.argmax()))])
