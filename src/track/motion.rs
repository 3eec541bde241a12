// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a face moves: at constant velocity, until a detector says otherwise. A Kalman filter in seconds.
//!
//! As in SORT (Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016) and ByteTrack (Zhang et al., "ByteTrack:
//! Multi-Object Tracking by Associating Every Detection Box", ECCV 2022), with noise in units of the box's size. Theirs is per
//! frame and per height of a whole person; here it is per second and per size of a face, which is the square root of its
//! box's area: a person who walks moves by one height a second, and by eight faces.

use crate::geometry::Rect;

/// How far a detector's box is off, as a standard deviation in sizes of the face. With [`RESTLESSNESS`] the likeliest for the
/// 9146 steps of faces in 19 clips, found by YuNet at 320 and 640 pixels, 0.03 to 0.7 seconds apart.
const JITTER: f64 = 0.02;
/// How quickly a face may change its velocity: variance that its velocity gains per second, in sizes squared per second squared.
const RESTLESSNESS: f64 = 10.0;
/// How fast a face that was just found may move, as a standard deviation in sizes per second: half of a walk.
const FIRST_SPEED: f64 = 4.0;

/// Longest step in seconds: beyond, nothing is known anyway, and the variances' differences would drown in rounding.
const LONGEST: f64 = 60.0;

/// Motion from look to look that is as likely noise as not, in sizes of the face.
const STILL: f64 = 0.05;
/// The same in pixels, as boxes of small faces jump by whole ones.
const STILL_PIXELS: f64 = 1.0;
/// How much of what earlier predictions were worth counts at the next: the last three or so decide.
const MEMORY: f64 = 0.7;

/// A point in pixels, or a velocity in pixels per second.
pub(super) type Vector = [f64; 2];

/// The centre of a face in motion.
#[derive(Clone, Debug)]
pub(super) struct Motion {
    at: Vector,
    speed: Vector,
    /// What is not known, in sizes of the face: variance of place and speed, and their covariance. Both coordinates have the
    /// same noise, so one matrix serves both.
    var_at: f64,
    var_both: f64,
    var_speed: f64,
    /// What predictions were worth until now: their products with the motions that followed, and with themselves, both in sizes
    /// squared and fading.
    agreed: f64,
    predicted: f64,
}

impl Motion {
    /// Seen for the first time; `rect` is valid.
    pub(super) fn new(rect: &Rect) -> Self {
        Self {
            at: center(rect),
            speed: [0.0; 2],
            var_at: JITTER * JITTER,
            var_both: 0.0,
            var_speed: FIRST_SPEED * FIRST_SPEED,
            agreed: 0.0,
            predicted: 0.0,
        }
    }

    /// Lets `dt` seconds pass, of which the face moves on for at most `longest`.
    pub(super) fn advance(&mut self, dt: f64, longest: f64) {
        for (at, speed) in self.at.iter_mut().zip(self.speed) {
            *at += speed * dt.min(longest);
        }
        // Acceleration as white noise.
        let dt = dt.min(LONGEST);
        let q = RESTLESSNESS;
        self.var_at += dt * (2.0 * self.var_both + dt * (self.var_speed + dt * q / 3.0));
        self.var_both += dt * (self.var_speed + dt * q / 2.0);
        self.var_speed += dt * q;
    }

    /// A detector has seen it at `now`; both boxes are valid. `before` is where it was seen `dt` seconds ago, at the last
    /// look; `None` where the last look missed it.
    pub(super) fn correct(&mut self, now: &Rect, before: Option<&Rect>, dt: f64) {
        let now = center(now);
        if let Some(before) = before {
            let (size, before) = (size(before), center(before));
            let moved = [0, 1].map(|i| (now[i] - before[i]) / size);
            let predicted = self.speed.map(|v| v * dt / size);
            self.agreed = MEMORY * self.agreed + dot(predicted, moved);
            self.predicted = MEMORY * self.predicted + dot(predicted, predicted);
        } else {
            // What it did out of sight is not known.
            self.agreed = 0.0;
            self.predicted = 0.0;
        }
        let total = self.var_at + JITTER * JITTER;
        let (gain, gain_speed) = (self.var_at / total, self.var_both / total);
        for i in [0, 1] {
            let off = now[i] - self.at[i];
            self.at[i] += gain * off;
            self.speed[i] += gain_speed * off;
        }
        self.var_speed -= gain_speed * self.var_both;
        self.var_at *= 1.0 - gain;
        self.var_both *= 1.0 - gain;
    }

