# SPDX-License-Identifier: MIT OR Apache-2.0
"""Divides the photos into train, val and test, once: the result is a file of names that stays as it is.

The side follows from the SHA-1 of the file's name, so that it depends on no order and no generator of random numbers.
Near-duplicates (the same photo cropped, scaled, recompressed or mirrored) would let a net be tested on what it has
seen: pictures whose perceptual hashes agree form a group, and a group lies on one side. The instrument that measures
from outside knows the don't-care regions of the 600 names with the lowest SHA-1 of each set only: the test part
is taken from there, and what a group draws along from elsewhere is used nowhere ("unused").
"""
import hashlib
import json
import os

import cv2
import numpy as np

MEASURED = ('det_ilc', 'det_kaggle853', 'det_caltech', 'neg_imagenet', 'neg_bsds', 'neg_clothing')
TEST, VAL, KNOWN = .28, .36, 600


def hashes(gray):
    """Two 64-bit hashes of a picture, as bits: the low frequencies against their median, and neighbours compared."""
    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    row = cv2.resize(gray, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.concatenate([low > np.median(low[1:]), (row[:, 1:] > row[:, :-1]).ravel()])


def groups(pictures):
    """Group number of each of the gray pictures."""
    plain = np.stack([hashes(p) for p in pictures]).astype(np.float32)
    mirrored = np.stack([hashes(p[:, ::-1]) for p in pictures]).astype(np.float32)
    parent = np.arange(len(pictures))

    def root(i):
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i
    for other in (plain, mirrored):
        near = np.ones((len(plain), len(plain)), bool)
        for k, most in ((slice(0, 64), 10), (slice(64, 128), 10)):
            a, b = plain[:, k], other[:, k]
            near &= a.sum(1)[:, None] + b.sum(1)[None] - 2 * a @ b.T <= most
        for i, j in zip(*np.nonzero(np.triu(near, 1))):
            parent[root(i)] = root(j)
    return [root(i) for i in range(len(pictures))]


def make(entries, grays):
    """entries: (set, file) of every picture -> {set: {part: [file]}}."""
    known, place = {}, {}
    for s in MEASURED:
        names = sorted((f for t, f in entries if t == s), key=lambda f: hashlib.sha1(f.encode()).hexdigest())
        known[s] = set(names[:KNOWN])
        # The rank, not the hash itself: a set may have been chosen by its hashes before.
        place.update({(s, f): i / len(names) for i, f in enumerate(names)})
    members = {}
    for e, g in zip(entries, groups(grays)):
        members.setdefault(g, []).append(e)
    split = {s: dict(train=[], val=[], test=[], unused=[]) for s in sorted({s for s, _ in entries})}
    for group in members.values():
        p = min((place[e] for e in group if e in place), default=1.)
        side = 'test' if p < TEST else 'val' if p < VAL else 'train'
        for s, f in group:
            fit = side == 'train' or s in MEASURED and (side != 'test' or f in known[s])
            split[s][side if fit else 'unused'].append(f)
    for parts in split.values():
        for names in parts.values():
            names.sort()
    return split


def load(path, entries, grays):
    """The split as the file has it; writes the file where there is none."""
    if os.path.exists(path):
        split = json.load(open(path))
    else:
        split = make(entries, grays())
        json.dump(split, open(path, 'w'), indent=0)
    return {(s, f): part for s, parts in split.items() for part, names in parts.items() for f in names}
