// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: the real binary on folders of small pictures that are made here. What counts is its exit status,
//! what it says, and what lies in the output folder afterwards.
//!
//! The pictures are crops of painted faces, so no detector is needed; the spoofs have the coarse stripes of a screen, which the small net
//! sees after an epoch.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/common/plugin.rs"]
mod plugin;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use image::{ImageFormat, Rgb, RgbImage};
use liveness_train::net::noise::{Noise, seed};
use liveness_train::onnx;
use plugin::{Ended, Plugin, Running, Tool};
use serde_json::Value;

/// Longest time for a training. One takes some seconds: this is for a machine under load.
const LONG: Duration = Duration::from_secs(400);

/// The people in the pictures, half of whom only [`Ground::strangers`] shows.
const PEOPLE: [&str; 16] = [
    "ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jim", "kim", "leo", "mia",
    "ned", "ora", "pam",
];

/// Pictures of each person and class.
const TAKES: u64 = 5;

/// Width and height of a picture.
const SIDE: u32 = 64;

/// Epochs of most trainings here.
const EPOCHS: usize = 4;

/// A face as a child would paint it. A spoof is a screen with it: dark lines between coarse pixels.
fn face(person: usize, take: u64, spoof: bool) -> RgbImage {
    let (mut whose, mut which) = (
        Noise::new(seed(&[person as u64])),
        Noise::new(seed(&[person as u64, take, spoof.into()])),
    );
    let mut colour = |low, high| [(); 3].map(|()| whose.between(low, high));
    let (skin, wall) = (colour(110.0, 220.0), colour(30.0, 220.0));
    let middle = [(); 2].map(|()| which.between(0.44, 0.56));
    let (radius, light) = (which.between(0.29, 0.37), which.between(0.85, 1.1));
    let slope = [(); 2].map(|()| which.between(-0.4, 0.4));
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let at = [x, y].map(|v| v as f32 / SIDE as f32);
        let (dx, dy) = (at[0] - middle[0], at[1] - middle[1]);
        let blob = |x: f32, y: f32, w: f32, h: f32| {
            (-((dx - x) / w).powi(2) - ((dy - y) / h).powi(2)).exp()
        };
        let head = 1.0 - (1.0 - blob(0.0, 0.0, radius, 1.2 * radius)).powi(3);
        let marks = blob(-0.13, -0.1, 0.05, 0.03)
            + blob(0.13, -0.1, 0.05, 0.03)
            + blob(0.0, 0.17, 0.12, 0.03);
        let shade = light * (1.0 + slope[0] * dx + slope[1] * dy) * (1.0 - 0.7 * marks.min(1.0));
        let lines = x % 8 < 3 || y % 8 < 3;
        let screen = match spoof {
            true => [1.25, 0.45][usize::from(lines)],
            false => 1.0,
        };
        Rgb([0, 1, 2].map(|c| {
            let value = wall[c] * (1.0 - head) + skin[c] * head;
            (value * shade * screen) as u8
        }))
    })
}

/// All pictures as files: every third is a PNG, whatever it shows.
static PICTURES: LazyLock<Vec<(usize, String, Vec<u8>)>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for (person, name) in PEOPLE.iter().enumerate() {
        for take in 0..TAKES {
            for (class, spoof) in [("real", false), ("replay", true)] {
                let (ending, format) = match take % 3 {
                    2 => ("png", ImageFormat::Png),
                    _ => ("jpg", ImageFormat::Jpeg),
                };
                let mut bytes = std::io::Cursor::new(Vec::new());
                face(person, take, spoof)
                    .write_to(&mut bytes, format)
                    .unwrap();
                let path = format!("{class}/{name}_{take:03}.{ending}");
                all.push((person, path, bytes.into_inner()));
            }
        }
    }
    all
});

