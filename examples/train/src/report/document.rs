// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a report says, in order; [`super::markdown`] and [`super::html`] write it down.

use super::input::{Model, Report, Split};
use super::measured::{Measured, MeasuredSet};
use super::plot::{Figure, Figures};
use super::words;

/// One piece of the report.
pub(super) enum Block<'a> {
    /// A section's headline.
    Section(String),
    Text(String),
    /// What must not be overlooked.
    Warning(String),
    Command(&'a str),
    /// Figures of a set at a glance: what, the figure, what it is of.
    Cards(Vec<[String; 3]>),
    Table(Table),
    Figures(&'a [Figure]),
    /// The sheet of mistakes.
    Mistakes,
}

/// Rows under a head. The first column says what a row is about.
#[derive(Default)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// The columns before this one are words, the others figures.
    pub(super) words: usize,
}

impl Table {
    pub(super) fn new(head: &[&str], words: usize) -> Self {
        Self {
            head: head.iter().map(|h| (*h).to_owned()).collect(),
            rows: Vec::new(),
            words,
        }
    }
}

pub(super) fn build<'a>(
    report: &'a Report,
    measured: &[Measured],
    figures: &'a Figures,
    mistakes: bool,
) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block> = report.notes.iter().cloned().map(Block::Text).collect();
    blocks.extend(warnings(report, measured));
    if let Some(first) = measured.first() {
        results(&mut blocks, first, figures);
    }
    if measured.len() > 1 {
        blocks.push(Block::Section("Models side by side".into()));
        blocks.push(Block::Table(side_by_side(measured)));
        blocks.push(Block::Figures(&figures.comparison));
    }
    if let Some(first) = measured.first() {
        for (set, figures) in first.sets.iter().zip(&figures.sets) {
            one_set(&mut blocks, set, figures);
        }
    }
    if mistakes {
        blocks.push(Block::Section("Worst mistakes".into()));
        blocks.push(Block::Mistakes);
    }
    about_models(&mut blocks, report);
    about_data(&mut blocks, report);
    about_training(&mut blocks, report, figures);
    how_to_read(&mut blocks, report);
    if !report.command.is_empty() {
        blocks.push(Block::Section("Made by".into()));
        blocks.push(Block::Command(&report.command));
    }
    blocks
}

/// What is wrong with a split, and by how much it flatters.
pub(super) fn about_split(split: &Split) -> Vec<String> {
    let mut all = split.warnings.clone();
    all.extend(split.optimism.as_ref().map(|o| {
        format!(
            "{} with a random split: {}; with groups kept on one side: {}. Only the second says what to expect of people who were not trained on.",
            o.figure,
            words::percent(o.random),
            words::percent(o.grouped)
        )
    }));
    all
}

fn warnings<'a>(report: &Report, measured: &[Measured]) -> Vec<Block<'a>> {
    let mut all = about_split(&report.split);
    if let Some(first) = measured.first() {
        if first.model.threshold.value >= 1.0 {
            all.push("The threshold is 1 or more: every face is refused.".into());
        }
        for set in &first.sets {
            let named = |c: String| format!("{}: {c}", set.set.name);
            all.extend(set.cautions().into_iter().map(named));
        }
    }
    all.into_iter().map(Block::Warning).collect()
}

fn results<'a>(blocks: &mut Vec<Block<'a>>, first: &Measured, figures: &'a Figures) {
    blocks.push(Block::Section("Results".into()));
    let threshold = &first.model.threshold;
    blocks.push(Block::Text(format!(
        "{}, accepted from {} ({}).",
        first.model.name,
        words::threshold(threshold.value),
        threshold.chosen
    )));
    if let Some(set) = first.sets.first() {
        blocks.push(Block::Text(format!("On {}{}:", set.set.name, role(set))));
        blocks.push(Block::Cards(cards(set)));
    }
    if first.sets.len() > 1 {
        blocks.push(Block::Table(all_sets(first)));
    }
    blocks.push(Block::Figures(&figures.overview));
}

fn role(set: &MeasuredSet) -> String {
    match set.set.role.as_str() {
        "" => String::new(),
        role => format!(" ({role})"),
    }
}

fn cards(set: &MeasuredSet) -> Vec<[String; 3]> {
    let s = &set.summary;
    let of = |e: &Option<liveness::metrics::Estimate>| {
        e.map_or_else(String::new, |e| {
            words::count(e.n, e.groups, &set.set.groups_are)
        })
    };
    let worst = s.worst_species.as_deref().map(words::species);
    let worst = worst.map_or_else(String::new, |w| format!("{w}, "));
    let percent = |e: &Option<_>| words::percent_with_interval(e.as_ref());
    vec![
        ["ACER".into(), percent(&s.acer), of(&s.acer)],
        [
            "Worst APCER".into(),
            percent(&s.apcer_worst),
            worst + &of(&s.apcer_worst),
        ],
        ["BPCER".into(), percent(&s.bpcer), of(&s.bpcer)],
        [
            "AUC".into(),
            words::number_with_interval(s.auc.as_ref()),
            of(&s.auc),
        ],
    ]
}

