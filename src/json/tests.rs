// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is written is read, and written again the same; what is broken is named.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::face::{Cues, Label, Reason, Verdict};
use crate::geometry::{Point, Rect};

fn faces() -> impl Strategy<Value = Face> {
    let place = (-60f32..620.0, -60f32..460.0, 1f32..300.0, 1f32..300.0);
    let evidence = (
        0usize..4,
        prop::option::of(0f32..=1.0),
        prop::option::of(0..Reason::ALL.len()),
        prop::option::of("[a-zA-Z0-9 \"+\\\\äöü]{0,12}"),
        prop::array::uniform5(prop::option::of(0f32..=1.0)),
        0u32..99,
    );
    let more = (0f32..=1.0, prop::option::of(0u64..u64::MAX), any::<bool>());
    (place, evidence, more).prop_map(|((x, y, w, h), evidence, (score, track, points))| {
        let (label, live, reason, model, cues, looks) = evidence;
        Face {
            id: 0,
            rect: Rect::new(x, y, w, h),
            score,
            landmarks: points.then(|| {
                [Point {
                    x: x + w / 3.0,
                    y: y + h / 2.0,
                }; 5]
            }),
            track,
            verdict: Verdict {
                label: Label::ALL[label],
                live,
                reason: reason.map(|i| Reason::ALL[i]),
                model: model.map(|m| m.as_str().into()),
                looks,
                last: live,
                cues: Cues {
                    moire: cues[0],
                    border: cues[1],
                    planar_motion: cues[2],
                    blink: cues[3],
                    stream: cues[4],
                },
            },
        }
    })
}

/// A frame of 640x480.
fn frame(faces: Vec<Face>) -> Frame {
    Frame {
        width: 640,
        height: 480,
        timestamp: Some(40_000_000),
        source: Some("clip \u{e4}.mp4".into()),
        tags: serde_json::json!({"door": 3}).as_object().cloned(),
        faces: Some(faces),
        lost: Vec::new(),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(mut all in prop::collection::vec(faces(), 0..5)) {
        all.iter_mut().zip(1..).for_each(|(f, id)| f.id = id);
        let inside = |f: &Face| f.rect.clamped(640.0, 480.0);
        let line = write(&frame(all.clone())).unwrap();
        let back = read(line.as_bytes()).unwrap();
        let seen: Vec<_> = all.iter().filter(|f| inside(f).is_some_and(|r| r.w > 1.0 && r.h > 1.0)).collect();
        for face in seen {
            let got = back.faces.as_ref().unwrap().iter().find(|f| f.id == face.id).unwrap();
            let want = inside(face).unwrap();
            for d in [got.rect.x - want.x, got.rect.y - want.y, got.rect.right() - want.right(), got.rect.bottom() - want.bottom()] {
                prop_assert!(d.abs() < 0.002, "{:?} {want:?}", got.rect);
            }
            prop_assert!((got.score - face.score).abs() < 1e-5);
            prop_assert_eq!(got.track, face.track);
            prop_assert_eq!(got.verdict.label, face.verdict.label);
            prop_assert_eq!(got.verdict.reason, face.verdict.reason);
            prop_assert_eq!(&got.verdict.model, &face.verdict.model);
            prop_assert_eq!(got.verdict.looks, face.verdict.looks);
            prop_assert_eq!(got.landmarks.is_some(), face.landmarks.is_some());
        }
        // What was read says all that there was to say, but for those whose places are unknown.
        let again = write(&back).unwrap();
        let known = Frame { lost: Vec::new(), ..read(again.as_bytes()).unwrap() };
        prop_assert_eq!(write(&known).unwrap(), again);
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }
}

#[test]
fn who_looked_and_saw_nobody_is_told_from_who_did_not_look() {
    let none = write(&frame(Vec::new())).unwrap();
    assert!(none.contains("\"objects\":[]"), "{none}");
    assert_eq!(read(none.as_bytes()).unwrap().faces, Some(Vec::new()));
    let mut frame = frame(Vec::new());
    frame.faces = None;
    let unseen = write(&frame).unwrap();
    assert!(!unseen.contains("objects"), "{unseen}");
    assert_eq!(read(unseen.as_bytes()).unwrap(), frame);
}

#[test]
fn what_is_no_number_is_no_answer() {
    let mut face = Face {
        id: 1,
        rect: Rect::new(f32::NAN, 0.0, 10.0, 10.0),
        ..Face::default()
    };
    let line = write(&frame(vec![face.clone()])).unwrap();
    assert!(line.contains("\"objects\":[],\"lost\":[{"), "{line}");
    face.rect.x = 5.0;
    face.score = f32::NAN;
    face.verdict.live = Some(f32::NAN);
    face.landmarks = Some(
        [Point {
            x: f32::NAN,
            y: 0.0,
        }; 5],
    );
    let line = write(&frame(vec![face])).unwrap();
    assert!(
        !line.contains("null") && !line.contains("landmarks"),
        "{line}"
    );
    assert_eq!(read(line.as_bytes()).unwrap().faces.unwrap()[0].score, 0.0);
}

/// What is said about a file with these lines.
fn said(file: &[u8]) -> String {
    let mut lines = Lines::new(Path::new("faces.jsonl"), file);
    loop {
        match lines.next_frame() {
            Ok(Some(_)) => {}
            Ok(None) => return String::new(),
            Err(e) => return e.to_string(),
        }
    }
}

#[test]
fn broken_lines_are_named() {
    let good = write(&frame(vec![Face {
        id: 1,
        rect: Rect::new(10.0, 10.0, 50.0, 50.0),
        ..Face::default()
    }]));
    let good = good.unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{good} has no {from}");
        good.replace(from, to).into_bytes()
    };
    let bad: Vec<(Vec<u8>, &str)> = vec![
        (good.as_bytes()[..good.len() / 2].to_vec(), "EOF"),
        (
            with(
                "\"confidence\":0.0,\"label\":\"face\"",
                "\"confidence\":NaN",
            ),
            "expected value",
        ),
        (
            with(
                "\"confidence\":0.0,\"label\":\"face\"",
                "\"confidence\":1e999",
            ),
            "out of range",
        ),
        (
            with(
                "\"confidence\":0.0,\"label\":\"face\"",
                "\"label\":\"face\",\"confidence\":1.5",
            ),
            "confidence is 1.5",
        ),
        (with("\"x_max\":0.09375", "\"x_max\":-0.5"), "no extent"),
        (with("\"x_max\":0.09375", "\"x_max\":1e30"), "x_max is 1"),
        (with("\"x_max\":0.09375,", ""), "missing field `x_max`"),
        (with("\"w\":50", "\"w\":1e30"), "invalid type"),
        (with("\"w\":50", "\"w\":\"50\""), "invalid type"),
        (with("\"width\":640", "\"width\":-640"), "invalid value"),
        (with("\"width\":640", "\"width\":0"), "resolution of 0x480"),
        (
            with("\"width\":640", "\"width\":4294967295"),
            "resolution of 4294967295x480",
        ),
        (
            with("\"timestamp\":40000000", "\"timestamp\":-1"),
            "invalid value",
        ),
        (with("\"objects\":[", "\"objects\":[[],"), "invalid"),
        (
            b"[".iter().copied().chain(good.bytes()).collect(),
            "json-lines",
        ),
        (b"{\"source\":\"\xff\xfe\"}\n".to_vec(), "unicode"),
        (vec![b'['; 5000], "json-lines"),
        (b"{}\n".to_vec(), "missing field `resolution`"),
        (b"null\n".to_vec(), "invalid type"),
        (
            vec![b'x'; LONGEST as usize + 10],
            "longer than 1048576 bytes",
        ),
    ];
    for (line, word) in bad {
        let file = [good.as_bytes(), b"\n", &line].concat();
        let said = said(&file);
        let shown = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        assert!(said.starts_with("faces.jsonl: line 3 "), "{shown}: {said}");
        assert!(said.contains(word), "{shown}: {said}");
    }
    assert_eq!(said(good.as_bytes()), "");
    assert_eq!(said(b""), "");
}

