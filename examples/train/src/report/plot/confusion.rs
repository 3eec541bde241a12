// SPDX-License-Identifier: MIT OR Apache-2.0
//! Truth against decision, with counts.

use super::scene::{Anchor, Colour, Scene, Style};
use super::{Figure, SHEET, titled};
use crate::report::measured::MeasuredSet;
use crate::report::words;

/// None for an empty set.
pub(super) fn draw(set: &MeasuredSet, name: &str) -> Option<Figure> {
    let counts = set.summary.counts;
    if counts.answers == 0 {
        return None;
    }
    let c = set.summary.confusion;
    let mut scene = Scene::new(SHEET.0, SHEET.1);
    let threshold = words::threshold(set.summary.threshold);
    let top = scene.title("Truth and decision", &titled(set));
    let (left, upper, width, height) = (112.0, top + 38.0, 228.0, 134.0);
    let rows = [
        (
            "live",
            counts.bona_fide,
            counts.bona_fide_silent,
            Colour::Live,
            [(c.bona_fide_accepted, true), (c.bona_fide_refused, false)],
        ),
        (
            "spoof",
            counts.attacks,
            counts.attacks_silent,
            Colour::Spoof,
            [(c.attacks_accepted, false), (c.attacks_refused, true)],
        ),
    ];
    for (i, text) in ["accepted as live", "refused"].into_iter().enumerate() {
        let x = left + (i as f64 + 0.5) * width + i as f64 * 8.0;
        scene.words((x, upper - 18.0), text, Style::STRONG, Anchor::Middle);
    }
    for (row, (truth, n, silent, colour, cells)) in rows.into_iter().enumerate() {
        let y = upper + row as f64 * (height + 8.0);
        let middle = y + height / 2.0;
        let style = Style::new(15.0, true, colour);
        scene.words((left - 20.0, middle - 11.0), truth, style, Anchor::End);
        let all = format!("n = {}", words::whole(n as u64));
        scene.words((left - 20.0, middle + 11.0), all, Style::TICK, Anchor::End);
        for (column, (hits, right)) in cells.into_iter().enumerate() {
            let x = left + column as f64 * (width + 8.0);
            let share = (n > 0).then(|| hits as f64 / n as f64);
            let (a, b) = ((x, y), (x + width, y + height));
            scene.rect(a, b, Colour::Shade, 1.0);
            // Right is the colour of the class, as deep as it is frequent; wrong has a frame.
            if right {
                scene.rect(a, b, colour, 0.15 + 0.3 * share.unwrap_or(0.0));
            } else if hits > 0 {
                let frame = vec![a, (b.0, a.1), b, (a.0, b.1), a];
                scene.line(frame, colour, 2.5);
            }
            let middle_x = x + width / 2.0;
            let large = Style::new(26.0, true, Colour::Ink);
            let count = words::whole(hits as u64);
            scene.words((middle_x, middle - 20.0), count, large, Anchor::Middle);
            let share = share.map_or_else(|| words::NOTHING.to_owned(), words::percent);
            scene.words(
                (middle_x, middle + 12.0),
                share,
                Style::new(15.0, false, Colour::Ink),
                Anchor::Middle,
            );
            let what = match (truth, column) {
                ("live", 1) => "BPCER".to_owned(),
                ("spoof", 0) => "pooled APCER".to_owned(),
                _ => "right".to_owned(),
            };
            let what = match (column, silent) {
                (1, 1..) => format!("{what}; {} without an answer", words::whole(silent as u64)),
                _ => what,
            };
            let small = Style::TICK.coloured(Colour::Ink);
            scene.words((middle_x, middle + 38.0), what, small, Anchor::Middle);
        }
    }
    let foot = format!("accepted from {threshold}");
    let foot_at = upper + 2.0 * height + 34.0;
    scene.height = foot_at + 26.0;
    scene.words((left, foot_at), foot, Style::TICK, Anchor::Start);
    let alt = format!(
        "Confusion matrix of {} at {threshold}: of {} live faces {} accepted and {} refused, of {} attacks {} accepted and {} refused.",
        set.set.name,
        counts.bona_fide,
        c.bona_fide_accepted,
        c.bona_fide_refused,
        counts.attacks,
        c.attacks_accepted,
        c.attacks_refused
    );
    Some(Figure {
        name: format!("confusion-{name}"),
        alt,
        scene,
    })
}
