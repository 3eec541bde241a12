// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element `frameextract`: data sets out of every format, its messages and numbers, whatever is wrong with the disk, and a
//! process that is killed again and again.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/plugin.rs"]
mod plugin;
#[path = "common/video.rs"]
mod video;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gst::prelude::*;
use gst_video::VideoFormat as F;
use gst_video::prelude::*;
use gstliveness::frame::Format;
use gstliveness::meta::{self, Analysis};
use liveness::dataset::manifest;
use liveness::dataset::record::Record;
use liveness::face::{Face, Label};
use liveness::geometry::{Point, Rect};
use plugin::{Ended, LIMIT, Plugin, Tool};
use video::{convert, info, init, padded, picture, rgb, tiny};

const EXTRACT: &str = "GstLivenessFrameExtract:";

/// The element in a harness, with properties as gst-launch writes them.
struct Extract {
    harness: gst_check::Harness,
    element: gst::Element,
    bus: gst::Bus,
    /// Messages that nobody has asked for yet.
    said: Vec<gst::Message>,
}

impl Extract {
    fn new(location: &Path, info: &gst_video::VideoInfo, properties: &[(&str, &str)]) -> Self {
        init();
        let element = gst::ElementFactory::make("frameextract").build().unwrap();
        element.set_property("location", location);
        for (name, value) in properties {
            element.set_property_from_str(name, value);
        }
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let mut harness = gst_check::Harness::with_element(&element, Some("sink"), None);
        // The harness says that it is live; most sources of data sets are files.
        let source = element.static_pad("sink").unwrap().peer().unwrap();
        source.add_probe(gst::PadProbeType::QUERY_UPSTREAM, |_, probe| {
            match probe.query_mut().map(gst::QueryRef::view_mut) {
                Some(gst::QueryViewMut::Latency(latency)) => {
                    latency.set(false, gst::ClockTime::ZERO, gst::ClockTime::NONE);
                    gst::PadProbeReturn::Handled
                }
                _ => gst::PadProbeReturn::Ok,
            }
        });
        harness.set_src_caps(info.to_caps().unwrap());
        Self {
            harness,
            element,
            bus,
            said: Vec::new(),
        }
    }

    fn push(&mut self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.harness.push(buffer)
    }

    /// The end of the stream; the summary.
    fn end(&mut self) -> gst::Structure {
        assert!(self.harness.push_event(gst::event::Eos::new()));
        self.message("GstLivenessFrameExtractSummary").unwrap()
    }

    /// The next message that `wanted` makes something of.
    fn next<T>(&mut self, wanted: impl Fn(&gst::Message) -> Option<T>) -> Option<T> {
        self.said.extend(std::iter::from_fn(|| self.bus.pop()));
        let at = self.said.iter().position(|m| wanted(m).is_some())?;
        wanted(&self.said.remove(at))
    }

    /// The next element message of that name.
    fn message(&mut self, name: &str) -> Option<gst::Structure> {
        self.next(|m| {
            let structure = m.structure().filter(|s| s.name() == name);
            structure.map(ToOwned::to_owned)
        })
    }

    fn stats(&self) -> gst::Structure {
        self.element.property("stats")
    }

    /// The text of the next message of this kind.
    fn said(&mut self, kind: gst::MessageType) -> Option<String> {
        self.next(|m| match m.view() {
            gst::MessageView::Error(e) if m.type_() == kind => Some(e.error().to_string()),
            gst::MessageView::Warning(w) if m.type_() == kind => Some(w.error().to_string()),
            _ => None,
        })
    }
}

fn count(s: &gst::StructureRef, name: &str) -> u64 {
    s.get(name).unwrap()
}

fn refused(s: &gst::StructureRef, why: &str) -> u64 {
    s.get::<gst::Structure>("refused")
        .unwrap()
        .get(why)
        .unwrap()
}

