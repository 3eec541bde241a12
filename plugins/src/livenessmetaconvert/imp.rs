// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element behind `livenessmetaconvert`: knows the glue and `liveness::json`, no other element.

use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_transform::{InputBuffer, PrepareOutputBufferSuccess};
use gst_base::subclass::prelude::*;
use liveness::json::{self, Frame, Tags};
use liveness::sync::lock;

use super::Output;
use crate::frame::Format;
use crate::message::{self, Times};
use crate::meta::{self, Here};
use crate::properties as p;
use crate::{caps, error};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "livenessmetaconvert",
        gst::DebugColorFlags::empty(),
        Some("Liveness: faces as JSON"),
    )
});

#[derive(Clone, Debug)]
struct Settings {
    output: Output,
    source: Option<String>,
    tags: Option<String>,
    add_empty_results: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            output: Output::default(),
            source: None,
            tags: None,
            add_empty_results: true,
        }
    }
}

impl Settings {
    /// Whether lines take the frames' places.
    fn replaces(&self) -> bool {
        self.output != Output::Messages
    }
}

/// What lives from start to stop.
struct State {
    format: Option<Format>,
    tags: Option<Tags>,
    scratch: Vec<u8>,
}

/// See [`super`].
#[derive(Default)]
pub struct LivenessMetaConvert {
    /// Behind an `Arc`, so that a frame's snapshot copies no texts.
    settings: Mutex<Arc<Settings>>,
    state: Mutex<Option<State>>,
}

#[glib::object_subclass]
impl ObjectSubclass for LivenessMetaConvert {
    const NAME: &'static str = "GstLivenessMetaConvert";
    type Type = super::LivenessMetaConvert;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for LivenessMetaConvert {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecEnum::builder_with_default("output", Output::default())
                    .nick("Output")
                    .blurb("Where the JSON goes")
                    .mutable_ready()
                    .build(),
                p::text(
                    "source",
                    "Source",
                    "What to write as the source of the frames (default: no source)",
                ),
                p::text(
                    "tags",
                    "Tags",
                    "A JSON object to write into each line, such as {\"door\": 3} (default: none)",
                ),
                p::switch(
                    "add-empty-results",
                    "Add empty results",
                    "Write frames without faces, too: with no `objects` where nobody looked for faces, with empty ones where nobody was seen",
                    true,
                ),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut settings = lock(&self.settings);
        let s = Arc::make_mut(&mut settings);
        // GLib has checked types and ranges: these reads cannot fail.
        match pspec.name() {
            "output" => s.output = value.get().unwrap_or_default(),
            "source" => s.source = p::string(value),
            "tags" => s.tags = p::string(value),
            "add-empty-results" => s.add_empty_results = value.get().unwrap_or(true),
            other => gst::warning!(CAT, imp = self, "unknown property {other}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let s = lock(&self.settings);
        match pspec.name() {
            "output" => s.output.to_value(),
            "source" => s.source.to_value(),
            "tags" => s.tags.to_value(),
            "add-empty-results" => s.add_empty_results.to_value(),
            _ => pspec.default_value().clone(),
        }
    }
}

impl GstObjectImpl for LivenessMetaConvert {}

impl ElementImpl for LivenessMetaConvert {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Faces to JSON",
                "Filter/Converter/Video",
                "Writes the faces of each frame as a line of JSON, as DL Streamer's gvametaconvert does",
                env!("CARGO_PKG_AUTHORS"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let video = caps::raw_video();
            let mut out = video.clone();
            out.merge(lines());
            let mut all = caps::pad_template("sink", gst::PadDirection::Sink, &video);
            all.extend(caps::pad_template("src", gst::PadDirection::Src, &out));
            all
        });
        &TEMPLATES
    }
}

/// The caps of the lines.
fn lines() -> gst::Caps {
    gst::Caps::new_empty_simple("application/x-json")
}

