// SPDX-License-Identifier: MIT OR Apache-2.0
//! The loop: epochs of steps, a look at the validation examples after each, the best weights kept.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

use super::draw::Item;
use super::feed::{Batch, feed};
use super::state::{Best, State, arrays, fingerprint};
use super::{Config, Examples, Row, Watch, draw, optimizer, score};
use crate::net::noise::seed;
use crate::net::{Evaluator, LIVE, Net, Processor, Statistics, Training, numbers};

/// Share of a batch's statistics in the running ones; burn's and PyTorch's default.
const MOMENTUM: f32 = 0.1;

/// Pictures that are judged at once: bounds memory, and more brings no speed.
const JUDGED: usize = 64;

/// Keeps the stream for dropout apart from those in [`draw`].
const DROPOUT: u64 = 3;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// All epochs are done.
    Done,
    /// Patience ran out.
    Early,
    /// Somebody asked for it; the checkpoint knows where to go on.
    Stopped,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The net with the weights of the best epoch; those of the start where none was finished.
    pub net: Net,
    /// Which epoch that was, counted from 1.
    pub best: Option<usize>,
    /// All epochs.
    pub history: Vec<Row>,
    /// Why it ended.
    pub why: Why,
}

/// What a run needs beside its net and its settings.
pub struct Run<'a> {
    /// What to learn.
    pub train: &'a dyn Examples,
    /// What to choose the best epoch by; no person or session of it may be in `train`.
    pub valid: &'a dyn Examples,
    /// Where the checkpoint is written after each epoch. Where one is already, the run goes on from it.
    pub checkpoint: Option<&'a Path>,
    /// Set by another thread: the run ends after the current batch, with a checkpoint.
    pub stop: &'a AtomicBool,
}

/// Trains `net`.
///
/// # Errors
/// Where examples of a class are missing, the checkpoint cannot be written or is of another run, or the numbers run away.
pub fn fit(net: Net, config: &Config, run: &Run, watch: &mut dyn Watch) -> Result<Outcome> {
    for (examples, what) in [(run.train, "training"), (run.valid, "validation")] {
        for (live, class) in [(true, "live"), (false, "spoof")] {
            ensure!(
                (0..examples.len()).any(|i| examples.is_live(i) == live),
                "there is no {class} example for {what}: both classes are needed"
            );
        }
    }
    ensure!(
        config.batch > 0 && config.rate > 0.0 && (0.0..1.0).contains(&config.smoothing),
        "batch and rate must be above 0, smoothing from 0 to below 1: {config:?}"
    );
    let name = fingerprint(&net, config, run.train, run.valid);
    let mut state = State::new(net, config);
    if let Some(path) = run.checkpoint.filter(|p| p.exists()) {
        state = state.load(&name, path)?;
    }
    let save = |state: &State| {
        run.checkpoint
            .map_or(Ok(()), |path| state.save(&name, path))
    };
    let why = loop {
        if out_of_patience(&state, config) {
            break Why::Early;
        }
        if state.epoch >= config.epochs {
            break Why::Done;
        }
        let start = Instant::now();
        let before = state.sums.seconds;
        let rate = learn(&mut state, config, run, &start, watch)?;
        let Some(rate) = rate else {
            state.sums.seconds = before + start.elapsed().as_secs_f64();
            save(&state)?;
            break Why::Stopped;
        };
        let judged = judged(&state);
        let margins = margins(&judged, run.valid, config.threads, config.processor)?;
        let valid = score(&margins, &truth(run.valid));
        ensure!(
            valid.loss.is_finite(),
            "the net answers with what is no number after epoch {}: lower the rate, it is {}",
            state.epoch + 1,
            config.rate
        );
        let sums = std::mem::take(&mut state.sums);
        state.epoch += 1;
        state.batch = 0;
        let row = Row {
            epoch: state.epoch,
            rate,
            train_loss: sums.loss / sums.examples,
            train_accuracy: sums.right / sums.examples,
            valid,
            seconds: before + start.elapsed().as_secs_f64(),
        };
        let better = |best: &Best| best.is_beaten_by(&valid, config.goal);
        let better = state.best.as_ref().is_none_or(better);
        if better {
            state.best = Some(Best {
                epoch: state.epoch,
                score: valid,
                arrays: arrays(&judged),
            });
        }
        state.history.push(row.clone());
        save(&state)?;
        watch.epoch(&row, better);
    };
    let mut net = state.net;
    let best = state.best.as_ref().map(|b| b.epoch);
    if let Some(best) = state.best {
        put(&mut net, best.arrays);
    }
    Ok(Outcome {
        net,
        best,
        history: state.history,
        why,
    })
}

