// SPDX-License-Identifier: MIT OR Apache-2.0
//! `livenessoverlay` in pipelines: every format, attached and blended, privacy, lost places, hostile metadata.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo, VideoOverlayCompositionMeta};
use gstliveness::frame::Format;
use gstliveness::meta::{self, Analysis};
use liveness::face::{Face, Label, Reason};
use liveness::geometry::{Point, Rect};
use liveness::signature::Signature;
use proptest::prelude::*;

fn init() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstliveness::plugin_register_static().unwrap();
    });
}

fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    VideoInfo::builder(format, width, height).build().unwrap()
}

fn face(rect: Rect, label: Label) -> Face {
    let mut face = Face {
        id: 1,
        rect,
        score: 0.9,
        ..Face::default()
    };
    face.verdict.label = label;
    face.verdict.live = Some(if label == Label::Spoof { 0.02 } else { 0.97 });
    face
}

const BOX: Rect = Rect::new(60.0, 40.0, 60.0, 56.0);

/// A detailed grey-blue picture in RGB: stripes and a slope, so that turning and blurring show.
fn picture(width: u32, height: u32) -> gst::Buffer {
    let info = info(VideoFormat::Rgb, width, height);
    let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
    let mut map = buffer.get_mut().unwrap().map_writable().unwrap();
    for y in 0..height as usize {
        for x in 0..width as usize {
            let stripe = if (x / 4 + y / 4) % 2 == 0 { 40 } else { 0 };
            let slope = (100 * x / width as usize) as u8;
            let pixel = [
                50 + stripe + slope,
                50 + stripe + slope,
                70 + stripe + slope,
            ];
            let at = y * info.stride()[0] as usize + 3 * x;
            map[at..at + 3].copy_from_slice(&pixel);
        }
    }
    drop(map);
    buffer
}

fn convert(buffer: &gst::Buffer, from: &VideoInfo, to: &VideoInfo) -> Option<gst::Buffer> {
    let converter = gst_video::VideoConverter::new(from, to, None).ok()?;
    let source = gst_video::VideoFrame::from_buffer_readable(buffer.clone(), from).ok()?;
    let out = gst::Buffer::with_size(to.size()).ok()?;
    let mut out = gst_video::VideoFrame::from_buffer_writable(out, to).ok()?;
    converter.frame(&source, &mut out);
    Some(out.into_buffer())
}

/// A frame of `info` with the picture on it.
fn frame(info: &VideoInfo) -> Option<gst::Buffer> {
    let rgb = self::info(VideoFormat::Rgb, info.width(), info.height());
    let mut buffer = convert(&picture(info.width(), info.height()), &rgb, info)?;
    buffer.get_mut()?.set_pts(gst::ClockTime::ZERO);
    Some(buffer)
}

fn write(buffer: &mut gst::Buffer, info: &VideoInfo, faces: Vec<Face>) {
    let format = Format::new(info);
    let signature = format.read(buffer, |p| Signature::of(p, &mut Vec::new()));
    let mut analysis = Analysis::new(&format, signature.ok());
    analysis.faces = faces;
    meta::write(buffer.make_mut(), &analysis);
}

/// Rows of red, green, blue.
fn rgb(buffer: &gst::Buffer, info: &VideoInfo) -> Vec<Vec<[i32; 3]>> {
    let to = self::info(VideoFormat::Rgb, info.width(), info.height());
    let buffer = convert(buffer, info, &to).unwrap();
    let map = buffer.map_readable().unwrap();
    let row = |y: usize| {
        let row = &map[y * to.stride()[0] as usize..];
        let pixels = row.as_chunks::<3>().0[..to.width() as usize].iter();
        pixels.map(|p| p.map(i32::from)).collect()
    };
    (0..to.height() as usize).map(row).collect()
}

fn harness(info: &VideoInfo) -> Harness {
    let mut h = Harness::new("livenessoverlay");
    h.set_src_caps(info.to_caps().unwrap());
    h
}

