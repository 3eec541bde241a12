// SPDX-License-Identifier: MIT OR Apache-2.0
//! From faces to an overlay composition. Bitmaps are painted when they are first needed; a frame that shows what the frame
//! before showed gets the same composition again.

use std::collections::HashMap;
use std::hash::Hash;

use gst_video::{VideoOverlayComposition, VideoOverlayRectangle};
use liveness::face::{Face, Label};

use super::draw::{Area, Look, place, strips};
use super::ink::Ink;
use super::paint::{self, Bitmap};
use super::words::{Words, gravest};
use crate::meta::Here;

/// Labels kept although no face has them now. A label that shows a score has one of 101 texts.
const SPARE: usize = 256;

/// What is shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Show {
    pub(super) words: Words,
    pub(super) boxes: bool,
    pub(super) labels: bool,
    pub(super) landmarks: bool,
}

/// What a frame shows of one face.
#[derive(Debug, PartialEq)]
struct Subject {
    label: Label,
    text: String,
    /// `None` for the line about lost faces.
    area: Option<Area>,
    boxed: bool,
    dots: Vec<(i32, i32)>,
}

fn subjects(look: &Look, show: &Show, here: &Here) -> Vec<Subject> {
    let text = |face| {
        let label = show.labels.then(|| show.words.label(face));
        label.unwrap_or_default()
    };
    let dots = |face: &Face| {
        let (w, h) = look.frame;
        let points = face.landmarks.iter().flatten().filter(|_| show.landmarks);
        let inside = |v: f32, size: i32| (0.0..size as f32).contains(&v);
        let points = points.filter(|p| inside(p.x, w) && inside(p.y, h));
        points
            .map(|p| (p.x.round() as i32, p.y.round() as i32))
            .collect()
    };
    let mut subjects: Vec<_> = here
        .faces
        .iter()
        .filter_map(|face| {
            let area = look.outline(&face.rect)?;
            Some(Subject {
                label: face.verdict.label,
                text: text(face),
                area: Some(area),
                boxed: show.boxes,
                dots: dots(face),
            })
        })
        .collect();
    if show.labels && !here.lost.is_empty() {
        subjects.push(Subject {
            label: gravest(&here.lost),
            text: show.words.status(&here.lost),
            area: None,
            boxed: false,
            dots: Vec::new(),
        });
    }
    subjects
}

/// A bitmap that GStreamer draws.
#[derive(Debug)]
pub(super) struct Picture {
    buffer: gst::Buffer,
    ink: Ink,
    size: (i32, i32),
}

impl Picture {
    /// From pixels in `ink`, `size` columns and rows of them.
    pub(super) fn new(ink: Ink, size: (i32, i32), data: Vec<u8>) -> Result<Self, String> {
        let mut buffer = gst::Buffer::from_mut_slice(data);
        let (w, h) = (size.0 as u32, size.1 as u32);
        if let Some(buffer) = buffer.get_mut() {
            let flags = gst_video::VideoFrameFlags::empty();
            gst_video::VideoMeta::add(buffer, flags, ink.format(), w, h)
                .map_err(|e| format!("cannot draw {w}x{h} pixels: {e}"))?;
        }
        Ok(Self { buffer, ink, size })
    }

    /// From what was painted, changed into `ink`.
    fn painted(ink: Ink, mut bitmap: Bitmap) -> Result<Self, String> {
        ink.dip(&mut bitmap.data);
        Self::new(ink, (bitmap.width, bitmap.height), bitmap.data)
    }

    /// Where it is drawn.
    pub(super) fn at(&self, x: i32, y: i32) -> VideoOverlayRectangle {
        let (w, h) = (self.size.0 as u32, self.size.1 as u32);
        VideoOverlayRectangle::new_raw(&self.buffer, x, y, w, h, self.ink.flags())
    }
}

