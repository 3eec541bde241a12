// SPDX-License-Identifier: MIT OR Apache-2.0
//! Following faces over frames: the same number for the same face, and where it is between two looks. Knows no pixels.
//!
//! After ByteTrack (Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022): what moves
//! at constant velocity is looked for where it should be by now, confident faces first, faint ones last, and what is lost is kept for a while.
//! Beside overlap, distance counts, as small fast faces do not overlap with where they were.

use std::cmp::Ordering;
use std::time::Duration;

use crate::face::{Face, Landmarks};
use crate::geometry::Rect;

mod assign;
mod clock;
mod motion;

use assign::Assignment;
pub(crate) use clock::Clock;
use motion::{Motion, center, size};

/// Faces from this score on choose their tracks first: ByteTrack's upper threshold.
const CONFIDENT: f32 = 0.6;
/// A face that is followed goes on from this share of the score that a new one needs: turned away, blurred or half hidden it scores less, and is
/// still there. With the detector that ships, 0.51 instead of 0.64: then no frame of the clips that this was tried on lacks its face.
pub const FAINT: f32 = 0.8;
/// Overlap (IoU) with where it should be that a faint face needs: ByteTrack's second association.
const FAINT_OVERLAP: f32 = 0.5;
/// How long a face that is not seen any more is remembered, in seconds: ByteTrack's 30 frames at 30 frames a second. Also
/// the longest time that it is taken to move on by itself, and the longest break between frames that it outlives.
pub(crate) const KEPT: f64 = 1.0;
/// The same in looks, where a stream's times hardly move: nothing may pile up.
pub(crate) const KEPT_LOOKS: u32 = 300;

/// Overlap (IoU) from which on a face may be the one that was expected: ByteTrack's, whose matching ends at a distance of 0.8.
const OVERLAP: f32 = 0.2;
/// Without overlap it may be this many standard deviations from where it was expected …
const REACH: f64 = 3.0;
/// … and this many of its own sizes.
const FARTHEST: f64 = 2.0;
/// And this many from where it was seen last, if it has turned back.
const FARTHEST_BACK: f64 = 1.0;
/// How many times larger or smaller it may have become, as a ratio of sizes.
pub(crate) const LARGEST_RATIO: f32 = 2.0;
/// What it costs that a face became e times larger or smaller, against 1 for no overlap.
const RATIO_COST: f32 = 0.5;
/// What it costs to match a track with nobody: above the costs of all pairs that matter, below those of two bad pairs.
const ALONE: f32 = 1.5;

/// One face that is followed.
#[derive(Clone, Debug)]
struct Track {
    id: u64,
    motion: Motion,
    /// Where it was seen last.
    seen: Rect,
    landmarks: Option<Landmarks>,
    /// Seconds and looks since.
    unseen: f64,
    missed: u32,
    /// Seconds since it was more than faint.
    faint: f64,
}

/// Gives faces the numbers of their tracks, frame by frame.
///
/// Numbers start at 1 and are never given to another face, whatever happens in between, for as long as the tracker lives.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    tracks: Vec<Track>,
    last_id: u64,
    clock: Clock,
    /// Seconds since the last look, and between the last two.
    since: f64,
    interval: f64,
    /// Score of a face that was not faint at the last look.
    sure: f32,
    scratch: Scratch,
}

/// Memory that is used again for each frame.
#[derive(Clone, Debug, Default)]
struct Scratch {
    /// Faces in an order that does not depend on that of the input.
    order: Vec<usize>,
    /// Those of them, and the tracks, that are matched at present.
    faces: Vec<usize>,
    tracks: Vec<usize>,
    costs: Vec<f32>,
    assignment: Assignment,
}

/// Faces are matched in rounds, the surest evidence first. Each takes what is left.
#[derive(Clone, Copy)]
enum Round {
    /// Confident faces that overlap with where they should be.
    Sure,
    /// All that do.
    Overlapping,
    /// Those near to where they should be, measured by how well that is known.
    Near,
    /// Those near to where they were seen last: they have turned back.
    Back,
    /// Faint ones where somebody should be. Not those that a sure one overlaps: who is being hidden by somebody is better lost and found again.
    Faint,
}

impl Round {
    /// The least overlap that makes a face the one that was expected, wherever its middle is.
    fn overlap(self) -> f32 {
        match self {
            Self::Faint => FAINT_OVERLAP,
            _ => OVERLAP,
        }
    }
}

