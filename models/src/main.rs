// SPDX-License-Identifier: MIT OR Apache-2.0
//! `liveness-models`: what ships, with its facts, and whether it still answers as when it was written.

// The list is what this program prints.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use liveness::runtime::{Engine, Options};
use liveness_models::{ALL, FACE_DETECTOR, LIVENESS, Shipped};

/// Longest value of a fact that is shown whole.
const SHOWN: usize = 100;

fn main() -> ExitCode {
    let mut whole = true;
    for model in ALL {
        match describe(&model) {
            Ok(()) => println!("  golden answer: as it was written\n"),
            Err(error) => {
                println!("  {error:#}\n");
                whole = false;
            }
        }
    }
    match whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn describe(model: &Shipped) -> anyhow::Result<()> {
    let file = model.file();
    println!(
        "{}: {} ({} bytes)",
        model.name,
        model.purpose,
        file.bytes.len()
    );
    let engine = Engine::open(&file.name, &file.bytes, Options::default())?;
    for (fact, value) in engine.facts() {
        let short: String = value.chars().take(SHOWN).collect();
        let more = if short.len() < value.len() { "…" } else { "" };
        println!("  {fact}: {short}{more}");
    }
    // To open a model is to check its golden answer.
    if model.name == FACE_DETECTOR.name {
        liveness::detect::Detector::open(&file, Options::default())?;
    }
    if model.name == LIVENESS.name {
        liveness::liveness::Classifier::open(&[file], Options::default())?;
    }
    Ok(())
}