    /// Where its centre should be now.
    pub(super) fn at(&self) -> Vector {
        self.at
    }

    /// How far from there a detector may see it: a standard deviation in sizes of the face.
    pub(super) fn doubt(&self) -> f64 {
        (self.var_at + JITTER * JITTER).sqrt()
    }

    /// How far it moves in `dt` seconds, in pixels, as far as that can be relied on: a face that was seen at `seen` and is looked
    /// at every `interval` seconds.
    ///
    /// The velocity is multiplied by the factor that would have made the last predictions best (ridge regression), at most 1. A
    /// face that keeps its direction gets nearly all of its velocity, one that shakes or stands still none. It moves
    /// by its own size at most.
    pub(super) fn ahead(&self, seen: &Rect, dt: f64, interval: f64) -> Vector {
        let size = size(seen);
        let still = STILL.max(STILL_PIXELS / size);
        let worth = (self.agreed / (self.predicted + still * still)).clamp(0.0, 1.0);
        let far = self.speed[0].hypot(self.speed[1]) * interval * worth;
        let within = if far > size { size / far } else { 1.0 };
        self.speed.map(|v| v * dt * worth * within)
    }
}

/// Centre of a box.
pub(super) fn center(rect: &Rect) -> Vector {
    // In double precision: boxes at the end of what a number can be have a centre, too.
    let [x, y, w, h] = [rect.x, rect.y, rect.w, rect.h].map(f64::from);
    [x + w / 2.0, y + h / 2.0]
}

/// Side of the square that has the area of a box.
pub(super) fn size(rect: &Rect) -> f64 {
    (f64::from(rect.w) * f64::from(rect.h)).sqrt()
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DT: f64 = 0.1;

    /// A face of 100x100 pixels that is seen every tenth of a second at these places.
    fn seen_at(places: impl IntoIterator<Item = (f64, f64)>) -> (Motion, Rect) {
        let mut rects = places
            .into_iter()
            .map(|(x, y)| Rect::new(x as f32, y as f32, 100.0, 100.0));
        let mut last = rects.next().unwrap();
        let mut motion = Motion::new(&last);
        for rect in rects {
            motion.advance(DT, 1.0);
            motion.correct(&rect, Some(&last), DT);
            last = rect;
        }
        (motion, last)
    }

    #[test]
    fn a_face_that_walks_is_expected_ahead() {
        let (motion, last) = seen_at((0..8).map(|i| (20.0 * f64::from(i), 0.0)));
        let [x, y] = motion.ahead(&last, DT, DT);
        assert!((x - 20.0).abs() < 1.0, "{x}");
        assert!(y.abs() < 0.01, "{y}");
    }

    #[test]
    fn two_sightings_are_no_evidence_yet() {
        let (motion, last) = seen_at([(0.0, 0.0), (20.0, 0.0)]);
        assert_eq!(motion.ahead(&last, DT, DT), [0.0, 0.0]);
    }

    #[test]
    fn a_face_that_shakes_stays_where_it_was_seen() {
        let (motion, last) = seen_at((0..9).map(|i| (f64::from(i % 2) * 30.0, 0.0)));
        let [x, _] = motion.ahead(&last, DT, DT);
        assert_eq!(x, 0.0);
    }

    #[test]
    fn it_moves_by_its_own_size_at_most() {
        let (motion, last) = seen_at((0..9).map(|i| (400.0 * f64::from(i), 0.0)));
        let [x, _] = motion.ahead(&last, DT, DT);
        assert!((x - 100.0).abs() < 1e-3, "{x}");
    }

    proptest! {
        #[test]
        fn noise_of_a_pixel_moves_nothing_by_a_pixel(
            noise in prop::collection::vec((-1.0..1.0, -1.0..1.0), 2..60),
        ) {
            let (motion, last) = seen_at(noise);
            let [x, y] = motion.ahead(&last, DT, DT);
            prop_assert!(x.hypot(y) < 0.5, "{x} {y}");
        }

        #[test]
        fn doubt_grows_out_of_sight_and_falls_in_sight(n in 0usize..20, dt in 0.001..2.0) {
            let (mut motion, last) = seen_at((0..=n).map(|_| (0.0, 0.0)));
            let before = motion.doubt();
            motion.advance(dt, 1.0);
            let out = motion.doubt();
            motion.correct(&last, None, dt);
            prop_assert!(before < out && motion.doubt() < out);
            prop_assert!(motion.var_at > 0.0 && motion.var_speed > 0.0);
            prop_assert!(motion.var_at * motion.var_speed >= motion.var_both.powi(2));
        }
    }
}
