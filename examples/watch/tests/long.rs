// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ten minutes with sources that are gone for half a minute, three times, and fifty losses one after the other: how soon the program goes on
//! when they are back, and what it costs in memory. Printed, and held against what is promised: `cargo test -p liveness-watch --test long -- --ignored --nocapture`
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test that fails panics, and one that measures prints.

mod ground;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ground::cameras::{Kind, Process, has_encoder};
use ground::plugin::{Running, Tool};
use ground::{
    Ground, RAW, common, launch, lines, live, of, program, quick, read, state, until, valid,
};

const ALL: Duration = Duration::from_secs(600);
const AWAY: Duration = Duration::from_secs(30);
const TIMES: u32 = 3;

/// When it goes on, at the latest.
const SOON: Duration = Duration::from_secs(5);

/// Models are loaded and pools are filled by then.
const WARM: Duration = Duration::from_secs(60);

/// What may be added to memory in nine minutes, in KiB. The system's allocator has heaps for threads, and those of each try fill others, until
/// all of them have been filled; [`losses`] tells that from a leak.
const HEAPS: i64 = 32 << 10;

/// How often a source is lost to tell it, when all heaps are filled, and what may be added to memory between then and the end, in KiB.
const LOSSES: usize = 50;
const FILLED: usize = 20;
const MORE: i64 = 4 << 10;

/// From one look at the memory to the next.
const LOOK: Duration = Duration::from_secs(1);

/// The life of a camera in a process of its own.
#[test]
#[ignore = "a camera, which other tests start"]
fn camera() {
    Process::serve();
}

/// Memory of a process, in KiB.
fn memory(run: &Running) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", run.id())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Looks at the memory for so long.
fn look(run: &Running, sizes: &mut Vec<(Duration, i64)>, start: Instant, until: Duration) {
    while start.elapsed() < until {
        std::thread::sleep(LOOK);
        sizes.push((start.elapsed(), memory(run)));
    }
}

fn mean(sizes: &[(Duration, i64)], from: Duration, to: Duration) -> i64 {
    let within = sizes.iter().filter(|(at, _)| (from..to).contains(at));
    let within: Vec<_> = within.map(|(_, size)| *size).collect();
    within.iter().sum::<i64>() / within.len() as i64
}

fn measure(name: &str, tool: Tool, kind: Kind, film: Option<PathBuf>) {
    let mut camera = Some(Process::start("camera", kind, 0, None));
    let port = camera.as_ref().unwrap().port;
    let address = match kind {
        Kind::Rtsp(_) => format!("rtsp://127.0.0.1:{port}/camera"),
        Kind::Http(_) => format!("http://127.0.0.1:{port}/{name}"),
    };
    let tool = tool.arg("--url").arg(address);
    let tool = match &film {
        Some(film) => tool.arg("--record").arg(film),
        None => tool,
    };
    let mut run = tool.start(2 * ALL);
    until(&mut run, "play", |lines| state(lines, "playing").len() == 1);
    let start = Instant::now();
    let (mut sizes, mut waits) = (Vec::new(), Vec::new());
    for n in 0..TIMES {
        let gone = WARM + (ALL - 2 * WARM) / TIMES * n + WARM;
        look(&run, &mut sizes, start, gone);
        drop(camera.take());
        look(&run, &mut sizes, start, gone + AWAY);
        camera = Some(Process::start("camera", kind, port, None));
        let back = Instant::now();
        let times = n as usize + 2;
        until(&mut run, "go on", |lines| {
            state(lines, "playing").len() == times
        });
        waits.push(back.elapsed());
    }
    look(&run, &mut sizes, start, ALL);
    let so_far = lines(&run.stdout_file());
    run.interrupt();
    let ended = run.end().cleanly(&[130]);
    drop(camera);
    valid(&ended);
    let (first, last) = (mean(&sizes, WARM, 2 * WARM), mean(&sizes, ALL - WARM, ALL));
    let most = sizes.iter().map(|(_, size)| size).max().unwrap();
    let waits_s: Vec<_> = waits
        .iter()
        .map(|w| format!("{:.2} s", w.as_secs_f64()))
        .collect();
    let numbers = ended
        .stderr
        .lines()
        .rfind(|l| l.contains("latency"))
        .unwrap_or_default();
    println!(
        "{name}: on again after {}; memory {} MiB in the second minute, {} MiB in the last, {} MiB at the most; {} faces; last: {numbers}",
        waits_s.join(", "),
        first >> 10,
        last >> 10,
        most >> 10,
        of(&so_far, "face").len(),
    );
    for minute in 0..ALL.as_secs() / 60 {
        let at = |m| Duration::from_secs(60 * m);
        println!(
            "{name}: minute {:2}: {} KiB",
            minute + 1,
            mean(&sizes, at(minute), at(minute + 1))
        );
    }
    assert!(waits.iter().all(|w| *w <= SOON), "{waits:?}");
    assert!(last - first <= HEAPS, "{first} KiB, then {last} KiB");
    if let Some(film) = film {
        read(&film).assert_whole(&ended);
    }
}

