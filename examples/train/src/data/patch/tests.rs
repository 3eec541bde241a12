// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the net sees of a patch against what the element makes of the frame.

use proptest::prelude::*;

use super::*;
use crate::augment::{Augment, Augmenter, Scratch};
use crate::data::testing::{gradient, noise, spec};
use liveness::crop::Shape;

/// As `livenessclassify` does it: the crop of the box in the frame, scaled.
fn element(frame: &[u8], size: (usize, usize), face: &Rect, spec: &InputSpec) -> Vec<f32> {
    let layout = image::Layout::rgb8(size.0, size.1);
    let plane = Plane {
        data: frame,
        stride: 3 * size.0,
    };
    let view = View::new(&layout, &[plane]).unwrap();
    let (window, border) = spec.crop.window(face, size);
    let mut out = vec![0.0; spec.len()];
    Resizer::new().run(&view, window, border, &spec.format, spec.size(), &mut out);
    out
}

fn plain(cut: Cut, spec: &InputSpec) -> Vec<f32> {
    let model = gradient(8, 8, Rect::new(1.0, 1.0, 4.0, 4.0));
    let patch = Patch::new(cut, model.stats, model.about);
    let augmenter = Augmenter {
        spec: spec.clone(),
        kinds: Augment::NONE,
        strength: 1.0,
        equaliser: None,
    };
    let mut out = vec![f32::NAN; spec.len()];
    augmenter.plain(&patch, &mut Scratch::default(), &mut out);
    out
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    let off = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    off.fold(0.0, f32::max)
}

fn outside() -> impl Strategy<Value = Outside> {
    prop_oneof![
        Just(Outside::Shift),
        Just(Outside::Fill(Border::Black)),
        Just(Outside::Fill(Border::Reflect)),
        Just(Outside::Fill(Border::Replicate)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn an_unscaled_patch_gives_exactly_what_the_element_sees(
        x in -40.0f32..220.0, y in -30.0f32..150.0, w in 4.0f32..80.0, h in 4.0f32..80.0,
        scale in 0.8f64..3.0, outside in outside(), square: bool,
    ) {
        let size = (200, 140);
        let frame = noise(3 * size.0 * size.1);
        let shape = if square { Shape::Square } else { Shape::Box };
        // So large an input that nothing is scaled down.
        let spec = spec(shape, scale, outside, 256);
        let face = Rect::new(x, y, w, h);
        let scene = Scene {
            rgb: &frame,
            size,
            face,
            place: Place { origin: (0, 0), frame: size },
        };
        let cut = Cutter::default().cut(&scene, &spec);
        if face.clamped(200.0, 140.0).is_none() {
            prop_assert!(cut.is_err());
            return Ok(());
        }
        let cut = cut.unwrap();
        prop_assert!(cut.input.is_none() && !cut.cramped);
        let off = worst(&plain(cut, &spec), &element(&frame, size, &face, &spec));
        prop_assert!(off < 1e-6, "{off}");
    }

    #[test]
    fn so_does_the_saved_part_of_a_frame(
        x in 0.0f32..160.0, y in 0.0f32..100.0, w in 20.0f32..60.0, left in 0i64..60, top in 0i64..60, outside in outside(),
    ) {
        let size = (200usize, 140usize);
        let frame = noise(3 * size.0 * size.1);
        let spec = spec(Shape::Square, 1.4, outside, 256);
        let face = Rect::new(x, y, w, w);
        // Like a picture of `frameextract`: a window of the frame.
        let window = Window { x: left, y: top, w: 130, h: 75 };
        let whole = Scene { rgb: &frame, size, face, place: Place { origin: (0, 0), frame: size } };
        let saved = whole.copy(window);
        let scene = Scene {
            rgb: &saved,
            size: (130, 75),
            face,
            place: Place { origin: (left, top), frame: size },
        };
        let Ok(cut) = Cutter::default().cut(&scene, &spec) else {
            return Ok(());
        };
        let (cramped, seen) = (cut.cramped, plain(cut, &spec));
        let off = worst(&seen, &element(&frame, size, &face, &spec));
        prop_assert!(cramped || off < 1e-6, "{off}");
    }
}

#[test]
fn a_scaled_patch_differs_by_the_rounding_only() {
    let size = (640, 480);
    let frame = noise(3 * size.0 * size.1);
    let spec = spec(Shape::Box, 2.0, Outside::Shift, 80);
    let face = Rect::new(200.3, 150.7, 130.2, 140.9);
    let scene = Scene {
        rgb: &frame,
        size,
        face,
        place: Place {
            origin: (0, 0),
            frame: size,
        },
    };
    let cut = Cutter::default().cut(&scene, &spec).unwrap();
    // The crop of 260 x 281 pixels becomes at least 100 of 80 and is kept with half of it around.
    assert_eq!(cut.size, (151, 163));
    assert!(cut.input.is_some());
    let off = worst(&plain(cut, &spec), &element(&frame, size, &face, &spec));
    assert!(off * 255.0 < 1.0 / 500.0, "{off}");
}

#[test]
fn what_was_not_saved_is_told() {
    let (frame, size) = (noise(3 * 100 * 100), (100, 100));
    let scene = Scene {
        rgb: &frame,
        size,
        face: Rect::new(310.0, 220.0, 60.0, 60.0),
        place: Place {
            origin: (300, 200),
            frame: (640, 480),
        },
    };
    let spec = spec(Shape::Square, 2.7, Outside::Shift, 80);
    let cut = Cutter::default().cut(&scene, &spec).unwrap();
    assert!(cut.cramped);
    assert!(cut.short, "a crop of 162 pixels from a picture of 100");
    assert_eq!(
        (cut.place.frame, cut.face),
        (size, Rect::new(10.0, 20.0, 60.0, 60.0))
    );
}
