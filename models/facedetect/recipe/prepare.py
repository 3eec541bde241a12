# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads all photos and labels once into a cache outside the repository: decoding JPEG again for every sample would
cost more than the training step itself."""
import json
import os
import xml.etree.ElementTree as ET

import cv2
import numpy as np
from PIL import Image, ImageOps

import split as splits
from teacher import Teacher, overlap

LONGEST = 800
HUMAN = ('det_ilc', 'det_kaggle853', 'det_caltech')
NEGATIVE = ('neg_imagenet', 'neg_bsds', 'neg_clothing')
TAUGHT = ('unl_groups', 'fas_celebaspoof_full', 'fas_celebaspoof_crop', 'fas_webcams', 'fas_nuaa')
UNSURE = .45                   # an unlabelled teacher's box from here on counts neither for nor against
# det_caltech has points only. Its boxes: the teacher's; where it saw none, this much around the points.
AROUND = dict(mouth=.95, down=.26, width=2.09, height=2.77)


def read(path):
    """BGR, upright, at most LONGEST on the long side; with the factor by which it shrank."""
    a = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert('RGB'))[:, :, ::-1]
    k = min(1., LONGEST / max(a.shape[:2]))
    if k < 1:
        a = cv2.resize(a, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(a), k


def files(root, name):
    """(file, labels or None) of every picture of a set."""
    d = os.path.join(root, name)
    if name == 'det_dlib':
        for x in ('training_with_face_landmarks.xml', 'testing_with_face_landmarks.xml'):
            for i in ET.parse(os.path.join(d, x)).getroot().iter('image'):
                yield i.get('file'), i
    elif name.startswith('fas_'):
        for sub, _, names in sorted(os.walk(d)):
            for f in sorted(names):
                if f.lower().endswith(('.jpg', '.png')):
                    yield os.path.relpath(os.path.join(sub, f), d), None
    else:
        for line in open(os.path.join(d, 'labels.jsonl')):
            e = json.loads(line)
            yield e['file'], e


def from_xml(image):
    """dlib's boxes are squares from the brows to the chin; the points tell the face as the other sets box it."""
    boxes, points, ignore = [], [], []
    for b in image.iter('box'):
        left, top, w, h = (float(b.get(k)) for k in ('left', 'top', 'width', 'height'))
        parts = {int(p.get('name')): (float(p.get('x')), float(p.get('y'))) for p in b.iter('part')}
        if b.get('ignore') == '1' or len(parts) < 68:
            ignore.append([left, top, left + w, top + h])
            continue
        mean = lambda ids: np.mean([parts[i] for i in ids], 0)
        five = np.concatenate([mean(range(36, 42)), mean(range(42, 48)), parts[30], parts[48], parts[54]])
        boxes.append(around(five))
        points.append(five)
    return boxes, points, ignore


def around(five):
    """Box of a face from its five points."""
    p = np.asarray(five, float).reshape(5, 2)
    eyes, mouth = p[:2].mean(0), p[3:].mean(0)
    s = max(np.hypot(*(p[1] - p[0])), AROUND['mouth'] * np.hypot(*(mouth - eyes)))
    c, half = eyes + AROUND['down'] * (mouth - eyes), np.array([AROUND['width'], AROUND['height']]) * s / 2
    return np.concatenate([c - half, c + half])


