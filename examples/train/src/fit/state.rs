// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a run is: all that the next step depends on, and its checkpoint file.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use liveness_app::files::replace;
use prost::Message;

use super::optimizer::Memory;
use super::score::Score;
use super::{Config, Examples, Goal, Row};
use crate::net::Net;
use crate::net::noise::seed;

/// Number of the file's form.
const FORM: u32 = 1;

/// Sums over the batches of an epoch that has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) loss: f64,
    pub(super) right: f64,
    pub(super) examples: f64,
    pub(super) seconds: f64,
}

/// The best epoch so far.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) epoch: usize,
    pub(super) score: Score,
    /// The net's arrays.
    pub(super) arrays: Vec<Vec<f32>>,
}

impl Best {
    /// Whether `score` is better.
    pub(super) fn is_beaten_by(&self, score: &Score, goal: Goal) -> bool {
        let key = |s: &Score| match goal {
            Goal::Half => (s.acer, s.loss),
            Goal::Equal => (s.eer, s.loss),
        };
        key(score) < key(&self.score)
    }
}

/// Where a run is.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) net: Net,
    pub(super) memory: Memory,
    /// Running mean of the net's arrays.
    pub(super) average: Option<Vec<Vec<f32>>>,
    /// Steps done.
    pub(super) step: u64,
    /// Epochs done.
    pub(super) epoch: usize,
    /// Batches done of the epoch that has begun.
    pub(super) batch: usize,
    pub(super) sums: Sums,
    pub(super) history: Vec<Row>,
    pub(super) best: Option<Best>,
}

/// The net's arrays without their names.
pub(super) fn arrays(net: &Net) -> Vec<Vec<f32>> {
    net.arrays.iter().map(|a| a.data.clone()).collect()
}

impl State {
    /// The start of a run.
    pub(super) fn new(net: Net, config: &Config) -> Self {
        Self {
            memory: Memory::new(config.optimizer, &net.arrays),
            average: config.average.map(|_| arrays(&net)),
            step: 0,
            epoch: 0,
            batch: 0,
            sums: Sums::default(),
            history: Vec::new(),
            best: None,
            net,
        }
    }

    /// Writes it to `path`, whole or not at all.
    pub(super) fn save(&self, run: &str, path: &Path) -> Result<()> {
        let bytes = self.to_file(run).encode_to_vec();
        replace(path, &bytes)
            .with_context(|| format!("cannot write the checkpoint {}", path.display()))
    }

    /// Goes on from `path`: the state of the run that [`fingerprint`] calls `run`.
    pub(super) fn load(self, run: &str, path: &Path) -> Result<Self> {
        let whole = || -> Result<Self> {
            let file = File::decode(&std::fs::read(path)?[..]).context("it is no checkpoint")?;
            ensure!(file.form == FORM, "it has form {}, not {FORM}", file.form);
            ensure!(
                file.run == run,
                "it is of another run: there {}, here {run}",
                file.run
            );
            self.take(file)
        };
        whole().with_context(|| {
            format!(
                "cannot go on from the checkpoint {}. Remove it to begin anew",
                path.display()
            )
        })
    }

    fn to_file(&self, run: &str) -> File {
        File {
            form: FORM,
            run: run.to_owned(),
            weights: wrap(&arrays(&self.net)),
            first: wrap(&self.memory.first),
            second: wrap(&self.memory.second),
            average: self.average.as_deref().map_or(Vec::new(), wrap),
            step: self.step,
            epoch: self.epoch as u64,
            batch: self.batch as u64,
            sums: vec![
                self.sums.loss,
                self.sums.right,
                self.sums.examples,
                self.sums.seconds,
            ],
            history: self.history.iter().map(row_out).collect(),
            best: self.best.as_ref().map_or(Vec::new(), |b| wrap(&b.arrays)),
            best_epoch: self.best.as_ref().map_or(0, |b| b.epoch as u64),
        }
    }

