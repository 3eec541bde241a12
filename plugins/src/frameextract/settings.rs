// SPDX-License-Identifier: MIT OR Apache-2.0
//! What users can set, as GObject properties.

use std::path::PathBuf;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use liveness::dataset::collector::Output;
use liveness::dataset::picture::{Coding, MOST_SIDE};
use liveness::dataset::rules::Rules;

use super::{Format, Mode};
use crate::properties as p;

/// The values of the properties.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) location: Option<PathBuf>,
    label: String,
    /// Empty: from the source.
    pub(super) session: String,
    /// Empty: asked of upstream.
    pub(super) source: String,
    format: Format,
    quality: u32,
    size: u32,
    durable: bool,
    workers: u32,
    pub(super) post_messages: bool,
    mode: Mode,
    pub(super) rules: Rules,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            location: None,
            label: String::new(),
            session: String::new(),
            source: String::new(),
            format: Format::Jpeg,
            quality: 95,
            size: 0,
            durable: false,
            workers: 0,
            post_messages: false,
            mode: Mode::Faces,
            rules: Rules::default(),
        }
    }
}

/// All properties, the read-only `stats` among them.
pub(super) fn properties() -> Vec<glib::ParamSpec> {
    let default = Settings::default();
    let rules = &default.rules;
    // Read when the element starts.
    let number = |name: &str, nick: &str, blurb: &str, range: (u32, u32), default| {
        glib::ParamSpecUInt::builder(name)
            .nick(nick)
            .blurb(blurb)
            .minimum(range.0)
            .maximum(range.1)
            .default_value(default)
            .mutable_ready()
            .build()
    };
    let switch = |name: &str, nick: &str, blurb: &str, default| {
        glib::ParamSpecBoolean::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default)
            .mutable_ready()
            .build()
    };
    vec![
        p::text(
            "location",
            "Location",
            "Folder of the data set; made where it does not exist",
        ),
        p::text(
            "label",
            "Label",
            "What the pictures show, such as real, print or replay: the folder in the data set that they go to (default: none)",
        ),
        p::text(
            "session",
            "Session",
            "What training must keep together: one person before one camera in one light (default: the name of the source's file, for other sources the time of the start)",
        ),
        p::text(
            "source",
            "Source",
            "What the manifest names as the source (default: what upstream says, without user names and passwords)",
        ),
        glib::ParamSpecEnum::builder_with_default("mode", default.mode)
            .nick("Mode")
            .blurb("What is saved of a frame")
            .mutable_ready()
            .build(),
        p::count(
            "interval",
            "Interval",
            "Look at every Nth frame",
            (1, u32::MAX),
            rules.interval as u32,
        ),
        glib::ParamSpecUInt64::builder("interval-time")
            .nick("Interval time")
            .blurb("Least time between two frames that are looked at, in nanoseconds")
            .default_value(rules.interval_time.as_nanos() as u64)
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("margin")
            .nick("Margin")
            .blurb("Sides of a face's picture as multiples of its box: 1 is the box, 2.7 what models of the MiniFASNet kind look at. The picture is moved inside the frame, never padded")
            .minimum(0.5)
            .maximum(10.0)
            .default_value(rules.margin)
            .mutable_playing()
            .build(),
        number(
            "size",
            "Size",
            "Longer side of the pictures in pixels; they are scaled, never squashed (0: as they are in the frame)",
            (0, MOST_SIDE),
            default.size,
        ),
        glib::ParamSpecEnum::builder_with_default("format", default.format)
            .nick("Format")
            .blurb("How pictures are coded")
            .mutable_ready()
            .build(),
        number(
            "quality",
            "Quality",
            "Quality of JPEG; from 90 on, colours keep their full resolution",
            (1, 100),
            default.quality,
        ),
        p::limit(
            "min-confidence",
            "Minimum confidence",
            "Least confidence of the detector, 0..1",
            (0.0, 1.0),
            rules.min_confidence,
        ),
        p::count(
            "min-face-size",
            "Minimum face size",
            "Shortest side of a face that is saved, in pixels of the frame",
            (0, u32::MAX),
            rules.min_face_size as u32,
        ),
        p::limit(
            "min-sharpness",
            "Minimum sharpness",
            "Least variance of the Laplacian of a face scaled to 112x112 grey pixels, taken of its blurrier axis (0: all)",
            (0.0, f32::MAX),
            rules.min_sharpness,
        ),
        p::limit(
            "min-exposure",
            "Minimum exposure",
            "Least mean brightness of a face, 0 black to 1 white",
            (0.0, 1.0),
            rules.min_exposure,
        ),
        p::limit(
            "max-exposure",
            "Maximum exposure",
            "Greatest mean brightness of a face, 0 black to 1 white",
            (0.0, 1.0),
            rules.max_exposure,
        ),
        p::switch(
            "allow-cut-off",
            "Allow cut off",
            "Save faces that the frame's edge cuts off, too",
            rules.allow_cut_off,
        ),
        p::switch(
            "largest-only",
            "Largest only",
            "Save the largest face of each frame alone",
            rules.largest_only,
        ),
        p::count(
            "max-per-track",
            "Maximum per track",
            "Most pictures of each person that upstream follows (0: no limit)",
            (0, u32::MAX),
            rules.max_per_track,
        ),
        switch(
            "best-of-track",
            "Best of track",
            "Save the sharpest max-per-track pictures (at least one) of each person that upstream follows, when the person is gone",
            rules.best_of_track,
        ),
        p::count(
            "dedup",
            "Deduplicate",
            "Refuse a picture whose perceptual hash differs from that of another one of this label in the data set in so many of 64 bits or fewer (0: refuse none)",
            (0, 64),
            rules.dedup,
        ),
        glib::ParamSpecUInt64::builder("max-files")
            .nick("Maximum files")
            .blurb("Most pictures that this element saves; pictures that a run before it saved of the same frames count (0: no limit)")
            .default_value(rules.max_files)
            .mutable_playing()
            .build(),
        switch(
            "durable",
            "Durable",
            "Write each picture to the disk before it counts as saved, so that a power failure loses none (slower)",
            default.durable,
        ),
        number(
            "workers",
            "Workers",
            "Threads that draw and code pictures (0: one per core)",
            (0, 64),
            default.workers,
        ),
        p::switch(
            "post-messages",
            "Post messages",
            "Post a message on the bus for each file",
            default.post_messages,
        ),
        p::stats(
            "Frames, frames looked at, faces in these, pictures saved, already there and dropped, faces refused by reason",
        ),
    ]
}

