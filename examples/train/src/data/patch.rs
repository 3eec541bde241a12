// SPDX-License-Identifier: MIT OR Apache-2.0
//! A face with its surroundings, kept in memory: enough of the frame for every crop that augmentation may ask for, at no more
//! pixels than the model needs. Knows pixels and boxes, no files.

use std::path::PathBuf;

use liveness::crop::{Crop, Outside};
use liveness::dataset::hash::Hash;
use liveness::dataset::label::{Attack, Class};
use liveness::dataset::picture::{Renderer, Rgb};
use liveness::dataset::sample::{Layout, Subset};
use liveness::geometry::Rect;
use liveness::image::{self, Plane, View};
use liveness::quality::Quality;
use liveness::resize::{Border, Channels, Resizer, TensorFormat, Window};

use super::exact::Input;
use super::input::InputSpec;
use crate::augment::Stats;

/// Side of a patch over the side of the crop. The crop may be scaled by 1.2 and shifted by a tenth of it to both sides: 1.4; the rest
/// is for turning it. What reaches further is mirrored.
pub const ROOM: f64 = 1.5;

/// Pixels of the crop in a patch over the pixels of the model's input, at the least, where the picture has them: 1 would blur twice,
/// 2 would take four times the memory.
pub const RATIO: f64 = 1.25;

/// A patch that would be scaled by more than this is kept as it is: the memory saved (up to 36 %) is not worth the second filter.
const KEEP: f64 = 0.8;

/// Share of the crop that a picture must have, else it is short.
const ENOUGH: f64 = 0.9;

/// Largest box of a face as a multiple of the frame, as the classifier has it.
const LARGEST_BOX: f32 = 2.0;

/// Where in the frame something lies, in pixels of that something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its left top corner in the frame.
    pub origin: (i64, i64),
    /// Width and height of the frame.
    pub frame: (usize, usize),
}

/// How the box of a face was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BoxFrom {
    /// The manifest says it.
    Manifest,
    /// The detector found it.
    Detector,
    /// The whole picture is a crop of known margin.
    WholePicture,
}

/// What is known about a patch beside its pixels.
#[derive(Clone, Debug)]
pub struct About {
    /// The picture.
    pub path: PathBuf,
    /// Index of the folder that it came from.
    pub folder: usize,
    /// How that folder was recognised.
    pub layout: Layout,
    /// Live or spoof.
    pub class: Class,
    /// What the attack is made of, where somebody said.
    pub attack: Option<Attack>,
    /// What the data set calls the attack.
    pub species: Option<String>,
    /// The recording.
    pub session: String,
    /// What stays on one side of a split, by its name: see [`super::scan::Source::group`].
    pub group_name: String,
    /// The same as a number; [`super::group`] gives another where names tell nothing.
    pub group: u32,
    /// The part of its own split that the data set puts it in.
    pub subset: Option<Subset>,
    /// Width and height of the picture, in pixels.
    pub size: (usize, usize),
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// SHA-256 of the picture that it was rendered from, where no camera took it.
    pub rendered_of: Option<[u8; 32]>,
    /// Perceptual hash of the whole picture.
    pub hash: Hash,
    /// The face as it was found, in pixels of the frame.
    pub face: Rect,
    /// Where the left top corner of the picture lies in the frame.
    pub origin: (i64, i64),
    /// How the box was found.
    pub box_from: BoxFrom,
    /// The crop reaches further than the saved surroundings of the face, and was moved inside: not quite what the element sees.
    pub cramped: bool,
    /// A good part of the crop lies outside of the picture. Right for a face that fills a whole frame; a picture that was cut out of a
    /// frame lacks what the element will see.
    pub short: bool,
    /// How sharp and how bright the face is.
    pub quality: Quality,
}

/// A face with its surroundings: 8-bit RGB.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Three bytes a pixel, row by row.
    pub rgb: Vec<u8>,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// The face, in pixels of the patch.
    pub face: Rect,
    /// Where the patch lies in the frame, in pixels of the patch.
    pub place: Place,
    /// How the pixels lie.
    layout: image::Layout,
    /// Where the patch was scaled: what the element computes from the frame.
    pub input: Option<Input>,
    /// How bright, colourful, fine and compressed it is.
    pub stats: Stats,
    /// What else is known.
    pub about: About,
}

/// A picture with a face in it, from which a patch is to be cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    /// Three bytes a pixel, row by row.
    pub(super) rgb: &'a [u8],
    /// Width and height of the picture.
    pub(super) size: (usize, usize),
    /// The face, in pixels of the frame.
    pub(super) face: Rect,
    /// Where the picture lies in the frame.
    pub(super) place: Place,
}

/// The pixels of a patch and where they lie.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) rgb: Vec<u8>,
    pub(super) size: (usize, usize),
    pub(super) face: Rect,
    pub(super) place: Place,
    pub(super) input: Option<Input>,
    pub(super) cramped: bool,
    pub(super) short: bool,
    /// Width and height of the crop in pixels of the picture.
    pub(super) crop: (i64, i64),
}

