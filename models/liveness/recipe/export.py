# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes a checkpoint as an ONNX file that describes itself, with what calibrate.py found."""
import argparse
import base64
import json

import numpy as np
import torch
from onnx import TensorProto, helper

import golden
import pool
from graph import Graph, run
from nets import NETS
from samples import SCALE

VERSION = '2'
GOLDEN = 1                     # number of the golden input
SOME = 512                     # samples for the statistics
CLASSES = 'spoof,live'
TRAINED_ON = ('NUAA (research); CelebA-Spoof, 1100 crops and 160 photos (non-commercial research); crops from six webcams (mostly no terms stated); '
              'live faces of Caltech 10k Web Faces (research), ILC face mask photos (no terms stated), Kaggle face mask detection (CC0), Intel (CC-BY-4.0) '
              'and LivePortrait (MIT) sample clips; prints and screens rendered from live faces; ')
NOT_FOR = ('proof that somebody is there: presentation-attack detection is a layer of defence; masks and cut prints, which it has seen few of; faces under '
           '40 pixels; telling who somebody is')


def statistics(net, crops):
    """What norms before each unit's summand would see, as examples/train/src/onnx/write.rs has it: training goes on from it."""
    seen, hooks = [], []
    for _, layer in net.units():
        hooks.append(layer.register_forward_hook(lambda m, _, out: seen.append((out.transpose(0, 1).flatten(1) - m.bias[:, None]).double())))
    with torch.no_grad():
        net(torch.from_numpy(np.array(crops)).permute(0, 3, 1, 2).float())
    for h in hooks:
        h.remove()
    numbers = [n for out in seen for n in (out.mean(1), out.var(1))]
    return base64.b64encode(torch.cat(numbers).float().numpy().astype('<f4').tobytes()).decode()


def to_onnx(net, share, temperature, facts=None):
    """`net`: without norms; `share`: weight of the labels' answer; `temperature` divides the logits: both are folded into the last layer."""
    g = Graph()
    x = net.lay(g, 'input')
    w, b = (t.numpy() / np.float32(temperature) for t in net.head(share))
    g.node('Gemm', [x, g.weight('logits.weight', w), g.weight('logits.bias', b)], name='logits', transB=1)
    inp = helper.make_tensor_value_info('input', TensorProto.FLOAT, ['batch', 3, net.side, net.side])
    out = helper.make_tensor_value_info('logits', TensorProto.FLOAT, ['batch', 2])
    return g.model(net.name, [inp], [out], facts)


def load(checkpoint):
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    net = NETS[state['kind']].make()
    net.load_state_dict(state['average'])
    return net.plain()


def write(checkpoint, calibration, path, cache, measured=None):
    """`calibration`: what calibrate.py wrote; `cache`: the folder with the samples."""
    net = load(checkpoint)
    with open(calibration) as f:
        c = json.load(f)
    crops = np.load(pool.path(cache, 'crops'), mmap_mode='r')[:SOME]
    facts = {'net': net.spec(), 'statistics': statistics(net, crops),
             'task': 'liveness', 'name': net.name, 'version': VERSION, 'licence': net.licence, 'trained-on': TRAINED_ON + net.began, 'not-for': NOT_FOR,
             'color': 'bgr', 'mean': '0', 'scale': f'{1 / net.spread}', 'crop': 'box', 'crop-scale': f'{SCALE}', 'outside': 'shift', 'classes': CLASSES,
             'output': 'logits', 'temperature': f'{c["temperature"]:.4f}', 'threshold': f'{c["threshold"]:.4f}',
             'threshold-strict': f'{c["strict"]:.4f}', 'threshold-lax': f'{c["lax"]:.4f}', 'threshold-meaning': c['meaning']}
    if measured:
        facts['measured'] = measured
    x = (golden.fill(GOLDEN, net.side, net.side) / net.spread)[None]
    answer = run(to_onnx(net, c['share'], c['temperature']).SerializeToString(), x)['logits'][0]
    facts.update({'golden-input': f'noise {GOLDEN}', 'golden-output': ','.join(f'{v:.6g}' for v in answer)})
    data = to_onnx(net, c['share'], c['temperature'], facts).SerializeToString()
    with torch.no_grad():
        answers = net(torch.from_numpy(x * net.spread))[:2]
        worst = np.abs((c['share'] * answers[0] + (1 - c['share']) * answers[1]).numpy() / c['temperature'] - run(data, x)['logits']).max()
    assert worst < 1e-3, worst
    with open(path, 'wb') as f:
        f.write(data)
    print(f'{path}: {len(data)} bytes, differs from PyTorch by {worst:.1e}')


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('checkpoint')
    p.add_argument('calibration')
    p.add_argument('onnx')
    p.add_argument('--cache', default='/tmp/liveness-cache')
    p.add_argument('--measured', help='what the test sets gave, in a sentence: goes into the file')
    a = p.parse_args()
    write(a.checkpoint, a.calibration, a.onnx, a.cache, a.measured)


if __name__ == '__main__':
    main()
