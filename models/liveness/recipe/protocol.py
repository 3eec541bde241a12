# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which picture is what, and who may learn from it: the protocol, fixed in ../protocol.json.

A *group* is a person, or a recording or photo where the names tell no persons. All of a group is on one side. `write` made the file
once; everything else reads it.
"""
import hashlib
import json
import os
import re

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'protocol.json')
LEARNED = ('fas_nuaa', 'fas_celebaspoof_crop', 'fas_celebaspoof_full', 'fas_webcams')
# Only live faces in them.
LIVE = ('det_caltech', 'det_ilc', 'det_kaggle853', 'vid_face')
NEVER = ('fas_replay', 'fas_casia', 'vid_fas')
# What is left out together: two sets of one origin are one.
FOLDS = {'fas_nuaa': ['fas_nuaa'], 'fas_celebaspoof': ['fas_celebaspoof_crop', 'fas_celebaspoof_full'], 'fas_webcams': ['fas_webcams']}
HELD_OUT = 5                   # one group in so many is not learned from
# Pictures of cut-out faces: their files are the crop.
CROPS = ('fas_celebaspoof_crop', 'fas_webcams', 'fas_casia')


def group(name, path):
    """The group of a picture of set `name` with this path inside it."""
    f = os.path.basename(path)
    if name == 'fas_nuaa':
        return f.split('_')[0]
    if name == 'fas_celebaspoof_crop':
        return f.split('_')[1]
    if name == 'fas_celebaspoof_full':
        # Runs of about ten numbers are one person.
        return f'block {int(re.sub(r"[^0-9]", "", f)) // 10}'
    if name == 'fas_webcams':
        return path.split('/')[0]
    return f.split('#')[0]


def kind(name, path):
    """'live', or the kind of attack."""
    if name in LIVE:
        return 'live'
    folders = [p.lower() for p in path.split('/')[:-1]]
    if {'live', 'real'} & set(folders):
        return 'live'
    return folders[-1]


def held_out(name, g):
    return int(hashlib.sha1(f'{name}/{g}'.encode()).hexdigest(), 16) % HELD_OUT == 0


def pictures(assets, name):
    """Paths inside a set of still pictures."""
    root, found = os.path.join(assets, name), []
    for folder, _, files in os.walk(root, followlinks=True):
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files if f.lower().endswith(('.jpg', '.jpeg', '.png'))]
    return sorted(found)


def clips(assets, name):
    root = os.path.join(assets, name)
    return sorted(f for f in os.listdir(root) if f.lower().endswith(('.mp4', '.mov', '.webm', '.mkv', '.avi')))


def write(assets):
    parts = {}
    for name in LEARNED + LIVE:
        groups = sorted({group(name, p) for p in (clips if name == 'vid_face' else pictures)(assets, name)})
        held = [g for g in groups if held_out(name, g)]
        parts[name] = {'groups': len(groups), 'held out': held}
    text = json.dumps({'learned from': list(LEARNED), 'live faces only': list(LIVE), 'never learned from': list(NEVER),
                       'left out in turn': FOLDS, 'parts': parts}, indent=1)
    with open(FILE, 'w') as f:
        f.write(re.sub(r'\n\s+(?="[^"]*"(,|\n\s*\]))', ' ', text) + '\n')


class Protocol:
    def __init__(self):
        with open(FILE) as f:
            self.parts = {k: set(v['held out']) for k, v in json.load(f)['parts'].items()}

    def part(self, name, g):
        """'train' or 'val' of a group of a set that may be learned from."""
        assert name in self.parts, f'{name} is never learned from'
        return 'val' if g in self.parts[name] else 'train'


if __name__ == '__main__':
    import sys
    write(sys.argv[1])