fn face(x: f32, y: f32, w: f32, h: f32) -> Face {
    Face {
        id: 1,
        rect: Rect::new(x, y, w, h),
        score: 0.9,
        ..Face::default()
    }
}

/// A buffer on which a detector found these faces.
fn found(
    buffer: &gst::Buffer,
    info: &gst_video::VideoInfo,
    time: u64,
    faces: &[Face],
) -> gst::Buffer {
    let mut buffer = buffer.copy();
    let format = Format::new(info);
    let signature = format
        .read(&buffer, |pixels| {
            liveness::signature::Signature::of(pixels, &mut Vec::new())
        })
        .unwrap();
    let analysis = Analysis {
        faces: faces.to_vec(),
        ..Analysis::new(&format, Some(signature))
    };
    let b = buffer.get_mut().unwrap();
    b.set_pts(gst::ClockTime::from_mseconds(time));
    meta::write(b, &analysis);
    buffer
}

/// A frame with much detail, different for each seed.
fn detail(width: u32, height: u32, seed: u32) -> video::Frame {
    rgb(width, height, |x, y| {
        let block = (x / 23 + 40 * (y / 19)).wrapping_mul(2_654_435_761) ^ seed.wrapping_mul(40503);
        let mut v = block ^ (block >> 13);
        v = v.wrapping_mul(0x85eb_ca6b);
        v ^= v >> 16;
        let fine = (x * 7 + y * 11) % 50;
        [
            (v % 180 + fine) as u8,
            (v / 7 % 180 + fine) as u8,
            (v / 53 % 200) as u8,
        ]
    })
}

fn records(folder: &Path) -> Vec<Record> {
    manifest::read(folder).unwrap()
}

/// Every picture is whole and has one line, every line a picture.
fn check(folder: &Path) -> Vec<Record> {
    let records = records(folder);
    let mut named = BTreeSet::new();
    for r in &records {
        let path = folder.join(&r.file);
        let picture = image::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!([picture.width(), picture.height()], r.size);
        assert!(named.insert(path), "{} is named twice", r.file);
    }
    let there: BTreeSet<_> = walk(folder)
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "jpg" || e == "png"))
        .collect();
    assert_eq!(there, named);
    records
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(walk(&path));
        } else {
            all.push(path);
        }
    }
    all
}

