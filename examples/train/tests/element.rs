// SPDX-License-Identifier: MIT OR Apache-2.0
//! One code from frame to score: what the trainer computes for a face, the element computes for it in a stream.
//!
//! The same picture files go two ways. The trainer loads them with the boxes that a manifest says and asks the net that it has in memory;
//! a pipeline decodes them, attaches the same boxes as another detector would, and asks the exported file.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/common/video.rs"]
mod video;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta as Roi;
use gstliveness::meta;
use image::{Rgb, RgbImage};
use liveness::crop::{Crop, Outside, Shape};
use liveness::dataset::hash::Hash;
use liveness::dataset::manifest;
use liveness::dataset::record::{FaceRecord, Kind as Picture, Record};
use liveness::face::{Face, Label, Verdict};
use liveness::geometry::Rect;
use liveness::resize::Channels;
use liveness_train::augment::{Augment, Augmenter};
use liveness_train::data::balance::Balance;
use liveness_train::data::faces::Faces;
use liveness_train::data::input::InputSpec;
use liveness_train::data::load::{Options, load};
use liveness_train::data::patch::{BoxFrom, Patch};
use liveness_train::data::place::Crops;
use liveness_train::data::scan::{Role, scan};
use liveness_train::fit::{Config, Draw, Run, fit, predict};
use liveness_train::net::noise::{Noise, seed};
use liveness_train::net::{After, Kind, LIVE, Net, Spec};
use liveness_train::onnx::{self, Card};

/// Rows of RGB that are no multiple of four bytes: GStreamer pads them.
const FRAME: (u32, u32) = (323, 241);

/// How far two probabilities may lie apart: that of RGB, where the pixels are the same. Patches that were scaled are rounded to 16 bits,
/// and burn and ONNX Runtime add in another order.
const SAME: f32 = 1e-3;

/// Boxes of whole pixels, as regions have them: left, top, width, height. Large, small, wide and high ones, inside and in all corners, one
/// that is too large for its crop, and one that reaches out of the frame.
const BOXES: [[u32; 4]; 12] = [
    [110, 70, 96, 100],
    [200, 60, 31, 40],
    [30, 120, 40, 33],
    [0, 0, 80, 90],
    [263, 0, 60, 60],
    [0, 181, 50, 60],
    [243, 151, 80, 90],
    [150, 0, 34, 47],
    [290, 100, 33, 44],
    [60, 20, 190, 200],
    [20, 200, 28, 36],
    [280, 190, 60, 70],
];

/// A frame with something to see in all of it; a spoof has the lines of a screen.
fn frame(number: usize, spoof: bool) -> RgbImage {
    let mut noise = Noise::new(seed(&[number as u64]));
    // Round blobs: the product of one curve along x and one along y.
    let blobs = [(); 12].map(|()| {
        let size = noise.between(12.0, 60.0);
        let mut curve = |side: u32| -> Vec<f32> {
            let middle = noise.between(0.0, side as f32);
            let at = |i| (-((i as f32 - middle) / size).powi(2)).exp();
            (0..side).map(at).collect()
        };
        let curves = (curve(FRAME.0), curve(FRAME.1));
        (curves, [(); 3].map(|()| noise.between(-120.0, 120.0)))
    });
    RgbImage::from_fn(FRAME.0, FRAME.1, |x, y| {
        let mut pixel = [110.0; 3];
        for ((along, down), colour) in &blobs {
            let near = along[x as usize] * down[y as usize];
            for c in 0..3 {
                pixel[c] += near * colour[c];
            }
        }
        let line = spoof && (x % 9 < 3 || y % 9 < 3);
        Rgb(pixel.map(|p| (p * if line { 0.5 } else { 1.0 }) as u8))
    })
}

/// A picture of a data set: its frame, and the one face in it.
struct Shot {
    frame: RgbImage,
    face: [u32; 4],
    spoof: bool,
}

/// A shot for each of the boxes.
fn shots() -> Vec<Shot> {
    let shot = |(i, face): (usize, &[u32; 4])| Shot {
        frame: frame(i, i % 2 == 1),
        face: *face,
        spoof: i % 2 == 1,
    };
    BOXES.iter().enumerate().map(shot).collect()
}

