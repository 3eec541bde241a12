// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of this program share: a real server in a process of its own, workers in theirs, films, and what lies in the streams.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gst::prelude::*;
use serde_json::Value;

use crate::common;
use crate::plugin::{self, Ended, Plugin, Running, Tool};

/// Longest time for programs that wait for each other, on a machine under load.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

/// Frames of a film that is long enough to be interrupted in.
pub(crate) const LONG: u32 = 500;

/// A scratch folder with a server.
pub(crate) struct Ground {
    folder: tempfile::TempDir,
    pub(crate) server: Server,
}

impl Ground {
    /// `None`, said on standard error, where there is no ONNX Runtime or no server.
    pub(crate) fn new() -> Option<Self> {
        Self::with("", "nats://127.0.0.1")
    }

    /// With more in the server's configuration, and the address by which it is called.
    pub(crate) fn with(config: &str, address: &str) -> Option<Self> {
        Self::written(|_| config.to_owned(), address)
    }

    /// With a configuration that names files in its folder.
    pub(crate) fn written(config: impl Fn(&Path) -> String, address: &str) -> Option<Self> {
        if plugin::runtime().is_none() {
            common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
            return None;
        }
        if !has_program("nats-server") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let server = Server::start(folder.path(), &config, address);
        Some(Self { folder, server })
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A film of moving colours, in which the quick models see two faces in each frame.
    pub(crate) fn film(&self, name: &str, frames: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        launch(&format!(
            "videotestsrc pattern=zone-plate kx2=20 ky2=20 kt=7 num-buffers={frames} \
             ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 \
             ! jpegenc ! matroskamux ! filesink location={}",
            path.display()
        ));
        path
    }

    /// The same film under many names, in a folder.
    pub(crate) fn films(&self, many: usize, frames: u32) -> PathBuf {
        let first = self.film("films/000.mkv", frames);
        for n in 1..many {
            fs::copy(&first, self.path(format!("films/{n:03}.mkv"))).unwrap();
        }
        self.path("films")
    }

    /// The program with this server.
    pub(crate) fn fleet(&self, words: &[&str]) -> Tool {
        program()
            .args(words)
            .arg("--server")
            .arg(&self.server.address)
    }

    /// Makes the streams; a worker that dies is noticed soon.
    pub(crate) fn setup(&self) {
        let made = self.fleet(&["setup", "--ack-wait", "2s"]).run();
        made.cleanly(&[0]);
    }

    /// Adds what lies there. What is said of each.
    pub(crate) fn add(&self, path: &Path) -> Vec<String> {
        let added = self.fleet(&["add"]).arg(path).run().cleanly(&[0]);
        added.stdout.lines().map(str::to_owned).collect()
    }

    /// A worker with models that cost next to nothing.
    pub(crate) fn worker(&self, words: &[&str]) -> Tool {
        quick(self.fleet(&["work"]).args(words))
    }

    /// A worker that runs.
    pub(crate) fn start(&self, words: &[&str]) -> Running {
        let mut worker = self.worker(words).start(LIMIT);
        worker.until_it_says("works for");
        worker
    }

    /// Lines of JSON out of a stream.
    pub(crate) fn read(&self, of: &str, item: Option<&str>) -> Vec<Value> {
        let mut tool = self.fleet(&["results", "--json", "--of", of]);
        if let Some(item) = item {
            tool = tool.args(["--item", item]);
        }
        let lines = parse(&tool.run().cleanly(&[0]));
        let schema = match of {
            "frames" => "faces.schema.json",
            _ => "fleet.schema.json",
        };
        valid(&lines, schema);
        lines
    }

    /// What became of items, by their numbers.
    pub(crate) fn results(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for result in self.read("results", None) {
            let id = result["id"].as_str().unwrap().to_owned();
            assert!(all.insert(id.clone(), result).is_none(), "{id} twice");
        }
        all
    }

    pub(crate) fn status(&self) -> Value {
        let ended = self.fleet(&["status", "--json"]).run().cleanly(&[0]);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// Waits until something holds.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(
                start.elapsed() < LIMIT,
                "{what} did not happen: {}",
                self.status()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until so many items have a result.
    #[track_caller]
    pub(crate) fn until_concluded(&self, many: u64) {
        self.until("the last result", || self.status()["concluded"] == many);
    }

    /// The lines of an item's frames and events, without what differs from run to run, and how often it was begun.
    pub(crate) fn story(&self, item: &str) -> (Vec<Value>, Vec<Value>, usize) {
        let without = |mut line: Value, fields: &[&str]| {
            for field in fields {
                line.as_object_mut().unwrap().remove(*field);
            }
            line
        };
        let frames = self.read("frames", Some(item)).into_iter();
        let frames = frames.map(|l| without(l, &["source"])).collect();
        let (told, begun): (Vec<_>, Vec<_>) = self
            .read("events", Some(item))
            .into_iter()
            .partition(|l| l["event"] != "started" && l["event"] != "returned");
        let told = told.into_iter();
        let told = told.map(|l| without(l, &["source", "item", "time"]));
        let begun = begun.iter().filter(|l| l["event"] == "started").count();
        (frames, told.collect(), begun)
    }

    /// All these items tell the same, each once: the film that they all are. How often they were begun.
    #[track_caller]
    pub(crate) fn assert_alike(&self, items: &[String], frames: u32) -> usize {
        let mut first: Option<(Vec<Value>, Vec<Value>)> = None;
        let mut all = 0;
        for item in items {
            let (lines, told, begun) = self.story(item);
            all += begun;
            assert_eq!(lines.len(), frames as usize, "frames of {item}");
            let times: Vec<u64> = lines
                .iter()
                .map(|l| l["timestamp"].as_u64().unwrap())
                .collect();
            assert!(times.is_sorted_by(|a, b| a < b), "{item}: {times:?}");
            let faces = told.iter().filter(|l| l["event"] == "face").count();
            assert!(faces >= 1, "{item}: {told:?}");
            match &first {
                None => first = Some((lines, told)),
                Some((l, t)) => {
                    assert!(lines == *l, "the frames of {item} are others");
                    assert_eq!(told, *t, "{item}");
                }
            }
        }
        all
    }
}

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

/// The program, without what this user has set.
pub(crate) fn program() -> Tool {
    let tool = Plugin::shared().command(env!("CARGO_BIN_EXE_liveness-fleet"));
    [
        "NATS_URL",
        "NATS_CREDS",
        "NATS_USER",
        "NATS_PASSWORD",
        "NATS_NKEY",
        "NATS_CA",
        "NATS_CERT",
        "NATS_KEY",
        "LIVENESS_FLEET",
        "LIVENESS_DETECTOR",
        "LIVENESS_PASSWORD",
    ]
    .into_iter()
    .fold(tool, Tool::without)
}

/// With a detector that sees two faces in whatever it is shown.
pub(crate) fn quick(tool: Tool) -> Tool {
    let data = common::root().join("tests/data");
    let tool = tool.arg("--detector").arg(data.join("boxes.onnx"));
    tool.arg("--model").arg(data.join("bright.onnx"))
}

/// Lines of JSON on standard output.
fn parse(ended: &Ended) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    ended.stdout.lines().map(parse).collect()
}

/// Holds lines against a schema in docs/.
#[track_caller]
fn valid(lines: &[Value], name: &str) {
    let mut schemas = boon::Schemas::new();
    let path = common::root().join("docs").join(name);
    let schema = boon::Compiler::new().compile(path.to_str().unwrap(), &mut schemas);
    let schema = schema.unwrap();
    for line in lines {
        if let Err(error) = schemas.validate(line, schema) {
            panic!("{line}: {error}");
        }
    }
}

/// The number of an item, out of a line of `add`.
pub(crate) fn number(line: &str) -> String {
    line.split_whitespace().next().unwrap().to_owned()
}

/// Whether a program is installed. Said on standard error where it is not.
pub(crate) fn has_program(name: &str) -> bool {
    // Debian has servers where not every user's PATH leads.
    let has = Command::new("sh")
        .args(["-c", "PATH=$PATH:/usr/sbin command -v \"$0\"", name])
        .stdout(Stdio::null())
        .status();
    let has = has.is_ok_and(|s| s.success());
    if !has {
        common::skip(format_args!("no {name} (scripts/setup.sh --tests)"));
    }
    has
}

/// What stands in the server's configuration as `$NAME`.
pub(crate) const PASSWORDS: [(&str, &str); 3] = [
    ("OPERATOR_PASSWORD", "operator-s3cret"),
    ("WORKER_PASSWORD", "worker-s3cret"),
    ("READER_PASSWORD", "reader-s3cret"),
];

/// A nats-server, with a store in its folder.
pub(crate) struct Server {
    folder: PathBuf,
    child: Child,
    /// Where it is.
    pub(crate) address: String,
    port: u16,
}

impl Server {
    fn start(folder: &Path, config: &str, address: &str) -> Self {
        let store = folder.join("store");
        let config = match config.contains("jetstream {") {
            // That of the example is a container's.
            true => config.replace("/data", store.to_str().unwrap()),
            false => format!(
                "jetstream {{ store_dir: '{}' }}\n{config}\n",
                store.display()
            ),
        };
        fs::write(folder.join("nats.conf"), config).unwrap();
        let mut server = Self {
            child: spawn(folder, None),
            folder: folder.to_owned(),
            address: String::new(),
            port: 0,
        };
        server.port = server.wait();
        server.address = format!("{address}:{}", server.port);
        server
    }

