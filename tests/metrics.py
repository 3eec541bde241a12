# SPDX-License-Identifier: MIT OR Apache-2.0
"""The figures of the yardstick for the answers on standard input: python metrics.py FOLDER-OF-fas_eval.py < JSON > JSON"""
import json
import sys

sys.path.insert(0, sys.argv[1])
import numpy as np  # noqa: E402
import fas_eval  # noqa: E402

sets = json.load(sys.stdin)
out = {'sets': [], 'transfer': None}
named, predictions = {}, {}
for number, (threshold, answers) in enumerate(sets):
    items = []
    for i, a in enumerate(answers):
        path = f'{number}/{i}'
        kind = 'live' if a['bona_fide'] else a['species']
        items.append(dict(path=path, live=a['bona_fide'], kind=kind, group=a['group']))
        predictions[path] = None if a['live'] is None else (a['live'], a['live'] >= threshold)
    named[number] = items
    r = fas_eval.numbers(items, predictions, threshold, 4000)
    s = np.array([-1. if predictions[e['path']] is None else predictions[e['path']][0] for e in items])
    live = np.array([e['live'] for e in items])
    r['eer_threshold'] = fas_eval.eer(s, live, np.ones(len(items)))[1]
    out['sets'].append(r)
out['transfer'] = fas_eval.transfer(list(named), named, predictions)
json.dump(out, sys.stdout)