/// Writes the shots as a data set. `margin`: each cut out with so much around it, else as whole frames.
fn data_set(folder: &Path, shots: &[Shot], margin: Option<f64>) {
    let mut lines = String::new();
    for (i, shot) in shots.iter().enumerate() {
        let (width, height) = shot.frame.dimensions();
        let [x, y, w, h] = shot.face.map(|n| n as f32);
        let window = match margin {
            None => [0, 0, width.into(), height.into()],
            Some(scale) => {
                // As frameextract cuts: moved inside of the frame.
                let crop = Crop {
                    shape: Shape::Square,
                    scale,
                    outside: Outside::Shift,
                };
                let frame = (width as usize, height as usize);
                let (window, _) = crop.window(&Rect::new(x, y, w, h), frame);
                [window.x, window.y, window.w, window.h]
            }
        };
        let [x, y, w, h] = window.map(|n| n as u32);
        let picture = image::imageops::crop_imm(&shot.frame, x, y, w, h).to_image();
        let file = format!("{i:03}.png");
        picture.save(folder.join(&file)).unwrap();
        let record = Record {
            version: 1,
            file,
            sha256: "0".repeat(64),
            kind: match margin {
                None => Picture::Frame,
                Some(_) => Picture::Face,
            },
            label: if shot.spoof { "replay" } else { "real" }.to_owned(),
            session: format!("session {i}"),
            source: "made up".to_owned(),
            frame: i as u64,
            stream_time: None,
            frame_size: [width, height],
            window,
            size: [w, h],
            margin,
            faces: vec![FaceRecord {
                rect: shot.face.map(|n| n as f32),
                landmarks: None,
                score: 0.9,
                track: None,
                sharpness: 100.0,
                exposure: 0.5,
                verdict: None,
            }],
            hash: Hash::default(),
            tool: "a test".to_owned(),
            rendered: None,
        };
        writeln!(lines, "{}", serde_json::to_string(&record).unwrap()).unwrap();
    }
    std::fs::write(folder.join(manifest::NAME), lines).unwrap();
}

/// The faces of a data set, as the trainer loads them, in the order of their files.
fn loaded(folder: &Path, input: &InputSpec) -> Arc<[Patch]> {
    let scan = scan(&[], &[folder.to_owned()]).unwrap();
    let options = Options {
        spec: input.clone(),
        detector: None,
        crops: Crops::None,
        threads: Some(2),
    };
    let loaded = load(&scan.sources(Role::Test), &options, &|_, _| ()).unwrap();
    assert!(loaded.left_out.is_empty(), "{loaded}");
    let boxes = loaded.boxes(BoxFrom::Manifest);
    assert_eq!(boxes, loaded.patches.len(), "{loaded}");
    loaded.patches.into()
}

fn examples(patches: &Arc<[Patch]>, input: &InputSpec, kinds: Augment) -> Faces {
    let augmenter = Augmenter {
        spec: input.clone(),
        kinds,
        strength: 1.0,
        equaliser: None,
    };
    let all = (0..patches.len()).collect();
    Faces::new(patches.clone(), all, &Balance::default(), augmenter.into())
}

/// A net, and what it looks at.
struct Model {
    net: Net,
    input: InputSpec,
}

impl Model {
    /// As `liveness-train` sets it up.
    fn new(kind: Kind, scale: f64) -> Self {
        let spec = Spec::new(kind);
        let crop = Crop {
            shape: Shape::Square,
            scale,
            outside: Outside::Shift,
        };
        let size = (spec.size, spec.size);
        Self {
            net: Net::new(spec, 7).unwrap(),
            input: InputSpec::new(crop, size, Channels::Rgb, [127.5; 3], [1.0 / 127.5; 3]),
        }
    }