/// A scratch folder for pictures and for what is made of them.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn pictures(&self, folder: &str, of: impl Fn(usize, &str) -> bool) -> PathBuf {
        for (person, name, bytes) in PICTURES.iter() {
            if of(*person, name) {
                self.put(&format!("{folder}/{name}"), bytes);
            }
        }
        self.path(folder)
    }

    /// Eight people, live and spoofed.
    fn faces(&self) -> PathBuf {
        self.pictures("faces", |person, _| person < 8)
    }

    /// Eight others.
    fn strangers(&self) -> PathBuf {
        self.pictures("strangers", |person, _| person >= 8)
    }

    /// Training on `folder`, with what makes it small.
    fn train(&self, folder: &Path) -> Tool {
        self.bare(folder).args(["--crops", "1.2"])
    }

    fn bare(&self, folder: &Path) -> Tool {
        let tool = program().args(["train", "--batch", "8", "--crop-scale", "1.1", "--train"]);
        tool.arg(folder).arg("--output").arg(self.path("model"))
    }

    fn full(&self, folder: &Path) -> Tool {
        self.train(folder)
            .args(["--epochs", &EPOCHS.to_string(), "--patience", "0"])
    }

    fn resume(&self) -> Tool {
        program()
            .args(["train", "--resume"])
            .arg(self.path("model"))
    }

    fn evaluate(&self, models: &[&Path]) -> Tool {
        let tool = program().args(["evaluate", "--crops", "1.2"]);
        models.iter().fold(tool, |t, m| t.arg("--model").arg(m))
    }

    /// Everything below a folder, by its path there.
    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(folder);
        let mut all = BTreeMap::new();
        let mut todo = vec![root.clone()];
        while let Some(path) = todo.pop() {
            if path.is_dir() {
                todo.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            } else if path.exists() {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                all.insert(name, fs::read(&path).unwrap());
            }
        }
        all
    }

    /// Names in the scratch folder, hidden ones, too.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn program() -> Tool {
    Plugin::shared()
        .command(env!("CARGO_BIN_EXE_liveness-train"))
        .without("LIVENESS_DETECTOR")
}

/// Runs it to its end.
fn ended(tool: Tool) -> Ended {
    tool.start(LONG).end()
}

/// What a training left, and what it said.
struct Trained {
    files: BTreeMap<String, Vec<u8>>,
    stdout: String,
    stderr: String,
}

impl Trained {
    fn of(ground: &Ground, ended: Ended) -> Self {
        Self {
            files: ground.files("model"),
            stdout: ended.stdout,
            stderr: ended.stderr,
        }
    }

    fn with(more: &[&str]) -> Self {
        let ground = Ground::new();
        let tool = ground.full(&ground.faces()).args(more);
        Self::of(&ground, ended(tool).cleanly(&[0]))
    }

    fn text(&self, name: &str) -> &str {
        let bytes = self.files.get(name);
        std::str::from_utf8(bytes.unwrap_or_else(|| panic!("{name} is missing"))).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.text(name)).unwrap()
    }

    /// The model as a file of this name.
    fn model(&self, ground: &Ground, name: &str) -> PathBuf {
        ground.put(name, &self.files["model.onnx"])
    }

    /// The curve without what it took.
    fn curve(&self) -> Vec<&str> {
        let lines = self.text("history.csv").lines();
        lines.map(|l| l.rsplit_once(',').unwrap().0).collect()
    }

    /// All that the same training gives again.
    #[track_caller]
    fn assert_same(&self, other: &Self) {
        assert_eq!(self.curve(), other.curve());
        assert!(
            self.files["model.onnx"] == other.files["model.onnx"],
            "another model"
        );
        let names = |t: &Self| t.files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(other));
    }
}

/// A training that nobody disturbed.
static TAUGHT: LazyLock<Trained> = LazyLock::new(|| Trained::with(&[]));

/// The same with another seed.
static OTHER: LazyLock<Trained> = LazyLock::new(|| Trained::with(&["--seed", "2"]));

/// The sets of the first model in a `metrics.json`, by name.
fn sets(metrics: &Value) -> BTreeMap<String, &Value> {
    let sets = metrics["models"][0]["sets"].as_array().unwrap();
    let name = |s: &Value| s["set"].as_str().unwrap().to_owned();
    sets.iter().map(|s| (name(s), s)).collect()
}

mod training {
    //! From folders to a model.
    use super::*;

