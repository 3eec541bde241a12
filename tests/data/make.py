# SPDX-License-Identifier: MIT OR Apache-2.0
"""Makes the tiny models of this folder (pip install onnx numpy). They answer by rules that a test can foresee."""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
CARD = {
    'task': 'liveness', 'name': 'bright', 'color': 'rgb', 'mean': '0', 'scale': str(1 / 255), 'crop': 'box',
    'crop-scale': '1', 'outside': 'replicate', 'classes': 'spoof,live', 'output': 'logits', 'threshold': '0.5',
}


def save(name, nodes, shape_in, shape_out, constants, facts):
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info('input', TensorProto.FLOAT, shape_in)],
        [helper.make_tensor_value_info('output', TensorProto.FLOAT, shape_out)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], producer_name='liveness-tests')
    model.ir_version = 8
    helper.set_model_props(model, {'liveness.' + k: v for k, v in facts.items()})
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(HERE, name + '.onnx'))


def bright(name, batch, facts, times=1.0):
    """Logits (0.5 - mean) * 20 and (mean - 0.5) * 20 of the crop's mean brightness: live where it is bright."""
    save(name, [
        helper.make_node('ReduceMean', ['input'], ['mean'], axes=[1, 2, 3], keepdims=0),
        helper.make_node('Sub', ['mean', 'half'], ['centred']),
        helper.make_node('Unsqueeze', ['centred', 'axis'], ['column']),
        helper.make_node('Mul', ['column', 'gains'], ['output']),
    ], [batch, 3, 16, 16], [batch, 2], {
        'half': np.float32(0.5), 'gains': np.float32([[-20, 20]]) * np.float32(times), 'axis': np.int64([1]),
    }, facts)


def embed(name):
    """A vector of an aligned face: how far the colours of its 64 cells are from its mean. More light only makes it longer."""
    save(name, [
        helper.make_node('AveragePool', ['input'], ['cells'], kernel_shape=[14, 14], strides=[14, 14]),
        helper.make_node('ReduceMean', ['cells'], ['mean'], axes=[1, 2, 3], keepdims=1),
        helper.make_node('Sub', ['cells', 'mean'], ['centred']),
        helper.make_node('Reshape', ['centred', 'shape'], ['output']),
    ], [1, 3, 112, 112], [1, 192], {'shape': np.int64([1, 192])}, {})


# A single shot detector that sees the same two faces in every picture, and one row of background.
rows = [[0, 1, .9, .25, .25, .75, .75], [0, 1, .6, .05, .05, .15, .2], [0, 0, .9, 0, 0, 1, 1]]
save('boxes', [
    helper.make_node('ReduceMean', ['input'], ['mean'], keepdims=1),
    helper.make_node('Mul', ['mean', 'nothing'], ['zero']),
    helper.make_node('Add', ['rows', 'zero'], ['output']),
], [1, 3, 32, 32], [1, 1, 3, 7], {'rows': np.float32([[rows]]), 'nothing': np.float32(0)}, {})
bright('bright', 'batch', CARD)
bright('bright_one', 1, CARD)
bright('bright_silent', 'batch', {})
bright('not_a_number', 'batch', CARD, times=float('nan'))
embed('embed')