/// The value of `key`, made where it is missing.
fn cached<'a, K: Eq + Hash + Clone, V>(
    map: &'a mut HashMap<K, (u64, V)>,
    frame: u64,
    key: &K,
    make: impl FnOnce() -> Result<V, String>,
) -> Result<&'a V, String> {
    if !map.contains_key(key) {
        map.insert(key.clone(), (frame, make()?));
    }
    map.get_mut(key)
        .map(|(used, value)| {
            *used = frame;
            &*value
        })
        .ok_or_else(|| "a bitmap got lost".to_owned())
}

/// What was painted, and what the last frame showed.
#[derive(Default)]
pub(super) struct Scene {
    look: Option<Look>,
    ink: Ink,
    labels: HashMap<(Label, String), (u64, Picture)>,
    outlines: HashMap<(Label, (i32, i32)), (u64, Bitmap)>,
    dots: HashMap<Label, (u64, Picture)>,
    frame: u64,
    last: Option<(Vec<Subject>, VideoOverlayComposition)>,
}

impl Scene {
    /// What is to be drawn; `None` where that is nothing.
    pub(super) fn compose(
        &mut self,
        look: &Look,
        ink: Ink,
        show: &Show,
        here: &Here,
    ) -> Result<Option<VideoOverlayComposition>, String> {
        if self.look.as_ref() != Some(look) || self.ink != ink {
            *self = Self {
                look: Some(look.clone()),
                ink,
                ..Self::default()
            };
        }
        let subjects = subjects(look, show, here);
        if let Some((_, composition)) = self.last.as_ref().filter(|(s, _)| *s == subjects) {
            return Ok(Some(composition.clone()));
        }
        self.frame += 1;
        let rectangles = self.rectangles(look, &subjects)?;
        self.forget();
        if rectangles.is_empty() {
            self.last = None;
            return Ok(None);
        }
        // By reference: gstreamer-video 0.25.4 leaks rectangles that are collected by value.
        let composition: VideoOverlayComposition = rectangles.iter().collect();
        self.last = Some((subjects, composition.clone()));
        Ok(Some(composition))
    }

    /// Boxes below landmarks below labels.
    fn rectangles(
        &mut self,
        look: &Look,
        subjects: &[Subject],
    ) -> Result<Vec<VideoOverlayRectangle>, String> {
        let mut out = Vec::new();
        for subject in subjects.iter().filter(|s| s.boxed) {
            self.outline(look, subject, &mut out)?;
        }
        for subject in subjects.iter().filter(|s| !s.dots.is_empty()) {
            let dot = cached(&mut self.dots, self.frame, &subject.label, || {
                Picture::painted(self.ink, paint::dot(look, subject.label)?)
            })?;
            let middle = look.dot;
            out.extend(
                subject
                    .dots
                    .iter()
                    .map(|p| dot.at(p.0 - middle.0, p.1 - middle.1)),
            );
        }
        // The line about lost faces has its place; the others make room.
        let mut taken = Vec::new();
        let (status, labels): (Vec<_>, Vec<_>) = subjects
            .iter()
            .filter(|s| !s.text.is_empty())
            .partition(|s| s.area.is_none());
        for subject in status.into_iter().chain(labels) {
            let key = (subject.label, subject.text.clone());
            let label = cached(&mut self.labels, self.frame, &key, || {
                Picture::painted(self.ink, paint::label(look, subject.label, &subject.text)?)
            })?;
            let corner = Area::new(2 * look.line.0, 2 * look.line.1, 0, 0);
            let face = subject.area.unwrap_or(corner);
            let spot = place(label.size, face, look.line, look.frame, &taken);
            out.push(label.at(spot.x, spot.y));
            taken.push(spot);
        }
        Ok(out)
    }

