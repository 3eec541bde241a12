// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames with faces in, a data set out: measures, chooses, has it saved.
//!
//! What is chosen follows from the frames and from what the data set held alone, in the order of the frames, so that a source that
//! is run again after it was cut short gives what it would have given in one go. Only where the workers of a live source cannot keep
//! up are pictures left out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

mod best;
mod face;
mod put;
#[cfg(test)]
mod tests;

use self::best::{Best, Chosen};
use self::face::face_record;
use self::put::put;
use super::hash::{Hash, PerceptualHasher};
use super::index::Index;
use super::pace::Pace;
use super::picture::{Coding, MOST_SIDE, Renderer, Rgb, scaled};
use super::record::{Kind, Record, VERSION};
use super::rules::{Mode, Refusal, Rules, Tally};
use super::store::{Saved, Store};
use super::writer::{Job, Picture, Stop, Writer};
use crate::error::{Error, Result};
use crate::face::Face;
use crate::image::{Held, Pixels};
use crate::quality::{Meter, Quality, is_cut_off};
use crate::resize::Window;
use crate::sync::lock;

/// What is saved, and how.
#[derive(Clone, Debug)]
pub struct Output {
    /// The data set's folder.
    pub folder: PathBuf,
    /// What the pictures are called, and the folder in it that they go to; empty for none.
    pub label: String,
    /// How they are coded.
    pub coding: Coding,
    /// Length of a picture's longer side in pixels; 0: as it is in the frame.
    pub side: u32,
    /// Whether each must be on the disk before it counts as saved.
    pub durable: bool,
    /// Threads that draw and code; 0: one per core.
    pub workers: usize,
    /// What the manifest names as its writer.
    pub tool: String,
}

/// Where the frames come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// See [`Record::session`].
    pub session: String,
    /// See [`Record::source`].
    pub source: String,
}

/// What happened to pictures, told from the threads that save them.
#[derive(Debug)]
pub enum Event<T> {
    /// One was saved; what was handed in with its frame comes back.
    Saved(Box<Saved>, T),
    /// One could not be, and no more will be.
    Failed(Error),
}

/// Why a frame was not dealt with to its end.
#[derive(Debug)]
pub enum Halt {
    /// The caller's wish, see [`Collector::frame`].
    Interrupted,
    /// Saving failed before; [`Event::Failed`] told why.
    Failed,
    /// The frame cannot be read.
    Unreadable(Error),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupted => Self::Interrupted,
            Stop::Failed => Self::Failed,
        }
    }
}

/// A frame to look at.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Its stream time.
    pub stream_time: Option<Duration>,
    /// Its width and height in pixels.
    pub size: (usize, usize),
    /// Faces whose place in it is known.
    pub faces: &'a [Face],
    /// How many faces it has beside these.
    pub lost: usize,
    /// Whether its source is live: then nothing waits for a worker.
    pub live: bool,
}

/// Builds a data set out of frames.
pub struct Collector<T> {
    rules: Rules,
    side: u32,
    tool: String,
    label: String,
    origin: Origin,
    meter: Meter,
    hasher: PerceptualHasher,
    renderer: Renderer,
    index: Arc<Mutex<Index>>,
    tally: Arc<Mutex<Tally>>,
    writer: Arc<Writer<T>>,
    pace: Pace,
    /// Pictures since the collector was opened that the data set got or had already.
    taken: u64,
    quota: HashMap<u64, u32>,
    best: Best<T>,
}

/// A face that passed the filters.
struct Candidate<'a> {
    face: &'a Face,
    quality: Quality,
    window: Window,
    hash: Hash,
}

/// Lets another thread interrupt one that waits in [`Collector::frame`].
#[derive(Clone)]
pub struct Interrupter(Arc<dyn Fn(bool) + Send + Sync>);

impl Interrupter {
    /// While `on`, waiting ends.
    pub fn set(&self, on: bool) {
        (self.0)(on);
    }
}

