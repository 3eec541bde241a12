// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the cues beside the models are worth: on the pictures of four sets, and on clips beside stills of the same clips that are moved as by a
//! hand. Needs the assets. `MOST=300 cargo test -p gst-plugin-liveness --test cues -- --nocapture` prints the tables of docs/metadata.md.
//!
//! Constants of moiré and border, and the weights with which both are fused here, come from fas_nuaa and fas_celebaspoof_full alone;
//! fas_replay and fas_casia are looked at only to see whether they hold. Those of planar motion and blinking come from these very clips.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use std::path::{Path, PathBuf};

use gstliveness::meta;
use liveness::detect::Detector;
use liveness::face::{Cues, Face};
use liveness::image::{Layout, Plane, View};
use liveness::liveness::cues::{Gauge, Wanted};
use liveness::liveness::{Classifier, Settings};
use liveness::metrics::{Answer, Bootstrap, Summary};
use liveness::model::ModelFile;
use video::{collect, init};

/// Pictures of a class that are looked at, at the most: `MOST=300` for the figures in docs/metadata.md, fewer to see in a short time that nothing broke.
fn most() -> usize {
    let told = std::env::var("MOST").ok();
    told.map_or(60, |n| n.parse().expect("MOST is a number"))
}

/// Folders, and whether they hold live faces. The first two sets are those that constants were chosen on.
const SETS: [(&str, &[(&str, bool)]); 4] = [
    ("fas_nuaa", &[("live", true), ("print", false)]),
    ("fas_celebaspoof_full", &[("live", true), ("spoof", false)]),
    (
        "fas_replay",
        &[
            ("live", true),
            ("spoof_fixed", false),
            ("spoof_hand", false),
        ],
    ),
    ("fas_casia", &[("live", true), ("spoof", false)]),
];
const CHOSEN_ON: usize = 2;

/// A face of a set.
struct Picture {
    live: bool,
    /// Who it is of: these are drawn together for the intervals.
    client: String,
    net: Option<f32>,
    cues: Cues,
}

/// Who a picture is of, as the names of the sets have it.
fn client(set: &str, stem: &str) -> String {
    let first = |separator: char| stem.split(separator).next().unwrap_or(stem);
    match set {
        "fas_replay" => stem
            .split('_')
            .find(|part| part.starts_with("client"))
            .unwrap_or(stem)
            .to_owned(),
        "fas_celebaspoof_full" => stem.to_owned(),
        _ => first('_').to_owned(),
    }
}

fn pictures(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "jpg"))
        .collect();
    files.sort();
    let step = files.len().div_ceil(most()).max(1);
    files.into_iter().step_by(step).collect()
}

fn largest(faces: &[Face]) -> Option<&Face> {
    let area = |f: &&Face| f.rect.area();
    faces.iter().max_by(|a, b| area(a).total_cmp(&area(b)))
}

fn nets(assets: &Path) -> Classifier {
    let files = ["MiniFASNetV2_2.7_80.onnx", "MiniFASNetV1SE_4.0_80.onnx"]
        .map(|name| ModelFile::read(&common::model(assets, name), None).unwrap());
    Classifier::open(&files, Default::default()).unwrap()
}

fn measure(assets: &Path) -> Vec<Vec<Picture>> {
    let mut detector =
        Detector::open(&liveness_models::FACE_DETECTOR.file(), Default::default()).unwrap();
    let mut nets = nets(assets);
    let mut gauge = Gauge::default();
    let mut all = Vec::new();
    for (set, folders) in SETS {
        let mut faces = Vec::new();
        for &(folder, live) in folders {
            for file in pictures(&assets.join(set).join(folder)) {
                let picture = image::open(&file).unwrap().to_rgb8();
                let layout = Layout::rgb8(picture.width() as usize, picture.height() as usize);
                let plane = Plane {
                    data: picture.as_raw(),
                    stride: layout.width * 3,
                };
                let view = View::new(&layout, &[plane]).unwrap();
                let (found, _) = detector.detect(&view, 1.0, &Default::default()).unwrap();
                let Some(face) = largest(found).cloned() else {
                    continue;
                };
                let cues = gauge.picture(&view, &face.rect, Wanted::ALL);
                let mut one = [face];
                nets.classify(&view, &mut one, &Settings::default())
                    .unwrap();
                faces.push(Picture {
                    live,
                    client: client(set, &file.file_stem().unwrap().to_string_lossy()),
                    net: one[0].verdict.live,
                    cues,
                });
            }
        }
        all.push(faces);
    }
    all
}

