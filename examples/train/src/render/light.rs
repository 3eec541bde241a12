// SPDX-License-Identifier: MIT OR Apache-2.0
//! The light of the room on what is held up: lamps that gloss, the room in the glass, and how brightly paper is lit.

use std::f32::consts::TAU;

use super::canvas::{Canvas, Colour};
use super::effects::{Draw, Effect};
use super::warp::Spot;

/// Half of the screens, which are glass, and three of ten prints, which are photo paper.
const GLARE_GLASS: f32 = 0.5;
const GLARE_PAPER: f32 = 0.3;
/// Levels that it adds at its brightest: a lamp's mirror image is brighter than any camera can show, what matt glass spreads is a haze.
const GLARE_LIGHT: (f32, f32) = (15.0, 110.0);
/// A window is less bright than a lamp, and its sharp edges would be the strongest of the picture.
const WINDOW_LIGHT: f32 = 0.6;
/// Photo paper spreads more than glass.
const GLOSS: f32 = 0.7;
/// Half of them are round, as lamps are; the others have corners, as windows.
const ROUND: f32 = 0.5;
/// Radius of a lamp's spot, and half of a window's sides, over the longer side of the sheet.
const LAMP: (f32, f32) = (0.08, 0.5);
const WINDOW: (f32, f32) = (0.06, 0.35);
/// How unequal the two axes of a spot are, at the most.
const OVAL: f32 = 3.0;
/// How soft a window's edge is, over the longer side of the sheet: sharp in glass, soft in paper.
const SOFT: (f32, f32) = (0.004, 0.08);

/// Three of ten screens show the room: bright rooms, dark pictures.
const MIRROR: f32 = 0.3;
/// Share of the room's light that glass throws back: 4 % of one surface, twice that of two, and more from the side.
const MIRROR_SHARE: (f32, f32) = (0.03, 0.14);
/// Width and height of what is kept of the room: a mirror image lies behind the glass, out of focus.
pub(super) const ROOM: usize = 40;

/// Seven of ten prints: the others stand in the same even light as the scene.
const SHADE: f32 = 0.7;
/// By how much one end of a sheet is lit more brightly than its middle, at the most: a lamp to the side, at the distance of two sheets.
const SHADE_SLOPE: f32 = 0.22;
/// How brightly scenes are lit on the mean, in levels.
const USUAL_LIGHT: f32 = 110.0;
/// How far paper is brightened and darkened with its scene at the most. Exposure evens out the rest.
const SHADE_SCENE: (f32, f32) = (0.7, 1.15);

/// Light that is added to a sheet, and by which it is multiplied.
#[derive(Debug)]
pub(super) struct Light {
    /// Width and height of the sheet.
    size: (f32, f32),
    /// Around 1, and its change along both axes.
    shade: Option<(f32, f32, f32)>,
    glare: Option<Glare>,
    mirror: Option<Mirror>,
}

#[derive(Debug)]
struct Glare {
    /// Where its middle lies, in sides of the sheet.
    at: (f32, f32),
    /// Half of its extent along its own axes, in sides of the sheet.
    half: (f32, f32),
    turned: (f32, f32),
    /// Of the edge; none for a round spot.
    soft: Option<f32>,
    light: f32,
}

#[derive(Debug)]
struct Mirror {
    room: Canvas,
    /// Width and height of the frame.
    frame: (f32, f32),
    share: f32,
}

impl Light {
    /// On a print of `width` x `height` before a scene.
    pub(super) fn on_paper(
        (width, height): (usize, usize),
        scene: &Canvas,
        draw: &mut Draw,
    ) -> Self {
        let shade = draw.roll(Effect::Shade, SHADE).map(|mut dice| {
            let (sin, cos) = (dice.unit() * TAU).sin_cos();
            let slope = dice.unit() * SHADE_SLOPE;
            let lit = (scene.mean() / USUAL_LIGHT).sqrt();
            let lit = lit.clamp(SHADE_SCENE.0, SHADE_SCENE.1);
            (lit, 2.0 * slope * cos, 2.0 * slope * sin)
        });
        Self {
            size: (width as f32, height as f32),
            shade,
            glare: Glare::draw(GLARE_PAPER, GLOSS, draw),
            mirror: None,
        }
    }

    /// On a screen of `width` x `height`; `room` is what it stands in, seen in the glass of a frame of this size.
    pub(super) fn on_glass(
        (width, height): (usize, usize),
        room: Canvas,
        frame: (usize, usize),
        draw: &mut Draw,
    ) -> Self {
        Self {
            size: (width as f32, height as f32),
            shade: None,
            glare: Glare::draw(GLARE_GLASS, 1.0, draw),
            mirror: draw.roll(Effect::Mirror, MIRROR).map(|mut dice| Mirror {
                room,
                frame: (frame.0 as f32, frame.1 as f32),
                share: dice.between(MIRROR_SHARE.0, MIRROR_SHARE.1),
            }),
        }
    }

    /// Lights a spot.
    pub(super) fn fall(&self, spot: &Spot, colour: &mut Colour) {
        let (u, v) = (spot.u as f32, spot.v as f32);
        if let Some((lit, du, dv)) = self.shade {
            let by = lit * (1.0 + (u / self.size.0 - 0.5) * du + (v / self.size.1 - 0.5) * dv);
            for c in colour.iter_mut() {
                *c *= by;
            }
        }
        if let Some(glare) = &self.glare {
            let long = self.size.0.max(self.size.1);
            let add = glare.at(
                (u - self.size.0 / 2.0) / long,
                (v - self.size.1 / 2.0) / long,
            );
            for c in colour.iter_mut() {
                *c += add;
            }
        }
        if let Some(mirror) = &self.mirror {
            let (w, h) = mirror.frame;
            // A mirror exchanges left and right.
            let at = |x: f32, n: usize| x * n as f32;
            let room = &mirror.room;
            let seen = room.at(
                at(1.0 - spot.x / w, room.width),
                at(spot.y / h, room.height),
            );
            for (c, seen) in colour.iter_mut().zip(seen) {
                *c += mirror.share * seen;
            }
        }
    }
}

