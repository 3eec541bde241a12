// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a net to its model and its report: threshold, card, figures, files.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use liveness::metrics::{Bootstrap, acer};
use liveness::model::{Card as Facts, ModelFile};

use super::gather::{Gathered, left_out_csv};
use super::judge::{Judge, time};
use super::learn::Lesson;
use super::workplace::Workplace;
use super::{sets, threshold};
use crate::augment::sheet::sheet;
use crate::cli::{SplitBy, Train};
use crate::data::input::InputSpec;
use crate::data::patch::Patch;
use crate::data::split::{self, Splits};
use crate::fit::{Outcome, Row, Setting, Why, predict};
use crate::net::{CLASSES, Net};
use crate::onnx::{self, Card};
use crate::report::{self, Epoch, EvaluationSet, Model, Optimism, Report, Threshold};

/// Faces on the sheet that shows what augmentation makes of them.
const SHOWN: usize = 10;

/// Everything that a model and its report are made of.
pub(super) struct Work<'a> {
    pub(super) place: &'a Workplace,
    pub(super) lesson: &'a Lesson<'a>,
    pub(super) input: &'a InputSpec,
    pub(super) parts: &'a Splits,
    pub(super) gathered: &'a Gathered,
    pub(super) setting: &'a Setting,
}

impl Work<'_> {
    fn args(&self) -> &Train {
        &self.place.args
    }

    /// What the net says about some of the faces that were loaded to train on.
    pub(super) fn held_out(
        &self,
        net: &Net,
        which: &[usize],
        name: &str,
        role: &str,
    ) -> Result<EvaluationSet> {
        let augmenter = Arc::new(self.lesson.augmenter(&self.parts.split.train, 0.0));
        let examples = self.lesson.examples(which, &augmenter);
        let live = predict(net, &examples, self.lesson.threads)?;
        let faces = which.iter().map(|&i| &self.lesson.faces[i]);
        Ok(sets::set(name, role, faces.zip(live.into_iter().map(Some))))
    }

    fn test(&self, net: &Net, name: &str, faces: &Arc<[Patch]>) -> Result<EvaluationSet> {
        let all: Vec<usize> = (0..faces.len()).collect();
        let lesson = Lesson {
            faces,
            ..*self.lesson
        };
        let augmenter = Arc::new(lesson.augmenter(&[], 0.0));
        let live = predict(net, &lesson.examples(&all, &augmenter), lesson.threads)?;
        let answers = faces.iter().zip(live.into_iter().map(Some));
        Ok(sets::set(name, "never trained on", answers))
    }

    fn name(&self) -> String {
        self.args()
            .name
            .clone()
            .unwrap_or_else(|| self.place.name())
    }

    pub(super) fn card(&self, outcome: &Outcome, threshold: &Threshold) -> Card {
        let args = self.args();
        let folders = |paths: &[std::path::PathBuf]| {
            let names = paths.iter().filter_map(|p| p.file_name());
            let names: Vec<_> = names.map(|n| n.to_string_lossy()).collect();
            names.join(", ")
        };
        let mut more = BTreeMap::from([
            ("trained-on".to_owned(), folders(&args.train)),
            ("threshold-chosen".to_owned(), threshold.chosen.clone()),
            (
                "trainer".to_owned(),
                format!("liveness-train {}", env!("CARGO_PKG_VERSION")),
            ),
            (
                "epochs".to_owned(),
                format!("{} of {}", outcome.best.unwrap_or(0), args.epochs),
            ),
        ]);
        if let Some(licence) = &args.licence {
            more.insert("licence".to_owned(), licence.clone());
        }
        let format = &self.input.format;
        Card {
            name: self.name(),
            color: format.channels,
            mean: format.mean,
            scale: format.scale,
            crop: self.input.crop,
            threshold: threshold.value as f32,
            more,
        }
    }

    /// Measures, and puts everything into the output folder.
    pub(super) fn finish(
        &self,
        outcome: &Outcome,
        honest: Option<&Outcome>,
        told: Vec<String>,
    ) -> Result<()> {
        let (args, net) = (self.args(), &outcome.net);
        let split = &self.parts.split;
        let valid = self.held_out(
            net,
            &split.val,
            "validation",
            "epoch and threshold were chosen here",
        )?;
        let threshold = threshold::choose(&valid.answers, args.apcer, "the validation pictures");
        let bytes = onnx::encode(net, &self.card(outcome, &threshold))?;
        let ms = self.try_out(&bytes)?;

        let mut tests = Vec::new();
        for (name, faces) in &self.gathered.tests {
            tests.push(self.test(net, name, faces)?);
        }
        let mut optimism = None;
        if !split.test.is_empty() {
            let role = match self.parts.random {
                true => "frames of the same films were trained on",
                false => "other groups of the folders that were trained on",
            };
            let set = self.held_out(net, &split.test, "held out", role)?;
            if let (Some(honest), Some(grouped)) = (honest, &self.parts.grouped) {
                optimism = self.optimism(&set, &threshold, &honest.net, grouped)?;
            }
            tests.push(set);
        }
        tests.push(valid);

        let mut report = Report {
            title: format!("{}: what it is worth", self.name()),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            notes: told,
            data: self.rows(),
            split: report::Split {
                description: self.described(),
                warnings: self.warnings(optimism.as_ref()),
                optimism,
            },
            history: outcome.history.iter().map(epoch).collect(),
            best_epoch: outcome.best,
            labels: CLASSES.map(str::to_owned).to_vec(),
            models: Vec::new(),
            bootstrap: Bootstrap::default(),
        };
        report.notes.push(format!(
            "{}; seed {}; rate {:.2e}, decay {:.3}, dropout {:.2}, smoothing {:.2}; augmentation {} × {:.2}{}",
            match outcome.why {
                Why::Early => "ended early: nothing better came",
                Why::Done | Why::Stopped => "all epochs done",
            },
            args.seed,
            self.setting.rate,
            self.setting.decay,
            self.setting.dropout,
            self.setting.smoothing,
            args.augment,
            self.setting.strength,
            if args.no_equalise { "" } else { ", classes equalised in light, colour, resolution and compression" },
        ));
        report.models.push(Model {
            name: self.name(),
            spec: Some(net.spec.to_string()),
            parameters: Some(net.parameters() as u64),
            macs: Some(net.macs() as u64),
            input: Some(format!("{0}×{0} RGB", net.spec.size)),
            crop: Some(format!("face box × {}", self.input.crop.scale)),
            ms_per_face: ms,
            threshold,
            sets: tests,
        });

        let augmented = self.augmented()?;
        let run = self.place.run()?;
        let left_out = left_out_csv(&self.gathered.left_out);
        let mut more: Vec<(&str, &[u8])> = vec![
            ("model.onnx", &bytes),
            ("run.json", run.as_bytes()),
            ("augmented.png", &augmented),
        ];
        if !self.gathered.left_out.is_empty() {
            more.push(("left-out.csv", left_out.as_bytes()));
        }
        report::write(&report, &self.place.folder, &more)?;
        println!("\n{}", report::terminal(&report));
        println!(
            "model:  {}\nreport: {}",
            self.place.model().display(),
            self.place.folder.join("report.html").display()
        );
        Ok(())
    }

    /// Whether the library takes the model, and how long it needs for a face; none where there is no ONNX Runtime to ask.
    fn try_out(&self, bytes: &[u8]) -> Result<Option<f64>> {
        if let Err(error) = liveness::runtime::environment() {
            eprintln!("note: the model was not tried: {error}");
            return Ok(None);
        }
        let file = ModelFile {
            name: self.place.model().display().to_string(),
            bytes: bytes.into(),
            sidecar: Facts::default(),
            sidecar_path: self.place.model().with_extension("toml"),
        };
        let mut judge = Judge::of(vec![file]).context("the trained model would be refused")?;
        Ok(time(std::iter::once(&mut judge))?.first().copied())
    }

    /// By how much the random split flatters: the same settings, trained on both.
    fn optimism(
        &self,
        random: &EvaluationSet,
        threshold: &Threshold,
        net: &Net,
        grouped: &split::Split,
    ) -> Result<Option<Optimism>> {
        let valid = self.held_out(net, &grouped.val, "validation", "")?;
        let honest = threshold::choose(&valid.answers, self.args().apcer, "");
        let test = self.held_out(net, &grouped.test, "held out", "")?;
        let both = acer(&test.answers, honest.value).zip(acer(&random.answers, threshold.value));
        Ok(both.map(|(grouped, random)| Optimism {
            figure: "ACER".to_owned(),
            grouped,
            random,
        }))
    }

    fn rows(&self) -> Vec<report::DataRow> {
        let roots: Vec<String> = self
            .args()
            .train
            .iter()
            .map(|p| {
                p.file_name().map_or_else(
                    || p.display().to_string(),
                    |n| n.to_string_lossy().into_owned(),
                )
            })
            .collect();
        let name = |face: &Patch| roots.get(face.about.folder).cloned().unwrap_or_default();
        let split = &self.parts.split;
        let of = |part: &str, which: &[usize]| {
            sets::rows(part, which.iter().map(|&i| &self.lesson.faces[i]), name)
        };
        let mut rows = of("train", &split.train);
        rows.extend(of("validation", &split.val));
        rows.extend(of("held out", &split.test));
        for (name, faces) in &self.gathered.tests {
            rows.extend(sets::rows("test", faces.iter(), |_| name.clone()));
        }
        rows
    }

    fn described(&self) -> Vec<String> {
        let mut told = vec![match (self.parts.random, self.args().split) {
            (true, _) => "Frame by frame, because it was forced.".to_owned(),
            (false, SplitBy::Authors) => "As the authors of the data sets have split them.".to_owned(),
            (false, _) => "By groups: all pictures of a person are on one side, or of a recording where names tell no people.".to_owned(),
        }];
        told.extend(self.gathered.notes.iter().cloned());
        told
    }

    fn warnings(&self, optimism: Option<&Optimism>) -> Vec<String> {
        let mut told = self.parts.notes.clone();
        if !self.parts.random {
            return told;
        }
        if optimism.is_none() {
            told.push("By how much it flatters could not be measured: there are too few groups to keep them on one side".to_owned());
        }
        told
    }

    /// The contact sheet of what augmentation does, as PNG.
    fn augmented(&self) -> Result<Vec<u8>> {
        let train = &self.parts.split.train;
        let augmenter = self.lesson.augmenter(train, self.setting.strength);
        let of = |live: bool| {
            let all = train.iter().map(|&i| &self.lesson.faces[i]);
            let all: Vec<&Patch> = all.filter(|f| f.is_live() == live).collect();
            let step = (all.len() / (SHOWN / 2)).max(1);
            all.into_iter().step_by(step).take(SHOWN / 2)
        };
        let shown: Vec<&Patch> = of(true).chain(of(false)).collect();
        sheet(&shown, &augmenter, self.args().seed)
    }
}

fn epoch(row: &Row) -> Epoch {
    Epoch {
        epoch: row.epoch,
        learning_rate: row.rate.into(),
        train_loss: row.train_loss,
        train_accuracy: row.train_accuracy,
        val_loss: Some(row.valid.loss),
        val_accuracy: Some(1.0 - row.valid.acer),
        val_acer: Some(row.valid.acer),
        val_auc: Some(row.valid.auc),
        seconds: row.seconds,
    }
}
