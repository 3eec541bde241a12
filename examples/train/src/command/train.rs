// SPDX-License-Identifier: MIT OR Apache-2.0
//! Training: folders in, a model and its report out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use liveness::crop::{Crop, Outside, Shape};
use liveness::model::Card as Facts;
use liveness::resize::Channels;

use super::finish::Work;
use super::gather::{Gathered, How, gather};
use super::learn::{Lesson, processor};
use super::workplace::Workplace;
use super::{End, threshold};
use crate::cli::{SplitBy, Train};
use crate::data::input::InputSpec;
use crate::data::patch::Patch;
use crate::data::split::{self, Member, Splits, split};
use crate::fit::Why;
use crate::net::{Kind, Net, Spec};
use crate::onnx;

/// Share of the pictures that are only measured on, where there is no other folder for that.
const HOLDOUT: f64 = 0.2;

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
            scale: args.crop_scale.unwrap_or(usual),
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