/// A pipeline that shows a person and a telephone, as a camera does; none, which is said, where that cannot be.
fn person(ground: &Ground) -> Option<String> {
    let clip = common::root().join(".setup/clips/demo.mp4");
    if !has_encoder() || !clip.is_file() {
        common::skip("no .setup/clips/demo.mp4 (scripts/setup.sh --assets makes it)");
        return None;
    }
    let folder = ground.path("clip");
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.display();
    launch(&format!(
        "filesrc location={} ! decodebin ! videoconvert ! jpegenc ! multifilesink location={folder}/%03d.jpg",
        clip.display()
    ));
    Some(format!(
        "multifilesrc location=\"{folder}/%03d.jpg\" loop=true caps=\"image/jpeg,framerate=(fraction)25/1\" ! jpegdec \
         ! videoconvert ! video/x-raw,format=I420"
    ))
}

/// A network camera, with the models that ship, recorded.
#[test]
#[ignore = "takes ten minutes"]
fn rtsp() {
    if let Some(ground) = Ground::new()
        && let Some(source) = person(&ground)
    {
        let film = ground.path("out.mkv");
        measure(
            "rtsp",
            program().arg("--json"),
            Kind::Rtsp(&source),
            Some(film),
        );
    }
}

/// The same, lost again and again as soon as faces are seen.
#[test]
#[ignore = "takes five minutes"]
fn losses() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let Some(source) = person(&ground) else {
        return;
    };
    let film = ground.path("out.mkv");
    let mut camera = Process::start("camera", Kind::Rtsp(&source), 0, None);
    let port = camera.port;
    let tool = program().arg("--json").arg("--record").arg(&film);
    let tool = tool
        .arg("--url")
        .arg(format!("rtsp://127.0.0.1:{port}/camera"));
    let mut run = tool.start(2 * ALL);
    let mut sizes = Vec::new();
    for n in 1..=LOSSES {
        until(&mut run, "see verdicts", |lines| {
            let last = lines.iter().rposition(|l| l["state"] == "playing");
            state(lines, "playing").len() == n
                && last.is_some_and(|l| of(&lines[l..], "verdict").len() >= 2)
        });
        drop(camera);
        until(&mut run, "lose it", |lines| state(lines, "lost").len() >= n);
        sizes.push((Duration::from_secs(n as u64), memory(&run)));
        camera = Process::start("camera", Kind::Rtsp(&source), port, None);
    }
    run.interrupt();
    let ended = run.end().cleanly(&[130]);
    valid(&ended);
    read(&film).assert_whole(&ended);
    let at = |n: usize| Duration::from_secs(n as u64);
    for n in (0..LOSSES).step_by(10) {
        println!(
            "losses {:2} to {:2}: {} KiB",
            n + 1,
            n + 10,
            mean(&sizes, at(n + 1), at(n + 11))
        );
    }
    let (then, now) = (
        mean(&sizes, at(FILLED - 9), at(FILLED + 1)),
        mean(&sizes, at(LOSSES - 9), at(LOSSES + 1)),
    );
    assert!(now - then <= MORE, "{then} KiB, then {now} KiB");
}

/// The same of a telephone's stream.
#[test]
#[ignore = "takes ten minutes"]
fn stream() {
    if let Some(ground) = Ground::new() {
        measure("video", quick(), Kind::Http(&ground.pictures()), None);
    }
}

/// The same of its stills.
#[test]
#[ignore = "takes ten minutes"]
fn stills() {
    if let Some(ground) = Ground::new() {
        measure("shot.jpg", quick(), Kind::Http(&ground.pictures()), None);
    }
}

/// The same of a network camera, unrecorded, so that memory is that of source and analysis alone.
#[test]
#[ignore = "takes ten minutes"]
fn rtsp_alone() {
    if Ground::new().is_some() && has_encoder() {
        measure("rtsp alone", quick(), Kind::Rtsp(&live(RAW)), None);
    }
}
