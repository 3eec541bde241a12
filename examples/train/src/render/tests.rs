// SPDX-License-Identifier: MIT OR Apache-2.0
//! Spoofs as a whole: repeatable, each effect by its switch alone, and the box where the face is.

use liveness::image::{Layout, Plane, View};

use super::*;
use crate::data::testing::noise;

/// A picture, row by row.
struct Photo {
    layout: Layout,
    data: Vec<u8>,
}

impl Photo {
    fn new(width: usize, height: usize, pixel: impl Fn(f32, f32) -> [u8; 3]) -> Self {
        let at = |i: usize| pixel((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
        Self {
            layout: Layout::rgb8(width, height),
            data: (0..width * height).flat_map(at).collect(),
        }
    }

    fn view(&self) -> View<'_> {
        let plane = Plane {
            data: &self.data,
            stride: 3 * self.layout.width,
        };
        View::new(&self.layout, &[plane]).unwrap()
    }
}

const FACE: Rect = Rect::new(60.0, 50.0, 36.0, 44.0);

/// Grey with some detail, and in the face's box a magenta ellipse.
fn live() -> Photo {
    let detail = noise(200 * 160);
    Photo::new(200, 160, |x, y| {
        let middle = FACE.center();
        let (dx, dy) = ((x - middle.x) / FACE.w * 2.0, (y - middle.y) / FACE.h * 2.0);
        let level = 90 + (x / 4.0) as u8 + detail[y as usize * 200 + x as usize] / 16;
        match dx * dx + dy * dy < 1.0 {
            true => [250, 0, 250],
            false => [level; 3],
        }
    })
}

/// Green, with some detail.
fn wall() -> Photo {
    Photo::new(150, 120, |x, y| [20, 120 + (x + y) as u8 / 4, 20])
}

fn render(kind: Kind, effects: Effects, seed: u64) -> Spoof {
    let (live, wall) = (live(), wall());
    let (live_view, wall_view) = (live.view(), wall.view());
    let subject = Subject {
        picture: &live_view,
        face: FACE,
    };
    let order = Order {
        kind,
        effects,
        side: 32.0,
        seed,
    };
    Studio::default()
        .render(&subject, &wall_view, &order)
        .unwrap()
}

const KINDS: [Kind; 2] = [Kind::Print, Kind::Replay];

#[test]
fn the_same_seed_gives_the_same_picture_and_another_one_another() {
    for kind in KINDS {
        for seed in 0..6 {
            let once = render(kind, Effects::ALL, seed);
            assert_eq!(once, render(kind, Effects::ALL, seed));
            assert_ne!(once.picture, render(kind, Effects::ALL, seed + 1).picture);
        }
    }
}

#[test]
fn memory_that_was_used_before_changes_nothing() {
    let (live, wall) = (live(), wall());
    let (live, wall) = (live.view(), wall.view());
    let subject = Subject {
        picture: &live,
        face: FACE,
    };
    let mut studio = Studio::default();
    for seed in 0..8 {
        let kind = KINDS[seed as usize % 2];
        let order = Order {
            kind,
            effects: Effects::ALL,
            side: 32.0,
            seed,
        };
        let with = studio.render(&subject, &wall, &order).unwrap();
        assert_eq!(with, render(kind, Effects::ALL, seed));
    }
}

#[test]
fn an_effect_changes_the_picture_where_it_was_drawn_and_nowhere_else() {
    const SEEDS: u64 = 12;
    for kind in KINDS {
        let bare: Vec<Spoof> = (0..SEEDS)
            .map(|seed| render(kind, Effects::NONE, seed))
            .collect();
        assert!(bare.iter().all(|b| b.effects == Effects::NONE));
        let elsewhere = match kind {
            Kind::Print => [Effect::Grid, Effect::Moire, Effect::Bands, Effect::Mirror],
            Kind::Replay => [Effect::Halftone, Effect::Paper, Effect::Bend, Effect::Shade],
        };
        for effect in Effects::ALL.list() {
            let (mut drawn, mut seen) = (0, 0);
            for (seed, bare) in bare.iter().enumerate() {
                let with = render(kind, Effects::only(effect), seed as u64);
                let changed = with.picture != bare.picture;
                let was = with.effects.has(effect);
                assert!(
                    was || !changed,
                    "{kind:?} {effect:?}: changed though it is off"
                );
                drawn += usize::from(was);
                seen += usize::from(changed);
            }
            if elsewhere.contains(&effect) {
                assert_eq!((drawn, seen), (0, 0), "{kind:?} {effect:?}");
            } else {
                assert!(drawn > 0, "{kind:?} {effect:?} is never drawn");
                // A border, or a lamp, may lie where the frame has ended.
                assert!(seen + 3 >= drawn, "{kind:?} {effect:?}: {seen} of {drawn}");
            }
        }
    }
}

#[test]
fn switching_one_off_leaves_the_others_as_they_were() {
    for kind in KINDS {
        for seed in 0..3 {
            let all = render(kind, Effects::ALL, seed);
            for effect in Effects::ALL.list() {
                let without = render(kind, Effects::ALL.without(effect), seed);
                assert_eq!(without.effects, all.effects.without(effect));
                if !all.effects.has(effect) {
                    assert_eq!(without, all);
                }
            }
        }
    }
}

/// Where the marker is in the picture: left, top, right, bottom.
fn marker(picture: &Rgb) -> Option<[f32; 4]> {
    let mut found: Option<[f32; 4]> = None;
    for (i, p) in picture.data.as_chunks::<3>().0.iter().enumerate() {
        let [r, g, b] = p.map(f32::from);
        if r.min(b) - g < 60.0 {
            continue;
        }
        let (x, y) = ((i % picture.width) as f32, (i / picture.width) as f32);
        let [l, t, r, b] = found.unwrap_or([f32::MAX, f32::MAX, 0.0, 0.0]);
        found = Some([l.min(x), t.min(y), r.max(x + 1.0), b.max(y + 1.0)]);
    }
    found
}

#[test]
fn the_box_is_where_the_face_is() {
    // What moves the face, and what is seen of the marker's colour without doubt.
    let effects = [Effect::Edge, Effect::Tilt, Effect::Bend];
    let effects = effects.into_iter().fold(Effects::NONE, Effects::with);
    for kind in KINDS {
        for seed in 0..40 {
            let spoof = render(kind, effects, seed);
            let [l, t, r, b] = marker(&spoof.picture).unwrap();
            let face = spoof.face;
            for (edge, seen, what) in [
                (face.x, l, "left"),
                (face.y, t, "top"),
                (face.right(), r, "right"),
                (face.bottom(), b, "bottom"),
            ] {
                assert!(
                    (edge - seen).abs() < 2.0,
                    "{kind:?} {seed} {what}: {edge} {seen}"
                );
            }
            let long = face.w.max(face.h);
            assert!((26.0..40.0).contains(&long), "{seed}: {long}");
        }
    }
}

#[test]
fn it_lies_before_the_scene() {
    let greens = (0..20).map(|seed| {
        let spoof = render(Kind::Print, Effects::NONE, seed);
        let pixels = spoof.picture.data.as_chunks::<3>().0;
        let green = pixels.iter().filter(|p| p[1] > p[0].saturating_add(60));
        green.count() as f32 / pixels.len() as f32
    });
    let greens: Vec<f32> = greens.collect();
    let (some, most) = (
        greens.iter().filter(|g| **g > 0.1).count(),
        greens.iter().filter(|g| **g > 0.9).count(),
    );
    assert!(some > 5 && most < 5, "{greens:?}");
}