fn answer(picture: &Picture, score: f64) -> Answer {
    let score = Some(score as f32);
    if picture.live {
        Answer::bona_fide(&picture.client, score)
    } else {
        Answer::attack("spoof", &picture.client, score)
    }
}

/// What is measured on the pictures that `score` has a number for.
fn summary(pictures: &[Picture], score: impl Fn(&Picture) -> Option<f64>) -> Summary {
    let scored = |p| score(p).map(|s| answer(p, s));
    let answers: Vec<_> = pictures.iter().filter_map(scored).collect();
    Summary::of(&answers, 0.5, &Bootstrap::default())
}

/// The same in words: AUC with its interval over clients, and how many of the pictures that is.
fn auc(pictures: &[Picture], score: impl Fn(&Picture) -> Option<f64>) -> String {
    let summary = summary(pictures, score);
    let count = format!("{}/{}", summary.counts.answers, pictures.len());
    match summary.auc {
        Some(auc) => {
            let bounds = auc.interval.map(|i| format!("{:.3}-{:.3}", i.low, i.high));
            format!("{:.3} ({}) {count}", auc.value, bounds.unwrap_or_default())
        }
        None => format!("- {count}"),
    }
}

fn logit(p: f32) -> f64 {
    let p = f64::from(p).clamp(1e-5, 1.0 - 1e-5);
    (p / (1.0 - p)).ln()
}

/// Logistic regression on the log-odds of some scores, both classes of each set weighing alike: the constant, then a weight for each.
fn fit(sets: &[Vec<Picture>], parts: impl Fn(&Picture) -> Option<Vec<f64>>) -> Vec<f64> {
    let mut rows = Vec::new();
    for set in sets {
        for live in [true, false] {
            let of_class = set.iter().filter(|p| p.live == live);
            let known: Vec<_> = of_class.filter_map(&parts).collect();
            let share = 1.0 / known.len().max(1) as f64;
            rows.extend(known.into_iter().map(|x| (x, live, share)));
        }
    }
    let n = rows[0].0.len() + 1;
    let mut weights = vec![0.0; n];
    // Steepest ascent: a few numbers, convex, in no hurry.
    for _ in 0..20_000 {
        let mut slope = vec![0.0; n];
        for (x, live, share) in &rows {
            let odds: f64 =
                weights[0] + x.iter().zip(&weights[1..]).map(|(a, b)| a * b).sum::<f64>();
            let off = share * (f64::from(*live) - 1.0 / (1.0 + (-odds).exp()));
            slope[0] += off;
            slope[1..]
                .iter_mut()
                .zip(x)
                .for_each(|(s, v)| *s += off * v);
        }
        weights
            .iter_mut()
            .zip(&slope)
            .for_each(|(w, s)| *w += 0.02 * s);
    }
    weights
}

type Score = fn(&Cues) -> Option<f32>;
const OF_A_PICTURE: [(&str, Score); 2] = [("moire", |c| c.moire), ("border", |c| c.border)];

