// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a look takes: rounds, and what is said of them.

use std::time::Duration;

/// Rounds that are not counted: memory is allocated in them.
pub const WARM_UP: usize = 3;

/// The time in milliseconds that this share of all took at the most; 0 for none.
pub fn quantile(times: &mut [Duration], q: f64) -> f64 {
    times.sort();
    let place = (q * times.len().saturating_sub(1) as f64).round() as usize;
    times.get(place).map_or(0.0, |t| 1e3 * t.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_them_took_no_longer_than_the_median() {
        let mut times = [5, 1, 2, 9, 3].map(Duration::from_millis);
        assert_eq!(quantile(&mut times, 0.5), 3.0);
        assert_eq!(quantile(&mut times, 1.0), 9.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }
}
