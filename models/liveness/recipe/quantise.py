# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes a liveness model with 8-bit integers beside the one with 32-bit floats (QDQ: ONNX Runtime turns it into integer kernels where it has some).

The first two layers stay floats: the first has three channels, for which the integer kernel is slower, and what they lose is lost for all others.
"""
import argparse
import os
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

import pool

SAMPLES, BATCH = 512, 16       # that tell the ranges of activations
COMPARED = 4000                # others, on which as many shall pass as with floats
FLOATS = 2                     # layers at the beginning


def batches(cache, scale, first, last):
    crops = np.load(pool.path(cache, 'crops'), mmap_mode='r')
    return (np.array(crops[k:k + BATCH]).transpose(0, 3, 1, 2).astype(np.float32) * scale for k in range(first, last, BATCH))


class Samples(CalibrationDataReader):
    def __init__(self, cache, scale):
        self.batches = batches(cache, scale, 0, SAMPLES)

    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {'input': batch}


def probabilities(data, cache, scale):
    session = ort.InferenceSession(data, providers=['CPUExecutionProvider'])
    logits = np.concatenate([session.run(None, {'input': x})[0] for x in batches(cache, scale, SAMPLES, SAMPLES + COMPARED)])
    return 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('model')
    p.add_argument('onnx')
    p.add_argument('--cache', default='/tmp/liveness-cache', help='folder with the samples')
    p.add_argument('--measured', help='what the test sets gave, in a sentence: goes into the file')
    a = p.parse_args()
    model = onnx.load(a.model)
    facts = {f.key: f.value for f in model.metadata_props}
    floats = [n.name for n in model.graph.node if n.op_type == 'Conv'][:FLOATS]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'int8.onnx')
        # Weights of 7 bits: processors without VNNI add two products in 16 bits, which would overflow.
        quantize_static(a.model, path, Samples(a.cache, float(facts['liveness.scale'])), quant_format=QuantFormat.QDQ, op_types_to_quantize=['Conv', 'Add'],
                        per_channel=True, reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=floats)
        small = onnx.load(path)
    scale = float(facts['liveness.scale'])
    before, after = (np.sort(probabilities(m.SerializeToString(), a.cache, scale)) for m in (model, small))
    for name in ('threshold', 'threshold-strict', 'threshold-lax'):
        # As many pass as did.
        below = np.searchsorted(before, float(facts['liveness.' + name]))
        facts['liveness.' + name] = f'{after[min(below, len(after) - 1)]:.4f}'
    del small.metadata_props[:]
    facts['liveness.name'] += '-int8'
    # Nothing goes on learning from it, and its last digits depend on the processor.
    for gone in ('net', 'statistics', 'golden-input', 'golden-output', 'measured'):
        facts.pop('liveness.' + gone, None)
    if a.measured:
        facts['liveness.measured'] = a.measured
    for key, value in facts.items():
        small.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(small, full_check=True)
    onnx.save(small, a.onnx)
    print(f'{a.onnx}: {os.path.getsize(a.onnx)} bytes')


if __name__ == '__main__':
    main()
