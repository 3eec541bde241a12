// SPDX-License-Identifier: MIT OR Apache-2.0
//! filesrc ! decodebin ! videoconvert ! videoflip ! facedetect ! livenessclassify ! appsink
//!
//! Who is in an uploaded picture or clip, and whether they are live. Each frame waits for its turn like those of the cameras.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use liveness::face::Label;
use liveness::sync::lock;
use liveness_app::files::Kind;
use liveness_app::film::Frames;
use liveness_app::picture::Coded;
use serde::Serialize;

use super::face::round;
use super::{Holds, Models, Shown, faces};
use crate::live::{Turn, Turns};

/// How much of a file is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Pixels of a frame.
    pub(crate) pixels: u64,
    /// Time that a clip lasts.
    pub(crate) clip: Duration,
    /// Time that looking at it takes.
    pub(crate) work: Duration,
}

/// What was found in a file.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Report {
    /// A single picture: each face judged by itself.
    Picture {
        width: u32,
        height: u32,
        faces: Vec<Shown>,
    },
    /// A clip: persons judged over time.
    Clip {
        width: u32,
        height: u32,
        seconds: f32,
        persons: Vec<Person>,
        frames: Vec<Moment>,
    },
}

/// One frame of a clip.
#[derive(Debug, Serialize)]
pub(crate) struct Moment {
    /// Seconds from the clip's start.
    at: f32,
    faces: Vec<Shown>,
}

/// Somebody in a clip.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Person {
    track: u64,
    /// The verdict that stood in most frames; uncertain where neither live nor spoof did.
    label: &'static str,
    /// Frames in which this person was seen.
    frames: u32,
    live: u32,
    spoof: u32,
}

/// Judges a file that holds what is said.
///
/// # Errors
/// A sentence for whoever sent it.
pub(crate) fn judge(
    path: &Path,
    holds: Holds,
    models: &Models,
    limits: Limits,
    turns: &Arc<Turns>,
    stop: &AtomicBool,
) -> Result<Report, String> {
    let kind = match holds {
        Holds::Jpeg => Kind::Jpeg,
        Holds::Png => Kind::Picture,
        Holds::Mp4 | Holds::Matroska => Kind::Video,
    };
    if holds.is_picture() {
        check_picture(path, limits)?;
    }
    let ours = |error: anyhow::Error| format!("The server cannot look at it: {error:#}.");
    let [detect, classify] = models.elements(!holds.is_picture()).map_err(ours)?;
    take_turns(&detect, &classify, turns);
    let any = gst::Caps::builder("video/x-raw").build();
    let frames = Frames::open(path, kind, &[detect, classify], &any).map_err(ours)?;
    let mut reading = Reading {
        frames,
        limits,
        start: Instant::now(),
    };
    match holds.is_picture() {
        true => reading.picture(stop),
        false => reading.clip(stop),
    }
}

/// A picture must be whole, and not larger than is taken: known before it is decoded.
fn check_picture(path: &Path, limits: Limits) -> Result<(), String> {
    let bytes = liveness_app::picture::bytes(path).map_err(|e| format!("The picture {e}."))?;
    let picture = Coded::open(&bytes).map_err(|e| format!("The picture {e}."))?;
    check_size(picture.size(), limits)
}

fn check_size((width, height): (u32, u32), limits: Limits) -> Result<(), String> {
    let most = limits.pixels;
    if u64::from(width) * u64::from(height) > most {
        let most = most / 1_000_000;
        return Err(format!(
            "{width}x{height} pixels are too many: at most {most} megapixels are taken."
        ));
    }
    Ok(())
}

/// Lets each frame wait before `detect` until it is its turn, which ends when it comes out of `classify`.
fn take_turns(detect: &gst::Element, classify: &gst::Element, turns: &Arc<Turns>) {
    let held: Arc<Mutex<Option<Turn>>> = Arc::default();
    let (Some(before), Some(behind)) = (detect.static_pad("sink"), classify.static_pad("src"))
    else {
        return;
    };
    let (turns, into) = (turns.clone(), held.clone());
    before.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        // Of a frame of before that did not come out.
        lock(&into).take();
        let turn = turns.wait_blocking();
        *lock(&into) = turn;
        gst::PadProbeReturn::Ok
    });
    behind.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        lock(&held).take();
        gst::PadProbeReturn::Ok
    });
}

/// A file that is being looked at.
struct Reading {
    frames: Frames,
    limits: Limits,
    start: Instant,
}

impl Reading {
    /// The next frame.
    fn next(&mut self, stop: &AtomicBool) -> Result<Option<(gst::Sample, Seen)>, String> {
        let sample = self.frames.next(stop);
        let Some(sample) = sample.map_err(|e| format!("It cannot be decoded: {e}."))? else {
            return Ok(None);
        };
        if self.start.elapsed() > self.limits.work {
            let most = self.limits.work.as_secs();
            return Err(format!(
                "Looking at it takes longer than {most} s: try a shorter or smaller one."
            ));
        }
        let (faces, frame) =
            faces(&sample).map_err(|e| format!("The server cannot look at it: {e:#}."))?;
        check_size(frame, self.limits)?;
        let faces = faces.iter().map(|f| Shown::new(f, frame)).collect();
        Ok(Some((sample, Seen { faces, frame })))
    }

