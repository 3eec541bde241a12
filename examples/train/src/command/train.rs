// SPDX-License-Identifier: MIT OR Apache-2.0
//! Training: folders in, a model and its report out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use liveness::crop::{Crop, Outside, Shape};
use liveness::metrics::{Bootstrap, acer};
use liveness::model::{Card as Facts, ModelFile};
use liveness::resize::Channels;

use super::gather::{Gathered, How, gather, left_out_csv};
use super::judge::{Judge, time};
use super::learn::{Lesson, processor};
use super::workplace::Workplace;
use super::{End, sets, threshold};
use crate::augment::sheet::sheet;
use crate::cli::{SplitBy, Train};
use crate::data::input::InputSpec;
use crate::data::patch::Patch;
use crate::data::split::{self, Member, Splits, split};
use crate::fit::{Outcome, Row, Setting, Why, predict};
use crate::net::{CLASSES, Kind, Net, Spec};
use crate::onnx::{self, Card};
use crate::report::{self, Epoch, EvaluationSet, Model, Optimism, Report, Threshold};

/// Share of the pictures that are only measured on, where there is no other folder for that.
const HOLDOUT: f64 = 0.2;

/// Faces on the sheet that shows what augmentation makes of them.
const SHOWN: usize = 10;

/// Values 0..255 become -1..1, as the net's first layer likes them.
const MIDDLE: f32 = 127.5;

/// Trains a model, or goes on training it.
///
/// # Errors
/// With what cannot be used and what to do about it. The output folder keeps its checkpoint then.
pub fn train(args: Train, stop: &AtomicBool) -> Result<End> {
    if args.split == SplitBy::Frames && !args.force {
        bail!(
            "--split frames puts frames of one film on both sides, and what is measured then says nothing about other people. Leave it out, \
             or add --force to see by how much it flatters"
        );
    }
    let place = Workplace::open(args)?;
    let args = &place.args;
    processor(args).check()?;
    let (net, input) = start(args)?;
    let threads = threads(args.threads);
    let gathered = gather(
        &args.train,
        &args.test,
        How {
            faces: &args.faces,
            threads,
            spec: input.clone(),
        },
    )?;
    let faces: Arc<[Patch]> = gathered.train.into();
    let gathered = Gathered {
        train: Vec::new(),
        ..gathered
    };
    let parts = parts(args, &faces)?;
    let lesson = Lesson {
        faces: &faces,
        spec: &input,
        args,
        threads,
        stop,
    };
    println!(
        "net: {}: {} parameters, {:.1} M multiplications per face",
        net.spec,
        net.parameters(),
        net.macs() as f64 / 1e6
    );

    place.keep()?;
    let mut told = Vec::new();
    let setting = match args.tune {
        None => lesson.setting(&net.spec),
        Some(n) => match lesson.tune(&net, &parts.split, n.get(), &place.trials())? {
            Some((setting, which)) => {
                told.push(which);
                setting
            }
            None => return Ok(stopped(&place)),
        },
    };
    let epochs = args.epochs.get();
    let chosen = (&net, &setting);
    let checkpoint = place.checkpoint();
    let outcome = lesson.fit("training", chosen, &parts.split, epochs, Some(&checkpoint))?;
    let work = Work {
        place: &place,
        lesson: &lesson,
        input: &input,
        parts: &parts,
        gathered: &gathered,
        setting: &setting,
    };
    if outcome.why == Why::Stopped {
        if outcome.best.is_some() {
            let valid = work.held_out(&outcome.net, &parts.split.val, "validation", "")?;
            let threshold =
                threshold::choose(&valid.answers, args.apcer, "the validation pictures");
            onnx::save(
                &outcome.net,
                &work.card(&outcome, &threshold),
                &place.model(),
            )?;
            eprintln!(
                "liveness-train: the best so far is {}",
                place.model().display()
            );
        }
        return Ok(stopped(&place));
    }
    let honest = match &parts.grouped {
        None => None,
        Some(grouped) => {
            let outcome = lesson.fit("for comparison", chosen, grouped, epochs, None)?;
            if outcome.why == Why::Stopped {
                return Ok(stopped(&place));
            }
            Some(outcome)
        }
    };
    work.finish(&outcome, honest.as_ref(), told)?;
    Ok(End::Done)
}

