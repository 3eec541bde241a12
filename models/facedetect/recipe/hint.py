# SPDX-License-Identifier: MIT OR Apache-2.0
"""What YuNet-n (MIT) sees in a sample, cell by cell: its answers, and what stands before them.

A box tells a student where a face is, in a few cells. The teacher's maps tell it in every cell what the teacher made of it.
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
        self.wanted = [f'{k}_{s}' for k in ('cls', 'obj', 'kps') for s in STRIDES] + names

    def look(self, pictures):
        """[B, h, w, 3] -> answers [B, N, 11] (score, points as raw numbers of the cells), features [B, N, 64]; cells as in `FaceDetect.forward`."""
        out = self.session.run(self.wanted, {'input': pictures.astype(np.float32).transpose(0, 3, 1, 2)})
        cls, obj, kps, maps = (out[i:i + 3] for i in (0, 3, 6, 9))
        score = [np.sqrt(np.clip(c, 0, 1) * np.clip(o, 0, 1)) for c, o in zip(cls, obj)]
        answers = np.concatenate([np.concatenate(p, 2) for p in zip(score, kps)], 1)
        features = np.concatenate([m.reshape(*m.shape[:2], -1).transpose(0, 2, 1) for m in maps], 1)
        return torch.from_numpy(answers.astype(np.float16)), torch.from_numpy(features.astype(np.float16))


class Hands(nn.Module):
    """From the student's numbers before its heads to the teacher's, level by level; left behind on export."""

    def __init__(self, shape):
        super().__init__()
        self.hand = nn.ModuleList([nn.Conv2d(w, WIDTH, 1) for _, w in shape.smooth])
        # Spread of the teacher's numbers, by level and channel; learned on the first batches.
        self.register_buffer('mean', torch.zeros(3, WIDTH))
        self.register_buffer('spread', torch.ones(3, WIDTH))
        self.register_buffer('seen', torch.zeros(()))

    def loss(self, maps, features, answers):
        """How far [B, w, h, h'] of each level are from the teacher's features [B, N, 64]; and the share of their variance that is known."""
        total, known, at = 0., [], 0
        for i, (hand, m) in enumerate(zip(self.hand, maps)):
            n = m.shape[2] * m.shape[3]
            t, score = features[:, at:at + n].float(), answers[:, at:at + n, 0].float()
            at += n
            if self.seen < 50:
                k = 1 / (self.seen + 1)
                self.mean[i].lerp_(t.mean((0, 1)), float(k))
                self.spread[i].lerp_(t.std((0, 1)) + 1e-2, float(k))
            t = ((t - self.mean[i]) / self.spread[i]).clamp(-6, 6)
            g = hand(m).float().flatten(2).transpose(1, 2)
            weight = GROUND + (FACE - GROUND) * (score / .3).clamp(max=1.)
            # As much in faces as in all the rest.
            weight = weight / weight.mean()
            total = total + (F.smooth_l1_loss(g, t, reduction='none').mean(2) * weight).mean() / 3
            known.append(1 - ((g - t).square().mean() / t.square().mean()).item())
        if self.seen < 50:
            self.seen += 1
        return total, known