#[test]
fn the_cues_of_a_picture() {
    common::use_runtime();
    let Some(assets) = common::assets() else {
        return;
    };
    let sets = measure(&assets);
    println!("AUC (95 %) of the faces with a score, and how many these are");
    for ((set, _), pictures) in SETS.iter().zip(&sets) {
        println!(
            "{set:>20} net    {}",
            auc(pictures, |p| p.net.map(f64::from))
        );
        for (name, cue) in OF_A_PICTURE {
            println!(
                "{:>20} {name:<6} {}",
                "",
                auc(pictures, |p| cue(&p.cues).map(f64::from))
            );
            for live in [true, false] {
                let of_class = pictures.iter().filter(|p| p.live == live);
                let mut odds: Vec<_> = of_class.filter_map(|p| cue(&p.cues)).map(logit).collect();
                odds.sort_by(f64::total_cmp);
                let at = |q: f64| odds.get((q * odds.len() as f64) as usize).copied();
                let all = [0.05, 0.25, 0.5, 0.75, 0.95].map(|q| at(q).unwrap_or(f64::NAN));
                println!(
                    "{:>28} {} {all:.2?}",
                    "log-odds,",
                    if live { "live " } else { "spoof" }
                );
            }
        }
    }
    let chosen_on = &sets[..CHOSEN_ON];
    for (name, cue) in OF_A_PICTURE {
        let both = |p: &Picture| Some(vec![logit(p.net?), logit(cue(&p.cues)?)]);
        let alone = fit(chosen_on, |p| Some(vec![logit(cue(&p.cues)?)]));
        let weights = fit(chosen_on, both);
        println!("{name}: by itself {alone:.3?}; beside the net {weights:.3?}");
        let lower = |p: &Picture| {
            let parts = both(p)?;
            Some(parts[0] + weights[2] / weights[1] * parts[1])
        };
        // As it would be safe to fuse: a cue takes away and never adds.
        let bounded = |p: &Picture| {
            let parts = both(p)?;
            Some(parts[0] + (weights[2] / weights[1] * parts[1]).min(0.0))
        };
        let probability = |odds: f64| 1.0 / (1.0 + (-odds / 4.0).exp());
        for ((set, _), pictures) in SETS.iter().zip(&sets) {
            println!(
                "{set:>20} net {} | with {name} {} | lowered by it {}",
                auc(pictures, |p| both(p).map(|x| probability(x[0]))),
                auc(pictures, |p| lower(p).map(probability)),
                auc(pictures, |p| bounded(p).map(probability)),
            );
        }
    }
    // A print that is held before the camera has a rim.
    let border = summary(&sets[0], |p| p.cues.border.map(f64::from));
    assert!(border.auc.unwrap().value > 0.9, "{:?}", border.auc);
}

/// Side of the frames of all clips here.
const SIDE: usize = 480;
/// Frames of a moved still: three seconds.
const FRAMES: usize = 90;
/// Angle by which it is tilted at the most, in radians: 20 degrees.
const TILT: f32 = 0.35;

fn caps() -> String {
    format!("video/x-raw,format=GRAY8,width={SIDE},height={SIDE},pixel-aspect-ratio=1/1")
}

/// A frame of a clip.
type Frame = (Vec<u8>, Option<Face>);

/// The elements that find and judge faces, with all cues; a model that costs nothing, as no verdict is looked at.
fn chain() -> String {
    format!(
        "livenessfacedetect ! livenessclassify cues=moire+border+planar-motion+blink model={}",
        video::tiny("bright.onnx")
    )
}

/// What becomes of a clip: its frames up to the first few, and the cues frame by frame.
fn clip(file: &Path) -> (Vec<Frame>, Vec<Cues>) {
    let all = collect(
        &format!(
            "filesrc location=\"{}\" ! decodebin ! videoconvert ! videoflip video-direction=auto ! videoscale ! {} \
             ! identity eos-after=300 ! {} ! fakesink name=s sync=false",
            file.display(),
            caps(),
            chain()
        ),
        |buffer, _| {
            let faces = meta::read(buffer).unwrap().faces;
            let pixels = buffer.map_readable().unwrap().to_vec();
            (pixels, largest(&faces).cloned())
        },
    );
    let cues = all
        .iter()
        .filter_map(|(_, f)| Some(f.as_ref()?.verdict.cues));
    let cues = cues.collect();
    (all, cues)
}

