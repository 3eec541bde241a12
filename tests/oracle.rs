// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every public model that the assets hold, against their reference decoders (Python, tests/oracle.py): the same boxes within a
//! pixel, points too, scores within 0.01, on 50 photos; the same probabilities of live within 0.01.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test that fails panics.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use liveness::detect::{self, Detector, InputSize};
use liveness::face::Face;
use liveness::geometry::Rect;
use liveness::image::{Layout, Plane, View};
use liveness::liveness::Classifier;
use liveness::model::ModelFile;
use liveness::runtime::Options;

const PHOTOS: usize = 50;
const PIXEL: f32 = 1.0;
const SCORE: f32 = 0.01;
const THRESHOLD: f32 = 0.5;

#[derive(serde::Deserialize)]
struct Oracle {
    detect: BTreeMap<String, BTreeMap<PathBuf, Vec<Vec<f32>>>>,
    live: BTreeMap<String, BTreeMap<PathBuf, ([f32; 4], f32)>>,
}

struct Photo {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Photo {
    fn look<R>(&self, f: impl FnOnce(&View) -> R) -> R {
        let layout = Layout::rgb8(self.width, self.height);
        let plane = Plane {
            data: &self.rgb,
            stride: self.width * 3,
        };
        f(&View::new(&layout, &[plane]).expect("a decoded photo is whole"))
    }