impl Settings {
    /// Sets a property; false where there is none of that name.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) -> bool {
        // GLib has checked types and ranges: these reads cannot fail.
        let text = || p::string(value).unwrap_or_default();
        let number = || value.get::<u32>().unwrap_or_default();
        let long = || value.get::<u64>().unwrap_or_default();
        let float = || value.get::<f32>().unwrap_or_default();
        let on = || value.get::<bool>().unwrap_or_default();
        let rules = &mut self.rules;
        match name {
            "location" => self.location = p::path(value),
            "label" => self.label = text(),
            "session" => self.session = text(),
            "source" => self.source = text(),
            "mode" => {
                self.mode = value.get().unwrap_or_default();
                rules.mode = self.mode.into();
            }
            "interval" => rules.interval = u64::from(number()),
            "interval-time" => rules.interval_time = Duration::from_nanos(long()),
            "margin" => rules.margin = value.get().unwrap_or(1.0),
            "size" => self.size = number(),
            "format" => self.format = value.get().unwrap_or_default(),
            "quality" => self.quality = number(),
            "min-confidence" => rules.min_confidence = float(),
            "min-face-size" => rules.min_face_size = number() as f32,
            "min-sharpness" => rules.min_sharpness = float(),
            "min-exposure" => rules.min_exposure = float(),
            "max-exposure" => rules.max_exposure = float(),
            "allow-cut-off" => rules.allow_cut_off = on(),
            "largest-only" => rules.largest_only = on(),
            "max-per-track" => rules.max_per_track = number(),
            "best-of-track" => rules.best_of_track = on(),
            "dedup" => rules.dedup = number(),
            "max-files" => rules.max_files = long(),
            "durable" => self.durable = on(),
            "workers" => self.workers = number(),
            "post-messages" => self.post_messages = on(),
            _ => return false,
        }
        true
    }

    /// The value of a property.
    pub(super) fn get(&self, name: &str) -> Option<glib::Value> {
        let rules = &self.rules;
        Some(match name {
            "location" => self.location.to_value(),
            "label" => self.label.to_value(),
            "session" => self.session.to_value(),
            "source" => self.source.to_value(),
            "mode" => self.mode.to_value(),
            "interval" => (rules.interval as u32).to_value(),
            "interval-time" => (rules.interval_time.as_nanos() as u64).to_value(),
            "margin" => rules.margin.to_value(),
            "size" => self.size.to_value(),
            "format" => self.format.to_value(),
            "quality" => self.quality.to_value(),
            "min-confidence" => rules.min_confidence.to_value(),
            "min-face-size" => (rules.min_face_size as u32).to_value(),
            "min-sharpness" => rules.min_sharpness.to_value(),
            "min-exposure" => rules.min_exposure.to_value(),
            "max-exposure" => rules.max_exposure.to_value(),
            "allow-cut-off" => rules.allow_cut_off.to_value(),
            "largest-only" => rules.largest_only.to_value(),
            "max-per-track" => rules.max_per_track.to_value(),
            "best-of-track" => rules.best_of_track.to_value(),
            "dedup" => rules.dedup.to_value(),
            "max-files" => rules.max_files.to_value(),
            "durable" => self.durable.to_value(),
            "workers" => self.workers.to_value(),
            "post-messages" => self.post_messages.to_value(),
            _ => return None,
        })
    }

    /// Where and how pictures are saved.
    ///
    /// # Errors
    /// [`liveness::Error::Option`] where no folder is named.
    pub(super) fn output(&self) -> liveness::Result<Output> {
        let folder = self.location.clone().ok_or_else(|| {
            liveness::Error::Option("no folder is named: set location=FOLDER".into())
        })?;
        Ok(Output {
            folder,
            label: self.label.clone(),
            coding: match self.format {
                Format::Jpeg => Coding::Jpeg(self.quality as u8),
                Format::Png => Coding::Png,
            },
            side: self.size,
            durable: self.durable,
            workers: self.workers as usize,
            tool: concat!("frameextract ", env!("CARGO_PKG_VERSION")).to_owned(),
        })
    }
}
