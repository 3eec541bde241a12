# SPDX-License-Identifier: MIT OR Apache-2.0
"""Training samples: a square canvas with faces of any size, cut, turned, darkened, blurred, and shown on screens and paper.

One warp per picture does scale, aspect, rotation, mirror and crop at once, and colour goes through one table of 256
values: two cores have to feed the network meanwhile.
"""
import cv2
import numpy as np
import torch

from hint import Eyes
from prepare import Pictures

# How often a set is drawn. Few different persons (NUAA) or easy faces (Caltech) come less often than their number would have it.
SHARE = dict(det_ilc=.17, det_kaggle853=.15, unl_groups=.2, det_caltech=.24, fas_celebaspoof_full=.05, fas_celebaspoof_crop=.03,
             fas_webcams=.03, fas_nuaa=.03, det_dlib=.02, neg_imagenet=.10, neg_bsds=.045, neg_clothing=.045)
USUAL = 320                    # size of most samples
SMALLEST = 4.                  # a face smaller than this in the sample (pixels, square root of the area) is not asked for
VISIBLE = .45                  # nor one of which less than this is left
MIRROR = [2, 3, 0, 1, 4, 5, 8, 9, 6, 7]
# Twelve points of the ellipse in a face's box: after a rotation they bound the face more tightly than the box's corners.
ELLIPSE = np.stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6)], 1).astype(np.float32)


def chance(rng, p):
    return rng.random() < p


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


class Faces:
    """Labels of a sample: boxes, points (nan: unknown), and whether the box only says where not to look."""

    def __init__(self, boxes, points, ignore):
        self.boxes, self.points, self.ignore = boxes, points, ignore

    @staticmethod
    def of(entry):
        n, m = len(entry['boxes']), len(entry['ignore'])
        return Faces(np.concatenate([entry['boxes'], entry['ignore']]),
                     np.concatenate([entry['points'], np.full((m, 10), np.nan, np.float32)]), np.arange(n + m) >= n)

    @staticmethod
    def none():
        return Faces(np.zeros((0, 4), np.float32), np.zeros((0, 10), np.float32), np.zeros(0, bool))

    def moved(self, m):
        """Through a 3x3 matrix."""
        if not len(self.boxes):
            return self
        c, half = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2, (self.boxes[:, 2:] - self.boxes[:, :2]) / 2
        p = cv2.perspectiveTransform((c[:, None] + half[:, None] * ELLIPSE).reshape(-1, 1, 2), m).reshape(-1, 12, 2)
        q = cv2.perspectiveTransform(self.points.reshape(-1, 1, 2), m).reshape(-1, 10)
        # OpenCV makes zeros of what is no number.
        q[np.isnan(self.points)] = np.nan
        # A mirror swaps left and right.
        q = q[:, MIRROR] if np.linalg.det(m[:2, :2]) < 0 else q
        return Faces(np.concatenate([p.min(1), p.max(1)], 1), q, self.ignore)

    def cut(self, x1, y1, x2, y2):
        """What is left of them in a window; of what is mostly outside or too small: a place not to look at."""
        b = self.boxes.copy()
        b[:, 0::2], b[:, 1::2] = b[:, 0::2].clip(x1, x2), b[:, 1::2].clip(y1, y2)
        area = lambda q: (q[:, 2] - q[:, 0]) * (q[:, 3] - q[:, 1])
        left = area(b) / np.maximum(area(self.boxes), 1e-6)
        small = np.sqrt(area(b)) < SMALLEST
        keep = left > .05
        return Faces(b[keep], self.points[keep], (self.ignore | (left < VISIBLE) | small)[keep])

    def under(self, quad):
        """Without those that something now covers: a convex quadrilateral was laid over the picture."""
        if not len(self.boxes):
            return self
        c = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        b, (x1, y1), (x2, y2) = self.boxes, quad.min(0), quad.max(0)
        touched = (b[:, 0] < x2) & (b[:, 2] > x1) & (b[:, 1] < y2) & (b[:, 3] > y1)
        covered = np.array([cv2.pointPolygonTest(quad.astype(np.float32), (float(x), float(y)), False) >= 0 for x, y in c])
        keep = ~covered
        return Faces(b[keep], self.points[keep], (self.ignore | touched)[keep])

    def rows(self):
        """[n, 15]: box, points, 1 where ignored."""
        return np.concatenate([self.boxes, self.points, self.ignore[:, None]], 1).astype(np.float32)

    @staticmethod
    def join(parts):
        return Faces(*(np.concatenate([getattr(p, k) for p in parts]) for k in ('boxes', 'points', 'ignore')))


