# SPDX-License-Identifier: MIT OR Apache-2.0
"""The MiniFASNet pair (Apache-2.0): what it says of a face, and what the first of the two sees in it.

A probability tells a student little. What stands in the net behind it tells much, and most where each part of the student learns its own part of the teacher
(LOG.md).
"""
import os

import cv2
import numpy as np
import onnx
import onnxruntime as ort

FILES = (('MiniFASNetV2_2.7_80.onnx', 2.7), ('MiniFASNetV1SE_4.0_80.onnx', 4.))
SIDE, LIVE = 80, 1
# What the first one holds where a stage of it ends: maps of 20x20, of 10x10 and of 5x5 places, and the last layer but one.
FEATURES = dict(early=(64, 20, 20), fine=(128, 10, 10), coarse=(128, 5, 5), last=(128,))


def crop(picture, box, scale, size):
    """The part of a picture that is `scale` times a box (x1, y1, x2, y2), moved inside where it leaves the picture and smaller
    where it does not fit, as MiniFASNet's own code cuts it and the library's `outside = shift` does."""
    x1, y1, x2, y2 = box
    height, width = picture.shape[:2]
    w, h = x2 - x1, y2 - y1
    scale = min((height - 1) / h, (width - 1) / w, scale)
    w, h = w * scale, h * scale
    left = min(max((x1 + x2 - w) / 2, 0), width - 1 - w)
    top = min(max((y1 + y2 - h) / 2, 0), height - 1 - h)
    part = picture[int(max(top, 0)):int(top + h) + 1, int(max(left, 0)):int(left + w) + 1]
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if part.shape[0] > size else cv2.INTER_LINEAR)


def planes(picture):
    """[1, 3, h, w] of a BGR picture, 0..255 as the pair wants it."""
    return picture.astype(np.float32).transpose(2, 0, 1)[None]


def said(folder, last):
    """Log-odds of live [n] that the first one gives where its last layer but one holds `last` [n, 128]."""
    model = onnx.load(os.path.join(folder, FILES[0][0]))
    name = [n for n in model.graph.node if n.op_type in ('Gemm', 'MatMul')][-1].input[1]
    matrix = next(onnx.numpy_helper.to_array(w) for w in model.graph.initializer if w.name == name)
    logits = np.asarray(last, np.float32) @ matrix
    return logits[:, LIVE] - np.logaddexp.reduce(np.delete(logits, LIVE, 1), 1)


class Pair:
    def __init__(self, folder, threads=1):
        self.sessions = []
        for name, scale in FILES:
            model = onnx.load(os.path.join(folder, name))
            if not self.sessions:
                self.expose(model)
            options = ort.SessionOptions()
            options.intra_op_num_threads = threads
            options.log_severity_level = 3
            self.sessions.append((ort.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider']), scale))

    @staticmethod
    def expose(model):
        """Adds FEATURES to the outputs: the last sums of their shape, and what goes into the last product."""
        shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)[1:] for v in onnx.shape_inference.infer_shapes(model).graph.value_info}
        sums = [n.output[0] for n in model.graph.node if n.op_type == 'Add']
        names = [[s for s in sums if shapes.get(s) == FEATURES[f]][-1] for f in ('early', 'fine', 'coarse')]
        names.append([n for n in model.graph.node if n.op_type in ('Gemm', 'MatMul')][-1].input[0])
        model.graph.output.extend(onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in names)

    def opinion(self, picture, box):
        """Probability of live of a face in a BGR picture."""
        live = 0.
        for session, scale in self.sessions:
            logits = session.run([session.get_outputs()[0].name], {session.get_inputs()[0].name: planes(crop(picture, box, scale, SIDE))})[0][0]
            e = np.exp(logits - logits.max())
            live += e[LIVE] / e.sum() / len(self.sessions)
        return live

    def features(self, part):
        """FEATURES of a crop [80, 80, 3] as the first of the pair cuts it."""
        session = self.sessions[0][0]
        return [f[0] for f in session.run(None, {session.get_inputs()[0].name: planes(part)})[1:]]
