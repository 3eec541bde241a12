// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole report from made-up data, and what must hold for every figure in it. With `REPORT_DEMO=FOLDER` it is written there, to be looked at.

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use liveness::metrics::{Answer, Bootstrap};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::measured::Measured;
use super::plot::scene::{Anchor, Mark};
use super::plot::{Figure, Figures, font};
use super::*;

/// Answers of a model that tells classes apart by `skill`, each client a little different.
fn answers(seed: u64, clients: usize, each: usize, skill: f32, species: &[&str]) -> Vec<Answer> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut all = Vec::new();
    for client in 0..clients {
        let shift: f32 = random.random_range(-1.0..1.0);
        for i in 0..each {
            let bona_fide = i % 2 == 0;
            let kind = (i / 2) % species.len().max(1);
            // The later kinds are harder.
            let strength = if bona_fide {
                skill
            } else {
                kind as f32 * 0.8 - skill
            };
            let noise: f32 = (0..4).map(|_| random.random_range(-1.6f32..1.6)).sum();
            let logit = strength + shift + noise;
            let live = 1.0 / (1.0 + (-logit).exp());
            let live = (random.random_range(0..60) > 0).then_some(live);
            all.push(Answer {
                bona_fide,
                species: match bona_fide {
                    true => String::new(),
                    false => species[kind].to_owned(),
                },
                group: format!("client {client:02}"),
                live,
            });
        }
    }
    all
}

/// A picture for each answer: a face of sorts, drawn. Every ninth is missing.
fn pictures(folder: &Path, answers: &[Answer], set: &str) -> Vec<PathBuf> {
    fs::create_dir_all(folder).unwrap();
    let one = |(i, answer): (usize, &Answer)| {
        let path = folder.join(format!(
            "{set}-{}-{i:05}.png",
            answer.group.replace(' ', "-")
        ));
        let tone = ((i * 37) % 90) as u8;
        let (width, height) = if i % 3 == 0 { (72, 96) } else { (96, 96) };
        let draw = |x: u32, y: u32| {
            let (fx, fy) = (
                x as f32 / width as f32 - 0.5,
                y as f32 / height as f32 - 0.5,
            );
            let round = |cx: f32, cy: f32, r: f32| (fx - cx).hypot(fy - cy) < r;
            if round(-0.13, -0.08, 0.04)
                || round(0.13, -0.08, 0.04)
                || (round(0.0, 0.1, 0.16) && fy > 0.16)
            {
                Rgb([50, 30, 30])
            } else if (fx * 1.25).hypot(fy) < 0.4 {
                Rgb([230 - tone, 180 - tone, 150 - tone / 2])
            } else {
                Rgb([90 + tone, 110 + (y as u8), 140])
            }
        };
        if i % 9 != 4 {
            RgbImage::from_fn(width, height, draw).save(&path).unwrap();
        }
        path
    };
    answers.iter().enumerate().map(one).collect()
}

fn history(epochs: usize) -> Vec<Epoch> {
    let mut random = StdRng::seed_from_u64(9);
    let one = |epoch: usize| {
        let t = epoch as f64 / epochs as f64;
        let mut jitter = |size: f64| random.random_range(-size..size);
        Epoch {
            epoch,
            learning_rate: 1e-3 * 0.5 * (1.0 + (std::f64::consts::PI * t).cos()),
            train_loss: 0.65 * (-3.5 * t).exp() + 0.03 + jitter(0.008),
            train_accuracy: 1.0 - 0.4 * (-5.0 * t).exp() - 0.012 + jitter(0.004),
            val_loss: Some(0.6 * (-3.0 * t).exp() + 0.12 + 0.1 * t * t + jitter(0.02)),
            val_accuracy: Some(1.0 - 0.38 * (-4.0 * t).exp() - 0.05 + jitter(0.012)),
            val_acer: Some(0.4 * (-4.0 * t).exp() + 0.055 + jitter(0.012)),
            val_auc: Some(0.985 - 0.2 * (-4.0 * t).exp() + jitter(0.004)),
            seconds: 41.0 + jitter(3.0),
        }
    };
    (1..=epochs).map(one).collect()
}

fn set(name: &str, role: &str, answers: Vec<Answer>, paths: Vec<PathBuf>) -> EvaluationSet {
    EvaluationSet {
        name: name.into(),
        role: role.into(),
        groups_are: "clients".into(),
        answers,
        paths,
    }
}

