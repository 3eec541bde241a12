// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is written is read, by us and by others, and faces are where they belong or lost.

use super::region::regions;
use super::*;
use liveness::face::{Label, Reason};
use proptest::prelude::*;

fn init() {
    gst::init().unwrap();
    register();
}

fn analysis(faces: Vec<Face>) -> Analysis {
    Analysis {
        width: 640,
        height: 480,
        par: gst::Fraction::new(1, 1),
        signature: None,
        faces,
    }
}

fn format(width: u32, height: u32) -> Format {
    let video = gst_video::VideoFormat::Gray8;
    Format::new(
        &gst_video::VideoInfo::builder(video, width, height)
            .build()
            .unwrap(),
    )
}

fn face(id: u32, rect: Rect) -> Face {
    Face {
        id,
        rect,
        score: 0.75,
        ..Face::default()
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        x in -50f32..600.0, y in -50f32..400.0, w in 1f32..300.0, h in 1f32..300.0,
        score in 0f32..1.0, live in prop::option::of(0f32..1.0), track in prop::option::of(0u64..1000),
        label in 0usize..4, reason in prop::option::of(0..Reason::ALL.len()),
        points in any::<bool>(), looks in 0u32..1000,
        cues in prop::array::uniform5(prop::option::of(0f32..=1.0)),
    ) {
        init();
        let mut f = face(7, Rect::new(x, y, w, h));
        f.score = score;
        f.track = track;
        f.verdict = Verdict {
            label: Label::ALL[label],
            live,
            reason: reason.map(|i| Reason::ALL[i]),
            model: live.map(|_| "m".into()),
            looks,
            last: live.map(|p| 1.0 - p),
            cues: {
                let [moire, border, planar_motion, blink, stream] = cues;
                Cues { moire, border, planar_motion, blink, stream }
            },
        };
        f.landmarks = points.then_some([Point { x, y }; 5]);
        let written = analysis(vec![f]);
        let mut buffer = gst::Buffer::new();
        let b = buffer.get_mut().unwrap();
        write(b, &written);
        // A second detector replaces the first one's faces.
        write(b, &written);
        let got = read(&buffer).unwrap();
        let (a, b) = (&written.faces[0], &got.faces[0]);
        let near = |a: f32, b: f32| (a - b).abs() < 1e-3;
        prop_assert!(near(a.rect.x, b.rect.x) && near(a.rect.bottom(), b.rect.bottom()));
        prop_assert_eq!((a.id, a.track, &a.verdict.label, a.verdict.reason), (b.id, b.track, &b.verdict.label, b.verdict.reason));
        prop_assert_eq!((a.verdict.live, a.verdict.last, a.verdict.looks), (b.verdict.live, b.verdict.last, b.verdict.looks));
        prop_assert_eq!(a.verdict.cues, b.verdict.cues);
        prop_assert_eq!(a.landmarks.is_some(), b.landmarks.is_some());
        prop_assert!(regions(&buffer).len() <= 1);
    }
}

#[test]
fn analysed_without_a_face_is_not_the_same_as_not_analysed() {
    init();
    let mut buffer = gst::Buffer::new();
    assert_eq!(read(&buffer), None);
    write(buffer.get_mut().unwrap(), &analysis(Vec::new()));
    assert_eq!(read(&buffer).unwrap().faces, []);
}

#[test]
fn the_parameters_are_those_of_dl_streamer() {
    init();
    let mut buffer = gst::Buffer::new();
    let mut f = face(3, Rect::new(64.0, 48.0, 128.0, 96.0));
    f.track = Some(9);
    f.verdict = Verdict {
        label: Label::Spoof,
        live: Some(0.25),
        reason: None,
        model: Some("net".into()),
        ..Verdict::default()
    };
    write(buffer.get_mut().unwrap(), &analysis(vec![f]));
    let roi = buffer.meta::<Roi>().unwrap();
    assert_eq!((roi.id(), roi.rect()), (3, (64, 48, 128, 96)));
    let d = roi.param("detection").unwrap();
    assert!((d.get::<f64>("x_min").unwrap() - 0.1).abs() < 1e-6);
    assert!((d.get::<f64>("y_max").unwrap() - 0.3).abs() < 1e-6);
    assert_eq!(d.get::<i32>("label_id").unwrap(), 0);
    assert_eq!(roi.param("object_id").unwrap().get::<i32>("id").unwrap(), 9);
    let l = roi.param("liveness").unwrap();
    assert_eq!(l.get::<&str>("label").unwrap(), "spoof");
    assert_eq!(l.get::<&str>("model_name").unwrap(), "net");
    assert!((l.get::<f64>("confidence").unwrap() - 0.75).abs() < 1e-6);
}

#[test]
fn cues_are_there_only_where_one_was_measured_and_only_as_scores() {
    init();
    let mut f = face(1, Rect::new(64.0, 48.0, 128.0, 96.0));
    assert!(!face_structure(&f, 1.0, 1.0).has_field("cues"));
    f.verdict.cues.planar_motion = Some(0.5);
    let mut s = face_structure(&f, 1.0, 1.0);
    let cues = s.get::<gst::Structure>("cues").unwrap();
    assert_eq!(cues.get::<f64>("planar-motion"), Ok(0.5));
    assert_eq!(cues.n_fields(), 1);
    for bad in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        let cues = gst::Structure::builder("cues").field("moire", bad);
        s.set("cues", cues.field("blink", 0.25).build());
        let read = face_from(&s, 1.0, 1.0).unwrap().verdict.cues;
        let only = Cues {
            blink: Some(0.25),
            ..Cues::default()
        };
        assert_eq!(read, only, "{bad}");
    }
}

