# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes a checkpoint as an ONNX file that describes itself, with what calibrate.py found."""
import argparse
import base64
import json

import numpy as np
import torch
from onnx import TensorProto, helper

import golden
from graph import Graph, fold, run
from net import MEAN, SIDE, SPREAD, Liveness, Shape
from samples import SCALE

VERSION = '1'
GOLDEN = 1                     # number of the golden input
CLASSES = 'spoof,live'
TRAINED_ON = ('NUAA (research); CelebA-Spoof, 1100 crops and 160 photos (non-commercial research); crops from six webcams (mostly no terms stated); '
              'live faces of Caltech 10k Web Faces (research), ILC face mask photos (no terms stated), Kaggle face mask detection (CC0), Intel (CC-BY-4.0) '
              'and LivePortrait (MIT) sample clips; prints and screens rendered from live faces; answers and features of the MiniFASNet pair (Apache-2.0)')
NOT_FOR = ('proof that somebody is there: presentation-attack detection is a layer of defence; masks and cut prints, which it has seen few of; faces under '
           '40 pixels; telling who somebody is')


def merged(net):
    """The layers that are left: (name in liveness-train, weights and bias, stride, padding, groups, ReLU, batch norm), in the order of execution.

    What a hand gives and the next layer takes is one matrix."""
    hand = None
    layers = []

    def add(name, m, relu=True):
        w, b = (torch.from_numpy(t).double() for t in fold(m))
        if hand is not None:
            w = torch.einsum('omhw,mi->oihw', w, hand)
        layers.append((name, w.float().numpy(), b.float().numpy(), m[0].stride[0], m[0].padding[0], m[0].groups, relu, m[1]))

    for i, stage in enumerate(net.stages, 1):
        add(f'down{i}', stage[0])
        hand = None
        for k, block in enumerate(stage[1:], 1):
            add(f'block{i}.{k}.a', block.a)
            add(f'block{i}.{k}.b', block.b, relu=False)
        if i > 1:
            hand = net.hands[list(net.hands)[i - 2]].weight.detach().double()[:, :, 0, 0]
    add('mix', net.mix)
    hand = None
    add('global', net.places)
    return layers


def statistics(net):
    """What the folded norms would see, as examples/train/src/onnx/write.rs has it: training goes on from it."""
    numbers = []
    for *_, bn in merged(net):
        gain, mean, variance = (t.detach().double() for t in (bn.weight, bn.running_mean, bn.running_var))
        numbers += [mean * gain / torch.sqrt(variance + bn.eps), gain ** 2 * variance / (variance + bn.eps)]
    return base64.b64encode(torch.cat(numbers).float().numpy().astype('<f4').tobytes()).decode()


def to_onnx(net, temperature, facts=None):
    """`temperature` divides the logits: it is folded into the last layer."""
    net, g, x, before = net.eval(), Graph(), 'input', None
    for name, w, b, stride, pad, groups, relu, _ in merged(net):
        before = x if name.endswith('.a') else before
        x = g.conv(x, w, b, stride, relu, groups, 1, pad, name)
        if name.endswith('.b'):
            x = g.node('Relu', [g.node('Add', [before, x])])
    x = g.node('Flatten', [x], axis=1)
    w, b = (t.numpy() / np.float32(temperature) for t in net.head())
    g.node('Gemm', [x, g.weight('logits.weight', w), g.weight('logits.bias', b)], name='logits', transB=1)
    inp = helper.make_tensor_value_info('input', TensorProto.FLOAT, ['batch', 3, SIDE, SIDE])
    out = helper.make_tensor_value_info('logits', TensorProto.FLOAT, ['batch', 2])
    return g.model('liveness', [inp], [out], facts)


def load(checkpoint):
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    net = Liveness(Shape(**state['shape']))
    net.load_state_dict(state['average'])
    return net.eval()


def write(checkpoint, calibration, path, measured=None):
    """`calibration`: what calibrate.py wrote."""
    net = load(checkpoint)
    with open(calibration) as f:
        c = json.load(f)
    facts = {'net': f'liveness,size={SIDE},width=1,blocks=dense,dropout={net.dropout.p}', 'statistics': statistics(net), 'task': 'liveness', 'name': 'liveness', 'version': VERSION, 'licence': 'MIT OR Apache-2.0', 'trained-on': TRAINED_ON, 'not-for': NOT_FOR,
             'color': 'bgr', 'mean': f'{MEAN}', 'scale': f'{1 / SPREAD}', 'crop': 'box', 'crop-scale': f'{SCALE}', 'outside': 'shift', 'classes': CLASSES,
             'output': 'logits', 'temperature': f'{c["temperature"]:.4f}', 'threshold': f'{c["threshold"]:.4f}',
             'threshold-strict': f'{c["strict"]:.4f}', 'threshold-lax': f'{c["lax"]:.4f}', 'threshold-meaning': c['meaning']}
    if measured:
        facts['measured'] = measured
    x = ((golden.fill(GOLDEN, SIDE, SIDE) - MEAN) / SPREAD)[None]
    answer = run(to_onnx(net, c['temperature']).SerializeToString(), x)['logits'][0]
    facts.update({'golden-input': f'noise {GOLDEN}', 'golden-output': ','.join(f'{v:.6g}' for v in answer)})
    data = to_onnx(net, c['temperature'], facts).SerializeToString()
    with torch.no_grad():
        answers = net(torch.from_numpy(x * SPREAD + MEAN))[:2]
        worst = np.abs(sum(answers).numpy() / 2 / c['temperature'] - run(data, x)['logits']).max()
    assert worst < 1e-3, worst
    with open(path, 'wb') as f:
        f.write(data)
    print(f'{path}: {len(data)} bytes, differs from PyTorch by {worst:.1e}')


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('checkpoint')
    p.add_argument('calibration')
    p.add_argument('onnx')
    p.add_argument('--measured', help='what the test sets gave, in a sentence: goes into the file')
    a = p.parse_args()
    write(a.checkpoint, a.calibration, a.onnx, a.measured)


if __name__ == '__main__':
    main()
