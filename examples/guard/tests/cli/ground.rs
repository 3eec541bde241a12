// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of this program share: the real binary, its log held against the schema, films, servers.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gst::prelude::*;
use serde_json::Value;

use crate::common;
use crate::plugin::{self, Ended, Plugin, Running, Tool};

/// Longest time for a program that waits for others, on a machine under load.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);

/// Debian's own, which has Debian's modules.
pub(crate) const PYTHON: &str = "/usr/bin/python3";

/// What makes a film one that the quick models call live, and another one.
const LIVE: &str = "videotestsrc pattern=checkers-8 foreground-color=0xffffffff num-buffers=40";
const SPOOF: &str = "videotestsrc pattern=zone-plate kx2=20 ky2=20 kt=7 num-buffers=40";

/// A scratch folder with a configuration, and the log and the queue that it names.
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

    /// Writes the configuration: a log, and `more`.
    pub(crate) fn config(&self, more: &str) -> PathBuf {
        let path = self.path("guard.toml");
        fs::write(&path, format!("[audit]\npath = 'audit.jsonl'\n{more}\n")).unwrap();
        path
    }

    /// Films in which the quick models see one who is granted, or an intruder.
    pub(crate) fn granted(&self) -> PathBuf {
        self.film(
            "granted.mkv",
            &format!("{LIVE} ! {RAW} ! videobalance brightness=0.25"),
        )
    }

    pub(crate) fn intruder(&self) -> PathBuf {
        self.film("intruder.mkv", &format!("{SPOOF} ! {RAW}"))
    }

    /// A film in which nobody decides anything.
    pub(crate) fn nothing(&self) -> PathBuf {
        let short = SPOOF.replace("num-buffers=40", "num-buffers=2");
        self.film("nothing.mkv", &format!("{short} ! {RAW}"))
    }

    /// The same as JPEG pictures.
    pub(crate) fn pictures(&self) -> Vec<Vec<u8>> {
        let to = self.path("%03d.jpg");
        let to = to.display();
        launch(&format!(
            "{SPOOF} ! {RAW} ! jpegenc ! multifilesink location={to}"
        ));
        (0..40)
            .map(|n| fs::read(self.path(format!("{n:03}.jpg"))).unwrap())
            .collect()
    }

    pub(crate) fn film(&self, name: &str, source: &str) -> PathBuf {
        let path = self.path(name);
        launch(&format!(
            "{source} ! jpegenc ! matroskamux ! filesink location={}",
            path.display()
        ));
        path
    }

    /// The program with this configuration, and models that cost next to nothing.
    pub(crate) fn quick(&self, config: &str) -> Tool {
        let data = common::root().join("tests/data");
        let tool = program().arg("--headless").arg("--quiet");
        let tool = tool.arg("--config").arg(self.config(config));
        let tool = tool.arg("--detector").arg(data.join("boxes.onnx"));
        tool.arg("--model").arg(data.join("bright.onnx"))
    }

    /// The lines of the log, each as it is documented.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("audit.jsonl")).unwrap_or_default();
        let lines: Vec<_> = text
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        valid(&lines);
        lines
    }

    /// What the log says of actions: `mail queued`.
    pub(crate) fn actions(&self) -> Vec<String> {
        let log = self.log();
        let actions = log.iter().filter(|l| l["event"] == "action");
        let words = |l: &Value| {
            format!(
                "{} {}",
                l["action"].as_str().unwrap(),
                l["state"].as_str().unwrap()
            )
        };
        actions.map(words).collect()
    }

    /// Waits until the log has this action.
    pub(crate) fn until(&self, run: &mut Running, action: &str) {
        let log = self.path("audit.jsonl");
        let (name, state) = action.split_once(' ').unwrap();
        let word = format!(r#""action":"{name}","state":"{state}""#);
        run.until(action, || {
            fs::read_to_string(&log).unwrap_or_default().contains(&word)
        });
    }

    /// Files that wait in the queue.
    pub(crate) fn queued(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.path("queue"))
            .into_iter()
            .flatten()
            .flatten();
        let all = all.map(|e| e.path()).filter(|p| p.is_file());
        all.filter(|p| !p.file_name().unwrap().to_string_lossy().starts_with('.'))
            .collect()
    }
}

const RAW: &str = "video/x-raw,format=I420,width=320,height=240,framerate=25/1";

/// Runs a pipeline to its end.
fn launch(description: &str) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let wait = gst::ClockTime::from_seconds(plugin::LIMIT.as_secs());
    let end = pipeline.bus().unwrap().timed_pop_filtered(wait, &ends);
    assert_eq!(end.unwrap().type_(), gst::MessageType::Eos, "{description}");
    pipeline.set_state(gst::State::Null).unwrap();
}

/// The program, where there is no display and no bus.
pub(crate) fn program() -> Tool {
    let tool = Plugin::shared().command(env!("CARGO_BIN_EXE_liveness-guard"));
    let tool = tool
        .without("LIVENESS_DETECTOR")
        .without("LIVENESS_PASSWORD");
    let tool = tool
        .without("XDG_SESSION_ID")
        .without("http_proxy")
        .without("https_proxy");
    tool.without("DISPLAY").without("WAYLAND_DISPLAY")
}

/// Holds lines against their schema.
#[track_caller]
pub(crate) fn valid(lines: &[Value]) {
    let mut schemas = boon::Schemas::new();
    let path = common::root().join("docs/guard.schema.json");
    let schema = boon::Compiler::new().compile(path.to_str().unwrap(), &mut schemas);
    let schema = schema.unwrap();
    for line in lines {
        if let Err(error) = schemas.validate(line, schema) {
            panic!("{line}: {error}");
        }
    }
}

/// The lines on standard output.
pub(crate) fn stdout(ended: &Ended) -> Vec<Value> {
    let lines: Vec<_> = ended
        .stdout
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    valid(&lines);
    lines
}

/// Lines about decisions: the decision, and whether it was announced.
pub(crate) fn decisions(lines: &[Value]) -> Vec<(&str, bool)> {
    let all = lines.iter().filter(|l| l["event"] == "decision");
    all.map(|l| {
        (
            l["decision"].as_str().unwrap(),
            l["announced"].as_bool().unwrap(),
        )
    })
    .collect()
}

/// Whether Debian's Python has a module. Said on standard error where it has not.
pub(crate) fn has_module(name: &str) -> bool {
    let import = format!("import {name}");
    let ended = Command::new(PYTHON)
        .args(["-c", &import])
        .stderr(Stdio::null())
        .status();
    let has = ended.is_ok_and(|s| s.success());
    if !has {
        common::skip(format_args!(
            "no Python module {name} (scripts/setup.sh --packages)"
        ));
    }
    has
}

/// Whether a program is installed. Said on standard error where it is not.
pub(crate) fn has_program(name: &str) -> bool {
    let has = Command::new("sh")
        .args(["-c", "command -v \"$0\"", name])
        .stdout(Stdio::null())
        .status();
    let has = has.is_ok_and(|s| s.success());
    if !has {
        common::skip(format_args!("no {name} (scripts/setup.sh --packages)"));
    }
    has
}

/// A process that ends with its test, and the first line that it has said.
pub(crate) struct Server {
    child: Child,
    pub(crate) said: String,
}

impl Server {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Who refuses a client complains at length.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut said);
        assert!(read.unwrap() > 0, "{command:?} has said nothing");
        Self {
            child,
            said: said.trim().to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