#[test]
fn every_format_gives_the_same_picture() {
    init();
    let source = rgb(96, 80, |x, y| [(x * 2) as u8, (y * 3) as u8, 90]);
    let face = face(20.0, 10.0, 50.0, 60.0);
    let all = ["min-sharpness", "min-exposure"].map(|n| (n, "0"));
    let mut tried = 0;
    for format in gstliveness::caps::formats() {
        let Some(info) = video::try_info(format, 96, 80) else {
            continue;
        };
        let Some(buffer) = convert(&source, &info) else {
            continue;
        };
        // Grey and few-coloured formats do not hold the picture.
        let about = info.format_info();
        let poor = about.is_gray()
            || about.has_palette()
            || (0..about.n_components()).any(|c| about.depth()[c as usize] < 5);
        let folder = tempfile::tempdir().unwrap();
        let mut extract = Extract::new(
            folder.path(),
            &info,
            &[
                ("format", "png"),
                ("margin", "1"),
                all[0],
                all[1],
                ("dedup", "0"),
            ],
        );
        extract
            .push(found(&buffer, &info, 0, std::slice::from_ref(&face)))
            .unwrap();
        if !about.is_tiled() && !about.has_palette() && !about.is_complex() {
            extract
                .push(found(
                    &padded(&buffer, &info, 24, 16),
                    &info,
                    40,
                    std::slice::from_ref(&face),
                ))
                .unwrap();
        }
        let summary = extract.end();
        let n = count(&summary, "saved");
        assert_eq!(n, count(&summary, "faces"), "{format:?}: {summary}");
        for r in check(folder.path()) {
            let [left, top, w, h] = r.window;
            assert_eq!((left, top, w, h), (20, 10, 51, 61), "{format:?}");
            let shown = image::open(folder.path().join(&r.file))
                .unwrap()
                .into_rgb8();
            for (x, y, p) in shown.enumerate_pixels() {
                let want = [(x + 20) * 2, (y + 10) * 3, 90].map(|v| v as i32);
                let worst = (0..3)
                    .map(|i| (i32::from(p.0[i]) - want[i]).abs())
                    .max()
                    .unwrap();
                assert!(
                    poor || worst <= 14,
                    "{format:?} at {x},{y}: {:?} for {want:?}",
                    p.0
                );
            }
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn everything_that_is_known_is_written_down() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let info = info(F::I420, 320, 240);
    let buffer = convert(&detail(320, 240, 1), &info).unwrap();
    let mut known = face(100.0, 60.0, 80.0, 100.0);
    known.track = Some(7);
    known.landmarks = Some([110.0, 160.0, 135.0, 115.0, 155.0].map(|x| Point { x, y: 100.5 }));
    known.verdict.label = Label::Spoof;
    known.verdict.live = Some(0.25);
    known.verdict.model = Some("a+b".into());
    let properties = [
        ("label", "print"),
        ("session", "alice"),
        ("source", "film.mp4"),
        ("size", "128"),
        ("margin", "2"),
        ("post-messages", "true"),
    ];
    let mut extract = Extract::new(folder.path(), &info, &properties);
    extract.push(found(&buffer, &info, 80, &[known])).unwrap();
    let summary = extract.harness.push_event(gst::event::Eos::new());
    assert!(summary);
    let told = extract.message("GstLivenessFrameExtract").unwrap();
    let path = folder.path().join("print/000001.jpg");
    assert_eq!(
        told.get::<&str>("filename").unwrap(),
        path.to_str().unwrap()
    );
    assert_eq!(told.get::<i32>("index").unwrap(), 1);
    for field in ["timestamp", "stream-time", "running-time"] {
        assert_eq!(
            told.get::<gst::ClockTime>(field).unwrap().mseconds(),
            80,
            "{field}"
        );
    }
    for (field, value) in [("kind", "face"), ("label", "print"), ("session", "alice")] {
        assert_eq!(told.get::<&str>(field).unwrap(), value);
    }
    let r = check(folder.path()).remove(0);
    assert_eq!(
        (r.file.as_str(), r.label.as_str(), r.session.as_str()),
        ("print/000001.jpg", "print", "alice")
    );
    assert_eq!(
        (r.source.as_str(), r.frame, r.stream_time),
        ("film.mp4", 0, Some(80_000_000))
    );
    assert_eq!(
        (r.window, r.size, r.margin),
        ([60, 10, 161, 201], [103, 128], Some(2.0))
    );
    assert_eq!(r.sha256.len(), 64);
    assert!(r.tool.starts_with("frameextract "));
    let face = &r.faces[0];
    assert_eq!(
        (face.rect, face.score, face.track),
        ([100.0, 60.0, 80.0, 100.0], 0.9, Some(7))
    );
    assert_eq!(face.landmarks.unwrap()[2], [135.0, 100.5]);
    let verdict = face.verdict.as_ref().unwrap();
    assert_eq!(
        (
            verdict.label.as_str(),
            verdict.live,
            verdict.model.as_deref()
        ),
        ("spoof", Some(0.25), Some("a+b"))
    );
}

#[test]
fn faces_of_other_detectors_are_taken_and_lost_ones_are_not() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let info = info(F::Rgb, 320, 240);
    let mut extract = Extract::new(folder.path(), &info, &[]);
    let mut foreign = detail(320, 240, 1).into_buffer();
    gst_video::VideoRegionOfInterestMeta::add(
        foreign.get_mut().unwrap(),
        "face",
        (100, 60, 80, 100),
    );
    extract.push(foreign).unwrap();
    // Found on a frame of another shape: it was cropped since.
    let other = video::info(F::Rgb, 640, 240);
    let cropped = found(
        &detail(640, 240, 2).into_buffer(),
        &other,
        0,
        &[face(100.0, 60.0, 80.0, 100.0)],
    );
    let mut now = detail(320, 240, 2).into_buffer();
    cropped
        .copy_into(now.get_mut().unwrap(), gst::BufferCopyFlags::META, ..)
        .unwrap();
    extract.push(now).unwrap();
    let summary = extract.end();
    assert_eq!(
        (count(&summary, "faces"), count(&summary, "saved")),
        (2, 1),
        "{summary}"
    );
    assert_eq!(refused(&summary, "no-place"), 1);
    assert_eq!(extract.said(gst::MessageType::Warning), None);
}

#[test]
fn a_pipeline_without_a_detector_is_told_so() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let info = info(F::Rgb, 320, 240);
    let mut extract = Extract::new(folder.path(), &info, &[]);
    extract.push(detail(320, 240, 1).into_buffer()).unwrap();
    assert!(extract.harness.push_event(gst::event::Eos::new()));
    let said = extract.said(gst::MessageType::Warning).unwrap();
    assert!(said.contains("put facedetect before"), "{said}");
}

