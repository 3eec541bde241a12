// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a look takes: the models take turns, so that whatever else the machine does slows all of them alike.

use liveness_app::timing::{WARM_UP, quantile};
use serde::Serialize;

use crate::model::Contender;

/// Side of the picture that all are timed with.
const SIDE: usize = 640;

/// How long a model takes for a square picture, one thread. Milliseconds; medians.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Speed {
    /// Width and height of the input.
    pub(crate) input: (usize, usize),
    /// In ONNX Runtime.
    pub(crate) inference: f64,
    /// Of these, nine of ten took no longer.
    pub(crate) inference90: f64,
    /// From the decoded picture to faces.
    pub(crate) whole: f64,
}

/// Times all models, in their order; empty where nobody wants to know.
pub(crate) fn measure(models: &mut [Contender], rounds: usize) -> anyhow::Result<Vec<Speed>> {
    if rounds == 0 {
        return Ok(vec![]);
    }
    // Any picture will do: a net computes the same whatever it sees.
    let rgb: Vec<u8> = (0..SIDE * SIDE * 3).map(|i| (i % 251) as u8).collect();
    let mut times = vec![(vec![], vec![]); models.len()];
    for round in 0..WARM_UP + rounds {
        for (model, (inference, whole)) in models.iter_mut().zip(&mut times) {
            let (_, t) = model.detect((SIDE, SIDE), &rgb)?;
            if round >= WARM_UP {
                inference.push(t.inference);
                whole.push(t.preprocess + t.inference + t.decode);
            }
        }
    }
    let all = models.iter().zip(times);
    let speed = |(model, (mut inference, mut whole)): (&Contender, (Vec<_>, Vec<_>))| Speed {
        input: model.input(),
        inference: quantile(&mut inference, 0.5),
        inference90: quantile(&mut inference, 0.9),
        whole: quantile(&mut whole, 0.5),
    };
    Ok(all.map(speed).collect())
}
