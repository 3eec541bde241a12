// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers in order, each counted as often as its picture was drawn.

/// Numbers by rising value, each with the place of its picture.
#[derive(Debug, Default)]
pub(super) struct Ordered(Vec<(f64, usize)>);

impl Ordered {
    pub(super) fn of(mut numbers: Vec<(f64, usize)>) -> Self {
        numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(numbers)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number below which the share `q` (0..1) lies, between neighbours by straight lines (as NumPy does it). None of nothing.
    pub(super) fn quantile(&self, q: f64, times: impl Fn(usize) -> u32) -> Option<f64> {
        let n: u64 = self.0.iter().map(|(_, p)| u64::from(times(*p))).sum();
        let place = q * n.checked_sub(1)? as f64;
        let at = |wanted: u64| {
            let mut passed = 0;
            self.0.iter().find_map(|(v, p)| {
                passed += u64::from(times(*p));
                (passed > wanted).then_some(*v)
            })
        };
        let (below, above) = (at(place.floor() as u64)?, at(place.ceil() as u64)?);
        Some(below + (above - below) * place.fract())
    }
}
