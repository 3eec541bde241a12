// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tensors of a face detector: any family gets any outputs, of the right shapes and of wrong ones, with any numbers.

use liveness::detect::{Family, suppress};
use liveness::runtime::OutputView;

use super::bytes::Bytes;

/// YuNet's outputs go by their names.
const NAMES: [&str; 12] = [
    "cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32",
    "kps_8", "kps_16", "kps_32",
];

/// Name, numbers in a row, rows: what a sound model of the family has for an input of this size.
fn outputs(family: Family, (width, height): (usize, usize)) -> Vec<(&'static str, usize, usize)> {
    let cells = |stride: usize| width.div_ceil(stride) * height.div_ceil(stride);
    let strides = [8, 16, 32].map(cells);
    match family {
        Family::YuNet => (0..12)
            .map(|i| (NAMES[i], [1, 1, 4, 10][i / 3], strides[i % 3]))
            .collect(),
        Family::Scrfd => (0..9)
            .map(|i| ("x", [1, 4, 10][i / 3], 2 * strides[i % 3]))
            .collect(),
        Family::UltraFace => vec![("scores", 2, 64), ("boxes", 4, 64)],
        Family::RetinaFace => {
            let rows = 2 * strides.iter().sum::<usize>();
            vec![("loc", 4, rows), ("conf", 2, rows), ("landms", 10, rows)]
        }
        Family::BlazeFace => vec![("preds", 16, 896), ("conf", 1, 896)],
        Family::Ssd => vec![("out", 7, 64)],
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let family = Family::ALL[bytes.u8() as usize % Family::ALL.len()];
    let mut size = (1 + bytes.up_to(127), 1 + bytes.up_to(127));
    if family == Family::BlazeFace && bytes.u8() < 200 {
        size = (128, 128);
    }
    let threshold = bytes.float();
    let mut wanted = outputs(family, size);
    // Now and then one is missing, too short, too long or has rows of another width.
    for output in &mut wanted {
        match bytes.u8() {
            0 => output.0 = "other",
            1 => output.1 = bytes.up_to(20),
            2 => output.2 = bytes.up_to(2000),
            _ => {}
        }
    }
    if bytes.u8() == 0 {
        wanted.truncate(bytes.up_to(12));
    }
    let tensors: Vec<_> = wanted
        .into_iter()
        .map(|(name, width, rows)| {
            // A few numbers, again and again: an input of all of them would be too long.
            let some: Vec<f32> = (0..1 + bytes.up_to(31)).map(|_| bytes.float()).collect();
            let data: Vec<f32> = some.iter().copied().cycle().take(width * rows).collect();
            (name, [1, rows as i64, width as i64], data)
        })
        .collect();
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, shape, data)| OutputView { name, shape, data })
        .collect();
    let mut found = Vec::new();
    if family.decode(&views, size, threshold, &mut found).is_ok() {
        suppress(&mut found, 0.4);
        for face in found {
            assert!(face.rect.is_valid(), "{face:?}");
            // Scores end at 1, whatever was asked for.
            assert!(
                face.score >= threshold.min(1.0) && face.score <= 1.0,
                "{face:?}"
            );
        }
    }
}