#[test]
fn limits_on_tracks_need_tracks() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let info = info(F::Rgb, 320, 240);
    let mut extract = Extract::new(folder.path(), &info, &[("max-per-track", "1")]);
    for i in 0..2 {
        let face = face(100.0, 60.0, 80.0, 100.0);
        extract
            .push(found(&detail(320, 240, i).into_buffer(), &info, 0, &[face]))
            .unwrap();
    }
    assert_eq!(count(&extract.end(), "saved"), 2);
    let said = extract.said(gst::MessageType::Warning).unwrap();
    assert!(said.contains("tracking=true"), "{said}");
    assert_eq!(extract.said(gst::MessageType::Warning), None, "once");
}

#[test]
fn limits_may_change_while_playing() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let info = info(F::Rgb, 320, 240);
    let mut extract = Extract::new(folder.path(), &info, &[]);
    for (i, least) in ["0", "500", "0"].iter().enumerate() {
        extract
            .element
            .set_property_from_str("min-face-size", least);
        let face = face(100.0, 60.0, 80.0, 100.0);
        extract
            .push(found(
                &detail(320, 240, i as u32).into_buffer(),
                &info,
                0,
                &[face],
            ))
            .unwrap();
    }
    let summary = extract.end();
    assert_eq!(
        (count(&summary, "saved"), refused(&summary, "too-small")),
        (2, 1)
    );
    let stats = extract.stats();
    assert_eq!((count(&stats, "frames"), count(&stats, "saved")), (3, 2));
}

/// Memory that counts how much of it there is.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn few_frames_are_held_at_once_and_none_is_lost() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let info = info(F::Rgb, 1280, 720);
    let properties = [
        ("mode", "frames"),
        ("format", "png"),
        ("workers", "2"),
        ("dedup", "0"),
    ];
    let mut extract = Extract::new(folder.path(), &info, &properties);
    let alive = Arc::new(AtomicUsize::new(0));
    let mut most = 0;
    for i in 0..30 {
        let frame = detail(1280, 720, i);
        let bytes = frame.plane_data(0).unwrap().to_vec();
        alive.fetch_add(1, Ordering::SeqCst);
        let buffer = gst::Buffer::from_slice(Counted(bytes, alive.clone()));
        let face = face(300.0, 160.0, 180.0, 200.0);
        extract
            .push(found(&buffer, &info, 40 * u64::from(i), &[face]))
            .unwrap();
        drop((buffer, frame));
        most = most.max(alive.load(Ordering::SeqCst));
    }
    let summary = extract.end();
    assert_eq!(count(&summary, "saved"), 30, "{summary}");
    // Two workers, two pictures before each, two more.
    assert!(most <= 7, "{most}");
    drop(extract);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    assert_eq!(check(folder.path()).len(), 30);
}

