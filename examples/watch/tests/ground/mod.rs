// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of this program share: the real binary, its lines held against their schema, films made and looked at.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // Each test uses a part, and one that fails panics.

#[path = "../../../../tests/common/cameras.rs"]
pub(crate) mod cameras;
#[path = "../../../../tests/common/mod.rs"]
pub(crate) mod common;
#[path = "../../../../tests/common/marks.rs"]
pub(crate) mod marks;
#[path = "../../../../tests/common/plugin.rs"]
pub(crate) mod plugin;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gst::prelude::*;
use plugin::{Ended, Plugin, Running, Tool};
use serde_json::Value;

/// Longest time for a program that loses its source and finds it again, on a machine under load.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

/// A scratch folder.
pub(crate) struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    /// `None`, said on standard error, where there is no ONNX Runtime.
    pub(crate) fn new() -> Option<Self> {
        if plugin::runtime().is_none() {
            common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        Some(Self { folder })
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder of JPEG pictures.
    pub(crate) fn pictures(&self) -> PathBuf {
        let folder = self.path("pictures");
        fs::create_dir_all(&folder).unwrap();
        let to = folder.join("%03d.jpg");
        launch(&format!(
            "{SMALL} num-buffers=25 ! {RAW} ! jpegenc ! multifilesink location={}",
            to.display()
        ));
        folder
    }

    /// A film of moving colours.
    pub(crate) fn film(&self, name: &str, frames: u32) -> PathBuf {
        let path = self.path(name);
        launch(&format!(
            "{SMALL} num-buffers={frames} ! {RAW} ! jpegenc ! matroskamux ! filesink location={}",
            path.display()
        ));
        path
    }
}

/// Moving colours, and how large they are.
pub(crate) const SMALL: &str = "videotestsrc pattern=zone-plate kx2=20 ky2=20 kt=7";
pub(crate) const RAW: &str = "video/x-raw,format=I420,width=320,height=240,framerate=25/1";

/// The same as a camera gives them.
pub(crate) fn live(raw: &str) -> String {
    format!("{SMALL} is-live=true ! {raw}")
}

/// Runs a pipeline to its end.
pub(crate) fn launch(description: &str) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let wait = gst::ClockTime::from_seconds(plugin::LIMIT.as_secs());
    let end = pipeline.bus().unwrap().timed_pop_filtered(wait, &ends);
    assert_eq!(end.unwrap().type_(), gst::MessageType::Eos, "{description}");
    pipeline.set_state(gst::State::Null).unwrap();
}

/// The program, where there is no display.
pub(crate) fn program() -> Tool {
    let tool = Plugin::shared().command(env!("CARGO_BIN_EXE_liveness-watch"));
    let tool = tool
        .without("LIVENESS_DETECTOR")
        .without("LIVENESS_PASSWORD");
    tool.without("DISPLAY").without("WAYLAND_DISPLAY")
}

/// The program with a detector that sees two faces in whatever it is shown, which costs next to nothing; it writes its lines.
pub(crate) fn quick() -> Tool {
    let data = common::root().join("tests/data");
    let tool = program()
        .arg("--json")
        .arg("--detector")
        .arg(data.join("boxes.onnx"));
    tool.arg("--model").arg(data.join("bright.onnx"))
}

/// The whole lines that it has written until now.
pub(crate) fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    whole.lines().map(parse).collect()
}

/// Waits until its lines are such.
pub(crate) fn until(run: &mut Running, what: &str, test: impl Fn(&[Value]) -> bool) {
    let file = run.stdout_file();
    run.until(what, || test(&lines(&file)));
}

/// Lines of this event.
pub(crate) fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|l| l["event"] == event).collect()
}

/// Lines that say that the source is in this state.
pub(crate) fn state<'a>(lines: &'a [Value], state: &str) -> Vec<&'a Value> {
    lines.iter().filter(|l| l["state"] == state).collect()
}

/// The lines of a program that has ended, each as it is documented.
pub(crate) fn valid(ended: &Ended) -> Vec<Value> {
    let mut schemas = boon::Schemas::new();
    let path = common::root().join("docs/watch.schema.json");
    let schema = boon::Compiler::new().compile(path.to_str().unwrap(), &mut schemas);
    let schema = schema.unwrap();
    let all: Vec<Value> = ended
        .stdout
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    for line in &all {
        if let Err(error) = schemas.validate(line, schema) {
            panic!("{line}: {error}");
        }
    }
    all
}

/// What a film holds that was read to its end.
#[derive(Debug)]
pub(crate) struct Film {
    /// When each frame is shown.
    pub(crate) times: Vec<gst::ClockTime>,
    /// Width and height of all of them.
    pub(crate) size: (i32, i32),
    /// How long it says that it is: an unfinished one does not know.
    pub(crate) duration: Option<gst::ClockTime>,
    /// How many frames are black.
    pub(crate) black: usize,
}

/// Reads a film to its end.
pub(crate) fn read(path: &Path) -> Film {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(
        "filesrc name=file ! matroskademux ! decodebin ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=sink sync=false",
    );
    let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
    let named = |name| pipeline.by_name(name).unwrap();
    named("file").set_property("location", path);
    let sink = named("sink").downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut film = Film {
        times: Vec::new(),
        size: (0, 0),
        duration: None,
        black: 0,
    };
    let wait = gst::ClockTime::from_seconds(plugin::LIMIT.as_secs());
    while let Some(sample) = sink.try_pull_sample(wait) {
        let caps = sample.caps().unwrap().structure(0).unwrap();
        let size = (caps.get("width").unwrap(), caps.get("height").unwrap());
        assert!(
            film.times.is_empty() || film.size == size,
            "it changes its size"
        );
        film.size = size;
        let buffer = sample.buffer().unwrap();
        film.times.push(buffer.pts().unwrap());
        // But for what the overlay draws.
        let map = buffer.map_readable().unwrap();
        let dark = map.iter().filter(|b| **b < 24).count();
        film.black += usize::from(10 * dark >= 8 * map.len());
        film.duration = pipeline.query_duration();
    }
    assert!(
        sink.is_eos(),
        "{} does not decode to its end",
        path.display()
    );
    pipeline.set_state(gst::State::Null).unwrap();
    film
}

impl Film {
    /// It is whole: it holds as many frames as were said, one after the other, and knows how long it is.
    #[track_caller]
    pub(crate) fn assert_whole(self, ended: &Ended) -> Self {
        let frames = self.times.len();
        let said = format!("{frames} frames are in ");
        assert!(ended.stderr.contains(&said), "{frames}: {}", ended.stderr);
        assert!(self.times.is_sorted_by(|a, b| a < b), "{:?}", self.times);
        let last = *self.times.last().unwrap();
        assert!(
            self.duration.is_some_and(|d| d >= last),
            "{:?} of {last}",
            self.duration
        );
        self
    }
}