fn far(a: [i32; 3], b: [i32; 3]) -> i32 {
    (0..3).map(|i| (a[i] - b[i]).abs()).max().unwrap()
}

/// Distance of a pixel from the edges of `r`.
fn from_edge(r: &Rect, x: usize, y: usize) -> f32 {
    let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
    let outside = |v: f32, from: f32, to: f32| (from - v).max(v - to);
    let (dx, dy) = (outside(x, r.x, r.right()), outside(y, r.y, r.bottom()));
    dx.max(dy).abs()
}

/// Every format that GStreamer can make out of RGB, at this size.
fn every_format(width: u32, height: u32, mut look: impl FnMut(VideoInfo, gst::Buffer)) {
    let mut tried = 0;
    for format in gstliveness::caps::formats() {
        let info = info(format, width, height);
        if let Some(buffer) = frame(&info) {
            look(info, buffer);
            tried += 1;
        }
    }
    assert!(tried > 80, "only {tried} formats were tried");
}

#[test]
fn every_format_gets_its_box_and_nothing_else() {
    init();
    every_format(160, 120, |info, plain| {
        let before = rgb(&plain, &info);
        for label in [Label::Live, Label::Spoof] {
            let mut h = harness(&info);
            h.element().unwrap().set_property("show-labels", false);
            let mut buffer = plain.clone();
            write(&mut buffer, &info, vec![face(BOX, label)]);
            let after = rgb(&h.push_and_pull(buffer).unwrap(), &info);
            let name = info.name();
            for y in 0..120 {
                for x in 0..160 {
                    // Subsampled chroma reaches up to 4 pixels further.
                    if from_edge(&BOX, x, y) > 8.0 {
                        let d = far(before[y][x], after[y][x]);
                        assert!(d <= 3, "{name} changed by {d} at {x},{y}");
                    }
                }
            }
            // In the middle of each edge stands the verdict's colour.
            for (x, y) in [(90, 40), (90, 96), (60, 68), (120, 68)] {
                let changed = (-2i32..=1).any(|d| {
                    let (x, y) = (((x + d) as usize), ((y + d) as usize));
                    far(before[y][x], after[y][x]) > 20
                });
                assert!(changed, "{name} has no line at {x},{y}");
            }
            if info.format_info().is_gray() {
                continue;
            }
            // The line is two rows high; one of them may share its chroma with the dark rim.
            let wanted = |[r, g, _]: [i32; 3]| match label {
                Label::Live => g > r + 50,
                _ => r > g + 50,
            };
            let line = [after[39][90], after[40][90]];
            assert!(line.into_iter().any(wanted), "{name} {label}: {line:?}");
        }
    });
}

#[test]
fn blended_colours_are_those_of_the_verdict_in_any_colorimetry() {
    init();
    for colorimetry in ["bt601", "bt709", "bt2020", "1:4:0:0", "1:3:0:0"] {
        let info = VideoInfo::builder(VideoFormat::Y444, 160, 120)
            .colorimetry(&colorimetry.parse::<gst_video::VideoColorimetry>().unwrap())
            .build()
            .unwrap();
        let mut h = harness(&info);
        let mut buffer = frame(&info).unwrap();
        write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
        let after = rgb(&h.push_and_pull(buffer).unwrap(), &info);
        // The ground of the label, left of its text.
        let got = after[27][62];
        // Converting BT.2020 to sRGB changes primaries too.
        let tolerance = if colorimetry == "bt2020" { 60 } else { 6 };
        assert!(
            far(got, [46, 204, 95]) <= tolerance,
            "{colorimetry}: {got:?}"
        );
    }
}