/// Cuts patches; keeps its memory from one to the next.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    renderer: Renderer,
    resizer: Resizer,
    picture: Rgb,
    levels: Vec<f32>,
}

impl Cutter {
    /// The patch around a face.
    pub(super) fn cut(&mut self, scene: &Scene, spec: &InputSpec) -> Result<Cut, String> {
        let mut scene = *scene;
        let mut crop = scene.window(&spec.crop)?;
        let cramped = !scene.holds(&crop);
        if cramped {
            // What was not saved cannot be seen: the picture is the frame then.
            let (x, y) = scene.place.origin;
            scene.face.x -= x as f32;
            scene.face.y -= y as f32;
            scene.place = Place {
                origin: (0, 0),
                frame: scene.size,
            };
            crop = scene.window(&spec.crop)?;
        }
        let region = scene
            .region(&crop)
            .ok_or("its face lies outside of the picture")?;
        let short = scene.share(&spec.crop, &crop) < ENOUGH;
        let (window, border) = crop;
        let needed = |input: usize, side: i64| RATIO * input as f64 / side.max(1) as f64;
        let (width, height) = spec.size();
        let scale = needed(width, window.w).max(needed(height, window.h));
        let layout = image::Layout::rgb8(scene.size.0, scene.size.1);
        let plane = Plane {
            data: scene.rgb,
            stride: 3 * scene.size.0,
        };
        let view = View::new(&layout, &[plane]).map_err(|e| e.to_string())?;
        let crop_size = (window.w, window.h);
        if scale > KEEP {
            return Ok(Cut {
                rgb: scene.copy(region),
                size: (region.w as usize, region.h as usize),
                face: moved(&scene.face, (region.x, region.y)),
                place: Place {
                    origin: (region.x, region.y),
                    frame: scene.place.frame,
                },
                input: None,
                cramped,
                short,
                crop: crop_size,
            });
        }
        let (ox, oy) = scene.place.origin;
        let side = |n: i64| ((n as f64 * scale).round() as usize).max(1);
        let size = (side(region.w), side(region.h));
        let in_picture = |w: Window| Window {
            x: w.x - ox,
            y: w.y - oy,
            ..w
        };
        self.renderer
            .render(&view, in_picture(region), size, &mut self.picture);
        let format = TensorFormat::levels(width, height, Channels::Rgb);
        self.levels.resize(format.len(), 0.0);
        self.resizer.run(
            &view,
            in_picture(window),
            border,
            &format,
            (width, height),
            &mut self.levels,
        );
        let (sx, sy) = (
            size.0 as f64 / region.w as f64,
            size.1 as f64 / region.h as f64,
        );
        let frame = scene.place.frame;
        let scaled = |n: usize, s: f64| ((n as f64 * s).round() as usize).max(1);
        let at = |n: i64, s: f64| (n as f64 * s).round() as i64;
        Ok(Cut {
            rgb: self.picture.data.clone(),
            size,
            face: moved(&scene.face, (region.x, region.y)).scaled(sx as f32, sy as f32),
            place: Place {
                origin: (at(region.x, sx), at(region.y, sy)),
                frame: (scaled(frame.0, sx), scaled(frame.1, sy)),
            },
            input: Some(Input::new((width, height), &self.levels)),
            cramped,
            short,
            crop: crop_size,
        })
    }
}

/// A box seen from another origin.
fn moved(face: &Rect, (x, y): (i64, i64)) -> Rect {
    Rect::new(face.x - x as f32, face.y - y as f32, face.w, face.h)
}