    #[test]
    fn a_folder_becomes_a_model_and_a_report() {
        let taught = &*TAUGHT;
        let mut wanted = vec![
            "augmented.png",
            "history.csv",
            "labels.json",
            "metrics.json",
            "model.onnx",
            "report.html",
            "report.md",
            "run.json",
        ];
        let beside = taught.files.keys().filter(|n| !n.starts_with("plots/"));
        // Only there where it made one.
        let beside: Vec<_> = beside.filter(|n| *n != "mistakes.png").collect();
        wanted.sort_unstable();
        assert_eq!(beside, wanted);
        for name in taught.files.keys().filter(|n| n.ends_with(".png")) {
            image::load_from_memory(&taught.files[name]).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        let plots: Vec<_> = taught
            .files
            .keys()
            .filter(|n| n.starts_with("plots/"))
            .collect();
        for plot in [
            "training",
            "roc",
            "det",
            "scores-held-out",
            "confusion-held-out",
        ] {
            for ending in ["png", "svg"] {
                let name = format!("plots/{plot}.{ending}");
                assert!(plots.contains(&&name), "{name} is missing: {plots:?}");
            }
        }
        assert_eq!(taught.curve().len(), EPOCHS + 1);
        let labels = taught.json("labels.json");
        assert_eq!(labels["labels"], serde_json::json!(["spoof", "live"]));
        let metrics = taught.json("metrics.json");
        assert_eq!(
            labels["threshold"],
            metrics["models"][0]["threshold"]["value"]
        );
        assert!(taught.text("report.html").contains("held out"));
        assert!(taught.text("report.md").contains("plots/training.png"));
        // What it was told, with the defaults.
        let run = taught.json("run.json");
        assert_eq!((&run["epochs"], &run["seed"]), (&EPOCHS.into(), &1.into()));
        assert!(taught.stdout.contains("model.onnx"), "{}", taught.stdout);
        for epoch in 1..=EPOCHS {
            let line = format!("training: epoch {epoch}/{EPOCHS}:");
            assert!(taught.stderr.contains(&line), "{}", taught.stderr);
        }
    }

    #[test]
    fn what_is_held_out_is_measured() {
        let metrics = TAUGHT.json("metrics.json");
        let sets = sets(&metrics);
        assert_eq!(sets.keys().collect::<Vec<_>>(), ["held out", "validation"]);
        let held = sets["held out"];
        let pictures: u64 = metrics["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["part"] == "held out")
            .map(|row| row["pictures"].as_u64().unwrap())
            .sum();
        let counts = &held["counts"];
        assert_eq!(counts["answers"], pictures, "{held}");
        assert_eq!(
            counts["groups"],
            pictures / (2 * TAKES),
            "people are torn apart: {held}"
        );
        // Stripes as coarse as these are seen.
        assert!(held["auc"]["value"].as_f64().unwrap() > 0.95, "{held}");
    }

    #[test]
    fn of_two_people_none_is_kept_for_measuring_alone_and_that_is_said() {
        let ground = Ground::new();
        let two = ground.pictures("two", |person, _| person < 2);
        let tool = ground.train(&two).args(["--epochs", "1"]);
        let trained = Trained::of(&ground, ended(tool).cleanly(&[0]));
        let metrics = trained.json("metrics.json");
        assert_eq!(sets(&metrics).keys().collect::<Vec<_>>(), ["validation"]);
        for text in [&trained.stdout, trained.text("report.md")] {
            assert!(text.contains("too few people or recordings"), "{text}");
        }
    }

    /// The same pictures are live and spoofs: no live face scores above all spoofs, and no threshold keeps the bound but one that refuses
    /// everybody.
    #[test]
    fn what_cannot_be_told_apart_becomes_a_model_that_accepts_nobody() {
        let ground = Ground::new();
        let same = ground.pictures("same", |p, name| p < 6 && name.starts_with("real"));
        for (name, bytes) in ground.files("same") {
            ground.put(&format!("same/{}", name.replace("real", "print")), &bytes);
        }
        let tool = ground.train(&same).args(["--epochs", "1"]);
        let trained = Trained::of(&ground, ended(tool).cleanly(&[0]));
        assert_eq!(trained.json("labels.json")["threshold"], 1.0);
        let facts = onnx::read(&ground.path("model/model.onnx")).unwrap().facts;
        assert_eq!(facts["threshold"], "1");
        let metrics = trained.json("metrics.json");
        let valid = sets(&metrics)["validation"];
        assert_eq!(valid["bpcer"]["value"], 1.0, "{valid}");
        assert!(facts["threshold-chosen"].contains("100.0 % of live faces are refused"));
    }

    #[test]
    fn another_folder_is_measured_as_evaluate_measures_it() {
        let ground = Ground::new();
        let faces = ground.faces();
        // A usual name for such a folder, and what a part of the other one is called in the report.
        let others = ground.pictures("validation", |person, _| person >= 8);
        let tool = ground.train(&faces).args(["--epochs", "1", "--test"]);
        let trained = Trained::of(&ground, ended(tool.arg(&others)).cleanly(&[0]));
        let metrics = trained.json("metrics.json");
        let there = sets(&metrics);
        let name = others.display().to_string();
        assert_eq!(there.keys().collect::<Vec<_>>(), [&name, "validation"]);
        let tool = ground.evaluate(&[&ground.path("model/model.onnx")]);
        let tool = tool.arg("--test").arg(&others);
        ended(tool.arg("--output").arg(ground.path("report"))).cleanly(&[0]);
        let files = ground.files("report");
        let metrics: Value = serde_json::from_slice(&files["metrics.json"]).unwrap();
        let here = &metrics["models"][0]["sets"][0];
        let figure = |set: &Value, figure: &str| set[figure]["value"].as_f64().unwrap();
        for what in ["auc", "acer", "brier"] {
            let (a, b) = (figure(there[&name], what), figure(here, what));
            assert!(
                (a - b).abs() < 1e-3,
                "{what}: {a} in training, {b} of the file"
            );
        }
    }
}

mod again {
    //! The same twice, and what differs.
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_model_with_any_number_of_threads() {
        TAUGHT.assert_same(&Trained::with(&["--threads", "1"]));
    }

    #[test]
    fn another_seed_gives_another_model() {
        assert_ne!(TAUGHT.curve(), OTHER.curve());
        assert!(TAUGHT.files["model.onnx"] != OTHER.files["model.onnx"]);
    }

    #[test]
    fn a_model_is_not_lost_unless_that_was_said() {
        let ground = Ground::new();
        for (name, bytes) in &TAUGHT.files {
            ground.put(&format!("model/{name}"), bytes);
        }
        let tool = || ground.full(&ground.faces());
        let refused = ended(tool()).cleanly(&[1]);
        refused.says(&["model holds a model already", "--overwrite"]);
        assert!(
            ground.files("model") == TAUGHT.files,
            "something was touched"
        );
        // Neither is anything else that lies there.
        let notes = ground.put("model/notes.txt", b"mine");
        let refused = ended(tool().arg("--overwrite")).cleanly(&[1]);
        refused.says(&["notes.txt", "another folder"]);
        fs::remove_file(notes).unwrap();
        assert!(
            ground.files("model") == TAUGHT.files,
            "something was touched"
        );
        let tool = tool().args(["--overwrite", "--seed", "2"]);
        let again = Trained::of(&ground, ended(tool).cleanly(&[0]));
        again.assert_same(&OTHER);
        assert_eq!(ground.names(), ["faces", "model"]);
    }

    #[test]
    fn a_trained_model_is_trained_further_with_its_crop() {
        let ground = Ground::new();
        let first = TAUGHT.model(&ground, "first.onnx");
        let tool = program().args(["train", "--crops", "1.2", "--epochs", "1", "--batch", "8"]);
        let tool = tool
            .arg("--train")
            .arg(ground.strangers())
            .arg("--init")
            .arg(&first);
        let tool = tool.arg("--output").arg(ground.path("model"));
        let ended = ended(tool).cleanly(&[0]);
        let facts = |path: &Path| onnx::read(path).unwrap().facts;
        let (before, after) = (facts(&first), facts(&ground.path("model/model.onnx")));
        assert_eq!(before["crop-scale"], "1.1");
        for fact in ["crop", "crop-scale", "outside", "color", "mean", "scale"] {
            assert_eq!(before[fact], after[fact], "{fact}");
        }
        // It begins where the other ended: untrained, its loss is above 0.6 after an epoch.
        let trained = Trained::of(&ground, ended);
        let row: Vec<&str> = trained.curve()[1].split(',').collect();
        assert!(row[4].parse::<f64>().unwrap() < 0.3, "{row:?}");
    }
}

mod stopped {
    //! Killed or interrupted, and resumed.
    use super::*;

    /// A training that `stop` has ended after its first epoch. Where it was faster, and was done or writing its report, it is begun anew:
    /// what is to be seen is how one ends in its middle.
    fn ended_early(
        tool: impl Fn(&Ground) -> Tool,
        stop: impl Fn(Running) -> Option<Ended>,
    ) -> (Ground, Option<Ended>) {
        for _ in 0..10 {
            let ground = Ground::new();
            let checkpoint = ground.path("model/checkpoint");
            let mut run = tool(&ground).start(LONG);
            run.until("finish an epoch", || checkpoint.exists());
            let ended = stop(run);
            if checkpoint.exists() && ground.names() == ["faces", "model"] {
                return (ground, ended);
            }
        }
        panic!("it always came to its end before it could be stopped");
    }

    fn resumed(ground: &Ground) {
        let again = Trained::of(ground, ended(ground.resume()).cleanly(&[0]));
        again.assert_same(&TAUGHT);
        assert!(
            !again.stderr.contains("epoch 1/"),
            "it began anew: {}",
            again.stderr
        );
        assert_eq!(ground.names(), ["faces", "model"]);
        let over = ended(ground.resume()).cleanly(&[1]);
        over.says(&["is finished", "--init"]);
    }

    #[test]
    fn a_killed_run_goes_on_to_the_same_model() {
        let tool = |ground: &Ground| ground.full(&ground.faces());
        let (ground, _) = ended_early(tool, |run| {
            // As kill -9 does.
            drop(run);
            None
        });
        assert!(!ground.path("model/model.onnx").exists());
        // Had it been killed while it wrote the next checkpoint, half of that would lie there.
        ground.put("model/.a1B2c3.part", b"half");
        resumed(&ground);
    }

    #[test]
    fn ctrl_c_leaves_the_best_so_far_and_the_run_goes_on_to_the_same_model() {
        let tool = |ground: &Ground| ground.full(&ground.faces());
        let (ground, ended) = ended_early(tool, |run| {
            run.interrupt();
            Some(run.end())
        });
        let ended = ended.unwrap().cleanly(&[130]);
        ended.says(&["stopped", "--resume", "the best so far"]);
        let files = ground.files("model");
        assert_eq!(
            files.keys().collect::<Vec<_>>(),
            ["checkpoint", "model.onnx", "run.json"]
        );
        let tool = ground
            .evaluate(&[&ground.path("model/model.onnx")])
            .arg("--test");
        super::ended(tool.arg(ground.path("faces"))).cleanly(&[0]);
        // The same command again does not begin anew unasked.
        let refused = super::ended(ground.full(&ground.path("faces"))).cleanly(&[1]);
        refused.says(&["a run that is not finished", "--resume"]);
        // A run belongs to its pictures.
        let picture = ground.path("faces/real/ann_000.jpg");
        let kept = fs::read(&picture).unwrap();
        fs::remove_file(&picture).unwrap();
        let refused = super::ended(ground.resume()).cleanly(&[1]);
        refused.says(&["checkpoint", "of another run"]);
        assert!(ground.files("model") == files, "something was touched");
        fs::write(&picture, kept).unwrap();
        resumed(&ground);
    }

    #[test]
    fn where_there_is_no_run_there_is_nothing_to_resume() {
        let ground = Ground::new();
        let none = ended(ground.resume()).cleanly(&[1]);
        none.says(&["model", "holds no run to resume"]);
        fs::create_dir(ground.path("model")).unwrap();
        let none = ended(ground.resume()).cleanly(&[1]);
        none.says(&["model", "holds no run to resume"]);
        ground.put("model/run.json", b"{\"train\": 3");
        let damaged = ended(ground.resume()).cleanly(&[1]);
        damaged.says(&["run.json", "is damaged"]);
    }
}

mod options {
    //! Those that change what a training is.
    use super::*;

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
}

mod trouble {
    //! What goes wrong: it is said, and nothing is left where the model should have been.
    use super::*;

    /// Ends with status 1, `says` these, and leaves no trace.
    #[track_caller]
    fn fails(ground: &Ground, tool: Tool, says: &[&str]) {
        let before = ground.names();
        ended(tool).cleanly(&[1]).says(says);
        assert_eq!(ground.names(), before, "it left something");
        assert!(!ground.path("model").exists());
    }

    #[test]
    fn wrong_use_is_refused() {
        let wrong: &[(&[&str], &str)] = &[
            (&[], "Usage"),
            (&["train"], "--train <DIR>"),
            (&["train", "--train", "faces"], "--output <DIR>"),
            (
                &["train", "--train", "faces", "-o", "m", "--net", "resnet"],
                "livenessnet",
            ),
            (
                &["train", "--resume", "m", "--train", "faces"],
                "cannot be used with",
            ),
            (&["evaluate", "--test", "faces"], "--model <FILE"),
            (&["evaluate", "--model", "m.onnx"], "--test <DIR>"),
        ];
        for (words, said) in wrong {
            program().args(*words).run().cleanly(&[2]).says(&[said]);
        }
    }

    #[test]
    fn help_shows_examples_and_the_exit_status() {
        let help = program().arg("--help").run().cleanly(&[0]).stdout;
        for word in [
            "--train faces --output model",
            "--resume model",
            "Exit status",
            "130",
        ] {
            assert!(help.contains(word), "{word}: {help}");
        }
    }

    #[test]
    fn folders_that_cannot_be_trained_on_are_named_with_what_is_missing() {
        let ground = Ground::new();
        let train = |folder: &Path| ground.train(folder);
        let empty = ground.path("empty");
        fs::create_dir(&empty).unwrap();
        fails(
            &ground,
            train(&empty),
            &["empty", "holds no picture", "manifest.jsonl"],
        );
        fails(
            &ground,
            train(&ground.path("gone")),
            &["gone", "No such file"],
        );
        let live = ground.pictures("live", |p, name| p < 8 && name.starts_with("real"));
        fails(
            &ground,
            train(&live),
            &["40 live and 0 spoof", "both classes are needed"],
        );
        let few = |p: usize, name: &str| {
            p == 0 && (name.contains("_000") || name.contains("real/ann_001"))
        };
        let few = ground.pictures("few", few);
        fails(
            &ground,
            train(&few),
            &["2 live and 1 spoof", "at least 10 of each"],
        );
        // Enough pictures, and too few people for three sides.
        let two = ground.pictures("two", |person, _| person < 2);
        let three = train(&two).args(["--holdout", "0.2"]);
        fails(
            &ground,
            three,
            &[
                "2 groups of live cannot be split into 3 parts",
                "other people",
            ],
        );
        let apart = |p: usize, name: &str| (p < 2) == name.starts_with("real") && p < 4;
        let apart = ground.pictures("apart", apart);
        let refused = train(&apart).args(["--val", "0.5", "--holdout", "0.3"]);
        fails(&ground, refused, &["cannot be split"]);
    }

    #[test]
    fn files_that_are_no_pictures_are_counted_where_nothing_is_left() {
        let ground = Ground::new();
        for i in 0..12 {
            for class in ["real", "print"] {
                ground.put(
                    &format!("texts/{class}/p{}_{i:03}.jpg", i % 4),
                    b"not a picture",
                );
            }
        }
        let tool = ground.train(&ground.path("texts"));
        fails(
            &ground,
            tool,
            &["none of 24 pictures", "12 × is no JPEG and no PNG"],
        );
    }

    #[test]
    fn a_broken_file_is_named_and_left_out_and_a_huge_photo_is_taken() {
        let ground = Ground::new();
        let faces = ground.faces();
        ground.put("faces/real/bob_broken.jpg", b"not a picture");
        // Made of whole rows: a closure for each of its pixels takes long in a debug build.
        let (width, height) = (7304_usize, 5478_usize);
        let row: Vec<u8> = (0..3 * width).map(|i| (i / 200) as u8).collect();
        let huge = RgbImage::from_raw(width as u32, height as u32, row.repeat(height)).unwrap();
        huge.save(faces.join("real/bob_huge.jpg")).unwrap();
        let tool = ground.train(&faces).args(["--epochs", "1"]);
        let run = ended(tool).cleanly(&[0]);
        let run = run.says(&["left out: ", "bob_broken.jpg: is no JPEG and no PNG"]);
        assert!(
            run.stdout.contains("81 faces (41 live, 40 spoof)"),
            "{}",
            run.stdout
        );
        let trained = Trained::of(&ground, run);
        let table = trained.text("left-out.csv");
        assert_eq!(table.lines().count(), 2, "{table}");
        assert!(
            table.contains("bob_broken.jpg") && !table.contains("huge"),
            "{table}"
        );
    }

    #[test]
    fn models_that_cannot_be_used_are_refused_by_name() {
        let ground = Ground::new();
        let faces = ground.faces();
        let other = common::root().join("tests/data/bright.onnx");
        let init = |path: &Path| ground.train(&faces).arg("--init").arg(path);
        fails(
            &ground,
            init(&other),
            &["bright.onnx", "not written by liveness-train"],
        );
        let text = ground.put("text.onnx", b"not a model");
        fails(&ground, init(&text), &["text.onnx", "no ONNX file"]);
        fails(
            &ground,
            init(&ground.path("gone.onnx")),
            &["gone.onnx", "No such file"],
        );
        let detector = |path: &Path| ground.bare(&faces).arg("--detector").arg(path);
        fails(
            &ground,
            detector(&ground.path("gone.onnx")),
            &["gone.onnx", "No such file"],
        );
        fails(&ground, detector(&text), &["text.onnx", "is not a model"]);
        let named = ground
            .bare(&faces)
            .env("LIVENESS_DETECTOR", ground.path("away.onnx"));
        fails(&ground, named, &["away.onnx", "No such file"]);
    }

    #[test]
    #[cfg(not(feature = "wgpu"))]
    fn a_graphics_card_is_refused_where_the_program_knows_none() {
        let ground = Ground::new();
        let tool = ground.full(&ground.faces()).args(["--device", "gpu"]);
        fails(
            &ground,
            tool,
            &["--features wgpu", "leave out --device gpu"],
        );
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_left_alone() {
        let ground = Ground::new();
        let file = ground.put("model", b"mine");
        let run = ended(ground.full(&ground.faces())).cleanly(&[1]);
        run.says(&["model", "A folder is needed"]);
        assert_eq!(fs::read(file).unwrap(), b"mine");
    }

    /// The program with `args` in a mount namespace of its own, where anybody may mount: a file system of its own is at `folder`. What lies there
    /// afterwards is listed on standard error; `then` is done before the namespace ends. `None`, said on standard error, where it is
    /// not possible.
    fn on_file_system(folder: &Path, options: &str, args: &[&OsStr], then: &str) -> Option<Ended> {
        fs::create_dir_all(folder).unwrap();
        let mount = format!("mount -t tmpfs -o {options} tmpfs '{}'", folder.display());
        let tried = std::process::Command::new("unshare")
            .args(["-rm", "sh", "-c", &mount])
            .output();
        if !tried.is_ok_and(|o| o.status.success()) {
            common::skip("no file system can be mounted here");
            return None;
        }
        let line = format!(
            "{mount} || exit 9; cd '{}'; \"$@\"; code=$?; ls -AR >&2; {then} exit $code",
            folder.display()
        );
        let tool = Plugin::shared()
            .command("unshare")
            .args(["-rm", "sh", "-c", &line, "sh"]);
        let tool = tool.without("LIVENESS_DETECTOR");
        let tool = tool.arg(env!("CARGO_BIN_EXE_liveness-train"));
        Some(ended(args.iter().fold(tool, Tool::arg)))
    }

    /// Training on `faces` into the folder `model` of wherever it is called.
    fn here(faces: &Path) -> Vec<&OsStr> {
        let words = "train --crops 1.2 --crop-scale 1.1 --batch 8 --output model --train";
        words
            .split(' ')
            .map(OsStr::new)
            .chain([faces.as_os_str()])
            .collect()
    }

    #[track_caller]
    fn no_halves(run: &Ended) {
        let half = |l: &str| l == "model.onnx" || l.ends_with(".part") || l.starts_with(".report-");
        assert!(!run.stderr.lines().any(half), "{}", run.stderr);
    }

    #[test]
    fn where_nothing_can_be_written_it_is_said_before_training() {
        let ground = Ground::new();
        let faces = ground.faces();
        let Some(run) = on_file_system(&ground.path("disk"), "ro", &here(&faces), "") else {
            return;
        };
        let run = run
            .cleanly(&[1])
            .says(&["cannot write", "model", "Read-only file system"]);
        assert!(!run.stderr.contains("epoch 1"), "{}", run.stderr);
    }

    #[test]
    fn a_full_disk_is_said_and_leaves_no_half_a_model() {
        let ground = Ground::new();
        let faces = ground.faces();
        // Too small for one checkpoint of this net, which has 2.4 MB.
        let small = on_file_system(&ground.path("disk"), "size=1m", &here(&faces), "");
        let Some(run) = small else {
            return;
        };
        let run = run
            .cleanly(&[1])
            .says(&["checkpoint", "No space left on device"]);
        assert!(
            run.stderr.ends_with("./model:\nrun.json\n"),
            "{}",
            run.stderr
        );
        // Enough for one, and not for one and a report.
        let mut args = here(&faces);
        args.extend(["--epochs", "1"].map(OsStr::new));
        let program = env!("CARGO_BIN_EXE_liveness-train");
        let then = format!(
            "mount -o remount,size=64m . && '{program}' train --resume model >&2 && cp -r model '{}' || exit 8;",
            ground.folder.path().display()
        );
        let disk = ground.path("disk");
        let run = on_file_system(&disk, "size=3m", &args, &then).unwrap();
        let run = run.cleanly(&[1]);
        let (full, resumed) = run.stderr.split_once("./model:\n").unwrap();
        for part in ["epoch 1/1", "model", "No space left on device"] {
            assert!(full.contains(part), "{}", run.stderr);
        }
        assert!(resumed.starts_with("checkpoint\nrun.json\n"), "{resumed}");
        no_halves(&run);
        // With more room it goes on, and nothing is learned twice.
        assert!(!resumed.contains("training: epoch"), "{resumed}");
        let whole = Trained::of(&ground, run);
        assert_eq!(whole.curve().len(), 2);
        assert!(whole.files.contains_key("model.onnx") && !whole.files.contains_key("checkpoint"));
    }
}

mod evaluating {
    //! Models on folders.
    use super::*;

    #[test]
    fn models_are_measured_side_by_side_and_fused() {
        let ground = Ground::new();
        let strangers = ground.strangers();
        let (first, other) = (
            TAUGHT.model(&ground, "first.onnx"),
            OTHER.model(&ground, "other.onnx"),
        );
        let both = [first.as_os_str(), other.as_os_str()].join(OsStr::new(","));
        let tool = ground
            .evaluate(&[&first, &other, Path::new(&both)])
            .arg("--test")
            .arg(&strangers);
        let run = ended(tool.arg("--output").arg(ground.path("report"))).cleanly(&[0]);
        let lines: Vec<&str> = run.stdout.lines().collect();
        let at = lines
            .iter()
            .position(|l| l.contains("Models side by side"))
            .unwrap();
        assert!(
            lines[at + 1].trim_end().ends_with("ms per face"),
            "{}",
            run.stdout
        );
        let rows = &lines[at + 2..at + 5];
        for row in rows {
            assert!(row.contains("strangers"), "{row}");
            let ms: f64 = row.split_whitespace().last().unwrap().parse().unwrap();
            assert!(ms > 0.0 && ms < 1000.0, "{row}");
        }
        // Both are called `model`, after the folders that they were made in: their files tell them apart.
        assert!(
            rows[0].contains("first.onnx)") && rows[1].contains("other.onnx)"),
            "{rows:?}"
        );
        assert!(rows[2].contains("model+model"), "{rows:?}");
        let files = ground.files("report");
        let metrics: Value = serde_json::from_slice(&files["metrics.json"]).unwrap();
        let models = metrics["models"].as_array().unwrap();
        assert_eq!(models.len(), 3);
        for model in models {
            assert!(model["ms_per_face"].as_f64().unwrap() > 0.0);
            assert_eq!(model["sets"][0]["counts"]["answers"], 2 * 8 * TAKES);
        }
        assert!(!files.contains_key("model.onnx") && files.contains_key("report.html"));
    }

    #[test]
    fn predictions_say_something_of_each_picture() {
        let ground = Ground::new();
        let strangers = ground.strangers();
        let (first, other) = (
            TAUGHT.model(&ground, "first.onnx"),
            OTHER.model(&ground, "other.onnx"),
        );
        let said = |model: &OsStr| -> BTreeMap<String, f64> {
            let file = ground.path("said.jsonl");
            let tool = ground
                .evaluate(&[Path::new(model)])
                .arg("--test")
                .arg(&strangers);
            ended(tool.arg("--predictions").arg(&file)).cleanly(&[0]);
            let text = fs::read_to_string(file).unwrap();
            let lines = text
                .lines()
                .map(|l| serde_json::from_str::<Value>(l).unwrap());
            let pairs = lines.map(|l| {
                let image = l["image"].as_str().unwrap().to_owned();
                (image, l["live"].as_f64().unwrap())
            });
            pairs.collect()
        };
        let (a, b) = (said(first.as_os_str()), said(other.as_os_str()));
        let both = said(&[first.as_os_str(), other.as_os_str()].join(OsStr::new(",")));
        let pictures = ground.files("strangers");
        assert_eq!(a.len(), pictures.len());
        let mut right = 0;
        for name in pictures.keys() {
            let path = strangers.join(name).display().to_string();
            let [a, b, both] = [&a, &b, &both].map(|all| all[&path]);
            assert!(
                [a, b, both].iter().all(|p| (0.0..=1.0).contains(p)),
                "{name}"
            );
            // Fused, it is the mean of both.
            assert!(
                (both - (a + b) / 2.0).abs() < 1e-5,
                "{name}: {a}, {b}, {both}"
            );
            right += usize::from((a > 0.5) == name.starts_with("real"));
        }
        assert!(
            right > pictures.len() * 9 / 10,
            "{right} of {}",
            pictures.len()
        );
    }

    #[test]
    fn a_threshold_that_is_given_is_the_one_that_counts() {
        let ground = Ground::new();
        let strangers = ground.strangers();
        // One file, as the element takes it.
        let model = TAUGHT.model(&ground, "first, and only.onnx");
        for (threshold, bpcer, apcer) in [("0", 0.0, 1.0), ("1", 1.0, 0.0)] {
            let tool = ground
                .evaluate(&[&model])
                .args(["--threshold", threshold, "--test"]);
            let tool = tool
                .arg(&strangers)
                .arg("--output")
                .arg(ground.path("report"));
            ended(tool).cleanly(&[0]);
            let files = ground.files("report");
            let metrics: Value = serde_json::from_slice(&files["metrics.json"]).unwrap();
            let set = &metrics["models"][0]["sets"][0];
            assert_eq!(set["bpcer"]["value"], bpcer, "{set}");
            assert_eq!(set["apcer"]["value"], apcer, "{set}");
        }
    }

    #[test]
    fn what_is_no_model_is_refused_by_name_and_nothing_is_written() {
        let ground = Ground::new();
        let strangers = ground.strangers();
        let good = TAUGHT.model(&ground, "first.onnx");
        let text = ground.put("text.onnx", b"not a model");
        let mut cut = TAUGHT.files["model.onnx"].clone();
        cut.truncate(cut.len() / 2);
        let cut = ground.put("cut.onnx", &cut);
        let gone = ground.path("gone.onnx");
        let boxes = common::root().join("tests/data/boxes.onnx");
        let fused = [good.as_os_str(), text.as_os_str()].join(OsStr::new(","));
        let before = ground.names();
        for (model, said) in [
            (&*text, ["text.onnx", "is not a model"]),
            (&*cut, ["cut.onnx", "is not a model"]),
            (&*gone, ["gone.onnx", "No such file"]),
            (&*boxes, ["boxes.onnx", "liveness"]),
            (Path::new(&fused), ["text.onnx", "is not a model"]),
        ] {
            let tool = ground
                .evaluate(&[&good, model])
                .arg("--test")
                .arg(&strangers);
            let tool = tool.arg("--output").arg(ground.path("report"));
            let tool = tool.arg("--predictions").arg(ground.path("said.jsonl"));
            ended(tool).cleanly(&[1]).says(&said);
            assert_eq!(ground.names(), before, "it left something");
        }
    }
}
