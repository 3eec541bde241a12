// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two things measured in turns in one run: on a machine that does other work as well, only their ratio says something.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The middle of many rounds, and what one of ten was below and above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) middle: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share| percentile(&values, share);
        Self {
            middle: at(0.5),
            low: at(0.1),
            high: at(0.9),
        }
    }
}

/// The value that this share of the sorted `values` lies below; 0 of none.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let last = values.len().saturating_sub(1);
    let at = (share * last as f64).round() as usize;
    values.get(at).copied().unwrap_or_default()
}

/// What came of it: times of one round, and the ratio of the first to the second, round by round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    pub(crate) first: Duration,
    pub(crate) second: Duration,
    pub(crate) ratio: Spread,
}

/// Runs both once for nothing, then `rounds` times, each time the other one first: what slows the machine down for a while
/// meets both.
pub(crate) fn compare(
    rounds: usize,
    mut first: impl FnMut() -> Duration,
    mut second: impl FnMut() -> Duration,
) -> Compared {
    first();
    second();
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (x, y) = if round % 2 == 0 {
            let x = first();
            (x, second())
        } else {
            let y = second();
            (first(), y)
        };
        a.push(x.as_secs_f64());
        b.push(y.as_secs_f64());
        ratios.push(x.as_secs_f64() / y.as_secs_f64().max(1e-9));
    }
    let middle = |all| Duration::from_secs_f64(Spread::of(all).middle);
    Compared {
        first: middle(a),
        second: middle(b),
        ratio: Spread::of(ratios),
    }
}

/// What it takes of the processor, on all threads of this process: the time that it would take on a core of its own, whatever else
/// the machine does.
pub(crate) fn time(f: impl FnOnce()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    let start = now();
    f();
    now() - start
}

/// Milliseconds.
pub(crate) fn ms(d: Duration) -> f64 {
    1e3 * d.as_secs_f64()
}
