// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what is seen in each frame to what has changed: who came, who is judged otherwise, who is gone. Pure bookkeeping; `docs/watch.md` and
//! `docs/watch.schema.json` describe its lines.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_millis;
use serde::Serialize;

use super::{Event, Faces, Input, Seen};
use crate::lines::round;

/// Who is not seen for so long is gone, and gets another number when seen again.
const GONE: Duration = Duration::from_secs(1);

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    event: &'static str,
    /// When it was written, in universal time.
    time: String,
    /// When it happened, in seconds: of a live source since the start, of a film its place in it.
    at: f64,
    #[serde(flatten)]
    what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum What {
    /// The source plays, is lost, or has ended.
    Source {
        source: String,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        away: Option<f64>,
    },
    /// A face came or is judged otherwise.
    Face {
        track: u64,
        verdict: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<&'static str>,
        live: Option<f64>,
        reason: Option<String>,
        #[serde(rename = "box")]
        rect: [f64; 4],
    },
    /// A face is gone.
    Gone {
        track: u64,
        verdict: &'static str,
        seen: f64,
        frames: u64,
    },
}

/// A face that is followed.
#[derive(Debug)]
struct Track {
    seen: Seen,
    first: Duration,
    last: Duration,
    frames: u64,
}

/// Remembers who is there.
#[derive(Debug)]
pub struct Events {
    source: String,
    tracks: BTreeMap<u64, Track>,
    /// Of the last frame, or of what happened since.
    at: Duration,
    /// What still comes of a source that is lost belongs to nobody.
    lost: bool,
    is_film: bool,
}

impl Events {
    /// Nobody is there yet.
    pub fn new(input: &Input) -> Self {
        Self {
            source: input.to_string(),
            tracks: BTreeMap::new(),
            at: Duration::ZERO,
            lost: matches!(input, Input::Live(_)),
            is_film: matches!(input, Input::Film(_)),
        }
    }

    /// What is new in this, which is told `now`.
    pub fn see(&mut self, event: &Event, now: Duration) -> Vec<Line> {
        match event {
            Event::Faces(faces) if !self.lost => self.faces(faces),
            Event::Playing(away) => {
                self.lost = false;
                self.pass(now);
                vec![self.source("playing", None, Some(*away))]
            }
            Event::Lost(reason) => {
                self.pass(now);
                let mut lines = self.leave(|_| true);
                self.lost = true;
                lines.push(self.source("lost", Some(reason), None));
                lines
            }
            Event::Unreadable(reason) => {
                self.lost = true;
                vec![self.source("lost", Some(reason), None)]
            }
            _ => Vec::new(),
        }
    }

    /// It is over.
    pub fn end(&mut self, now: Duration) -> Vec<Line> {
        self.pass(now);
        let mut lines = self.leave(|_| true);
        lines.push(self.source("ended", None, None));
        lines
    }

    fn faces(&mut self, faces: &Faces) -> Vec<Line> {
        self.at = faces.at;
        let mut lines = Vec::new();
        for seen in &faces.seen {
            let verdict = seen.label;
            let before = self.tracks.get(&seen.track).map(|t| t.seen.label);
            match before {
                None => lines.push(self.line("face", face(seen, None))),
                Some(before) if before != verdict => {
                    lines.push(self.line("verdict", face(seen, Some(before.as_str()))));
                }
                Some(_) => (),
            }
            let track = self.tracks.entry(seen.track).or_insert_with(|| Track {
                seen: seen.clone(),
                first: faces.at,
                last: faces.at,
                frames: 0,
            });
            track.seen = seen.clone();
            track.last = faces.at;
            track.frames += 1;
        }
        let now = faces.at;
        lines.extend(self.leave(|track| now.saturating_sub(track.last) > GONE));
        lines
    }

    /// Those that are gone by this rule.
    fn leave(&mut self, is_gone: impl Fn(&Track) -> bool) -> Vec<Line> {
        let gone: Vec<_> = self
            .tracks
            .extract_if(.., |_, track| is_gone(track))
            .collect();
        let gone = gone.iter().map(|(number, track)| {
            let what = What::Gone {
                track: *number,
                verdict: track.seen.label.as_str(),
                seen: seconds(track.last.saturating_sub(track.first)),
                frames: track.frames,
            };
            self.line("gone", what)
        });
        gone.collect()
    }

    /// Time passes for a live source without frames, too.
    fn pass(&mut self, now: Duration) {
        if !self.is_film {
            self.at = self.at.max(now);
        }
    }

    fn source(&self, state: &'static str, reason: Option<&String>, away: Option<Duration>) -> Line {
        let what = What::Source {
            source: self.source.clone(),
            state,
            reason: reason.cloned(),
            away: away.map(seconds),
        };
        self.line("source", what)
    }

    fn line(&self, event: &'static str, what: What) -> Line {
        Line {
            event,
            time: format_rfc3339_millis(SystemTime::now()).to_string(),
            at: seconds(self.at),
            what,
        }
    }
}