impl Glare {
    fn draw(chance: f32, factor: f32, draw: &mut Draw) -> Option<Self> {
        let mut dice = draw.roll(Effect::Glare, chance)?;
        let mut light = factor * dice.between(GLARE_LIGHT.0, GLARE_LIGHT.1);
        let at = (0.5 * dice.signed(), 0.5 * dice.signed());
        let turned = (dice.unit() * TAU).sin_cos();
        let round = dice.chance(ROUND);
        let (half, soft) = if round {
            let radius = dice.factor(LAMP.0, LAMP.1);
            let oval = dice.factor(1.0 / OVAL, OVAL).sqrt();
            ((radius * oval, radius / oval), None)
        } else {
            light *= WINDOW_LIGHT;
            let mut side = || dice.factor(WINDOW.0, WINDOW.1);
            let half = (side(), side());
            (half, Some(dice.factor(SOFT.0, SOFT.1)))
        };
        Some(Self {
            at,
            half,
            turned,
            soft,
            light,
        })
    }

    /// Levels that are added at a place, in sides of the sheet from its middle.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x - self.at.0, y - self.at.1);
        let (sin, cos) = self.turned;
        let (along, across) = (x * cos + y * sin, y * cos - x * sin);
        let (w, h) = self.half;
        let share = match self.soft {
            None => (-0.5 * ((along / w).powi(2) + (across / h).powi(2))).exp(),
            Some(soft) => {
                let edge = |off: f32, half: f32| {
                    let t = ((half - off.abs()) / soft + 0.5).clamp(0.0, 1.0);
                    t * t * (3.0 - 2.0 * t)
                };
                edge(along, w) * edge(across, h)
            }
        };
        self.light * share
    }
}

#[cfg(test)]
mod tests {
    use super::super::effects::Effects;
    use super::*;

    const SIZE: (usize, usize) = (100, 80);

    fn fallen(light: &Light, colour: Colour) -> Vec<Colour> {
        let mut all = Vec::new();
        for y in 0..SIZE.1 {
            for x in 0..SIZE.0 {
                let (u, v) = (x as f64 + 0.5, y as f64 + 0.5);
                let (x, y) = (u as f32, v as f32);
                let mut lit = colour;
                light.fall(&Spot { x, y, u, v }, &mut lit);
                all.push(lit);
            }
        }
        all
    }

    fn glass(effects: Effects, seed: u64) -> (Light, Effects) {
        let mut room = Canvas::even(ROOM, ROOM, [0.0; 3]);
        room.each(|x, _, p| *p = [if x < 20.0 { 250.0 } else { 0.0 }; 3]);
        let mut draw = Draw::new(seed, effects);
        let light = Light::on_glass(SIZE, room, SIZE, &mut draw);
        (light, draw.drawn())
    }

    #[test]
    fn glare_only_adds_and_is_seen() {
        let (mut some, mut wide) = (0, 0);
        for seed in 0..60 {
            let (light, drawn) = glass(Effects::only(Effect::Glare), seed);
            let lit = fallen(&light, [40.0; 3]);
            assert!(
                lit.iter()
                    .all(|c| (40.0..151.0).contains(&c[0]) && c[0] == c[2])
            );
            let bright = lit.iter().filter(|c| c[0] > 45.0).count();
            assert!(drawn.has(Effect::Glare) || bright == 0);
            some += usize::from(bright > 0);
            wide += usize::from(bright > 4000);
        }
        assert!((15..45).contains(&some), "{some} of 60");
        assert!(wide < some, "none has an end");
    }

    #[test]
    fn the_room_is_the_other_way_round() {
        let mirrored = (0..40).map(|seed| glass(Effects::only(Effect::Mirror), seed));
        let (light, _) = mirrored
            .into_iter()
            .find(|(_, d)| d.has(Effect::Mirror))
            .unwrap();
        let lit = fallen(&light, [40.0; 3]);
        let (left, right) = (lit[40 * 100 + 5][0], lit[40 * 100 + 95][0]);
        assert!(left < 41.0 && right > 46.0, "{left} {right}");
    }

    #[test]
    fn paper_is_lit_as_its_scene_is() {
        let of = |level: f32, effects, seed| {
            let scene = Canvas::even(9, 9, [level; 3]);
            let light = Light::on_paper(SIZE, &scene, &mut Draw::new(seed, effects));
            let lit = fallen(&light, [100.0; 3]);
            lit.iter().map(|c| c[0]).sum::<f32>() / lit.len() as f32
        };
        let shade = Effects::only(Effect::Shade);
        let differ = (0..40).filter(|&s| of(40.0, shade, s) < of(180.0, shade, s) - 20.0);
        assert!((15..40).contains(&differ.count()));
        assert_eq!(of(40.0, Effects::NONE, 1), 100.0);
    }

    #[test]
    fn what_is_off_changes_nothing() {
        let (light, drawn) = glass(Effects::NONE, 5);
        assert!(fallen(&light, [40.0; 3]).iter().all(|c| *c == [40.0; 3]));
        assert_eq!(drawn, Effects::NONE);
    }
}
