// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faces that are compared: what models are taken, and, where there are assets, persons with a public model.
//!
//! The threshold: `cargo test -p liveness-web --bin liveness-web identity -- --nocapture` prints the table of docs/web.md.

use std::fs;
use std::path::PathBuf;

use liveness::detect::{Detector, Settings};
use liveness_app::picture::Picture;

use super::*;
use crate::testing;

#[test]
fn shapes_are_understood() {
    assert_eq!(shape(&[1, 3, 112, 112]), Some(Shape::Planar));
    assert_eq!(shape(&[-1, 3, -1, -1]), Some(Shape::Planar));
    assert_eq!(shape(&[1, 112, 112, 3]), Some(Shape::Interleaved));
    for wrong in [
        &[1, 3, 80, 80][..],
        &[4, 3, 112, 112],
        &[1, 1, 112, 112],
        &[3, 112, 112],
        &[],
    ] {
        assert_eq!(shape(wrong), None, "{wrong:?}");
    }
    assert_eq!(length(&[1, 128]), Some(128));
    assert_eq!(length(&[-1, 512]), Some(512));
    assert_eq!(length(&[1, 512, 1, 1]), None);
    for wrong in [&[1, 2][..], &[2, 128], &[]] {
        assert_eq!(length(wrong), None, "{wrong:?}");
    }
}

#[test]
fn vectors_have_length_one_and_a_direction() {
    let e = |numbers: &[f32]| Embedding::new(numbers.to_vec());
    let (a, b) = (e(&[3.0, 4.0]).unwrap(), e(&[-4.0, 3.0]).unwrap());
    assert_eq!(a.numbers(), [0.6, 0.8]);
    assert!(a.cosine(&b).abs() < 1e-6 && (a.cosine(&a) - 1.0).abs() < 1e-6);
    assert_eq!(a.cosine(&e(&[1.0]).unwrap()), 0.0);
    for wrong in [
        &[0.0, 0.0][..],
        &[f32::NAN, 1.0],
        &[f32::INFINITY, 1.0],
        &[],
    ] {
        assert_eq!(e(wrong), None);
    }
}

#[test]
fn other_models_are_refused_with_their_shapes() {
    if testing::tiny().is_none() {
        return;
    }
    for (name, said) in [
        ("boxes.onnx", "[1, 3, 32, 32]"),
        ("bright.onnx", "something else"),
        ("make.py", "make.py"),
    ] {
        let told = Matcher::open(&testing::data(name), 0.4).unwrap_err();
        let told = format!("{told:#}");
        assert!(told.contains(said) && told.contains(name), "{told}");
    }
}

/// The vectors of all pictures of a folder of persons, with the name of the person.
fn persons(folder: &Path, matcher: &Matcher) -> (Vec<(String, Embedding)>, usize) {
    let file = liveness_models::FACE_DETECTOR.file();
    let mut detector = Detector::open(&file, Options::default()).unwrap();
    let (mut all, mut without) = (Vec::new(), 0);
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
        paths.sort();
        paths
    };
    for person in list(folder).into_iter().filter(|p| p.is_dir()) {
        let name = person.file_name().unwrap().to_string_lossy().into_owned();
        for path in list(&person) {
            let picture = Picture::read(&path).unwrap();
            let view = picture.view().unwrap();
            let (faces, _) = detector.detect(&view, 1.0, &Settings::default()).unwrap();
            let largest = faces
                .iter()
                .max_by(|a, b| a.rect.area().total_cmp(&b.rect.area()));
            let points = largest.and_then(|f| f.landmarks);
            match points.and_then(|p| matcher.embed(&view, &p).unwrap()) {
                Some(embedding) => all.push((name.clone(), embedding)),
                None => without += 1,
            }
        }
    }
    (all, without)
}

/// Pairs that are taken for one person from a threshold on, of how many.
fn taken(pairs: &[f32], threshold: f32) -> (usize, usize) {
    (
        pairs.iter().filter(|c| **c >= threshold).count(),
        pairs.len(),
    )
}

#[test]
fn the_same_person_is_told_from_others() {
    let Some(assets) = testing::assets() else {
        return;
    };
    let path = assets.join("models/mobilefacenet_112_128d.onnx");
    let matcher = Matcher::open(&path, THRESHOLD).unwrap();
    let (all, without) = persons(&assets.join("verify"), &matcher);
    let (mut same, mut other) = (Vec::new(), Vec::new());
    for (i, (a, first)) in all.iter().enumerate() {
        for (b, second) in &all[i + 1..] {
            let pairs = if a == b { &mut same } else { &mut other };
            pairs.push(first.cosine(second));
        }
    }
    println!("{} faces, {without} pictures without one", all.len());
    println!("threshold  same taken for one  others taken for one");
    for hundredth in (10..=70).step_by(5) {
        let threshold = hundredth as f32 / 100.0;
        let ((s, same_n), (o, other_n)) = (taken(&same, threshold), taken(&other, threshold));
        println!("{threshold:.2}       {s:4} of {same_n:4}        {o:4} of {other_n:4}");
    }
    assert!(all.len() > 90, "{}", all.len());
    let ((s, same_n), (o, other_n)) = (taken(&same, THRESHOLD), taken(&other, THRESHOLD));
    assert!(s * 100 >= same_n * 90, "{s} of {same_n}");
    assert!(o * 100 <= other_n, "{o} of {other_n}");
}
