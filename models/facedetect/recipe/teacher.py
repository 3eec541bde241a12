# SPDX-License-Identifier: MIT OR Apache-2.0
"""Labels from YuNet-n (MIT) for photos that no human labelled: it looks at several sizes, for faces of all sizes."""
import cv2
import numpy as np
import onnxruntime as ort

SIZES = (320, 640, 1024)
STRIDES = (8, 16, 32)
LARGEST = 1.7                  # most that a picture is enlarged
PART = .8                      # share of a box that makes it a part of a larger face
SURE, MAYBE = .6, .3           # a face; neither a face nor none


class Teacher:
    def __init__(self, path, threads=2):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
        self.names = [o.name for o in self.session.get_outputs()]

    def look(self, picture, size):
        """Candidates of a BGR picture whose long side is scaled to `size`: rows x1, y1, x2, y2, score, ten of points."""
        k = size / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
        h, w = (-(-n // 32) * 32 for n in small.shape[:2])
        canvas = np.zeros((h, w, 3), np.float32)
        canvas[:small.shape[0], :small.shape[1]] = small
        out = dict(zip(self.names, self.session.run(None, {'input': canvas.transpose(2, 0, 1)[None]})))
        rows = []
        for s in STRIDES:
            y, x = np.mgrid[:h // s, :w // s]
            g = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
            score = np.sqrt(np.clip(out[f'cls_{s}'][0, :, 0], 0, 1) * np.clip(out[f'obj_{s}'][0, :, 0], 0, 1))
            m = score >= MAYBE
            b, p, g = out[f'bbox_{s}'][0][m], out[f'kps_{s}'][0][m], g[m]
            centre, half = (b[:, :2] + g) * s, np.exp(b[:, 2:]) * s / 2
            rows.append(np.concatenate([centre - half, centre + half, score[m, None], (p + np.tile(g, 5)) * s], 1))
        rows = np.concatenate(rows)
        rows[:, [*range(4), *range(5, 15)]] /= k
        return rows

    def label(self, picture):
        """(sure faces [n, 4], their points [n, 10], regions that may be faces [m, 4])"""
        # Of a face that fills an enlarged picture, its parts are taken for faces.
        sizes = [s for s in SIZES if s <= LARGEST * max(picture.shape[:2])] or SIZES[:1]
        rows = np.concatenate([self.look(picture, s) for s in sizes])
        rows = rows[nms(rows[:, :4], rows[:, 4], .4)]
        sure = (rows[:, 4] >= SURE) & ~parts(rows[:, :4])
        return rows[sure, :4], rows[sure, 5:], rows[~sure, :4]


def overlap(a, b):
    """IoU of corner boxes [n, 4] and [m, 4]."""
    a, b = np.asarray(a, np.float32).reshape(-1, 4), np.asarray(b, np.float32).reshape(-1, 4)
    side = np.clip(np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2]), 0, None)
    both = side[..., 0] * side[..., 1]
    area = lambda q: (q[:, 2] - q[:, 0]) * (q[:, 3] - q[:, 1])
    return both / np.maximum(area(a)[:, None] + area(b)[None] - both, 1e-9)


def parts(boxes):
    """Which of the boxes lie in a larger one: a nose is no face."""
    side = np.clip(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2]), 0, None)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return ((side.prod(2) >= PART * area[:, None]) & (area[None] > area[:, None])).any(1)


def nms(boxes, scores, most, top=500):
    """Indices of the boxes that no better one overlaps, best first, among the `top` best."""
    order, keep = np.argsort(-scores, kind='stable')[:top], []
    iou = overlap(boxes[order], boxes[order])
    dead = np.zeros(len(order), bool)
    for i in range(len(order)):
        if not dead[i]:
            keep.append(order[i])
            dead |= iou[i] > most
    return np.array(keep, int)