/// What a training with three sets and two other models to compare with would give.
fn example(scratch: &Path) -> Report {
    let kinds = [
        "warped print",
        "cut print",
        "replay on a phone",
        "replay on a large screen",
    ];
    let of = |skill: f32| {
        [
            answers(1, 30, 16, skill, &kinds),
            answers(2, 40, 24, skill - 0.7, &["print", "replay"]),
            answers(3, 5, 8, skill, &["mask"]),
        ]
    };
    let model = |name: &str, skill: f32, ms: f64| -> Model {
        let [test, other, small] = of(skill);
        let paths = pictures(&scratch.join("test"), &test, "test");
        let more = pictures(&scratch.join("other"), &other, "other");
        Model {
            name: name.into(),
            spec: Some("conv 16, 3 × (dw 3×3 + pw), pool, fc 2".into()),
            parameters: Some(147_712),
            macs: Some(41_200_000),
            input: Some("80×80 RGB, −1..1".into()),
            crop: Some("face box × 2.7".into()),
            ms_per_face: Some(ms),
            threshold: Threshold {
                value: 0.537_8,
                chosen: "equal errors on the validation set".into(),
            },
            sets: vec![
                set("test", "never trained on", test, paths),
                set("CASIA-FASD", "other cameras and people", other, more),
                set("webcams", "our own recordings", small, Vec::new()),
            ],
        }
    };
    let row = |part: &str, class: &str, attack: &str, pictures: usize| DataRow {
        set: "recorded".into(),
        part: part.into(),
        class: class.into(),
        attack: attack.into(),
        pictures,
        sessions: pictures / 12,
        clients: Some(pictures / 24),
    };
    Report {
        title: "Liveness model “small-80”".into(),
        command: "liveness-train train --data recorded --data celeba-spoof --spec small --input 80 --epochs 40 --out runs/small-80".into(),
        notes: vec!["2026-11-21, liveness-train 0.1.0, 2 threads.".into()],
        data: vec![
            row("train", "live", "", 8640),
            row("train", "spoof", "warped print", 12480),
            row("train", "spoof", "replay on a phone", 10824),
            row("validation", "live", "", 960),
            row("test", "live", "", 240),
            row("test", "spoof", "warped print", 240),
        ],
        split: Split {
            description: vec!["Split by client into 70 % training, 15 % validation and 15 % test; no client is on two sides.".into()],
            warnings: vec!["A random split was forced: pictures of one session are on both sides.".into()],
            optimism: Some(Optimism {
                figure: "ACER".into(),
                grouped: 0.084,
                random: 0.003,
            }),
        },
        history: history(40),
        best_epoch: Some(31),
        labels: vec!["spoof".into(), "live".into()],
        models: vec![
            model("small-80", 3.4, 0.61),
            model("MiniFASNetV2 (public)", 2.2, 1.84),
            model("LivenessNet 32×32", 1.0, 0.034),
        ],
        bootstrap: Bootstrap {
            resamples: 400,
            seed: 0,
        },
    }
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn a_report_is_whole_and_says_the_same_everywhere() {
    let scratch = tempfile::tempdir().unwrap();
    let wanted = std::env::var_os("REPORT_DEMO").map(PathBuf::from);
    let folder = wanted.unwrap_or_else(|| scratch.path().join("report"));
    let report = example(&scratch.path().join("pictures"));
    write(&report, &folder, &[]).unwrap();
    // On the page, figures hold fast to their units.
    let page = read(&folder, "report.html").replace('\u{a0}', " ");
    let text = read(&folder, "report.md");
    let metrics: serde_json::Value = serde_json::from_str(&read(&folder, "metrics.json")).unwrap();

    // The same figure in all three.
    let first = &metrics["models"][0]["sets"][0];
    let acer = &first["acer"];
    let shown = format!("{:.1} %", 100.0 * acer["value"].as_f64().unwrap());
    let bounds = format!(
        "[{:.1}, {:.1}]",
        100.0 * acer["interval"]["low"].as_f64().unwrap(),
        100.0 * acer["interval"]["high"].as_f64().unwrap()
    );
    assert!(
        page.contains(&format!("{shown} {bounds}")),
        "{shown} {bounds}"
    );
    assert!(
        text.contains(&format!("{shown} \\{}", bounds.replace(']', "\\]"))),
        "{shown} {bounds}"
    );
    assert!(terminal(&report).contains(&format!("{shown} {bounds}")));
    assert!(page.contains("n = 480 of 30 clients") && text.contains("n = 480 of 30 clients"));
    assert_eq!(first["counts"]["answers"], 480);
    assert_eq!(first["counts"]["groups"], 30);

    // What the reader must not overlook.
    for words in [
        "A random split was forced",
        "random split: 0.3 %",
        "webcams: Only 5 clients: the intervals are wide",
    ] {
        assert!(page.contains(words) && text.contains(words), "{words}");
    }

    // The page needs nothing else.
    for forbidden in ["<script", "http:", "https:", "src=\"plots", "<link", "url("] {
        assert!(!page.contains(forbidden), "the page holds {forbidden}");
    }
    assert_eq!(
        page.matches("<svg").count(),
        page.matches("aria-label=\"").count() - 1
    );
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("@media print"));
    for tag in ["table", "figure", "svg", "div", "ul", "dl", "h2", "main"] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }

    // Every picture that the text names is there, and every one has its twin.
    for name in text
        .lines()
        .filter_map(|l| l.strip_prefix("![")?.rsplit_once("]("))
    {
        let name = name.1.trim_end_matches(')');
        let picture = image::open(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(picture.width() >= 1000, "{name}");
        if let Some(plot) = name.strip_suffix(".png").filter(|p| p.starts_with("plots")) {
            assert!(read(&folder, &format!("{plot}.svg")).starts_with("<svg"));
        }
    }
    let plots = fs::read_dir(folder.join("plots")).unwrap().count();
    // Training, comparison, ROC and DET of each of three sets, ROC, DET, four of each set.
    assert_eq!(plots, 2 * (1 + 1 + 2 * 3 + 2 + 4 * 3));

    let csv = read(&folder, "history.csv");
    assert_eq!(csv.lines().count(), 41);
    assert!(csv.lines().all(|l| l.split(',').count() == 9));
    let labels: serde_json::Value = serde_json::from_str(&read(&folder, "labels.json")).unwrap();
    assert_eq!(labels["live"], 1);
    assert_eq!(labels["threshold"], 0.5378);
}