    fn take(mut self, file: File) -> Result<Self> {
        let fit = |into: &mut Vec<Vec<f32>>, from: Vec<Floats>| -> Result<()> {
            let same = into.len() == from.len()
                && into.iter().zip(&from).all(|(a, b)| a.len() == b.data.len());
            ensure!(same, "its numbers do not fit the net");
            *into = from.into_iter().map(|f| f.data).collect();
            Ok(())
        };
        let mut weights = arrays(&self.net);
        let mut best = weights.clone();
        fit(&mut weights, file.weights)?;
        for (array, data) in self.net.arrays.iter_mut().zip(weights) {
            array.data = data;
        }
        fit(&mut self.memory.first, file.first)?;
        fit(&mut self.memory.second, file.second)?;
        if let Some(average) = &mut self.average {
            fit(average, file.average)?;
        }
        self.step = file.step;
        self.epoch = usize::try_from(file.epoch)?;
        self.batch = usize::try_from(file.batch)?;
        let [loss, right, examples, seconds] = file.sums[..] else {
            anyhow::bail!("it is not whole");
        };
        self.sums = Sums {
            loss,
            right,
            examples,
            seconds,
        };
        self.history = file.history.into_iter().map(row_in).collect();
        self.best = None;
        if let Some(index) = file.best_epoch.checked_sub(1) {
            fit(&mut best, file.best)?;
            let row = self.history.get(usize::try_from(index)?);
            self.best = Some(Best {
                epoch: usize::try_from(file.best_epoch)?,
                score: row.context("it is not whole")?.valid,
                arrays: best,
            });
        }
        Ok(self)
    }
}

/// A run in words: its net, its settings and its examples. A checkpoint belongs to one run alone.
pub(super) fn fingerprint(
    net: &Net,
    config: &Config,
    train: &dyn Examples,
    valid: &dyn Examples,
) -> String {
    let settings = Config {
        threads: 0,
        ..config.clone()
    };
    let examples = |e: &dyn Examples| {
        let parts = (0..e.len()).flat_map(|i| {
            let weight = u64::from(e.weight(i).to_bits());
            [u64::from(e.is_live(i)), u64::from(e.group(i)), weight]
        });
        format!("{} ({:016x})", e.len(), seed(&parts.collect::<Vec<_>>()))
    };
    format!(
        "net {}, {settings:?}, {} examples, {} for validation",
        net.spec,
        examples(train),
        examples(valid)
    )
}

fn wrap(arrays: &[Vec<f32>]) -> Vec<Floats> {
    let one = |data: &Vec<f32>| Floats { data: data.clone() };
    arrays.iter().map(one).collect()
}

fn row_out(row: &Row) -> RowOut {
    RowOut {
        epoch: row.epoch as u64,
        rate: row.rate,
        numbers: vec![
            row.train_loss,
            row.train_accuracy,
            row.valid.loss,
            row.valid.acer,
            row.valid.eer,
            row.valid.auc,
            row.seconds,
        ],
    }
}

fn row_in(row: RowOut) -> Row {
    let number = |i: usize| row.numbers.get(i).copied().unwrap_or(f64::NAN);
    Row {
        epoch: row.epoch as usize,
        rate: row.rate,
        train_loss: number(0),
        train_accuracy: number(1),
        valid: Score {
            loss: number(2),
            acer: number(3),
            eer: number(4),
            auc: number(5),
        },
        seconds: number(6),
    }
}

#[derive(Clone, PartialEq, Message)]
struct File {
    #[prost(uint32, tag = "1")]
    form: u32,
    #[prost(string, tag = "2")]
    run: String,
    #[prost(message, repeated, tag = "3")]
    weights: Vec<Floats>,
    #[prost(message, repeated, tag = "4")]
    first: Vec<Floats>,
    #[prost(message, repeated, tag = "5")]
    second: Vec<Floats>,
    #[prost(message, repeated, tag = "6")]
    average: Vec<Floats>,
    #[prost(uint64, tag = "7")]
    step: u64,
    #[prost(uint64, tag = "8")]
    epoch: u64,
    #[prost(uint64, tag = "9")]
    batch: u64,
    #[prost(double, repeated, tag = "10")]
    sums: Vec<f64>,
    #[prost(message, repeated, tag = "11")]
    history: Vec<RowOut>,
    #[prost(message, repeated, tag = "12")]
    best: Vec<Floats>,
    #[prost(uint64, tag = "13")]
    best_epoch: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Floats {
    #[prost(float, repeated, tag = "1")]
    data: Vec<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct RowOut {
    #[prost(uint64, tag = "1")]
    epoch: u64,
    #[prost(float, tag = "2")]
    rate: f32,
    #[prost(double, repeated, tag = "3")]
    numbers: Vec<f64>,
}