#[test]
fn padded_rows_are_drawn_on() {
    init();
    let info = info(VideoFormat::I420, 160, 120);
    let plain = frame(&info).unwrap();
    let (stride, rows) = ([192usize, 112, 112], [120usize, 60, 60]);
    let mut data = vec![0x55; 192 * 120 + 2 * 112 * 60];
    let offset = [0, 192 * 120, 192 * 120 + 112 * 60];
    {
        let map = plain.map_readable().unwrap();
        for p in 0..3 {
            let width = if p == 0 { 160 } else { 80 };
            for y in 0..rows[p] {
                let from = info.offset()[p] + y * info.stride()[p] as usize;
                let to = offset[p] + y * stride[p];
                data[to..to + width].copy_from_slice(&map[from..from + width]);
            }
        }
    }
    let mut padded = gst::Buffer::from_mut_slice(data);
    gst_video::VideoMeta::add_full(
        padded.get_mut().unwrap(),
        gst_video::VideoFrameFlags::empty(),
        VideoFormat::I420,
        160,
        120,
        &offset,
        &stride.map(|s| s as i32),
    )
    .unwrap();
    let draw = |mut buffer: gst::Buffer| {
        write(&mut buffer, &info, vec![face(BOX, Label::Spoof)]);
        let mut h = harness(&info);
        rgb(&h.push_and_pull(buffer).unwrap(), &info)
    };
    assert_eq!(draw(padded), draw(plain));
}

#[test]
fn caps_may_change_in_mid_stream() {
    init();
    let mut h = Harness::new("livenessoverlay");
    for (format, w, h_) in [
        (VideoFormat::I420, 160, 120),
        (VideoFormat::Rgbx, 320, 240),
        (VideoFormat::Nv12, 160, 320),
        (VideoFormat::Gray8, 161, 121),
    ] {
        let info = info(format, w, h_);
        h.set_src_caps(info.to_caps().unwrap());
        let plain = frame(&info).unwrap();
        let mut buffer = plain.clone();
        write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
        let after = h.push_and_pull(buffer).unwrap();
        assert_ne!(rgb(&plain, &info), rgb(&after, &info));
    }
}

#[test]
fn frames_with_nothing_to_draw_share_their_memory() {
    init();
    let info = info(VideoFormat::I420, 160, 120);
    let mut h = harness(&info);
    let memory = |b: &gst::Buffer| b.peek_memory(0).as_ptr();
    for faces in [None, Some(Vec::new())] {
        let mut buffer = frame(&info).unwrap();
        if let Some(faces) = faces {
            write(&mut buffer, &info, faces);
        }
        // Held here too, as by the other branch of a tee.
        let held = buffer.clone();
        let out = h.push_and_pull(buffer).unwrap();
        assert_eq!(memory(&out), memory(&held));
    }
    // What is drawn on leaves the other branch's pixels alone.
    let mut buffer = frame(&info).unwrap();
    write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
    let (held, before) = (buffer.clone(), rgb(&buffer, &info));
    let out = h.push_and_pull(buffer).unwrap();
    assert_ne!(memory(&out), memory(&held));
    assert_eq!(rgb(&held, &info), before);
    assert!(meta::read(&out).is_some());
}

const FEATURE: &str = "meta:GstVideoOverlayComposition";

fn attaching_caps(info: &VideoInfo) -> gst::Caps {
    let mut caps = info.to_caps().unwrap();
    let features = gst::CapsFeatures::new(["memory:SystemMemory", FEATURE]);
    caps.get_mut().unwrap().set_features_simple(Some(features));
    caps
}

/// Downstream that takes the caps feature besides plain caps, and asks for the meta where `asks`.
fn attaching(info: &VideoInfo, asks: bool) -> Harness {
    let mut h = harness(info);
    let mut caps = attaching_caps(info);
    caps.merge(info.to_caps().unwrap());
    h.set_sink_caps(caps);
    if asks {
        h.add_propose_allocation_meta(VideoOverlayCompositionMeta::meta_api(), None);
    }
    h
}

fn rectangles(buffer: &gst::Buffer) -> u32 {
    buffer
        .meta::<VideoOverlayCompositionMeta>()
        .map_or(0, |m| m.overlay().n_rectangles())
}

fn out_feature(h: &Harness) -> bool {
    let pad = h.element().unwrap().static_pad("src").unwrap();
    let caps = pad.current_caps().unwrap();
    caps.features(0).unwrap().contains(FEATURE)
}