class Sampler:
    def __init__(self, pictures, part='train'):
        self.pictures = pictures
        self.sets = {s: pictures.part(part, (s,)) for s in SHARE}
        self.names = [s for s in SHARE if self.sets[s]]
        p = np.array([SHARE[s] for s in self.names])
        self.p = p / p.sum()
        self.noise = np.random.default_rng(0).normal(0, 1, (1 << 20,)).astype(np.float32)

    def draw(self, rng):
        s = self.names[rng.choice(len(self.names), p=self.p)]
        return self.pictures.get(int(rng.choice(self.sets[s])))

    def window(self, rng, width, height, long_side=None, plain=False):
        """A picture, placed on a canvas."""
        src, entry = self.draw(rng)
        faces = Faces.of(entry)
        h, w = src.shape[:2]
        if long_side is None:
            long_side = width * (rng.uniform(.9, 1.05) if chance(rng, .35) else log_uniform(rng, .55, 2.4))
        k = long_side / max(w, h)
        real = faces.boxes[~faces.ignore]
        if len(real):
            # Neither all faces below what can be seen nor one of them larger than the canvas; some large ones, which are rare.
            size = np.sqrt((real[:, 2] - real[:, 0]) * (real[:, 3] - real[:, 1]))
            if chance(rng, .12 if width <= USUAL else .3):
                k = width * log_uniform(rng, .2, .95) / size.max()
            k = min(k, width / size.max(), 1600 / max(w, h))
            k = max(k, 5. / size.max())
        if k < .6:
            src = cv2.resize(src, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA) if k > .3 else \
                cv2.resize(src, None, fx=.25, fy=.25, interpolation=cv2.INTER_AREA)
        shrink = np.diag([src.shape[1] / w, src.shape[0] / h, 1.])
        aspect = 1. if plain or chance(rng, .6) else log_uniform(rng, .85, 1.18)
        angle = np.deg2rad(rng.normal(0, 12) if chance(rng, .8) else rng.uniform(-35, 35)) if not plain and chance(rng, .35) else 0.
        if not len(faces.boxes) and chance(rng, .5):
            # Nothing becomes a face by being turned, and of pictures without faces there are few.
            angle = rng.uniform(-np.pi, np.pi)
        cos, sin = k * np.cos(angle), k * np.sin(angle)
        m = np.array([[cos * aspect, -sin, 0], [sin * aspect, cos, 0], [0, 0, 1.]])
        if chance(rng, .5):
            m = m @ np.array([[-1., 0, w], [0, 1, 0], [0, 0, 1]])
        corners = cv2.perspectiveTransform(np.array([[[0, 0], [w, 0], [w, h], [0, h]]], np.float32), m)[0]
        low, high = corners.min(0), corners.max(0)
        aim = None
        if len(real) and chance(rng, .6):
            b = real[rng.integers(len(real))]
            aim = cv2.perspectiveTransform(((b[:2] + b[2:]) / 2).reshape(1, 1, 2), m)[0, 0]
        for axis, extent in ((0, width), (1, height)):
            span = high[axis] - low[axis]
            if span <= extent:
                at = -low[axis] + (rng.uniform(0, extent - span) if chance(rng, .5) else 0)
            elif aim is None:
                at = -low[axis] - rng.uniform(0, span - extent)
            else:
                # Anywhere on the canvas, sometimes cut by its edge; but no more empty canvas than needed.
                at = rng.uniform(.0, 1.) * extent - aim[axis]
                at = min(max(at, extent - high[axis]), -low[axis]) if chance(rng, .85) else at
            m[axis, 2] += at
        fill = (0, 0, 0) if chance(rng, .7) else tuple(int(v) for v in rng.integers(0, 256, 3))
        out = cv2.warpAffine(src, (m @ np.linalg.inv(shrink))[:2], (width, height), flags=cv2.INTER_LINEAR, borderValue=fill)
        return out, faces.moved(m).cut(0, 0, width, height)

    def mosaic(self, rng, size):
        """Four pictures around a point: many scales, faces cut by straight edges, and surroundings that do not belong."""
        x, y = (int(size * rng.uniform(.3, .7)) for _ in range(2))
        out, parts = np.zeros((size, size, 3), np.uint8), []
        for x1, y1, x2, y2 in ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)):
            tile, faces = self.window(rng, x2 - x1, y2 - y1, max(x2 - x1, y2 - y1) * log_uniform(rng, .8, 2.))
            out[y1:y2, x1:x2] = tile
            faces.boxes += np.float32([x1, y1, x1, y1])
            faces.points += np.float32([x1, y1] * 5)
            parts.append(faces)
        return out, Faces.join(parts)

    def shown(self, rng, size):
        """A picture on a phone's screen, a monitor or a sheet of paper in front of another: a spoof is a face too."""
        out, behind = self.window(rng, size, size)
        w, h = int(size * rng.uniform(.35, .8)), int(size * rng.uniform(.35, .8))
        tile, faces = self.window(rng, w, h)
        paper = chance(rng, .4)
        frame = int(rng.integers(0, 14))
        edge = int(rng.integers(200, 256)) if paper else int(rng.integers(0, 50))
        tile = cv2.copyMakeBorder(tile, frame, frame, frame, frame, cv2.BORDER_CONSTANT, value=(edge,) * 3)
        faces.boxes += frame
        faces.points += frame
        th, tw = tile.shape[:2]
        if paper:
            tile = cv2.convertScaleAbs(tile, alpha=rng.uniform(.5, .9), beta=rng.uniform(10, 60))
        else:
            tile = cv2.convertScaleAbs(tile, alpha=rng.uniform(.8, 1.4), beta=rng.uniform(0, 40))
            if chance(rng, .4):
                # Rows of pixels beat against the camera's.
                wave = np.sin(np.arange(th) * rng.uniform(.5, 3) + rng.uniform(0, 6)) * rng.uniform(3, 14)
                tile = np.clip(tile + wave[:, None, None], 0, 255).astype(np.uint8)
        flat = np.float32([[0, 0], [tw, 0], [tw, th], [0, th]])
        at = np.array([rng.uniform(-.1 * tw, size - .9 * tw), rng.uniform(-.1 * th, size - .9 * th)])
        quad = (flat + at + rng.uniform(-.07, .07, (4, 2)) * [tw, th]).astype(np.float32)
        m = cv2.getPerspectiveTransform(flat, quad)
        cv2.warpPerspective(tile, m, (size, size), dst=out, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
        return out, Faces.join([behind.under(quad), faces.moved(m).cut(0, 0, size, size)])

    def cover(self, rng, picture, faces):
        """A plain patch over a part of a face: mask, hand, hair, microphone."""
        for b in faces.boxes[~faces.ignore]:
            w, h = b[2:] - b[:2]
            if w > 12 and chance(rng, .3):
                x, y = b[0] + w * rng.uniform(-.1, .6), b[1] + h * rng.uniform(-.1, .75)
                x2, y2 = x + w * rng.uniform(.2, 1.), y + h * rng.uniform(.15, .45)
                cv2.rectangle(picture, (int(x), int(y)), (int(x2), int(y2)), tuple(int(v) for v in rng.integers(0, 256, 3)), -1)

    def bokeh(self, rng, picture, faces):
        """Sharp persons before a soft background, or nothing but that: leaves and lamps out of focus look like faces to a small net."""
        soft = cv2.GaussianBlur(picture, (0, 0), log_uniform(rng, 1., 6.) * picture.shape[0] / USUAL)
        if not len(faces.boxes):
            return soft
        keep = np.zeros(picture.shape[:2], np.float32)
        for b in faces.boxes:
            (x, y), (w, h) = (b[:2] + b[2:]) / 2, b[2:] - b[:2]
            cv2.ellipse(keep, (int(x), int(y - .1 * h)), (int(.8 * w) + 1, int(.8 * h) + 1), 0, 0, 360, 1., -1)
            cv2.rectangle(keep, (int(x - 1.1 * w), int(y + .55 * h)), (int(x + 1.1 * w), picture.shape[0]), 1., -1)
        keep = cv2.GaussianBlur(keep, (0, 0), 2.)[..., None]
        return (picture * keep + soft * (1 - keep)).astype(np.uint8)

    def light(self, rng, picture):
        """Exposure, contrast, gamma, colour of the light, saturation."""
        v = np.arange(256, dtype=np.float32) / 255
        if chance(rng, .5):
            v = v ** log_uniform(rng, .5, 2.)
        if chance(rng, .5):
            v = (v - .5) * rng.uniform(.5, 1.5) + .5 + rng.uniform(-.15, .15)
        if chance(rng, .28):
            v = v * log_uniform(rng, .1, .6)                        # low light
        t = np.repeat(v[:, None], 3, 1)
        if chance(rng, .3):
            t = t * rng.uniform(.75, 1.25, 3)
        picture = cv2.LUT(picture, np.clip(t * 255, 0, 255).astype(np.uint8)[None])
        if chance(rng, .35):
            gray = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            s = 0. if chance(rng, .3) else rng.uniform(.2, 1.6)
            picture = cv2.addWeighted(picture, s, gray, 1 - s, 0)
        return picture

    def camera(self, rng, picture):
        """Out of focus or shaken, small and scaled up, noisy, compressed."""
        size = picture.shape[0]
        if chance(rng, .12):
            picture = cv2.GaussianBlur(picture, (0, 0), log_uniform(rng, .5, 2.))
        elif chance(rng, .06):
            n, angle = int(rng.integers(3, 9)), rng.uniform(0, np.pi)
            kernel = np.zeros((n, n), np.float32)
            c, d = (n - 1) / 2, np.array([np.cos(angle), np.sin(angle)]) * n / 2
            cv2.line(kernel, tuple(int(round(v)) for v in c - d), tuple(int(round(v)) for v in c + d), 1.)
            picture = cv2.filter2D(picture, -1, kernel / max(1., kernel.sum()))
        elif chance(rng, .12):
            k = rng.uniform(.4, .9)
            small = cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            picture = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR if chance(rng, .7) else cv2.INTER_NEAREST)
        if chance(rng, .12):
            at, n = int(rng.integers(0, len(self.noise) - size * size * 3)) if size * size * 3 < len(self.noise) else 0, picture.size
            noise = np.resize(self.noise[at:at + n], picture.shape)
            picture = cv2.add(picture, noise * np.float32(log_uniform(rng, 2, 18)), dtype=cv2.CV_8U)
        if chance(rng, .2):
            _, code = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))])
            picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
        return picture

    def sample(self, rng, size, plain=False):
        """A BGR canvas and its faces. `plain`: without tricks, for the last part of a training."""
        kind = rng.random()
        if kind < (.1 if plain else .3):
            picture, faces = self.mosaic(rng, size)
        elif kind < (.13 if plain else .38):
            picture, faces = self.shown(rng, size)
        else:
            picture, faces = self.window(rng, size, size, plain=plain)
        if chance(rng, .04 if plain else .1):
            self.cover(rng, picture, faces)
        if chance(rng, .15 if len(faces.boxes) else .3):
            picture = self.bokeh(rng, picture, faces)
        if chance(rng, .4 if plain else .8):
            picture = self.light(rng, picture)
        return self.camera(rng, picture), faces


class Batches(torch.utils.data.IterableDataset):
    """Endless batches; the worker and the start decide about the random numbers."""

    def __init__(self, cache, batch, seed, plain, teacher=None):
        self.cache, self.batch, self.seed, self.plain, self.teacher = cache, batch, seed, plain, teacher

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        cv2.setNumThreads(0)
        torch.set_num_threads(1)
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        sampler = Sampler(Pictures(self.cache))
        eyes = Eyes(self.teacher) if self.teacher else None
        while True:
            # Mostly 320; other sizes so that nothing depends on it. The number of pixels stays about the same.
            size = int(rng.choice([USUAL, 256, 416, 512, 640], p=[.76, .05, .07, .07, .05]))
            pictures, rows = [], []
            for i in range(max(1, round(self.batch * (320 / size) ** 2))):
                picture, faces = sampler.sample(rng, size, self.plain.value)
                r = faces.rows()
                pictures.append(picture)
                rows.append(np.concatenate([np.full((len(r), 1), i, np.float32), r], 1))
            pictures = np.stack(pictures)
            yield torch.from_numpy(pictures), torch.from_numpy(np.concatenate(rows)), eyes.look(pictures) if eyes else None
