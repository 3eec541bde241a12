// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an ONNX file demands, read before anybody obeys it: a model file is untrusted input. Knows no inference.
//!
//! ONNX Runtime believes what a file says: it allocates the shapes that are declared, opens the files that are named, unrolls the functions
//! that call each other, and runs a loop as often as the loop says. [`check`] walks through the file once, field by field, without
//! allocating what it declares, and refuses what no model of this field needs.
//!
//! It does not follow the shapes through the graph. What a model makes of its input while it runs is seen when it does: a process that
//! loads models of strangers still wants a limit of its own.

use std::fmt;

mod graph;
mod tensor;
mod wire;

use wire::{Fields, Value};

/// Most numbers in one tensor: a float picture of 4096x4096 pixels with 4 channels.
pub const LARGEST_TENSOR: u64 = 1 << 26;

/// Most bytes that all constants may take in memory.
pub const LARGEST_WEIGHTS: u64 = 1 << 30;

/// Most numbers that are computed from constants alone, which ONNX Runtime does while it loads.
const MOST_MADE: u64 = LARGEST_WEIGHTS / 4;

/// Most nodes, and most constants. The models of this field have a few hundred.
pub const MOST_NODES: usize = 50_000;

/// Most bytes of facts in `metadata_props`.
pub const LARGEST_FACTS: usize = 1 << 20;

/// Why a file is not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no ONNX file, or a damaged one.
    NotOnnx(String),
    /// It demands what no model of this field needs.
    Refused(String),
}

impl Fault {
    fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(reason.into())
    }
}

/// What cannot be decoded is no ONNX.
impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::NotOnnx(reason)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOnnx(reason) | Self::Refused(reason) => f.write_str(reason),
        }
    }
}

/// What a whole file may add up to.
#[derive(Debug, Default)]
struct Census {
    nodes: usize,
    tensors: usize,
    weights: u64,
    made: u64,
}

impl Census {
    fn node(&mut self) -> Result<(), Fault> {
        self.nodes += 1;
        match self.nodes {
            0..=MOST_NODES => Ok(()),
            _ => Err(Fault::refused(format!(
                "it has more than {MOST_NODES} nodes"
            ))),
        }
    }

    /// So many numbers more are computed from constants alone.
    fn made(&mut self, count: u64) -> Result<(), Fault> {
        self.made = self.made.saturating_add(count);
        match self.made {
            0..=MOST_MADE => Ok(()),
            _ => Err(Fault::refused(format!(
                "it computes more than {MOST_MADE} numbers from its constants alone"
            ))),
        }
    }

    fn tensor(&mut self, tensor: &tensor::Tensor) -> Result<(), Fault> {
        self.tensors += 1;
        if self.tensors > MOST_NODES {
            return Err(Fault::refused(format!(
                "it has more than {MOST_NODES} constants"
            )));
        }
        self.weights = self.weights.saturating_add(tensor.size);
        if self.weights > LARGEST_WEIGHTS {
            return Err(Fault::refused(format!(
                "its constants take more than {LARGEST_WEIGHTS} bytes"
            )));
        }
        Ok(())
    }
}

/// Looks through an ONNX file.
///
/// # Errors
/// Why it must not be loaded.
pub fn check(file: &[u8]) -> Result<(), Fault> {
    // ONNX Runtime's other format, which it recognises by these letters; nothing below could read it.
    if file.get(4..8) == Some(b"ORTM") {
        return Err(Fault::refused(
            "it is in ONNX Runtime's own format (.ort): convert it to ONNX",
        ));
    }
    let mut census = Census::default();
    let (mut graph, mut facts) = (None, 0);
    let mut fields = Fields(file);
    while let Some((number, value)) = fields.next()? {
        match number {
            7 => once(&mut graph, value, "graph")?,
            14 => facts += value.bytes("a fact")?.len(),
            25 => {
                return Err(Fault::refused(
                    "it defines functions of its own: export it with them inlined (onnx.inliner)",
                ));
            }
            _ => {}
        }
    }
    if facts > LARGEST_FACTS {
        return Err(Fault::refused(format!(
            "its metadata_props are {facts} bytes, more than a card has"
        )));
    }
    let graph = graph.ok_or_else(|| Fault::NotOnnx("it has no graph".into()))?;
    graph::check(graph, &mut census, 0)
}

/// Takes a field that may stand once: of two, who reads them decides which counts.
fn once<'a>(place: &mut Option<&'a [u8]>, value: Value<'a>, what: &str) -> Result<(), Fault> {
    match place.replace(value.bytes(what)?) {
        Some(_) => Err(Fault::refused(format!("it has its {what} twice"))),
        None => Ok(()),
    }
}

/// How many numbers a tensor of these dimensions has; those that are free count as 1.
fn dims_product(dims: &[i64]) -> u64 {
    let of = |d: &i64| if *d < 0 { 1 } else { d.cast_unsigned() };
    // In any order: a dimension of 0 makes all the others harmless.
    if dims.contains(&0) {
        return 0;
    }
    dims.iter().map(of).fold(1, u64::saturating_mul)
}

#[cfg(test)]
mod tests;
