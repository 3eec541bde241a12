// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grids of cells that decoders walk: one cell per `stride` pixels, row by row.

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
