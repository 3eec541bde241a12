// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many streams in one process: frames in all, memory of each, and how long a frame is held up. Each number of streams gets a
//! process of its own, so that none finds memory that others have left.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use serde_json::{Value, json};

use super::film::{Feed, Film, clip};
use super::table::{Row, Wanted, print, skipped};
use super::turns::{ms, percentile, time};

const SIZE: (u32, u32) = (1280, 720);

/// Frames of the film; more would only take memory.
const FILM: usize = 25;

/// Frames with which a stream comes to rest before anything is measured.
const WARM: u64 = 20;

/// Frames of all streams together where they go as fast as they can.
const FAST: u64 = 512;

/// A camera's.
const RATE: u64 = 15;
const SECONDS: u64 = 6;

const COUNTS: [u64; 4] = [1, 4, 16, 64];

/// How the elements are set: a look at all of each frame, finding faces as needed, and all that a user can do about the load.
const SETTINGS: [Set; 3] = [
    Set {
        detect: "inference-interval=1",
        judge: "",
        wanted: false,
    },
    Set {
        detect: "inference-interval=0",
        judge: "",
        wanted: true,
    },
    Set {
        detect: "inference-interval=0",
        judge: "reclassify-interval=5 precision=auto",
        wanted: true,
    },
];

/// Properties of both elements.
struct Set {
    detect: &'static str,
    judge: &'static str,
    /// 16 streams shall not be held up for long.
    wanted: bool,
}

/// Before the name of this part, for a process that does one number of streams.
pub(crate) const CHILD: &str = "one-number-of-streams";

pub(crate) fn run() {
    for (number_of_set, set) in SETTINGS.iter().enumerate() {
        let mut alone = None;
        for streams in COUNTS {
            let at = format!("720p, {} {}", set.detect, set.judge);
            let at = at.trim();
            let what = match streams {
                1 => format!("1 stream of {at}"),
                n => format!("{n} streams of {at}"),
            };
            let told = match child(streams, number_of_set) {
                Ok(told) => told,
                Err(why) => {
                    skipped(&what, &why);
                    continue;
                }
            };
            let alone = *alone.get_or_insert(number(&told, "fps"));
            rows(&what, (streams, set), &told, alone);
        }
    }
}

fn rows(what: &str, (streams, set): (u64, &Set), told: &Value, alone: f64) {
    let get = |name| number(told, name);
    print(
        &Row::count(
            format!("{what}, as fast as they go"),
            get("fps"),
            " frames/s",
            Wanted::Any,
        )
        .note(format!(
            "{:.2} times one stream; {:.2} ms of CPU a frame, {:.1} cores at work; one is held up {}",
            get("fps") / alone,
            get("cpu"),
            get("fps") * get("cpu") / 1e3,
            held_up(told, "fast")
        )),
    );
    let due = (streams * RATE) as f64;
    if streams == 16 {
        print(&Row::count(
            format!("{what}, {RATE} frames/s each: cores that they take"),
            get("cores"),
            "",
            Wanted::AtMost(2.0),
        ));
        print(&Row::count(
            format!("{what}: memory of each beyond the first"),
            get("mib"),
            " MiB",
            Wanted::AtMost(12.0),
        ));
    }
    if told.get("live").is_none() {
        return skipped(
            &format!("{what}, {RATE} frames/s each"),
            &format!("it takes {:.1} cores", get("cores")),
        );
    }
    let wanted = |most| match streams {
        16 if set.wanted => Wanted::AtMost(most),
        _ => Wanted::Any,
    };
    print(
        &Row::count(
            format!("{what}, {RATE} frames/s each: held up, p95"),
            number(&told["live"], "p95"),
            " ms",
            wanted(40.0),
        )
        .note(format!(
            "{}; {:.1} of {due} frames/s came out; from the time a frame was due p95 {:.1} ms",
            held_up(told, "live"),
            get("kept"),
            get("late"),
        )),
    );
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or(f64::NAN)
}

fn held_up(told: &Value, name: &str) -> String {
    let [p50, p95, p99] = ["p50", "p95", "p99"].map(|p| number(&told[name], p));
    format!("p50 {p50:.1}, p95 {p95:.1}, p99 {p99:.1} ms")
}

/// What a process with so many streams says.
fn child(streams: u64, set: usize) -> Result<Value, String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, &streams.to_string(), &set.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).map_err(|_| format!("its process ended with {}", output.status))
}

/// One stream and how long its frames were held up, between the pad that they come in by and the one that they leave by.
struct Stream {
    feed: Feed,
    held: Arc<Mutex<Vec<Duration>>>,
    /// When each frame that is on its way was due, and how late it came out.
    due: Arc<Mutex<std::collections::VecDeque<Instant>>>,
    late: Arc<Mutex<Vec<Duration>>>,
}

