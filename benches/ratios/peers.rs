// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole chain beside what else finds faces in the same film: the element of GStreamer's OpenCV plugin, and Python programs with OpenCV.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gst::prelude::*;

use super::chain::CHAIN;
use super::film::{Feed, Film, clip};
use super::table::{Row, Wanted, print, skipped};
use super::turns::{compare, ms};

const ROUNDS: usize = 11;
const FRAMES: u64 = 10;
const SIZE: (u32, u32) = (1280, 720);

/// GStreamer's own `facedetect`, which knows faces by Haar cascades.
static THEIRS: OnceLock<Option<gst::ElementFactory>> = OnceLock::new();

/// Loads OpenCV's element, to be called before ours are registered: one of the same name takes its place.
pub(crate) fn load_opencv() {
    THEIRS.get_or_init(|| {
        let all = gst::Registry::get().features_by_plugin("opencv");
        let feature = all.into_iter().find(|f| f.name() == "facedetect")?;
        feature.load().ok()?.downcast().ok()
    });
}

/// Beside that one.
pub(crate) fn opencv() {
    let what = "chain's frames/s of OpenCV's element facedetect";
    let Some(factory) = THEIRS.get().and_then(Option::as_ref) else {
        return skipped(what, "gstreamer1.0-opencv is not installed");
    };
    let element = factory.create().build().unwrap();
    // For who has the cascades elsewhere than their package puts them.
    if let Some(folder) = std::env::var_os("HAARCASCADES") {
        for name in ["profile", "nose-profile", "mouth-profile", "eyes-profile"] {
            let usual = element.property::<String>(name);
            let file = Path::new(&usual).file_name().unwrap();
            let path = Path::new(&folder).join(file).display().to_string();
            element.set_property(name, path);
        }
    }
    let bin = gst::Bin::new();
    let convert = gst::ElementFactory::make("videoconvert").build().unwrap();
    bin.add_many([&convert, &element]).unwrap();
    convert.link(&element).unwrap();
    for (from, name) in [(&convert, "sink"), (&element, "src")] {
        let pad = gst::GhostPad::with_target(&from.static_pad(name).unwrap()).unwrap();
        bin.add_pad(&pad).unwrap();
    }
    let film = Arc::new(Film::read(&clip(), SIZE, 50));
    let mut theirs = Feed::new(&film, bin.upcast_ref());
    let mut ours = Feed::launch(&film, CHAIN);
    let compared = compare(ROUNDS, || theirs.run(FRAMES), || ours.run(FRAMES));
    print(
        &Row::ratio(what, compared.ratio, Wanted::Any).note(each(compared.second, compared.first)),
    );
}

/// Python's turn.
pub(crate) fn python() {
    let film = Arc::new(Film::read(&clip(), SIZE, 50));
    let path = |name: &str| super::models().join(name).display().to_string();
    let (detector, liveness) = (
        path("yunet_n_dynamic.onnx"),
        path("MiniFASNetV2_2.7_80.onnx"),
    );
    let (all, finds) = (CHAIN, "livenessfacedetect");
    for (what, chain, program, wanted) in [
        (
            "facedetect's frames/s of OpenCV and YuNet-n in Python",
            finds,
            vec!["yunet", &detector],
            Wanted::Any,
        ),
        (
            "chain's frames/s of OpenCV and YuNet-n in Python, which judges nobody",
            all,
            vec!["yunet", &detector],
            Wanted::Any,
        ),
        (
            "chain's frames/s of OpenCV with YuNet-n and MiniFASNetV2 in Python",
            all,
            vec!["yunet+liveness", &detector, &liveness],
            Wanted::AtLeast(10.0),
        ),
        (
            "chain's frames/s of OpenCV's SSD alone in Python",
            all,
            vec!["ssd"],
            Wanted::AtLeast(10.0),
        ),
    ] {
        if let Some(missing) = program[1..].iter().find(|p| !Path::new(p).is_file()) {
            skipped(what, &format!("no {missing}"));
            continue;
        }
        let mut script = match Script::start(&program) {
            Ok(script) => script,
            Err(why) => {
                skipped(what, &why);
                continue;
            }
        };
        let mut ours = Feed::launch(&film, chain);
        let compared = compare(ROUNDS, || script.run(FRAMES), || ours.run(FRAMES));
        print(
            &Row::ratio(what, compared.ratio, wanted).note(each(compared.second, compared.first)),
        );
    }
}

fn each(ours: Duration, theirs: Duration) -> String {
    let each = |d| ms(d) / FRAMES as f64;
    format!(
        "{:.2} and {:.2} ms of CPU a frame",
        each(ours),
        each(theirs)
    )
}

/// `benches/opencv.py`, waiting to be told how many frames it shall look at.
struct Script {
    child: Child,
    say: ChildStdin,
    hear: BufReader<ChildStdout>,
}

impl Script {
    fn start(arguments: &[&str]) -> Result<Self, String> {
        let python = super::root().join(".setup/peers/bin/python");
        if !python.is_file() {
            return Err("no OpenCV for Python (scripts/setup.sh --peers)".into());
        }
        let mut child = Command::new(python)
            .arg(super::root().join("benches/opencv.py"))
            .arg(clip())
            .args([SIZE.0, SIZE.1].map(|n| n.to_string()))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let say = child.stdin.take().unwrap();
        let mut hear = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        hear.read_line(&mut line).map_err(|e| e.to_string())?;
        let script = Self { child, say, hear };
        if line.starts_with("ready") {
            Ok(script)
        } else {
            Err("benches/opencv.py cannot do it here".into())
        }
    }

    fn run(&mut self, frames: u64) -> Duration {
        writeln!(self.say, "{frames}").unwrap();
        let mut line = String::new();
        self.hear.read_line(&mut line).unwrap();
        Duration::from_secs_f64(line.trim().parse().expect("it answers with seconds"))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
