// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clips for a browser's camera: JPEG pictures one behind the other, as Chromium plays them. They lie in scratch folders only.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use image::{RgbImage, imageops};
use liveness::detect::{Detector, Settings};
use liveness::face::Face;
use liveness::quality::turn_to;
use liveness::runtime::Options;
use liveness_app::files::Kind;
use liveness_app::film::{Frames, frame};
use liveness_app::picture::Picture;

use super::faces::nearer;
use super::jpeg;

/// All pictures of a film.
fn pictures(film: &Path) -> Vec<RgbImage> {
    gst::init().unwrap();
    let caps = gst_video::VideoCapsBuilder::new()
        .format(gst_video::VideoFormat::Rgb)
        .build();
    let mut frames = Frames::open(film, Kind::Video, &[], &caps).unwrap();
    let mut all = Vec::new();
    while let Some(sample) = frames.next(&AtomicBool::new(false)).unwrap() {
        let (picture, _) = frame::picture(&sample).unwrap();
        all.push(picture.into_rgb());
    }
    all
}

fn write<'a>(
    pictures: impl IntoIterator<Item = &'a RgbImage>,
    folder: &Path,
    name: &str,
) -> PathBuf {
    let path = folder.join(format!("{name}.mjpeg"));
    let bytes: Vec<u8> = pictures.into_iter().flat_map(jpeg).collect();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A film to and fro, so that it can be played again and again without a jump.
pub(crate) fn to_and_fro(film: &Path, folder: &Path, name: &str) -> PathBuf {
    let pictures = pictures(film);
    let back = pictures.iter().rev();
    write(pictures.iter().chain(back), folder, name)
}

/// Somebody who turns the head to one side, to the other, and comes closer, again and again: from a film of somebody who turns it to one side,
/// mirrored and enlarged.
pub(crate) fn head_turns(film: &Path, folder: &Path) -> PathBuf {
    /// Pictures that a pose is held: a second, which also a busy server sees more than once.
    const HOLD: usize = 30;
    const NEAREST: f32 = 1.4;
    let pictures = pictures(film);
    let faces: Vec<_> = pictures.iter().map(face).collect();
    let turn = |face: &Option<Face>| {
        face.as_ref()
            .and_then(|f| turn_to(&f.landmarks?))
            .unwrap_or_default()
    };
    let by_turn = |a: &usize, b: &usize| turn(&faces[*a]).total_cmp(&turn(&faces[*b]));
    let most = (0..faces.len()).max_by(by_turn).unwrap();
    let front = (0..most)
        .rev()
        .find(|i| turn(&faces[*i]).abs() < 0.03)
        .unwrap();
    // The camera follows the face: it does not jump when it is mirrored, and does not leave the picture.
    let middle = |i: usize| faces[i].as_ref().unwrap().rect.center();
    let straight: Vec<RgbImage> = (front..=most + 2)
        .map(|i| moved(&pictures[i], middle(i).x))
        .collect();
    let mirrored = straight.iter().map(imageops::flip_horizontal).collect();
    // As far as the head is turned most, to whichever side.
    let up_to_most = |mut way: Vec<RgbImage>| {
        let turns: Vec<f32> = way.iter().map(|p| turn(&face(p)).abs()).collect();
        let most = (0..way.len())
            .max_by(|a, b| turns[*a].total_cmp(&turns[*b]))
            .unwrap();
        assert!(
            turns[most] > 0.23,
            "nobody turns the head far enough: {}",
            turns[most]
        );
        way.truncate(most + 1);
        way
    };
    let (way, mirrored) = (up_to_most(straight), up_to_most(mirrored));
    let height = middle(front).y / way[0].height() as f32;
    let near: Vec<RgbImage> = (0..=20)
        .map(|i| {
            nearer(
                &way[0],
                1.0 + (NEAREST - 1.0) * i as f32 / 20.0,
                (0.5, height),
            )
        })
        .collect();

    let mut all: Vec<&RgbImage> = Vec::new();
    for way in [
        way.iter().collect::<Vec<_>>(),
        mirrored.iter().collect(),
        near.iter().collect(),
    ] {
        all.extend(std::iter::repeat_n(way[0], HOLD));
        all.extend(&way);
        all.extend(std::iter::repeat_n(way[way.len() - 1], HOLD));
        all.extend(way.iter().rev());
    }
    write(all, folder, "head-turns")
}

/// Moved sideways until this column is in the middle; what is missing is that of the edge.
fn moved(picture: &RgbImage, column: f32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let by = column - width as f32 / 2.0;
    RgbImage::from_fn(width, height, |x, y| {
        let from = (x as f32 + by).clamp(0.0, (width - 1) as f32);
        *picture.get_pixel(from as u32, y)
    })
}

/// The largest face.
fn face(picture: &RgbImage) -> Option<Face> {
    thread_local! {
        static DETECTOR: std::cell::RefCell<Detector> = {
            crate::common::use_runtime();
            let file = liveness_models::FACE_DETECTOR.file();
            Detector::open(&file, Options::default()).unwrap().into()
        };
    }
    let picture = Picture::from(picture.clone());
    let view = picture.view().unwrap();
    DETECTOR.with_borrow_mut(|detector| {
        let (faces, _) = detector.detect(&view, 1.0, &Settings::default()).unwrap();
        let by_area = |a: &&Face, b: &&Face| a.rect.area().total_cmp(&b.rect.area());
        faces.iter().max_by(by_area).cloned()
    })
}
