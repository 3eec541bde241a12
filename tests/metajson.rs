// SPDX-License-Identifier: MIT OR Apache-2.0
//! `livenessmetaconvert` and `livenessmetaattach` in pipelines: lines that fit their schema and that a reader of DL Streamer's layout
//! understands, faces that come back from them, and files that are no such lines.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use gst_video::VideoInfo;
use gstliveness::frame::Format;
use gstliveness::meta::{self, Here};
use liveness::face::{Face, Label};
use serde_json::Value;
use video::{astronaut, collect, init, run, run_with, tiny};

/// A picture of 512x512 for so many frames.
fn picture(frames: u32) -> String {
    init();
    format!(
        "filesrc location={} ! pngdec ! imagefreeze num-buffers={frames} ! videoconvert ! video/x-raw,format=I420,framerate=25/1",
        astronaut().display()
    )
}

/// The same, with two faces, of which the models say something.
fn analysed(frames: u32) -> String {
    format!(
        "{} ! livenessfacedetect model={} ! livenessclassify model={} smoothing=0",
        picture(frames),
        tiny("boxes.onnx"),
        tiny("bright.onnx")
    )
}

/// A place for a file.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

/// The lines that a pipeline writes, each as the schema describes it.
fn lines(pipeline: &str) -> Vec<Value> {
    let folder = Folder::new();
    let file = folder.path("faces.jsonl");
    let pipeline = format!("{pipeline} ! filesink name=s location={}", file.display());
    run(&pipeline, |_, caps| {
        assert_eq!(caps.to_string(), "application/x-json");
    })
    .unwrap();
    valid(&std::fs::read_to_string(file).unwrap())
}

fn valid(text: &str) -> Vec<Value> {
    let mut schemas = boon::Schemas::new();
    let path = common::root().join("docs/faces.schema.json");
    let schema = boon::Compiler::new().compile(path.to_str().unwrap(), &mut schemas);
    let schema = schema.unwrap_or_else(|e| panic!("{e:#}"));
    let check = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Err(error) = schemas.validate(&line, schema) {
            panic!("{line}: {error}");
        }
        line
    };
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(check).collect()
}

/// What somebody reads who knows DL Streamer's documentation and nothing of ours: per object its kind, its box in pixels, its confidence, its number over
/// time, and each classifier's word and model.
#[derive(Debug, PartialEq)]
struct Seen {
    kind: String,
    edges: [f64; 4],
    confidence: f64,
    id: Option<i64>,
    attributes: Vec<(String, String, Option<String>)>,
}

fn seen(frame: &Value) -> Vec<Seen> {
    let side = |name: &str| frame["resolution"][name].as_f64().unwrap();
    let (width, height) = (side("width"), side("height"));
    let objects = frame["objects"].as_array().unwrap();
    let see = |object: &Value| {
        let b = &object["detection"]["bounding_box"];
        let at = |name: &str, n: f64| b[name].as_f64().unwrap() * n;
        let attributes = object
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(name, value)| {
                let label = value.get("label")?.as_str()?.to_owned();
                let model = value["model"]["name"].as_str().map(str::to_owned);
                (name != "detection").then(|| (name.clone(), label, model))
            });
        // Some read these in place of the box.
        for (name, edge) in [("x", at("x_min", width)), ("y", at("y_min", height))] {
            assert!(
                (object[name].as_f64().unwrap() - edge).abs() <= 0.51,
                "{object}"
            );
        }
        Seen {
            kind: object["roi_type"].as_str().unwrap().to_owned(),
            edges: [
                at("x_min", width),
                at("y_min", height),
                at("x_max", width),
                at("y_max", height),
            ],
            confidence: object["detection"]["confidence"].as_f64().unwrap(),
            id: object["id"].as_i64(),
            attributes: attributes.collect(),
        }
    };
    objects.iter().map(see).collect()
}

/// The faces of each frame at the end of a pipeline, as the elements see them.
fn faces(pipeline: &str) -> Vec<Vec<Face>> {
    collect(&format!("{pipeline} ! fakesink name=s"), |buffer, caps| {
        let format = Format::new(&VideoInfo::from_caps(caps).unwrap());
        let here = meta::faces_here(buffer, &format, &mut Vec::new()).unwrap();
        let Here { faces, lost } = here.unwrap_or_default();
        assert!(lost.is_empty());
        faces
    })
}

