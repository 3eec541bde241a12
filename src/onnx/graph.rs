// SPDX-License-Identifier: MIT OR Apache-2.0
//! A graph in a file (`GraphProto`): which operators it uses, what it declares, and how large its constants grow before it even runs.

use std::collections::HashMap;

use super::tensor::{FEW, Tensor};
use super::wire::{Fields, Value, varints};
use super::{Census, Fault, LARGEST_TENSOR, MOST_NODES, dims_product, once};

/// Most graphs within each other.
const MOST_DEPTH: usize = 4;

/// Sets of operators that come with ONNX Runtime. Any other one would have to be loaded from a library.
const DOMAINS: [&str; 4] = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];

/// Operators of which the output has as many numbers as the first input, or fewer.
const SHAPE_KEPT: [&str; 15] = [
    "Cast",
    "DequantizeLinear",
    "Flatten",
    "Identity",
    "QuantizeLinear",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "Reshape",
    "Slice",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

/// Operators that broadcast their inputs against each other.
const BROADCAST: [&str; 12] = [
    "Add", "Clip", "Div", "Equal", "Greater", "Less", "Max", "Min", "Mul", "Pow", "Sub", "Where",
];

/// Operators that make their output as large as one of their inputs says, and which that is.
const GROWING: [(&str, usize); 7] = [
    ("ConstantOfShape", 0),
    ("Expand", 1),
    ("Pad", 1),
    ("Resize", 2),
    ("Resize", 3),
    ("Tile", 1),
    ("Upsample", 1),
];

/// Attributes that say how large an output becomes.
const MEASURES: [&str; 8] = [
    "dilations",
    "kernel_shape",
    "output_padding",
    "output_shape",
    "pads",
    "scales",
    "shape",
    "strides",
];

/// A value that does not depend on the model's input: ONNX Runtime computes it while it loads.
#[derive(Clone, Debug, Default)]
struct Known<'a> {
    /// Most numbers that it can have.
    count: u64,
    /// Its dimensions, where they are certain.
    dims: Option<Vec<i64>>,
    /// Its numbers, where they stand in the file.
    tensor: Option<Tensor<'a>>,
}

impl<'a> From<Tensor<'a>> for Known<'a> {
    fn from(tensor: Tensor<'a>) -> Self {
        Self {
            count: tensor.count,
            dims: Some(tensor.dims.clone()),
            tensor: Some(tensor),
        }
    }
}

/// An operator with what matters here of its attributes.
#[derive(Debug, Default)]
struct Node<'a> {
    op: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    /// What the attributes of [`MEASURES`] multiply to at the most, each.
    measure: f64,
    /// The value of an operator `Constant`.
    value: Option<Tensor<'a>>,
}

pub(super) fn check(graph: &[u8], census: &mut Census, depth: usize) -> Result<(), Fault> {
    if depth > MOST_DEPTH {
        return Err(Fault::refused(format!(
            "more than {MOST_DEPTH} graphs stand within each other"
        )));
    }
    let mut known = HashMap::new();
    let mut fields = Fields(graph);
    while let Some((number, value)) = fields.next()? {
        match number {
            5 => {
                let tensor = Tensor::read(value.bytes("a tensor")?)?;
                census.tensor(&tensor)?;
                known.insert(tensor.name, Known::from(tensor));
            }
            11..=13 => declared(value.bytes("a value")?)?,
            15 => return Err(sparse()),
            _ => {}
        }
    }
    // The nodes stand before the constants in the file, in the order in which they run.
    let mut fields = Fields(graph);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            census.node()?;
            let node = Node::read(value.bytes("a node")?, census, depth)?;
            census.made(node.grow(&mut known)?)?;
        }
    }
    Ok(())
}

fn sparse() -> Fault {
    Fault::refused(
        "it has sparse tensors, of which a few bytes can fill the memory: export it with dense ones",
    )
}

