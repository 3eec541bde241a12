// SPDX-License-Identifier: MIT OR Apache-2.0
//! A number over time: how much of its change is slow, and how much is noise from one look to the next. Knows numbers only.

/// Seconds after which a value counts half.
const HALF_LIFE: f64 = 2.0;
/// Seconds from one look to the next beyond which their difference says nothing about noise.
const BREAK: f64 = 0.25;

/// Faded sums.
#[derive(Clone, Debug, Default)]
pub(super) struct Fading {
    weight: f64,
    mean: f64,
    /// Of squared distances from the mean.
    spread: f64,
    steps: f64,
    /// Of squared steps.
    jumps: f64,
    last: Option<(f64, f64)>,
}

impl Fading {
    /// One more value, at `now` seconds.
    pub(super) fn add(&mut self, value: f64, now: f64) {
        if let Some((before, then)) = self.last {
            let passed = (now - then).max(0.0);
            let kept = (-passed / HALF_LIFE).exp2();
            self.weight *= kept;
            self.spread *= kept;
            self.steps *= kept;
            self.jumps *= kept;
            if passed <= BREAK {
                self.steps += 1.0;
                self.jumps += (value - before) * (value - before);
            }
        }
        self.last = Some((value, now));
        // D. H. D. West, "Updating mean and variance estimates: an improved method", 1979.
        self.weight += 1.0;
        let off = value - self.mean;
        self.mean += off / self.weight;
        self.spread += off * (value - self.mean);
    }

    /// Variance of what is independent from look to look: half the mean squared step (J. von Neumann, "Distribution of the ratio of the mean
    /// square successive difference to the variance", 1941). `None` where no two looks were near to each other.
    pub(super) fn noise(&self) -> Option<f64> {
        (self.steps > 0.0).then(|| self.jumps / self.steps / 2.0)
    }

    /// Variance beyond that, 0 at least; 0 where the noise is not known.
    pub(super) fn slow(&self) -> f64 {
        let noise = self.noise().unwrap_or(f64::INFINITY);
        (self.spread / self.weight.max(1.0) - noise).max(0.0)
    }

    /// The mean.
    pub(super) fn mean(&self) -> f64 {
        self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Noise;
    use super::*;

    #[test]
    fn noise_is_not_slow_and_what_is_slow_is_no_noise() {
        let of = |slow: f64, noise: f64| {
            let (mut fading, mut random) = (Fading::default(), Noise::new(1));
            for i in 0..240 {
                let t = f64::from(i) / 30.0;
                fading.add(5.0 + slow * (2.0 * t).sin() + noise * random.normal(), t);
            }
            (fading.slow().sqrt(), fading.noise().unwrap().sqrt())
        };
        let (slow, noise) = of(0.0, 1.0);
        assert!(slow < 0.35 && (0.8..1.2).contains(&noise), "{slow} {noise}");
        let (slow, noise) = of(1.0, 0.1);
        assert!((0.5..0.9).contains(&slow) && noise < 0.15, "{slow} {noise}");
        assert_eq!(Fading::default().slow(), 0.0);
    }
}
