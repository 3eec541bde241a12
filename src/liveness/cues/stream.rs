// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a stream is one that a camera makes, as far as equal frames and impossible times tell: a frozen picture, a film that is played in a
//! loop into a virtual camera, times that run backwards or that no clock gives so evenly.
//!
//! A camera's sensor is never twice the same to the last bit, and that is all that is used. Who adds noise to an injected film, or points
//! a camera at a screen, is not seen here.

use std::collections::VecDeque;
use std::time::Duration;

use crate::image::Pixels;
use crate::signature::fingerprint;

/// Different frames that are remembered: half a minute at 30 a second.
const REMEMBERED: usize = 900;

/// Frames in a row that are frozen, or were all seen before, from which on that is no chance.
const RUN: u32 = 10;

/// For how long a picture stands still before it is frozen: recorders repeat frames for a moment where nothing moves or packets are lost.
const STANDSTILL: Duration = Duration::from_secs(1);

/// The same in frames, where there are no times.
const STANDSTILL_FRAMES: u32 = 30;

/// Times that do not grow, among the last [`LASTING`] frames, from which on they are no slip of a decoder.
const MOST_BACK: u32 = 3;

/// Frames for which what was seen counts, and before which nothing is said.
const LASTING: u32 = 60;

/// Equal intervals in a row that no clock of a camera gives: its frames come some microseconds early or late.
const EVEN: u32 = 100;

/// Watches one stream.
#[derive(Debug, Default)]
pub(in crate::liveness) struct Stream {
    seen: VecDeque<u64>,
    last: Option<(u64, Option<Duration>)>,
    /// Frames, up to [`LASTING`].
    frames: u32,
    /// Frames like the one before, in a row, and when the first of them was.
    still: u32,
    since: Option<Duration>,
    /// Frames in a row that were seen before.
    again: u32,
    /// Times that went back, and frames until that is forgotten.
    back: u32,
    forget: u32,
    interval: Option<Duration>,
    even: u32,
    /// Frames for which the stream is still suspect.
    suspect: u32,
    scratch: Vec<u8>,
}

impl Stream {
    /// Another stream begins.
    pub(in crate::liveness) fn reset(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        let scratch = std::mem::take(&mut self.scratch);
        *self = Self {
            seen,
            scratch,
            ..Self::default()
        };
        self.seen.clear();
    }

    /// One more frame; `is_live` where its time says when it was made.
    pub(in crate::liveness) fn add(
        &mut self,
        frame: &dyn Pixels,
        time: Option<Duration>,
        is_live: bool,
    ) {
        let print = fingerprint(frame, &mut self.scratch);
        self.see(print, time, is_live);
    }

    fn see(&mut self, print: u64, time: Option<Duration>, is_live: bool) {
        self.frames = LASTING.min(self.frames + 1);
        self.suspect = self.suspect.saturating_sub(1);
        if let Some((last, before)) = self.last {
            self.hold_times(before, time, is_live);
            if last == print {
                self.still = self.still.saturating_add(1);
            } else {
                self.still = 0;
                self.since = time;
                let again = self.seen.contains(&print);
                self.again = if again {
                    self.again.saturating_add(1)
                } else {
                    0
                };
            }
        } else {
            self.since = time;
        }
        if self.still == 0 {
            if self.seen.len() == REMEMBERED {
                self.seen.pop_front();
            }
            self.seen.push_back(print);
        }
        self.last = Some((print, time));
        let stood = match (self.since, time) {
            (Some(since), Some(now)) => now.abs_diff(since) >= STANDSTILL,
            _ => self.still >= STANDSTILL_FRAMES,
        };
        let frozen = self.still >= RUN && stood;
        if frozen || self.again >= RUN || self.back >= MOST_BACK {
            self.suspect = LASTING;
        }
    }

