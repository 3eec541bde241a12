// SPDX-License-Identifier: MIT OR Apache-2.0
//! A constant tensor in a file (`TensorProto`): whether the numbers that it declares are there, and what the few of a shape are.

use super::wire::{Fields, Value, count_varints, varints};
use super::{Fault, dims_product};

/// Most dimensions; the operators of ONNX know up to 6, and data formats a few more.
const MOST_DIMS: usize = 16;

/// Tensors up to so many numbers are read: shapes, repeats, pads.
pub(super) const FEW: usize = 32;

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i64 = 1;

/// What is known of a constant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    pub(super) dims: Vec<i64>,
    /// How many numbers it holds.
    pub(super) count: u64,
    /// Bytes that they take in memory.
    pub(super) size: u64,
    /// Its whole numbers, of a small one.
    pub(super) integers: Vec<i64>,
    /// Its other numbers, of a small one.
    pub(super) floats: Vec<f32>,
}

/// Bits of a number of each `TensorProto.DataType`; a text counts as its smallest object.
fn bits(data_type: i64) -> Option<u64> {
    Some(match data_type {
        2 | 3 | 9 | 17..=20 => 8,
        4 | 5 | 10 | 16 => 16,
        1 | 6 | 12 => 32,
        7 | 11 | 13 | 14 => 64,
        15 => 128,
        21..=23 => 4,
        8 => 256,
        _ => return None,
    })
}

impl<'a> Tensor<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut tensor = Self::default();
        let mut data_type = 0;
        // Numbers in fields of their own, and bytes of raw ones.
        let (mut held, mut raw, mut external) = (0u64, None, false);
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => varints(value, MOST_DIMS + 1, &mut tensor.dims)?,
                2 => data_type = value.integer("a type of data")?,
                8 => tensor.name = value.text("the name of a tensor")?,
                9 if raw.is_some() => return Err(Fault::refused("a tensor has its data twice")),
                9 => raw = Some(value.bytes("a tensor's data")?),
                4 => {
                    held += fixed(value, 4)?;
                    floats(value, &mut tensor.floats);
                }
                5 | 7 | 11 => {
                    held += count_varints(value);
                    varints(value, FEW, &mut tensor.integers)?;
                }
                6 => held += 1,
                10 => held += fixed(value, 8)?,
                13 => external = true,
                14 => external |= value.integer("a place of data")? == EXTERNAL,
                _ => {}
            }
        }
        let named = |what: String| Fault::Refused(format!("its tensor `{}` {what}", tensor.name));
        if external {
            return Err(named(
                "lies in another file. Save the model as one file, with its weights in it".into(),
            ));
        }
        let bits = bits(data_type)
            .ok_or_else(|| named(format!("has numbers of the unknown type {data_type}")))?;
        if tensor.dims.len() > MOST_DIMS || tensor.dims.iter().any(|d| *d < 0) {
            return Err(named("has a shape that none can have".into()));
        }
        tensor.count = dims_product(&tensor.dims);
        let per_number = |per: u64| held == tensor.count.saturating_mul(per);
        let complete = match raw {
            // Of 4-bit numbers two share a byte.
            Some(raw) => {
                held == 0 && raw.len() as u64 == tensor.count.saturating_mul(bits).div_ceil(8)
            }
            None if bits == 4 => held == tensor.count.div_ceil(2),
            None if matches!(data_type, 14 | 15) => per_number(2),
            None => per_number(1),
        };
        if !complete {
            let holds = raw.map_or_else(|| format!("{held}"), |r| format!("{} bytes", r.len()));
            return Err(named(format!(
                "declares {} numbers and holds {holds}: the file is damaged, or made to fill the memory",
                tensor.count
            )));
        }
        tensor.size = tensor.count.saturating_mul(bits.max(8) / 8);
        if let Some(raw) = raw.filter(|_| tensor.count <= FEW as u64) {
            match data_type {
                7 => {
                    tensor.integers = raw
                        .as_chunks()
                        .0
                        .iter()
                        .map(|b| i64::from_le_bytes(*b))
                        .collect()
                }
                6 => {
                    tensor.integers = raw
                        .as_chunks()
                        .0
                        .iter()
                        .map(|b| i32::from_le_bytes(*b).into())
                        .collect()
                }
                1 => {
                    tensor.floats = raw
                        .as_chunks()
                        .0
                        .iter()
                        .map(|b| f32::from_le_bytes(*b))
                        .collect()
                }
                _ => {}
            }
        }
        Ok(tensor)
    }
}

/// How many numbers of `width` bytes a field holds: one, or packed ones.
fn fixed(value: Value, width: usize) -> Result<u64, Fault> {
    match value {
        Value::Bytes(packed) if packed.len() % width != 0 => Err(Fault::NotOnnx(
            "a tensor's numbers end in the middle".into(),
        )),
        Value::Bytes(packed) => Ok((packed.len() / width) as u64),
        _ => Ok(1),
    }
}

fn floats(value: Value, all: &mut Vec<f32>) {
    let room = FEW.saturating_sub(all.len());
    match value {
        Value::Bytes(packed) => {
            let numbers = packed.as_chunks().0.iter().take(room);
            all.extend(numbers.map(|b| f32::from_le_bytes(*b)));
        }
        Value::Fixed32(bits) if room > 0 => all.push(f32::from_bits(bits)),
        _ => {}
    }
}
