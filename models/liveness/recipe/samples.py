# SPDX-License-Identifier: MIT OR Apache-2.0
"""Samples: a face as another camera, light, distance and detector would have shown it.

Resolution, compression, light, contrast and saturation are drawn from one distribution for both classes: in the sets they differ by class, and
a net learns the easiest thing that does.
"""
import cv2
import numpy as np

from pair import SIDE, crop

SCALE = 2.7                    # side of the crop over the box
# How often a set is drawn, in live faces and in real spoofs; and how often a sample is live, spoof, or a rendered spoof.
LIVE = dict(fas_nuaa=.2, fas_celebaspoof_crop=.2, fas_celebaspoof_full=.08, fas_webcams=.13, det_caltech=.14, det_ilc=.05, det_kaggle853=.05, vid_face=.15)
SPOOF = dict(fas_nuaa=.27, fas_celebaspoof_crop=.3, fas_celebaspoof_full=.13, fas_webcams=.3)
SHARES = dict(live=.42, spoof=.33, rendered=.25)
TIGHT = .3                     # samples from pictures that end close around the face
# What contrast (deviation of the brightness in the face) and saturation are brought to, in so many of the samples.
EQUAL, CONTRAST, SATURATION = .6, (22., 70.), (12., 110.)


def chance(rng, p):
    return rng.random() < p


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


class Sampler:
    def __init__(self, windows, seed):
        self.windows = windows
        self.rng = np.random.default_rng(seed)
        self.noise = self.rng.normal(0, 1, 1 << 20).astype(np.float32)
        self.groups = {}
        for i, w in enumerate(self.windows):
            if w['part'] == 'train':
                kind = 'rendered' if w['rendered'] else 'live' if w['live'] else 'spoof'
                name = 'all' if kind == 'rendered' else w['set']
                self.groups.setdefault((kind, name), {}).setdefault(w['group'], []).append(i)

    def draw(self):
        """Any picture: sets by their shares, in a set every person as often."""
        rng = self.rng
        kind = rng.choice(list(SHARES), p=list(SHARES.values()))
        shares = dict(live=LIVE, spoof=SPOOF, rendered=dict(all=1.))[kind]
        names = [n for n in shares if (kind, n) in self.groups]
        p = np.array([shares[n] for n in names])
        groups = list(self.groups[kind, names[rng.choice(len(names), p=p / p.sum())]].values())
        group = groups[rng.integers(len(groups))]
        return int(group[rng.integers(len(group))])

    def view(self, w):
        """The picture at a drawn size, maybe mirrored, maybe cut close around the face; and the box."""
        rng, picture, box = self.rng, cv2.imdecode(w['jpeg'], cv2.IMREAD_COLOR), np.array(w['box'])
        k = min(log_uniform(rng, 44, 150) / max(box[2:] - box[:2]), 1.6)
        picture = cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
        box = box * k
        if chance(rng, .5):
            picture = np.ascontiguousarray(picture[:, ::-1])
            box = np.array([picture.shape[1] - box[2], box[1], picture.shape[1] - box[0], box[3]])
        if chance(rng, TIGHT):
            w, h = box[2:] - box[:2]
            x1, y1 = (int(max(0, box[i] - log_uniform(rng, .04, 1.2) * s)) for i, s in enumerate((w, h)))
            x2, y2 = (int(min(picture.shape[1 - i], box[2 + i] + log_uniform(rng, .04, 1.2) * s) + 1) for i, s in enumerate((w, h)))
            picture, box = np.ascontiguousarray(picture[y1:y2, x1:x2]), box - [x1, y1, x1, y1]
        return picture, np.clip(box, 0, [picture.shape[1], picture.shape[0]] * 2)

    def light(self, picture, box):
        rng, v = self.rng, np.arange(256, dtype=np.float32)
        face = picture[int(box[1]):int(box[3]), int(box[0]):int(box[2])]
        small = cv2.resize(face, (24, 24), interpolation=cv2.INTER_AREA).astype(np.float32)
        if chance(rng, .5):
            v = 255 * (v / 255) ** log_uniform(rng, .65, 1.55)
        gray = np.interp(small.mean(2), np.arange(256), v)
        if chance(rng, EQUAL):
            k = np.clip(log_uniform(rng, *CONTRAST) / max(gray.std(), 1), .4, 2.2)
            v = (v - gray.mean()) * k + np.clip(rng.normal(118, 28), 50, 200)
        elif chance(rng, .5):
            v = (v - 127) * rng.uniform(.65, 1.3) + 127 + rng.uniform(-25, 25)
        table = np.repeat(v[:, None], 3, 1)
        if chance(rng, .5):
            table = table * rng.uniform(.88, 1.12, 3)
        picture = cv2.LUT(picture, np.clip(table, 0, 255).astype(np.uint8)[None])
        if chance(rng, EQUAL):
            spread = small.max(2) - small.min(2)
            s = np.clip(log_uniform(rng, *SATURATION) / max(spread.mean(), 2), .3, 2.) if chance(rng, .95) else 0.
        elif chance(rng, .5):
            s = rng.uniform(.4, 1.5)
        else:
            return picture
        gray = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        return cv2.addWeighted(picture, s, gray, 1 - s, 0)

    def camera(self, picture):
        rng = self.rng
        if chance(rng, .35):
            picture = cv2.GaussianBlur(picture, (0, 0), log_uniform(rng, .4, 1.5))
        if chance(rng, .35):
            k = rng.uniform(.45, .95)
            small = cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            picture = cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR if chance(rng, .6) else cv2.INTER_CUBIC)
        if chance(rng, .4):
            noise = np.resize(np.roll(self.noise, int(rng.integers(len(self.noise)))), picture.shape)
            picture = cv2.add(picture, noise * np.float32(log_uniform(rng, 1, 9)), dtype=cv2.CV_8U)
        if chance(rng, .75):
            code = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 97))])[1]
            picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
        return picture

    def near(self, picture, box):
        """No more of the picture than the crop can reach: what a camera does to the rest is not seen."""
        half = .5 * SCALE * 1.45 * (box[2:] - box[:2])
        centre = (box[:2] + box[2:]) / 2
        x1, y1 = np.maximum(centre - half, 0).astype(int)
        x2, y2 = np.minimum(centre + half + 1, picture.shape[1::-1]).astype(int)
        return np.ascontiguousarray(picture[y1:y2, x1:x2]), box - [x1, y1, x1, y1]

    def shaken(self, box):
        """A box as another detector would have given it."""
        rng, size = self.rng, box[2:] - box[:2]
        centre = (box[:2] + box[2:]) / 2 + rng.normal(0, .05, 2) * size
        stretch = log_uniform(rng, .94, 1.06)
        half = size / 2 * log_uniform(rng, .85, 1.18) * [stretch, 1 / stretch]
        return np.concatenate([centre - half, centre + half])

    def sample(self):
        """(number of the window, crop [80, 80, 3])"""
        while True:
            i = self.draw()
            picture, box = self.view(self.windows[i])
            if min(box[2:] - box[:2]) >= 16:
                break
        # Where the crop is moved inside, what counts is where the picture ends, and that must not be lost.
        reach = .5 * SCALE * 1.45 * (box[2:] - box[:2])
        centre = (box[:2] + box[2:]) / 2
        if (centre - reach >= 0).all() and (centre + reach <= picture.shape[1::-1]).all():
            picture, box = self.near(picture, box)
        picture = self.camera(self.light(picture, box))
        box = np.clip(self.shaken(box), 0, [picture.shape[1] - 1, picture.shape[0] - 1] * 2)
        return i, crop(picture, box, SCALE, SIDE)