/// A row for each set of a model.
fn all_sets(model: &Measured) -> Table {
    let head = [
        "set",
        "measured on",
        "AUC",
        "EER",
        "worst APCER",
        "BPCER",
        "ACER",
    ];
    let mut table = Table::new(&head, 2);
    for set in &model.sets {
        let s = &set.summary;
        let percent = |e: &Option<_>| words::percent_with_interval(e.as_ref());
        let groups_are = &set.set.groups_are;
        table.rows.push(vec![
            set.set.name.clone(),
            words::count(s.counts.answers, s.counts.groups, groups_are),
            words::number_with_interval(s.auc.as_ref()),
            percent(&s.eer),
            percent(&s.apcer_worst),
            percent(&s.bpcer),
            percent(&s.acer),
        ]);
    }
    table
}

/// A row for each set and model.
pub(super) fn side_by_side(measured: &[Measured]) -> Table {
    let head = [
        "set",
        "model",
        "AUC",
        "EER",
        "worst APCER",
        "BPCER",
        "ACER",
        "ms per face",
    ];
    let mut table = Table::new(&head, 2);
    let mut names: Vec<&str> = Vec::new();
    for set in measured.iter().flat_map(|m| &m.sets) {
        if !names.contains(&set.set.name.as_str()) {
            names.push(&set.set.name);
        }
    }
    for name in names {
        for model in measured {
            let Some(set) = model.set(name) else {
                continue;
            };
            let s = &set.summary;
            let percent = |e: &Option<_>| words::percent_with_interval(e.as_ref());
            table.rows.push(vec![
                name.to_owned(),
                model.model.name.clone(),
                words::number_with_interval(s.auc.as_ref()),
                percent(&s.eer),
                percent(&s.apcer_worst),
                percent(&s.bpcer),
                percent(&s.acer),
                known(model.model.ms_per_face.map(words::short)),
            ]);
        }
    }
    table
}

fn one_set<'a>(blocks: &mut Vec<Block<'a>>, set: &MeasuredSet, figures: &'a [Figure]) {
    blocks.push(Block::Section(format!("Set: {}", set.set.name)));
    let role = match set.set.role.as_str() {
        "" => String::new(),
        role => format!("{role}; "),
    };
    blocks.push(Block::Text(format!("{role}{}.", set.what())));
    blocks.extend(set.silence().map(Block::Text));
    blocks.extend(set.cautions().into_iter().map(Block::Warning));
    blocks.push(Block::Table(errors(set)));
    if !set.summary.bpcer_at.is_empty() {
        let bounds = set.summary.bpcer_at.iter().map(|b| {
            format!(
                "{} at {} (from {})",
                words::percent(b.bpcer),
                words::percent(b.apcer),
                words::threshold(b.threshold)
            )
        });
        let bounds: Vec<String> = bounds.collect();
        blocks.push(Block::Text(format!(
            "BPCER where the worst APCER is bounded, the threshold chosen on this very set: {}.",
            words::list(&bounds)
        )));
    }
    blocks.push(Block::Figures(figures));
}

/// A row for each figure of a set.
pub(super) fn errors(set: &MeasuredSet) -> Table {
    let s = &set.summary;
    let mut table = Table::new(&["figure", "value, 95 % interval", "measured on"], 1);
    let mut row = |name: String, value: String, estimate: Option<&liveness::metrics::Estimate>| {
        let on = estimate.map(|e| words::count(e.n, e.groups, &set.set.groups_are));
        table.rows.push(vec![name, value, known(on)]);
    };
    for species in &s.species {
        let name = format!("APCER, {}", words::species(&species.name));
        row(
            name,
            words::percent_with_interval(Some(&species.apcer)),
            Some(&species.apcer),
        );
    }
    let threshold = s
        .eer_threshold
        .map_or_else(String::new, |t| format!(", from {}", words::threshold(t)));
    for (name, estimate) in [
        ("APCER, worst", &s.apcer_worst),
        ("APCER, pooled", &s.apcer),
        ("BPCER", &s.bpcer),
        ("ACER", &s.acer),
        ("HTER", &s.hter),
        ("accuracy", &s.accuracy),
    ] {
        row(
            name.into(),
            words::percent_with_interval(estimate.as_ref()),
            estimate.as_ref(),
        );
    }
    row(
        format!("EER{threshold}"),
        words::percent_with_interval(s.eer.as_ref()),
        s.eer.as_ref(),
    );
    row(
        "AUC".into(),
        words::number_with_interval(s.auc.as_ref()),
        s.auc.as_ref(),
    );
    row(
        "Brier score".into(),
        words::number_with_interval(s.brier.as_ref()),
        s.brier.as_ref(),
    );
    row(
        "calibration error".into(),
        known(s.calibration_error.map(words::percent)),
        s.brier.as_ref(),
    );
    table
}