/// What was trained before, or random numbers; and what the net looks at.
fn start(args: &Train) -> Result<(Net, InputSpec)> {
    let Some(path) = &args.init else {
        let spec = args.net.unwrap_or_else(|| Spec::new(Kind::LivenessNet));
        let net = Net::new(spec, args.seed)?;
        let usual = match spec.kind {
            Kind::LivenessNet => 1.2,
            Kind::Liveness => 2.7,
        };
        let crop = Crop {
            shape: Shape::Square,
            scale: args.crop_scale.unwrap_or(usual).into(),
            outside: Outside::Shift,
        };
        let size = (spec.size, spec.size);
        let scale = [1.0 / MIDDLE; 3];
        let input = InputSpec::new(crop, size, Channels::Rgb, [MIDDLE; 3], scale);
        return Ok((net, input));
    };
    let model = onnx::read(path)?;
    let facts = Facts::from_facts(&model.facts, &path.display().to_string())?;
    let spec = args.net.unwrap_or(model.net.spec);
    let net = model.into_net(spec)?;
    let missing = |fact| format!("{} does not say its {fact}", path.display());
    let crop = Crop {
        shape: facts.crop.with_context(|| missing("crop"))?,
        scale: args
            .crop_scale
            .map(f64::from)
            .or(facts.crop_scale)
            .with_context(|| missing("crop-scale"))?,
        outside: facts.outside.with_context(|| missing("outside"))?,
    };
    let input = InputSpec::new(
        crop,
        (spec.size, spec.size),
        facts.color.with_context(|| missing("color"))?,
        facts.mean.with_context(|| missing("mean"))?,
        facts.scale.with_context(|| missing("scale"))?,
    );
    Ok((net, input))
}

pub(super) fn threads(asked: Option<std::num::NonZeroUsize>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(cores, usize::from)
}

fn parts(args: &Train, faces: &[Patch]) -> Result<Splits> {
    let members: Vec<Member> = faces.iter().map(Member::from).collect();
    let usual = if args.test.is_empty() || args.split == SplitBy::Frames {
        HOLDOUT
    } else {
        0.0
    };
    let options = split::Options {
        val: args.val,
        test: args.holdout.unwrap_or(usual),
        seed: args.seed,
        keep_subsets: args.split == SplitBy::Authors,
        force_random: args.split == SplitBy::Frames,
    };
    let mut parts = split(&members, &options);
    if parts.is_err() && args.holdout.is_none() && options.test > 0.0 {
        // Better a model whose figures are those of its validation pictures than none: they say so.
        let fewer = split::Options {
            test: 0.0,
            ..options
        };
        parts = split(&members, &fewer).map(|mut parts| {
            parts.notes.push(
                "too few people or recordings to keep some for measuring alone: the figures are those of the pictures that epoch and threshold \
                 were chosen on, and too good. Add recordings of others, or folders with --test"
                    .to_owned(),
            );
            parts
        });
    }
    let parts = parts.context("the pictures cannot be split; `--split frames --force` tears recordings apart, and what is measured then is worth nothing")?;
    for note in &parts.notes {
        println!("note: {note}");
    }
    let split::Split { train, val, test } = &parts.split;
    let kind = if parts.random {
        "frame by frame"
    } else {
        "by groups"
    };
    println!(
        "split {kind}: {} to train on, {} to choose epoch and threshold on, {} to measure on",
        train.len(),
        val.len(),
        test.len()
    );
    Ok(parts)
}

fn stopped(place: &Workplace) -> End {
    eprintln!(
        "liveness-train: stopped. `liveness-train train --resume {}` goes on from here",
        place.folder.display()
    );
    End::Stopped
}

/// Everything that a model and its report are made of.
struct Work<'a> {
    place: &'a Workplace,
    lesson: &'a Lesson<'a>,
    input: &'a InputSpec,
    parts: &'a Splits,
    gathered: &'a Gathered,
    setting: &'a Setting,
}

impl Work<'_> {
    fn args(&self) -> &Train {
        &self.place.args
    }

    /// What the net says about some of the faces that were loaded to train on.
    fn held_out(
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

    fn card(&self, outcome: &Outcome, threshold: &Threshold) -> Card {
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
    fn finish(&self, outcome: &Outcome, honest: Option<&Outcome>, told: Vec<String>) -> Result<()> {
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
