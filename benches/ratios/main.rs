// SPDX-License-Identifier: MIT OR Apache-2.0
//! The elements beside the limits and beside others, as ratios of things that run in turns in one process: `make bench`, or
//! `make bench BENCH="chain streams"` for parts of it. docs/PERFORMANCE.md says how to read the table.
//!
//! `CLIP` names another film. The models of others are looked for in `LIVENESS_ASSETS`/models.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A program that prints and may fail.

use std::path::{Path, PathBuf};

#[path = "../../tests/common/allocations.rs"]
mod allocations;
mod bare;
mod chain;
mod film;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod malloc;
mod peers;
mod picture;
mod preprocess;
#[path = "../../tests/common/steady.rs"]
mod steady;
mod steady_state;
mod streams;
mod table;
mod turns;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// What can be asked for, in the order of the table.
const PARTS: [(&str, fn()); 6] = [
    ("chain", chain::run),
    ("preprocess", preprocess::run),
    ("opencv", peers::opencv),
    ("python", peers::python),
    ("streams", streams::run),
    ("allocations", steady_state::run),
];

fn main() {
    gst::init().unwrap();
    peers::load_opencv();
    gstliveness::plugin_register_static().unwrap();
    liveness::runtime::search_in(&root().join(".setup/lib"));
    // cargo says `--bench` to each of these programs.
    let told: Vec<_> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    if let [child, streams, interval] = &told[..]
        && child == streams::CHILD
    {
        return streams::serve(streams.parse().unwrap(), interval.parse().unwrap());
    }
    if let Some(unknown) = told
        .iter()
        .find(|t| PARTS.iter().all(|(name, _)| name != t))
    {
        let names = PARTS.map(|(name, _)| name).join(", ");
        eprintln!("there is no part `{unknown}`, the parts are {names}");
        std::process::exit(2);
    }
    table::head();
    for (name, run) in PARTS {
        if told.is_empty() || told.iter().any(|t| t == name) {
            run();
        }
    }
}

/// The repository's root.
fn root() -> &'static Path {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR"));
    plugins.parent().unwrap()
}

/// Where models of others are, if anywhere.
fn models() -> PathBuf {
    std::env::var_os("LIVENESS_ASSETS")
        .map_or_else(|| root().join("../shared/assets"), PathBuf::from)
        .join("models")
}