/// A pipeline of frames that all differ, each with the two faces of the tiny model.
fn moving(live: bool, frames: u32, extract: &str) -> gst::Pipeline {
    init();
    let model = tiny("boxes.onnx");
    let line = format!(
        "videotestsrc pattern=snow is-live={live} num-buffers={frames} ! video/x-raw,width=320,height=240,framerate=25/1 \
         ! livenessfacedetect model={model} ! frameextract name=e min-face-size=0 min-sharpness=0 min-confidence=0 allow-cut-off=true {extract}"
    );
    gst::parse::launch(&line).unwrap().downcast().unwrap()
}

/// Runs to the end; the last stats.
fn finish(pipeline: &gst::Pipeline) -> gst::Structure {
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = bus
        .timed_pop_filtered(gst::ClockTime::from_seconds(60), &wanted)
        .unwrap();
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
    let stats = pipeline.by_name("e").unwrap().property("stats");
    pipeline.set_state(gst::State::Null).unwrap();
    stats
}

#[test]
fn a_live_source_drops_what_the_disk_cannot_take_and_a_file_waits() {
    for live in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("location={} dedup=0 workers=1", folder.path().display());
        let pipeline = moving(live, 20, &options);
        pipeline.set_state(gst::State::Ready).unwrap();
        // Somebody holds the manifest, as a slow disk would: nothing can be put in.
        let held = std::fs::File::open(folder.path().join(manifest::NAME)).unwrap();
        held.lock().unwrap();
        let element = pipeline.by_name("e").unwrap();
        let pad = element.static_pad("sink").unwrap();
        let arrived = Arc::new(AtomicUsize::new(0));
        let counter = arrived.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            counter.fetch_add(1, Ordering::SeqCst);
            gst::PadProbeReturn::Ok
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let start = std::time::Instant::now();
        let wanted = if live { 20 } else { 3 };
        while arrived.load(Ordering::SeqCst) < wanted && start.elapsed() < LIMIT {
            std::thread::yield_now();
        }
        if !live {
            // It waits in its third frame. A pause and a change of mind let go of it, and nothing is lost by that.
            pipeline.set_state(gst::State::Paused).unwrap();
            pipeline.set_state(gst::State::Playing).unwrap();
            assert_eq!(arrived.load(Ordering::SeqCst), 3);
        }
        drop(held);
        let stats = finish(&pipeline);
        let (saved, dropped) = (count(&stats, "saved"), count(&stats, "dropped"));
        assert_eq!(saved + dropped, 40, "{stats}");
        assert_eq!(dropped > 0, live, "{stats}");
        assert_eq!(check(folder.path()).len() as u64, saved);
    }
}

#[test]
fn a_seek_and_a_stop_in_mid_stream_leave_a_whole_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let options = format!("location={} dedup=0", folder.path().display());
    let pipeline = moving(false, 1_000_000, &options);
    pipeline.set_state(gst::State::Playing).unwrap();
    let element = pipeline.by_name("e").unwrap();
    let start = std::time::Instant::now();
    let saved = || count(&element.property::<gst::Structure>("stats"), "saved");
    for (wanted, stop) in [(10, false), (30, true)] {
        while saved() < wanted && start.elapsed() < LIMIT {
            std::thread::yield_now();
        }
        if stop {
            pipeline.set_state(gst::State::Null).unwrap();
        } else {
            let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
            pipeline
                .seek_simple(flags, gst::ClockTime::from_seconds(7))
                .unwrap();
        }
    }
    let records = check(folder.path());
    assert_eq!(records.len() as u64, saved());
    assert!(records.iter().any(|r| r.stream_time >= Some(7_000_000_000)));
}

