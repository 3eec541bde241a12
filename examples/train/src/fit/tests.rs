// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs on a toy set: they learn, repeat bit for bit, survive being killed, stop when told, end when nothing gets better.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::feed::Batch;
use super::run::slope;
use super::state::State;
use super::*;
use crate::net::Net;
use crate::net::noise::{Noise, seed};

const SIDE: usize = 16;

/// Noise; the lives have a brighter left half.
struct Toy {
    start: u64,
    count: usize,
    contrast: f32,
}

impl Examples for Toy {
    fn len(&self) -> usize {
        self.count
    }

    fn is_live(&self, i: usize) -> bool {
        i.is_multiple_of(3)
    }

    fn group(&self, i: usize) -> u32 {
        (i / 10) as u32
    }

    fn fill(&self, i: usize, augment: Option<u64>, out: &mut [f32]) {
        let mut noise = Noise::new(seed(&[self.start + i as u64]));
        let shift = augment.map_or(0.0, |s| Noise::new(s).between(-0.1, 0.1));
        for (at, value) in out.iter_mut().enumerate() {
            let bright = self.is_live(i) && at % SIDE < SIDE / 2;
            *value = noise.unit() + shift + if bright { self.contrast } else { 0.0 };
        }
    }
}

fn toys(contrast: f32) -> (Toy, Toy) {
    let toy = |start, count| Toy {
        start,
        count,
        contrast,
    };
    (toy(0, 96), toy(1000, 48))
}

fn net() -> Net {
    let spec = "livenessnet,size=16,width=0.25,dropout=0.1"
        .parse()
        .unwrap();
    Net::new(spec, 1).unwrap()
}

fn config() -> Config {
    Config {
        epochs: 6,
        batch: 16,
        rate: 3e-3,
        average: Some(0.9),
        patience: None,
        ..Config::default()
    }
}

static GO: AtomicBool = AtomicBool::new(false);

fn run<'a>(toys: &'a (Toy, Toy), checkpoint: Option<&'a Path>) -> Run<'a> {
    Run {
        train: &toys.0,
        valid: &toys.1,
        checkpoint,
        stop: &GO,
    }
}

/// Everything of a history but the time it took.
fn timeless(history: &[Row]) -> Vec<Row> {
    let still = |row: &Row| Row {
        seconds: 0.0,
        ..row.clone()
    };
    history.iter().map(still).collect()
}

fn assert_same(a: &Outcome, b: &Outcome) {
    assert_eq!(timeless(&a.history), timeless(&b.history));
    assert_eq!((a.best, &a.net), (b.best, &b.net));
}

#[test]
fn a_toy_is_learned() {
    let toys = toys(0.5);
    let config = Config {
        epochs: 12,
        smoothing: 0.0,
        average: None,
        ..config()
    };
    for optimizer in [Optimizer::AdamW, Optimizer::Sgd] {
        let rate = if optimizer == Optimizer::Sgd {
            0.05
        } else {
            3e-3
        };
        let config = Config {
            optimizer,
            rate,
            ..config.clone()
        };
        let outcome = fit(net(), &config, &run(&toys, None), &mut ()).unwrap();
        let last = outcome.history.last().unwrap();
        assert!(last.train_loss < 0.1, "{optimizer:?} {last:?}");
        assert!(last.valid.loss < 0.1 && last.valid.auc > 0.99, "{last:?}");
        assert_eq!(outcome.why, Why::Done);
        let live = predict(&outcome.net, &toys.1, 1).unwrap();
        assert!((0..48).all(|i| (live[i] > 0.5) == toys.1.is_live(i)));
    }
}

