// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is printed and what is written: tables for people, JSON for programs.

use std::collections::BTreeMap;

use liveness::metrics::detection::{By, FALSE_POSITIVES, Figures, LUMAS, RECALL, SIZES};
use serde_json::json;

use crate::cli::{Cli, IgnoreArg};
use crate::measure::{Group, Measured};
use crate::sets::Set;
use crate::speed::Speed;
use crate::table::{Table, difference, estimate, of_hundred, share};

/// Names of pictures that are printed for one reason; `--json` holds all of them.
const NAMES: usize = 10;

/// The tables.
pub(crate) fn text(cli: &Cli, sets: &[Set], measured: &Measured, speeds: &[Speed]) -> String {
    let mut text = String::new();
    let (negative, labelled): (Vec<&Group>, Vec<&Group>) =
        measured.groups.iter().partition(|g| g.negative());
    for group in labelled {
        text += &of_faces(measured, group);
        text += &of_groups(measured, group);
    }
    if !negative.is_empty() {
        text += &of_negatives(measured, &negative);
    }
    if !speeds.is_empty() {
        text += &of_speed(measured, speeds);
    }
    if !measured.groups.is_empty() {
        let (min, n) = (cli.min_face, cli.resamples);
        text += &format!(
            "\n[..]: 95 % bootstrap over pictures, {n} resamples. Faces below {min} px at 640 do not count, nor does what lies on {}.\n",
            regions(cli)
        );
        let labelled = measured.groups.iter().filter(|g| !g.negative());
        let all = labelled.flat_map(|g| &g.figures);
        let shown: Vec<By> = all.flat_map(|f| &f.groups).map(|g| g.by).collect();
        let asked = cli.by.iter().map(|by| By::from(*by));
        text.extend(asked.filter(|by| shown.contains(by)).map(meaning));
    }
    text + &of_left_out(sets)
}

fn regions(cli: &Cli) -> String {
    match &cli.ignore {
        IgnoreArg::Labels => "the ignore regions of the labels".into(),
        IgnoreArg::None => "nothing (--ignore none)".into(),
        IgnoreArg::File(path) => format!("the regions of {}", path.display()),
    }
}

/// What the groups are.
fn meaning(by: By) -> String {
    match by {
        By::Size => {
            let [low, high] = SIZES;
            format!("size, the measure of distance: side in px at 640, small < {low} <= medium <= {high} < large.\n")
        }
        By::Label => "label: as in the labels. What is found where no face is counts against each: of two labels, compare R.\n".into(),
        By::Light => {
            let [low, high] = LUMAS;
            format!("light: mean luma of the box, dark < {low} <= normal <= {high} < bright.\n")
        }
    }
}

fn rows<'a>(
    measured: &'a Measured,
    group: &'a Group,
) -> impl Iterator<Item = (&'a String, &'a Figures)> {
    let names = measured.detectors.iter().map(|(name, _)| name);
    names.zip(&group.figures)
}

fn of_faces(measured: &Measured, group: &Group) -> String {
    let Some(first) = group.figures.first() else {
        return String::new();
    };
    let several = group.figures.len() > 1;
    let points = group.figures.iter().any(|f| f.nme_faces > 0);
    let head = ["detector", "AP50", "less the first's", "AP50:95"];
    let head = head.iter().filter(|h| several || !h.starts_with("less"));
    let figures = ["R@.1", "threshold", "P", "R"];
    let more = ["NME median", "NME 90 %"];
    let more = more.iter().filter(|_| points);
    let mut table = Table::new(head.chain(&figures).chain(more).copied());
    for ((name, f), less) in rows(measured, group).zip(&group.less_first) {
        let mut cells = vec![name.clone(), estimate(f.ap50)];
        cells.extend(several.then(|| less.map_or_else(String::new, difference)));
        cells.push(share(f.ap.map(|e| e.value)));
        cells.extend([
            estimate(f.recall_at),
            f.threshold.to_string(),
            estimate(f.precision),
            estimate(f.recall),
        ]);
        if points {
            cells.extend([estimate(f.nme), share(f.nme90)]);
        }
        table.row(cells);
    }
    format!(
        "\n{}: {} pictures, {} faces. R@.1: recall at {FALSE_POSITIVES} false positives per picture. P, R: at the threshold\n\n{}",
        group.name,
        first.pictures,
        first.labels,
        table.text()
    )
}

