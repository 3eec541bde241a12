// SPDX-License-Identifier: MIT OR Apache-2.0
//! From validation answers to the threshold that is written into a model.

use liveness::metrics::{Answer, Scope, bpcer, threshold_for_apcer};

use crate::report::Threshold;

/// The threshold at which no kind of attack is accepted more often than `apcer` and the fewest live faces are refused. Where a whole
/// range does that, the point in it that is nearest to even odds; never at an answer, but half way to the next: at its very place a
/// new face like it would be on the other side.
pub(super) fn choose(answers: &[Answer], apcer: f64, on: &str) -> Threshold {
    let Some(lowest) = threshold_for_apcer(answers, apcer, Scope::Worst) else {
        return Threshold::default();
    };
    let refused = bpcer(answers, lowest).value();
    let scores = || answers.iter().filter_map(Answer::probability);
    let next = |score: f64| scores().filter(|p| *p < score).fold(0.0, f64::max);
    let half_way = |score: f64| f64::midpoint(next(score), score);
    let accepted = answers.iter().filter(|a| a.bona_fide && a.accepted(lowest));
    let highest = accepted.filter_map(Answer::probability).reduce(f64::min);
    let value = match highest {
        // Half way already.
        Some(_) if 0.5 <= next(lowest) => lowest,
        Some(highest) if 0.5 >= highest => half_way(highest),
        Some(_) => 0.5,
        // Only refusing everybody keeps the bound; no card can say more than 1.
        None => lowest.min(1.0),
    };
    let told = match refused {
        Some(share) => format!("; {:.1} % of live faces are refused there", 100.0 * share),
        None => String::new(),
    };
    Threshold {
        value,
        chosen: format!(
            "on {on}: no kind of attack is accepted in more than {:.1} % of cases{told}",
            100.0 * apcer
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(live: &[f32], spoof: &[f32]) -> Vec<Answer> {
        let live = live.iter().map(|p| Answer::bona_fide("a", Some(*p)));
        let spoof = spoof.iter().map(|p| Answer::attack("print", "b", Some(*p)));
        live.chain(spoof).collect()
    }

    #[test]
    fn classes_far_apart_leave_the_threshold_in_the_middle() {
        let t = choose(&answers(&[0.9, 0.95], &[0.01, 0.02]), 0.05, "x");
        assert_eq!(t.value, 0.5);
        let t = choose(&answers(&[0.3, 0.95], &[0.01, 0.02]), 0.05, "x");
        assert!((t.value - 0.16).abs() < 1e-6, "{}", t.value);
        let t = choose(&answers(&[0.9, 0.95], &[0.7, 0.02]), 0.0, "x");
        assert!((t.value - 0.8).abs() < 1e-6, "{}", t.value);
    }

    #[test]
    fn the_bound_holds_for_what_overlaps() {
        let spoof: Vec<f32> = (0..100).map(|i| i as f32 / 100.0).collect();
        let live: Vec<f32> = (50..150).map(|i| (i as f32 / 100.0).min(1.0)).collect();
        let all = answers(&live, &spoof);
        let t = choose(&all, 0.05, "x").value;
        let accepted = all.iter().filter(|a| !a.bona_fide && a.accepted(t)).count();
        assert!(accepted <= 5, "{accepted}");
        assert!(t < 0.96, "{t}");
    }

    #[test]
    fn where_nothing_else_keeps_the_bound_everybody_is_refused() {
        let t = choose(&answers(&[0.4, 0.5], &[0.9, 0.95]), 0.0, "x").value;
        assert!(t > 0.95, "{t}");
    }

    #[test]
    fn without_attacks_nothing_is_chosen() {
        assert_eq!(
            choose(&answers(&[0.9], &[]), 0.05, "x"),
            Threshold::default()
        );
    }
}