#[test]
fn gradients_point_where_the_loss_falls() {
    for spec in [
        "livenessnet,size=16,width=0.25,dropout=0.5",
        "liveness,size=64,width=0.25",
        "liveness,size=64,width=0.25,blocks=depthwise",
    ] {
        let mut net = Net::new(spec.parse().unwrap(), 1).unwrap();
        let side = net.spec.size;
        let mut noise = Noise::new(4);
        let input: Vec<f32> = (0..6 * 3 * side * side).map(|_| noise.unit()).collect();
        let at = |net: &Net| {
            let batch = Batch {
                input: input.clone(),
                live: vec![true, false, true, false, false, true],
                weight: vec![1.0, 2.0, 0.5, 1.0, 1.0, 1.0],
            };
            slope(net, 0.1, batch, 7, Processor::Cpu).unwrap()
        };
        let gradients = at(&net).gradients;
        let squares: f64 = gradients
            .iter()
            .flatten()
            .map(|g| f64::from(*g).powi(2))
            .sum();
        // A step along the gradient changes the loss by the step times the gradient's length.
        let length = 5e-4;
        let mut moved = |by: f64| {
            for (array, gradient) in net.arrays.iter_mut().zip(&gradients) {
                for (v, g) in array.data.iter_mut().zip(gradient) {
                    *v += (by / squares.sqrt() * f64::from(*g)) as f32;
                }
            }
            at(&net).loss
        };
        let above = moved(length);
        let below = moved(-2.0 * length);
        let found = (above - below) / (2.0 * length);
        let ratio = found / squares.sqrt();
        assert!((0.97..1.03).contains(&ratio), "{spec}: {ratio}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_with_any_number_of_threads() {
    let toys = toys(0.2);
    let of = |seed, threads| {
        let config = Config {
            seed,
            threads,
            epochs: 3,
            ..config()
        };
        fit(net(), &config, &run(&toys, None), &mut ()).unwrap()
    };
    let first = of(1, 1);
    assert_same(&first, &of(1, 4));
    assert_ne!(timeless(&first.history), timeless(&of(2, 1).history));
}

#[test]
fn larger_nets_repeat_too() {
    // Large enough that burn works with several threads.
    let mut noise = Noise::new(4);
    let input: Vec<f32> = (0..16 * 3 * 64 * 64).map(|_| noise.unit()).collect();
    for spec in ["liveness,size=64", "livenessnet,size=64"] {
        let net = Net::new(spec.parse().unwrap(), 1).unwrap();
        let at = || {
            let batch = Batch {
                input: input.clone(),
                live: (0..16).map(|i| i < 8).collect(),
                weight: vec![1.0; 16],
            };
            slope(&net, 0.1, batch, 7, Processor::Cpu).unwrap()
        };
        let (first, second) = (at(), at());
        assert_eq!(first.loss, second.loss);
        assert_eq!(first.gradients, second.gradients, "{spec}");
    }
}

/// Told to stop in the middle of an epoch.
struct StopAt<'a>(&'a AtomicBool, usize, usize);

impl Watch for StopAt<'_> {
    fn batch(&mut self, epoch: usize, batch: usize, _: usize, _: f64) {
        if (epoch, batch) == (self.1, self.2) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_run_that_was_stopped_goes_on_to_the_same_numbers() {
    let toys = toys(0.2);
    let whole = fit(net(), &config(), &run(&toys, None), &mut ()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint");
    for (epoch, batch) in [(1, 2), (3, 6), (6, 1)] {
        let stop = AtomicBool::new(false);
        let asked = Run {
            stop: &stop,
            ..run(&toys, Some(&path))
        };
        let mut watch = StopAt(&stop, epoch, batch);
        let part = fit(net(), &config(), &asked, &mut watch).unwrap();
        let done = if batch == 6 { epoch } else { epoch - 1 };
        assert_eq!((part.why, part.history.len()), (Why::Stopped, done));
    }
    let rest = fit(net(), &config(), &run(&toys, Some(&path)), &mut ()).unwrap();
    assert_same(&rest, &whole);
    // Once more: there is nothing left to do.
    let again = fit(net(), &config(), &run(&toys, Some(&path)), &mut ()).unwrap();
    assert_same(&again, &whole);
}

/// The run that [`a_run_that_was_killed_goes_on_to_the_same_numbers`] kills.
#[test]
#[ignore = "is started by another test"]
fn victim() {
    if let Some(path) = std::env::var_os("LIVENESS_TRAIN_VICTIM") {
        struct Slow;
        impl Watch for Slow {
            fn batch(&mut self, epoch: usize, _: usize, _: usize, _: f64) {
                if epoch > 3 {
                    std::thread::sleep(std::time::Duration::from_secs(60));
                }
            }
        }
        let toys = toys(0.2);
        let path = Path::new(&path);
        fit(net(), &config(), &run(&toys, Some(path)), &mut Slow).unwrap();
    }
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_numbers() {
    let toys = toys(0.2);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fit::tests::victim", "--ignored", "--nocapture"])
        .env("LIVENESS_TRAIN_VICTIM", &path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let epochs =
        |path: &Path| -> usize { peek(path, &toys).map_or(0, |state| state.history.len()) };
    let patience = std::time::Instant::now();
    while epochs(&path) < 3 {
        assert!(patience.elapsed().as_secs() < 60, "the victim does nothing");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(epochs(&path), 3);
    let rest = fit(net(), &config(), &run(&toys, Some(&path)), &mut ()).unwrap();
    let whole = fit(net(), &config(), &run(&toys, None), &mut ()).unwrap();
    assert_same(&rest, &whole);
}

fn peek(path: &Path, toys: &(Toy, Toy)) -> Option<State> {
    if !path.exists() {
        return None;
    }
    let name = state::fingerprint(&net(), &config(), &toys.0, &toys.1);
    Some(State::new(net(), &config()).load(&name, path).unwrap())
}

#[test]
fn a_checkpoint_of_another_run_and_a_damaged_one_are_refused() {
    let toys = toys(0.2);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint");
    let short = Config {
        epochs: 1,
        ..config()
    };
    fit(net(), &short, &run(&toys, Some(&path)), &mut ()).unwrap();
    let refused = |config: &Config, word: &str| {
        let error = fit(net(), config, &run(&toys, Some(&path)), &mut ()).unwrap_err();
        let text = format!("{error:#}");
        let told = text.contains(word) && text.contains(&path.display().to_string());
        assert!(told && text.contains("Remove it"), "{text}");
    };
    refused(&config(), "another run");
    let threads = Config {
        threads: 1,
        ..short.clone()
    };
    assert!(fit(net(), &threads, &run(&toys, Some(&path)), &mut ()).is_ok());
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();
    refused(&short, "");
    std::fs::write(&path, "no checkpoint at all").unwrap();
    refused(&short, "no checkpoint");
}

#[test]
fn patience_ends_a_run_and_the_best_is_kept() {
    // Nothing can be learned from noise.
    let toys = toys(0.0);
    let config = Config {
        epochs: 40,
        patience: Some(3),
        ..config()
    };
    let outcome = fit(net(), &config, &run(&toys, None), &mut ()).unwrap();
    let best = outcome.best.unwrap();
    assert_eq!(outcome.why, Why::Early);
    assert_eq!(outcome.history.len(), best + 3);
    let margins = margins(&outcome.net, &toys.1, 1, Processor::Cpu).unwrap();
    let truth: Vec<bool> = (0..48).map(|i| toys.1.is_live(i)).collect();
    assert_eq!(score(&margins, &truth), outcome.history[best - 1].valid);
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    struct One(bool);
    impl Examples for One {
        fn len(&self) -> usize {
            4
        }
        fn is_live(&self, _: usize) -> bool {
            self.0
        }
        fn group(&self, _: usize) -> u32 {
            0
        }
        fn fill(&self, _: usize, _: Option<u64>, _: &mut [f32]) {}
    }
    let toys = toys(0.2);
    for (live, word) in [(true, "no spoof"), (false, "no live")] {
        let one = One(live);
        let run = Run {
            valid: &one,
            ..run(&toys, None)
        };
        let text = fit(net(), &config(), &run, &mut ())
            .unwrap_err()
            .to_string();
        assert!(text.contains(word) && text.contains("validation"), "{text}");
    }
}

#[test]
fn numbers_that_run_away_are_an_error_with_a_cure() {
    let toys = toys(0.2);
    let config = Config {
        rate: 1e30,
        clip: None,
        warmup: 0.0,
        ..config()
    };
    let error = fit(net(), &config, &run(&toys, None), &mut ()).unwrap_err();
    assert!(format!("{error:#}").contains("lower the rate"), "{error:#}");
}
