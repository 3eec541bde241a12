// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measuring any liveness models on any folders, side by side.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use liveness::crop::{Crop, Outside, Shape};
use liveness::metrics::Bootstrap;
use liveness::resize::Channels;
use liveness_app::files::replace;

use super::gather::{Gathered, How, gather, left_out_csv};
use super::judge::{Judge, time};
use super::train::threads;
use super::{End, sets};
use crate::cli::Evaluate;
use crate::data::input::InputSpec;
use crate::report::{self, Model, Report, Threshold};

/// Measures models.
///
/// # Errors
/// Where a model, a folder or a picture cannot be used.
pub fn evaluate(args: &Evaluate, stop: &AtomicBool) -> Result<End> {
    if let Some(folder) = &args.output {
        report::check_place(folder)?;
    }
    // Models first: a wrong one should not cost minutes of reading pictures.
    let mut judges = Vec::new();
    for files in &args.model {
        judges.push(Judge::open(files)?);
    }
    let threads = threads(args.threads);
    let how = How {
        faces: &args.faces,
        threads,
        spec: any_input(),
    };
    let gathered = gather(&[], &args.test, how)?;
    let mut report = Report {
        title: "Liveness models side by side".to_owned(),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        notes: gathered.notes.clone(),
        bootstrap: Bootstrap::default(),
        ..Report::default()
    };
    for (name, faces) in &gathered.tests {
        report
            .data
            .extend(sets::rows("test", faces.iter(), |_| name.clone()));
    }
    let times = time(judges.iter_mut())?;
    for (judge, ms) in judges.iter().zip(times) {
        let Some(model) = measured(judge, ms, &gathered, args, threads, stop)? else {
            return Ok(End::Stopped);
        };
        report.models.push(model);
    }
    same_names_apart(&mut report.models, &args.model);
    if let Some(path) = &args.predictions {
        let text = predictions(&report)?;
        replace(path, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(folder) = &args.output {
        let left_out = left_out_csv(&gathered.left_out);
        let more: &[(&str, &[u8])] = match gathered.left_out.is_empty() {
            true => &[],
            false => &[("left-out.csv", left_out.as_bytes())],
        };
        report::write(&report, folder, more)?;
    }
    println!("\n{}", report::terminal(&report));
    if let Some(folder) = &args.output {
        println!("report: {}", folder.join("report.html").display());
    }
    Ok(End::Done)
}

/// The loader wants to know what a model looks at. Here each model cuts its own crop from the whole picture.
pub(super) fn any_input() -> InputSpec {
    let crop = Crop {
        shape: Shape::Square,
        scale: 1.0,
        outside: Outside::Shift,
    };
    InputSpec::new(crop, (32, 32), Channels::Rgb, [0.0; 3], [1.0; 3])
}

/// One model on all folders; none where the user stopped it.
fn measured(
    judge: &Judge,
    ms: f64,
    gathered: &Gathered,
    args: &Evaluate,
    threads: usize,
    stop: &AtomicBool,
) -> Result<Option<Model>> {
    let name = judge.classifier.name().to_owned();
    let mut model = Model {
        ms_per_face: Some(ms),
        threshold: match args.threshold {
            Some(value) => Threshold {
                value: value.into(),
                chosen: "given on the command line".to_owned(),
            },
            None => Threshold {
                value: judge.classifier.default_threshold().into(),
                chosen: "the model's own, or even odds where it tells none".to_owned(),
            },
        },
        ..Model::default()
    };
    for (set, faces) in &gathered.tests {
        let answers = judge.answers(&name, faces, threads, stop)?;
        if stop.load(Ordering::Relaxed) {
            eprintln!("liveness-train: stopped, nothing was written");
            return Ok(None);
        }
        let pairs = faces.iter().zip(answers);
        model.sets.push(sets::set(set, "", pairs));
    }
    model.name = name;
    Ok(Some(model))
}

/// Models of one name are told apart by their files.
fn same_names_apart(models: &mut [Model], files: &[String]) {
    let names: Vec<String> = models.iter().map(|m| m.name.clone()).collect();
    for (i, (model, file)) in models.iter_mut().zip(files).enumerate() {
        let twice = names.iter().filter(|n| **n == names[i]).count() > 1;
        if twice {
            model.name = format!("{} ({file})", names[i]);
        }
    }
}

/// What the first model says of each picture, as JSON lines.
fn predictions(report: &Report) -> Result<String> {
    let mut text = String::new();
    for set in report.models.first().iter().flat_map(|m| &m.sets) {
        for (path, answer) in set.paths.iter().zip(&set.answers) {
            let line = serde_json::json!({ "image": path, "live": answer.live });
            writeln!(text, "{line}")?;
        }
    }
    Ok(text)
}
