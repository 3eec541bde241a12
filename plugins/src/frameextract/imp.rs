// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element behind `frameextract`: knows the glue and `liveness::dataset`, no other element.

use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use liveness::dataset::collector::{Collector, Event, Halt, Interrupter, Seen};
use liveness::dataset::rules::{Refusal, Tally};
use liveness::dataset::store::Saved;
use liveness::image::{Held, Pixels};
use liveness::sync::lock;

use super::origin::origin;
use super::settings::{self, Settings};
use crate::frame::Format;
use crate::message::{self, Times};
use crate::meta::{self, Here};
use crate::{caps, error};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "frameextract",
        gst::DebugColorFlags::empty(),
        Some("Liveness: data sets"),
    )
});

/// What lives from start to stop.
struct State {
    collector: Collector<Stamp>,
    format: Option<Arc<Format>>,
    scratch: Vec<u8>,
    /// What the collector goes by.
    settings: Arc<Settings>,
    /// When the element started: the name of the session where nothing else gives one.
    started: String,
    /// Whether upstream is live, asked when the stream begins; `None` before its first frame.
    live: Option<bool>,
    /// Whether some frame carried the result of a look for faces.
    analysed: bool,
    /// Whether faces without a track were warned about.
    warned: bool,
}

/// A frame's times and place in its stream, for the messages about its files.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    times: Times,
    offset: u64,
    offset_end: u64,
}

/// A frame that waits for a worker. Nothing of it is copied.
struct Waiting {
    buffer: gst::Buffer,
    format: Arc<Format>,
}

impl Held for Waiting {
    fn read(&self, look: &mut dyn FnMut(&dyn Pixels)) -> liveness::Result<()> {
        let read = self.format.read(&self.buffer, |pixels| look(pixels));
        read.map_err(liveness::Error::Frame)
    }
}

/// See [`super`].
#[derive(Default)]
pub struct FrameExtract {
    /// Behind an `Arc`, so that a frame's snapshot copies no texts.
    settings: Mutex<Arc<Settings>>,
    state: Mutex<Option<State>>,
    /// Apart from the state, which the streaming thread holds while it waits.
    interrupter: Mutex<Option<Interrupter>>,
    /// Apart from the state, so that they can be read at any time, also after the end.
    tally: Mutex<Arc<Mutex<Tally>>>,
}

#[glib::object_subclass]
impl ObjectSubclass for FrameExtract {
    const NAME: &'static str = "GstLivenessFrameExtract";
    type Type = super::FrameExtract;
    type ParentType = gst_base::BaseSink;
}

impl ObjectImpl for FrameExtract {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(settings::properties);
        &PROPERTIES
    }

    fn constructed(&self) {
        self.parent_constructed();
        // As of filesink and multifilesink: pictures are saved when they come, not when they are to be shown.
        self.obj().set_sync(false);
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        if !Arc::make_mut(&mut lock(&self.settings)).set(pspec.name(), value) {
            gst::warning!(CAT, imp = self, "unknown property {}", pspec.name());
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if pspec.name() == "stats" {
            let tally = *lock(&lock(&self.tally));
            return structure("application/x-frameextract-stats", &tally).to_value();
        }
        let value = lock(&self.settings).get(pspec.name());
        value.unwrap_or_else(|| pspec.default_value().clone())
    }
}

impl GstObjectImpl for FrameExtract {}

impl ElementImpl for FrameExtract {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Face data set writer",
                "Sink/File/Video",
                "Saves the faces that upstream found as a data set to train with",
                env!("CARGO_PKG_AUTHORS"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            caps::pad_template("sink", gst::PadDirection::Sink, &caps::raw_video())
        });
        &TEMPLATES
    }
}

