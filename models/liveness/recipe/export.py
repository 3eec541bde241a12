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
from net import SPREAD, Liveness
from pair import SIDE
from samples import SCALE

VERSION = '2'
GOLDEN = 1                     # number of the golden input
SOME = 512                     # samples for the statistics
CLASSES = 'spoof,live'
TRAINED_ON = ('NUAA (research); CelebA-Spoof, 1100 crops and 160 photos (non-commercial research); crops from six webcams (mostly no terms stated); '
              'live faces of Caltech 10k Web Faces (research), ILC face mask photos (no terms stated), Kaggle face mask detection (CC0), Intel (CC-BY-4.0) '
              'and LivePortrait (MIT) sample clips; prints and screens rendered from live faces; weights to begin with, answers and features of MiniFASNetV2 (Apache-2.0)')
NOT_FOR = ('proof that somebody is there: presentation-attack detection is a layer of defence; masks and cut prints, which it has seen few of; faces under '
           '40 pixels; telling who somebody is')


def statistics(net, crops):
    """What norms before each unit's summand would see, as examples/train/src/onnx/write.rs has it: training goes on from it."""
    seen, hooks = [], []
    for _, conv, _ in net.units():
        hooks.append(conv.register_forward_hook(lambda m, _, out: seen.append((out - m.bias[:, None, None]).transpose(0, 1).flatten(1).double())))
    with torch.no_grad():
        net(torch.from_numpy(np.array(crops)).permute(0, 3, 1, 2).float())
    for h in hooks:
        h.remove()
    numbers = [n for out in seen for n in (out.mean(1), out.var(1))]
    return base64.b64encode(torch.cat(numbers).float().numpy().astype('<f4').tobytes()).decode()


def to_onnx(net, share, temperature, facts=None):
    """`share`: weight of the labels' answer; `temperature` divides the logits: both are folded into the last layer."""
    net, g, x, before = net.eval(), Graph(), 'input', None
    for name, conv, relu in net.units():
        before = x if name.endswith('.widen') else before
        w, b = conv.weight.detach().numpy(), conv.bias.detach().numpy()
        x = g.conv(x, w, b, conv.stride[0], relu, conv.groups, 1, conv.padding[0], name)
        # The first block of a part halves the side: nothing is added to it.
        if name.endswith('.narrow') and '.0.' not in name:
            x = g.node('Add', [before, x])
    x = g.node('Flatten', [x], axis=1)
    w, b = (t.numpy() / np.float32(temperature) for t in net.head(share))
    g.node('Gemm', [x, g.weight('logits.weight', w), g.weight('logits.bias', b)], name='logits', transB=1)
    inp = helper.make_tensor_value_info('input', TensorProto.FLOAT, ['batch', 3, SIDE, SIDE])
    out = helper.make_tensor_value_info('logits', TensorProto.FLOAT, ['batch', 2])
    return g.model('liveness', [inp], [out], facts)


def load(checkpoint):
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    net = Liveness()
    net.load_state_dict(state['average'])
    return net.eval()


def write(checkpoint, calibration, path, cache, measured=None):
    """`calibration`: what calibrate.py wrote; `cache`: the folder with the samples."""
    net = load(checkpoint)
    with open(calibration) as f:
        c = json.load(f)
    crops = np.load(pool.path(cache, 'crops'), mmap_mode='r')[:SOME]
    facts = {'net': f'liveness,size={SIDE},width=1,blocks=depthwise,dropout={net.dropout.p}', 'statistics': statistics(net, crops),
             'task': 'liveness', 'name': 'liveness', 'version': VERSION, 'licence': 'Apache-2.0', 'trained-on': TRAINED_ON, 'not-for': NOT_FOR,
             'color': 'bgr', 'mean': '0', 'scale': f'{1 / SPREAD}', 'crop': 'box', 'crop-scale': f'{SCALE}', 'outside': 'shift', 'classes': CLASSES,
             'output': 'logits', 'temperature': f'{c["temperature"]:.4f}', 'threshold': f'{c["threshold"]:.4f}',
             'threshold-strict': f'{c["strict"]:.4f}', 'threshold-lax': f'{c["lax"]:.4f}', 'threshold-meaning': c['meaning']}
    if measured:
        facts['measured'] = measured
    x = (golden.fill(GOLDEN, SIDE, SIDE) / SPREAD)[None]
    answer = run(to_onnx(net, c['share'], c['temperature']).SerializeToString(), x)['logits'][0]
    facts.update({'golden-input': f'noise {GOLDEN}', 'golden-output': ','.join(f'{v:.6g}' for v in answer)})
    data = to_onnx(net, c['share'], c['temperature'], facts).SerializeToString()
    with torch.no_grad():
        answers = net(torch.from_numpy(x * SPREAD))[:2]
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
