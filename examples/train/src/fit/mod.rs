// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fitting a net to examples, wherever they come from.
//!
//! | file | what it knows |
//! |---|---|
//! | `score` | how well scores tell the classes apart |
//! | `draw` | which examples an epoch looks at |
//! | `feed` | filling batches on threads |
//! | `optimizer` | from gradients to weights |
//! | `state` | where a run is, and its checkpoint |
//! | `run` | the loop |
//! | `tune` | which settings do best |
//!
//! A run is a function of its seed, its settings and its examples: all random numbers are derived from the seed and the place in the run, so
//! a run that was killed goes on from its checkpoint to the same numbers bit for bit.

use crate::net::Processor;

mod draw;
mod feed;
mod optimizer;
mod run;
mod score;
mod state;
mod tune;

#[cfg(test)]
mod tests;

pub use draw::Draw;
pub use optimizer::Optimizer;
pub use run::{Outcome, Run, Why, fit, margins, predict};
pub use score::{Score, score};
pub use tune::{Halving, Range, Ranking, Setting, Space, Trial, tune};

/// Pictures of faces with their truth.
pub trait Examples: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the face is live.
    fn is_live(&self, i: usize) -> bool;

    /// Its weight in the loss.
    fn weight(&self, _i: usize) -> f32 {
        1.0
    }

    /// Who or what it belongs to (a person, a session), for [`Draw::Groups`].
    fn group(&self, i: usize) -> u32;

    /// Writes the picture as the net takes it: channel planes one after the other, prepared as the model's card will say. `seed`: augmented
    /// in the way that this number stands for; `None`: as it is.
    fn fill(&self, i: usize, seed: Option<u64>, out: &mut [f32]);
}

/// Who looks on while a net is trained. Called from the training thread.
pub trait Watch {
    /// A batch was learned: the `batch`th of `batches`, counted from 1.
    fn batch(&mut self, _epoch: usize, _batch: usize, _batches: usize, _loss: f64) {}

    /// An epoch ended. `best`: better than all before.
    fn epoch(&mut self, _row: &Row, _best: bool) {}
}

/// Nobody looks on.
impl Watch for () {}

/// What decides which epoch is the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// [`Score::acer`]: the threshold stays at even odds.
    Half,
    /// [`Score::eer`]: the threshold is chosen on the validation examples afterwards.
    #[default]
    Equal,
}

/// How a net is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Decides all random numbers.
    pub seed: u64,
    /// Passes over the examples at the most.
    pub epochs: usize,
    /// Examples per step.
    pub batch: usize,
    /// How gradients change weights.
    pub optimizer: Optimizer,
    /// The highest learning rate.
    pub rate: f32,
    /// Weight decay.
    pub decay: f32,
    /// Epochs over which the rate rises.
    pub warmup: f32,
    /// Label smoothing (Szegedy and others 2016): this share of the truth is spread over both classes.
    pub smoothing: f32,
    /// How epochs draw their examples.
    pub draw: Draw,
    /// Largest norm of all gradients together.
    pub clip: Option<f32>,
    /// Decay per step of a running mean of the weights, which is then what is validated and kept.
    pub average: Option<f32>,
    /// Epochs without a better one after which a run ends.
    pub patience: Option<usize>,
    /// What better means. Ties are broken by the loss.
    pub goal: Goal,
    /// Threads that fill batches. Not a part of what is trained: the result is the same with any number.
    pub threads: usize,
    /// What computes the steps.
    pub processor: Processor,
}

impl Default for Config {
    /// The rate, decay and smoothing are AdamW's and its users' common ones for small convolutional nets; [`tune`] finds better ones.
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 50,
            batch: 32,
            optimizer: Optimizer::AdamW,
            rate: 1e-3,
            decay: 0.05,
            warmup: 1.0,
            smoothing: 0.05,
            draw: Draw::Groups,
            clip: Some(5.0),
            average: None,
            patience: Some(15),
            goal: Goal::Equal,
            threads: 2,
            processor: Processor::Cpu,
        }
    }
}

/// One epoch in numbers. Losses are cross entropies in nats, the others shares, 0..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which one, counted from 1.
    pub epoch: usize,
    /// The learning rate at its end.
    pub rate: f32,
    /// Mean loss over its batches, while the net was learning from them.
    pub train_loss: f64,
    /// Share of its examples that were told right, while the net was learning from them.
    pub train_accuracy: f64,
    /// What the validation examples gave afterwards.
    pub valid: Score,
    /// How long it took, validation included.
    pub seconds: f64,
}