impl Stream {
    fn new(film: &Arc<Film>, set: &Set) -> Self {
        let feed = Feed::launch(
            film,
            &format!(
                "livenessfacedetect name=detect {} ! livenessclassify name=judge {}",
                set.detect, set.judge
            ),
        );
        let (held, late, due) = (Arc::default(), Arc::default(), Arc::default());
        let stream = Self {
            feed,
            held,
            due,
            late,
        };
        let since = Arc::new(Mutex::new(None));
        let came = since.clone();
        stream.probe("detect", "sink", move || {
            *came.lock().unwrap() = Some(Instant::now());
        });
        let (held, due, late) = (stream.held.clone(), stream.due.clone(), stream.late.clone());
        stream.probe("judge", "src", move || {
            let since: Option<Instant> = since.lock().unwrap().take();
            held.lock().unwrap().extend(since.map(|s| s.elapsed()));
            let due = due.lock().unwrap().pop_front();
            late.lock().unwrap().extend(due.map(|d| d.elapsed()));
        });
        stream
    }

    fn probe(&self, element: &str, pad: &str, see: impl Fn() + Send + Sync + 'static) {
        let pad = self.feed.element(element).static_pad(pad).unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            see();
            gst::PadProbeReturn::Ok
        });
    }
}

/// The life of such a process: measures and prints one line.
pub(crate) fn serve(streams: u64, set: usize) {
    let set = &SETTINGS[set];
    let film = Arc::new(Film::read(&clip(), SIZE, FILM));
    let mut all = vec![Stream::new(&film, set)];
    all[0].feed.run(WARM);
    let first = resident();
    all.extend((1..streams).map(|_| Stream::new(&film, set)));
    round(&mut all, WARM);
    let mib = (resident() - first) / (streams.max(2) - 1) as f64;
    taken(&mut all, |s| &s.held);

    let each = FAST.div_ceil(streams);
    let frames = (each * streams) as f64;
    let start = Instant::now();
    let cpu = time(|| round(&mut all, each));
    let fps = frames / start.elapsed().as_secs_f64();
    let fast = percentiles(&mut all, |s| &s.held);
    let cpu = ms(cpu) / frames;
    let cores = (streams * RATE) as f64 * cpu / 1e3;
    let mut told = json!({ "fps": fps, "cpu": cpu, "cores": cores, "mib": mib, "fast": fast });
    // What no machine like this can do only fills queues.
    if cores <= std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64) {
        taken(&mut all, |s| &s.late);
        let kept = live(&mut all);
        told["live"] = percentiles(&mut all, |s| &s.held);
        told["late"] = percentiles(&mut all, |s| &s.late)["p95"].clone();
        told["kept"] = json!(kept);
    }
    println!("{told}");
}

/// Frames for all at once, and waits for them.
fn round(all: &mut [Stream], each: u64) {
    all.iter_mut().for_each(|s| s.feed.put(each, RATE));
    all.iter().for_each(|s| s.feed.wait());
}

/// As cameras do it, one a little after the other. Gives the frames a second that came out.
fn live(all: &mut [Stream]) -> f64 {
    let n = all.len() as u64;
    let gap = Duration::from_secs(1) / (n * RATE) as u32;
    let start = Instant::now() + gap;
    let frames = SECONDS * n * RATE;
    for frame in 0..frames {
        let due = start + gap * frame as u32;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let stream = &mut all[(frame % n) as usize];
        stream.due.lock().unwrap().push_back(due);
        stream.feed.put(1, RATE);
    }
    all.iter().for_each(|s| s.feed.wait());
    frames as f64 / start.elapsed().as_secs_f64()
}

/// What was measured so far, in milliseconds, sorted; starts anew.
fn taken(all: &mut [Stream], which: fn(&Stream) -> &Arc<Mutex<Vec<Duration>>>) -> Vec<f64> {
    let mut values: Vec<f64> = all
        .iter()
        .flat_map(|s| std::mem::take(&mut *which(s).lock().unwrap()))
        .map(ms)
        .collect();
    values.sort_by(f64::total_cmp);
    values
}

fn percentiles(all: &mut [Stream], which: fn(&Stream) -> &Arc<Mutex<Vec<Duration>>>) -> Value {
    let values = taken(all, which);
    let at = |share| percentile(&values, share);
    json!({ "p50": at(0.5), "p95": at(0.95), "p99": at(0.99) })
}

/// MiB of memory that this process has.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}
