// SPDX-License-Identifier: MIT OR Apache-2.0
//! Blinking, and the smaller motion of eyes: whether both close for a moment, and whether they change more than noise does. Knows how dark
//! each eye is over time, no pixels.

use std::collections::VecDeque;

use super::fading::Fading;
use super::{sigmoid, strongest};

/// Seconds before and after a blink that the eyes are compared with …
const AROUND: f64 = 0.7;
/// … and those next to it that may belong to it: half of the longest, 0.4 s (H. R. Schiffman, "Sensation and Perception", 2001).
const ASIDE: f64 = 0.2;
/// Seconds from one blink to the next at the least.
const APART: f64 = 0.4;
/// Seconds from one look to the next beyond which a blink, 0.1 s at the least, may fall between them.
const BREAK: f64 = 0.125;
/// Looks that are remembered at the most, whatever the rate.
const MOST: usize = 256;
/// Looks on either side that it takes to compare.
const ENOUGH: usize = 4;

/// Share of the darkness that both eyes lose in a blink: 0.31 to 0.54 in five of 15 live clips, up to 0.17 in stills of them that were
/// moved and whose eyes are sharp.
const DEPTH: f32 = 0.25;
/// The same in medians of the steps from look to look: small and blurred eyes shake.
const STEPS: f32 = 4.5;
/// Least depth of a blink that could not be told from shaking any more.
const BLIND: f32 = 0.5;
/// Darkness below which there is no eye to see, as a share of the brightness around it.
const LEAST_DARK: f32 = 0.03;

/// Blinks that are seen of a live face, per second: 17 a minute at rest and fewer when reading (A. R. Bentivoglio et al., "Analysis of blink
/// rate patterns in normal subjects", 1997), of which about half are seen.
const LIVE: f64 = 0.14;
/// And of a picture that is moved: one in a hundred seconds.
const STILL: f64 = 0.01;
/// Seconds after which what was seen counts half.
const FADE: f64 = 20.0;
/// Seconds that it takes to tell.
const LONG_ENOUGH: f64 = 2.0;

/// How much more the eyes change slowly than from look to look, as a logarithm of standard deviations, that speaks for neither, and how much
/// more makes the odds e times better: between stills of clips that were moved (nine of ten below 0.41) and the live clips (0.76 in the middle).
const MICRO: (f64, f64) = (0.45, 0.25);
/// Most that this says, in log-odds.
const MOST_MICRO: f64 = 2.0;
/// Change of the darkness, as a share of it, that is nothing: rounding.
const NOTHING: f64 = 0.01;

/// What is remembered of the eyes of one face.
#[derive(Clone, Debug, Default)]
pub(super) struct Blink {
    /// When, and how dark the eyes were.
    recent: VecDeque<(f64, [f32; 2])>,
    tone: Fading,
    /// Blinks and seconds that were seen, faded, and seconds that were seen in all.
    blinks: f64,
    watched: f64,
    seconds: f64,
    last: Option<f64>,
    /// Memory for medians.
    sorted: Vec<f32>,
}

impl Blink {
    /// One more look, at `now` seconds: how dark each eye is, see [`super::eyes::Eyes`].
    pub(super) fn add(&mut self, dark: [f32; 2], now: f64) {
        if !dark.iter().all(|d| d.is_finite()) {
            return;
        }
        self.tone.add(f64::from(dark[0] + dark[1]) / 2.0, now);
        let passed = self.recent.back().map_or(0.0, |(then, _)| now - then);
        if passed > BREAK {
            self.recent.clear();
        }
        self.recent.push_back((now, dark));
        let old = |(then, _): &(f64, _)| now - then > 2.0 * AROUND;
        while self.recent.front().is_some_and(old) || self.recent.len() > MOST {
            self.recent.pop_front();
        }
        let Some(least) = self.least_depth() else {
            return;
        };
        if passed <= BREAK {
            let kept = (-passed / FADE).exp2();
            self.blinks *= kept;
            self.watched = kept * self.watched + passed;
            self.seconds += passed;
        }
        // A blink is judged when as much is known of the time after it as of that before.
        let due = self
            .recent
            .iter()
            .rev()
            .find(|(then, _)| now - then >= AROUND);
        let Some(&(then, eyes)) = due else {
            return;
        };
        let anew = self.last.is_none_or(|last| then - last >= APART);
        if anew && (0..2).all(|eye| self.depth(then, eyes[eye], eye) >= least) {
            self.blinks += 1.0;
            self.last = Some(then);
        }
    }

    /// How deep a blink must be to be one; `None` where none could be told.
    fn least_depth(&mut self) -> Option<f32> {
        let mean = |dark: &[f32; 2]| (dark[0] + dark[1]) / 2.0;
        let looks = self.recent.iter().map(|(_, dark)| mean(dark));
        self.sorted.clear();
        self.sorted.extend(looks);
        let usual = median(&mut self.sorted).filter(|d| *d >= LEAST_DARK)?;
        let steps = self.recent.iter().zip(self.recent.iter().skip(1));
        self.sorted.clear();
        self.sorted
            .extend(steps.map(|((_, a), (_, b))| (mean(a) - mean(b)).abs()));
        let least = STEPS * median(&mut self.sorted)? / usual;
        (least <= BLIND).then_some(least.max(DEPTH))
    }