/// A value whose type is declared (`ValueInfoProto`).
fn declared(bytes: &[u8]) -> Result<(), Fault> {
    let (mut name, mut types) = ("", None);
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => name = value.text("the name of a value")?,
            2 => once(&mut types, value, "type of a value")?,
            _ => {}
        }
    }
    // TypeProto, its tensor_type, its shape, each dim, its dim_value.
    let mut count = 1u64;
    each(types.unwrap_or_default(), 1, &mut |tensor| {
        each(tensor, 2, &mut |shape| {
            each(shape, 1, &mut |dim| {
                let mut fields = Fields(dim);
                while let Some((number, value)) = fields.next()? {
                    if number == 1 {
                        let size = value.integer("a dimension")?;
                        count = count.saturating_mul(dims_product(&[size]));
                    }
                }
                Ok(())
            })
        })
    })?;
    fits(count as f64, || format!("its value `{name}`"))
}

/// Hands the messages in field `wanted` to `see`.
fn each<'a>(
    message: &'a [u8],
    wanted: u64,
    see: &mut dyn FnMut(&'a [u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut fields = Fields(message);
    while let Some((number, value)) = fields.next()? {
        if number == wanted {
            see(value.bytes("a type")?)?;
        }
    }
    Ok(())
}

/// An error where so many numbers are too many.
fn fits(count: f64, what: impl Fn() -> String) -> Result<(), Fault> {
    // What is no number fits nowhere.
    if count <= LARGEST_TENSOR as f64 {
        return Ok(());
    }
    Err(Fault::Refused(format!(
        "{} would have {count:.3e} numbers, more than {LARGEST_TENSOR}",
        what()
    )))
}

