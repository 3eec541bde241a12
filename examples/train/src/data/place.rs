// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the face is in a picture: as its manifest says, as the detector sees it, or because the picture is the face.

use liveness::dataset::record::Record;
use liveness::detect::{Detector, InputSize, Settings};
use liveness::geometry::Rect;
use liveness::image::View;
use liveness::model::ModelFile;
use liveness::runtime::Options;
use liveness_app::face;

use super::patch::{BoxFrom, Place};

/// What pictures are taken for crops of a face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Crops {
    /// Those that look like it and in which no face is found.
    #[default]
    Auto,
    /// All, with this margin: the sides of the picture over those of the face's box.
    All(f32),
    /// None: pictures without a face that is found are left out.
    None,
}

/// Margin of pictures that are taken for crops where nobody says it. The sides of the picture over those of YuNet's box are, in the
/// median, 1.07 in the crops of six webcam sets, 1.23 in those of CelebA-Spoof and 1.48 in those of CASIA-FASD.
pub const CROP_MARGIN: f32 = 1.2;

/// Long side of the second look for small faces where the first finds none.
const SECOND_LOOK: usize = 640;

/// A face in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// The face, in pixels of the frame.
    pub(super) face: Rect,
    /// Where the picture lies in the frame.
    pub(super) place: Place,
    /// How it was found.
    pub(super) from: BoxFrom,
}

/// Finds the face of a picture. Each thread has its own.
pub(super) struct Finder {
    detector: Option<Detector>,
    crops: Crops,
}

impl Finder {
    /// # Errors
    /// Where the detector cannot be opened.
    pub(super) fn open(detector: Option<&ModelFile>, crops: Crops) -> anyhow::Result<Self> {
        let open = |file| Detector::open(file, Options::default());
        Ok(Self {
            detector: detector.map(open).transpose()?,
            crops,
        })
    }

    /// The face that counts: the one that was recorded, else the largest.
    pub(super) fn find(
        &mut self,
        view: &View,
        size: (usize, usize),
        record: Option<&Record>,
    ) -> Result<Found, String> {
        if let Crops::All(margin) = self.crops {
            return Ok(whole(size, margin));
        }
        if let Some(found) = record.and_then(|r| recorded(r, size)) {
            return Ok(found);
        }
        let face = match &mut self.detector {
            Some(detector) => largest(detector, view)?,
            None => None,
        };
        if let Some(face) = face {
            return Ok(Found {
                face,
                place: alone(size),
                from: BoxFrom::Detector,
            });
        }
        if self.crops == Crops::Auto && face::looks_like_a_crop(size) {
            return Ok(whole(size, CROP_MARGIN));
        }
        Err(match self.detector {
            Some(_) => "no face was found in it".into(),
            None => "says no box of its face, and no detector was named".into(),
        })
    }
}

/// A picture that is the whole frame.
fn alone(size: (usize, usize)) -> Place {
    Place {
        origin: (0, 0),
        frame: size,
    }
}

/// A picture that is a crop: the box is its middle.
fn whole((width, height): (usize, usize), margin: f32) -> Found {
    let margin = margin.max(1.0);
    let (w, h) = (width as f32, height as f32);
    let side = |n: f32| (n - n / margin) / 2.0;
    Found {
        face: Rect::new(side(w), side(h), w / margin, h / margin),
        place: alone((width, height)),
        from: BoxFrom::WholePicture,
    }
}

/// The largest face of a picture; a second look, closer, where the first sees none.
fn largest(detector: &mut Detector, view: &View) -> Result<Option<Rect>, String> {
    const SQUARE_PIXELS: f64 = 1.0;
    let mut look = |input_size| -> liveness::error::Result<Option<Rect>> {
        let settings = Settings {
            input_size,
            ..Settings::default()
        };
        face::largest(detector, view, SQUARE_PIXELS, &settings)
    };
    let first = look(InputSize::Auto).map_err(|e| format!("its face cannot be looked for: {e}"))?;
    if first.is_some() {
        return Ok(first);
    }
    // Detectors with an input of their own size have no closer look.
    Ok(look(InputSize::LongSide(SECOND_LOOK)).unwrap_or(None))
}

/// Largest side of a frame that is believed, in pixels.
const MOST_SIDE: u32 = 1 << 20;

