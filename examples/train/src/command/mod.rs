// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the program does, step by step, from its arguments to files and tables.
//!
//! | file | what it knows |
//! |---|---|
//! | `train`, `evaluate`, `render` | the order of the steps |
//! | `finish` | from a net to its model and report |
//! | `gather` | from folders to faces, with what the user must see of them |
//! | `learn` | from faces to a net: split, settings, fitting |
//! | `threshold` | from validation answers to a threshold |
//! | `judge` | what ONNX models answer, and how long they take |
//! | `sets` | answers as the report takes them |
//! | `workplace` | the output folder of a training |
//! | `album` | the data set that spoofs are put into |
//! | `progress` | bars and lines |

// Tables are what this program prints.
#![allow(clippy::print_stdout)]

mod album;
mod evaluate;
mod finish;
mod gather;
mod judge;
mod learn;
mod progress;
mod render;
mod sets;
mod threshold;
mod train;
mod workplace;

pub use evaluate::evaluate;
pub use render::render;
pub use train::train;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It did what it was asked.
    Done,
    /// The user stopped it.
    Stopped,
}