#[test]
fn attached_where_downstream_takes_it_and_blended_elsewhere() {
    init();
    let info = info(VideoFormat::I420, 160, 120);
    let plain = frame(&info).unwrap();
    let before = rgb(&plain, &info);
    for (asks, downstream) in [(true, true), (false, true), (true, false)] {
        let mut h = if downstream {
            attaching(&info, asks)
        } else {
            harness(&info)
        };
        let attaches = asks && downstream;
        for _ in 0..2 {
            let mut buffer = plain.copy_deep().unwrap();
            write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
            let out = h.push_and_pull(buffer).unwrap();
            let same = rgb(&out, &info) == before;
            let seen = (rectangles(&out) == 5, same, out_feature(&h));
            assert_eq!(seen, (attaches, attaches, attaches));
            // Renegotiation comes to the same result.
            h.push_upstream_event(gst::event::Reconfigure::new());
        }
    }
}

#[test]
fn attached_on_top_of_what_upstream_attached() {
    init();
    let info = info(VideoFormat::Nv12, 160, 120);
    let mut h = Harness::new("livenessoverlay");
    h.set_src_caps(attaching_caps(&info));
    let mut buffer = frame(&info).unwrap();
    write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
    let mut pixels = gst::Buffer::with_size(4 * 8 * 8).unwrap();
    let flags = gst_video::VideoFrameFlags::empty();
    let mine = pixels.get_mut().unwrap();
    gst_video::VideoMeta::add(mine, flags, VideoFormat::Bgra, 8, 8).unwrap();
    let flags = gst_video::VideoOverlayFormatFlags::empty();
    let theirs = gst_video::VideoOverlayRectangle::new_raw(&pixels, 1, 2, 8, 8, flags);
    let theirs = gst_video::VideoOverlayComposition::from(theirs);
    VideoOverlayCompositionMeta::add(buffer.make_mut(), &theirs);
    let out = h.push_and_pull(buffer).unwrap();
    assert_eq!(rectangles(&out), 1 + 5);
    assert_eq!(out.iter_meta::<VideoOverlayCompositionMeta>().count(), 1);
    let first = out.meta::<VideoOverlayCompositionMeta>().unwrap();
    let first = first.overlay().rectangle(0).unwrap();
    assert_eq!(first.render_rectangle(), (1, 2, 8, 8));
}

/// Mean difference of neighbours in the area: the stripes' contrast.
fn detail(rows: &[Vec<[i32; 3]>], r: &Rect) -> f32 {
    let (mut sum, mut n) = (0, 0);
    for row in &rows[r.y as usize..r.bottom() as usize] {
        for pair in row[r.x as usize..r.right() as usize].windows(5) {
            sum += (pair[0][1] - pair[4][1]).abs();
            n += 1;
        }
    }
    sum as f32 / n as f32
}

#[test]
fn blur_removes_the_face_in_every_format() {
    init();
    every_format(160, 120, |info, plain| {
        let before = rgb(&plain, &info);
        let detailed = detail(&before, &BOX);
        for style in ["smooth", "pixelate"] {
            // Attached it would still be in the pixels.
            let mut h = attaching(&info, true);
            let element = h.element().unwrap();
            element.set_property("blur", true);
            element.set_property_from_str("blur-style", style);
            let mut buffer = plain.clone();
            write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
            let out = h.push_and_pull(buffer).unwrap();
            assert_eq!(rectangles(&out), 5, "boxes are attached all the same");
            let after = rgb(&out, &info);
            let (name, left) = (info.name(), detail(&after, &BOX));
            // The stripes are cells of 4 pixels; a cover's are 8.
            assert!(
                left < detailed / 2.0,
                "{name} {style}: {left} of {detailed}"
            );
            assert_eq!(before[5][5], after[5][5], "{name}");
            // Its colours are the face's own.
            let mean = |rows: &[Vec<[i32; 3]>], c: usize| {
                let rows = rows[46..90].iter();
                rows.flat_map(|r| &r[66..114]).map(|p| p[c]).sum::<i32>() / (44 * 48)
            };
            for c in 0..3 {
                let (a, b) = (mean(&before, c), mean(&after, c));
                // A palette has steps of 51.
                let palette = info.format_info().has_palette();
                let tolerance = if palette { 30 } else { 9 };
                assert!(
                    (a - b).abs() <= tolerance,
                    "{name} {style}: {b} instead of {a}"
                );
            }
        }
    });
}