impl<T: Clone + Send + 'static> Collector<T> {
    /// Opens the data set. `told` hears of each picture, in their order, from the threads that save them.
    ///
    /// # Errors
    /// [`Error::DataSet`] and [`Error::Option`] as [`Store::open`] and [`Rules::check`] give them.
    pub fn open(
        output: &Output,
        rules: Rules,
        told: impl FnMut(Event<T>) + Send + 'static,
    ) -> Result<Self> {
        rules.check()?;
        if output.side > MOST_SIDE {
            return Err(Error::Option(format!(
                "size {} is above {MOST_SIDE} pixels",
                output.side
            )));
        }
        let (store, records) = Store::open(&output.folder, &output.label, output.durable)?;
        let mut index = Index::default();
        for record in records.iter().filter(|r| r.label == output.label) {
            index.add(record);
        }
        let index = Arc::new(Mutex::new(index));
        let tally = Arc::new(Mutex::new(Tally::default()));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if output.workers == 0 {
            cores
        } else {
            output.workers
        };
        let work = store.work();
        let put = put(store, index.clone(), tally.clone(), told);
        Ok(Self {
            pace: Pace::new(rules.interval, rules.interval_time),
            rules,
            side: output.side,
            tool: output.tool.clone(),
            label: output.label.clone(),
            origin: Origin::default(),
            meter: Meter::default(),
            hasher: PerceptualHasher::default(),
            renderer: Renderer::default(),
            index,
            tally,
            writer: Arc::new(Writer::start(work, output.coding, workers, put)?),
            taken: 0,
            quota: HashMap::new(),
            best: Best::default(),
        })
    }

    /// What became of all frames until now. Pictures that are still being saved are in none of the numbers.
    pub fn tally(&self) -> Arc<Mutex<Tally>> {
        self.tally.clone()
    }

    /// For another thread.
    pub fn interrupter(&self) -> Interrupter {
        let writer = self.writer.clone();
        Interrupter(Arc::new(move |on| writer.interrupt(on)))
    }

    /// Frames that are held at most, while they wait for a worker or are drawn.
    pub fn most_held(&self) -> usize {
        self.writer.most()
    }

    /// Other rules from the next frame on.
    pub fn set_rules(&mut self, rules: Rules) {
        self.pace.set(rules.interval, rules.interval_time);
        self.rules = rules;
    }

    /// Where the frames from now on come from: they are counted from 0 again, and their tracks are others than before.
    pub fn begin(&mut self, origin: Origin) {
        self.origin = origin;
        self.pace.reset();
        self.quota.clear();
        self.jump();
    }

    /// The next frame does not follow the last one. Tracks of before have ended.
    pub fn jump(&mut self) {
        self.pace.jump();
        self.best.cut();
    }

    /// Looks at a frame, and has pictures of it saved. `tag` comes back with each of them. Waits for room where the source is not
    /// live; when that is interrupted, `go_on` is asked.
    ///
    /// # Errors
    /// [`Halt`].
    pub fn frame(
        &mut self,
        frame: &Arc<dyn Held>,
        seen: &Seen<'_>,
        tag: &T,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), Halt> {
        let number = self.pace.frames();
        let due = self.pace.due(seen.stream_time);
        {
            let mut tally = lock(&self.tally);
            tally.frames += 1;
            if !due {
                return Ok(());
            }
            tally.looked += 1;
            tally.faces += (seen.faces.len() + seen.lost) as u64;
            tally.refuse(Refusal::NoPlace, seen.lost);
        }
        let wait = &mut Wait {
            live: seen.live,
            go_on,
        };
        let candidates = self.candidates(frame, seen)?;
        if self.rules.mode == Mode::Frames {
            self.whole_frame(frame, seen, number, candidates, tag, wait)?;
        } else if self.rules.best_of_track {
            self.compare(frame, seen, number, candidates, tag, wait)?;
        } else {
            let mut taken = Vec::new();
            for candidate in candidates {
                if self.one_face(frame, seen, number, &candidate, tag, wait)? {
                    taken.push(candidate);
                }
            }
            if self.rules.mode == Mode::Both {
                self.whole_frame(frame, seen, number, taken, tag, wait)?;
            }
        }
        self.end_tracks(number, seen.stream_time, false, wait)
    }

    /// Has the best pictures of all tracks saved, and waits until everything is.
    ///
    /// # Errors
    /// [`Halt`].
    pub fn end(&mut self) -> Result<Tally, Halt> {
        let wait = &mut Wait {
            live: false,
            go_on: &mut || true,
        };
        self.end_tracks(self.pace.frames(), None, true, wait)?;
        self.writer.drain()?;
        Ok(*lock(&self.tally))
    }

    fn refuse(&self, why: Refusal, faces: usize) {
        lock(&self.tally).refuse(why, faces);
    }

    /// The faces of a frame that pass the filters, measured.
    fn candidates<'a>(
        &mut self,
        frame: &Arc<dyn Held>,
        seen: &Seen<'a>,
    ) -> Result<Vec<Candidate<'a>>, Halt> {
        let area = |f: &Face| f.rect.area();
        let largest = seen.faces.iter().map(area).fold(0.0, f32::max);
        let mut candidates = Vec::new();
        for face in seen.faces {
            let r = &face.rect;
            let why = if !r.is_valid() {
                Some(Refusal::NoPlace)
            } else if self.rules.largest_only && area(face) < largest {
                Some(Refusal::NotLargest)
            } else if face.score < self.rules.min_confidence {
                Some(Refusal::LowConfidence)
            } else if r.w.min(r.h) < self.rules.min_face_size {
                Some(Refusal::TooSmall)
            } else if !self.rules.allow_cut_off && is_cut_off(r, seen.size) {
                Some(Refusal::CutOff)
            } else {
                None
            };
            match why {
                Some(why) => self.refuse(why, 1),
                None => candidates.push(Candidate {
                    face,
                    quality: Quality::default(),
                    window: self.rules.crop().window(r, seen.size).0,
                    hash: Hash::default(),
                }),
            }
        }
        if candidates.is_empty() {
            return Ok(candidates);
        }
        let (meter, hasher, rules) = (&mut self.meter, &mut self.hasher, &self.rules);
        let tally = &self.tally;
        let mut measure = |pixels: &dyn Pixels| {
            candidates.retain_mut(|c| {
                c.quality = meter.measure(pixels, &c.face.rect);
                let why = if c.quality.exposure < rules.min_exposure {
                    Refusal::Dark
                } else if c.quality.exposure > rules.max_exposure {
                    Refusal::OverExposed
                } else if c.quality.sharpness < rules.min_sharpness {
                    Refusal::Blurred
                } else {
                    c.hash = hasher.hash(pixels, c.window);
                    return true;
                };
                lock(tally).refuse(why, 1);
                false
            });
        };
        frame.read(&mut measure).map_err(Halt::Unreadable)?;
        Ok(candidates)
    }

    /// Whether a track may have another picture.
    fn has_quota(&self, face: &Face) -> bool {
        let used = face.track.and_then(|t| self.quota.get(&t));
        used.is_none_or(|n| *n < self.rules.per_track())
    }

    fn use_quota(&mut self, track: Option<u64>) {
        if let Some(track) = track {
            *self.quota.entry(track).or_default() += 1;
        }
    }

    /// One face into one picture. Whether the data set has it now.
    fn one_face(
        &mut self,
        frame: &Arc<dyn Held>,
        seen: &Seen<'_>,
        number: u64,
        candidate: &Candidate<'_>,
        tag: &T,
        wait: &mut Wait<'_>,
    ) -> Result<bool, Halt> {
        if !self.has_quota(candidate.face) {
            self.refuse(Refusal::MaxPerTrack, 1);
            return Ok(false);
        }
        let faces = std::slice::from_ref(candidate);
        let record = self.record(
            Kind::Face,
            seen,
            number,
            candidate.window,
            candidate.hash,
            faces,
        );
        let picture = Picture::Of(frame.clone(), candidate.window);
        let taken = self.admit(record, picture, tag.clone(), wait)?;
        if taken {
            self.use_quota(candidate.face.track);
        }
        Ok(taken)
    }

    /// A whole frame with these faces into one picture.
    fn whole_frame(
        &mut self,
        frame: &Arc<dyn Held>,
        seen: &Seen<'_>,
        number: u64,
        mut faces: Vec<Candidate<'_>>,
        tag: &T,
        wait: &mut Wait<'_>,
    ) -> Result<(), Halt> {
        let counts = self.rules.mode == Mode::Frames;
        if counts {
            let before = faces.len();
            faces.retain(|c| self.has_quota(c.face));
            self.refuse(Refusal::MaxPerTrack, before - faces.len());
        }
        if faces.is_empty() {
            return Ok(());
        }
        let (w, h) = (seen.size.0 as i64, seen.size.1 as i64);
        let window = Window { x: 0, y: 0, w, h };
        let mut hash = Hash::default();
        let hasher = &mut self.hasher;
        let mut look = |pixels: &dyn Pixels| hash = hasher.hash(pixels, window);
        frame.read(&mut look).map_err(Halt::Unreadable)?;
        let record = self.record(Kind::Frame, seen, number, window, hash, &faces);
        let picture = Picture::Of(frame.clone(), window);
        if self.admit(record, picture, tag.clone(), wait)? && counts {
            for candidate in &faces {
                self.use_quota(candidate.face.track);
            }
        }
        Ok(())
    }

    /// Holds the faces against the best ones of their tracks.
    fn compare(
        &mut self,
        frame: &Arc<dyn Held>,
        seen: &Seen<'_>,
        number: u64,
        candidates: Vec<Candidate<'_>>,
        tag: &T,
        wait: &mut Wait<'_>,
    ) -> Result<(), Halt> {
        for track in seen.faces.iter().filter_map(|f| f.track) {
            self.best.see(track, number, seen.stream_time);
        }
        let most = self.rules.per_track() as usize;
        for candidate in candidates {
            let Some(track) = candidate.face.track else {
                // It has nothing to be compared with.
                self.one_face(frame, seen, number, &candidate, tag, wait)?;
                continue;
            };
            let sharpness = candidate.quality.sharpness;
            let (good, full) = self.best.rank(track, sharpness, most);
            if full {
                self.refuse(Refusal::NotBest, 1);
            }
            if !good {
                continue;
            }
            let faces = std::slice::from_ref(&candidate);
            let record = self.record(
                Kind::Face,
                seen,
                number,
                candidate.window,
                candidate.hash,
                faces,
            );
            let mut rgb = Rgb::default();
            let size = (record.size[0] as usize, record.size[1] as usize);
            let renderer = &mut self.renderer;
            let mut draw =
                |pixels: &dyn Pixels| renderer.render(pixels, candidate.window, size, &mut rgb);
            frame.read(&mut draw).map_err(Halt::Unreadable)?;
            let chosen = Chosen {
                sharpness,
                record,
                rgb,
                tag: tag.clone(),
            };
            self.best.keep(track, chosen, seen.stream_time, most);
        }
        Ok(())
    }

    /// Has the pictures of tracks saved that have ended, or of all.
    fn end_tracks(
        &mut self,
        number: u64,
        time: Option<Duration>,
        all: bool,
        wait: &mut Wait<'_>,
    ) -> Result<(), Halt> {
        while let Some(pictures) = self.best.take_ended(number, time, all) {
            for Chosen {
                record, rgb, tag, ..
            } in pictures
            {
                self.admit(record, Picture::Drawn(rgb), tag, wait)?;
            }
        }
        Ok(())
    }

    /// Has a picture saved where the data set has no such one. Whether it has it now.
    fn admit(
        &mut self,
        record: Record,
        picture: Picture,
        tag: T,
        wait: &mut Wait<'_>,
    ) -> Result<bool, Halt> {
        let (dedup, most) = (self.rules.dedup, self.rules.max_files);
        let faces = match record.kind {
            Kind::Frame if self.rules.mode == Mode::Both => 0,
            _ => record.faces.len(),
        };
        if most > 0 && self.taken >= most {
            self.refuse(Refusal::MaxFiles, faces);
            return Ok(false);
        }
        let (there, similar) = {
            let index = lock(&self.index);
            (
                index.holds(&record),
                dedup > 0 && index.resembles(record.kind, record.hash, dedup),
            )
        };
        if there {
            self.taken += 1;
            lock(&self.tally).already_there += 1;
            return Ok(true);
        }
        if similar {
            self.refuse(Refusal::Duplicate, faces);
            return Ok(false);
        }
        loop {
            match self.writer.room(!wait.live) {
                Ok(true) => break,
                Ok(false) => {
                    lock(&self.tally).dropped += 1;
                    return Ok(false);
                }
                Err(Stop::Interrupted) if (wait.go_on)() => {}
                Err(stop) => return Err(stop.into()),
            }
        }
        self.taken += 1;
        lock(&self.index).add(&record);
        self.writer.hand_in(Job {
            record,
            picture,
            dedup,
            tag,
        });
        Ok(true)
    }

    /// What will be known about a picture.
    fn record(
        &self,
        kind: Kind,
        seen: &Seen<'_>,
        frame: u64,
        window: Window,
        hash: Hash,
        faces: &[Candidate<'_>],
    ) -> Record {
        let (width, height) = scaled(window, self.side);
        let faces = faces.iter().map(|c| face_record(c.face, c.quality));
        Record {
            version: VERSION,
            file: String::new(),
            sha256: String::new(),
            kind,
            label: self.label.clone(),
            session: self.origin.session.clone(),
            source: self.origin.source.clone(),
            frame,
            stream_time: seen.stream_time.map(|t| t.as_nanos() as u64),
            frame_size: [seen.size.0 as u32, seen.size.1 as u32],
            window: [window.x, window.y, window.w, window.h],
            size: [width as u32, height as u32],
            margin: match kind {
                Kind::Face => Some(self.rules.margin),
                Kind::Frame => None,
            },
            faces: faces.collect(),
            hash,
            tool: self.tool.clone(),
            rendered: None,
        }
    }
}

/// How a thread waits for room.
struct Wait<'a> {
    live: bool,
    go_on: &'a mut dyn FnMut() -> bool,
}
