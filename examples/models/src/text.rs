// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said of a model, for people to read.

use std::fmt::Write;

use liveness::detect::DEFAULT_LONG_SIDE;
use liveness_app::terminal;

use crate::latency::{FRAME, Latency};
use crate::report::{Crop, Input, Origin, Report, SelfTest};

/// Longest value of a fact that is shown whole, in signs.
const SHOWN: usize = 100;

/// Facts that the other lines say already.
const SAID: [&str; 14] = [
    "task",
    "name",
    "color",
    "mean",
    "scale",
    "crop",
    "crop-scale",
    "outside",
    "classes",
    "output",
    "threshold",
    "golden-input",
    "golden-output",
    "golden-size",
];

/// The report as lines, with an empty one behind it.
pub(crate) fn of(report: &Report) -> String {
    let mut text = match report.ships {
        true => format!("{} (ships inside)\n", report.name),
        false => format!("{}\n", terminal::plain(&report.file)),
    };
    let mut line = |name: &str, value: &str| {
        // A string takes all that is written into it.
        let _ = writeln!(text, "  {name:<10}  {}", terminal::plain(value));
    };
    line("name", &report.name);
    line("size", &bytes(report.bytes));
    line("for", purpose(report.task));
    line("family", &family(report));
    line("input", &input(&report.input));
    if let Some(crop) = &report.crop {
        line("crop", &described(crop));
    }
    if let Some(classes) = &report.classes {
        let output = report.output.unwrap_or_default();
        line("classes", &format!("{}, as {output}", classes.join(", ")));
    }
    if let Some(landmarks) = report.landmarks {
        line("landmarks", if landmarks { "five" } else { "none" });
    }
    line("threshold", &threshold(report));
    if !report.assumed.is_empty() {
        line("assumed", &report.assumed.join(", "));
    }
    line("latency", &latency(report.latency.as_ref()));
    line("self-test", self_test(report.self_test));
    let rest = report.card.iter();
    let rest = rest.filter(|(fact, _)| !SAID.contains(&fact.as_str()));
    for (i, (fact, value)) in rest.enumerate() {
        let head = if i == 0 { "card" } else { "" };
        line(head, &format!("{fact}: {}", short(value)));
    }
    text.push('\n');
    text
}

fn bytes(n: usize) -> String {
    format!("{:.2} MB", n as f64 / 1e6)
}

fn purpose(task: &str) -> &str {
    match task {
        "face-detection" => "finding faces",
        "liveness" => "telling live faces from spoofs",
        other => other,
    }
}

fn family(report: &Report) -> String {
    let named = report.family.map(str::to_owned);
    named.unwrap_or_else(|| "none that is known: it describes itself".into())
}

fn input(input: &Input) -> String {
    let size = match (input.width, input.height) {
        (Some(w), Some(h)) => format!("{w}x{h}"),
        _ => format!("any size ({DEFAULT_LONG_SIDE} on the long side where nobody says otherwise)"),
    };
    let color = input.color.unwrap_or_default().to_uppercase();
    let Some([first, second, third]) = input.range else {
        return format!("{size}, {color}");
    };
    let one = |[black, white]: [f32; 2]| format!("{}..{}", number(black), number(white));
    let range = match first == second && second == third {
        true => one(first),
        false => [first, second, third].map(one).join(", "),
    };
    format!("{size}, {color}, values {range}")
}

fn described(crop: &Crop) -> String {
    let shape = match crop.shape {
        "square" => "a square of the longer side",
        _ => "the face's box",
    };
    let outside = match crop.outside {
        "shift" => "moved inside where it leaves the frame".to_owned(),
        fill => format!("filled by {fill} where it leaves the frame"),
    };
    format!("{} times {shape}, {outside}", crop.scale)
}

fn threshold(report: &Report) -> String {
    let value = number(report.threshold);
    let from = match report.threshold_from {
        Origin::Card => "its card says so",
        Origin::Family => "what its family's authors recommend",
        Origin::Nobody => "nobody says one: even odds",
    };
    let overlap = report.nms_threshold;
    let overlap = overlap.map(|v| format!("; two faces overlap by {} at most", number(v)));
    format!("{value} ({from}){}", overlap.unwrap_or_default())
}

fn latency(latency: Option<&Latency>) -> String {
    let Some(l) = latency else {
        return "not measured".into();
    };
    let (width, height) = FRAME;
    format!(
        "{:.2} ms inference (nine of ten within {:.2}), {:.2} ms in all: medians of {}, {width}x{height}, one thread",
        l.inference, l.inference90, l.whole, l.rounds
    )
}

fn self_test(result: SelfTest) -> &'static str {
    match result {
        SelfTest::Passed => "passed: it answers as when it was written",
        SelfTest::None => "the file has none",
    }
}

/// A number without digits that say nothing.
fn number(value: f32) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" => "0".into(),
        other => other.to_owned(),
    }
}

fn short(value: &str) -> String {
    let short: String = value.chars().take(SHOWN).collect();
    let more = if short.len() < value.len() { "…" } else { "" };
    format!("{short}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_facts_are_short() {
        let cases = [(0.0, "0"), (-0.0001, "0"), (0.5, "0.5"), (127.5, "127.5")];
        for (value, wanted) in cases {
            assert_eq!(number(value), wanted);
        }
        assert_eq!(number(100.0), "100");
        assert_eq!(short("é".repeat(SHOWN).as_str()), "é".repeat(SHOWN));
        assert!(short(&"é".repeat(SHOWN + 1)).ends_with("é…"));
    }

    #[test]
    fn ranges_are_told_once_where_they_are_the_same() {
        let told = |range| {
            input(&Input {
                width: Some(80),
                height: Some(60),
                color: Some("bgr"),
                mean: None,
                scale: None,
                range: Some(range),
            })
        };
        assert_eq!(told([[-1.0, 1.0]; 3]), "80x60, BGR, values -1..1");
        let three = [[-104.0, 151.0], [-117.0, 138.0], [-123.0, 132.0]];
        assert_eq!(
            told(three),
            "80x60, BGR, values -104..151, -117..138, -123..132"
        );
    }
}