#[test]
fn a_report_of_nothing_is_still_one() {
    let scratch = tempfile::tempdir().unwrap();
    for (i, sets) in [
        vec![],
        vec![set("empty", "", vec![], vec![])],
        vec![set(
            "live only",
            "",
            vec![Answer::bona_fide("a", Some(0.9))],
            vec![],
        )],
        vec![set(
            "silent",
            "",
            vec![Answer::bona_fide("a", None), Answer::attack("", "b", None)],
            vec![],
        )],
        vec![set(
            "no number",
            "",
            vec![
                Answer::bona_fide("a", Some(f32::NAN)),
                Answer::attack("x", "b", Some(1.0)),
            ],
            vec![],
        )],
    ]
    .into_iter()
    .enumerate()
    {
        let report = Report {
            title: "<Nothing> & *less*".into(),
            models: vec![Model {
                sets,
                ..Model::default()
            }],
            ..Report::default()
        };
        let folder = scratch.path().join(i.to_string());
        write(&report, &folder, &[]).unwrap();
        assert!(read(&folder, "report.html").contains("<h1>&lt;Nothing&gt; &amp; *less*</h1>"));
        assert!(read(&folder, "report.md").starts_with("# \\<Nothing\\> & \\*less\\*\n"));
        assert!(!folder.join("history.csv").exists());
        let _ = terminal(&report);
    }
    write(&Report::default(), &scratch.path().join("void"), &[]).unwrap();
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let mut report = Report {
        models: vec![Model {
            name: "m".into(),
            sets: vec![set(
                "s",
                "",
                vec![Answer::bona_fide("a", None)],
                vec!["a".into(), "b".into()],
            )],
            ..Model::default()
        }],
        ..Report::default()
    };
    let folder = scratch.path().join("report");
    let error = write(&report, &folder, &[]).unwrap_err().to_string();
    assert!(error.contains("1 answers and 2 paths"), "{error}");
    report.models[0].sets[0].paths.clear();
    report.models[0].threshold.value = f64::NAN;
    let error = write(&report, &folder, &[]).unwrap_err().to_string();
    assert!(error.contains("threshold NaN"), "{error}");
    assert!(!folder.exists());
}

