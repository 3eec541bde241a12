# SPDX-License-Identifier: MIT OR Apache-2.0
"""From the sets' pictures to a cache of windows: each face with what is around it, as far as a sample may need it."""
import json
import os
import pickle

import cv2
import numpy as np

import protocol
from teacher import Teacher, nms

AROUND = 4.6                   # side of a window over that of the face's box: the pair looks at 4
LARGEST = 150                  # faces over this many pixels are scaled down: samples have less
SMALLEST = 24                  # faces under this many pixels are not learned from …
SMALLEST_MANY = 48             # … nor these in crowds and films, where there are enough
SURE = .5                      # confidence of the detector
FRAMES = 12                    # of a film


def biggest(teacher, picture, border=False):
    """Box x1, y1, x2, y2 of the largest face, or None. `border`: for pictures that are cut out around a face."""
    my, mx = (picture.shape[0] // 2, picture.shape[1] // 2) if border else (0, 0)
    canvas = cv2.copyMakeBorder(picture, my, my, mx, mx, cv2.BORDER_CONSTANT, value=(110,) * 3) if border else picture
    rows = teacher.look(canvas, 640 if max(canvas.shape[:2]) > 700 else 320)
    rows = rows[rows[:, 4] >= SURE]
    if not len(rows):
        return None
    box = rows[np.argmax((rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])), :4] - [mx, my, mx, my]
    box = np.clip(box, 0, [picture.shape[1], picture.shape[0]] * 2)
    return box if min(box[2:] - box[:2]) >= SMALLEST else None


def window(picture, box):
    """The part that samples need, as JPEG, and the box in it."""
    box = np.asarray(box, float)
    half = AROUND / 2 * (box[2:] - box[:2]).max()
    centre = (box[:2] + box[2:]) / 2
    x1, y1 = np.maximum(centre - half, 0).astype(int)
    x2, y2 = np.minimum(centre + half, picture.shape[1::-1]).astype(int)
    part, box = picture[y1:y2, x1:x2], box - [x1, y1, x1, y1]
    k = min(1., LARGEST / max(box[2:] - box[:2]))
    if k < 1:
        part, box = cv2.resize(part, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), box * k
    return cv2.imencode('.jpg', part, [cv2.IMWRITE_JPEG_QUALITY, 97])[1], box


def stills(assets, name, teacher):
    """One face of each picture of an anti-spoofing set: (path, picture, box)."""
    for path in protocol.pictures(assets, name):
        picture = cv2.imread(os.path.join(assets, name, path))
        cut_out = name in protocol.CROPS
        box = None if cut_out else biggest(teacher, picture)
        box = biggest(teacher, picture, True) if box is None else box
        if box is None and cut_out:
            box = [0, 0, picture.shape[1], picture.shape[0]]
        if box is not None:
            yield path, picture, box


def photos(assets, name, teacher):
    """All larger faces of the detector's photos."""
    for path in protocol.pictures(assets, name):
        picture = cv2.imread(os.path.join(assets, name, path))
        for box in teacher.label(picture)[0]:
            if min(box[2:] - box[:2]) >= SMALLEST_MANY:
                yield path, picture, np.clip(box, 0, [picture.shape[1], picture.shape[0]] * 2)


def films(assets, name, teacher):
    for path in protocol.clips(assets, name):
        film, n = cv2.VideoCapture(os.path.join(assets, name, path)), 0
        step = max(1, int(film.get(cv2.CAP_PROP_FRAME_COUNT)) // FRAMES)
        while film.grab():
            if n % step == 0:
                picture = film.retrieve()[1]
                rows = teacher.look(picture, 640)
                rows = rows[rows[:, 4] >= SURE]
                for i in nms(rows[:, :4], rows[:, 4], .4):
                    box = np.clip(rows[i, :4], 0, [picture.shape[1], picture.shape[0]] * 2)
                    if min(box[2:] - box[:2]) >= SMALLEST_MANY:
                        yield f'{path}#{n:06d}', picture, box
            n += 1


def rendered(folder):
    """Spoofs that `liveness-train render` made: (set of the face, group, kind, path, picture, box)."""
    with open(os.path.join(folder, 'manifest.jsonl')) as f:
        for line in f:
            e = json.loads(line)
            x, y, w, h = e['faces'][0]['box']
            left, top = e['window'][:2]
            box = np.array([x - left, y - top, x - left + w, y - top + h])
            yield e['source'], e['label'], e['file'], cv2.imread(os.path.join(folder, e['file'])), box


def origin(source):
    """Set and group of the live face behind a rendered spoof, from the path of its picture."""
    parts = source.split('/')
    for name in protocol.LEARNED:
        if parts[0] == name:
            return name, protocol.group(name, '/'.join(parts[1:]))
    # Photos of the detector's sets lie in one folder, as SET_FILE.
    for name in protocol.LIVE:
        if parts[-1].startswith(name + '_'):
            return name, parts[-1][len(name) + 1:]
    raise ValueError(f'{source}: of no set of the protocol')


def build(assets, folder, spoofs):
    """Writes `folder`/windows.pickle: a list of dict(set, path, group, part, kind, live, rendered, box, jpeg)."""
    cv2.setNumThreads(1)
    teacher = Teacher(os.path.join(assets, 'models/yunet_n_dynamic.onnx'), threads=1)
    rules, out = protocol.Protocol(), []

    def add(name, g, path, kind, picture, box, of=None):
        code, box = window(picture, box)
        out.append(dict(set=name, path=path, group=g, part=rules.part(name, g), kind=kind, live=kind == 'live', rendered=of is not None,
                        box=[float(v) for v in box], jpeg=code))

    for name in protocol.LEARNED + protocol.LIVE:
        read = films if name == 'vid_face' else photos if name in protocol.LIVE else stills
        for path, picture, box in read(assets, name, teacher):
            add(name, protocol.group(name, path), path, protocol.kind(name, path), picture, box)
        print(name, len(out), flush=True)
    for source, kind, path, picture, box in rendered(spoofs) if spoofs else ():
        name, g = origin(source)
        add(name, g, path, kind, picture, box, of=source)
    print('with what was rendered', len(out), flush=True)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'windows.new'), 'wb') as f:
        pickle.dump(out, f)
    os.replace(os.path.join(folder, 'windows.new'), os.path.join(folder, 'windows.pickle'))


def read(folder):
    with open(os.path.join(folder, 'windows.pickle'), 'rb') as f:
        return pickle.load(f)


def link_photos(assets, folder):
    """A folder `real` with links to the photos that hold a larger face, named as `origin` reads them: for `liveness-train render --live`."""
    os.makedirs(os.path.join(folder, 'real'), exist_ok=True)
    for name in protocol.LIVE:
        labels = os.path.join(assets, name, 'labels.jsonl')
        for line in open(labels) if os.path.exists(labels) else ():
            e = json.loads(line)
            if any(t['score'] > .6 and min(t['box'][2] - t['box'][0], t['box'][3] - t['box'][1]) >= 80 for t in e['teacher']):
                os.symlink(os.path.abspath(os.path.join(assets, name, e['file'])), os.path.join(folder, 'real', f'{name}_{e["file"]}'))


if __name__ == '__main__':
    import sys
    link_photos(*sys.argv[1:3])