#[test]
fn tracks_beyond_an_int_are_counted_from_one_again() {
    init();
    let most = i32::MAX as u64;
    for (track, wanted) in [
        (0, 0),
        (1, 1),
        (most, i32::MAX),
        (most + 1, 1),
        (2 * most, i32::MAX),
        (2 * most + 1, 1),
        (u64::MAX, 3),
    ] {
        let mut buffer = gst::Buffer::new();
        let mut f = face(1, Rect::new(64.0, 48.0, 128.0, 96.0));
        f.track = Some(track);
        write(buffer.get_mut().unwrap(), &analysis(vec![f]));
        let roi = buffer.meta::<Roi>().unwrap();
        let id = roi.param("object_id").unwrap().get::<i32>("id").unwrap();
        assert_eq!(id, wanted, "{track}");
        // The authority has it whole.
        assert_eq!(read(&buffer).unwrap().faces[0].track, Some(track));
    }
}

#[test]
fn a_verdict_replaces_the_one_before_and_keeps_what_others_wrote() {
    init();
    let mut buffer = gst::Buffer::new();
    let b = buffer.get_mut().unwrap();
    let mut a = analysis(vec![face(1, Rect::new(10.0, 10.0, 50.0, 50.0))]);
    write(b, &a);
    b.meta_mut::<Roi>()
        .unwrap()
        .add_param(gst::Structure::new_empty("somebody-elses"));
    for label in [Label::Live, Label::Spoof] {
        a.faces[0].verdict = Verdict {
            label,
            live: Some(0.5),
            reason: None,
            model: Some("net".into()),
            ..Verdict::default()
        };
        write_verdicts(b, &a);
    }
    let roi = buffer.meta::<Roi>().unwrap();
    let names: Vec<_> = roi.params().map(|p| p.name().to_string()).collect();
    assert_eq!(names, ["somebody-elses", "detection", "liveness"]);
    let l = roi.param("liveness").unwrap();
    assert_eq!(l.get::<&str>("label").unwrap(), "spoof");
}

#[test]
fn scaled_frames_keep_their_faces_and_other_shapes_lose_them() {
    init();
    let mut buffer = gst::Buffer::with_size(320 * 240).unwrap();
    let b = buffer.get_mut().unwrap();
    write(
        b,
        &analysis(vec![face(1, Rect::new(100.5, 50.25, 60.0, 80.0))]),
    );
    // As videoscale does it.
    b.meta_mut::<Roi>().unwrap().set_rect((50, 25, 30, 40));
    let here = |f: &Format| faces_here(&buffer, f, &mut Vec::new()).unwrap().unwrap();
    let half = here(&format(320, 240));
    assert_eq!(half.faces[0].rect, Rect::new(50.25, 25.125, 30.0, 40.0));
    assert_eq!(here(&format(320, 200)).lost.len(), 1);
}

#[test]
fn a_picture_that_somebody_mirrored_loses_its_faces_though_the_metadata_is_whole() {
    init();
    let picture = |mirrored: bool| {
        let bytes = (0..640 * 480).map(|i| {
            let x = if mirrored { 639 - i % 640 } else { i % 640 };
            (x / 4 + i / 640 / 8) as u8
        });
        gst::Buffer::from_slice(bytes.collect::<Vec<_>>())
    };
    let format = format(640, 480);
    let mut scratch = Vec::new();
    let signature = format
        .read(&picture(false), |p| Signature::of(p, &mut scratch))
        .unwrap();
    let mut a = analysis(vec![face(1, Rect::new(10.0, 10.0, 60.0, 80.0))]);
    a.signature = Some(signature);
    for mirrored in [false, true] {
        let mut buffer = picture(mirrored);
        write(buffer.make_mut(), &a);
        let here = faces_here(&buffer, &format, &mut scratch).unwrap().unwrap();
        assert_eq!(here.lost.len(), usize::from(mirrored));
        // Where nothing was touched, a region that went missing is not missed.
        take_regions(buffer.make_mut());
        let here = faces_here(&buffer, &format, &mut scratch).unwrap().unwrap();
        assert_eq!(here.lost.len(), usize::from(mirrored));
    }
}

#[test]
fn a_dropped_region_is_a_lost_face() {
    init();
    let mut buffer = gst::Buffer::with_size(640 * 480).unwrap();
    let b = buffer.get_mut().unwrap();
    write(
        b,
        &analysis(vec![face(1, Rect::new(10.0, 10.0, 60.0, 80.0))]),
    );
    take_regions(b);
    let here = faces_here(&buffer, &format(640, 480), &mut Vec::new());
    let here = here.unwrap().unwrap();
    assert_eq!((here.faces.len(), here.lost.len()), (0, 1));
}

#[test]
fn regions_of_other_detectors_are_faces() {
    init();
    let mut buffer = gst::Buffer::with_size(640 * 480).unwrap();
    let here = |b: &gst::Buffer| faces_here(b, &format(640, 480), &mut Vec::new()).unwrap();
    assert_eq!(here(&buffer), None);
    let b = buffer.get_mut().unwrap();
    Roi::add(b, "car", (0, 0, 9, 9));
    Roi::add(b, "face", (1, 2, 30, 40));
    Roi::add(b, "face", (5, 6, 70, 80));
    adopt(b);
    let faces = here(&buffer).unwrap().faces;
    assert_eq!(faces.len(), 2);
    assert_eq!(faces[1].rect, Rect::new(5.0, 6.0, 70.0, 80.0));
    assert_eq!((faces[0].id, faces[1].id), (1, 2));
    assert_eq!(buffer.iter_meta::<Roi>().count(), 3);
}
