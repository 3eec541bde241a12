// SPDX-License-Identifier: MIT OR Apache-2.0
//! What pipelines do to elements over months, in seconds: every property at its extremes, starts and stops, other caps with every frame, seeks
//! and flushes at random, crowds. The long forms are ignored and run by name: `LIVENESS_CYCLES=1000` and `LIVENESS_SOAK=1800` (seconds) with
//! `cargo test -p gst-plugin-liveness --test robustness -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test that fails panics.

mod common;
#[path = "common/plugin.rs"]
mod plugin;
#[path = "common/video.rs"]
mod video;

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use gstliveness::frame::Format;
use gstliveness::meta::{self, Analysis};
use liveness::face::{Face, Label};
use liveness::geometry::Rect;
use plugin::Plugin;
use video::{astronaut, convert, init, rgb, tiny};

/// Longest time for anything to happen that takes milliseconds: for a machine under load.
const LIMIT: Duration = Duration::from_secs(120);

/// All elements that pass frames on, with tiny models that find two faces in every frame.
fn chain() -> String {
    format!(
        "livenessfacedetect name=detect model={} ! livenessclassify name=classify model={} ! livenessoverlay name=overlay",
        tiny("boxes.onnx"),
        tiny("bright.onnx")
    )
}

/// A pipeline that runs, and tells of each buffer that reaches its element `s`: how many faces it has. Or of the error that ended it.
struct Playing {
    pipeline: gst::Pipeline,
    events: Receiver<Result<usize, String>>,
}

