// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a model still answers as when it was written: one input that a formula makes, and the answer in the model's card.
//!
//! A file that lost a sector still loads, and still gives numbers. So does an ONNX Runtime that was built wrongly for its machine. What
//! changes the answer by less than [`TOLERANCE`] is not noticed, such as one small weight.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::resize::TensorFormat;
use crate::runtime::{Engine, Input};

/// Name of the fact that says which input: `noise N`, see [`fill`].
pub const INPUT: &str = "golden-input";

/// Name of the fact that says what comes out: numbers in the order of the output, separated by commas.
pub const OUTPUT: &str = "golden-output";

/// Name of the fact that says how large the golden input is, as `WIDTHxHEIGHT`, for models that take any size.
pub const SIZE: &str = "golden-size";

/// Largest difference that is taken for rounding, for numbers up to 1; for larger ones as a share of them. Between machines the
/// order of sums alone makes about 1e-5.
pub const TOLERANCE: f32 = 1e-3;

/// Longest side of a golden input whose size the card tells.
const LARGEST: usize = 640;

/// Side of the squares of the coarse part of the golden input, in pixels.
const SQUARE: usize = 8;

/// The golden input `number` in words, as [`INPUT`] holds it.
pub fn name(number: u32) -> String {
    format!("noise {number}")
}

/// Numbers as [`OUTPUT`] holds them.
pub fn print(output: &[f32]) -> String {
    let numbers: Vec<_> = output.iter().map(f32::to_string).collect();
    numbers.join(",")
}

/// Writes the golden input `number` for one picture.
///
/// Each channel's value at `(x, y)` is, before `mean` and `scale`, `(3 * coarse + fine) / 4` of two bytes: `coarse` is the same over
/// squares of [`SQUARE`] pixels, so that layers that look at large structures see some. A byte is the highest of a 32-bit hash
/// (lowbias32, Wellons 2018) over number, channel and place. All whole numbers: the same on every machine.
pub fn fill(number: u32, format: &TensorFormat, out: &mut [f32]) {
    let byte = |channel: usize, kind: u32, x: usize, y: usize| {
        let place = (y * format.width + x) as u32;
        let start = hash(number ^ hash(channel as u32 * 2 + kind));
        hash(start ^ place) >> 24
    };
    let channels = format.channels.count();
    for (i, value) in out.iter_mut().enumerate().take(format.len()) {
        let (channel, pixel) = if format.planar {
            let plane = format.width * format.height;
            (i / plane, i % plane)
        } else {
            (i % channels, i / channels)
        };
        let (x, y) = (pixel % format.width, pixel / format.width);
        let coarse = byte(channel, 0, x / SQUARE, y / SQUARE);
        let mixed = (3 * coarse + byte(channel, 1, x, y)) / 4;
        *value = (mixed as f32 - format.mean[channel]) * format.scale[channel];
    }
}

/// Width and height of the golden input in pixels, where the card tells them.
///
/// # Errors
/// [`Error::Card`] where they are not of the form `WIDTHxHEIGHT`, or too large for a moment's work.
pub fn size(facts: &BTreeMap<String, String>, model: &str) -> Result<Option<(usize, usize)>> {
    let Some(text) = facts.get(SIZE) else {
        return Ok(None);
    };
    let sides = text.split_once('x');
    let sides = sides.and_then(|(w, h)| Some((w.trim().parse().ok()?, h.trim().parse().ok()?)));
    match sides {
        Some((w, h)) if (1..=LARGEST).contains(&w) && (1..=LARGEST).contains(&h) => {
            Ok(Some((w, h)))
        }
        _ => Err(Error::Card {
            origin: model.to_owned(),
            reason: format!(
                "`{SIZE} = {text}` is not of the form WIDTHxHEIGHT, with sides up to {LARGEST}"
            ),
        }),
    }
}