/// A still with a face at `middle`, moved and tilted as by a hand, `t` seconds later. `seed` is another hand.
fn moved(still: &[u8], middle: (f32, f32), t: f32, seed: f32) -> Vec<u8> {
    let sway = |k: f32, hertz: f32| {
        let at = std::f32::consts::TAU * t * hertz;
        0.6 * (at + 3.7 * seed + 1.9 * k).sin() + 0.4 * (2.3 * at + 1.3 * seed + 2.7 * k).sin()
    };
    let (sy, cy) = (TILT * sway(0.0, 0.35)).sin_cos();
    let (sp, cp) = (TILT * sway(1.0, 0.3)).sin_cos();
    let (sr, cr) = (0.2 * TILT * sway(2.0, 0.4)).sin_cos();
    let (dx, dy) = (20.0 * sway(3.0, 0.5), 15.0 * sway(4.0, 0.45));
    let size = 1.0 + 0.06 * sway(5.0, 0.3);
    // From the print to the picture, a print and a half of a frame's side away.
    let far = 600.0;
    let x = [cr * cy - sr * sp * sy, -sr * cp].map(|v| v * size * far);
    let y = [sr * cy + cr * sp * sy, cr * cp].map(|v| v * size * far);
    let z = [-cp * sy, sp].map(|v| v * size);
    let h = [
        [x[0], x[1], far * dx],
        [y[0], y[1], far * dy],
        [z[0], z[1], far],
    ];
    let minor = |a: usize, b: usize, c: usize, d: usize| h[a][b] * h[c][d] - h[a][d] * h[c][b];
    let back = [
        [minor(1, 1, 2, 2), -minor(0, 1, 2, 2), minor(0, 1, 1, 2)],
        [-minor(1, 0, 2, 2), minor(0, 0, 2, 2), -minor(0, 0, 1, 2)],
        [minor(1, 0, 2, 1), -minor(0, 0, 2, 1), minor(0, 0, 1, 1)],
    ];
    let mut random = (1000.0 * t + 77.0 * seed) as u32 | 1;
    let mut noise = || {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        (random >> 8) as f32 / 16_777_216.0 - 0.5
    };
    let mut out = vec![128; SIDE * SIDE];
    for (i, pixel) in out.iter_mut().enumerate() {
        let (px, py) = ((i % SIDE) as f32 - middle.0, (i / SIDE) as f32 - middle.1);
        let [u, v, w] = back.map(|row| row[0] * px + row[1] * py + row[2]);
        let (u, v) = (u / w + middle.0, v / w + middle.1);
        let inside = 0.0..(SIDE - 1) as f32;
        if inside.contains(&u) && inside.contains(&v) {
            let (fu, fv) = (u.fract(), v.fract());
            let at = v as usize * SIDE + u as usize;
            let row = |at: usize| {
                let (a, b) = (f32::from(still[at]), f32::from(still[at + 1]));
                a + (b - a) * fu
            };
            let value = row(at) + (row(at + SIDE) - row(at)) * fv;
            // A camera's own noise, two and a half levels.
            *pixel = (value + 5.0 * (noise() + noise() + noise())) as u8;
        }
    }
    out
}

/// The cues of a still that is moved, frame by frame.
fn print(still: &[u8], face: &Face, seed: f32) -> Vec<Cues> {
    let mut h = gst_check::Harness::new_parse(&chain());
    let info = video::info(gst_video::VideoFormat::Gray8, SIDE as u32, SIDE as u32);
    h.set_src_caps(info.to_caps().unwrap());
    let middle = face.rect.center();
    let mut all = Vec::new();
    for n in 0..FRAMES {
        let t = n as f32 / 30.0;
        let pixels = moved(still, (middle.x, middle.y), t, seed);
        let mut buffer = gst::Buffer::from_slice(pixels);
        buffer
            .make_mut()
            .set_pts(gst::ClockTime::from_useconds(n as u64 * 1_000_000 / 30));
        let out = h.push_and_pull(buffer).unwrap();
        let faces = meta::read(&out).unwrap().faces;
        all.extend(largest(&faces).map(|f| f.verdict.cues));
    }
    all
}