impl Playing {
    fn new(description: &str) -> Self {
        let pipeline =
            gst::parse::launch(description).unwrap_or_else(|e| panic!("{description}: {e}"));
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let (sender, events) = channel();
        let sink = pipeline.by_name("s").unwrap().static_pad("sink").unwrap();
        let buffers = sender.clone();
        sink.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let analysis = info.buffer().and_then(|b| meta::read(b));
            let _ = buffers.send(Ok(analysis.map_or(0, |a| a.faces.len())));
            gst::PadProbeReturn::Ok
        });
        pipeline.bus().unwrap().set_sync_handler(move |_, message| {
            if let gst::MessageView::Error(e) = message.view() {
                let _ = sender.send(Err(format!(
                    "{:?}: {}",
                    e.src().map(|s| s.name()),
                    e.error()
                )));
            }
            gst::BusSyncReply::Drop
        });
        Self { pipeline, events }
    }

    fn play(&self) {
        self.pipeline.set_state(gst::State::Playing).unwrap();
    }

    /// Waits for so many buffers from now on, and gives the faces of the last.
    fn flows(&self, many: usize, what: &str) -> usize {
        let fail = |error: String| panic!("after {what}: {error}");
        while let Ok(event) = self.events.try_recv() {
            event.unwrap_or_else(fail);
        }
        let mut faces = 0;
        for _ in 0..many {
            let event = self.events.recv_timeout(LIMIT);
            faces = event
                .unwrap_or_else(|_| panic!("nothing comes after {what}"))
                .unwrap_or_else(fail);
        }
        faces
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// The values at and beyond the edges of what a property takes.
fn extremes(spec: &glib::ParamSpec) -> Vec<glib::Value> {
    macro_rules! numbers {
        ($type:ty, $spec:ty) => {
            if let Some(s) = spec.downcast_ref::<$spec>() {
                return vec![
                    s.minimum().to_value(),
                    s.maximum().to_value(),
                    s.default_value().to_value(),
                ];
            }
        };
    }
    numbers!(u32, glib::ParamSpecUInt);
    numbers!(i32, glib::ParamSpecInt);
    numbers!(u64, glib::ParamSpecUInt64);
    numbers!(i64, glib::ParamSpecInt64);
    if let Some(s) = spec.downcast_ref::<glib::ParamSpecFloat>() {
        let range = s.minimum()..=s.maximum();
        let edges = [
            s.minimum(),
            s.maximum(),
            f32::MIN_POSITIVE,
            -0.0,
            s.default_value(),
        ];
        let edges = edges.iter().filter(|v| range.contains(v));
        return edges.map(|v| v.to_value()).collect();
    }
    if let Some(s) = spec.downcast_ref::<glib::ParamSpecDouble>() {
        let range = s.minimum()..=s.maximum();
        let edges = [
            s.minimum(),
            s.maximum(),
            f64::MIN_POSITIVE,
            -0.0,
            s.default_value(),
        ];
        let edges = edges.iter().filter(|v| range.contains(v));
        return edges.map(|v| v.to_value()).collect();
    }
    if spec.is::<glib::ParamSpecBoolean>() {
        return vec![
            true.to_value(),
            false.to_value(),
            spec.default_value().clone(),
        ];
    }
    if spec.is::<glib::ParamSpecString>() {
        let long = "wide ".repeat(20_000);
        let texts = [
            "",
            "\u{1b}[2J\n\t\r",
            "مرحبا \u{202e} 🙂",
            "<b>&amp;</b>",
            long.as_str(),
        ];
        let texts = texts.map(|t| t.to_value());
        return texts
            .into_iter()
            .chain([None::<&str>.to_value(), spec.default_value().clone()])
            .collect();
    }
    if let Some(class) = glib::EnumClass::with_type(spec.value_type()) {
        let values = class.values().iter().map(|v| v.to_value(&class));
        return values.chain([spec.default_value().clone()]).collect();
    }
    if let Some(class) = glib::FlagsClass::with_type(spec.value_type()) {
        let set = class
            .values()
            .iter()
            .fold(class.builder(), |b, v| b.set(v.value()));
        return vec![set.build().unwrap(), spec.default_value().clone()];
    }
    // What is neither is boxed: a structure.
    let odd = gst::Structure::builder("texts")
        .field("live-1", 5i32)
        .field("x", "y")
        .build();
    vec![odd.to_value(), None::<gst::Structure>.to_value()]
}

/// Sets what can be set while `playing`, one by one.
fn try_extremes(playing: &Playing, element: &gst::Element) -> usize {
    let mut tried = 0;
    for spec in element.list_properties().iter() {
        let flags = spec.flags();
        let is_own = spec.owner_type() == element.type_();
        if !is_own
            || !flags.contains(glib::ParamFlags::WRITABLE)
            || !flags.contains(gst::PARAM_FLAG_MUTABLE_PLAYING)
        {
            continue;
        }
        let was = element.property_value(spec.name());
        for value in extremes(spec) {
            let what = format!("{}={:?}", spec.name(), value.type_());
            element.set_property_from_value(spec.name(), &value);
            let _ = element.property_value(spec.name());
            playing.flows(1, &what);
            tried += 1;
        }
        element.set_property_from_value(spec.name(), &was);
    }
    tried
}

#[test]
fn every_property_goes_to_its_extremes_while_playing() {
    init();
    // The detector that ships: it takes any size.
    let playing = Playing::new(&format!(
        "filesrc location={} ! pngdec ! videoconvert ! videoscale ! video/x-raw,format=I420,width=160,height=160 ! imagefreeze \
         ! livenessfacedetect name=detect ! livenessclassify name=classify ! livenessoverlay name=overlay ! fakesink name=s sync=false",
        astronaut().display()
    ));
    playing.play();
    assert_eq!(playing.flows(1, "the start"), 1);
    let mut tried = 0;
    for name in ["detect", "classify", "overlay"] {
        tried += try_extremes(&playing, &playing.pipeline.by_name(name).unwrap());
    }
    assert_eq!(playing.flows(3, "all of them"), 1, "as before");
    let folder = tempfile::tempdir().unwrap();
    let playing = Playing::new(&format!(
        "videotestsrc pattern=ball ! video/x-raw,width=160,height=120 ! {} ! frameextract name=s interval=1000 location={}",
        chain(),
        folder.path().join("set").display()
    ));
    playing.play();
    playing.flows(1, "the start");
    tried += try_extremes(&playing, &playing.pipeline.by_name("s").unwrap());
    println!("{tried} values");
    assert!(tried > 90, "{tried}");
}

/// Resident memory of a process in KiB.
fn resident(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn cycles(many: usize, mut after: impl FnMut(usize)) {
    init();
    let playing = Playing::new(&format!(
        "videotestsrc ! video/x-raw,width=64,height=64 ! {} ! fakesink name=s sync=false",
        chain()
    ));
    for i in 0..many {
        playing.play();
        assert_eq!(playing.flows(1 + i % 3, "a start"), 2);
        // Now and then only as far as the models are kept, or the frame that is shown.
        let to = [gst::State::Null, gst::State::Ready, gst::State::Paused][i % 3];
        playing.pipeline.set_state(to).unwrap();
        after(i);
    }
}

#[test]
fn thirty_starts_and_stops() {
    cycles(30, |_| ());
}

#[test]
#[ignore = "long: LIVENESS_CYCLES starts and stops, 1000 by default"]
fn a_thousand_starts_and_stops_in_flat_memory() {
    let many = std::env::var("LIVENESS_CYCLES").map_or(1000, |n| n.parse().unwrap());
    let mut early = 0;
    cycles(many, |i| {
        if i == many / 5 {
            early = resident("self");
        }
    });
    let late = resident("self");
    println!("{many} cycles: {early} KiB after a fifth, {late} KiB at the end");
    assert!(
        late < early + early / 20 + 4096,
        "{early} KiB, then {late} KiB"
    );
}

#[test]
fn several_streams_start_and_stop_beside_each_other() {
    init();
    let description = format!(
        "videotestsrc ! video/x-raw,width=64,height=64 ! {} ! fakesink name=s sync=false",
        chain()
    );
    std::thread::scope(|scope| {
        for n in 0..4 {
            let description = &description;
            scope.spawn(move || {
                let playing = Playing::new(description);
                for i in 0..8 {
                    playing.play();
                    assert_eq!(playing.flows(1 + (i + n) % 4, "a start"), 2);
                    playing.pipeline.set_state(gst::State::Null).unwrap();
                }
            });
        }
    });
}

#[test]
fn other_caps_come_with_every_frame() {
    init();
    let pipeline = gst::parse::launch(&format!(
        "appsrc name=a format=time ! {} ! fakesink name=s sync=false",
        chain()
    ));
    let bin = pipeline.unwrap().downcast::<gst::Bin>().unwrap();
    let source = bin
        .by_name("a")
        .unwrap()
        .downcast::<gst_app::AppSrc>()
        .unwrap();
    let (sender, seen) = channel();
    let sink = bin.by_name("s").unwrap().static_pad("sink").unwrap();
    sink.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let analysis = info.buffer().and_then(|b| meta::read(b)).unwrap();
        let _ = sender.send((analysis.width, analysis.height, analysis.faces.len()));
        gst::PadProbeReturn::Ok
    });
    bin.set_state(gst::State::Playing).unwrap();
    let sizes = [(16, 16), (641, 361), (320, 240), (17, 480), (480, 17)];
    let mut pushed = Vec::new();
    let frame = rgb(320, 240, |x, y| [x as u8, y as u8, 90]);
    let formats = gstliveness::caps::formats();
    for (i, format) in formats.enumerate() {
        let (width, height) = sizes[i % sizes.len()];
        let Some(info) = video::try_info(format, width, height) else {
            continue;
        };
        let Some(mut buffer) = convert(&frame, &info) else {
            continue;
        };
        buffer
            .get_mut()
            .unwrap()
            .set_pts(gst::ClockTime::from_mseconds(40 * pushed.len() as u64));
        let sample = gst::Sample::builder()
            .buffer(&buffer)
            .caps(&info.to_caps().unwrap())
            .build();
        source.push_sample(&sample).unwrap();
        pushed.push((width, height));
    }
    assert!(pushed.len() > 60, "{}", pushed.len());
    source.end_of_stream().unwrap();
    let end = bin.bus().unwrap().timed_pop_filtered(
        gst::ClockTime::from_seconds(LIMIT.as_secs()),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    bin.set_state(gst::State::Null).unwrap();
    let end = end.expect("it comes to an end");
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
    let seen: Vec<_> = seen.try_iter().collect();
    let sizes: Vec<_> = seen.iter().map(|(w, h, _)| (*w, *h)).collect();
    assert_eq!(sizes, pushed);
    for (width, height, faces) in seen {
        // Those two lie beside the narrowest frames.
        let wanted = if width.min(height) == 17 { 0 } else { 2 };
        assert_eq!(faces, wanted, "{width}x{height}");
    }
}

/// Numbers that are the same in every run (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

#[test]
fn seeks_and_flushes_come_at_random() {
    init();
    let playing = Playing::new(&format!(
        "videotestsrc num-buffers=100000 ! video/x-raw,width=64,height=64,framerate=25/1 ! {} ! queue max-size-buffers=3 ! fakesink name=s sync=false",
        chain()
    ));
    playing.play();
    playing.flows(1, "the start");
    let mut dice = Dice(20_261_122);
    for i in 0..60 {
        let at = gst::ClockTime::from_mseconds(dice.below(3_000_000));
        let what = match dice.below(5) {
            0 => {
                let sink = playing
                    .pipeline
                    .by_name("detect")
                    .unwrap()
                    .static_pad("sink")
                    .unwrap();
                // As an application that throws away what is under way.
                assert!(sink.send_event(gst::event::FlushStart::new()));
                sink.send_event(gst::event::FlushStop::new(false));
                playing
                    .pipeline
                    .seek_simple(gst::SeekFlags::FLUSH, at)
                    .unwrap();
                "a flush and a seek"
            }
            1 => {
                let rate = [0.5, 2.0, -1.0][dice.below(3) as usize];
                let (start, stop) = if rate > 0.0 {
                    (at, None)
                } else {
                    (gst::ClockTime::ZERO, Some(at + gst::ClockTime::SECOND))
                };
                playing
                    .pipeline
                    .seek(
                        rate,
                        gst::SeekFlags::FLUSH,
                        gst::SeekType::Set,
                        start,
                        if stop.is_some() {
                            gst::SeekType::Set
                        } else {
                            gst::SeekType::None
                        },
                        stop,
                    )
                    .unwrap();
                "a seek with another rate"
            }
            2 => {
                playing
                    .pipeline
                    .seek_simple(gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT, at)
                    .unwrap();
                playing
                    .pipeline
                    .seek_simple(gst::SeekFlags::FLUSH, at)
                    .unwrap();
                "two seeks at once"
            }
            3 => {
                let gap = gst::event::Gap::builder(at)
                    .duration(gst::ClockTime::SECOND)
                    .build();
                playing
                    .pipeline
                    .by_name("detect")
                    .unwrap()
                    .static_pad("sink")
                    .unwrap()
                    .send_event(gap);
                "a gap"
            }
            _ => {
                playing.pipeline.set_state(gst::State::Paused).unwrap();
                playing.play();
                "a pause"
            }
        };
        assert_eq!(playing.flows(1 + i % 3, what), 2, "{what}");
    }
}

#[test]
fn two_hundred_faces_are_found_judged_and_drawn() {
    init();
    // The astronaut's face, 20 x 10 times.
    let face = image::open(astronaut()).unwrap().to_rgb8();
    let face = image::imageops::crop_imm(&face, 145, 10, 170, 220).to_image();
    let tile = image::imageops::resize(&face, 96, 128, image::imageops::FilterType::Triangle);
    let folder = tempfile::tempdir().unwrap();
    let crowd =
        image::RgbImage::from_fn(20 * 96, 10 * 128, |x, y| *tile.get_pixel(x % 96, y % 128));
    let path = folder.path().join("crowd.png");
    crowd.save(&path).unwrap();
    let (width, height) = crowd.dimensions();
    let frames = video::collect(
        &format!(
            "filesrc location={} ! pngdec ! videoconvert ! video/x-raw,format=I420,width={width},height={height} ! imagefreeze num-buffers=4 \
             ! livenessfacedetect input-size=1920 ! livenessclassify ! livenessoverlay ! fakesink name=s",
            path.display()
        ),
        |buffer, _| meta::read(buffer).unwrap().faces,
    );
    assert_eq!(frames.len(), 4);
    for faces in &frames {
        println!("{} faces", faces.len());
        assert!(faces.len() >= 190, "{}", faces.len());
        let mut tracks: Vec<_> = faces.iter().map(|f| f.track.unwrap()).collect();
        tracks.sort_unstable();
        tracks.dedup();
        assert_eq!(tracks.len(), faces.len(), "each has a number of its own");
    }
    let judged = frames[3]
        .iter()
        .filter(|f| f.verdict.looks > 0 || f.verdict.label == Label::Uncertain);
    assert!(judged.count() >= 190);
}

#[test]
fn a_thousand_faces_in_the_metadata_are_carried() {
    init();
    let element = gst::ElementFactory::make("livenessclassify")
        .property("model", tiny("bright.onnx"))
        .build()
        .unwrap();
    let info = video::info(gst_video::VideoFormat::Rgb, 320, 240);
    let frame = rgb(320, 240, |_, _| [200; 3]);
    let mut buffer = convert(&frame, &info).unwrap();
    let faces = (0..1000u32).map(|i| Face {
        id: i + 1,
        rect: Rect::new((i % 40) as f32 * 8.0, (i / 40) as f32 * 9.0, 8.0, 9.0),
        score: 0.9,
        track: Some(u64::from(i % 900) + 1),
        ..Face::default()
    });
    let analysis = Analysis {
        faces: faces.collect(),
        ..Analysis::new(&Format::new(&info), None)
    };
    meta::write(buffer.make_mut(), &analysis);
    let mut harness = video::harness(&element, &info);
    let out = harness.push_and_pull(buffer).unwrap();
    assert_eq!(meta::read(&out).unwrap().faces.len(), 1000);
}

#[test]
#[ignore = "long: LIVENESS_SOAK seconds, 1800 by default"]
fn nothing_leaks_in_half_an_hour() {
    let seconds = std::env::var("LIVENESS_SOAK").map_or(1800, |n| n.parse().unwrap());
    // A face that moves, in dust that no two frames share.
    let pipeline = format!(
        "filesrc location={} ! pngdec ! videoconvert ! imagefreeze ! video/x-raw,framerate=25/1 ! agingtv ! videoconvert \
         ! livenessfacedetect post-messages=on-change ! livenessclassify cues=moire+border+planar-motion+blink+stream ! livenessoverlay \
         ! videoconvert ! fakesink sync=true",
        Path::new(&astronaut()).display()
    );
    let mut running = Plugin::shared()
        .command("gst-launch-1.0")
        .arg("--no-fault")
        .args(pipeline.split_whitespace())
        .env("GST_TRACERS", "leaks")
        .env("GST_DEBUG", "GST_TRACER:7")
        .env("GST_DEBUG_NO_COLOR", "1")
        .start(Duration::from_secs(seconds) + LIMIT);
    let begun = Instant::now();
    let id = running.id().to_string();
    let (mut samples, mut next) = (Vec::new(), Duration::ZERO);
    running.until("work for long enough", || {
        if begun.elapsed() >= next {
            samples.push(resident(&id));
            next += Duration::from_secs(seconds) / 100;
        }
        begun.elapsed() >= Duration::from_secs(seconds)
    });
    running.interrupt();
    let ended = running.end().cleanly(&[0]);
    let median = |part: &[u64]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part[part.len() / 2]
    };
    let n = samples.len();
    let (early, late) = (
        median(&samples[n / 4..n / 2]),
        median(&samples[3 * n / 4..]),
    );
    println!("{seconds} s: {early} KiB in the second quarter, {late} KiB in the last");
    assert!(late < early + early / 50 + 1024, "{samples:?}");
    let alive: Vec<_> = ended
        .stderr
        .lines()
        .filter(|l| l.contains("object-alive") && l.contains("type-name=(string)Gst"))
        .collect();
    assert!(alive.is_empty(), "{}", alive.join("\n"));
}
