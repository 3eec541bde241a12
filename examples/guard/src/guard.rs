// SPDX-License-Identifier: MIT OR Apache-2.0
//! From frames to decisions to what is done about them.
//!
//! ```text
//! Eye (in the thread of the frames): policy ─ decisions, each with its frame ─> Guard: audit log, then words on the picture, then actions
//! ```

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use liveness::sync::lock;
use liveness_app::live::{Faces, Onlooker, Show, still};

use crate::act::crew::Crew;
use crate::audit::Line;
use crate::config::Overlay;
use crate::facts::Facts;
use crate::policy::{Decision, Kind, Policy};
use crate::record::Record;

/// Frames that wait to become pictures, at the most: each is as large as the picture.
const FRAMES: usize = 4;

/// A decision, and the frame that it was made on, as it was drawn.
struct Made {
    decision: Decision,
    frame: Option<gst::Sample>,
}

/// Decides, frame by frame.
struct Mind {
    policy: Policy,
    /// Decisions whose frame is being drawn.
    drawing: Vec<Decision>,
    made: Sender<Made>,
    frames: Arc<AtomicUsize>,
}

impl Mind {
    /// Tells what was decided. Waits for nobody.
    fn tell(&mut self, frame: Option<&gst::Sample>) {
        for decision in self.drawing.drain(..) {
            let wanted = frame.filter(|_| decision.announced);
            let frame = wanted.filter(|_| self.frames.load(Ordering::Relaxed) < FRAMES);
            self.frames
                .fetch_add(usize::from(frame.is_some()), Ordering::Relaxed);
            // Nobody listens any more when all is over.
            let _ = self.made.send(Made {
                decision,
                frame: frame.cloned(),
            });
        }
    }
}

/// Looks at every frame.
struct Eye(Arc<Mutex<Mind>>);

impl Onlooker for Eye {
    fn faces(&mut self, faces: &Faces) -> bool {
        let mut mind = lock(&self.0);
        // The frame that they waited for never came.
        mind.tell(None);
        let decided = mind.policy.see(faces);
        mind.drawing.extend(decided);
        !mind.drawing.is_empty()
    }

    fn drawn(&mut self, frame: gst::Sample) {
        lock(&self.0).tell(Some(&frame));
    }
}

/// Does what follows from decisions.
pub(crate) struct Guard {
    mind: Arc<Mutex<Mind>>,
    made: Receiver<Made>,
    frames: Arc<AtomicUsize>,
    record: Arc<Record>,
    overlay: Overlay,
    /// What was decided and written down, of those who are there.
    kept: BTreeMap<u64, Kind>,
    /// What stands on the picture.
    shown: BTreeMap<u64, Kind>,
    /// Before the numbers of its decisions.
    run: u128,
    count: u64,
}

impl Guard {
    pub(crate) fn new(policy: Policy, overlay: Overlay, record: Arc<Record>) -> Self {
        let (send, made) = channel();
        let frames = Arc::new(AtomicUsize::new(0));
        let mind = Mind {
            policy,
            drawing: Vec::new(),
            made: send,
            frames: frames.clone(),
        };
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            mind: Arc::new(Mutex::new(mind)),
            made,
            frames,
            record,
            overlay,
            kept: BTreeMap::new(),
            shown: BTreeMap::new(),
            run: since_1970.unwrap_or_default().as_millis(),
            count: 0,
        }
    }

    /// What has to see every frame.
    pub(crate) fn eye(&self) -> impl Onlooker + use<> {
        Eye(self.mind.clone())
    }

    /// The source is lost, or back: what was seen before says nothing of what comes.
    pub(crate) fn forget(&mut self, show: &Show) {
        lock(&self.mind).policy.forget();
        self.label(show);
    }

    /// There are no more frames.
    pub(crate) fn close(&self) {
        lock(&self.mind).tell(None);
    }

    /// Does what follows from all that was decided until now, and says it. On the picture too, where there still is one.
    pub(crate) fn act(&mut self, crew: &Crew, show: Option<&Show>) {
        while let Ok(Made { decision, frame }) = self.made.try_recv() {
            self.decide(decision, frame, crew);
        }
        if let Some(show) = show {
            self.label(show);
        }
    }

    fn decide(&mut self, decision: Decision, frame: Option<gst::Sample>, crew: &Crew) {
        self.count += 1;
        let mut facts = Facts::new(format!("{}-{}", self.run, self.count), &decision);
        let line = Line::Decision {
            announced: decision.announced,
            facts: &facts,
        };
        let is_kept = self.record.write(&line);
        let had_frame = frame.is_some();
        if !is_kept && decision.kind == Kind::Granted {
            self.record.withhold();
            lock(&self.mind).policy.take_back(&decision);
        } else {
            self.kept.insert(facts.track, decision.kind);
            self.say(&facts);
            if decision.announced {
                facts.snapshot = frame.and_then(|frame| self.picture(&frame));
                crew.act(&facts);
            }
        }
        self.frames
            .fetch_sub(usize::from(had_frame), Ordering::Relaxed);
    }

    fn picture(&self, frame: &gst::Sample) -> Option<Arc<Vec<u8>>> {
        let made = still::jpeg(frame);
        made.map_err(|reason| self.record.say(reason))
            .ok()
            .map(Arc::new)
    }

    fn say(&self, facts: &Facts) {
        let live = facts
            .live
            .map(|p| format!(", live {p:.2}"))
            .unwrap_or_default();
        let before = match facts.before {
            Some(_) => ", who had been granted",
            None => "",
        };
        let kind = facts.decision.as_str().to_uppercase();
        self.record
            .say(format!("{kind}: face {}{live}{before}", facts.track));
    }

    /// Writes the words of those who are still there at their faces.
    fn label(&mut self, show: &Show) {
        let standing = lock(&self.mind).policy.standing();
        // What stands and was not written down yet, or not by its last word, is not shown.
        self.kept
            .retain(|track, kind| standing.get(track) == Some(kind));
        if self.shown == self.kept {
            return;
        }
        self.shown = self.kept.clone();
        let words = self.shown.iter();
        show.label_tracks(
            words.map(|(track, kind)| (*track, kind.verdict(), self.overlay.word(*kind))),
        );
    }
}