def from_human(e):
    """Human boxes with the teacher's points, or human points with the teacher's boxes."""
    teacher = e.get('teacher', [])
    seen = np.array([t['box'] for t in teacher], float).reshape(-1, 4)
    score = np.array([t['score'] for t in teacher])
    five = np.array([np.ravel(t['kps']) for t in teacher], float).reshape(-1, 10)
    boxes, points, used = [], [], np.zeros(len(seen), bool)
    for p in e.get('landmarks', []):
        eyes, mouth = np.array(p[:4]), np.array(p[6:8])
        guess = around([*eyes, *p[4:6], *mouth, *mouth])
        iou = overlap([guess], seen)[0] if len(seen) else np.zeros(0)
        best = iou.argmax() if len(iou) and iou.max() >= .4 else None
        if best is None:
            boxes.append(guess)
            points.append(np.full(10, np.nan))
            continue
        used |= iou >= .4
        # Eyes and the middle of the mouth from the human, how wide the mouth is and where the nose ends from the teacher.
        shift = mouth - five[best, 6:].reshape(2, 2).mean(0)
        boxes.append(seen[best])
        points.append(np.concatenate([eyes, five[best, 4:6], five[best, 6:] + np.tile(shift, 2)]))
    for f in e.get('faces', []):
        iou = overlap([f['box']], seen)[0] if len(seen) else np.zeros(0)
        best = iou.argmax() if len(iou) else None
        good = best is not None and iou[best] >= .45 and score[best] >= .4
        used |= iou >= .4
        boxes.append(f['box'])
        points.append(five[best] if good else np.full(10, np.nan))
    ignore = [*e.get('ignore', []), *seen[~used & (score >= UNSURE)]]
    return boxes, points, ignore


def build(root, cache, teacher, split_path):
    """Writes `cache`/pictures.npy (all pixels in one row) and `cache`/index.json."""
    os.makedirs(cache, exist_ok=True)
    entries, pictures = [], []
    teacher = Teacher(teacher)
    for name in (*HUMAN, 'det_dlib', *NEGATIVE, *TAUGHT):
        for file, e in files(root, name):
            picture, k = read(os.path.join(root, name, file))
            if name in NEGATIVE:
                boxes, points, ignore = [], [], []
            elif name in TAUGHT:
                boxes, points, ignore = (a / k for a in teacher.label(picture))
            else:
                boxes, points, ignore = from_xml(e) if name == 'det_dlib' else from_human(e)
            row = lambda a, n: (np.array(a, float).reshape(-1, n) * k).round(2).tolist()
            entries.append(dict(set=name, file=file, height=picture.shape[0], width=picture.shape[1], boxes=row(boxes, 4),
                                points=row(points, 10), ignore=row(ignore, 4)))
            pictures.append(picture)
        print(name, sum(e['set'] == name for e in entries), 'pictures,', sum(len(e['boxes']) for e in entries if e['set'] == name), 'faces', flush=True)
    keys = [(e['set'], e['file']) for e in entries]
    parts = splits.load(split_path, keys, lambda: [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in pictures])
    flat = np.lib.format.open_memmap(os.path.join(cache, 'pictures.npy'), 'w+', np.uint8, (sum(p.size for p in pictures),))
    at = 0
    for e, p in zip(entries, pictures):
        flat[at:at + p.size] = p.ravel()
        # A picture that the split does not know came later: it must not slip into training beside a duplicate in the test.
        e['at'], e['part'] = at, parts.get((e['set'], e['file']), 'unused')
        at += p.size
    flat.flush()
    json.dump(entries, open(os.path.join(cache, 'index.json'), 'w'))


class Pictures:
    """The cache. `part`: the indices of a part; `get`: one picture with its labels."""

    def __init__(self, cache):
        self.entries = json.load(open(os.path.join(cache, 'index.json')))
        self.flat = np.load(os.path.join(cache, 'pictures.npy'), mmap_mode='r')
        for e in self.entries:
            for k, n in (('boxes', 4), ('points', 10), ('ignore', 4)):
                e[k] = np.array(e[k], np.float32).reshape(-1, n)

    def part(self, part, sets=None):
        return [i for i, e in enumerate(self.entries) if e['part'] == part and (sets is None or e['set'] in sets)]

    def get(self, i):
        e = self.entries[i]
        h, w = e['height'], e['width']
        return self.flat[e['at']:e['at'] + h * w * 3].reshape(h, w, 3), e
