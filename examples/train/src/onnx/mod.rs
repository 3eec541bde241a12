// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nets as self-describing ONNX files, and back.

mod card;
mod proto;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use card::Card;
pub use read::{Model, read};
pub use write::{encode, save};

/// Who wrote a file, in its `producer_name`; only such files are read back.
const PRODUCER: &str = "liveness-train";

/// Name of the graph's input.
const INPUT: &str = "input";

/// Name of the graph's output.
const OUTPUT: &str = "logits";

/// Key of the net's measures in the `metadata_props`.
const NET: &str = "liveness.net";

/// Key of what the folded batch norms saw, see [`write::statistics`].
const STATISTICS: &str = "liveness.statistics";