#[test]
fn blur_hides_everything_where_it_knows_nothing() {
    init();
    let info = info(VideoFormat::I420, 160, 120);
    let whole = Rect::new(0.0, 0.0, 160.0, 120.0);
    let plain = frame(&info).unwrap();
    let detailed = detail(&rgb(&plain, &info), &whole);
    let mut h = harness(&info);
    h.element().unwrap().set_property("blur", true);
    // Nobody looked.
    let out = h.push_and_pull(plain.copy_deep().unwrap()).unwrap();
    assert!(detail(&rgb(&out, &info), &whole) < detailed / 3.0);
    // Somebody looked and found nothing.
    let mut buffer = plain.copy_deep().unwrap();
    write(&mut buffer, &info, Vec::new());
    let out = h.push_and_pull(buffer).unwrap();
    assert_eq!(detail(&rgb(&out, &info), &whole), detailed);
    // A face was found, and its region dropped by somebody who changed the picture.
    let mut buffer = plain.copy_deep().unwrap();
    write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
    buffer.make_mut().map_writable().unwrap()[..160 * 20].fill(200);
    buffer.make_mut().foreach_meta_mut(|mut meta| {
        let roi = meta.downcast_ref::<gst_video::VideoRegionOfInterestMeta>();
        std::ops::ControlFlow::Continue(if roi.is_some() {
            gst::buffer::BufferMetaForeachAction::Remove
        } else {
            gst::buffer::BufferMetaForeachAction::Keep
        })
    });
    let out = h.push_and_pull(buffer).unwrap();
    let lower = Rect::new(0.0, 60.0, 160.0, 60.0);
    assert!(detail(&rgb(&out, &info), &lower) < detailed / 3.0);
}

#[test]
fn the_other_branch_of_a_tee_keeps_its_picture() {
    init();
    let info = info(VideoFormat::I420, 160, 120);
    let mut buffer = frame(&info).unwrap();
    write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
    let before = buffer.map_readable().unwrap().to_vec();
    let kept = buffer.clone();
    let mut h = harness(&info);
    let out = h.push_and_pull(buffer).unwrap();
    assert_ne!(before, *out.map_readable().unwrap(), "nothing was drawn");
    assert_eq!(
        before,
        *kept.map_readable().unwrap(),
        "the other owner sees our boxes"
    );
}