#[test]
fn a_reader_of_dl_streamers_layout_gets_every_face() {
    // Scaled, so that the faces are not where they were found.
    let chain = format!(
        "{} ! videoscale ! video/x-raw,width=300,height=300",
        analysed(3)
    );
    let lines = lines(&format!(
        "{chain} ! livenessmetaconvert output=buffers source=nasa tags=\"{{\\\"door\\\": 3}}\""
    ));
    let wanted = faces(&chain);
    assert_eq!((lines.len(), wanted.len()), (3, 3));
    for (i, (line, wanted)) in lines.iter().zip(&wanted).enumerate() {
        assert_eq!(line["timestamp"], 40_000_000 * i as u64);
        assert_eq!(
            (&line["source"], &line["tags"]["door"]),
            (&"nasa".into(), &3.into())
        );
        let seen = seen(line);
        assert_eq!((seen.len(), wanted.len()), (2, 2));
        for (seen, face) in seen.iter().zip(wanted) {
            let r = face.rect.clamped(300.0, 300.0).unwrap();
            let edges = [r.x, r.y, r.right(), r.bottom()];
            for (got, want) in seen.edges.iter().zip(edges) {
                assert!((got - f64::from(want)).abs() < 0.001, "{seen:?} {face:?}");
            }
            assert_eq!(seen.kind, "face");
            assert_eq!(seen.id, face.track.map(|t| t as i64));
            assert!((seen.confidence - f64::from(face.score)).abs() < 1e-6);
            let verdict = &face.verdict;
            assert!(matches!(verdict.label, Label::Live | Label::Spoof));
            let model = verdict.model.as_deref().map(str::to_owned);
            let attribute = ("liveness".to_owned(), verdict.label.to_string(), model);
            assert_eq!(seen.attributes, [attribute]);
        }
    }
}

/// The objects that a pipeline posts.
fn posted(pipeline: &str) -> Vec<Value> {
    let all = Arc::new(Mutex::new(String::new()));
    let heard = all.clone();
    let listen = move |bin: &gst::Bin| {
        let handler = move |_: &gst::Bus, message: &gst::Message| {
            let structure = message
                .structure()
                .filter(|s| s.name() == "GstLivenessMetaConvert");
            if let Some(s) = structure {
                let json: &str = s.get("json").unwrap();
                let time: Option<gst::ClockTime> = s.get("stream-time").unwrap();
                assert!(json.contains(&format!("\"timestamp\":{}", time.unwrap().nseconds())));
                *heard.lock().unwrap() += &format!("{json}\n");
            }
            gst::BusSyncReply::Pass
        };
        bin.bus().unwrap().set_sync_handler(handler);
    };
    run_with(pipeline, listen, |_, _| ()).unwrap();
    let all = all.lock().unwrap();
    valid(&all)
}

#[test]
fn messages_say_the_same_and_the_frames_pass_untouched() {
    let chain = analysed(3);
    let wanted = lines(&format!("{chain} ! livenessmetaconvert output=buffers"));
    let passed = Arc::new(Mutex::new(Vec::new()));
    let pipeline =
        format!("{chain} ! identity name=before ! livenessmetaconvert ! fakesink name=s");
    let before = passed.clone();
    let after = passed.clone();
    let prepare = move |bin: &gst::Bin| {
        let pad = bin.by_name("before").unwrap().static_pad("src").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            before
                .lock()
                .unwrap()
                .push(info.buffer().unwrap().as_ptr() as usize);
            gst::PadProbeReturn::Ok
        });
    };
    run_with(&pipeline, prepare, move |buffer, _| {
        after.lock().unwrap().push(buffer.as_ptr() as usize)
    })
    .unwrap();
    let passed = passed.lock().unwrap();
    assert_eq!(passed.len(), 6);
    assert!(passed.chunks(2).all(|p| p[0] == p[1]), "a frame was copied");
    assert_eq!(posted(&pipeline), wanted);
    let both = format!("{chain} ! livenessmetaconvert output=both ! fakesink name=s");
    assert_eq!(posted(&both), wanted);
    let buffers = both.replace("both", "buffers");
    assert!(posted(&buffers).is_empty());
}