fn about_models(blocks: &mut Vec<Block>, report: &Report) {
    if report.models.is_empty() {
        return;
    }
    let title = if report.models.len() > 1 {
        "Models"
    } else {
        "Model"
    };
    blocks.push(Block::Section(title.into()));
    let mut table = Table::new(&[""], 1);
    table
        .head
        .extend(report.models.iter().map(|m| m.name.clone()));
    type Fact = fn(&Model) -> Option<String>;
    let facts: [(&str, Fact); 7] = [
        ("layers", |m| m.spec.clone()),
        ("parameters", |m| m.parameters.map(words::large)),
        ("multiply-adds for a face", |m| m.macs.map(words::large)),
        ("input", |m| m.input.clone()),
        ("crop", |m| m.crop.clone()),
        ("time for a face", |m| {
            m.ms_per_face.map(|t| format!("{} ms", words::short(t)))
        }),
        ("accepted from", |m| {
            Some(format!(
                "{} ({})",
                words::threshold(m.threshold.value),
                m.threshold.chosen
            ))
        }),
    ];
    for (name, fact) in facts {
        let values: Vec<Option<String>> = report.models.iter().map(fact).collect();
        if values.iter().any(Option::is_some) {
            let mut row = vec![name.to_owned()];
            row.extend(values.into_iter().map(known));
            table.rows.push(row);
        }
    }
    // All of it is words.
    table.words = table.head.len();
    blocks.push(Block::Table(table));
}

fn about_data(blocks: &mut Vec<Block>, report: &Report) {
    let split = &report.split.description;
    if report.data.is_empty() && split.is_empty() {
        return;
    }
    blocks.push(Block::Section("Data".into()));
    blocks.extend(split.iter().cloned().map(Block::Text));
    if report.data.is_empty() {
        return;
    }
    let head = [
        "set", "part", "class", "attack", "pictures", "sessions", "clients",
    ];
    let mut table = Table::new(&head, 4);
    for row in &report.data {
        table.rows.push(vec![
            row.set.clone(),
            row.part.clone(),
            row.class.clone(),
            known(Some(row.attack.clone()).filter(|a| !a.is_empty())),
            words::whole(row.pictures as u64),
            words::whole(row.sessions as u64),
            known(row.clients.map(|n| words::whole(n as u64))),
        ]);
    }
    blocks.push(Block::Table(table));
}

fn about_training<'a>(blocks: &mut Vec<Block<'a>>, report: &Report, figures: &'a Figures) {
    let (Some(last), false) = (report.history.last(), figures.training.is_empty()) else {
        return;
    };
    blocks.push(Block::Section("Training".into()));
    blocks.push(Block::Figures(&figures.training));
    let head = [
        "epoch",
        "learning rate",
        "training loss",
        "training accuracy",
        "validation loss",
        "validation accuracy",
        "validation ACER",
        "validation AUC",
    ];
    let mut table = Table::new(&head, 1);
    let best = report
        .history
        .iter()
        .find(|e| Some(e.epoch) == report.best_epoch);
    let (best_word, last_word) = ("kept", "last");
    for (word, e) in [(best_word, best), (last_word, Some(last))] {
        let Some(e) = e else { continue };
        if word == last_word && Some(e.epoch) == report.best_epoch {
            continue;
        }
        table.rows.push(vec![
            format!("{} ({word})", e.epoch),
            format!("{:.1e}", e.learning_rate),
            words::short(e.train_loss),
            words::percent(e.train_accuracy),
            known(e.val_loss.map(words::short)),
            known(e.val_accuracy.map(words::percent)),
            known(e.val_acer.map(words::percent)),
            known(e.val_auc.map(|v| format!("{v:.3}"))),
        ]);
    }
    blocks.push(Block::Table(table));
    blocks.push(Block::Text("All epochs are in history.csv.".into()));
}

fn how_to_read(blocks: &mut Vec<Block>, report: &Report) {
    blocks.push(Block::Section("How to read this".into()));
    for text in [
        "The words are those of ISO/IEC 30107-3. A face is accepted where its probability of live is at least the threshold. A face without an answer counts as refused: right for an attack, wrong for a live face.",
        "APCER: of the attacks of one kind, the share that is accepted; the worst kind counts, pooled is over all attacks. BPCER: of the live faces, the share that is refused. ACER = (worst APCER + BPCER) / 2. HTER = (pooled APCER + BPCER) / 2.",
        "EER: the error at the threshold where pooled APCER and BPCER are equal. That threshold is chosen on the set itself, so the EER flatters. AUC: the chance that a live face gets a higher probability than an attack.",
    ] {
        blocks.push(Block::Text(text.into()));
    }
    blocks.push(Block::Text(format!(
        "Brackets hold 95 % intervals: whole groups (clients or sessions) are drawn with replacement, {} times. Where the draws cannot differ, such as where no mistake was seen, Wilson's interval with each group as one trial stands in their place. An interval tells about other people like these before cameras like these; other cameras, light and attacks are not in it.",
        words::whole(report.bootstrap.resamples as u64)
    )));
}

fn known(value: Option<String>) -> String {
    value.unwrap_or_else(|| words::NOTHING.to_owned())
}
