// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether an element has fallen behind a live source: then it passes frames on with what is known, and looks at newer ones.

use std::time::Duration;

use gst::prelude::*;
use gst_base::prelude::*;

/// How late a frame of a live source may be, in nanoseconds, before it is not looked at: above what a camera's frames come early or late by, below what
/// people take for a delay (ITU-T G.114 calls 150 ms of a conversation good, 400 the limit).
pub const DEFAULT: i64 = 200_000_000;

/// Longest time without a look, however late all frames are.
const LONGEST: Duration = Duration::from_millis(500);

/// For how long the earliest frame is remembered that others are measured against: a clock that drifts by 100 parts in a million is off by a
/// millisecond then.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Measures it.
#[derive(Debug, Default)]
pub struct Lateness {
    is_live: Option<bool>,
    behind: Behind,
    /// Running time of the last frame that was not too late.
    looked: Option<gst::ClockTime>,
}

impl Lateness {
    /// Another stream begins.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether frames come when they are made, whoever waits for them. Upstream is asked once.
    pub fn is_live(&mut self, element: &impl IsA<gst_base::BaseTransform>) -> bool {
        *self
            .is_live
            .get_or_insert_with(|| is_live(element.upcast_ref()))
    }

    /// Whether this frame is too late to be looked at. `most` nanoseconds are allowed; below 0, any.
    pub fn is_late(
        &mut self,
        element: &impl IsA<gst_base::BaseTransform>,
        buffer: &gst::BufferRef,
        most: i64,
    ) -> bool {
        let Ok(most) = u64::try_from(most).map(Duration::from_nanos) else {
            return false;
        };
        if !self.is_live(element) {
            return false;
        }
        let element = element.upcast_ref();
        let segment = element.segment();
        let time = segment
            .downcast_ref::<gst::ClockTime>()
            .and_then(|s| s.to_running_time(buffer.pts()));
        let (Some(now), Some(time)) = (element.current_running_time(), time) else {
            return false;
        };
        let late = self.behind.of(now, time) > most;
        let rested = self.looked.map(|then| time.saturating_sub(then));
        let is_due = rested.is_none_or(|rested| Duration::from(rested) >= LONGEST);
        if !late || is_due {
            self.looked = Some(time);
        }
        late && !is_due
    }
}

/// Whether frames come when they are made, whoever waits for them.
fn is_live(element: &gst_base::BaseTransform) -> bool {
    let mut query = gst::query::Latency::new();
    element.sink_pad().peer_query(&mut query) && query.result().0
}

/// How much later frames come than the earliest of the last seconds. What they are all late by, such as a jitter buffer that nobody tells of, is no
/// reason to skip them.
#[derive(Debug, Default)]
struct Behind {
    /// Least delay in nanoseconds of this window of time and of the one before.
    least: [Option<i64>; 2],
    start: Option<gst::ClockTime>,
}

impl Behind {
    fn of(&mut self, now: gst::ClockTime, time: gst::ClockTime) -> Duration {
        let signed = |t: gst::ClockTime| i64::try_from(t.nseconds()).unwrap_or(i64::MAX);
        let delay = signed(now).saturating_sub(signed(time));
        let start = *self.start.get_or_insert(now);
        if Duration::from(now.saturating_sub(start)) >= REMEMBERED {
            self.least = [None, self.least[0]];
            self.start = Some(now);
        }
        let [this, before] = &mut self.least;
        let least = *this.insert(this.map_or(delay, |l| l.min(delay)));
        let least = before.map_or(least, |b| b.min(least));
        Duration::from_nanos(u64::try_from(delay.saturating_sub(least)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> gst::ClockTime {
        gst::ClockTime::from_mseconds(n)
    }

    #[test]
    fn delays_count_from_the_earliest_frame() {
        let mut behind = Behind::default();
        // A jitter buffer holds all for 200 ms; one comes 30 ms later, one before its time.
        assert_eq!(behind.of(ms(300), ms(100)), Duration::ZERO);
        assert_eq!(behind.of(ms(370), ms(140)), Duration::from_millis(30));
        assert_eq!(behind.of(ms(170), ms(180)), Duration::ZERO);
        assert_eq!(behind.of(ms(230), ms(220)), Duration::from_millis(20));
    }

    #[test]
    fn what_was_early_long_ago_is_forgotten() {
        let mut behind = Behind::default();
        behind.of(ms(0), ms(0));
        let late = |behind: &mut Behind, s: u64| behind.of(ms(1000 * s + 50), ms(1000 * s));
        assert!((1..10).all(|s| late(&mut behind, s) == Duration::from_millis(50)));
        assert!((10..20).all(|s| late(&mut behind, s) == Duration::from_millis(50)));
        assert!((22..40).all(|s| late(&mut behind, s) == Duration::ZERO));
    }
}
