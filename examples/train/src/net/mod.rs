// SPDX-License-Identifier: MIT OR Apache-2.0
//! Liveness nets as data: layers over named arrays of numbers, which training, evaluation and the ONNX writer all walk.
//!
//! | file | what it knows |
//! |---|---|
//! | `spec` | which net is wanted, as the user writes it |
//! | `layer` | layers, arrays, folding, counting |
//! | `build` | the two architectures |
//! | `forward` | running the layers on burn's tensors |
//! | `processor` | where tensors are computed |
//! | `noise` | random numbers that depend on nothing but their seed |
//!
//! The nets are not burn modules. Their numbers lie in plain vectors, so that a checkpoint, the best weights, their running mean and
//! a file are copies of the same thing, and no state hides in a module: a clone of burn's batch norm shares its statistics.

mod build;
mod forward;
mod layer;
pub mod noise;
mod processor;
mod spec;

pub(crate) use forward::numbers;
pub use forward::{Evaluator, Statistics, Training};
pub use layer::{After, Array, Folded, Layer, Net, Role, Unit};
pub use processor::Processor;
pub use spec::{Blocks, Kind, Spec};

/// Names of the outputs in their order.
pub const CLASSES: [&str; 2] = ["spoof", "live"];

/// Index of the output that says live.
pub const LIVE: usize = 1;

/// Added to a variance before its root is taken; burn's, PyTorch's and ONNX's default.
pub const EPSILON: f64 = 1e-5;
