// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bare inference: a session of ONNX Runtime and ready tensors, nothing of ours: the limit of what a chain of elements can reach.

use std::cell::RefCell;
use std::time::Duration;

use liveness::model::ModelFile;
use ort::memory::Allocator;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;

use super::turns::time;

/// The most faces that go through the liveness model at once in these runs.
const BATCH: usize = 4;

/// A model and what it is asked.
pub(crate) struct Bare {
    session: RefCell<Session>,
    /// Tensors of 1, 2, … pictures; one alone where the model takes no more.
    inputs: Vec<Tensor<f32>>,
}

impl Bare {
    /// For pictures of this size, on one thread.
    pub(crate) fn open(file: &ModelFile, (width, height): (usize, usize)) -> Self {
        let session = Session::builder(liveness::runtime::environment().unwrap())
            .unwrap()
            .with_optimization_level(GraphOptimizationLevel::All)
            .unwrap()
            .with_intra_threads(1)
            .unwrap()
            .commit_from_memory(&file.bytes)
            .unwrap();
        let shape = session.inputs()[0].dtype().tensor_shape();
        let most = if shape.is_some_and(|s| s[0] < 0) {
            BATCH
        } else {
            1
        };
        let inputs = (1..=most).map(|n| {
            let mut input = Tensor::new(&Allocator::default(), [n, 3, height, width]).unwrap();
            for (i, v) in input.extract_tensor_mut().1.iter_mut().enumerate() {
                *v = (i % 251) as f32;
            }
            input
        });
        Self {
            inputs: inputs.collect(),
            session: RefCell::new(session),
        }
    }

    /// Runs it `runs` times on `pictures` in all, spread evenly.
    pub(crate) fn run(&self, runs: u64, pictures: u64) -> Duration {
        let mut session = self.session.borrow_mut();
        time(|| {
            let mut left = pictures as usize;
            for run in 0..runs {
                let mut now = left.div_ceil((runs - run) as usize);
                left -= now;
                while now > 0 {
                    let n = now.min(self.inputs.len());
                    session.run(ort::inputs![&self.inputs[n - 1]]).unwrap();
                    now -= n;
                }
            }
        })
    }
}