impl BaseSinkImpl for FrameExtract {
    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let weak = self.obj().downgrade();
        let told = move |event: Event<Stamp>| {
            if let Some(element) = weak.upgrade() {
                element.imp().told(event);
            }
        };
        let collector = settings
            .output()
            .and_then(|output| {
                check_text("session", &settings.session)?;
                Collector::open(&output, settings.rules.clone(), told)
            })
            .map_err(|e| error::message(&e))?;
        *lock(&self.interrupter) = Some(collector.interrupter());
        *lock(&self.tally) = collector.tally();
        let now = glib::DateTime::now_utc().and_then(|t| t.format("%Y-%m-%dT%H-%M-%SZ"));
        *lock(&self.state) = Some(State {
            collector,
            format: None,
            scratch: Vec::new(),
            settings,
            started: now.map_or_else(|_| "unknown".to_owned(), |t| t.to_string()),
            live: None,
            analysed: false,
            warned: false,
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Ends when all that was taken is saved.
        *lock(&self.state) = None;
        *lock(&self.interrupter) = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = caps::video_info(incaps).map_err(|e| error::refuse_caps(self, *CAT, e))?;
        if let Some(state) = lock(&self.state).as_mut() {
            state.format = Some(Arc::new(Format::new(&info)));
        }
        Ok(())
    }

    fn propose_allocation(
        &self,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        query.add_allocation_meta::<gst_video::VideoMeta>(None);
        // So many frames may be held here while upstream makes the next one.
        let held = lock(&self.state)
            .as_ref()
            .map_or(0, |s| s.collector.most_held());
        let (caps, _) = query.get_owned();
        if let Some(info) = caps.and_then(|c| gst_video::VideoInfo::from_caps(&c).ok()) {
            query.add_allocation_pool(None::<&gst::BufferPool>, info.size() as u32, held as u32, 0);
        }
        Ok(())
    }

    fn unlock(&self) -> Result<(), gst::ErrorMessage> {
        self.interrupt(true);
        Ok(())
    }

    fn unlock_stop(&self) -> Result<(), gst::ErrorMessage> {
        self.interrupt(false);
        Ok(())
    }

    fn event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::StreamStart(_) => {
                if let Some(state) = lock(&self.state).as_mut() {
                    state.live = None;
                }
            }
            gst::EventView::FlushStop(_) => {
                if let Some(state) = lock(&self.state).as_mut() {
                    state.collector.jump();
                }
            }
            gst::EventView::Eos(_) if !self.end() => return false,
            _ => {}
        }
        self.parent_event(event)
    }

    fn render(&self, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let settings = lock(&self.settings).clone();
        // Taken out for the time of the frame: no lock is held while it is looked at, or waits.
        let mut state = lock(&self.state).take().ok_or(gst::FlowError::Flushing)?;
        let result = self.look(&mut state, &settings, buffer);
        *lock(&self.state) = Some(state);
        result
    }
}

/// A text that goes into the manifest.
fn check_text(name: &str, text: &str) -> liveness::Result<()> {
    if text.contains([char::REPLACEMENT_CHARACTER, '\0']) {
        return Err(liveness::Error::Option(format!(
            "{name} {text:?} is not UTF-8 text: choose another one"
        )));
    }
    Ok(())
}

/// A tally as applications read it.
fn structure(name: &str, tally: &Tally) -> gst::Structure {
    let mut refused = gst::Structure::new_empty("refused");
    for why in Refusal::ALL {
        refused.set(why.as_str(), tally.refused(why));
    }
    gst::Structure::builder(name)
        .field("frames", tally.frames)
        .field("looked", tally.looked)
        .field("faces", tally.faces)
        .field("saved", tally.saved)
        .field("already-there", tally.already_there)
        .field("dropped", tally.dropped)
        .field("refused", refused)
        .build()
}