/// Where words stand on the sheet: left, top, right, bottom.
fn boxes(figure: &Figure) -> Vec<(String, [f64; 4])> {
    let of = |mark: &Mark| match mark {
        Mark::Words {
            at,
            text,
            style,
            anchor,
        } if !text.is_empty() => {
            let width = font::width(text, *style);
            let left = match anchor {
                Anchor::Start => at.0,
                Anchor::Middle => at.0 - width / 2.0,
                Anchor::End => at.0 - width,
            };
            let half = style.size * 0.45;
            Some((text.clone(), [left, at.1 - half, left + width, at.1 + half]))
        }
        _ => None,
    };
    figure.scene.marks.iter().filter_map(of).collect()
}

#[test]
fn no_words_are_cut_off_and_none_stand_upon_others() {
    let scratch = tempfile::tempdir().unwrap();
    let mut report = example(&scratch.path().join("pictures"));
    report.bootstrap.resamples = 50;
    // Long names, rates of 100 %, a threshold at the edge.
    let mut odd = report.clone();
    for model in &mut odd.models {
        model.name = format!(
            "{} with a name that goes on for very much longer than one expects",
            model.name
        );
        model.threshold.value = 0.001;
        for set in &mut model.sets {
            set.name = format!(
                "{} and what else there is to say about a set of pictures",
                set.name
            );
            for answer in &mut set.answers {
                answer.species = answer.species.repeat(6);
                answer.live = Some(0.999);
            }
        }
    }
    odd.history.truncate(1);
    for (report, what) in [(report, "plain"), (odd, "odd")] {
        let measured = Measured::all(&report);
        for figure in Figures::of(&report, &measured).all() {
            let (width, height) = (figure.scene.width, figure.scene.height);
            let boxes = boxes(figure);
            for (i, (text, a)) in boxes.iter().enumerate() {
                assert!(
                    a[0] >= 2.0 && a[1] >= 2.0 && a[2] <= width - 2.0 && a[3] <= height - 2.0,
                    "{what} {}: “{text}” at {a:?} is cut off ({width} x {height})",
                    figure.name
                );
                for (other, b) in boxes.iter().skip(i + 1) {
                    // Words in a row need a gap.
                    let apart =
                        a[2] + 3.0 <= b[0] || b[2] + 3.0 <= a[0] || a[3] <= b[1] || b[3] <= a[1];
                    assert!(
                        apart,
                        "{what} {}: “{text}” {a:?} and “{other}” {b:?}",
                        figure.name
                    );
                }
            }
        }
    }
}

#[test]
fn mistakes_are_shown_the_worst_first_and_the_missing_by_name() {
    let scratch = tempfile::tempdir().unwrap();
    let picture = scratch.path().join("seen.png");
    RgbImage::from_pixel(8, 8, Rgb([1, 2, 200]))
        .save(&picture)
        .unwrap();
    let answers = vec![
        Answer::attack("print", "a", Some(0.99)),
        Answer::attack("print", "b", Some(0.6)),
        Answer::attack("print", "c", Some(0.2)),
        Answer::bona_fide("a", Some(0.9)),
    ];
    let paths = vec![
        scratch.path().join("gone.png"),
        picture,
        "x".into(),
        "y".into(),
    ];
    let report = Report {
        models: vec![Model {
            sets: vec![set("s", "", answers, paths)],
            ..Model::default()
        }],
        ..Report::default()
    };
    let measured = Measured::all(&report);
    let asked = std::cell::RefCell::new(Vec::new());
    let load = |path: &Path| {
        asked
            .borrow_mut()
            .push(path.file_name().unwrap().to_owned());
        mistakes::from_file(path)
    };
    let (sheet, alt) = mistakes::sheet(&measured[0], &load).unwrap().unwrap();
    assert_eq!(*asked.borrow(), ["gone.png", "seen.png"]);
    assert_eq!(
        alt,
        "Attacks taken for live: all 2. Live faces refused: none."
    );
    assert!(sheet.pixels().any(|p| p.0 == [1, 2, 200]));
    // Without paths there is nothing to show.
    let mut report = report;
    report.models[0].sets[0].paths.clear();
    assert!(
        mistakes::sheet(&Measured::all(&report)[0], &load)
            .unwrap()
            .is_none()
    );
}
