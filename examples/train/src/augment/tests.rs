// SPDX-License-Identifier: MIT OR Apache-2.0
//! Examples as a whole: repeatable, in range, and as inference sees them where nothing is changed.

use liveness::crop::{Outside, Shape};
use liveness::geometry::Rect;

use super::*;
use crate::data::testing::{gradient, spec, textured};

fn augmenter(kinds: Augment, side: usize) -> Augmenter {
    Augmenter {
        spec: spec(Shape::Square, 1.5, Outside::Shift, side),
        kinds,
        strength: 1.0,
        equaliser: None,
    }
}

fn patch() -> Patch {
    textured(90, 80, Rect::new(30.0, 25.0, 30.0, 30.0))
}

fn run(augmenter: &Augmenter, seed: Option<u64>) -> Vec<f32> {
    run_on(&patch(), augmenter, seed)
}

fn run_on(patch: &Patch, augmenter: &Augmenter, seed: Option<u64>) -> Vec<f32> {
    let mut out = vec![f32::NAN; augmenter.spec.len()];
    let mut scratch = Scratch::default();
    match seed {
        Some(seed) => augmenter.augment(patch, seed, &mut scratch, &mut out),
        None => augmenter.plain(patch, &mut scratch, &mut out),
    }
    out
}

#[test]
fn nothing_changed_is_plain() {
    let none = augmenter(Augment::NONE, 20);
    assert_eq!(run(&none, Some(1)), run(&none, None));
    // By the long way, too.
    let flip = augmenter(Augment::only("flip").unwrap(), 20);
    let plain = run(&flip, None);
    let mirror: Vec<f32> = plain
        .chunks_exact(20)
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
    let runs: Vec<Vec<f32>> = (0..20).map(|seed| run(&flip, Some(seed))).collect();
    assert!(runs.iter().any(|r| near(r, &plain)) && runs.iter().any(|r| near(r, &mirror)));
    assert!(runs.iter().all(|r| near(r, &plain) || near(r, &mirror)));
}

#[test]
fn every_change_changes_something_and_repeats_itself() {
    for name in Augment::names() {
        let one = augmenter(Augment::only(name).unwrap(), 24);
        let plain = run(&one, None);
        let runs: Vec<Vec<f32>> = (0..60).map(|seed| run(&one, Some(seed))).collect();
        for (seed, numbers) in runs.iter().enumerate() {
            assert_eq!(*numbers, run(&one, Some(seed as u64)), "{name}");
            assert!(
                numbers.iter().all(|v| (-1e-3..=1.001).contains(v)),
                "{name}"
            );
        }
        let differs = |numbers: &&Vec<f32>| {
            let off = numbers.iter().zip(&plain).map(|(a, b)| (a - b).abs());
            off.fold(0.0, f32::max) > 0.002
        };
        let changed = runs.iter().filter(differs).count();
        assert!(
            (2..=58).contains(&changed),
            "{name} changed {changed} of 60"
        );
    }
}

#[test]
fn memory_that_was_used_before_changes_nothing() {
    let all = augmenter(Augment::ALL, 24);
    let mut scratch = Scratch::default();
    let other = gradient(200, 150, Rect::new(60.0, 40.0, 90.0, 80.0));
    for seed in 0..60 {
        let mut out = vec![0.0; all.spec.len()];
        all.augment(&other, seed + 1, &mut scratch, &mut out);
        all.augment(&patch(), seed, &mut scratch, &mut out);
        assert_eq!(out, run(&all, Some(seed)));
    }
}

#[test]
fn strength_is_how_far_it_goes() {
    // Where every pixel differs from the next, the first change is already all there is.
    let smooth = gradient(90, 80, Rect::new(30.0, 25.0, 30.0, 30.0));
    let off = |strength: f32| -> f32 {
        let kinds = Augment {
            flip: false,
            jpeg: false,
            ..Augment::ALL
        };
        let one = Augmenter {
            strength,
            ..augmenter(kinds, 24)
        };
        let plain = run_on(&smooth, &one, None);
        let off = |seed| {
            let numbers = run_on(&smooth, &one, Some(seed));
            let off = numbers.iter().zip(&plain).map(|(a, b)| (a - b).abs());
            off.sum::<f32>() / plain.len() as f32
        };
        (0..80).map(off).sum::<f32>() / 80.0
    };
    let (none, half, full) = (off(0.0), off(0.5), off(1.0));
    assert!(
        none < 0.01 && 1.5 * half < full && half > 3.0 * none,
        "{none} {half} {full}"
    );
}
