// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether saving holds up the pipeline: `scripts/env.sh cargo bench --bench extract`.
//!
//! A film in 1920x1080 is decoded and its faces are found, without and with `frameextract` behind it, in turns in one run. The rows save
//! ever more: what the defaults let through, every face, every face as PNG, every whole frame as PNG. Then whole frames of 3840x2160
//! as PNG, for the memory. `CLIP` names another film to start from, `MODEL_DIR` the detector.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A program that prints and may fail.

use std::path::{Path, PathBuf};
use std::time::Instant;

use gst::prelude::*;

const DETECTOR: &str = "yunet_n_dynamic.onnx";
const ROUNDS: usize = 3;

/// Every face, whatever it looks like.
const ALL: &str = "dedup=0 min-sharpness=0 min-confidence=0 min-face-size=0 min-exposure=0 max-exposure=1 allow-cut-off=true";

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = |name: &str, default: &str| {
        std::env::var_os(name).map_or_else(|| root.join(default), PathBuf::from)
    };
    let clip = path("CLIP", ".setup/clips/demo.mp4");
    let detector = path("MODEL_DIR", "../shared/assets/models").join(DETECTOR);
    if !detector.exists() || !clip.exists() {
        println!(
            "SKIPPED: {} and {} are needed",
            detector.display(),
            clip.display()
        );
        return;
    }
    gst::init().unwrap();
    gstliveness::plugin_register_static().unwrap();
    liveness::runtime::search_in(&root.join(".setup/lib"));
    let scratch = tempfile::tempdir().unwrap();
    let film = |width: u32, height: u32| {
        let film = scratch.path().join(format!("{height}.mkv"));
        run(&format!(
            "filesrc location=\"{}\" ! decodebin ! videoconvert ! videoscale ! video/x-raw,format=I420,width={width},height={height} \
             ! x264enc speed-preset=ultrafast quantizer=20 pass=quant ! matroskamux ! filesink location={}",
            clip.display(),
            film.display()
        ));
        film
    };
    let found = |film: &Path| {
        format!(
            "filesrc location={} ! decodebin ! livenessfacedetect model={} name=d",
            film.display(),
            detector.display()
        )
    };
    let hd = film(1920, 1080);
    let rows = [
        ("detection alone", None),
        ("defaults", Some("")),
        ("every face, jpeg", Some(ALL)),
        ("every face, png", Some("format=png")),
        ("every frame, png", Some("format=png mode=frames")),
    ];
    let mut best = [(f64::MAX, 0, 0); 5];
    for round in 0..ROUNDS {
        for (i, (_, options)) in rows.iter().enumerate() {
            let folder = scratch.path().join(format!("{i}-{round}"));
            let sink = options.map_or("fakesink sync=false".to_owned(), |options| {
                let all = if options.is_empty() { "" } else { ALL };
                format!(
                    "frameextract name=e location={} {options} {all}",
                    folder.display()
                )
            });
            let start = Instant::now();
            let (frames, saved) = run(&format!("{} ! {sink}", found(&hd)));
            let seconds = start.elapsed().as_secs_f64();
            if seconds < best[i].0 {
                best[i] = (seconds, frames, saved);
            }
        }
    }
    println!(
        "1920x1080, best of {ROUNDS}, in turns: frames, pictures saved, ms per frame, times detection alone"
    );
    for ((name, _), (seconds, frames, saved)) in rows.iter().zip(best) {
        let ms = 1e3 * seconds / frames as f64;
        println!(
            "{name:>18} {frames:>6} {saved:>6} {ms:>8.2} {:>6.2}",
            seconds / best[0].0
        );
    }
    let uhd = film(3840, 2160);
    println!("3840x2160: MiB of memory at most");
    for (name, sink) in [
        ("detection alone", "fakesink sync=false".to_owned()),
        (
            "every frame, png",
            format!(
                "frameextract name=e location={} format=png mode=frames {ALL}",
                scratch.path().join("uhd").display()
            ),
        ),
    ] {
        // The highest mark so far starts anew.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let (frames, saved) = run(&format!("{} ! {sink}", found(&uhd)));
        println!("{name:>18} {frames:>6} {saved:>6} {:>8}", peak_mib());
    }
}

/// Runs a pipeline to its end: frames that were looked at for faces, and pictures saved.
fn run(line: &str) -> (u64, u64) {
    let pipeline = gst::parse::launch(line)
        .unwrap()
        .downcast::<gst::Bin>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline
        .bus()
        .unwrap()
        .timed_pop_filtered(None, &end)
        .unwrap();
    if let gst::MessageView::Error(e) = message.view() {
        panic!("{}", e.error());
    }
    let count = |element: &str, name: &str| {
        let element = pipeline.by_name(element)?;
        element
            .property::<gst::Structure>("stats")
            .get::<u64>(name)
            .ok()
    };
    let counts = (count("d", "frames"), count("e", "saved"));
    pipeline.set_state(gst::State::Null).unwrap();
    (counts.0.unwrap_or_default(), counts.1.unwrap_or_default())
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}