impl BaseTransformImpl for LivenessMetaConvert {
    // Frames that pass are read only; where lines take their places, the caps differ and nothing passes.
    const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::Both;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let tags = settings.tags.as_deref().filter(|t| !t.trim().is_empty());
        let tags = tags.map(serde_json::from_str::<Tags>).transpose();
        let tags = tags.map_err(|e| {
            let reason = format!("tags is no JSON object, such as {{\"door\": 3}}: {e}");
            error::message(&liveness::Error::Option(reason))
        })?;
        *lock(&self.state) = Some(State {
            format: None,
            tags,
            scratch: Vec::new(),
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.state) = None;
        Ok(())
    }

    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        let other = match direction {
            _ if !lock(&self.settings).replaces() => caps.clone(),
            gst::PadDirection::Sink => lines(),
            _ => caps::raw_video(),
        };
        Some(match filter {
            Some(filter) => filter.intersect_with_mode(&other, gst::CapsIntersectMode::First),
            None => other,
        })
    }

    fn set_caps(&self, incaps: &gst::Caps, _: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = caps::video_info(incaps).map_err(|e| error::refuse_caps(self, *CAT, e))?;
        if let Some(state) = lock(&self.state).as_mut() {
            state.format = Some(Format::new(&info));
        }
        Ok(())
    }

    fn propose_allocation(
        &self,
        decided: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        if lock(&self.settings).replaces() {
            query.add_allocation_meta::<gst_video::VideoMeta>(None);
            return Ok(());
        }
        self.parent_propose_allocation(decided, query)
    }

    fn decide_allocation(
        &self,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        // Lines have no size that a pool could know.
        if lock(&self.settings).replaces() {
            return Ok(());
        }
        self.parent_decide_allocation(query)
    }

    fn prepare_output_buffer(
        &self,
        inbuf: InputBuffer,
    ) -> Result<PrepareOutputBufferSuccess, gst::FlowError> {
        if self.obj().is_passthrough() {
            return Ok(PrepareOutputBufferSuccess::InputBuffer);
        }
        let frame = match &inbuf {
            InputBuffer::Writable(b) => &**b,
            InputBuffer::Readable(b) => *b,
        };
        let mut line = gst::Buffer::new();
        let b = line.make_mut();
        b.set_pts(frame.pts());
        b.set_duration(frame.duration());
        b.set_offset(frame.offset());
        if frame.flags().contains(gst::BufferFlags::DISCONT) {
            b.set_flags(gst::BufferFlags::DISCONT);
        }
        Ok(PrepareOutputBufferSuccess::Buffer(line))
    }

    fn transform(
        &self,
        inbuf: &gst::Buffer,
        outbuf: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let Some(line) = self.line(inbuf)? else {
            return Ok(gst_base::BASE_TRANSFORM_FLOW_DROPPED);
        };
        outbuf.append_memory(gst::Memory::from_slice(line.into_bytes()));
        Ok(gst::FlowSuccess::Ok)
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.line(buffer)?;
        Ok(gst::FlowSuccess::Ok)
    }
}

impl LivenessMetaConvert {
    /// The line for a frame, posted where that is wanted; `None` where the frame is left out.
    fn line(&self, buffer: &gst::Buffer) -> Result<Option<String>, gst::FlowError> {
        let settings = lock(&self.settings).clone();
        // Taken out for the time of the frame: no lock is held while it is looked at.
        let mut state = lock(&self.state).take().ok_or(gst::FlowError::Flushing)?;
        let times = Times::of(buffer, &self.obj().segment());
        let written = write(&mut state, &settings, buffer, &times);
        *lock(&self.state) = Some(state);
        let line = written.map_err(|message| error::post(self, message))?;
        if let Some(line) = line
            .as_deref()
            .filter(|_| settings.output != Output::Buffers)
        {
            let structure = times
                .structure("GstLivenessMetaConvert")
                .field("json", line.trim_end())
                .build();
            message::post(&*self.obj(), structure);
        }
        Ok(line)
    }
}

fn write(
    state: &mut State,
    settings: &Settings,
    buffer: &gst::BufferRef,
    times: &Times,
) -> Result<Option<String>, gst::ErrorMessage> {
    let format = state.format.as_ref().ok_or_else(error::no_format)?;
    let here = meta::faces_here(buffer, format, &mut state.scratch)
        .map_err(|e| error::message(&liveness::Error::Frame(e)))?;
    let empty = here
        .as_ref()
        .is_none_or(|h| h.faces.is_empty() && h.lost.is_empty());
    if empty && !settings.add_empty_results {
        return Ok(None);
    }
    let (faces, lost) = match here {
        Some(Here { faces, lost }) => (Some(faces), lost),
        None => (None, Vec::new()),
    };
    let frame = Frame {
        width: format.info().width(),
        height: format.info().height(),
        timestamp: times.stream_time.map(gst::ClockTime::nseconds),
        source: settings.source.clone(),
        tags: state.tags.clone(),
        faces,
        lost,
    };
    let line = json::write(&frame).map_err(|e| error::message(&e))?;
    Ok(Some(line))
}