impl Scene<'_> {
    /// The crop in pixels of the frame, for a box that the classifier would look at.
    fn window(&self, crop: &Crop) -> Result<(Window, Border), String> {
        let (width, height) = self.place.frame;
        let (w, h) = (width as f32, height as f32);
        let face = &self.face;
        let fits = face.is_valid() && face.w <= LARGEST_BOX * w && face.h <= LARGEST_BOX * h;
        if !fits || face.clamped(w, h).is_none() {
            return Err("its face lies outside of the picture".into());
        }
        Ok(crop.window(face, (width, height)))
    }

    /// Whether the picture has all of the frame that the crop shows.
    fn holds(&self, crop: &(Window, Border)) -> bool {
        self.axes(crop).iter().all(|axis| {
            let (from, to) = axis.seen();
            axis.picture.0 <= from && to <= axis.picture.1
        })
    }

    /// How much of the crop that was asked for is inside of the frame.
    fn share(&self, crop: &Crop, cut: &(Window, Border)) -> f64 {
        let unbounded = Crop {
            outside: Outside::Fill(Border::Black),
            ..*crop
        };
        let (asked, _) = unbounded.window(&self.face, self.place.frame);
        let inside = |axis: &Axis| (axis.crop.1.min(axis.frame) - axis.crop.0.max(0)).max(0) as f64;
        let [x, y] = &self.axes(cut);
        inside(x) * inside(y) / (asked.w * asked.h) as f64
    }

    /// The part of the picture to keep, in pixels of the frame: the crop with room around it, as far as the picture goes.
    fn region(&self, crop: &(Window, Border)) -> Option<Window> {
        let [x, y] = self.axes(crop).map(|axis| axis.kept());
        let (x, y) = (x?, y?);
        Some(Window {
            x: x.0,
            y: y.0,
            w: x.1 - x.0,
            h: y.1 - y.0,
        })
    }

    fn axes(&self, (window, border): &(Window, Border)) -> [Axis; 2] {
        let (x, y) = self.place.origin;
        let axis = |from: i64, side: i64, frame: usize, origin: i64, size: usize| Axis {
            crop: (from, from + side),
            frame: frame as i64,
            picture: (origin, origin + size as i64),
            mirrored: *border == Border::Reflect,
        };
        [
            axis(window.x, window.w, self.place.frame.0, x, self.size.0),
            axis(window.y, window.h, self.place.frame.1, y, self.size.1),
        ]
    }

    /// A part of the picture, in pixels of the frame, as it is.
    fn copy(&self, region: Window) -> Vec<u8> {
        let (ox, oy) = self.place.origin;
        let (x, y) = ((region.x - ox) as usize, (region.y - oy) as usize);
        let (w, h) = (region.w as usize, region.h as usize);
        let mut rgb = Vec::with_capacity(3 * w * h);
        for row in self.rgb.chunks_exact(3 * self.size.0).skip(y).take(h) {
            rgb.extend_from_slice(&row[3 * x..3 * (x + w)]);
        }
        rgb
    }
}

/// One axis of a crop: from and to, in pixels of the frame.
struct Axis {
    crop: (i64, i64),
    frame: i64,
    picture: (i64, i64),
    mirrored: bool,
}

impl Axis {
    /// What of the frame the crop shows; with a mirror at the frame's edge also what is seen in it.
    fn seen(&self) -> (i64, i64) {
        let (mut from, mut to) = (self.crop.0.max(0), self.crop.1.min(self.frame));
        if self.mirrored {
            if self.crop.0 < 0 {
                to = to.max(1 - self.crop.0);
            }
            if self.crop.1 > self.frame {
                from = from.min(2 * self.frame - 1 - self.crop.1);
            }
        }
        (from.max(0), to.min(self.frame))
    }

    /// What is kept of the picture: what is seen and room around the crop.
    fn kept(&self) -> Option<(i64, i64)> {
        let room = ((self.crop.1 - self.crop.0) as f64 * (ROOM - 1.0) / 2.0).ceil() as i64;
        let (from, to) = self.seen();
        let from = from.min(self.crop.0 - room).max(self.picture.0);
        let to = to.max(self.crop.1 + room).min(self.picture.1);
        (from < to).then_some((from, to))
    }
}

impl Patch {
    pub(super) fn new(cut: Cut, stats: Stats, about: About) -> Self {
        let (width, height) = cut.size;
        Self {
            rgb: cut.rgb,
            width,
            height,
            face: cut.face,
            place: cut.place,
            layout: image::Layout::rgb8(width, height),
            input: cut.input,
            stats,
            about,
        }
    }

    /// Whether it is live.
    pub fn is_live(&self) -> bool {
        self.about.class == Class::Live
    }

    /// The crop for a box, both in pixels of the patch, as [`Crop::window`] cuts it in the whole frame.
    pub fn window(&self, crop: &Crop, face: &Rect) -> (Window, Border) {
        window(crop, face, &self.place)
    }

    /// Its pixels for the library.
    ///
    /// # Errors
    /// [`liveness::Error::Frame`] where somebody changed its size and not its pixels.
    pub fn view(&self) -> liveness::error::Result<View<'_>> {
        let plane = Plane {
            data: &self.rgb,
            stride: 3 * self.width,
        };
        View::new(&self.layout, &[plane])
    }

    /// Bytes of its pixels in memory.
    pub fn bytes(&self) -> usize {
        self.rgb.len() + self.input.as_ref().map_or(0, Input::bytes)
    }
}

/// The crop for a box that lies in a part of the frame, both in pixels of that part.
pub(crate) fn window(crop: &Crop, face: &Rect, place: &Place) -> (Window, Border) {
    let (x, y) = place.origin;
    let in_frame = moved(face, (-x, -y));
    let (window, border) = crop.window(&in_frame, place.frame);
    let window = Window {
        x: window.x - x,
        y: window.y - y,
        ..window
    };
    // A crop that is moved inside leaves nothing outside to fill; once it is turned, its corners do.
    match crop.outside {
        Outside::Shift => (window, Border::Reflect),
        Outside::Fill(_) => (window, border),
    }
}

#[cfg(test)]
mod tests;