#[test]
fn nobody_seen_is_told_from_nobody_looked() {
    let (detect, convert) = (
        format!(
            "livenessfacedetect model={} threshold=1",
            tiny("boxes.onnx")
        ),
        "livenessmetaconvert output=buffers",
    );
    let none = lines(&format!("{} ! {detect} ! {convert}", picture(2)));
    assert_eq!(none.len(), 2);
    assert!(
        none.iter().all(|l| l["objects"] == serde_json::json!([])),
        "{none:?}"
    );
    let unseen = lines(&format!("{} ! {convert}", picture(2)));
    assert!(unseen.len() == 2 && unseen.iter().all(|l| l.get("objects").is_none()));
    for chain in [format!("{} ! {detect}", picture(2)), picture(2)] {
        assert!(lines(&format!("{chain} ! {convert} add-empty-results=false")).is_empty());
    }
}

#[test]
fn who_got_lost_has_a_verdict_and_no_box() {
    let lines = lines(&format!(
        "{} ! videocrop left=100 ! livenessmetaconvert output=buffers add-empty-results=false",
        analysed(1)
    ));
    assert_eq!(lines[0]["objects"], serde_json::json!([]));
    let lost = lines[0]["lost"].as_array().unwrap();
    assert_eq!(lost.len(), 2);
    assert!(lost.iter().all(|l| l["liveness"]["label"] != "unchecked"));
}

/// A file with the faces of three frames.
fn recorded(folder: &Folder) -> PathBuf {
    let file = folder.path("recorded.jsonl");
    let convert = format!(
        "livenessmetaconvert output=buffers ! filesink name=s location={}",
        file.display()
    );
    run(&format!("{} ! {convert}", analysed(3)), |_, _| ()).unwrap();
    file
}

#[test]
fn faces_come_back_as_they_were_written() {
    let folder = Folder::new();
    let file = recorded(&folder);
    let written = valid(&std::fs::read_to_string(&file).unwrap());
    for how in ["timestamp", "order"] {
        let attach = format!(
            "livenessmetaattach location={} verdicts=true match={how}",
            file.display()
        );
        let again = lines(&format!(
            "{} ! {attach} ! livenessmetaconvert output=buffers",
            picture(3)
        ));
        assert_eq!(again, written, "{how}");
        // They are as good as a detector's: scaled with the picture by whoever scales it, and lost where it is turned.
        let direct = faces(&format!(
            "{} ! videoscale ! video/x-raw,width=300,height=300",
            analysed(3)
        ));
        let back = faces(&format!(
            "{} ! {attach} ! videoscale ! video/x-raw,width=300,height=300",
            picture(3)
        ));
        assert_eq!((direct.len(), back.len()), (3, 3));
        for (a, b) in direct.iter().flatten().zip(back.iter().flatten()) {
            assert!((a.rect.x - b.rect.x).abs() < 0.01 && (a.rect.h - b.rect.h).abs() < 0.01);
            assert_eq!((a.verdict.label, a.track), (b.verdict.label, b.track));
        }
        // A frame of another size has them in their places, too.
        let small = faces(&format!(
            "{} ! videoscale ! video/x-raw,width=300,height=300 ! {attach}",
            picture(3)
        ));
        for (a, b) in direct.iter().flatten().zip(small.iter().flatten()) {
            assert!((a.rect.x - b.rect.x).abs() < 0.01 && (a.rect.h - b.rect.h).abs() < 0.01);
        }
        let turned = lines(&format!(
            "{} ! {attach} ! videoflip video-direction=horiz ! livenessmetaconvert output=buffers",
            picture(1)
        ));
        assert_eq!(turned[0]["objects"], serde_json::json!([]));
    }
}

