// SPDX-License-Identifier: MIT OR Apache-2.0
//! From faces to a net: which settings, then fitting.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::progress::Fitting;
use crate::augment::{Augmenter, Equaliser};
use crate::cli::{BalanceBy, DeviceBy, GoalBy, OptimizerBy, Train};
use crate::data::balance::Balance;
use crate::data::faces::Faces;
use crate::data::input::InputSpec;
use crate::data::patch::Patch;
use crate::data::split::Split;
use crate::data::table::columns;
use crate::fit::{
    Config, Draw, Examples, Goal, Halving, Optimizer, Outcome, Range, Run, Score, Setting, Space,
    Why, fit, tune,
};
use crate::net::{Net, Processor, Spec};

impl Examples for Faces {
    fn len(&self) -> usize {
        self.len()
    }

    fn is_live(&self, i: usize) -> bool {
        self.is_live(i)
    }

    fn weight(&self, i: usize) -> f32 {
        self.weight(i)
    }

    fn group(&self, i: usize) -> u32 {
        self.group(i)
    }

    fn fill(&self, i: usize, seed: Option<u64>, out: &mut [f32]) {
        self.fill(i, seed, out);
    }
}

/// What computes, as the user wants it.
pub(super) fn processor(args: &Train) -> Processor {
    match args.device {
        DeviceBy::Cpu => Processor::Cpu,
        DeviceBy::Gpu => Processor::Gpu,
    }
}

/// What is to be learned from.
pub(super) struct Lesson<'a> {
    pub(super) faces: &'a Arc<[Patch]>,
    pub(super) spec: &'a InputSpec,
    pub(super) args: &'a Train,
    pub(super) threads: usize,
    pub(super) stop: &'a AtomicBool,
}

impl Lesson<'_> {
    /// The settings that the user gave, or their defaults.
    pub(super) fn setting(&self, net: &Spec) -> Setting {
        let args = self.args;
        let usual = match args.optimizer {
            OptimizerBy::Adamw => 1e-3,
            OptimizerBy::Sgd => 3e-2,
        };
        let usual = if args.init.is_some() {
            usual / 10.0
        } else {
            usual
        };
        Setting {
            rate: args.rate.unwrap_or(usual),
            decay: args.decay,
            width: net.width,
            dropout: net.dropout,
            strength: args.strength,
            smoothing: args.smoothing,
        }
    }

    fn config(&self, setting: &Setting, epochs: usize) -> Config {
        let args = self.args;
        Config {
            seed: args.seed,
            epochs,
            batch: args.batch.get(),
            optimizer: match args.optimizer {
                OptimizerBy::Adamw => Optimizer::AdamW,
                OptimizerBy::Sgd => Optimizer::Sgd,
            },
            rate: setting.rate,
            decay: setting.decay,
            warmup: args.warmup,
            smoothing: setting.smoothing,
            draw: match args.balance {
                BalanceBy::Weights | BalanceBy::None => Draw::Each,
                BalanceBy::Groups => Draw::Groups,
                BalanceBy::Classes => Draw::Classes,
            },
            average: args.average,
            patience: (args.patience > 0).then_some(args.patience),
            goal: match args.goal {
                GoalBy::Acer => Goal::Half,
                GoalBy::Eer => Goal::Equal,
            },
            threads: self.threads,
            processor: processor(args),
            ..Config::default()
        }
    }

    /// Makes examples; what differs between the classes is learned from the pictures to train on alone.
    pub(super) fn augmenter(&self, train: &[usize], strength: f32) -> Augmenter {
        let known = train.iter().map(|&i| &self.faces[i]);
        let equaliser = match self.args.no_equalise {
            true => None,
            false => Equaliser::new(known.map(|face| (face.is_live(), face.stats))),
        };
        Augmenter {
            spec: self.spec.clone(),
            kinds: self.args.augment,
            strength,
            equaliser,
        }
    }

    /// Some of the faces as examples.
    pub(super) fn examples(&self, indices: &[usize], augmenter: &Arc<Augmenter>) -> Faces {
        let balance = match self.args.balance {
            BalanceBy::Weights => Balance::default(),
            BalanceBy::Groups | BalanceBy::Classes | BalanceBy::None => Balance {
                classes: false,
                attacks: false,
                cap: None,
            },
        };
        let faces = Arc::clone(self.faces);
        Faces::new(faces, indices.to_vec(), &balance, augmenter.clone())
    }

    /// Fits a net to the training part of a split.
    pub(super) fn fit(
        &self,
        what: &str,
        (net, setting): (&Net, &Setting),
        split: &Split,
        epochs: usize,
        checkpoint: Option<&Path>,
    ) -> Result<Outcome> {
        let augmenter = Arc::new(self.augmenter(&split.train, setting.strength));
        let run = Run {
            train: &self.examples(&split.train, &augmenter),
            valid: &self.examples(&split.val, &augmenter),
            checkpoint,
            stop: self.stop,
        };
        let net = with_dropout(net, setting.dropout)?;
        let config = self.config(setting, epochs);
        fit(net, &config, &run, &mut Fitting::new(what, epochs))
    }

    /// Tries settings, keeping finished trials in the file `kept`; none where the user stopped it.
    pub(super) fn tune(
        &self,
        net: &Net,
        split: &Split,
        trials: usize,
        kept: &Path,
    ) -> Result<Option<(Setting, String)>> {
        let usual = self.setting(&net.spec);
        let space = Space {
            width: Range::fixed(net.spec.width),
            ..Space::default()
        };
        let mut settings = vec![usual];
        settings.extend(space.draw(trials.saturating_sub(1), self.args.seed));
        let halving = Halving {
            // The winner's last trial takes about as long as the training that follows.
            epochs: (self.args.epochs.get() / 12).max(1),
            ..Halving::default()
        };
        let mut notes = Trials::read(kept)?;
        let mut number = 0;
        let mut stopped = false;
        let ranking = tune(&settings, &halving, |setting, epochs| {
            number += 1;
            if let Some(score) = notes.find(setting, epochs) {
                return Ok(Some(score));
            }
            let what = format!("trial {number}");
            let outcome = self.fit(&what, (net, setting), split, epochs, None)?;
            if outcome.why == Why::Stopped {
                stopped = true;
                return Ok(None);
            }
            let best = outcome.best.and_then(|e| outcome.history.get(e - 1));
            let score = best.map_or_else(Score::default, |row| row.valid);
            notes.add(setting, epochs, score)?;
            Ok(Some(score))
        })?;
        if stopped {
            return Ok(None);
        }
        let winner = ranking.trials.first().context("no setting was tried")?;
        let head = [
            "",
            "epochs",
            "EER",
            "ACER",
            "loss",
            "rate",
            "decay",
            "dropout",
            "smoothing",
            "strength",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for trial in &ranking.trials {
            let Setting {
                rate,
                decay,
                dropout,
                smoothing,
                strength,
                ..
            } = trial.setting;
            let name = match trial.number {
                0 => "as given".to_owned(),
                n => format!("setting {n}"),
            };
            let percent = |share: f64| format!("{:.1} %", 100.0 * share);
            let mut row = vec![
                name,
                trial.epochs.to_string(),
                percent(trial.score.eer),
                percent(trial.score.acer),
            ];
            row.push(format!("{:.3}", trial.score.loss));
            row.push(format!("{rate:.5}"));
            row.extend([decay, dropout, smoothing, strength].map(|n| format!("{n:.3}")));
            rows.push(row);
        }
        // Both when they had as many epochs.
        let second = ranking.trials.get(1);
        let lead = second.and_then(|second| {
            let first = notes.find(&winner.setting, second.epochs)?;
            Some((second.score.eer - first.eer, second.epochs))
        });
        let lead = match lead {
            Some((lead, epochs)) => format!(
                "{:.1} points below the second's after {epochs} epochs",
                100.0 * lead
            ),
            None => "it was the only one".to_owned(),
        };
        let who = match winner.number {
            0 => "the settings as given".to_owned(),
            n => format!("setting {n}"),
        };
        let told = format!(
            "{trials} settings were tried by successive halving and {who} won: EER {:.1} % on the validation pictures after {} epochs, {lead}",
            100.0 * winner.score.eer,
            winner.epochs
        );
        print!("{}", columns(&rows, 1));
        println!("{told}");
        Ok(Some((winner.setting, told)))
    }
}