    /// With black to the right and below, in the shape `w`:`h`.
    fn padded(&self, w: usize, h: usize) -> Self {
        let unit = self.width.div_ceil(w).max(self.height.div_ceil(h));
        let (width, height) = (w * unit, h * unit);
        let mut rgb = vec![0; width * height * 3];
        for (to, from) in rgb
            .chunks_exact_mut(width * 3)
            .zip(self.rgb.chunks_exact(self.width * 3))
        {
            to[..from.len()].copy_from_slice(from);
        }
        Self { width, height, rgb }
    }
}

/// Photos of all the sets with faces, spread over each.
fn photos(assets: &Path, into: &Path) -> BTreeMap<PathBuf, Photo> {
    let sets = [
        "det_ilc",
        "det_kaggle853",
        "det_caltech",
        "unl_groups",
        "fas_nuaa/live",
    ];
    let mut all = BTreeMap::new();
    for set in sets {
        let mut files: Vec<_> = std::fs::read_dir(assets.join(set))
            .into_iter()
            .flatten()
            .filter_map(|e| Some(e.ok()?.path()))
            .filter(|p| p.extension().is_some_and(|e| e == "jpg" || e == "png"))
            .collect();
        files.sort();
        let step = (files.len() / (PHOTOS / sets.len())).max(1);
        for file in files.iter().step_by(step).take(PHOTOS / sets.len()) {
            // The oracle gets the same pixels: decoders of JPEG differ by more than a resize does.
            let photo = image::open(file).expect("the assets are whole").to_rgb8();
            let name = into.join(format!("{:02}.png", all.len()));
            photo.save(&name).expect("a scratch folder can be written");
            let (width, height) = (photo.width() as usize, photo.height() as usize);
            let rgb = photo.into_raw();
            all.insert(name, Photo { width, height, rgb });
        }
    }
    all
}

fn ask(assets: &Path, photos: &BTreeMap<PathBuf, Photo>) -> Option<Oracle> {
    let python = common::root().join(".setup/venv/bin/python");
    if !python.exists() {
        common::skip(format_args!(
            "no {} (scripts/setup.sh makes it)",
            python.display()
        ));
        return None;
    }
    let out = Command::new(python)
        .arg(common::root().join("tests/oracle.py"))
        .arg(assets.join("reference"))
        .arg(assets.join("models"))
        .args(photos.keys())
        .output()
        .expect("python runs");
    assert!(
        out.status.success(),
        "the oracle failed: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(serde_json::from_slice(&out.stdout).expect("the oracle prints JSON"))
}

/// The oracle rounds the size that it scales a photo to, but scales boxes back by the unrounded factor; ours go back by the
/// size that the photo really had. This is the one of x and of y.
fn rounding(photo: &Photo, input: (usize, usize)) -> (f32, f32) {
    let (w, h) = (photo.width as f64, photo.height as f64);
    let s = (input.0 as f64 / w).min(input.1 as f64 / h);
    let one = |n: f64| (s * n / (n * s).round_ties_even().max(1.0)) as f32;
    (one(w), one(h))
}

fn check_detector(
    name: &str,
    input: (usize, usize),
    detector: &mut Detector,
    photos: &BTreeMap<PathBuf, Photo>,
    wanted: &BTreeMap<PathBuf, Vec<Vec<f32>>>,
) {
    let settings = detect::Settings {
        // A face on the edge of the threshold may fall on either side of it.
        threshold: Some(THRESHOLD - SCORE),
        input_size: match name.contains("dynamic") {
            true => InputSize::Exact(input.0, input.1),
            false => InputSize::Auto,
        },
        ..detect::Settings::default()
    };
    let (mut seen, mut worst) = (0, (0f32, 0f32));
    for (path, photo) in photos {
        let ultraface = name.starts_with("ultraface");
        let padded = ultraface.then(|| photo.padded(4, 3));
        let photo = padded.as_ref().unwrap_or(photo);
        let scale = if ultraface {
            (1.0, 1.0)
        } else {
            rounding(photo, input)
        };
        let faces: Vec<Face> = photo.look(|view| {
            let (faces, _) = detector
                .detect(view, 1.0, &settings)
                .expect("inference works");
            faces.to_vec()
        });
        for row in &wanted[path] {
            let [x1, y1, x2, y2, score] = row[..5] else {
                panic!("a row of the oracle has five numbers")
            };
            let want = Rect::from_corners(x1, y1, x2, y2).scaled(scale.0, scale.1);
            let face = faces
                .iter()
                .max_by(|a, b| a.rect.iou(&want).total_cmp(&b.rect.iou(&want)))
                .unwrap_or_else(|| panic!("{name}: no face in {path:?}, {want:?} was expected"));
            let r = face.rect;
            let pixel = [
                r.x - want.x,
                r.y - want.y,
                r.right() - want.right(),
                r.bottom() - want.bottom(),
            ]
            .into_iter()
            .chain(
                face.landmarks
                    .iter()
                    .flatten()
                    .zip(row[5..].chunks(2))
                    .flat_map(|(p, q)| [p.x - q[0] * scale.0, p.y - q[1] * scale.1]),
            )
            .fold(0f32, |m, d| m.max(d.abs()));
            let score = (face.score - score).abs();
            worst = (worst.0.max(pixel), worst.1.max(score));
            assert!(
                pixel <= PIXEL && score <= SCORE,
                "{name} {path:?}: {r:?} {} instead of {want:?} {}",
                face.score,
                row[4]
            );
            seen += 1;
        }
        let sure = faces.iter().filter(|f| f.score >= THRESHOLD + SCORE);
        assert!(
            sure.count() <= wanted[path].len(),
            "{name} sees more faces in {path:?}"
        );
    }
    println!(
        "{name}: {seen} faces, off by at most {:.3} px and {:.4}",
        worst.0, worst.1
    );
    assert!(seen > PHOTOS / 2, "{name}: only {seen} faces to compare");
}

#[test]
fn public_models_give_what_their_reference_decoders_give() {
    let Some(assets) = common::assets() else {
        return;
    };
    common::use_runtime();
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let photos = photos(&assets, scratch.path());
    assert_eq!(photos.len(), PHOTOS);
    let Some(oracle) = ask(&assets, &photos) else {
        return;
    };
    for (name, wanted) in &oracle.detect {
        let file = ModelFile::read(&common::model(&assets, name), None).expect("the file is there");
        let mut detector = Detector::open(&file, Options::default()).expect("the model opens");
        let input = match name.as_str() {
            "ultraface_RFB-320.onnx" => (320, 240),
            n if n.contains("blaze") => (128, 128),
            n if n.contains("320_320") || n.contains("yunet_s") => (320, 320),
            _ => (640, 640),
        };
        check_detector(name, input, &mut detector, &photos, wanted);
    }
    for (name, wanted) in &oracle.live {
        let files: Vec<_> = name
            .split(',')
            .map(|n| ModelFile::read(&common::model(&assets, n), None).expect("the file is there"))
            .collect();
        let mut classifier = Classifier::open(&files, Options::default()).expect("the models open");
        let mut worst = 0f32;
        for (path, ([x1, y1, x2, y2], live)) in wanted {
            let mut faces = [Face {
                rect: Rect::from_corners(*x1, *y1, *x2, *y2),
                ..Face::default()
            }];
            photos[path].look(|view| {
                classifier
                    .classify(view, &mut faces, &Default::default())
                    .expect("inference works")
            });
            let got = faces[0].verdict.live.expect("a probability");
            worst = worst.max((got - live).abs());
            assert!(
                (got - live).abs() <= SCORE,
                "{name} {path:?}: {got} instead of {live}"
            );
        }
        println!("{name}: {} faces, off by at most {worst:.4}", wanted.len());
    }
}