    /// Waits until it listens: it writes down where.
    fn wait(&mut self) -> u16 {
        let ports = self
            .folder
            .join(format!("nats-server_{}.ports", self.child.id()));
        let start = Instant::now();
        loop {
            let text = fs::read_to_string(&ports).unwrap_or_default();
            let said: Option<Value> = serde_json::from_str(&text).ok();
            let url = said.as_ref().and_then(|s| s["nats"][0].as_str());
            if let Some(port) = url.and_then(|u| u.rsplit(':').next()?.parse().ok()) {
                return port;
            }
            let ended = self.child.try_wait().unwrap();
            let said = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            assert!(
                ended.is_none() && start.elapsed() < LIMIT,
                "{}{}",
                said("nats.err"),
                said("nats.log")
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Publishes what no fleet would, as any client of NATS can.
    pub(crate) fn publish(&self, subject: &str, payload: &str) {
        let mut line = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = payload.len();
        write!(
            line,
            "CONNECT {{\"verbose\":false}}\r\nPUB {subject} {length}\r\n{payload}\r\nPING\r\n"
        )
        .unwrap();
        // The server answers when it has read all of it.
        let answers = BufReader::new(line).lines();
        assert!(answers.map_while(Result::ok).any(|l| l == "PONG"));
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again in the same place, with what it has stored.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.folder, Some(self.port));
        assert_eq!(self.wait(), self.port);
    }
}

fn spawn(folder: &Path, port: Option<u16>) -> Child {
    let port = port.map_or("-1".into(), |p| p.to_string());
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("nats-server")
        .env("PATH", format!("{path}:/usr/sbin"))
        .args(["--addr", "127.0.0.1", "--port", &port])
        .arg("--config")
        .arg(folder.join("nats.conf"))
        .envs(PASSWORDS)
        .arg("--log")
        .arg(folder.join("nats.log"))
        .arg("--ports_file_dir")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("nats.err")).unwrap())
        .spawn()
        .unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it has ended by itself, there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