impl FrameExtract {
    /// One frame.
    fn look(
        &self,
        state: &mut State,
        settings: &Arc<Settings>,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let fail = |e: liveness::Error| error::post(self, error::message(&e));
        let format = state.format.clone();
        let format = format.ok_or_else(|| error::post(self, error::no_format()))?;
        if !Arc::ptr_eq(settings, &state.settings) {
            state.collector.set_rules(settings.rules.clone());
            state.settings = settings.clone();
        }
        let live = match state.live {
            Some(live) => live,
            None => {
                let live = self.begin(state);
                *state.live.insert(live)
            }
        };
        let here = meta::faces_here(buffer, &format, &mut state.scratch)
            .map_err(|reason| fail(liveness::Error::Frame(reason)))?;
        state.analysed |= here.is_some();
        let Here { faces, lost } = here.unwrap_or_default();
        let follows = settings.rules.best_of_track || settings.rules.max_per_track > 0;
        if follows && !state.warned && faces.iter().any(|f| f.track.is_none()) {
            state.warned = true;
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                ("faces carry no track: max-per-track and best-of-track do nothing to them. Let the detector follow the faces (facedetect tracking=true)")
            );
        }
        let segment = self.obj().segment();
        let times = Times::of(buffer, &segment);
        let stamp = Stamp {
            times,
            offset: buffer.offset(),
            offset_end: buffer.offset_end(),
        };
        let info = format.info();
        let seen = Seen {
            stream_time: times.stream_time.map(Into::into),
            size: (info.width() as usize, info.height() as usize),
            faces: &faces,
            lost: lost.len(),
            live,
        };
        let frame: Arc<dyn Held> = Arc::new(Waiting {
            buffer: buffer.clone(),
            format: format.clone(),
        });
        // A pause lets go of the thread until there is preroll or playback again; a flush for good.
        let mut flow = Ok(gst::FlowSuccess::Ok);
        let mut go_on = || {
            flow = self.obj().wait_preroll();
            flow.is_ok()
        };
        match state.collector.frame(&frame, &seen, &stamp, &mut go_on) {
            Ok(()) => Ok(gst::FlowSuccess::Ok),
            Err(Halt::Interrupted) => flow.and(Err(gst::FlowError::Flushing)),
            // What failed was posted when it did.
            Err(Halt::Failed) => Err(gst::FlowError::Error),
            Err(Halt::Unreadable(e)) => Err(fail(e)),
        }
    }

    /// The first frame of a stream: asks where it comes from, and whether it is live.
    fn begin(&self, state: &mut State) -> bool {
        let pad = self.obj().static_pad("sink");
        let Some(pad) = pad else {
            return false;
        };
        let origin = origin(&state.settings, &pad, &state.started);
        let mut latency = gst::query::Latency::new();
        let live = pad.peer_query(&mut latency) && latency.result().0;
        gst::info!(
            CAT,
            imp = self,
            "session {:?} from {:?}, {}",
            origin.session,
            origin.source,
            if live { "live" } else { "not live" }
        );
        state.collector.begin(origin);
        live
    }

    fn interrupt(&self, on: bool) {
        let interrupter = lock(&self.interrupter).clone();
        if let Some(interrupter) = interrupter {
            interrupter.set(on);
        }
    }

    /// The end of the stream: all that was taken is saved, and the summary posted. Whether it is a good end.
    fn end(&self) -> bool {
        let Some(mut state) = lock(&self.state).take() else {
            return true;
        };
        let ended = state.collector.end();
        let unseen = !state.analysed;
        *lock(&self.state) = Some(state);
        match ended {
            Ok(tally) => {
                if unseen && tally.frames > 0 {
                    gst::element_imp_warning!(
                        self,
                        gst::StreamError::Failed,
                        (
                            "nobody looked for faces in these {} frames: put facedetect before this element",
                            tally.frames
                        )
                    );
                }
                let summary = structure("GstLivenessFrameExtractSummary", &tally);
                message::post(&*self.obj(), summary);
                true
            }
            // What failed was posted when it did.
            Err(_) => false,
        }
    }

    /// What happened to a picture, from the thread that saved it.
    fn told(&self, event: Event<Stamp>) {
        match event {
            Event::Saved(saved, stamp) => {
                let Saved {
                    path,
                    number,
                    record,
                } = *saved;
                gst::log!(CAT, imp = self, "saved {}", path.display());
                if lock(&self.settings).post_messages {
                    let structure = stamp
                        .times
                        .structure("GstLivenessFrameExtract")
                        .field("filename", path.to_string_lossy().as_ref())
                        .field("index", number as i32)
                        .field("offset", stamp.offset)
                        .field("offset-end", stamp.offset_end)
                        .field("kind", record.kind.as_str())
                        .field("label", record.label)
                        .field("session", record.session)
                        .build();
                    message::post(&*self.obj(), structure);
                }
            }
            Event::Failed(e) => {
                self.post_error_message(error::message(&e));
            }
        }
    }
}