/// The mean of the scores over the frames that have one, and how many these are.
fn mean(cues: &[Cues], cue: Score) -> Option<(f64, usize)> {
    let scores: Vec<_> = cues.iter().filter_map(cue).map(f64::from).collect();
    (!scores.is_empty()).then(|| {
        (
            scores.iter().sum::<f64>() / scores.len() as f64,
            scores.len(),
        )
    })
}

const OVER_TIME: [(&str, Score); 4] = [
    ("planar-motion", |c| c.planar_motion),
    ("blink", |c| c.blink),
    ("moire", |c| c.moire),
    ("border", |c| c.border),
];

#[test]
fn the_cues_over_time() {
    init();
    let Some(assets) = common::assets() else {
        return;
    };
    let mut files: Vec<_> = ["vid_fas", "vid_face"]
        .iter()
        .flat_map(|f| std::fs::read_dir(assets.join(f)).unwrap())
        .map(|e| e.unwrap().path())
        // Eleven runners.
        .filter(|p| !p.to_string_lossy().contains("crowd"))
        .collect();
    files.sort();
    println!("mean score (frames with one) of {FRAMES} frames or what the clip has");
    print!("{:>32}", "");
    OVER_TIME.iter().for_each(|(name, _)| print!(" {name:>14}"));
    println!();
    let mut answers = vec![Vec::new(); OVER_TIME.len()];
    for (i, file) in files.iter().enumerate() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let (frames, cues) = clip(file);
        let replay = name.ends_with("replay");
        let mut rows = vec![(if replay { "replay" } else { "live" }, cues)];
        // A replay is a film: a still of it is none of these. A face at the edge would leave the picture.
        let whole = |f: &Face| {
            let r = f.rect;
            r.x > 30.0 && r.y > 30.0 && r.right() < 450.0 && r.bottom() < 450.0
        };
        let still = frames.iter().skip(5).find_map(|(pixels, face)| {
            let face = face.as_ref().filter(|f| whole(f))?;
            Some((pixels, face))
        });
        if let Some((pixels, face)) = still.filter(|_| !replay) {
            rows.push(("moved still", print(pixels, face, i as f32)));
        }
        for (kind, cues) in rows {
            print!("{name:>20} {kind:>11}");
            for ((_, cue), answers) in OVER_TIME.iter().zip(&mut answers) {
                let mean = mean(&cues, *cue);
                match mean {
                    Some((score, frames)) => print!(" {:>14}", format!("{score:.2} ({frames})")),
                    None => print!(" {:>14}", "-"),
                }
                let score = mean.map(|(score, _)| score as f32);
                match (kind, score) {
                    ("live", Some(_)) => answers.push(Answer::bona_fide(&name, score)),
                    ("moved still", Some(_)) => answers.push(Answer::attack(kind, &name, score)),
                    _ => (),
                }
            }
            println!();
        }
    }
    for ((name, _), answers) in OVER_TIME.iter().zip(&answers) {
        let summary = Summary::of(answers, 0.5, &Bootstrap::default());
        let counts = summary.counts;
        let auc = summary
            .auc
            .map(|a| (a.value, a.interval.map(|i| (i.low, i.high))));
        println!(
            "{name}: AUC {auc:.3?}, {} live clips and {} moved stills with a score",
            counts.bona_fide, counts.attacks
        );
    }
    // A blink is seen in some, and a picture has none.
    let blink = Summary::of(&answers[1], 0.5, &Bootstrap::default());
    assert!(blink.auc.unwrap().value > 0.7, "{:?}", blink.auc);
}
