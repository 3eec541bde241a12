// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a probability to what users see. Evidence over time will join here.

use crate::face::{Label, Verdict};

/// The verdict on one look: live from `threshold` on. Without an answer, or with one that is no probability, the face stays
/// unchecked.
pub fn decide(live: Option<f32>, threshold: f32) -> Verdict {
    let live = live.filter(|p| (0.0..=1.0).contains(p));
    let label = match live {
        Some(p) if p >= threshold => Label::Live,
        Some(_) => Label::Spoof,
        None => Label::Unchecked,
    };
    Verdict {
        label,
        live,
        reason: None,
        model: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_is_never_live() {
        for bad in [
            None,
            Some(f32::NAN),
            Some(f32::INFINITY),
            Some(-0.1),
            Some(1.1),
        ] {
            assert_eq!(decide(bad, 0.0).label, Label::Unchecked, "{bad:?}");
        }
        assert_eq!(decide(Some(0.5), 0.5).label, Label::Live);
        assert_eq!(decide(Some(0.49), 0.5).label, Label::Spoof);
        // A threshold that is no number lets nobody in.
        assert_eq!(decide(Some(1.0), f32::NAN).label, Label::Spoof);
    }
}