/// The same net with another share of dropped numbers.
fn with_dropout(net: &Net, dropout: f32) -> Result<Net> {
    let mut other = Net::new(
        Spec {
            dropout,
            ..net.spec
        },
        0,
    )?;
    other.arrays.clone_from(&net.arrays);
    Ok(other)
}

/// One finished trial, as a line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    setting: [f32; 6],
    epochs: usize,
    loss: f64,
    acer: f64,
    eer: f64,
    auc: f64,
}

/// Trials that are done, so that a run that was stopped does not repeat them.
struct Trials<'a> {
    path: &'a Path,
    notes: Vec<Note>,
}

impl<'a> Trials<'a> {
    fn read(path: &'a Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        // A last line that was not finished is a trial to be repeated.
        let notes = text.lines().filter_map(|l| serde_json::from_str(l).ok());
        Ok(Self {
            path,
            notes: notes.collect(),
        })
    }

    fn find(&self, setting: &Setting, epochs: usize) -> Option<Score> {
        let same = |n: &&Note| n.setting == numbers(setting) && n.epochs == epochs;
        self.notes.iter().find(same).map(|n| Score {
            loss: n.loss,
            acer: n.acer,
            eer: n.eer,
            auc: n.auc,
        })
    }

    fn add(&mut self, setting: &Setting, epochs: usize, score: Score) -> Result<()> {
        let Score {
            loss,
            acer,
            eer,
            auc,
        } = score;
        let note = Note {
            setting: numbers(setting),
            epochs,
            loss,
            acer,
            eer,
            auc,
        };
        let line = serde_json::to_string(&note)? + "\n";
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path);
        file.and_then(|mut f| f.write_all(line.as_bytes()))
            .with_context(|| format!("cannot write to {}", self.path.display()))?;
        self.notes.push(note);
        Ok(())
    }
}

fn numbers(s: &Setting) -> [f32; 6] {
    [s.rate, s.decay, s.width, s.dropout, s.strength, s.smoothing]
}