#[test]
fn a_file_makes_nobody_live_unless_that_is_asked_for() {
    let folder = Folder::new();
    let attach = format!(
        "livenessmetaattach location={}",
        recorded(&folder).display()
    );
    let faces = |chain: &str| self::faces(&format!("{} ! {chain}", picture(3))).concat();
    let labels = |faces: Vec<Face>| faces.iter().map(|f| f.verdict.label).collect::<Vec<_>>();
    assert_eq!(labels(faces(&attach)), [Label::Unchecked; 6]);
    // And a classifier looks at them.
    let judged = faces(&format!(
        "{attach} ! livenessclassify model={} smoothing=0",
        tiny("bright.onnx")
    ));
    let direct = self::faces(&analysed(3)).concat();
    assert_eq!(labels(judged), labels(direct));
}

#[test]
fn lines_find_their_frames_by_time() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(recorded(&folder)).unwrap();
    // Of frames 0, 1, 2: the second has no line, the third one that is 15 ms late, and two are of nobody.
    let line = |n: usize, time: u64| {
        let line = text.lines().nth(n).unwrap();
        line.replace(
            &format!("\"timestamp\":{}", 40_000_000 * n),
            &format!("\"timestamp\":{time}"),
        )
    };
    let file = [
        line(0, 0),
        line(1, 21_000_000 - 500_000),
        line(1, 60_000_500),
        line(2, 95_000_000),
    ]
    .join("\n\n");
    let file = folder.write("sparse.jsonl", file);
    let attach = format!(
        "livenessmetaattach name=a location={} verdicts=true",
        file.display()
    );
    let counts = |chain: &str| faces(chain).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(
        counts(&format!("{} ! {attach}", picture(3))),
        [2, 2, 2],
        "20.5 ms is nearer to the second frame than half of it"
    );
    let file = [line(0, 0), line(1, 10_000_000), line(2, 95_000_000)].join("\n");
    folder.write("sparse.jsonl", file);
    assert_eq!(counts(&format!("{} ! {attach}", picture(4))), [2, 0, 2, 0]);
}

#[test]
fn after_a_seek_the_file_is_read_again() {
    let folder = Folder::new();
    let attach = format!(
        "livenessmetaattach name=a location={} verdicts=true",
        recorded(&folder).display()
    );
    let film = folder.path("film.mkv");
    run(
        &format!(
            "{} ! jpegenc ! matroskamux ! filesink name=s location={}",
            picture(3),
            film.display()
        ),
        |_, _| (),
    )
    .unwrap();
    let pipeline = format!(
        "filesrc location={} ! matroskademux ! jpegdec ! {attach} ! appsink name=s sync=false",
        film.display()
    );
    let pipeline = gst::parse::launch(&pipeline)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline
        .by_name("s")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let wait = gst::ClockTime::from_seconds(60);
    let faces = || {
        let sample = sink.try_pull_sample(wait)?;
        Some(meta::read(sample.buffer()?).map_or(0, |a| a.faces.len()))
    };
    let all = || std::iter::from_fn(&faces).collect::<Vec<_>>();
    assert_eq!(all(), [2, 2, 2]);
    pipeline
        .seek_simple(
            gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE,
            gst::ClockTime::ZERO,
        )
        .unwrap();
    assert_eq!(all(), [2, 2, 2]);
    let stats: gst::Structure = pipeline.by_name("a").unwrap().property("stats");
    assert_eq!(
        (
            stats.get("frames"),
            stats.get("attached"),
            stats.get("faces")
        ),
        (Ok(6u64), Ok(6u64), Ok(12u64))
    );
    pipeline.set_state(gst::State::Null).unwrap();
}

/// How a pipeline with this file fails.
#[track_caller]
fn fails(file: &Path, properties: &str) -> String {
    let attach = format!(
        "livenessmetaattach name=attach {properties} location={}",
        file.display()
    );
    run(
        &format!("{} ! {attach} ! fakesink name=s", picture(3)),
        |_, _| (),
    )
    .unwrap_err()
}

