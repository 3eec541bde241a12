# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes a checkpoint as an ONNX file that describes itself.

Written by hand (graph.py) rather than through PyTorch's exporter: the file holds nothing but what the network needs. Outputs are named and shaped as YuNet's, so that whatever decodes YuNet decodes this.
"""
import argparse

import numpy as np
import torch
from onnx import TensorProto, helper

import golden
from graph import Graph, fold, one, run
from measure import Ground, threshold
from net import HEAD, STRIDES, FaceDetect, Shape
from prepare import Pictures

VERSION = '3'
GOLDEN, SIDE = 1, 32           # number and size of the golden input
# What the sets are and on which terms; a checkpoint tells which of them it has seen.
TERMS = dict(
    det_ilc='ILC face mask photos (no terms stated)', det_kaggle853='Kaggle face mask detection, 853 photos (CC0)',
    det_caltech='Caltech 10k Web Faces (research)', det_dlib='dlib examples (BSL-1.0)', unl_groups='group photos (no terms stated)',
    fas_nuaa='NUAA (research)', fas_celebaspoof_full='CelebA-Spoof, 160 photos (non-commercial research)',
    fas_celebaspoof_crop='CelebA-Spoof, 1100 crops (non-commercial research)', fas_webcams='crops from six webcams (mostly no terms stated)',
    neg_imagenet='without faces: ImageNet samples (research)', neg_bsds='without faces: BSDS (non-commercial)',
    neg_clothing='without faces: clothing dataset (CC0)')
TEACHER = 'begun from the weights of YuNet-n (MIT, Shiqi Yu and others; learned from WIDER FACE), boxes and points partly from it'
NOT_FOR = ('faces under 20 pixels in the input, counting people, animals and drawings, landmarks finer than alignment needs, telling who '
           'somebody is, how old, of which sex or mood')


def build(net):
    """The graph of a network."""
    g = Graph()
    half = lambda t: g.node('MaxPool', [t], kernel_shape=[2, 2], strides=[2, 2])
    x = unit(g, net.stem[1], one(g, net.stem[0], 'input'))
    x = chain(g, net.early, half(x))
    features = []
    for stage in net.stages:
        x = chain(g, stage, half(x))
        features.append(x)
    twice = g.weight('upsample', np.array([1, 1, 2, 2], np.float32))
    no_roi = g.weight('no_roi', np.zeros(0, np.float32))
    down, maps = None, {}
    for i in (2, 1, 0):
        f = features[i]
        if down:
            up = g.node('Resize', [down, no_roi, twice], mode='nearest', coordinate_transformation_mode='asymmetric', nearest_mode='floor')
            f = g.node('Add', [f, up])
        down = unit(g, net.lateral[i], f)
        maps[STRIDES[i]] = unit(g, net.head[i], unit(g, net.ready[i], down))
    outputs = {}
    for s, f in maps.items():
        f = g.node('Transpose', [f], perm=[0, 2, 3, 1])
        f = g.node('Reshape', [f, g.weight(f'rows_{s}', np.array([0, -1, HEAD], np.int64))])
        names = [f'score_{s}', f'bbox_{s}', f'kps_{s}']
        g.nodes.append(helper.make_node('Split', [f, g.weight(f'parts_{s}', np.array([2, 4, 10], np.int64))], names, axis=2, name=f'Split_{s}'))
        p = g.node('Sigmoid', [names[0]])
        g.nodes.append(helper.make_node('Split', [p, g.weight(f'halves_{s}', np.array([1, 1], np.int64))], [f'cls_{s}', f'obj_{s}'], axis=2, name=f'Halves_{s}'))
        outputs.update({f'cls_{s}': 1, f'obj_{s}': 1, f'bbox_{s}': 4, f'kps_{s}': 10})
    return g, outputs


def chain(g, units, x):
    for u in units:
        x = unit(g, u, x)
    return x


def unit(g, u, x):
    x = g.conv(x, u.mix.weight.detach().numpy(), u.mix.bias.detach().numpy(), relu=False)
    if u.plain:
        return g.conv(x, u.each.weight.detach().numpy(), u.each.bias.detach().numpy(), relu=False, groups=HEAD)
    return one(g, (u.each, u.norm), x)


def to_onnx(net, facts=None):
    """A model that onnx.checker accepts, for any height and width that are multiples of 32."""
    net = net.eval()
    g, widths = build(net)
    order = ['bbox_8'] + [f'{k}_{s}' for k in ('cls', 'obj', 'bbox', 'kps') for s in STRIDES if (k, s) != ('bbox', 8)]
    inp = helper.make_tensor_value_info('input', TensorProto.FLOAT, ['batch', 3, 'height', 'width'])
    outs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ['batch', f'cells_{n.split("_")[1]}', widths[n]]) for n in order]
    return g.model('facedetect', [inp], outs, facts)


def check(net, data):
    """ONNX Runtime against PyTorch, on a picture that is not square."""
    x = torch.from_numpy(golden.fill(2, 160, 96))[None]
    with torch.no_grad():
        maps = net(x)[0].numpy()
    got, at, worst = run(data, x.numpy()), 0, 0.
    for s in STRIDES:
        n = (160 // s) * (96 // s)
        part = maps[:, at:at + n]
        at += n
        p = 1 / (1 + np.exp(-part[..., :1]))
        score = np.sqrt(got[f'cls_{s}'] * got[f'obj_{s}'])
        for found, wanted in ((score, p), (got[f'bbox_{s}'], part[..., 1:5]), (got[f'kps_{s}'], part[..., 5:])):
            worst = max(worst, float(np.abs(found - wanted).max()))
    assert worst < 1e-3, f'ONNX Runtime differs from PyTorch by {worst}'
    return worst


def write(checkpoint, path, cache, recommended=None, measured=None):
    """Reads a checkpoint, finds its threshold on the validation part, writes and checks the file."""
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    net = FaceDetect(Shape(**state['shape'])).eval()
    net.load_state_dict(state['average'])
    numbers = {}
    if recommended is None:
        numbers, verdicts = Ground(Pictures(cache)).numbers(net)
        recommended = threshold(verdicts)
    facts = {'task': 'face-detection', 'name': 'facedetect', 'color': 'bgr', 'mean': '0', 'scale': '1', 'threshold': f'{recommended:.2f}',
             'licence': 'MIT', 'version': VERSION, 'trained-on': '; '.join([*(TERMS[s] for s in state['sets']), TEACHER]), 'not-for': NOT_FOR}
    if measured:
        facts['measured'] = measured
    x = golden.fill(GOLDEN, SIDE, SIDE)[None]
    first = run(to_onnx(net).SerializeToString(), x)['bbox_8'].ravel()
    facts.update({'golden-input': f'noise {GOLDEN}', 'golden-size': f'{SIDE}x{SIDE}', 'golden-output': ','.join(f'{v:.6g}' for v in first)})
    data = to_onnx(net, facts).SerializeToString()
    worst = check(net, data)
    wanted = np.array([float(v) for v in facts['golden-output'].split(',')])
    assert np.abs(run(data, x)['bbox_8'].ravel() - wanted).max() < 1e-4
    with open(path, 'wb') as f:
        f.write(data)
    print(f'{path}: {len(data)} bytes, threshold {recommended:.2f}, differs from PyTorch by {worst:.1e}')
    return numbers


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('checkpoint')
    p.add_argument('onnx')
    p.add_argument('--cache', default='/tmp/facedetect-cache')
    p.add_argument('--threshold', type=float, help='recommended threshold (default: found on the validation part)')
    p.add_argument('--measured', help='what the test part gave, in a sentence: goes into the file')
    a = p.parse_args()
    for k, v in write(a.checkpoint, a.onnx, a.cache, a.threshold, a.measured).items():
        print(f'{k} {v:.4f}')


if __name__ == '__main__':
    main()
