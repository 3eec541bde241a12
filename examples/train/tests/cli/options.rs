// SPDX-License-Identifier: MIT OR Apache-2.0
//! Those that change what a training is.

use crate::ground::*;

#[test]
fn a_split_frame_by_frame_is_refused_and_where_forced_it_is_told_by_how_much_it_flatters() {
    let ground = Ground::new();
    let faces = ground.faces();
    let tool = || {
        ground
            .train(&faces)
            .args(["--epochs", "2", "--split", "frames"])
    };
    let refused = ended(tool()).cleanly(&[1]);
    refused.says(&["--split frames", "other people", "--force"]);
    assert_eq!(ground.names(), ["faces"]);
    let run = ended(tool().arg("--force")).cleanly(&[0]);
    assert!(
        run.stderr.contains("for comparison: epoch 2/2"),
        "{}",
        run.stderr
    );
    let trained = Trained::of(&ground, run);
    let metrics = trained.json("metrics.json");
    let optimism = &metrics["split"]["optimism"];
    let [grouped, random] = ["grouped", "random"].map(|n| optimism[n].as_f64().unwrap());
    // What is told to be the random split's figure is that of the set.
    let held = sets(&metrics)["held out"];
    assert_eq!(held["acer"]["value"], random);
    assert_eq!(optimism["figure"], "ACER");
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for (page, text) in [
        ("report.md", trained.text("report.md")),
        ("report.html", trained.text("report.html")),
        ("the terminal", &trained.stdout),
    ] {
        for part in [
            "the split was forced to be random",
            &format!("with a random split: {}", percent(random)),
            &format!("with groups kept on one side: {}", percent(grouped)),
        ] {
            // A page keeps a figure and its unit in one line.
            let text = text.replace('\u{a0}', " ").replace("&nbsp;", " ");
            assert!(text.contains(part), "`{part}` is not in {page}");
        }
    }
}

#[test]
fn settings_are_tried_and_it_is_told_which_one_won() {
    let ground = Ground::new();
    let tool = ground
        .train(&ground.faces())
        .args(["--epochs", "1", "--tune", "3"]);
    let run = ended(tool).cleanly(&[0]);
    for n in 1..=3 {
        assert!(
            run.stderr.contains(&format!("trial {n}: epoch 1/1")),
            "{}",
            run.stderr
        );
    }
    let trained = Trained::of(&ground, run);
    let told = |text: &str| {
        let line = text.lines().find(|l| l.contains("3 settings were tried"));
        let line = line
            .unwrap_or_else(|| panic!("no word of it: {text}"))
            .to_owned();
        assert!(line.contains("won: EER"), "{line}");
        line
    };
    let line = told(&trained.stdout);
    assert!(trained.text("report.md").contains(&line));
    assert!(!trained.files.contains_key("tune.jsonl"));
    // The winner's line is the first of the table, and what was trained with is its rate.
    let mut lines = trained.stdout.lines();
    lines.find(|l| l.contains("dropout") && l.contains("smoothing"));
    let first = lines.next().unwrap();
    let name = match first.contains("as given") {
        true => "the settings as given",
        false => first
            .split("  ")
            .find(|w| !w.trim().is_empty())
            .unwrap()
            .trim(),
    };
    assert!(line.contains(&format!("{name} won")), "{first}\n{line}");
    let rate: f64 = first
        .split_whitespace()
        .rev()
        .nth(4)
        .unwrap()
        .parse()
        .unwrap();
    let said = trained.text("report.md");
    assert!(
        said.contains(&format!("rate {rate:.2e}")),
        "{first}\n{said}"
    );
}