fn out_of_patience(state: &State, config: &Config) -> bool {
    match (&state.best, config.patience) {
        (Some(best), Some(patience)) => state.epoch - best.epoch >= patience.max(1),
        _ => false,
    }
}

/// Learns the rest of the epoch that has begun; gives the last rate, or `None` where it was told to stop before the end.
fn learn(
    state: &mut State,
    config: &Config,
    run: &Run,
    start: &Instant,
    watch: &mut dyn Watch,
) -> Result<Option<f32>> {
    let plan = draw::epoch(
        run.train,
        config.draw,
        config.batch,
        config.seed,
        state.epoch,
    );
    let length = 3 * state.net.spec.size.pow(2);
    let steps = plan.len() as u64;
    let total = steps * config.epochs as u64;
    let warmup = (config.warmup.max(0.0) * steps as f32) as u64;
    let rest = plan.get(state.batch..).unwrap_or_default();
    let mut last = optimizer::rate(config.rate, state.step, warmup, total);
    feed(run.train, rest, length, config.threads, |batches| {
        for _ in rest {
            if run.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            last = optimizer::rate(config.rate, state.step, warmup, total);
            let batch = batches.next()?;
            let loss = step(state, config, batch, last).with_context(|| {
                format!(
                    "in epoch {} after {:.0} s: lower the rate, it is {}",
                    state.epoch + 1,
                    start.elapsed().as_secs_f64(),
                    config.rate
                )
            })?;
            state.batch += 1;
            watch.batch(state.epoch + 1, state.batch, plan.len(), loss);
        }
        Ok(Some(last))
    })
}

/// One step; gives its loss.
fn step(state: &mut State, config: &Config, batch: Batch, rate: f32) -> Result<f64> {
    let n = batch.live.len() as f64;
    let dropped = seed(&[config.seed, DROPOUT, state.step]);
    let mut slope = slope(
        &state.net,
        config.smoothing,
        batch,
        dropped,
        config.processor,
    )?;
    optimizer::clip(&mut slope.gradients, config.clip)?;
    optimizer::apply(
        config.optimizer,
        &mut state.net.arrays,
        &slope.gradients,
        &mut state.memory,
        (rate, config.decay, state.step),
    );
    for s in slope.statistics {
        for (index, values) in [s.mean, s.variance].into_iter().zip(&s.values) {
            let running = state.net.arrays[index].data.iter_mut();
            running
                .zip(values)
                .for_each(|(r, v)| *r += MOMENTUM * (v - *r));
        }
    }
    state.step += 1;
    follow(state, config);
    state.sums.loss += slope.loss * n;
    state.sums.right += slope.right as f64;
    state.sums.examples += n;
    Ok(slope.loss)
}

/// A loss and which way it falls.
pub(super) struct Slope {
    pub(super) loss: f64,
    /// Pictures that were told right.
    pub(super) right: usize,
    /// One per array of the net; empty where it is not trained.
    pub(super) gradients: Vec<Vec<f32>>,
    pub(super) statistics: Vec<Statistics>,
}