fn hash(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// Lets the model answer to its golden input where its card has one. `format` must be the one that the model itself tells, not what a
/// user has set.
///
/// # Errors
/// [`Error::UnfitModel`] where the answer is another, [`Error::Card`] where the facts cannot be understood, and those of
/// [`Engine::run`].
pub fn check(
    engine: &Engine,
    facts: &BTreeMap<String, String>,
    format: &TensorFormat,
    model: &str,
    task: &'static str,
) -> Result<()> {
    let wrong = |reason: String| Error::Card {
        origin: model.to_owned(),
        reason,
    };
    let (input, output) = match (facts.get(INPUT), facts.get(OUTPUT)) {
        (None, None) => return Ok(()),
        (Some(input), Some(output)) => (input, output),
        _ => return Err(wrong(format!("`{INPUT}` and `{OUTPUT}` belong together"))),
    };
    let number = input.strip_prefix("noise ").and_then(|n| n.parse().ok());
    let number =
        number.ok_or_else(|| wrong(format!("`{INPUT} = {input}` is not of the form noise N")))?;
    let numbers = output.split(',').map(|n| n.trim().parse::<f32>());
    let wanted: Vec<f32> = numbers
        // Any number is near to infinity.
        .map(|n| n.ok().filter(|n| n.is_finite()))
        .collect::<Option<_>>()
        .ok_or_else(|| wrong(format!("`{OUTPUT} = {output}` is not a list of numbers")))?;
    let (w, h, c) = (format.width, format.height, format.channels.count());
    let mut tensor = Input::new(if format.planar {
        [1, c, h, w]
    } else {
        [1, h, w, c]
    })?;
    fill(number, format, tensor.data());
    let got = engine.run(&tensor, |outputs| {
        outputs.first().map_or(Vec::new(), |o| o.data.to_vec())
    })?;
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * b.abs().max(1.0);
    if got.len() == wanted.len() && got.iter().zip(&wanted).all(near) {
        return Ok(());
    }
    Err(Error::UnfitModel {
        model: model.to_owned(),
        task,
        reason: format!(
            "its own golden input gives {}, its card says {output}: the file or ONNX Runtime is damaged",
            print(&got)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resize::Channels;

    fn format(planar: bool) -> TensorFormat {
        TensorFormat {
            width: 20,
            height: 12,
            planar,
            channels: Channels::Rgb,
            mean: [0.0; 3],
            scale: [1.0; 3],
        }
    }

    #[test]
    fn the_formula_stays_what_it_is() {
        // Files in the field hold answers to these very numbers.
        let mut out = vec![0.0; 720];
        fill(1, &format(true), &mut out);
        assert_eq!(out[..4], [77.0, 123.0, 129.0, 80.0]);
        assert_eq!((out[240], out[719]), (100.0, 180.0));
    }

    #[test]
    fn a_size_is_understood_or_refused() {
        let told = |text: &str| size(&BTreeMap::from([(SIZE.to_owned(), text.to_owned())]), "m");
        assert_eq!(size(&BTreeMap::new(), "m").unwrap(), None);
        assert_eq!(told("32x64").unwrap(), Some((32, 64)));
        for wrong in ["32", "x", "0x32", "32x999999999", "-1x1", "axb"] {
            assert!(told(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn both_orders_hold_the_same_picture_and_it_fills_the_range() {
        let (mut planar, mut packed) = (vec![0.0; 720], vec![0.0; 720]);
        fill(7, &format(true), &mut planar);
        fill(7, &format(false), &mut packed);
        for pixel in 0..240 {
            for channel in 0..3 {
                assert_eq!(planar[channel * 240 + pixel], packed[pixel * 3 + channel]);
            }
        }
        let mean = planar.iter().sum::<f32>() / 720.0;
        assert!((60.0..195.0).contains(&mean), "{mean}");
        assert!(planar.iter().all(|v| (0.0..=255.0).contains(v)));
    }
}