    fn hold_times(&mut self, before: Option<Duration>, now: Option<Duration>, is_live: bool) {
        match self.forget.checked_sub(1) {
            Some(left) => self.forget = left,
            None => self.back = 0,
        }
        let (Some(before), Some(now)) = (before, now) else {
            return;
        };
        let Some(interval) = now.checked_sub(before).filter(|i| !i.is_zero()) else {
            self.back += 1;
            self.forget = LASTING;
            return;
        };
        // A third of a second is no whole number of nanoseconds.
        let equal = |i: Duration| i.abs_diff(interval) <= Duration::from_nanos(1);
        self.even = match self.interval.is_some_and(equal) && is_live {
            true => self.even.saturating_add(1),
            false => 0,
        };
        self.interval = Some(interval);
    }

    /// 0 where the stream is none that a camera makes, 0.5 where its times are too even for one, 1 where nothing speaks against it; none
    /// before enough was seen.
    pub(in crate::liveness) fn score(&self) -> Option<f32> {
        match (self.suspect, self.frames) {
            (1.., _) => Some(0.0),
            (_, ..LASTING) => None,
            _ if self.even >= EVEN => Some(0.5),
            _ => Some(1.0),
        }
    }

    /// Whether it is to be taken for one that was injected.
    pub(in crate::liveness) fn is_suspect(&self) -> bool {
        self.suspect > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames at 25 a second, some microseconds early or late, as a camera has them.
    fn times() -> impl Iterator<Item = Option<Duration>> {
        (0u64..).map(|i| Some(Duration::from_micros(40_000 * i + i * i * 7919 % 300)))
    }

    fn watch(prints: impl IntoIterator<Item = u64>) -> Stream {
        let mut stream = Stream::default();
        for (print, time) in prints.into_iter().zip(times()) {
            stream.see(print, time, true);
        }
        stream
    }

    #[test]
    fn a_camera_is_not_suspect() {
        assert_eq!(watch(0..20).score(), None);
        assert_eq!(watch(0..2000).score(), Some(1.0));
        // Each frame shown three times, and a standstill of half a second.
        assert_eq!(watch((0..900).map(|i| i / 3)).score(), Some(1.0));
        assert_eq!(watch((0..500).map(|i| i / 12)).score(), Some(1.0));
    }

    #[test]
    fn a_picture_that_stands_still_is_suspect_and_for_a_while_after() {
        let still = |n: u64| {
            (0..100)
                .chain(std::iter::repeat_n(1000, 30))
                .chain(2000..2000 + n)
        };
        for (after, score) in [(0, 0.0), (50, 0.0), (60, 1.0)] {
            assert_eq!(watch(still(after)).score(), Some(score), "{after}");
        }
        // The same without times.
        let mut stream = Stream::default();
        (0..31).for_each(|_| stream.see(7, None, false));
        assert!(stream.is_suspect());
    }

    #[test]
    fn a_film_in_a_loop_is_suspect_whichever_way_it_goes() {
        assert!(!watch(0..250).is_suspect());
        assert!(watch((0..270).map(|i| i % 250)).is_suspect());
        assert!(watch((0..250).chain((0..250).rev())).is_suspect());
        let repeated = watch((0..270).flat_map(|i| [i % 250; 3]));
        assert!(repeated.is_suspect());
    }

    #[test]
    fn times_that_go_back_are_suspect_and_too_even_ones_are_told() {
        let run = |time: fn(u64) -> u64, is_live| {
            let mut stream = Stream::default();
            for i in 0..200 {
                stream.see(i, Some(Duration::from_nanos(time(i))), is_live);
            }
            stream.score()
        };
        assert_eq!(run(|i| i * 100_000_000 / 3, true), Some(0.5));
        assert_eq!(run(|i| i * 100_000_000 / 3, false), Some(1.0));
        assert_eq!(run(|i| i * 33_000_000 + i * i % 1000, true), Some(1.0));
        assert_eq!(run(|_| 5, true), Some(0.0));
        assert_eq!(run(|i| (i ^ 1) * 33_000_000, true), Some(0.0));
    }

    #[test]
    fn another_stream_begins_without_suspicion() {
        let mut stream = watch(std::iter::repeat_n(1, 200));
        assert!(stream.is_suspect());
        stream.reset();
        assert_eq!((stream.score(), stream.is_suspect()), (None, false));
        stream.see(1, None, true);
        assert!(!stream.is_suspect());
    }
}
