// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which frames of a source are looked at. Plain arithmetic, so that others can know it beforehand: in the frames between, nobody
//! needs to look for faces.

use std::time::Duration;

/// Says of each frame of a source whether it is due, see [`super::rules::Rules`].
#[derive(Clone, Debug)]
pub struct Pace {
    interval: u64,
    time: Duration,
    frames: u64,
    last: Option<Duration>,
}

impl Pace {
    /// Every `interval`th frame, and no two within `time`.
    pub fn new(interval: u64, time: Duration) -> Self {
        Self {
            interval: interval.max(1),
            time,
            frames: 0,
            last: None,
        }
    }

    /// Another source begins.
    pub fn reset(&mut self) {
        self.frames = 0;
        self.last = None;
    }

    /// Another rule from the next frame on.
    pub fn set(&mut self, interval: u64, time: Duration) {
        (self.interval, self.time) = (interval.max(1), time);
    }

    /// The next frame does not follow the last one: its time says nothing.
    pub fn jump(&mut self) {
        self.last = None;
    }

    /// Frames of the source that were asked about.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Whether the next frame is due, which has this stream time.
    pub fn due(&mut self, time: Option<Duration>) -> bool {
        let number = self.frames;
        self.frames += 1;
        if !number.is_multiple_of(self.interval) {
            return false;
        }
        if let (Some(last), Some(now)) = (self.last, time)
            && now >= last
            && now - last < self.time
        {
            return false;
        }
        self.last = time;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(interval: u64, time: u64, times: &[Option<u64>]) -> Vec<usize> {
        let mut pace = Pace::new(interval, Duration::from_millis(time));
        let time = |t: &Option<u64>| t.map(Duration::from_millis);
        let due = times.iter().enumerate().filter(|(_, t)| pace.due(time(t)));
        due.map(|(i, _)| i).collect()
    }

    #[test]
    fn every_nth_frame_is_due() {
        let times: Vec<_> = (0..10).map(|i| Some(i * 40)).collect();
        assert_eq!(due(3, 0, &times), [0, 3, 6, 9]);
        assert_eq!(due(1, 0, &times).len(), 10);
        assert_eq!(due(1, 100, &times), [0, 3, 6, 9]);
        assert_eq!(due(2, 100, &times), [0, 4, 8]);
        assert_eq!(due(4, 0, &[None; 9]), [0, 4, 8]);
    }

    #[test]
    fn times_that_are_missing_or_go_back_are_due() {
        assert_eq!(
            due(1, 100, &[Some(500), None, Some(510), Some(0), Some(50)]),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn another_input_begins_anew() {
        let mut pace = Pace::new(5, Duration::from_secs(1));
        assert!(pace.due(Some(Duration::ZERO)));
        assert!(!pace.due(Some(Duration::from_secs(9))));
        pace.reset();
        assert!(pace.due(Some(Duration::ZERO)));
    }
}
