// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a model takes on this machine.

use liveness::detect;
use liveness::error::Result;
use liveness::face::Face;
use liveness::geometry::Rect;
use liveness::image::{Layout, Plane, View};
use liveness::liveness as judging;
use liveness::runtime::Options;
use liveness_app::timing::{WARM_UP, quantile};
use serde::Serialize;

use crate::open::Model;

/// Width and height of the frame that is looked at: a webcam's.
pub(crate) const FRAME: (usize, usize) = (640, 480);

/// The face in it that is judged: somebody at a desk.
const FACE: Rect = Rect {
    x: 240.0,
    y: 120.0,
    w: 160.0,
    h: 200.0,
};

/// Times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Latency {
    /// Width and height of the frame.
    frame: (usize, usize),
    threads: usize,
    pub(crate) rounds: usize,
    /// Median of the time in ONNX Runtime.
    #[serde(rename = "inference_ms")]
    pub(crate) inference: f64,
    /// Nine of ten took no longer there.
    #[serde(rename = "inference90_ms")]
    pub(crate) inference90: f64,
    /// Median from the frame to faces or verdicts.
    #[serde(rename = "whole_ms")]
    pub(crate) whole: f64,
}

impl Latency {
    /// Looks so many times; none where nobody wants to know.
    ///
    /// # Errors
    /// Where the model fails.
    pub(crate) fn measure(model: &mut Model, rounds: usize) -> Result<Option<Self>> {
        if rounds == 0 {
            return Ok(None);
        }
        // Any picture will do: a net computes the same whatever it sees.
        let (width, height) = FRAME;
        let rgb: Vec<u8> = (0..width * height * 3).map(|i| (i % 251) as u8).collect();
        let layout = Layout::rgb8(width, height);
        let plane = Plane {
            data: &rgb,
            stride: 3 * width,
        };
        let frame = View::new(&layout, &[plane])?;
        let (mut inference, mut whole) = (Vec::new(), Vec::new());
        for round in 0..WARM_UP + rounds {
            let time = match model {
                Model::Detector(detector) => {
                    detector
                        .detect(&frame, 1.0, &detect::Settings::default())?
                        .1
                }
                Model::Liveness(classifier) => {
                    let mut faces = [Face {
                        rect: FACE,
                        ..Face::default()
                    }];
                    classifier.classify(&frame, &mut faces, &judging::Settings::default())?
                }
            };
            if round >= WARM_UP {
                inference.push(time.inference);
                whole.push(time.preprocess + time.inference + time.decode);
            }
        }
        Ok(Some(Self {
            frame: FRAME,
            threads: Options::default().threads,
            rounds,
            inference: quantile(&mut inference, 0.5),
            inference90: quantile(&mut inference, 0.9),
            whole: quantile(&mut whole, 0.5),
        }))
    }
}