    /// Share of its darkness that an eye lacks at `then`, compared with the brighter of before and after.
    fn depth(&mut self, then: f64, dark: f32, eye: usize) -> f32 {
        let mut around = |from: f64, to: f64| {
            let range = from..=to;
            let within = self
                .recent
                .iter()
                .filter(|(t, _)| range.contains(&(t - then)));
            self.sorted.clear();
            self.sorted.extend(within.map(|(_, dark)| dark[eye]));
            median(&mut self.sorted).filter(|_| self.sorted.len() >= ENOUGH)
        };
        match (around(-AROUND, -ASIDE), around(ASIDE, AROUND)) {
            (Some(before), Some(after)) => 1.0 - dark / before.min(after).max(LEAST_DARK),
            _ => 0.0,
        }
    }

    /// 1 where the eyes surely live, 0 where they surely do not; `None` until they were seen for long enough, at 8 looks a second or more.
    pub(super) fn score(&self) -> Option<f32> {
        if self.seconds < LONG_ENOUGH {
            return None;
        }
        // Blinks come as a Poisson process, at one rate or the other.
        let blinks = self.blinks * (LIVE / STILL).ln() - self.watched * (LIVE - STILL);
        let nothing = (NOTHING * self.tone.mean()).powi(2);
        let noise = self.tone.noise()? + nothing;
        let slow = ((self.tone.slow() + nothing) / noise).ln() / 2.0;
        let micro = ((slow - MICRO.0) / MICRO.1).clamp(-MOST_MICRO, MOST_MICRO);
        Some(sigmoid(strongest(blinks + micro) as f32))
    }
}

/// The middle one of numbers, which are left in order; `None` of nothing.
fn median(numbers: &mut [f32]) -> Option<f32> {
    numbers.sort_unstable_by(f32::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::super::tests::Noise;
    use super::*;
    use proptest::prelude::*;

    /// Eyes at 30 looks a second for `seconds`, closed to `closed` of their darkness for 0.15 s at each of these times.
    fn watch(seconds: f64, blinks: &[f64], closed: [f32; 2], noise: f64) -> Blink {
        let (mut blink, mut random) = (Blink::default(), Noise::new(3));
        for i in 0..(30.0 * seconds) as usize {
            let t = i as f64 / 30.0;
            let shut = blinks.iter().any(|at| (0.0..0.15).contains(&(t - at)));
            let dark = closed.map(|c| {
                let open = if shut { 0.4 * c } else { 0.4 };
                open + (noise * random.normal()) as f32
            });
            blink.add(dark, t);
        }
        blink
    }

    #[test]
    fn who_blinks_is_live_and_who_stares_is_not() {
        let live = watch(8.0, &[1.5, 5.0], [0.4, 0.5], 0.01);
        assert!((1.6..=2.0).contains(&live.blinks), "{}", live.blinks);
        assert!(live.score().unwrap() > 0.8, "{:?}", live.score());
        let still = watch(8.0, &[], [0.4; 2], 0.01);
        assert_eq!(still.blinks, 0.0);
        assert!(still.score().unwrap() < 0.2, "{:?}", still.score());
    }

    #[test]
    fn a_wink_and_noise_are_no_blinks() {
        assert_eq!(watch(8.0, &[2.0, 5.0], [0.4, 1.0], 0.01).blinks, 0.0);
        assert_eq!(watch(8.0, &[], [1.0; 2], 0.04).blinks, 0.0);
        // Eyes that close for good.
        assert_eq!(
            watch(
                4.0,
                &(0..20)
                    .map(|i| 2.0 + 0.1 * f64::from(i))
                    .collect::<Vec<_>>(),
                [0.4; 2],
                0.01
            )
            .blinks,
            0.0
        );
    }

    #[test]
    fn what_cannot_be_seen_is_not_counted() {
        assert_eq!(watch(1.5, &[0.7], [0.4; 2], 0.01).score(), None);
        // Shaking hides all.
        assert_eq!(watch(8.0, &[2.0], [0.4; 2], 0.15).score(), None);
        // Five looks a second.
        let mut rare = Blink::default();
        (0..60).for_each(|i| rare.add([0.4; 2], f64::from(i) / 5.0));
        assert_eq!(rare.score(), None);
        let mut blank = Blink::default();
        (0..300).for_each(|i| blank.add([0.0; 2], f64::from(i) / 30.0));
        assert_eq!(blank.score(), None);
        blank.add([f32::NAN, 0.4], 11.0);
        assert_eq!(blank.score(), None);
    }

    proptest! {
        #[test]
        fn whatever_the_eyes_do_the_score_is_one(
            looks in prop::collection::vec((-1f32..2.0, -1f32..2.0, 0f64..0.2), 0..300),
        ) {
            let (mut blink, mut now) = (Blink::default(), 0.0);
            for (left, right, passed) in looks {
                now += passed;
                blink.add([left, right], now);
                prop_assert!(blink.score().is_none_or(|s| (0.0..=1.0).contains(&s)));
                prop_assert!(blink.recent.len() <= MOST);
            }
        }
    }
}