/// The product of sizes, each at least 1.
fn volume(sizes: impl IntoIterator<Item = f64>) -> f64 {
    sizes.into_iter().map(|s| s.abs().max(1.0)).product()
}

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8], census: &mut Census, depth: usize) -> Result<Self, Fault> {
        let mut node = Self {
            measure: 1.0,
            ..Self::default()
        };
        let mut attributes = Vec::new();
        let mut domain = "";
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => node.inputs.push(value.text("the name of an input")?),
                2 => node.outputs.push(value.text("the name of an output")?),
                4 => node.op = value.text("the name of an operator")?,
                5 => attributes.push(value.bytes("an attribute")?),
                7 => domain = value.text("the domain of an operator")?,
                _ => {}
            }
        }
        if !DOMAINS.contains(&domain) {
            return Err(Fault::Refused(format!(
                "its operator `{}` is of `{domain}`, which ONNX Runtime does not bring along, and no library is loaded for a model",
                node.op
            )));
        }
        for attribute in attributes {
            node.attribute(attribute, census, depth)?;
        }
        Ok(node)
    }

    fn attribute(
        &mut self,
        bytes: &'a [u8],
        census: &mut Census,
        depth: usize,
    ) -> Result<(), Fault> {
        let mut name = "";
        let (mut integers, mut floats) = (Vec::new(), Vec::new());
        let mut tensor = None;
        let mut graphs = Vec::new();
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, _) => name = value.text("the name of an attribute")?,
                (3 | 8, _) => varints(value, MOST_NODES, &mut integers)?,
                (2 | 7, Value::Fixed32(bits)) => floats.push(f32::from_bits(bits)),
                (7, Value::Bytes(packed)) => {
                    let numbers = packed.as_chunks().0.iter();
                    floats.extend(numbers.map(|b| f32::from_le_bytes(*b)));
                }
                (5, _) => once(&mut tensor, value, "tensor of an attribute")?,
                (6 | 11, _) => graphs.push(value.bytes("a graph")?),
                (10, _) => {
                    let tensor = Tensor::read(value.bytes("a tensor")?)?;
                    census.tensor(&tensor)?;
                }
                (22 | 23, _) => return Err(sparse()),
                _ => {}
            }
        }
        for graph in graphs {
            if self.op != "If" {
                return Err(Fault::Refused(format!(
                    "its operator `{}` repeats a part of the model, and nobody knows for how long: export it without",
                    self.op
                )));
            }
            check(graph, census, depth + 1)?;
        }
        if MEASURES.contains(&name) {
            let sizes = integers.iter().map(|n| *n as f64);
            let sizes = sizes.chain(floats.iter().copied().map(f64::from));
            self.measure = self.measure.max(volume(sizes));
        }
        let tensor = match tensor {
            Some(bytes) => {
                let tensor = Tensor::read(bytes)?;
                census.tensor(&tensor)?;
                Some(tensor)
            }
            None if name.starts_with("value") => Some(Tensor {
                dims: vec![(integers.len() + floats.len()) as i64],
                count: (integers.len() + floats.len()) as u64,
                integers,
                floats,
                ..Tensor::default()
            }),
            None => None,
        };
        if self.op == "Constant" {
            self.value = tensor;
        }
        Ok(())
    }

    /// Sees how large the output becomes, as far as the file alone says it; gives how many numbers are computed while the model is loaded.
    fn grow(self, known: &mut HashMap<&'a str, Known<'a>>) -> Result<u64, Fault> {
        let what = || {
            format!(
                "`{}`, which its operator `{}` makes,",
                self.outputs.first().copied().unwrap_or_default(),
                self.op
            )
        };
        fits(self.measure, what)?;
        let wanted = self.wanted(known)?;
        fits(wanted, what)?;
        let inputs = || self.inputs.iter().filter(|name| !name.is_empty());
        let constants: Option<Vec<_>> = inputs().map(|name| known.get(name)).collect();
        // Of what is computed from the input nothing more is known.
        let made = match (self.value.clone(), constants.as_deref()) {
            (Some(value), _) => Known::from(value),
            (None, Some([])) => Known {
                count: 1,
                ..Known::default()
            },
            (None, Some(constants)) => self.made(constants, wanted),
            (None, None) => return Ok(0),
        };
        fits(made.count as f64, what)?;
        for output in &self.outputs {
            known.insert(output, made.clone());
        }
        Ok(made.count)
    }

    /// By how much the output is at least larger than one number, as a constant input of an operator that grows says.
    fn wanted(&self, known: &HashMap<&'a str, Known<'a>>) -> Result<f64, Fault> {
        let constant = |i: usize| known.get(self.inputs.get(i)?);
        let unclear = || {
            Fault::Refused(format!(
                "how large its operator `{}` makes `{}` is computed from constants in a way that is not followed here: export the model \
                 with its constants folded",
                self.op,
                self.outputs.first().copied().unwrap_or_default()
            ))
        };
        if self.op == "Range" {
            let (Some(start), Some(end), Some(step)) = (constant(0), constant(1), constant(2))
            else {
                return Ok(1.0);
            };
            let number = |known: &Known| {
                let tensor = known.tensor.as_ref()?;
                let integer = tensor.integers.first().map(|n| *n as f64);
                integer.or(tensor.floats.first().copied().map(f64::from))
            };
            let length = number(start)
                .zip(number(end))
                .zip(number(step))
                .map(|((start, end), step)| ((end - start) / step).abs());
            return length.ok_or_else(unclear);
        }
        let mut wanted: f64 = 1.0;
        let says = GROWING.iter().filter(|(op, _)| *op == self.op);
        for known in says.filter_map(|(_, i)| constant(*i)) {
            wanted = wanted.max(match &known.tensor {
                Some(tensor) => {
                    let integers = tensor.integers.iter().map(|n| *n as f64);
                    volume(integers.chain(tensor.floats.iter().copied().map(f64::from)))
                }
                // Exporters compute what they pad from sizes that they know, in many steps.
                None if self.op == "Pad" => 1.0,
                None => return Err(unclear()),
            });
        }
        Ok(wanted)
    }

    /// The whole numbers that come of few whole numbers, by the operators that sizes are computed with.
    fn computed(&self, constants: &[&Known]) -> Option<Vec<i64>> {
        if let ("Shape", [of]) = (self.op, constants) {
            return of.dims.clone();
        }
        let numbers: Vec<&[i64]> = constants
            .iter()
            .map(|known| {
                let tensor = known.tensor.as_ref()?;
                let is_whole = tensor.integers.len() as u64 == tensor.count;
                is_whole.then_some(&*tensor.integers)
            })
            .collect::<Option<_>>()?;
        let pairs = |f: fn(i64, i64) -> Option<i64>| {
            let [a, b] = numbers[..] else { return None };
            let at = |v: &[i64], i: usize| v.get(if v.len() == 1 { 0 } else { i }).copied();
            (0..a.len().max(b.len()))
                .map(|i| f(at(a, i)?, at(b, i)?))
                .collect()
        };
        match self.op {
            "Cast" | "Flatten" | "Identity" | "Reshape" | "Squeeze" | "Unsqueeze" => {
                Some(numbers[0].to_vec())
            }
            "Concat" => Some(numbers.concat()).filter(|all| all.len() <= FEW),
            "Gather" => {
                let [from, places] = numbers[..] else {
                    return None;
                };
                let at = |i: &i64| from.get(usize::try_from(*i).ok()?).copied();
                places.iter().map(at).collect()
            }
            "Add" => pairs(|a, b| Some(a.saturating_add(b))),
            "Div" => pairs(i64::checked_div),
            "Mul" => pairs(|a, b| Some(a.saturating_mul(b))),
            "Sub" => pairs(|a, b| Some(a.saturating_sub(b))),
            _ => None,
        }
    }

    /// What is made of constants alone.
    fn made(&self, constants: &[&Known], wanted: f64) -> Known<'a> {
        let first = constants[0].count;
        let counts = constants.iter().map(|c| c.count);
        let tensor = self.computed(constants).map(|integers| Tensor {
            count: integers.len() as u64,
            integers,
            ..Tensor::default()
        });
        let dims: Option<Vec<_>> = constants.iter().map(|c| c.dims.as_deref()).collect();
        if let (true, Some(dims)) = (BROADCAST.contains(&self.op), dims) {
            let dims = broadcast(&dims);
            return Known {
                count: dims_product(&dims),
                dims: Some(dims),
                tensor,
            };
        }
        if tensor.is_some() {
            // As a list: who broadcasts against it makes no less of it than of the same numbers in fewer dimensions.
            let count = tensor.as_ref().map_or(0, |t| t.count);
            return Known {
                count,
                dims: Some(vec![count.cast_signed()]),
                tensor,
            };
        }
        let same = constants[0].dims.clone();
        let count = match self.op {
            op if SHAPE_KEPT.contains(&op) => first,
            "Concat" => counts.fold(0, u64::saturating_add),
            op if GROWING.iter().any(|(name, _)| *name == op) => {
                (first.max(1) as f64 * wanted) as u64
            }
            "Range" => wanted as u64,
            // As an outer product, the most that comes of two tensors.
            _ => counts.fold(1u64, |a, b| a.saturating_mul(b.max(1))),
        };
        let keeps = matches!(
            self.op,
            "Cast" | "DequantizeLinear" | "Identity" | "QuantizeLinear"
        );
        Known {
            count,
            dims: same.filter(|_| keeps),
            tensor: None,
        }
    }
}

/// The dimensions of shapes that are broadcast against each other.
fn broadcast(shapes: &[&[i64]]) -> Vec<i64> {
    let rank = shapes.iter().map(|s| s.len()).max().unwrap_or_default();
    let at = |i: usize| {
        let sizes = shapes
            .iter()
            .filter_map(|s| s.get((i + s.len()).checked_sub(rank)?));
        sizes.copied().max().unwrap_or(1)
    };
    (0..rank).map(at).collect()
}