    /// The small net after some epochs, so that its norms have seen something.
    fn trained() -> Self {
        let mut model = Self::new(Kind::LivenessNet, 1.2);
        let folder = tempfile::tempdir().unwrap();
        let inside = |i: usize| [40 + 13 * (i as u32 % 9), 30 + 11 * (i as u32 % 7), 70, 80];
        let shots: Vec<Shot> = (0..32)
            .map(|i| Shot {
                frame: frame(100 + i, i % 2 == 1),
                face: inside(i),
                spoof: i % 2 == 1,
            })
            .collect();
        data_set(folder.path(), &shots, None);
        let patches = loaded(folder.path(), &model.input);
        let run = Run {
            train: &examples(&patches, &model.input, Augment::ALL),
            valid: &examples(&patches, &model.input, Augment::NONE),
            checkpoint: None,
            stop: &AtomicBool::new(false),
        };
        let config = Config {
            epochs: 3,
            batch: 8,
            draw: Draw::Each,
            ..Config::default()
        };
        model.net = fit(model.net, &config, &run, &mut ()).unwrap().net;
        model
    }

    /// The net of 80 pixels as it is born, with a last layer that spreads its answers: they are all nearly the same otherwise, and a fault
    /// in what it sees would hardly show.
    fn born() -> Self {
        let mut model = Self::new(Kind::Liveness, 2.7);
        let folder = tempfile::tempdir().unwrap();
        data_set(folder.path(), &shots(), None);
        let odds: Vec<f32> = model.predict(folder.path());
        let odds: Vec<f32> = odds.iter().map(|p| (p / (1.0 - p)).ln()).collect();
        let mean = odds.iter().sum::<f32>() / odds.len() as f32;
        let square: f32 = odds.iter().map(|o| (o - mean).powi(2)).sum();
        let steeper = 2.0 / (square / odds.len() as f32).sqrt();
        let last = model.net.units().last().map(|u| (u.weight, u.after));
        let Some((weight, After::Shift(shift))) = last else {
            panic!("its last layer has a shift: {last:?}");
        };
        let arrays = &mut model.net.arrays;
        arrays[weight].data.iter_mut().for_each(|w| *w *= steeper);
        arrays[shift].data[LIVE] -= steeper * mean;
        model
    }

    fn save(&self, folder: &Path) -> PathBuf {
        let format = &self.input.format;
        let card = Card {
            name: "made-here".to_owned(),
            color: format.channels,
            mean: format.mean,
            scale: format.scale,
            crop: self.input.crop,
            threshold: 0.5,
            more: BTreeMap::new(),
        };
        let path = folder.join("model.onnx");
        onnx::save(&self.net, &card, &path).unwrap();
        path
    }

    /// What the trainer computes for the pictures of a data set.
    fn predict(&self, folder: &Path) -> Vec<f32> {
        let patches = loaded(folder, &self.input);
        let faces = examples(&patches, &self.input, Augment::NONE);
        predict(&self.net, &faces, 2).unwrap()
    }
}

/// What the element says about the face of each picture in `folder`, with the boxes as another detector attaches them. `format`: what
/// the stream is converted to before.
fn judged(model: &Path, folder: &Path, format: &str) -> Vec<f32> {
    let description = format!(
        "multifilesrc location={}/%03d.png caps=image/png,framerate=25/1 ! pngdec ! videoconvert ! video/x-raw,format={format} \
         ! livenessclassify name=c model={} ! fakesink name=s sync=false",
        folder.display(),
        model.display()
    );
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let into = heard.clone();
    let attach = |bin: &gst::Bin| {
        let next = AtomicUsize::new(0);
        let pad = bin.by_name("c").unwrap().static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let [x, y, w, h] = BOXES[next.fetch_add(1, Ordering::Relaxed)];
            let buffer = info.buffer_mut().unwrap().make_mut();
            Roi::add(buffer, "face", (x, y, w, h));
            gst::PadProbeReturn::Ok
        });
    };
    video::run_with(&description, attach, move |buffer, _| {
        let verdict = told(buffer);
        into.lock().unwrap().push(verdict.live.unwrap());
    })
    .unwrap();
    std::mem::take(&mut *heard.lock().unwrap())
}

