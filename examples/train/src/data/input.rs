// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the model that is trained looks at: which part of a frame, at which size, as which numbers.

use liveness::crop::Crop;
use liveness::resize::{Channels, TensorFormat};

/// The model's input, in the words of its card. Training and inference share every part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSpec {
    /// From a face's box to the part of the frame.
    pub crop: Crop,
    /// Size, order and values of the numbers; planar (CHW).
    pub format: TensorFormat,
}

impl InputSpec {
    /// An input of `width` x `height` pixels whose values are `(v - mean) * scale` with v in 0..=255, as planes of
    /// channels x height x width.
    pub fn new(
        crop: Crop,
        (width, height): (usize, usize),
        channels: Channels,
        mean: [f32; 3],
        scale: [f32; 3],
    ) -> Self {
        Self {
            crop,
            format: TensorFormat {
                width: width.max(1),
                height: height.max(1),
                planar: true,
                channels,
                mean,
                scale,
            },
        }
    }

    /// Numbers in one input: channels x height x width.
    pub fn len(&self) -> usize {
        self.format.len()
    }

    /// Never: an input has at least one pixel.
    pub fn is_empty(&self) -> bool {
        self.format.is_empty()
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.format.width, self.format.height)
    }
}
