// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a detector's outputs: the checks that every decoder makes before it indexes, grids of cells, scores.

use crate::runtime::OutputView;

/// The output whose rows have `width` numbers.
pub(super) fn rows_of<'a>(
    outputs: &'a [OutputView],
    width: usize,
) -> Result<&'a OutputView<'a>, String> {
    outputs
        .iter()
        .find(|o| o.shape.last() == Some(&(width as i64)))
        .ok_or_else(|| format!("no output has rows of {width} numbers"))
}

/// All of `outputs` must hold `rows` rows of their width.
pub(super) fn check_rows(outputs: &[(&OutputView, usize)], rows: usize) -> Result<(), String> {
    for (output, width) in outputs {
        if output.data.len() != rows * width {
            return Err(format!(
                "output {} has {} numbers, {rows} rows of {width} were expected",
                output.name,
                output.data.len()
            ));
        }
    }
    Ok(())
}

/// Softmax of a pair, the second one; as it is where the pair is one of probabilities already.
pub(super) fn second_of_two(pair: &[f32], probabilities: bool) -> f32 {
    if probabilities {
        pair[1]
    } else {
        1.0 / (1.0 + (pair[0] - pair[1]).exp())
    }
}

/// Whether all numbers lie in 0..=1 (with room for rounding): probabilities, not logits.
pub(super) fn are_probabilities(data: &[f32]) -> bool {
    data.iter().all(|v| (-1e-3..=1.001).contains(v))
}

/// Columns and rows of the grid of `stride` over an input of `size` (width, height); the last, partial cell counts.
pub(super) fn grid((width, height): (usize, usize), stride: usize) -> (usize, usize) {
    (width.div_ceil(stride), height.div_ceil(stride))
}

/// Column and row of each of the `per_cell` anchors of each cell, in the order of the models' outputs.
pub(super) fn cells(
    (columns, rows): (usize, usize),
    per_cell: usize,
) -> impl Iterator<Item = (f32, f32)> + Clone {
    (0..rows).flat_map(move |y| {
        (0..columns).flat_map(move |x| std::iter::repeat_n((x as f32, y as f32), per_cell))
    })
}
