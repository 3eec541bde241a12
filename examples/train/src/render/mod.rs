// SPDX-License-Identifier: MIT OR Apache-2.0
//! Spoofs out of live faces: what a camera would see if the picture of a face were printed, or shown on a screen, and held up before another
//! place. The same seed gives the same picture. Knows pixels and boxes, no files.
//!
//! The steps are those of the world, in its order: a part of the picture is shown ([`scene`]), on [`paper`] or a [`screen`], which is held
//! before the camera ([`warp`]) in some [`light`]; the [`camera`] comes last.

mod camera;
mod canvas;
mod effects;
mod light;
mod paper;
mod scene;
mod screen;
pub mod sheet;
mod warp;

use liveness::dataset::picture::{Renderer, Rgb};
use liveness::geometry::Rect;
use liveness::image::Pixels;
use liveness::resize::Window;

pub use effects::{Effect, Effects};

use crate::augment::blur::Blur;
use crate::augment::coding::Coder;
use canvas::Canvas;
use effects::Draw;
use light::{Light, ROOM};
use scene::Place;
use screen::Raster;
use warp::{At, Sheet};

/// Side of a face in pixels that ranges of blur are meant for: a webcam's, at arm's length.
const USUAL: f32 = 112.0;

/// Over how many pixels of the frame the edge of a sheet fades: a lens in focus spreads a point over one to two.
const SOFT: (f32, f32) = (1.0, 2.2);

/// What shows the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A photo on paper.
    Print,
    /// A screen.
    Replay,
}

impl Kind {
    /// `print` or `replay`: the label in a data set.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Print => "print",
            Self::Replay => "replay",
        }
    }
}

/// A face in a picture.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The whole picture.
    pub picture: &'a dyn Pixels,
    /// Where the face is, in its pixels.
    pub face: Rect,
}

/// What is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// What shows the face.
    pub kind: Kind,
    /// What may be done to it.
    pub effects: Effects,
    /// Longer side of the face's box in the result, in pixels. It is less where the face has not half as many.
    pub side: f32,
    /// Decides everything else.
    pub seed: u64,
}

/// A spoof.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoof {
    /// The whole frame.
    pub picture: Rgb,
    /// Where the face is in it, in pixels. It may reach outside.
    pub face: Rect,
    /// What was done.
    pub effects: Effects,
}

/// Renders spoofs; keeps its memory from one to the next.
#[derive(Debug, Default)]
pub struct Studio {
    renderer: Renderer,
    blur: Blur,
    coder: Coder,
}

impl Studio {
    /// Renders a spoof of a face before a scene.
    ///
    /// # Errors
    /// Where the face lies outside of its picture.
    pub fn render(
        &mut self,
        live: &Subject,
        scene: &dyn Pixels,
        order: &Order,
    ) -> Result<Spoof, String> {
        let mut draw = Draw::new(order.seed, order.effects);
        let draw = &mut draw;
        let layout = live.picture.layout();
        let size = (layout.width, layout.height);
        let place = Place::draw(&live.face, size, order.side, draw)?;
        let mut rgb = Rgb::default();
        self.renderer
            .render(live.picture, place.shown, place.size, &mut rgb);
        let shown = Canvas::from(&rgb);
        let mut frame = place.behind(scene, draw, &mut self.renderer, &mut self.blur);
        let face = match order.kind {
            Kind::Print => self.print(shown, &place, &mut frame, draw),
            Kind::Replay => self.replay(shown, scene, &place, &mut frame, draw),
        };
        let mut picture = frame.rgb();
        camera::record(&mut picture, draw, &mut self.blur, &mut self.coder);
        Ok(Spoof {
            picture,
            face: face.ok_or("its face cannot be held so")?,
            effects: draw.drawn(),
        })
    }