#[test]
fn broken_files_are_named_with_their_lines() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(recorded(&folder)).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let (second, _) = rest.split_once('\n').unwrap();
    let bad: [(&str, Vec<u8>, &str); 7] = [
        ("cut off", second.as_bytes()[..200].into(), "EOF"),
        (
            "NaN",
            second.replace("\"x_min\":0.25", "\"x_min\":NaN").into(),
            "expected value",
        ),
        (
            "negative",
            second.replace("\"x_max\":0.75", "\"x_max\":0.1").into(),
            "no extent",
        ),
        (
            "huge",
            second.replace("\"x_max\":0.75", "\"x_max\":1e300").into(),
            "x_max is 1",
        ),
        (
            "type",
            second
                .replace("\"x_max\":0.75", "\"x_max\":\"right\"")
                .into(),
            "invalid type",
        ),
        (
            "UTF-8",
            second
                .replace("roi_type", "roi\0type")
                .bytes()
                .map(|b| if b == 0 { 0xff } else { b })
                .collect(),
            "invalid unicode",
        ),
        ("long", vec![b' '; 1 << 21], "longer than 1048576 bytes"),
    ];
    for (name, line, word) in bad {
        assert_ne!(line, second.as_bytes(), "{name}");
        let file = folder.write(
            "bad.jsonl",
            [first.as_bytes(), b"\n", &line, b"\n"].concat(),
        );
        for how in ["timestamp", "order"] {
            let said = fails(&file, &format!("match={how}"));
            let start = format!("attach: {}: line 2 ", file.display());
            assert!(
                said.starts_with(&start) && said.contains(word),
                "{name}: {said}"
            );
        }
    }
    let back = [second, first].join("\n");
    let said = fails(&folder.write("bad.jsonl", back), "");
    assert!(
        said.contains("line 2 goes back in time, from 40000000 to 0"),
        "{said}"
    );
    let said = fails(
        &folder.write("bad.jsonl", first.replace(",\"timestamp\":0", "")),
        "",
    );
    assert!(
        said.contains("line 1 has no timestamp") && said.contains("match=order"),
        "{said}"
    );
    let said = fails(
        &folder.write(
            "bad.jsonl",
            first.replace("\"height\":512", "\"height\":288"),
        ),
        "",
    );
    assert!(
        said.contains("line 1 is of a frame of 512x288, this one has 512x512"),
        "{said}"
    );
    let said = fails(&folder.path("absent.jsonl"), "");
    assert!(said.contains("absent.jsonl: cannot be read"), "{said}");
}

#[test]
fn what_is_not_set_or_no_json_is_said_before_the_first_frame() {
    let run = |element: &str| {
        run(
            &format!("{} ! {element} ! fakesink name=s", picture(1)),
            |_, _| (),
        )
        .unwrap_err()
    };
    let said = run("livenessmetaattach name=attach");
    assert!(said.starts_with("attach: location is not set"), "{said}");
    for tags in ["door", "[3]", "3"] {
        let said = run(&format!("livenessmetaconvert name=convert tags={tags}"));
        assert!(
            said.starts_with("convert: tags is no JSON object"),
            "{said}"
        );
    }
}

#[test]
fn a_file_of_another_stream_is_a_warning() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(recorded(&folder)).unwrap();
    let late: String = text
        .lines()
        .map(|l| l.replace("\"timestamp\":", "\"timestamp\":9") + "\n")
        .collect();
    let late = late.replace("\"timestamp\":90", "\"timestamp\":900000000");
    let file = folder.write("late.jsonl", late);
    let pipeline = format!(
        "{} ! livenessmetaattach location={} ! fakesink name=s",
        picture(2),
        file.display()
    );
    let warned = Arc::new(Mutex::new(String::new()));
    let heard = warned.clone();
    let listen = move |bin: &gst::Bin| {
        bin.bus().unwrap().set_sync_handler(move |_, message| {
            if let gst::MessageView::Warning(w) = message.view() {
                *heard.lock().unwrap() += &w.error().to_string();
            }
            gst::BusSyncReply::Pass
        });
    };
    run_with(&pipeline, listen, |buffer, _| {
        assert!(meta::read(buffer).is_none())
    })
    .unwrap();
    let warned = warned.lock().unwrap();
    assert!(
        warned.contains("had no line for any of 2 frames"),
        "{warned}"
    );
}
