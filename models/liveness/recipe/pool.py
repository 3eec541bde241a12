# SPDX-License-Identifier: MIT OR Apache-2.0
"""Samples made ahead, with what the pair sees in them: they cost more than a step of training does, and every run can use them.

The pair's opinion is that of the picture before it was made worse: of a blurred one it calls live faces spoof. Its features are those of the
very crop that the student gets.
"""
import multiprocessing
import os
import time

import cv2
import numpy as np

import prepare
from pair import FEATURES, SIDE, Pair, said
from samples import Sampler

# Per sample: the crop, the number of its window, the pair's features.
PARTS = dict(crops=(np.uint8, (SIDE, SIDE, 3)), window=(np.int32, ()), **{k: (np.float16, v) for k, v in FEATURES.items()})


def path(folder, part):
    return os.path.join(folder, f'pool.{part}.npy')


def fill(folder, models, seed, worker, workers, done):
    cv2.setNumThreads(1)
    sampler, pair = Sampler(prepare.read(folder), [seed, worker]), Pair(models)
    arrays = {p: np.load(path(folder, p), mmap_mode='r+') for p in PARTS}
    for n in range(worker, len(arrays['crops']), workers):
        arrays['window'][n], arrays['crops'][n] = sampler.sample()
        for name, value in zip(FEATURES, pair.features(arrays['crops'][n])):
            arrays[name][n] = value
        done[worker] += 1


def opinions(folder, models):
    """The pair's probability of live for each window."""
    pair = Pair(models)
    return np.array([pair.opinion(cv2.imdecode(w['jpeg'], cv2.IMREAD_COLOR), w['box']) for w in prepare.read(folder)], np.float32)


def build(folder, models, count, workers, seed=1):
    """Makes `count` samples in `folder`, which holds windows.pickle; `models`: the folder of the pair."""
    for part, (kind, shape) in PARTS.items():
        np.lib.format.open_memmap(path(folder, part), 'w+', kind, (count, *shape)).flush()
    np.save(path(folder, 'opinions'), opinions(folder, models))
    done = multiprocessing.Array('l', workers)
    jobs = [multiprocessing.Process(target=fill, args=(folder, models, seed, w, workers, done)) for w in range(workers)]
    start = time.time()
    for j in jobs:
        j.start()
    while any(j.is_alive() for j in jobs):
        for j in jobs:
            j.join(30 / workers)
        n = sum(done)
        print(f'samples: {n} of {count}, {n / (time.time() - start):.0f}/s', flush=True)
    if any(j.exitcode for j in jobs):
        raise SystemExit('the pool is not complete')
    open(os.path.join(folder, 'pool.done'), 'w').close()


class Pool:
    """The samples, and which window each is of."""

    def __init__(self, folder, models):
        self.windows = prepare.read(folder)
        arrays = {p: np.load(path(folder, p), mmap_mode='r') for p in PARTS}
        count = min(len(a) for a in arrays.values())
        self.crops, self.window = arrays['crops'], np.array(arrays['window'][:count])
        self.features = {k: arrays[k] for k in FEATURES}
        self.teacher = np.load(path(folder, 'opinions'))[self.window]
        # What the teacher says of the very crop.
        self.said = said(models, self.features['last'][:count])
        of = lambda key: np.array([w[key] for w in self.windows])[self.window]
        self.set, self.live, self.rendered = of('set'), of('live'), of('rendered')

    def rows(self, leave=()):
        """Those of the sets that are not left out."""
        return np.flatnonzero(~np.isin(self.set, list(leave)))