/// Runs the picture with a face through `between`, and gives the frames before and after the overlay.
fn through(between: &str, label: Label, labels: bool) -> (VideoInfo, gst::Buffer, gst::Buffer) {
    init();
    let source = info(VideoFormat::I420, 160, 120);
    let line = format!(
        "appsrc name=src format=time ! {between} ! tee name=t t. ! queue ! appsink name=before sync=false \
         t. ! queue ! livenessoverlay show-labels={labels} ! appsink name=after sync=false"
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let element = |name| pipeline.by_name(name).unwrap();
    let src = element("src").downcast::<gst_app::AppSrc>().unwrap();
    src.set_caps(Some(&source.to_caps().unwrap()));
    let mut buffer = frame(&source).unwrap();
    write(&mut buffer, &source, vec![face(BOX, label)]);
    pipeline.set_state(gst::State::Playing).unwrap();
    src.push_buffer(buffer).unwrap();
    src.end_of_stream().unwrap();
    let pull = |name| {
        let sink = element(name).downcast::<gst_app::AppSink>().unwrap();
        sink.pull_sample().unwrap()
    };
    let (before, after) = (pull("before"), pull("after"));
    let info = VideoInfo::from_caps(before.caps().unwrap()).unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    (
        info,
        before.buffer_owned().unwrap(),
        after.buffer_owned().unwrap(),
    )
}

#[test]
fn no_box_where_the_place_got_lost() {
    for between in [
        "videoflip video-direction=horiz",
        "videoflip video-direction=90r",
        "videocrop left=20 top=10",
        "videoscale add-borders=true ! video/x-raw,width=300,height=120,pixel-aspect-ratio=1/1",
    ] {
        let (info, before, after) = through(between, Label::Live, false);
        assert!(rgb(&before, &info) == rgb(&after, &info), "{between}");
        // The verdict stands in the corner.
        let (info, before, after) = through(between, Label::Spoof, true);
        let (before, after) = (rgb(&before, &info), rgb(&after, &info));
        let changed =
            |rows: std::ops::Range<usize>| rows.into_iter().any(|y| before[y] != after[y]);
        assert!(
            changed(0..30) && !changed(34..info.height() as usize),
            "{between}"
        );
    }
}

#[test]
fn the_box_follows_scaling_and_conversion() {
    let between = "videoscale ! videoconvert ! video/x-raw,format=RGB,width=320,height=240";
    let (info, before, after) = through(between, Label::Spoof, false);
    let (before, after) = (rgb(&before, &info), rgb(&after, &info));
    let there = BOX.scaled(2.0, 2.0);
    for (x, y) in [(180, 80), (180, 192), (120, 136), (240, 136)] {
        assert!(from_edge(&there, x, y) < 1.0);
        assert!(
            far(before[y - 1][x - 1], after[y - 1][x - 1]) > 20,
            "{x},{y}"
        );
    }
    assert_eq!(before[136][180], after[136][180]);
}

#[test]
fn frames_that_are_too_small_are_named() {
    init();
    let mut h = Harness::new("livenessoverlay");
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    let info = info(VideoFormat::I420, 8, 4);
    h.set_src_caps(info.to_caps().unwrap());
    assert!(h.push(frame(&info).unwrap()).is_err());
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    let text = message.to_string_error();
    assert!(text.contains("8x4") && text.contains("16x16"), "{text}");
}

trait ErrorText {
    fn to_string_error(&self) -> String;
}

impl ErrorText for gst::Message {
    fn to_string_error(&self) -> String {
        match self.view() {
            gst::MessageView::Error(e) => e.error().to_string(),
            _ => String::new(),
        }
    }
}

#[test]
fn a_buffer_that_is_too_short_is_an_error_that_names_the_format() {
    init();
    let info = info(VideoFormat::I420, 160, 120);
    let mut h = harness(&info);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    let mut buffer = frame(&info).unwrap();
    write(&mut buffer, &info, vec![face(BOX, Label::Live)]);
    buffer.make_mut().set_size(99);
    assert_eq!(h.push(buffer), Err(gst::FlowError::Error));
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    let text = message.to_string_error();
    assert!(text.contains("99") && text.contains("160x120"), "{text}");
}

#[test]
fn properties_may_change_while_playing() {
    init();
    let info = info(VideoFormat::Nv12, 320, 240);
    let mut h = harness(&info);
    let element = h.element().unwrap();
    let draw = |h: &mut Harness| {
        let mut buffer = frame(&info).unwrap();
        let mut face = face(Rect::new(100.0, 80.0, 90.0, 100.0), Label::Uncertain);
        face.verdict.reason = Some(Reason::Blurred);
        face.landmarks = Some([Point { x: 140.0, y: 130.0 }; 5]);
        write(&mut buffer, &info, vec![face]);
        rgb(&h.push_and_pull(buffer).unwrap(), &info)
    };
    let mut last = draw(&mut h);
    assert_eq!(draw(&mut h), last);
    for (name, value) in [
        ("uncertain-text", "<b>hm</b> & 🙂 日本"),
        ("uncertain-text", ""),
        ("show-ids", "true"),
        ("show-landmarks", "true"),
        ("font", "Serif"),
        ("text-scale", "2.5"),
        ("show-labels", "false"),
        ("show-boxes", "false"),
        ("blur", "true"),
        ("blur-style", "pixelate"),
    ] {
        element.set_property_from_str(name, value);
        let now = draw(&mut h);
        assert_ne!(now, last, "{name}={value}");
        last = now;
    }
    let words: gst::Structure = "texts, live-4=(string)Authorized".parse().unwrap();
    element.set_property("track-texts", &words);
    let told: gst::Structure = element.property("track-texts");
    assert_eq!(told.get::<&str>("live-4"), Ok("Authorized"));
    element.set_property("track-texts", None::<gst::Structure>);
    let nothing: Option<&str> = None;
    for name in [
        "font",
        "live-text",
        "spoof-text",
        "uncertain-text",
        "unchecked-text",
    ] {
        element.set_property(name, nothing);
    }
    draw(&mut h);
    let stats: gst::Structure = element.property("stats");
    assert_eq!(stats.get::<u64>("frames"), Ok(13));
    assert_eq!(stats.get::<u64>("faces"), Ok(13));
    assert!(stats.get::<f64>("overlay-ms").unwrap() > 0.0);
}

#[test]
fn crowds_are_drawn() {
    init();
    let info = info(VideoFormat::I420, 320, 240);
    let mut h = harness(&info);
    let mut buffer = frame(&info).unwrap();
    let faces = (0..200).map(|i| {
        let (x, y) = ((i % 20) as f32 * 16.0, (i / 20) as f32 * 24.0);
        let mut face = face(Rect::new(x, y, 15.0, 20.0), Label::ALL[i % 4]);
        face.id = i as u32 + 1;
        face
    });
    write(&mut buffer, &info, faces.collect());
    h.push_and_pull(buffer).unwrap();
}

fn coordinate() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -50f32..250.0,
        1 => Just(0.0),
        1 => prop::num::f32::ANY,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn hostile_faces_do_no_harm(
        boxes in prop::collection::vec(
            ((coordinate(), coordinate(), coordinate(), coordinate()), 0usize..4, prop::num::f32::ANY, prop::option::of((coordinate(), coordinate()))),
            0..5,
        ),
        (w, h) in (16u32..200, 16u32..200), text in ".{0,40}", font in "[ -~]{0,20}", scale in 0.2f64..5.0,
        blur in any::<bool>(), format in prop::sample::select(vec![VideoFormat::I420, VideoFormat::Rgb, VideoFormat::Uyvy, VideoFormat::P01010le]),
    ) {
        init();
        let info = info(format, w, h);
        let mut harness = harness(&info);
        let element = harness.element().unwrap();
        let text = text.replace('\0', "");
        for name in ["live-text", "spoof-text"] {
            element.set_property(name, &text);
        }
        element.set_property("font", &font);
        element.set_property("text-scale", scale);
        element.set_property("show-landmarks", true);
        element.set_property("show-ids", true);
        element.set_property("blur", blur);
        let faces: Vec<Face> = boxes.iter().enumerate().map(|(i, ((x, y, bw, bh), label, live, point))| {
            let mut face = face(Rect::new(*x, *y, *bw, *bh), Label::ALL[*label]);
            face.id = i as u32;
            face.verdict.live = Some(*live);
            face.landmarks = point.map(|(x, y)| [Point { x, y }; 5]);
            face
        }).collect();
        let mut buffer = frame(&info).unwrap();
        // Regions that no element would make, besides those that ours make.
        write(&mut buffer, &info, faces.clone());
        for face in &faces {
            let r = face.rect;
            let rect = (r.x as u32, r.y as u32, r.w as u32, r.h as u32);
            let mut roi = gst_video::VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", rect);
            roi.set_id(face.id as i32);
        }
        prop_assert!(harness.push_and_pull(buffer).is_ok());
    }
}
