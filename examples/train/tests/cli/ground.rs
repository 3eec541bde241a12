// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests stand on: painted people, folders of them, the program, and what a training left.

use crate::plugin::{Ended, Plugin, Tool};
use image::{ImageFormat, Rgb, RgbImage};
use liveness_train::net::noise::{Noise, seed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

/// Longest time for a training. One takes some seconds: this is for a machine under load.
pub(crate) const LONG: Duration = Duration::from_secs(400);

/// The people in the pictures, half of whom only [`Ground::strangers`] shows.
pub(crate) const PEOPLE: [&str; 16] = [
    "ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jim", "kim", "leo", "mia",
    "ned", "ora", "pam",
];

/// Pictures of each person and class.
pub(crate) const TAKES: u64 = 5;

/// Width and height of a picture.
pub(crate) const SIDE: u32 = 64;

/// Epochs of most trainings here.
pub(crate) const EPOCHS: usize = 4;

/// A face as a child would paint it. A spoof is a screen with it: dark lines between coarse pixels.
pub(crate) fn face(person: usize, take: u64, spoof: bool) -> RgbImage {
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
pub(crate) static PICTURES: LazyLock<Vec<(usize, String, Vec<u8>)>> = LazyLock::new(|| {
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
pub(crate) struct Ground {
    pub(crate) folder: tempfile::TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn pictures(&self, folder: &str, of: impl Fn(usize, &str) -> bool) -> PathBuf {
        for (person, name, bytes) in PICTURES.iter() {
            if of(*person, name) {
                self.put(&format!("{folder}/{name}"), bytes);
            }
        }
        self.path(folder)
    }

    /// Eight people, live and spoofed.
    pub(crate) fn faces(&self) -> PathBuf {
        self.pictures("faces", |person, _| person < 8)
    }

    /// Eight others.
    pub(crate) fn strangers(&self) -> PathBuf {
        self.pictures("strangers", |person, _| person >= 8)
    }

    /// Training on `folder`, with what makes it small.
    pub(crate) fn train(&self, folder: &Path) -> Tool {
        self.bare(folder).args(["--crops", "1.2"])
    }

    pub(crate) fn bare(&self, folder: &Path) -> Tool {
        let tool = program().args(["train", "--batch", "8", "--crop-scale", "1.1", "--train"]);
        tool.arg(folder).arg("--output").arg(self.path("model"))
    }

    pub(crate) fn full(&self, folder: &Path) -> Tool {
        self.train(folder)
            .args(["--epochs", &EPOCHS.to_string(), "--patience", "0"])
    }

    pub(crate) fn resume(&self) -> Tool {
        program()
            .args(["train", "--resume"])
            .arg(self.path("model"))
    }

    pub(crate) fn evaluate(&self, models: &[&Path]) -> Tool {
        let tool = program().args(["evaluate", "--crops", "1.2"]);
        models.iter().fold(tool, |t, m| t.arg("--model").arg(m))
    }

    /// Everything below a folder, by its path there.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
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
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

pub(crate) fn program() -> Tool {
    Plugin::shared()
        .command(env!("CARGO_BIN_EXE_liveness-train"))
        .without("LIVENESS_DETECTOR")
}

/// Runs it to its end.
pub(crate) fn ended(tool: Tool) -> Ended {
    tool.start(LONG).end()
}

/// What a training left, and what it said.
pub(crate) struct Trained {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Trained {
    pub(crate) fn of(ground: &Ground, ended: Ended) -> Self {
        Self {
            files: ground.files("model"),
            stdout: ended.stdout,
            stderr: ended.stderr,
        }
    }

    pub(crate) fn with(more: &[&str]) -> Self {
        let ground = Ground::new();
        let tool = ground.full(&ground.faces()).args(more);
        Self::of(&ground, ended(tool).cleanly(&[0]))
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        let bytes = self.files.get(name);
        std::str::from_utf8(bytes.unwrap_or_else(|| panic!("{name} is missing"))).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.text(name)).unwrap()
    }

    /// The model as a file of this name.
    pub(crate) fn model(&self, ground: &Ground, name: &str) -> PathBuf {
        ground.put(name, &self.files["model.onnx"])
    }

    /// The curve without what it took.
    pub(crate) fn curve(&self) -> Vec<&str> {
        let lines = self.text("history.csv").lines();
        lines.map(|l| l.rsplit_once(',').unwrap().0).collect()
    }

    /// All that the same training gives again.
    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self) {
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
pub(crate) static TAUGHT: LazyLock<Trained> = LazyLock::new(|| Trained::with(&[]));

/// The same with another seed.
pub(crate) static OTHER: LazyLock<Trained> = LazyLock::new(|| Trained::with(&["--seed", "2"]));

/// The sets of the first model in a `metrics.json`, by name.
pub(crate) fn sets(metrics: &Value) -> BTreeMap<String, &Value> {
    let sets = metrics["models"][0]["sets"].as_array().unwrap();
    let name = |s: &Value| s["set"].as_str().unwrap().to_owned();
    sets.iter().map(|s| (name(s), s)).collect()
}