/// Starts the element alone; the error that it posts.
fn refusal(prepare: impl FnOnce(&gst::Element)) -> Option<String> {
    init();
    let element = gst::ElementFactory::make("frameextract").build().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    prepare(&element);
    let started = element.set_state(gst::State::Ready);
    element.set_state(gst::State::Null).unwrap();
    let message = bus.pop_filtered(&[gst::MessageType::Error]);
    assert_eq!(started.is_err(), message.is_some());
    match message?.view() {
        gst::MessageView::Error(e) => Some(e.error().to_string()),
        _ => None,
    }
}

#[test]
fn what_cannot_work_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("file"), "").unwrap();
    std::fs::create_dir(path.join("broken")).unwrap();
    std::fs::write(path.join("broken/manifest.jsonl"), "no json\n").unwrap();
    for (location, properties, words) in [
        ("", vec![], "set location="),
        ("file", vec![], "A folder is needed there"),
        ("file/below", vec![], "A folder is needed there"),
        ("broken", vec![], "line 1 is no record"),
        (
            "ok",
            vec![("label", "a/b")],
            "cannot be the name of a folder",
        ),
        (
            "ok",
            vec![("label", "..")],
            "cannot be the name of a folder",
        ),
        (
            "ok",
            vec![("best-of-track", "true"), ("mode", "both")],
            "needs mode=faces",
        ),
        (
            "ok",
            vec![("min-exposure", "0.9"), ("max-exposure", "0.1")],
            "above max-exposure",
        ),
    ] {
        let said = refusal(|element| {
            if !location.is_empty() {
                element.set_property("location", path.join(location));
            }
            for (name, value) in &properties {
                element.set_property_from_str(name, value);
            }
        });
        let said = said.unwrap_or_default();
        assert!(said.contains(words), "{location:?} {properties:?}: {said}");
    }
    let made: Vec<_> = walk(path);
    assert_eq!(made.len(), 2, "nothing was made: {made:?}");
}

#[test]
fn names_that_are_not_utf8() {
    init();
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff");
    // A folder may have any name.
    let info = info(F::Rgb, 320, 240);
    let mut extract = Extract::new(&folder.path().join(odd), &info, &[]);
    let buffer = detail(320, 240, 1).into_buffer();
    let face = face(100.0, 60.0, 80.0, 100.0);
    extract.push(found(&buffer, &info, 0, &[face])).unwrap();
    assert_eq!(count(&extract.end(), "saved"), 1);
    assert_eq!(check(&folder.path().join(odd)).len(), 1);
    // What goes into the manifest must be text.
    for property in ["label", "session"] {
        let said = refusal(|element| {
            element.set_property("location", folder.path());
            element.set_property(property, Path::new(odd));
        });
        let said = said.unwrap();
        assert!(said.contains(property) && said.contains("UTF-8"), "{said}");
    }
}

/// gst-launch over the demo clip, in which the tiny model sees two faces per frame, with `frameextract` and these options.
fn launch(location: &Path, options: &str) -> Tool {
    let clips = common::root().join(".setup/clips");
    let clip = std::fs::read_dir(clips).unwrap().map(|e| e.unwrap().path());
    let clip = clip
        .into_iter()
        .find(|p| p.file_stem().is_some_and(|s| s == "demo"))
        .unwrap();
    let mut tool = Plugin::shared().command("gst-launch-1.0").arg("-q");
    let line = format!(
        "! decodebin ! videoconvert ! livenessfacedetect model={} ! frameextract min-confidence=0 min-face-size=0 min-sharpness=0 \
         allow-cut-off=true label=real {options}",
        tiny("boxes.onnx")
    );
    tool = tool
        .arg("filesrc")
        .arg(format!("location={}", clip.display()));
    for word in line.split_whitespace() {
        tool = tool.arg(word);
    }
    tool.arg(format!("location={}", location.display()))
}