/// A line for each group of faces and each detector, so that those of one group stand together.
fn of_groups(measured: &Measured, group: &Group) -> String {
    // All detectors saw the same faces, so they have the same groups.
    let groups = group.figures.first().map_or(0, |f| f.groups.len());
    if groups == 0 {
        return String::new();
    }
    let mut table = Table::new(["by", "group", "faces", "detector", "AP50", "R"]);
    for place in 0..groups {
        for (name, figures) in rows(measured, group) {
            let Some(of) = figures.groups.get(place) else {
                continue;
            };
            table.row(vec![
                of.by.name().to_owned(),
                of.name.clone(),
                of.labels.to_string(),
                name.clone(),
                estimate(of.ap50),
                estimate(of.recall),
            ]);
        }
    }
    format!("\n{}, its faces in groups\n\n{}", group.name, table.text())
}

fn of_negatives(measured: &Measured, groups: &[&Group]) -> String {
    let count = |g: &&Group| g.figures.first().map_or(0, |f| f.pictures);
    let head = groups.iter().map(|g| format!("{}: {}", g.name, count(g)));
    let mut columns = vec!["detector".to_owned(), "threshold".to_owned()];
    columns.extend(head);
    if let Some(level) = &measured.level {
        let percent = 100.0 * RECALL;
        columns.push(format!("for {percent} % of {}", level.group));
        columns.push("all but hard at that".into());
    }
    let mut table = Table::new(columns);
    for (i, (name, threshold)) in measured.detectors.iter().enumerate() {
        let mut cells = vec![name.clone(), threshold.to_string()];
        let rates = groups.iter().map(|g| g.figures.get(i));
        cells.extend(rates.map(|f| of_hundred(f.and_then(|f| f.false_positives))));
        let level = measured.level.as_ref();
        if let Some((threshold, rate)) = level.and_then(|l| l.detectors.get(i)) {
            cells.push(format!("{threshold:.3}"));
            cells.push(format!("{:.1}", 100.0 * rate));
        }
        table.row(cells);
    }
    format!(
        "\nWithout faces: false positives per 100 pictures\n\n{}",
        table.text()
    )
}

fn of_speed(measured: &Measured, speeds: &[Speed]) -> String {
    let mut table = Table::new(["detector", "input", "inference ms", "90 %", "whole look ms"]);
    for ((name, _), s) in measured.detectors.iter().zip(speeds) {
        table.row(vec![
            name.clone(),
            format!("{}x{}", s.input.0, s.input.1),
            format!("{:.2}", s.inference),
            format!("{:.2}", s.inference90),
            format!("{:.2}", s.whole),
        ]);
    }
    format!(
        "\nTime: one thread, medians, the models taking turns; a whole look is from a 640x640 picture to faces down to a score of 0.02\n\n{}",
        table.text()
    )
}

fn of_left_out(sets: &[Set]) -> String {
    let mut text = String::new();
    for set in sets {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for left in &set.left_out {
            reasons.entry(&left.reason).or_default().push(&left.file);
        }
        for (reason, files) in reasons {
            let named = files.iter().take(NAMES).copied().collect::<Vec<_>>();
            let more = files.len() - named.len();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            let (n, named) = (files.len(), named.join(", "));
            text += &format!("Left out of {}: {n} ({named}{more}): {reason}\n", set.name);
        }
    }
    text
}

/// All figures.
pub(crate) fn json(
    cli: &Cli,
    sets: &[Set],
    measured: &Measured,
    speeds: &[Speed],
) -> anyhow::Result<String> {
    let detectors = measured.detectors.iter().enumerate();
    let detector = |(i, (name, threshold)): (usize, &(String, f32))| {
        let groups = measured.groups.iter();
        let figures: BTreeMap<_, _> = groups.map(|g| (&g.name, g.figures.get(i))).collect();
        let less: BTreeMap<_, _> = measured
            .groups
            .iter()
            .map(|g| (&g.name, g.less_first.get(i)))
            .collect();
        let level = measured.level.as_ref();
        let level = level.and_then(|l| Some((&l.group, l.detectors.get(i)?)));
        let level = level.map(|(group, (threshold, rate))| {
            json!({"recall": RECALL, "of": group, "threshold": threshold, "false_positives": rate})
        });
        json!({"name": name, "threshold": threshold, "figures": figures, "ap50_less_first": less, "speed": speeds.get(i), "at_equal_recall": level})
    };
    let sets = sets.iter().map(
        |s| json!({"name": s.name, "pictures": s.entries.len(), "labelled": s.labelled, "left_out": s.left_out}),
    );
    let all = json!({
        "part": cli.part,
        "ignore": regions(cli),
        "min_face": cli.min_face,
        "sets": sets.collect::<Vec<_>>(),
        "detectors": detectors.map(detector).collect::<Vec<_>>(),
    });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