    /// The strips of a box.
    fn outline(
        &mut self,
        look: &Look,
        subject: &Subject,
        out: &mut Vec<VideoOverlayRectangle>,
    ) -> Result<(), String> {
        let Some(area) = subject.area else {
            return Ok(());
        };
        let corner = look.corner();
        let pattern = (area.w.min(2 * corner.0 + 1), area.h.min(2 * corner.1 + 1));
        let key = (subject.label, pattern);
        let ink = self.ink;
        let pattern = cached(&mut self.outlines, self.frame, &key, || {
            let mut pattern = paint::outline(look, subject.label, pattern)?;
            ink.dip(&mut pattern.data);
            Ok(pattern)
        })?;
        for strip in strips(area, look.stroke(), corner) {
            let from = (strip.x - area.x, strip.y - area.y);
            let cut = paint::cut(pattern, (area.w, area.h), corner, from, (strip.w, strip.h));
            let picture = Picture::new(ink, (cut.width, cut.height), cut.data)?;
            out.push(picture.at(strip.x, strip.y));
        }
        Ok(())
    }

    /// Lets bitmaps go that this frame did not need, where there are many.
    fn forget(&mut self) {
        let now = self.frame;
        if self.labels.len() > SPARE {
            self.labels.retain(|_, (used, _)| *used == now);
        }
        if self.outlines.len() > SPARE {
            self.outlines.retain(|_, (used, _)| *used == now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use liveness::geometry::Rect;

    fn face(x: f32, label: Label) -> Face {
        let mut face = Face {
            rect: Rect::new(x, 60.0, 70.0, 80.0),
            ..Face::default()
        };
        face.verdict.label = label;
        face
    }

    fn show() -> Show {
        Show {
            words: Words::default(),
            boxes: true,
            labels: true,
            landmarks: true,
        }
    }

    #[test]
    fn what_does_not_change_is_not_made_again() {
        gst::init().unwrap();
        let look = Look::new((320, 240), 1.0, 1.0, "Sans");
        let mut scene = Scene::default();
        let mut here = Here {
            faces: vec![face(50.0, Label::Live), face(150.0, Label::Spoof)],
            lost: Vec::new(),
        };
        let mut seqnum = |here: &Here| {
            let composition = scene
                .compose(&look, Ink::Rgb, &show(), here)
                .unwrap()
                .unwrap();
            assert_eq!(composition.n_rectangles(), 2 * (4 + 1));
            composition.seqnum()
        };
        let first = seqnum(&here);
        assert_eq!(seqnum(&here), first);
        here.faces[0].rect.x += 1.0;
        assert_ne!(seqnum(&here), first);
        assert_eq!((scene.labels.len(), scene.outlines.len()), (2, 2));
    }

    #[test]
    fn caches_do_not_grow_for_ever() {
        gst::init().unwrap();
        let look = Look::new((64, 48), 1.0, 1.0, "Sans");
        let (mut scene, mut show) = (Scene::default(), show());
        show.words.ids = true;
        for id in 0..2 * SPARE as u32 {
            let mut face = face(5.0, Label::Live);
            (face.id, face.rect.w) = (id, 10.0);
            let here = Here {
                faces: vec![face],
                lost: Vec::new(),
            };
            scene.compose(&look, Ink::Rgb, &show, &here).unwrap();
        }
        assert!(scene.labels.len() <= SPARE + 1);
    }

    #[test]
    fn nothing_to_show_is_nothing() {
        gst::init().unwrap();
        let look = Look::new((320, 240), 1.0, 1.0, "Sans");
        let mut scene = Scene::default();
        let nothing = Here::default();
        assert!(
            scene
                .compose(&look, Ink::Rgb, &show(), &nothing)
                .unwrap()
                .is_none()
        );
        let lost = Here {
            faces: Vec::new(),
            lost: vec![face(5.0, Label::Live)],
        };
        let line = scene
            .compose(&look, Ink::Rgb, &show(), &lost)
            .unwrap()
            .unwrap();
        assert_eq!(line.n_rectangles(), 1);
    }
}