    fn picture(&mut self, stop: &AtomicBool) -> Result<Report, String> {
        let first = self.next(stop)?;
        let (_, seen) = first.ok_or("Looking at it was stopped.")?;
        // What is wrong with the rest of the file is told by its end.
        while self.next(stop)?.is_some() {}
        let (width, height) = seen.frame;
        let faces = seen.faces;
        Ok(Report::Picture {
            width,
            height,
            faces,
        })
    }

    fn clip(&mut self, stop: &AtomicBool) -> Result<Report, String> {
        let most = self.limits.clip.as_secs_f32();
        let too_long = || format!("The clip is too long: at most {most} s are taken.");
        let (mut size, mut moments, mut persons) = ((0, 0), Vec::new(), BTreeMap::new());
        let mut end = 0.0;
        while let Some((sample, seen)) = self.next(stop)? {
            if moments.is_empty()
                && self
                    .frames
                    .duration()
                    .is_some_and(|d| d.as_secs_f32() > most)
            {
                return Err(too_long());
            }
            let at = stream_time(&sample);
            if at > most || moments.len() > MOST_FRAMES {
                return Err(too_long());
            }
            (size, end) = (seen.frame, at);
            for face in &seen.faces {
                note(&mut persons, face);
            }
            let faces = seen.faces;
            moments.push(Moment {
                at: round(at),
                faces,
            });
        }
        let seconds = self.frames.duration().map_or(end, |d| d.as_secs_f32());
        Ok(Report::Clip {
            width: size.0,
            height: size.1,
            seconds: round(seconds),
            persons: persons.into_values().map(Person::decided).collect(),
            frames: moments,
        })
    }
}

/// Frames of a clip, at the most: those of the longest one at 60 in a second.
const MOST_FRAMES: usize = 1200;

/// What was seen in a frame.
struct Seen {
    faces: Vec<Shown>,
    frame: (u32, u32),
}

/// When a frame is to be shown, in seconds from the start.
fn stream_time(sample: &gst::Sample) -> f32 {
    let segment = sample
        .segment()
        .and_then(|s| s.downcast_ref::<gst::ClockTime>());
    let time = segment.zip(sample.buffer().and_then(|b| b.pts()));
    let time = time.and_then(|(segment, pts)| segment.to_stream_time(pts));
    time.map_or(0.0, |t| t.nseconds() as f32 / 1e9)
}

/// Counts a face to the person that it belongs to.
fn note(persons: &mut BTreeMap<u64, Person>, face: &Shown) {
    let Some(track) = face.track else {
        return;
    };
    let person = persons.entry(track).or_default();
    person.track = track;
    person.frames += 1;
    person.live += u32::from(face.label == Label::Live.as_str());
    person.spoof += u32::from(face.label == Label::Spoof.as_str());
}

impl Person {
    /// With the verdict that stood for most of the time. Where both did for as long, nobody is called live.
    fn decided(self) -> Self {
        let undecided = self.frames - self.live - self.spoof;
        let label = match (self.live, self.spoof) {
            (live, spoof) if live > spoof && live > undecided => Label::Live,
            (live, spoof) if spoof >= live && spoof > undecided => Label::Spoof,
            _ => Label::Uncertain,
        };
        let label = label.as_str();
        Self { label, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::testing;

    const LIMITS: Limits = Limits {
        pixels: 1_000_000,
        clip: Duration::from_secs(5),
        work: Duration::from_secs(60),
    };

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn look(bytes: &[u8], holds: Holds) -> Option<Result<Report, String>> {
        let models = testing::tiny()?;
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let turns = Arc::new(Turns::new(1, runtime.handle().clone()));
        let (file, stop) = (file(bytes), AtomicBool::new(false));
        Some(judge(file.path(), holds, &models, LIMITS, &turns, &stop))
    }

    #[test]
    fn a_picture_is_judged_by_itself() {
        let Some(report) = look(&testing::jpeg(200, 100, 220), Holds::Jpeg) else {
            return;
        };
        let Report::Picture {
            width,
            height,
            faces,
        } = report.unwrap()
        else {
            panic!("it is a picture");
        };
        assert_eq!((width, height, faces.len()), (200, 100, 2));
        assert!(faces.iter().all(|f| f.label == "live" && f.track.is_none()));
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_refused() {
        let jpeg = testing::jpeg(200, 100, 220);
        for (bytes, said) in [
            (&jpeg[..jpeg.len() - 20], "cut off"),
            (&testing::jpeg(1200, 900, 90)[..], "1200x900"),
        ] {
            let Some(report) = look(bytes, Holds::Jpeg) else {
                return;
            };
            let told = report.unwrap_err();
            assert!(told.contains(said), "{told}");
        }
        for holds in [Holds::Mp4, Holds::Matroska, Holds::Png] {
            let told = look(b"\0\0\0\x18ftypisom and nothing more", holds);
            assert!(told.unwrap().is_err());
        }
    }

    #[test]
    fn persons_are_what_they_were_for_most_of_the_time() {
        let person = |live, spoof, undecided| {
            let person = Person {
                frames: live + spoof + undecided,
                live,
                spoof,
                ..Person::default()
            };
            person.decided().label
        };
        assert_eq!(person(10, 0, 4), "live");
        assert_eq!(person(4, 0, 10), "uncertain");
        assert_eq!(person(10, 10, 0), "spoof");
        assert_eq!(person(3, 10, 4), "spoof");
        assert_eq!(person(0, 0, 0), "uncertain");
    }
}