/// What is the same in every run: where each picture came from and its bytes.
fn contents(folder: &Path) -> BTreeSet<(u64, String, String)> {
    let records = check(folder);
    let all: BTreeSet<_> = records
        .iter()
        .map(|r| (r.frame, format!("{:?}", r.faces[0].rect), r.sha256.clone()))
        .collect();
    assert_eq!(all.len(), records.len(), "a picture is there twice");
    all
}

fn lines(folder: &Path) -> usize {
    let text = std::fs::read(folder.join(manifest::NAME)).unwrap_or_default();
    text.iter().filter(|&&b| b == b'\n').count()
}

#[test]
fn killed_twenty_times_it_ends_as_if_nothing_had_been() {
    if plugin::runtime().is_none() {
        common::skip("no ONNX Runtime");
        return;
    }
    let options = "dedup=2 margin=1.2 max-per-track=0";
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = folder.path().join("undisturbed");
    launch(&undisturbed, options).run().cleanly(&[0]);
    let wanted = contents(&undisturbed);
    assert!(wanted.len() > 100, "{}", wanted.len());
    let killed = folder.path().join("killed");
    let step = wanted.len() / 22;
    for time in 1..=20 {
        let mut running = launch(&killed, options).start(LIMIT);
        running.until("save some pictures", || lines(&killed) >= time * step);
        // Dropped, it gets SIGKILL: in the middle of whatever it does.
        drop(running);
    }
    let torn = lines(&killed);
    assert!(
        torn < wanted.len(),
        "it was killed before its end: {torn} of {}",
        wanted.len()
    );
    launch(&killed, options).run().cleanly(&[0]);
    assert_eq!(contents(&killed), wanted);
    let left: Vec<_> = std::fs::read_dir(&killed)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(
        left.len(),
        2,
        "only the pictures' folder and the manifest: {left:?}"
    );
}