/// The verdict about the one face of a frame, which stands in both metas.
fn told(buffer: &gst::BufferRef) -> Verdict {
    let faces = meta::read(buffer).unwrap().faces;
    assert_eq!(faces.len(), 1);
    let verdict = faces[0].verdict.clone();
    let region = buffer.iter_meta::<Roi>().next().unwrap();
    let param = region.param("liveness").unwrap();
    let confidence = param.get::<f64>("confidence").unwrap();
    assert!((confidence as f32 - verdict.confidence()).abs() < 1e-6);
    verdict
}

/// The largest difference of two lists that must be about the same faces.
#[track_caller]
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Both ways for one model: whole frames and cut-out faces against the stream. `i420`: how far answers about I420 may lie apart.
fn both_ways(model: &Model, what: &str, i420: f32) {
    video::init();
    let (frames, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shots = shots();
    data_set(frames.path(), &shots, None);
    // A little more than the crop, so that it has its whole surroundings.
    let margin = model.input.crop.scale + 0.3;
    data_set(cut.path(), &shots, Some(margin));
    let file = model.save(frames.path());
    let here = model.predict(frames.path());
    let there = judged(&file, frames.path(), "RGB");
    println!("{what}: {here:.4?}");
    println!("{what}: {}", apart(&here, &there));
    // They are of different frames: a model that says the same of all would compare nothing.
    let (low, high) = here
        .iter()
        .fold((1.0_f32, 0.0_f32), |(l, h), p| (l.min(*p), h.max(*p)));
    assert!(high - low > 0.3, "{low} to {high}");
    assert!(apart(&here, &there) < SAME, "{here:.4?}\n{there:.4?}");
    let from_cut = model.predict(cut.path());
    println!("{what}, cut out: {}", apart(&from_cut, &there));
    assert!(
        apart(&from_cut, &there) < SAME,
        "{from_cut:.4?}\n{there:.4?}"
    );
    // The comparison is sharp enough to see a crop that is a tenth larger.
    let mut wrong = Model {
        net: model.net.clone(),
        input: model.input.clone(),
    };
    wrong.input.crop.scale *= 1.1;
    assert!(apart(&wrong.predict(frames.path()), &there) > 10.0 * SAME);
    // Colours at half the resolution, rounded once more, are another picture: GStreamer's own way to I420 and back to RGB moves these
    // answers by twice as much.
    let subsampled = judged(&file, frames.path(), "I420");
    println!("{what}, I420: {}", apart(&here, &subsampled));
    assert!(
        apart(&here, &subsampled) < i420,
        "{here:.4?}\n{subsampled:.4?}"
    );
}

#[test]
fn the_small_net_says_in_a_stream_what_it_says_in_training() {
    both_ways(&Model::trained(), "livenessnet × 1.2", 0.05);
}

#[test]
fn the_large_net_says_in_a_stream_what_it_says_in_training() {
    // Its answers are spread by force, so that they follow every small change.
    both_ways(&Model::born(), "liveness × 2.7", 0.2);
}

/// The chain of a user who makes a data set: what the element said of a face stands in the manifest, and the trainer computes the same
/// from the picture that was saved.
#[test]
fn a_face_that_was_extracted_is_the_face_that_was_judged() {
    video::init();
    let (work, set) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let model = Model::trained();
    let file = model.save(work.path());
    for i in 0..8 {
        frame(200 + i, i % 2 == 1)
            .save(work.path().join(format!("{i:03}.png")))
            .unwrap();
    }
    // The detector sees the same two faces in whatever it is shown.
    let description = format!(
        "multifilesrc location={}/%03d.png caps=image/png,framerate=25/1 ! pngdec ! videoconvert ! video/x-raw,format=RGB \
         ! livenessfacedetect model={} ! livenessclassify model={} smoothing=0 \
         ! frameextract name=s location={} label=real session=made-up format=png margin=2 dedup=0 \
         min-confidence=0 min-face-size=0 min-sharpness=0 min-exposure=0 max-exposure=1 allow-cut-off=true",
        work.path().display(),
        video::tiny("boxes.onnx"),
        file.display(),
        set.path().display()
    );
    video::run(&description, |_, _| ()).unwrap();
    let records = manifest::read(set.path()).unwrap();
    let said: BTreeMap<PathBuf, f32> = records
        .iter()
        .map(|r| {
            let verdict = r.faces[0].verdict.as_ref().unwrap();
            (set.path().join(&r.file), verdict.live.unwrap())
        })
        .collect();
    assert_eq!(said.len(), 16);
    let patches = loaded(set.path(), &model.input);
    let there: Vec<f32> = patches.iter().map(|p| said[&p.about.path]).collect();
    let here = model.predict(set.path());
    println!("extracted: {}, {here:.3?}", apart(&here, &there));
    assert!(patches.iter().all(|p| !p.about.cramped));
    assert!(apart(&here, &there) < SAME, "{here:.4?}\n{there:.4?}");
}

/// Real frames with a real detector and a public model: the program's `evaluate` and the two elements.
#[test]
fn evaluate_says_of_real_frames_what_the_elements_say() {
    video::init();
    let Some(assets) = common::assets() else {
        return;
    };
    let nuaa = assets.join("fas_nuaa");
    if !nuaa.is_dir() {
        common::skip(format_args!("no {}", nuaa.display()));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for class in ["live", "print"] {
        let entries = std::fs::read_dir(nuaa.join(class)).unwrap();
        let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
        paths.sort();
        std::fs::create_dir(folder.path().join(class)).unwrap();
        for path in paths.iter().step_by(paths.len() / 4).take(4) {
            let copy = folder.path().join(class).join(path.file_name().unwrap());
            std::fs::copy(path, copy).unwrap();
        }
    }
    let detector = common::model(&assets, "yunet_n_dynamic.onnx");
    let model = common::model(&assets, "MiniFASNetV2_2.7_80.onnx");
    let predictions = folder.path().join("said.jsonl");
    let mut evaluate = std::process::Command::new(env!("CARGO_BIN_EXE_liveness-train"));
    evaluate.arg("evaluate").arg("--model").arg(&model);
    evaluate.arg("--detector").arg(&detector);
    evaluate.arg("--test").arg(folder.path());
    evaluate.arg("--predictions").arg(&predictions);
    let ended = evaluate.output().unwrap();
    let complaint = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{complaint}");
    // What the elements say of the largest face.
    let stream = |source: &str| -> f32 {
        let frames = video::collect(
            &format!(
                "filesrc {source} ! videoconvert ! video/x-raw,format=RGB ! livenessfacedetect model={} ! livenessclassify model={} smoothing=0 \
                 ! fakesink name=s sync=false",
                detector.display(),
                model.display()
            ),
            |buffer, _| meta::read(buffer).unwrap().faces,
        );
        let by_area = |f: &&Face, g: &&Face| f.rect.area().total_cmp(&g.rect.area());
        let largest = frames[0].iter().max_by(by_area);
        let largest = largest.unwrap_or_else(|| panic!("no face in {source}"));
        assert_ne!(largest.verdict.label, Label::Unchecked);
        largest.verdict.live.unwrap()
    };
    let (mut here, mut same, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
    for line in std::fs::read_to_string(&predictions).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = line["image"].as_str().unwrap();
        here.push(line["live"].as_f64().unwrap() as f32);
        // The very pixels, and what GStreamer's decoder makes of the file.
        let pixels = folder.path().join("frame.png");
        image::open(path)
            .unwrap()
            .into_rgb8()
            .save(&pixels)
            .unwrap();
        same.push(stream(&format!("location={} ! pngdec", pixels.display())));
        decoded.push(stream(&format!("location={path} ! jpegparse ! jpegdec")));
    }
    assert_eq!(here.len(), 8);
    println!(
        "NUAA: {}, decoded anew {}",
        apart(&here, &same),
        apart(&here, &decoded)
    );
    println!("{here:.4?}");
    assert!(apart(&here, &same) < SAME, "{here:.4?}\n{same:.4?}");
    // Another decoder of JPEG rounds differently and spreads colours in another way; the boxes follow that by fractions of a pixel.
    assert!(apart(&here, &decoded) < 0.05, "{here:.4?}\n{decoded:.4?}");
}