/// The loss of `net` on a batch, in training: the mean of the cross entropies, weighted.
pub(super) fn slope(
    net: &Net,
    smoothing: f32,
    batch: Batch,
    dropped: u64,
    processor: Processor,
) -> Result<Slope> {
    let n = batch.live.len();
    let side = net.spec.size;
    let mut training = Training::new(net, dropped, processor);
    let device = training.device.clone();
    let input = TensorData::new(batch.input, [n, 3, side, side]);
    let logits = training.forward(Tensor::from_data(input, &device));
    let weights: f32 = batch.weight.iter().sum();
    // The truth, smoothed and weighted: the loss is minus its product with the log-probabilities.
    let truth = |class: usize, live: bool, weight: f32| {
        let hit = f32::from(u8::from((class == LIVE) == live));
        (hit * (1.0 - smoothing) + smoothing / 2.0) * weight / weights
    };
    let pairs = batch.live.iter().zip(&batch.weight);
    let targets: Vec<f32> = pairs
        .flat_map(|(live, weight)| [truth(0, *live, *weight), truth(1, *live, *weight)])
        .collect();
    let targets = Tensor::<2>::from_data(TensorData::new(targets, [n, 2]), &device);
    let loss = -(log_softmax(logits.clone(), 1) * targets).sum();
    let value = f64::from(loss.clone().into_scalar::<f32>());
    ensure!(value.is_finite(), "the loss is no longer a number");
    let mut gradients = loss.backward();
    let leaves = training.leaves.iter();
    let gradients = leaves
        .zip(&net.arrays)
        .map(|(leaf, array)| match leaf.grad_remove(&mut gradients) {
            Some(gradient) => numbers(gradient),
            None if array.role.is_trained() => Ok(vec![0.0; array.data.len()]),
            None => Ok(Vec::new()),
        })
        .collect::<Result<Vec<_>>>()?;
    let logits = numbers(logits.without_autodiff())?;
    let right = logits.chunks_exact(2).zip(&batch.live);
    let right = right.filter(|(l, live)| (l[LIVE] >= l[1 - LIVE]) == **live);
    Ok(Slope {
        loss: value,
        right: right.count(),
        gradients,
        statistics: training.statistics()?,
    })
}

/// Moves the running mean of the weights. It follows faster in the first steps, whose weights are soon worth nothing (as TensorFlow's
/// ExponentialMovingAverage does).
fn follow(state: &mut State, config: &Config) {
    let (Some(average), Some(decay)) = (&mut state.average, config.average) else {
        return;
    };
    let t = state.step as f32;
    let decay = decay.min((1.0 + t) / (10.0 + t));
    for (mean, array) in average.iter_mut().zip(&state.net.arrays) {
        for (m, v) in mean.iter_mut().zip(&array.data) {
            *m += (1.0 - decay) * (v - *m);
        }
    }
}

/// The net that is validated and kept.
fn judged(state: &State) -> Net {
    let mut net = state.net.clone();
    if let Some(average) = &state.average {
        put(&mut net, average.clone());
    }
    net
}

fn put(net: &mut Net, data: Vec<Vec<f32>>) {
    for (array, data) in net.arrays.iter_mut().zip(data) {
        array.data = data;
    }
}

fn truth(examples: &dyn Examples) -> Vec<bool> {
    (0..examples.len()).map(|i| examples.is_live(i)).collect()
}

/// Log-odds of live for each example as it is: the logit of live less that of spoof.
///
/// # Errors
/// Where reading the examples fails.
pub fn margins(
    net: &Net,
    examples: &dyn Examples,
    threads: usize,
    processor: Processor,
) -> Result<Vec<f32>> {
    let all: Vec<Item> = (0..examples.len())
        .map(|index| Item {
            index,
            seed: None,
            weight: 1.0,
        })
        .collect();
    let plan: Vec<Vec<Item>> = all.chunks(JUDGED).map(<[Item]>::to_vec).collect();
    let length = 3 * net.spec.size.pow(2);
    let mut evaluator = Evaluator::on(net, processor);
    feed(examples, &plan, length, threads, |batches| {
        let mut margins = Vec::with_capacity(all.len());
        for _ in &plan {
            let logits = evaluator.logits(batches.next()?.input)?;
            margins.extend(logits.chunks_exact(2).map(|l| l[LIVE] - l[1 - LIVE]));
        }
        Ok(margins)
    })
}

/// Probability of live for each example as it is, on this machine's cores: what is reported is not rounded by a graphics card.
///
/// # Errors
/// Where reading the examples fails.
pub fn predict(net: &Net, examples: &dyn Examples, threads: usize) -> Result<Vec<f32>> {
    let margins = margins(net, examples, threads, Processor::Cpu)?;
    Ok(margins.iter().map(|m| 1.0 / (1.0 + (-m).exp())).collect())
}
