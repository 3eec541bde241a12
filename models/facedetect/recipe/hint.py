# SPDX-License-Identifier: MIT OR Apache-2.0
"""What YuNet-n (MIT) sees in a sample, cell by cell: the numbers before its heads, which ours began as.

A box tells where a face is, in a few cells; a few thousand photos tell that of a few thousand faces. The teacher's numbers tell in
every cell what it made of it. They hold the network to what it knew while it finds its way with fewer channels, and let
go of it while the labels teach it better: the weight falls to nothing over the run.
"""
import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import nn
from torch.nn import functional as F

from net import STRIDES

WIDTH = 64                     # channels before the teacher's heads
FACE, GROUND = 1., .15         # weight of what it sees in a face, and elsewhere


def before(model, name, steps):
    """The tensor that an output is made of, so many operations back."""
    by = {o: n for n in model.graph.node for o in n.output}
    for _ in range(steps):
        name = by[name].input[0]
    return name


class Eyes:
    """The teacher, looking at whole batches."""

    def __init__(self, path, threads=1):
        model = onnx.load(path)
        # cls <- Sigmoid <- Reshape <- Transpose <- depthwise <- 1x1 <- features
        names = [before(model, f'cls_{s}', 5) for s in STRIDES]
        model.graph.output.extend(onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in names)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = ort.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])
        self.wanted = [f'{k}_{s}' for k in ('cls', 'obj') for s in STRIDES] + names

    def look(self, pictures):
        """[B, h, w, 3] -> for each stride the score [B, h', w'] and the features [B, 64, h', w'], in half precision."""
        out = self.session.run(self.wanted, {'input': pictures.astype(np.float32).transpose(0, 3, 1, 2)})
        cls, obj, maps = (out[i:i + 3] for i in (0, 3, 6))
        half = lambda a: torch.from_numpy(a.astype(np.float16))
        return [(half(np.sqrt(np.clip(c * o, 0, 1)).reshape(len(m), *m.shape[2:])), half(m)) for c, o, m in zip(cls, obj, maps)]


class Hint(nn.Module):
    """How far the maps before our heads are from the teacher's."""

    def __init__(self):
        super().__init__()
        # Spread of the teacher's numbers, by level and channel; learned on the first batches.
        self.register_buffer('spread', torch.ones(3, WIDTH))
        self.register_buffer('seen', torch.zeros(()))

    def forward(self, ready, taught):
        """The loss, and for each level the share of the teacher's variance that is known."""
        total, known = 0., []
        for i, (ours, (score, theirs)) in enumerate(zip(ready, taught)):
            ours, theirs, score = ours.float(), theirs.to(ours.device).float(), score.to(ours.device).float()
            if self.seen < 50:
                self.spread[i].lerp_(theirs.std((0, 2, 3)) + 1e-2, float(1 / (self.seen + 1)))
            scale = self.spread[i][:, None, None].clone()
            weight = GROUND + (FACE - GROUND) * (score / .3).clamp(max=1.)
            # As much in faces as in all the rest.
            weight = weight / weight.mean()
            off = F.smooth_l1_loss(ours / scale, theirs / scale, reduction='none').mean(1)
            total = total + (off * weight).mean() / 3
            with torch.no_grad():
                known.append(1 - (((ours - theirs) / scale).square().mean() / ((theirs - theirs.mean((0, 2, 3), True)) / scale).square().mean()).item())
        if self.seen < 50:
            self.seen += 1
        return total, known
