# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a Python program with OpenCV takes for the same film, one thread, no decoding counted.

    opencv.py CLIP WIDTH HEIGHT yunet DETECTOR.onnx
    opencv.py CLIP WIDTH HEIGHT yunet+liveness DETECTOR.onnx LIVENESS.onnx
    opencv.py CLIP WIDTH HEIGHT ssd

It reads the film, says `ready`, and then for each number on standard input looks at as many frames and answers with the seconds of CPU that it took. `ssd` has the
layers of OpenCV's res10_300x300_ssd (samples/dnn/face_detector/deploy.prototxt) with made-up weights, as time does not depend on these; batch
normalisation is taken as folded into the convolutions, and its six heads give no boxes.
"""

import sys
import time

import cv2
import numpy as np

# The frames of the film that go round.
FRAMES = 50


def film(clip, size):
    """The first frames of the clip."""
    source = cv2.VideoCapture(clip)
    frames = []
    while len(frames) < FRAMES:
        there, frame = source.read()
        if not there:
            break
        frames.append(cv2.resize(frame, size))
    if not frames:
        sys.exit(f"{clip}: no frames")
    return frames


def yunet(path, size):
    """OpenCV's face detector on the frame scaled to 320 pixels, as its own sample does it."""
    small = (320, 320 * size[1] // size[0])
    detector = cv2.FaceDetectorYN.create(path, "", small, 0.6, 0.3)
    scale = size[0] / small[0]

    def look(frame):
        _, faces = detector.detect(cv2.resize(frame, small))
        return [] if faces is None else faces[:, :4] * scale

    return look


def liveness(path):
    """MiniFASNet on a face: the crop of its authors, then the net."""
    net = cv2.dnn.readNetFromONNX(path)

    def judge(frame, box):
        x, y, w, h = box
        side = 2.7 * max(w, h)
        left, top = int(max(x + w / 2 - side / 2, 0)), int(max(y + h / 2 - side / 2, 0))
        crop = frame[top : top + int(side), left : left + int(side)]
        net.setInput(cv2.dnn.blobFromImage(crop, 1.0, (80, 80)))
        return net.forward()

    return judge


def ssd():
    """The layers of the widely used SSD face detector, on 300x300 pixels."""
    import onnx
    from onnx import helper, numpy_helper

    random = np.random.default_rng(1)
    nodes, weights = [], []

    def conv(at, name, inputs, outputs, kernel, stride=1, dilation=1, relu=True):
        shape = (outputs, inputs, kernel, kernel)
        w = random.normal(0, (2 / (inputs * kernel * kernel)) ** 0.5, shape).astype(np.float32)
        weights.append(numpy_helper.from_array(w, name + "_w"))
        weights.append(numpy_helper.from_array(np.zeros(outputs, np.float32), name + "_b"))
        pad = dilation * (kernel - 1) // 2
        nodes.append(
            helper.make_node(
                "Conv", [at, name + "_w", name + "_b"], [name], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, dilations=[dilation] * 2
            )
        )
        if not relu:
            return name
        nodes.append(helper.make_node("Relu", [name], [name + "_r"]))
        return name + "_r"

    def add(a, b, name, relu=True):
        nodes.append(helper.make_node("Add", [a, b], [name]))
        if not relu:
            return name
        nodes.append(helper.make_node("Relu", [name], [name + "_r"]))
        return name + "_r"

    at = conv("data", "conv1", 3, 32, 7, 2)
    nodes.append(helper.make_node("MaxPool", [at], ["pool"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
    a = conv("pool", "l64_1", 32, 32, 3)
    at = add(conv(a, "l64_2", 32, 32, 3, relu=False), "pool", "l64")
    a = conv(at, "l128_1", 32, 128, 3, 2)
    at = add(conv(a, "l128_2", 128, 128, 3, relu=False), conv(at, "l128_x", 32, 128, 1, 2, relu=False), "l128")
    taps = [(at, 128, 4, 38)]
    a = conv(at, "l256_1", 128, 256, 3, 2)
    at = add(conv(a, "l256_2", 256, 256, 3, relu=False), conv(at, "l256_x", 128, 256, 1, 2, relu=False), "l256")
    a = conv(at, "l512_1", 256, 128, 3)
    at = add(conv(a, "l512_2", 128, 256, 3, dilation=2, relu=False), conv(at, "l512_x", 256, 256, 1, relu=False), "l512")
    taps.append((at, 256, 6, 19))
    # Channels in, between and out, stride, boxes of a cell, cells of a side.
    rest = [(256, 128, 256, 2, 6, 10), (256, 64, 128, 2, 6, 5), (128, 64, 128, 1, 4, 5), (128, 64, 128, 1, 4, 5)]
    for number, (inputs, middle, outputs, stride, boxes, side) in enumerate(rest, 6):
        at = conv(conv(at, f"c{number}_1", inputs, middle, 1), f"c{number}_2", middle, outputs, 3, stride)
        taps.append((at, outputs, boxes, side))
    outputs = {}
    for number, (tap, channels, boxes, side) in enumerate(taps):
        for name, numbers in ((f"loc{number}", 4 * boxes), (f"conf{number}", 2 * boxes)):
            outputs[conv(tap, name, channels, numbers, 3, relu=False)] = [1, numbers, side, side]

    def value(name, shape):
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    graph = helper.make_graph(nodes, "ssd", [value("data", [1, 3, 300, 300])], [value(*output) for output in outputs.items()], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))

    def look(frame):
        net.setInput(cv2.dnn.blobFromImage(cv2.resize(frame, (300, 300)), 1.0, (300, 300), (104.0, 177.0, 123.0)))
        net.forward(list(outputs))
        return []

    return look


def main():
    clip, width, height, what, *models = sys.argv[1:]
    size = (int(width), int(height))
    cv2.setNumThreads(1)
    frames = film(clip, size)
    look = ssd() if what == "ssd" else yunet(models[0], size)
    judge = liveness(models[1]) if what == "yunet+liveness" else None
    print("ready", cv2.__version__, flush=True)
    at = 0
    for line in sys.stdin:
        start = time.process_time()
        for _ in range(int(line)):
            frame = frames[at % len(frames)]
            at += 1
            for box in look(frame):
                if judge:
                    judge(frame, box)
        print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    main()
