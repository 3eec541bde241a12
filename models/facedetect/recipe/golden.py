# SPDX-License-Identifier: MIT OR Apache-2.0
"""The library's golden input: one picture that a formula makes, so that a file can carry the answer it should give.

The formula is that of `fill` in src/golden.rs, number for number: the library compares with the answer that stands in
the file, and only the same input gives it.
"""
import numpy as np

SQUARE = 8


def mix(x):
    """lowbias32 over an array of uint32."""
    x = np.asarray(x, np.uint32)
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7feb352d)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846ca68b)
    return x ^ (x >> np.uint32(16))


def fill(number, width, height, channels=3):
    """[channels, height, width] of values 0..255, before mean and scale."""
    y, x = np.mgrid[:height, :width].astype(np.uint32)

    def byte(channel, kind, x, y):
        start = mix(np.uint32(number) ^ mix(np.uint32(channel * 2 + kind)))
        return mix(start ^ (y * np.uint32(width) + x)) >> np.uint32(24)
    with np.errstate(over='ignore'):
        return np.stack([(3 * byte(c, 0, x // SQUARE, y // SQUARE) + byte(c, 1, x, y)) // 4 for c in range(channels)]).astype(np.float32)


if __name__ == '__main__':
    # What src/golden.rs tests.
    a = fill(1, 20, 12).ravel()
    assert a[:4].tolist() == [77, 123, 129, 80] and (a[240], a[719]) == (100, 180), a[:4]
    print('as in src/golden.rs')