/// The largest face of a manifest's record; none where the picture was changed since, or the numbers make no sense.
fn recorded(record: &Record, (width, height): (usize, usize)) -> Option<Found> {
    let [x, y, w, h] = record.window;
    let [frame_w, frame_h] = record.frame_size;
    let sane = w > 0
        && h > 0
        && x.unsigned_abs().max(y.unsigned_abs()) <= u64::from(MOST_SIDE)
        && w.max(h) <= i64::from(MOST_SIDE)
        && (1..=MOST_SIDE).contains(&frame_w)
        && (1..=MOST_SIDE).contains(&frame_h);
    let as_saved = record.size.map(|n| n as usize) == [width, height];
    if !sane || !as_saved {
        return None;
    }
    let faces = record.faces.iter();
    let boxes = faces.map(|f| Rect::new(f.rect[0], f.rect[1], f.rect[2], f.rect[3]));
    let face = boxes
        .filter(Rect::is_valid)
        .max_by(|a, b| a.area().total_cmp(&b.area()))?;
    let place = |sx: f64, sy: f64| {
        let at = |n: i64, s: f64| (n as f64 * s).round() as i64;
        let side = |n: u32, s: f64| ((f64::from(n) * s).round() as usize).max(1);
        Place {
            origin: (at(x, sx), at(y, sy)),
            frame: (side(frame_w, sx), side(frame_h, sy)),
        }
    };
    let from = BoxFrom::Manifest;
    if (w, h) == (width as i64, height as i64) {
        let place = place(1.0, 1.0);
        return Some(Found { face, place, from });
    }
    let (sx, sy) = (width as f64 / w as f64, height as f64 / h as f64);
    let place = place(sx, sy);
    // To the picture as the manifest defines it, then to the frame whose pixels are as large as the picture's.
    let along = |v: f32, from: i64, s: f64, origin: i64| {
        ((f64::from(v) - from as f64) * s + origin as f64) as f32
    };
    let face = Rect::new(
        along(face.x, x, sx, place.origin.0),
        along(face.y, y, sy, place.origin.1),
        (f64::from(face.w) * sx) as f32,
        (f64::from(face.h) * sy) as f32,
    );
    Some(Found { face, place, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of docs/dataset.md: half the size.
    fn record() -> Record {
        let docs = include_str!("../../../../docs/dataset.md");
        let line = docs
            .lines()
            .find(|l| l.starts_with("{\"version\""))
            .unwrap();
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_recorded_box_is_mapped_into_the_picture() {
        let found = recorded(&record(), (180, 180)).unwrap();
        assert_eq!(found.place.frame, (640, 360));
        // 95 / 2 is rounded to a whole pixel of the frame.
        assert_eq!(found.place.origin, (205, 48));
        let face = found.face;
        assert_eq!((face.x - 205.0, face.y - 48.0), (30.0, 30.0));
        assert_eq!((face.w, face.h), (120.0, 120.0));
    }

    #[test]
    fn an_unscaled_one_stays_as_it_is_and_what_makes_no_sense_is_not_believed() {
        let mut plain = record();
        plain.size = [360, 360];
        let found = recorded(&plain, (360, 360)).unwrap();
        assert_eq!(found.face, Rect::new(470.0, 155.0, 240.0, 240.0));
        assert_eq!(
            (found.place.origin, found.place.frame),
            ((410, 95), (1280, 720))
        );
        assert_eq!(recorded(&plain, (180, 180)), None, "it was scaled since");
        let mut bad = plain.clone();
        bad.window = [0, 0, 0, 360];
        assert_eq!(recorded(&bad, (360, 360)), None);
        let mut bad = plain;
        bad.faces[0].rect = [f32::NAN; 4];
        assert_eq!(recorded(&bad, (360, 360)), None);
    }

    #[test]
    fn a_crop_is_the_face_with_its_margin() {
        let found = whole((200, 100), 2.0);
        assert_eq!(found.face, Rect::new(50.0, 25.0, 100.0, 50.0));
        assert_eq!(
            whole((200, 100), 0.1).face,
            Rect::new(0.0, 0.0, 200.0, 100.0)
        );
    }

    #[test]
    fn without_a_detector_pictures_are_crops_or_left_out() {
        let layout = liveness::image::Layout::rgb8(64, 64);
        let data = vec![0; 64 * 64 * 3];
        let plane = liveness::image::Plane {
            data: &data,
            stride: 192,
        };
        let view = View::new(&layout, &[plane]).unwrap();
        let find = |crops, size| Finder::open(None, crops).unwrap().find(&view, size, None);
        let from = |f: Result<Found, String>| f.map(|f| f.from);
        assert_eq!(from(find(Crops::Auto, (64, 64))), Ok(BoxFrom::WholePicture));
        assert!(
            from(find(Crops::Auto, (640, 480)))
                .unwrap_err()
                .contains("no detector")
        );
        assert!(from(find(Crops::None, (64, 64))).is_err());
        let asked = find(Crops::All(1.0), (640, 480)).unwrap();
        assert_eq!(asked.face, Rect::new(0.0, 0.0, 640.0, 480.0));
    }
}