    fn print(
        &mut self,
        mut shown: Canvas,
        place: &Place,
        frame: &mut Canvas,
        draw: &mut Draw,
    ) -> Option<Rect> {
        let paper = paper::print(&mut shown, draw);
        paper::halftone(&mut shown, coarser(place), draw);
        let (mut sheet, corner) = paper::with_border(shown, &paper, draw);
        paper::texture(&mut sheet, draw);
        let bend = paper::bend(&mut sheet, draw);
        let sheet = camera::focus(sheet, place.side, draw, &mut self.blur);
        let size = (sheet.width, sheet.height);
        let light = Light::on_paper(size, frame, draw);
        let face = moved(&place.face, corner);
        let held = Sheet {
            picture: &sheet,
            to_frame: place.held(size, &face, draw)?,
            bend,
            soft: soft(draw),
        };
        held.lay(frame, |spot, colour| light.fall(spot, colour));
        seen(&held, &face)
    }

    fn replay(
        &mut self,
        mut shown: Canvas,
        scene: &dyn Pixels,
        place: &Place,
        frame: &mut Canvas,
        draw: &mut Draw,
    ) -> Option<Rect> {
        screen::show(&mut shown, draw);
        let (w, h) = (shown.width as f32, shown.height as f32);
        let (sheet, corner) = screen::with_bezel(shown, draw);
        let sheet = camera::focus(sheet, place.side, draw, &mut self.blur);
        let size = (sheet.width, sheet.height);
        let light = Light::on_glass(size, self.room(scene), place.frame, draw);
        let face = moved(&place.face, corner);
        let to_frame = place.held(size, &face, draw)?;
        let lit = moved(&Rect::new(0.0, 0.0, w, h), corner);
        let raster = Raster::draw(lit, &to_frame, coarser(place), draw);
        let held = Sheet {
            picture: &sheet,
            to_frame,
            bend: None,
            soft: soft(draw),
        };
        held.lay(frame, |spot, colour| {
            raster.shine(spot, colour);
            light.fall(spot, colour);
        });
        seen(&held, &face)
    }

    /// The whole scene, small.
    fn room(&mut self, scene: &dyn Pixels) -> Canvas {
        let layout = scene.layout();
        let whole = Window {
            x: 0,
            y: 0,
            w: layout.width as i64,
            h: layout.height as i64,
        };
        let mut rgb = Rgb::default();
        self.renderer.render(scene, whole, (ROOM, ROOM), &mut rgb);
        Canvas::from(&rgb)
    }
}

/// How much coarser the coarsest patterns are where a face has more than [`USUAL`] pixels: the same sheet, taken from nearer or by more of them.
fn coarser(place: &Place) -> f32 {
    (place.side / USUAL).max(1.0)
}

fn soft(draw: &Draw) -> f64 {
    draw.dice(3).between(SOFT.0, SOFT.1).into()
}

fn moved(rect: &Rect, (x, y): (usize, usize)) -> Rect {
    Rect::new(rect.x + x as f32, rect.y + y as f32, rect.w, rect.h)
}

/// The box of a face on a sheet, as it is seen. A face fills the ellipse in its box; around the corners there would be a larger one, the more
/// the sheet is turned, and detectors give none.
fn seen(sheet: &Sheet, face: &Rect) -> Option<Rect> {
    const AROUND: usize = 64;
    let middle = face.center();
    let (mut low, mut high): (Option<At>, Option<At>) = (None, None);
    for i in 0..AROUND {
        let (sin, cos) = (std::f32::consts::TAU * i as f32 / AROUND as f32).sin_cos();
        let (u, v) = (middle.x + cos * face.w / 2.0, middle.y + sin * face.h / 2.0);
        let (x, y) = sheet.seen((u.into(), v.into()))?;
        low = Some(low.map_or((x, y), |l| (l.0.min(x), l.1.min(y))));
        high = Some(high.map_or((x, y), |h| (h.0.max(x), h.1.max(y))));
    }
    let ((x1, y1), (x2, y2)) = (low?, high?);
    Some(Rect::from_corners(
        x1 as f32, y1 as f32, x2 as f32, y2 as f32,
    ))
}

#[cfg(test)]
mod tests;
