// SPDX-License-Identifier: MIT OR Apache-2.0
//! The decoders on tensors made by hand: one face where it was put, and nothing but errors or boxes out of nonsense.

use super::*;
use crate::runtime::OutputView;
use proptest::prelude::*;

/// Outputs as a model of a family gives them: name, width of a row, numbers.
#[derive(Clone, Debug)]
struct Outputs(Vec<(&'static str, usize, Vec<f32>)>);

impl Outputs {
    fn decode(&self, family: Family, size: (usize, usize)) -> Result<Vec<Candidate>, String> {
        let shapes: Vec<[i64; 3]> = self
            .0
            .iter()
            .map(|(_, width, data)| [1, (data.len() / width) as i64, *width as i64])
            .collect();
        let views: Vec<OutputView> = self
            .0
            .iter()
            .zip(&shapes)
            .map(|((name, _, data), shape)| OutputView { name, shape, data })
            .collect();
        let mut found = Vec::new();
        family.decode(&views, size, 0.5, &mut found)?;
        Ok(found)
    }

    fn put(&mut self, output: usize, row: usize, numbers: &[f32]) {
        let (_, width, data) = &mut self.0[output];
        data[row * *width..][..numbers.len()].copy_from_slice(numbers);
    }
}

const NAMES: [&str; 12] = yunet::OUTPUTS;

/// All-zero outputs of a family for an input of `side` pixels, which is no face for any of them.
fn nothing(family: Family, side: usize) -> Outputs {
    let cells = |stride: usize| (side / stride) * (side / stride);
    let blank = |name, width: usize, rows: usize| (name, width, vec![0.0; width * rows]);
    Outputs(match family {
        Family::YuNet => (0..12)
            .map(|i| blank(NAMES[i], [1, 1, 4, 10][i / 3], cells([8, 16, 32][i % 3])))
            .collect(),
        Family::Scrfd => (0..9)
            .map(|i| blank("x", [1, 4, 10][i / 3], 2 * cells([8, 16, 32][i % 3])))
            .collect(),
        Family::UltraFace => vec![blank("scores", 2, 100), blank("boxes", 4, 100)],
        Family::RetinaFace => {
            let rows = 2 * (cells(8) + cells(16) + cells(32));
            vec![
                blank("loc", 4, rows),
                blank("conf", 2, rows),
                blank("landms", 10, rows),
            ]
        }
        Family::BlazeFace => vec![blank("preds", 16, 896), blank("conf", 1, 896)],
        Family::Ssd => vec![blank("out", 7, 20)],
    })
}

fn side(family: Family) -> usize {
    family.native_size().unwrap_or(64)
}

fn near(a: Rect, b: Rect) -> bool {
    let d = [a.x - b.x, a.y - b.y, a.w - b.w, a.h - b.h];
    d.iter().all(|d| d.abs() < 1e-3)
}

#[test]
fn zeros_are_no_face() {
    for family in Family::ALL {
        let side = side(family);
        let found = nothing(family, side).decode(family, (side, side));
        assert_eq!(found, Ok(Vec::new()), "{family:?}");
    }
}

#[test]
fn a_face_is_where_its_anchor_put_it() {
    // Cell (3, 2) of stride 16, in an input of 64: row 2 * 4 + 3.
    let cell = 2 * 4 + 3;
    let mut o = nothing(Family::YuNet, 64);
    o.put(1, cell, &[0.81]);
    o.put(4, cell, &[1.0]);
    o.put(7, cell, &[0.5, 0.25, 2f32.ln(), 3f32.ln()]);
    o.put(10, cell, &[0.1, 0.2]);
    let found = o.decode(Family::YuNet, (64, 64)).unwrap();
    assert!((found[0].score - 0.9).abs() < 1e-6);
    assert!(near(
        found[0].rect,
        Rect::new(56.0 - 16.0, 36.0 - 24.0, 32.0, 48.0)
    ));
    let eye = found[0].landmarks.unwrap()[0];
    assert!((eye.x - 49.6).abs() < 1e-3 && (eye.y - 35.2).abs() < 1e-3);

    let mut o = nothing(Family::Scrfd, 64);
    o.put(1, cell * 2 + 1, &[0.7]);
    o.put(4, cell * 2 + 1, &[1.0, 0.5, 2.0, 1.5]);
    let found = o.decode(Family::Scrfd, (64, 64)).unwrap();
    assert!(near(
        found[0].rect,
        Rect::from_corners(32.0, 24.0, 80.0, 56.0)
    ));

    let mut o = nothing(Family::UltraFace, 64);
    o.put(0, 5, &[0.1, 0.9]);
    o.put(1, 5, &[0.25, 0.5, 0.75, 1.0]);
    let found = o.decode(Family::UltraFace, (320, 240)).unwrap();
    assert!(near(found[0].rect, Rect::new(80.0, 120.0, 160.0, 120.0)));

    // The first prior of that cell, after those of stride 8: a side of 64 around (56, 40).
    let row = 2 * 64 + 2 * cell;
    let mut o = nothing(Family::RetinaFace, 64);
    o.put(1, row, &[0.2, 0.8]);
    let found = o.decode(Family::RetinaFace, (64, 64)).unwrap();
    assert!(near(found[0].rect, Rect::new(24.0, 8.0, 64.0, 64.0)));

    // The last anchor: the cell (7, 7) of stride 16.
    // Logits, as they are not all in 0..1.
    let mut o = nothing(Family::BlazeFace, 128);
    o.put(1, 0, &[-5.0; 896]);
    o.put(1, 895, &[3.0]);
    o.put(0, 895, &[-4.0, 2.0, 20.0, 30.0]);
    let found = o.decode(Family::BlazeFace, (128, 128)).unwrap();
    assert!((found[0].score - 0.9526).abs() < 1e-3);
    assert!(near(found[0].rect, Rect::new(106.0, 107.0, 20.0, 30.0)));
}

#[test]
fn outputs_that_are_too_short_or_missing_are_errors() {
    for family in Family::ALL {
        let side = side(family);
        let whole = nothing(family, side);
        for i in 0..whole.0.len() {
            let mut missing = whole.clone();
            missing.0.remove(i);
            assert!(
                missing.decode(family, (side, side)).is_err(),
                "{family:?} without {i}"
            );
        }
        if matches!(family, Family::UltraFace | Family::Ssd) {
            // Any number of rows is legal there.
            continue;
        }
        for i in 0..whole.0.len() {
            let mut short = whole.clone();
            let width = short.0[i].1;
            let len = short.0[i].2.len() - width;
            short.0[i].2.truncate(len);
            assert!(
                short.decode(family, (side, side)).is_err(),
                "{family:?} with short {i}"
            );
        }
    }
}

/// Numbers as a broken model gives them.
fn wild() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -4f32..4.0,
        1 => any::<f32>(),
        1 => prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::MAX)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nonsense_gives_sound_boxes_or_none(
        index in 0..Family::ALL.len(),
        numbers in prop::collection::vec(wild(), 97),
    ) {
        let family = Family::ALL[index];
        let side = side(family);
        let mut outputs = nothing(family, side);
        let mut next = numbers.iter().cycle();
        for (_, _, data) in &mut outputs.0 {
            data.iter_mut().for_each(|v| *v = *next.next().unwrap());
        }
        let mut found = outputs.decode(family, (side, side)).unwrap();
        nms::suppress(&mut found, 0.4);
        for c in found {
            prop_assert!(c.rect.is_valid() && (0.5..=1.0).contains(&c.score), "{c:?}");
        }
    }
}

#[test]
fn an_open_input_follows_the_frames_shape() {
    assert_eq!(open_size((1920, 1080), 1.0, InputSize::Auto), (320, 192));
    assert_eq!(
        open_size((1080, 1920), 1.0, InputSize::LongSide(640)),
        (384, 640)
    );
    assert_eq!(
        open_size((640, 480), 1.0, InputSize::Exact(300, 300)),
        (320, 320)
    );
    assert_eq!(open_size((16, 4096), 1.0, InputSize::Auto), (32, 320));
}