impl Tracker {
    /// A tracker that has seen nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all faces: what comes is not the continuation of what was. The numbers go on.
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.clock = Clock::default();
        self.since = 0.0;
        self.interval = 0.0;
    }

    /// A frame that was looked at: sets [`Face::track`] of all its faces, `None` where a box is no box. No number occurs twice,
    /// and the order of the faces does not matter.
    ///
    /// A face of a score below `sure` is faint: it is that of somebody who is followed and was more than faint within the last second, or taken away.
    /// A detector that is to find such faces is asked for those from `sure` times [`FAINT`] on.
    ///
    /// `time` is the frame's on any clock, the same for all calls; the direction does not matter. Where it is not known or does
    /// not move, each call stands for one thirtieth of a second. After a break of more than a second, nobody is the
    /// same any more.
    pub fn update(&mut self, faces: &mut Vec<Face>, sure: f32, time: Option<Duration>) {
        self.pass(time);
        self.interval = std::mem::take(&mut self.since);
        for track in &mut self.tracks {
            track.motion.advance(self.interval, KEPT);
            track.unseen += self.interval;
            track.missed += 1;
            track.faint += self.interval;
        }
        // Who asks for surer faces gets them at once.
        if sure != std::mem::replace(&mut self.sure, sure) {
            self.tracks.iter_mut().for_each(|t| t.faint = f64::INFINITY);
        }
        self.scratch.order.clear();
        for (i, face) in faces.iter_mut().enumerate() {
            face.track = None;
            if face.rect.is_valid() {
                self.scratch.order.push(i);
            }
        }
        let order = &mut self.scratch.order;
        order.sort_unstable_by(|&a, &b| compare(&faces[a], &faces[b]));
        for round in [
            Round::Sure,
            Round::Overlapping,
            Round::Near,
            Round::Back,
            Round::Faint,
        ] {
            self.match_up(faces, sure, round);
        }
        for &i in &self.scratch.order {
            let face = &mut faces[i];
            if face.track.is_none() && face.score >= sure {
                self.last_id += 1;
                face.track = Some(self.last_id);
                self.tracks.push(Track::new(self.last_id, face));
            }
        }
        self.tracks
            .retain(|t| t.missed == 0 || (t.unseen <= KEPT && t.missed <= KEPT_LOOKS));
        faces.retain(|f| f.score >= sure || f.track.is_some());
    }

    /// A frame that was not looked at: moves `faces`, those of the last look, to where they should be by now. A face moves only
    /// as far as predictions of its motion came true before, for the time between the last two looks, and by its own size at most.
    /// `time` is as in [`Tracker::update`].
    pub fn predict(&mut self, faces: &mut [Face], time: Option<Duration>) {
        self.pass(time);
        let dt = self.since.min(self.interval);
        for face in faces {
            let own = |t: &&Track| face.track == Some(t.id) && t.missed == 0;
            if let Some(track) = self.tracks.iter().find(own) {
                track.show(face, dt, self.interval);
            }
        }
    }

    /// Lets the time of one frame pass.
    fn pass(&mut self, time: Option<Duration>) {
        let (step, broken) = self.clock.step(time);
        if broken {
            self.tracks.clear();
        }
        self.since += step;
    }

    /// Matches faces without a track and tracks without a face.
    fn match_up(&mut self, faces: &mut [Face], sure: f32, round: Round) {
        let Scratch {
            order,
            faces: open,
            tracks: free,
            costs,
            assignment,
        } = &mut self.scratch;
        open.clear();
        open.extend(order.iter().filter(|&&i| {
            let face = &faces[i];
            let due = match round {
                Round::Sure => face.score >= sure.max(CONFIDENT),
                Round::Faint => {
                    let hides = |f: &Face| f.score >= sure && f.rect.iou(&face.rect) > 0.0;
                    face.score < sure && !faces.iter().any(hides)
                }
                _ => face.score >= sure,
            };
            face.track.is_none() && due
        }));
        free.clear();
        free.extend((0..self.tracks.len()).filter(|&i| {
            let track = &self.tracks[i];
            // What is only faint for long is what somebody has left behind.
            let due = !matches!(round, Round::Faint) || track.faint <= KEPT;
            track.missed > 0 && due
        }));
        costs.clear();
        for &i in free.iter() {
            let track = &self.tracks[i];
            let (place, reach) = match round {
                Round::Sure | Round::Overlapping | Round::Faint => (track.expected(), 0.0),
                Round::Near => {
                    let reach = REACH * track.motion.doubt();
                    (track.expected(), reach.min(FARTHEST))
                }
                Round::Back => (track.seen, FARTHEST_BACK),
            };
            let overlap = round.overlap();
            let pairs = open
                .iter()
                .map(|&i| cost(&place, &faces[i].rect, overlap, reach));
            costs.extend(pairs);
        }
        assignment.solve(costs, open.len(), ALONE);
        for (&face, track) in open.iter().zip(&assignment.row_of) {
            if let Some(track) = track {
                let (track, face) = (&mut self.tracks[free[*track]], &mut faces[face]);
                track.found(face, self.interval);
                if face.score >= sure {
                    track.faint = 0.0;
                }
            }
        }
    }
}