fn face(seen: &Seen, before: Option<&'static str>) -> What {
    What::Face {
        track: seen.track,
        verdict: seen.label.as_str(),
        before,
        live: seen.live.map(|p| round(p, 6)),
        reason: seen.reason.clone(),
        rect: seen.rect.map(|v| round(v, 2)),
    }
}

/// To the millisecond.
fn seconds(time: Duration) -> f64 {
    round(time.as_secs_f64(), 3)
}

#[cfg(test)]
mod tests {
    use liveness::face::Label;

    use super::*;

    fn frame(ms: u64, seen: &[(u64, Label)]) -> Event {
        let seen = seen.iter().map(|&(track, label)| Seen {
            track,
            label,
            rect: [1.0 / 3.0, 2.0, 3.0, 4.0],
            live: Some(0.5),
            reason: None,
        });
        Event::Faces(Faces {
            at: Duration::from_millis(ms),
            seen: seen.collect(),
        })
    }

    const NOW: Duration = Duration::from_secs(9);

    fn film() -> Events {
        Events::new(&Input::Film("a.mp4".into()))
    }

    /// Each line without its time of day.
    fn told(lines: Vec<Line>) -> Vec<String> {
        let without = |line: &Line| {
            let mut value = serde_json::to_value(line).unwrap();
            value.as_object_mut().unwrap().remove("time").unwrap();
            value.to_string()
        };
        lines.iter().map(without).collect()
    }

    /// The words that tell who it is about and what.
    fn short(lines: Vec<Line>) -> Vec<String> {
        let words = lines.iter().map(|line| match &line.what {
            What::Face { track, verdict, .. } => format!("{} {track} {verdict}", line.event),
            What::Gone { track, .. } => format!("gone {track}"),
            What::Source { state, .. } => (*state).to_owned(),
        });
        words.collect()
    }

    #[test]
    fn only_what_changes_is_told() {
        use Label::{Live, Spoof, Uncertain};
        let mut events = film();
        let mut see = |ms, seen: &[_]| short(events.see(&frame(ms, seen), NOW));
        assert_eq!(see(0, &[]), [""; 0]);
        assert_eq!(see(40, &[(1, Uncertain)]), ["face 1 uncertain"]);
        assert_eq!(see(80, &[(1, Uncertain)]), [""; 0]);
        assert_eq!(
            see(120, &[(2, Spoof), (1, Live)]),
            ["face 2 spoof", "verdict 1 live"]
        );
        assert_eq!(
            see(160, &[(1, Live), (2, Spoof)]),
            [""; 0],
            "the order says nothing"
        );
        // Who is missed for a moment is not gone.
        assert_eq!(see(900, &[(2, Spoof)]), [""; 0]);
        assert_eq!(see(1161, &[(2, Spoof)]), ["gone 1"]);
        assert_eq!(short(events.end(NOW)), ["gone 2", "ended"]);
    }

    #[test]
    fn the_lines_say_what_is_documented() {
        let mut events = film();
        let line = |text: &str| text.to_owned();
        let first = told(events.see(&frame(1500, &[(7, Label::Uncertain)]), NOW));
        assert_eq!(
            first,
            [line(
                r#"{"at":1.5,"box":[0.33,2.0,3.0,4.0],"event":"face","live":0.5,"reason":null,"track":7,"verdict":"uncertain"}"#
            )]
        );
        let second = told(events.see(&frame(2000, &[(7, Label::Live)]), NOW));
        assert!(second[0].contains(r#""before":"uncertain","#), "{second:?}");
        let end = told(events.end(NOW));
        let gone = r#"{"at":2.0,"event":"gone","frames":2,"seen":0.5,"track":7,"verdict":"live"}"#;
        let ended = r#"{"at":2.0,"event":"source","source":"a.mp4","state":"ended"}"#;
        assert_eq!(end, [gone, ended]);
    }

    #[test]
    fn with_the_source_everybody_is_lost() {
        let input = "/dev/video0".into();
        let mut events = Events::new(&Input::Live(crate::live::Origin::Camera(input)));
        let lost = Event::Lost("nobody listens".into());
        assert_eq!(short(events.see(&lost, NOW)), ["lost"]);
        let back = Event::Playing(Duration::from_secs(3));
        assert_eq!(short(events.see(&back, NOW)), ["playing"]);
        let seen = frame(100, &[(1, Label::Live)]);
        assert_eq!(short(events.see(&seen, NOW)), ["face 1 live"]);
        assert_eq!(short(events.see(&lost, NOW)), ["gone 1", "lost"]);
        assert_eq!(
            short(events.see(&seen, NOW)),
            [""; 0],
            "a frame that was on its way"
        );
        let said = told(events.see(&back, NOW));
        assert!(said[0].contains(r#""away":3.0"#), "{said:?}");
    }
}
