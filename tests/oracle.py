# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the reference decoders of the assets say about pictures, as JSON: the yardstick of tests/oracle.rs.

usage: oracle.py REFERENCE_FOLDER MODELS_FOLDER PICTURE...
Prints {"detect": {model: {picture: [[x1, y1, x2, y2, score, points...]]}}, "live": {model: {picture: [box, probability]}}}.
"""
import json
import os
import sys

reference, models, *pictures = sys.argv[1:]
sys.path.insert(0, reference)
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
import decode_common  # noqa: E402

original = Image.Image.resize


def fine(im, size, _resample=None):
    """Pillow's BILINEAR as it is defined, without its rounding to whole levels after each axis. What is compared is the
    definition, not the noise of a resize. That noise alone takes 29 of 837 faces out of the bounds: scores move by up to
    0.032, nearly equal candidates change places (up to 8 px), MiniFASNet moves by up to 0.067."""
    bands = [original(band.convert('F'), size, Image.BILINEAR) for band in im.split()]
    return np.stack([np.asarray(band) for band in bands], -1)


def letterbox(im, w, h, fill=0):
    s = min(w / im.width, h / im.height)
    part = fine(im, (max(1, round(im.width * s)), max(1, round(im.height * s))))
    canvas = np.full((h, w, 3), fill, np.float32)
    canvas[:part.shape[0], :part.shape[1]] = part
    return canvas, s


decode_common.letterbox = letterbox
Image.Image.resize = fine
from decode_antispoof import Mini, MiniEns, Sq128  # noqa: E402
from decode_blazeface import Blaze  # noqa: E402
from decode_retinaface import Retina  # noqa: E402
from decode_scrfd import Scrfd  # noqa: E402
from decode_ultraface import Ultra  # noqa: E402
from decode_yunet import YuNet  # noqa: E402

THRESHOLD = 0.5
model = lambda name: os.path.join(models, name)
detectors = {
    'ultraface_RFB-320.onnx': lambda p: Ultra(p),
    'yunet_n_320_320.onnx': lambda p: YuNet(p),
    'yunet_n_dynamic.onnx': lambda p: YuNet(p, 640),
    'yunet_s_dynamic.onnx': lambda p: YuNet(p, 320),
    'scrfd_500m_bnkps.onnx': lambda p: Scrfd(p),
    'retinaface_mb025_640.onnx': lambda p: Retina(p),
    'blazeface_short_128.onnx': lambda p: Blaze(p),
}
classifiers = {
    'MiniFASNetV2_2.7_80.onnx': lambda p: Mini(p, 2.7),
    'MiniFASNetV1SE_4.0_80.onnx': lambda p: Mini(p, 4.0),
    'MiniFASNetV2_2.7_80.onnx,MiniFASNetV1SE_4.0_80.onnx': lambda p: MiniEns(models),
    'facenox_98.20_128.onnx': lambda p: Sq128(p, 1.5, True),
    'facenox_98.20_128_int8.onnx': lambda p: Sq128(p, 1.5, True),
}

loaded = {p: Image.open(p).convert('RGB') for p in pictures}
out = {'detect': {}, 'live': {}}
for name, make in detectors.items():
    d, rows = make(model(name)), {}
    for path, im in loaded.items():
        if name.startswith('ultraface'):
            # It stretches; on a picture of its own shape that is the same as fitting it in.
            unit = max(-(-im.width // 4), -(-im.height // 3))
            canvas = Image.new('RGB', (4 * unit, 3 * unit))
            canvas.paste(im)
            im = canvas
        boxes, points = d.detect(im, THRESHOLD)
        if name.startswith('blazeface'):
            points = points[:, [0, 1, 2, 3, 3]]  # the middle of its mouth stands for both corners
        rows[path] = [
            [float(v) for v in b] + ([float(v) for v in points[i].ravel()] if points is not None else [])
            for i, b in enumerate(boxes)
        ]
    out['detect'][name] = rows
faces = {p: rows[0][:4] for p, rows in out['detect']['scrfd_500m_bnkps.onnx'].items() if rows}
for name, make in classifiers.items():
    c = make(model(name))
    out['live'][name] = {p: [box, c.live(loaded[p], box)] for p, box in faces.items()}
json.dump(out, sys.stdout)