#[test]
fn lines_of_dl_streamer_are_read() {
    // As its documentation has them: a face with an emotion, and a person.
    let line = br#"{"objects":[
        {"detection":{"bounding_box":{"x_max":0.75,"x_min":0.5,"y_max":0.5,"y_min":0.25},"confidence":0.99,"label":"face","label_id":1},
         "emotion":{"label":"neutral","model":{"name":"0003_EmoNet_ResNet10"}},"h":108,"region_id":4602,"roi_type":"face","w":192,"x":384,"y":108},
        {"detection":{"bounding_box":{"x_max":0.4,"x_min":0.1,"y_max":0.9,"y_min":0.2},"confidence":0.8,"label":"person","label_id":0},
         "h":302,"roi_type":"person","w":230,"x":77,"y":86},
        {"h":43,"id":9,"roi_type":"face","w":64,"x":0,"y":0}],
        "resolution":{"height":432,"width":768},"source":"https://example.org/a.mp4","tags":{},"timestamp":13333333333}"#;
    let frame = read(line).unwrap();
    let faces = frame.faces.unwrap();
    assert_eq!(faces.len(), 2);
    assert_eq!(faces[0].rect, Rect::new(384.0, 108.0, 192.0, 108.0));
    assert_eq!(faces[0].verdict.label, Label::Unchecked);
    assert_eq!(
        (faces[1].track, faces[1].rect),
        (Some(9), Rect::new(0.0, 0.0, 64.0, 43.0))
    );
    assert_eq!(
        (faces[0].id, faces[1].id),
        (1, 2),
        "one has none: all are counted anew"
    );
    assert_eq!(frame.timestamp, Some(13_333_333_333));
}