impl Track {
    fn new(id: u64, face: &Face) -> Self {
        Self {
            id,
            motion: Motion::new(&face.rect),
            seen: face.rect,
            landmarks: face.landmarks,
            unseen: 0.0,
            missed: 0,
            faint: 0.0,
        }
    }

    /// This is the face, `interval` seconds after the last look.
    fn found(&mut self, face: &mut Face, interval: f64) {
        face.track = Some(self.id);
        let before = (self.missed == 1).then_some(&self.seen);
        self.motion.correct(&face.rect, before, interval);
        self.seen = face.rect;
        self.landmarks = face.landmarks;
        self.unseen = 0.0;
        self.missed = 0;
    }

    /// Its box where it should be at this look. Of the size that it had: nearing or going, a face changes it slowly.
    fn expected(&self) -> Rect {
        let [x, y] = self.motion.at();
        let Rect { w, h, .. } = self.seen;
        let edge = |center: f64, side: f32| (center - f64::from(side) / 2.0) as f32;
        Rect::new(edge(x, w), edge(y, h), w, h)
    }

    /// Moves `face` to where this should be `dt` seconds after the look.
    fn show(&self, face: &mut Face, dt: f64, interval: f64) {
        let [x, y] = self
            .motion
            .ahead(&self.seen, dt, interval)
            .map(|v| v as f32);
        let Rect { w, h, .. } = self.seen;
        let rect = Rect::new(self.seen.x + x, self.seen.y + y, w, h);
        if !rect.is_valid() {
            return;
        }
        face.rect = rect;
        face.landmarks = self.landmarks;
        for point in face.landmarks.iter_mut().flatten() {
            point.x += x;
            point.y += y;
        }
    }
}

/// What it costs to take a face for the one that was expected; infinite where it cannot be: neither overlaps it by `least` nor is within
/// `reach` sizes.
///
/// 1 - DIoU (Zheng et al., "Distance-IoU Loss", AAAI 2020): unlike IoU it tells near from far where nothing overlaps. And
/// something for another size, since who crosses somebody's way is often nearer to the camera or farther away.
fn cost(expected: &Rect, face: &Rect, least: f32, reach: f64) -> f32 {
    let ratio = (size(face) / size(expected)) as f32;
    let (a, b) = (center(expected), center(face));
    let distance = (a[0] - b[0]).hypot(a[1] - b[1]);
    let smaller = size(expected).min(size(face));
    let overlap = expected.iou(face);
    let alike = (1.0 / LARGEST_RATIO..=LARGEST_RATIO).contains(&ratio);
    if !alike || !(overlap >= least || distance <= reach * smaller) {
        return f32::INFINITY;
    }
    let width = expected.right().max(face.right()) - expected.x.min(face.x);
    let height = expected.bottom().max(face.bottom()) - expected.y.min(face.y);
    let apart = distance as f32 / width.hypot(height);
    let cost = 1.0 - overlap + apart * apart + RATIO_COST * ratio.ln().abs();
    // Boxes at the end of what a number can be.
    if cost.is_finite() {
        cost
    } else {
        f32::INFINITY
    }
}

/// The more confident first, then by place.
fn compare(a: &Face, b: &Face) -> Ordering {
    let key = |f: &Face| [-f.score, f.rect.x, f.rect.y, f.rect.w, f.rect.h];
    let pairs = key(a).into_iter().zip(key(b));
    pairs.fold(Ordering::Equal, |so_far, (a, b)| {
        so_far.then_with(|| a.total_cmp(&b))
    })
}

#[cfg(test)]
mod tests;