#[test]
fn two_processes_fill_one_folder() {
    if plugin::runtime().is_none() {
        common::skip("no ONNX Runtime");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let one = launch(folder.path(), "dedup=0 session=one interval=2").start(LIMIT);
    let two = launch(folder.path(), "dedup=0 session=two interval=3").start(LIMIT);
    one.end().cleanly(&[0]);
    two.end().cleanly(&[0]);
    let records = check(folder.path());
    let of = |session: &str| records.iter().filter(|r| r.session == session).count();
    assert_eq!((of("one"), of("two")), (2 * 88, 2 * 59));
    let mut numbers: Vec<_> = records.iter().map(|r| r.file.clone()).collect();
    numbers.sort();
    assert_eq!(
        numbers.last().unwrap(),
        &format!("real/{:06}.jpg", records.len()),
        "no number is left out"
    );
}

/// Runs gst-launch in a mount namespace of its own, with a small or read-only file system at `folder`.
fn on_file_system(options: &str, folder: &Path, extract: &str) -> Option<Ended> {
    let mount = format!("mount -t tmpfs -o {options} tmpfs {}", folder.display());
    let tried = std::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", &mount])
        .output();
    if !tried.is_ok_and(|o| o.status.success()) {
        common::skip("no file system can be mounted here");
        return None;
    }
    let clip = common::root().join(".setup/clips");
    let clip = std::fs::read_dir(clip).unwrap().map(|e| e.unwrap().path());
    let clip = clip
        .into_iter()
        .find(|p| p.file_stem().is_some_and(|s| s == "demo"))
        .unwrap();
    let line = format!(
        "{mount} && gst-launch-1.0 -q filesrc location={} ! decodebin ! videoconvert ! livenessfacedetect model={} \
         ! frameextract location={} min-confidence=0 min-face-size=0 min-sharpness=0 allow-cut-off=true {extract}; \
         code=$?; ls -lAR {} >&2; exit $code",
        clip.display(),
        tiny("boxes.onnx"),
        folder.display(),
        folder.display()
    );
    let tool = Plugin::shared()
        .command("unshare")
        .arg("-rm")
        .arg("sh")
        .arg("-c")
        .arg(line);
    Some(tool.run())
}

#[test]
fn a_full_disk_and_a_read_only_folder_are_clear_errors() {
    if plugin::runtime().is_none() {
        common::skip("no ONNX Runtime");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    if let Some(ended) = on_file_system("size=3m", folder.path(), "format=png dedup=0") {
        let ended =
            ended
                .cleanly(&[1])
                .says(&[EXTRACT, "No space left on device", "Make room there"]);
        // What is listed afterwards: the manifest and whole pictures, no working folder.
        let files: Vec<_> = ended
            .stderr
            .lines()
            .filter(|l| l.contains(".png"))
            .collect();
        assert!(
            !files.is_empty() && files.iter().all(|l| !l.contains(" 0 ")),
            "{}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("aside-"), "{}", ended.stderr);
    }
    if let Some(ended) = on_file_system("ro", folder.path(), "") {
        ended
            .cleanly(&[255, 1])
            .says(&[EXTRACT, "Read-only file system", "Choose a folder"]);
    }
}

#[test]
fn a_folder_that_is_taken_away_under_way_is_a_clear_error() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let info = info(F::Rgb, 320, 240);
    let mut extract = Extract::new(folder.path(), &info, &[]);
    let mut flow = Ok(gst::FlowSuccess::Ok);
    for i in 0..200 {
        if i == 5 {
            std::fs::remove_dir_all(folder.path()).unwrap();
        }
        let face = face(100.0, 60.0, 80.0, 100.0);
        flow = extract.push(found(&detail(320, 240, i).into_buffer(), &info, 0, &[face]));
        if flow.is_err() {
            break;
        }
    }
    assert_eq!(flow, Err(gst::FlowError::Error));
    let said = extract.said(gst::MessageType::Error).unwrap();
    assert!(said.contains("Was it removed"), "{said}");
    assert_eq!(extract.said(gst::MessageType::Error), None, "once");
    assert!(!folder.path().exists());
}

#[test]
fn a_real_person_is_taken_once() {
    let Some(assets) = common::assets() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    init();
    let model = common::model(&assets, "yunet_n_dynamic.onnx");
    let clip = assets.join("vid_fas/wolf_live.mp4");
    let line = format!(
        "filesrc location={} ! decodebin ! videoconvert ! livenessfacedetect model={} ! frameextract name=e label=real location={}",
        clip.display(),
        model.display(),
        folder.path().display()
    );
    let pipeline = gst::parse::launch(&line).unwrap().downcast().unwrap();
    let stats = finish(&pipeline);
    // A man who sits still for 129 frames.
    let saved = count(&stats, "saved");
    assert!((1..=5).contains(&saved), "{stats}");
    assert_eq!(saved + refused(&stats, "duplicate"), 129, "{stats}");
    let record = check(folder.path()).remove(0);
    assert_eq!(
        (record.session.as_str(), Path::new(&record.source)),
        ("wolf_live", clip.canonicalize().unwrap().as_path())
    );
    // The picture holds the face where the manifest says.
    let saved = picture(
        &folder.path().join(&record.file),
        (record.size[0], record.size[1]),
        (0, 0),
    );
    let mut detector =
        gst_check::Harness::new_parse(&format!("livenessfacedetect model={}", model.display()));
    detector.set_src_caps(saved.info().to_caps().unwrap());
    let seen = detector.push_and_pull(saved.into_buffer()).unwrap();
    let again = meta::read(&seen).unwrap().faces.remove(0).rect;
    let [x, y, w, h] = record.faces[0].rect;
    let [left, top, _, _] = record.window;
    let told = Rect::new(x - left as f32, y - top as f32, w, h);
    assert!(again.iou(&told) > 0.8, "{again:?} {told:?}");
}
