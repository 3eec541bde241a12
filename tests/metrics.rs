// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library's figures against the yardstick's (Python, `eval/fas_eval.py` beside the assets; called by tests/metrics.py): equal to 1e-6
//! on random answers with ties, silence, several species and clients of different sizes.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use liveness::metrics::{Answer, Bootstrap, Estimate, Summary, eer, equal_weight_threshold};

#[derive(serde::Deserialize)]
struct Yardstick {
    sets: Vec<Measured>,
    transfer: f64,
}

#[derive(serde::Deserialize)]
struct Measured {
    auc: f64,
    auc_ci: [f64; 2],
    eer: f64,
    eer_threshold: f64,
    transferred: Rates,
    no_answer_live: usize,
    no_answer_attack: usize,
    groups: usize,
}

#[derive(serde::Deserialize)]
struct Rates {
    apcer: f64,
    worst: f64,
    bpcer: f64,
    acer: f64,
    hter: f64,
    hter_ci: [f64; 2],
    kinds: BTreeMap<String, f64>,
}

/// Answers that look like those of a model of middling quality, some of them equal, some missing.
fn answers(seed: u64, n: usize, clients: u64) -> Vec<Answer> {
    let mut state = seed;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let mut one = || {
        let bona_fide = random() < 0.4;
        let species = ["print", "replay", "mask"][(random() * 2.99) as usize];
        // Low numbers of clients come up more often: groups of different sizes.
        let group = (random() * random() * clients as f32) as u64;
        let spread = (random() + random() + random()) / 3.0;
        let live = (spread + if bona_fide { 0.15 } else { -0.15 }).clamp(0.0, 1.0);
        let rounded = (live * 50.0).round() / 50.0;
        Answer {
            bona_fide,
            species: if bona_fide { "" } else { species }.into(),
            group: group.to_string(),
            live: match (random() * 10.0) as u8 {
                0 => None,
                1..4 => Some(rounded),
                _ => Some(live),
            },
        }
    };
    (0..n).map(|_| one()).collect()
}

/// The folder of the yardstick, and a Python that can run it.
fn tools() -> Option<(PathBuf, PathBuf)> {
    let folder = common::assets()?.parent()?.join("eval");
    let python = common::root().join(".setup/venv/bin/python");
    for needed in [&folder.join("fas_eval.py"), &python] {
        if !needed.exists() {
            common::skip(format_args!("no {}", needed.display()));
            return None;
        }
    }
    Some((folder, python))
}

fn ask(folder: &Path, python: &Path, sets: &[(f64, Vec<Answer>)]) -> Yardstick {
    let mut child = Command::new(python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(common::root().join("tests/metrics.py"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let text = serde_json::to_vec(sets).expect("answers are plain data");
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(&text).expect("python reads");
    drop(stdin);
    let out = child.wait_with_output().expect("python ends");
    assert!(out.status.success(), "the yardstick failed");
    serde_json::from_slice(&out.stdout).expect("it prints JSON")
}

fn close(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    assert!(
        (ours - theirs).abs() <= tolerance,
        "{what}: {ours} instead of {theirs}"
    );
}

/// The random numbers differ, so intervals agree only about.
fn about(what: &str, ours: Option<Estimate>, theirs: [f64; 2]) {
    let interval = ours.and_then(|e| e.interval).expect("an interval");
    close(what, interval.low, theirs[0], 0.01);
    close(what, interval.high, theirs[1], 0.01);
}

#[test]
fn figures_are_those_of_the_yardstick() {
    let Some((folder, python)) = tools() else {
        return;
    };
    let sets: Vec<(f64, Vec<Answer>)> = vec![
        (0.5, answers(1, 400, 30)),
        (0.62, answers(2, 1000, 80)),
        (0.3, answers(3, 60, 7)),
        (f64::from(0.42f32), answers(4, 300, 300)),
    ];
    let yardstick = ask(&folder, &python, &sets);
    assert_eq!(yardstick.sets.len(), sets.len());
    for ((threshold, answers), theirs) in sets.iter().zip(&yardstick.sets) {
        let bootstrap = Bootstrap {
            resamples: 4000,
            seed: 0,
        };
        let ours = Summary::of(answers, *threshold, &bootstrap);
        let exactly = |what, ours: Option<Estimate>, theirs| {
            close(what, ours.expect(what).value, theirs, 1e-6);
        };
        exactly("AUC", ours.auc, theirs.auc);
        exactly("EER", ours.eer, theirs.eer);
        let of_eer = eer(answers).expect("both classes").threshold;
        close("EER's threshold", of_eer, theirs.eer_threshold, 1e-6);
        exactly("APCER", ours.apcer, theirs.transferred.apcer);
        exactly("worst APCER", ours.apcer_worst, theirs.transferred.worst);
        exactly("BPCER", ours.bpcer, theirs.transferred.bpcer);
        exactly("ACER", ours.acer, theirs.transferred.acer);
        exactly("HTER", ours.hter, theirs.transferred.hter);
        for species in &ours.species {
            let theirs = theirs.transferred.kinds[&species.name];
            close(&species.name, species.apcer.value, theirs, 1e-6);
        }
        assert_eq!(ours.species.len(), theirs.transferred.kinds.len());
        assert_eq!(ours.counts.bona_fide_silent, theirs.no_answer_live);
        assert_eq!(ours.counts.attacks_silent, theirs.no_answer_attack);
        assert_eq!(ours.counts.groups, theirs.groups);
        about("AUC's interval", ours.auc, theirs.auc_ci);
        about("HTER's interval", ours.hter, theirs.transferred.hter_ci);
    }
    let all: Vec<&[Answer]> = sets.iter().map(|(_, a)| a.as_slice()).collect();
    let threshold = equal_weight_threshold(&all).expect("both classes");
    close("transferred threshold", threshold, yardstick.transfer, 1e-6);
}
