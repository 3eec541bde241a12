// SPDX-License-Identifier: MIT OR Apache-2.0
//! The probabilities that a model gives: live faces above the line, attacks below, and the threshold between.

use liveness::metrics::Answer;

use super::axes::{Axes, percent_ticks, plain_ticks};
use super::font;
use super::scene::{Anchor, Colour, Scene, Style};
use super::{Figure, SHEET, titled};
use crate::report::measured::MeasuredSet;
use crate::report::words;

const BINS: usize = 40;

/// The name of the upright axis.
const NAME: &str = "share of the class";

/// None where there is no answer at all.
pub(super) fn draw(set: &MeasuredSet, name: &str) -> Option<Figure> {
    let answers = &set.set.answers;
    let live = shares(answers, true);
    let spoof = shares(answers, false);
    let high = live.iter().chain(&spoof).copied().fold(0.0, f64::max);
    if high <= 0.0 {
        return None;
    }
    let mut scene = Scene::new(SHEET.0, SHEET.1);
    let top = scene.title("Probability of live", &titled(set));
    let silent = set.summary.counts.bona_fide_silent + set.summary.counts.attacks_silent;
    let axes = Axes {
        left: 74.0,
        right: scene.width - 66.0,
        top: top + 34.0,
        bottom: scene.height - 58.0,
        x: (0.0, 1.0),
        y: (-high * 1.08, high * 1.08),
    };
    // Below the line the shares are counted downwards.
    let ticks = percent_ticks(0.0, high * 1.08, 3);
    let below = ticks.iter().skip(1).map(|(v, text)| (-v, text.clone()));
    let y: Vec<_> = below.chain(ticks.iter().cloned()).collect();
    let x = plain_ticks(0.0, 1.0, 5);
    let name_x = match silent {
        0 => "probability of live".to_owned(),
        n => format!(
            "probability of live; {} without an answer not shown",
            words::how_many(n, "pictures")
        ),
    };
    axes.draw(&mut scene, &x, &y, (&name_x, NAME));
    for (shares, colour, sign) in [(&live, Colour::Live, 1.0), (&spoof, Colour::Spoof, -1.0)] {
        for (i, share) in shares.iter().enumerate().filter(|(_, s)| **s > 0.0) {
            let edge = |i: usize| i as f64 / BINS as f64;
            let mut from = axes.at(edge(i), 0.0);
            let mut to = axes.at(edge(i + 1), sign * share);
            // Bars that touch are read as one.
            from.0 += 0.7;
            to.0 -= 0.7;
            scene.rect(from, to, colour, 1.0);
        }
    }
    let zero = axes.up(0.0);
    scene.line(
        vec![(axes.left, zero), (axes.right, zero)],
        Colour::Muted,
        1.0,
    );
    // In the margin, where no bar can be.
    let quarter = (axes.bottom - axes.top) / 4.0;
    for (text, colour, y) in [
        ("live", Colour::Live, zero - quarter),
        ("spoof", Colour::Spoof, zero + quarter),
    ] {
        let style = Style::new(15.0, true, colour);
        scene.words((axes.right + 8.0, y), text, style, Anchor::Start);
    }
    let threshold = set.summary.threshold;
    let at = axes.across(threshold.clamp(0.0, 1.0));
    scene.dashed(
        vec![(at, axes.top - 4.0), (at, axes.bottom)],
        Colour::Ink,
        1.6,
    );
    let text = format!("accepted from {}", words::threshold(threshold));
    // Beside the line, and not where the name of the axis stands.
    let taken = axes.left + font::width(NAME, Style::LABEL) + 16.0;
    let fits = at - 6.0 - font::width(&text, Style::LABEL) >= taken;
    let (x, anchor) = if fits {
        (at - 6.0, Anchor::End)
    } else {
        (taken.max(at + 6.0), Anchor::Start)
    };
    scene.words((x, axes.top - 14.0), text, Style::LABEL, anchor);
    let c = set.summary.confusion;
    let alt = format!(
        "Histogram of the probability of live on {}. Threshold {}: {} of {} live faces are refused, {} of {} attacks are accepted.",
        set.set.name,
        words::threshold(threshold),
        c.bona_fide_refused,
        set.summary.counts.bona_fide,
        c.attacks_accepted,
        set.summary.counts.attacks
    );
    Some(Figure {
        name: format!("scores-{name}"),
        alt,
        scene,
    })
}

/// The share of a class in each bin; those without an answer are in none.
fn shares(answers: &[Answer], bona_fide: bool) -> Vec<f64> {
    let mut bins = vec![0.0; BINS];
    let class = || answers.iter().filter(|a| a.bona_fide == bona_fide);
    for p in class().filter_map(Answer::probability) {
        let place = ((p * BINS as f64) as usize).min(BINS - 1);
        if let Some(bin) = bins.get_mut(place) {
            *bin += 1.0 / class().count().max(1) as f64;
        }
    }
    bins
}
