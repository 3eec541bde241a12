// SPDX-License-Identifier: MIT OR Apache-2.0
//! What users can set, as GObject properties.

use std::collections::BTreeMap;

use gst::glib;
use gst::prelude::*;
use liveness::face::Label;

use super::BlurStyle;
use super::scene::Show;
use super::words::Words;
use crate::properties;

/// The values of the properties.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) show: Show,
    pub(super) font: String,
    pub(super) text_scale: f64,
    pub(super) blur: bool,
    pub(super) blur_style: BlurStyle,
}

const DEFAULT_FONT: &str = "Sans Bold";

impl Default for Settings {
    fn default() -> Self {
        Self {
            show: Show {
                words: Words::default(),
                boxes: true,
                labels: true,
                landmarks: false,
            },
            font: DEFAULT_FONT.to_owned(),
            text_scale: 1.0,
            blur: false,
            blur_style: BlurStyle::Smooth,
        }
    }
}

/// The property that holds a verdict's word.
fn text_property(label: Label) -> &'static str {
    match label {
        Label::Unchecked => "unchecked-text",
        Label::Live => "live-text",
        Label::Spoof => "spoof-text",
        Label::Uncertain => "uncertain-text",
    }
}

/// The property that holds words for single tracks.
const TRACK_TEXTS: &str = "track-texts";

/// The words of tracks that are in a structure. A field that names no verdict and track, or holds no text, says nothing.
fn track_texts(structure: &gst::StructureRef) -> BTreeMap<(u64, i32), String> {
    let read = |(name, value): (&glib::GStr, &glib::SendValue)| {
        let (verdict, track) = name.rsplit_once('-')?;
        let label = verdict.parse::<Label>().ok()?;
        let key = (track.parse().ok()?, label.id());
        Some((key, properties::string(value)?))
    };
    structure.iter().filter_map(read).collect()
}

/// These words as a structure; none where there are none.
fn structure(texts: &BTreeMap<(u64, i32), String>) -> Option<gst::Structure> {
    let mut structure = gst::Structure::new_empty("texts");
    for ((track, id), word) in texts {
        let label = Label::ALL.into_iter().find(|l| l.id() == *id)?;
        structure.set(format!("{label}-{track}"), word);
    }
    (!texts.is_empty()).then_some(structure)
}

/// All properties, the read-only `stats` among them.
pub(super) fn properties() -> Vec<glib::ParamSpec> {
    let default = Settings::default();
    let text = |label: Label, nick: &str, blurb: &str| {
        glib::ParamSpecString::builder(text_property(label))
            .nick(nick)
            .blurb(blurb)
            .default_value(default.show.words.word(label))
            .mutable_playing()
            .build()
    };
    let show = &default.show;
    vec![
        text(
            Label::Live,
            "Live text",
            "Word on the label of a live face (empty: none)",
        ),
        text(
            Label::Spoof,
            "Spoof text",
            "Word on the label of a spoof: a print, a replay, a mask (empty: none)",
        ),
        text(
            Label::Uncertain,
            "Uncertain text",
            "Word on the label of a face whose evidence is not enough; the reason stands behind it (empty: neither)",
        ),
        text(
            Label::Unchecked,
            "Unchecked text",
            "Word on the label of a face that nobody has judged (empty: none)",
        ),
        glib::ParamSpecBoxed::builder::<gst::Structure>(TRACK_TEXTS)
            .nick("Track texts")
            .blurb("Words for single tracks, each in place of its verdict's for as long as the verdict is that one: `texts, live-7=(string)Authorized` (a field is called by the verdict and the track's number)")
            .mutable_playing()
            .build(),
        properties::switch(
            "show-boxes",
            "Show boxes",
            "Draw a box around each face",
            show.boxes,
        ),
        properties::switch(
            "show-labels",
            "Show labels",
            "Draw a label at each face, and a line for faces whose place got lost",
            show.labels,
        ),
        properties::switch(
            "show-scores",
            "Show scores",
            "Write the confidence in live and spoof, 0..1, on the label",
            show.words.scores,
        ),
        properties::switch(
            "show-ids",
            "Show ids",
            "Write the number of the face's track on the label (without tracking, its number in the frame)",
            show.words.ids,
        ),
        properties::switch(
            "show-landmarks",
            "Show landmarks",
            "Draw eyes, nose and corners of the mouth where the detector found them",
            show.landmarks,
        ),
        glib::ParamSpecString::builder("font")
            .nick("Font")
            .blurb("Family and weight of the font as Pango describes them; its size follows the frame's")
            .default_value(Some(DEFAULT_FONT))
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("text-scale")
            .nick("Text scale")
            .blurb("Size of the text, times the size that follows from the frame's")
            .minimum(0.2)
            .maximum(5.0)
            .default_value(default.text_scale)
            .mutable_playing()
            .build(),
        properties::switch(
            "blur",
            "Blur",
            "Hide the faces that were found. Where a face's place got lost, or nobody looked for faces, the whole frame is hidden",
            default.blur,
        ),
        glib::ParamSpecEnum::builder_with_default("blur-style", default.blur_style)
            .nick("Blur style")
            .blurb("How faces are hidden")
            .mutable_playing()
            .build(),
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb("Frames, faces, and mean milliseconds per frame spent on drawing: overlay-ms")
            .read_only()
            .build(),
    ]
}

impl Settings {
    /// Sets a property; false where there is none of that name.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) -> bool {
        // GLib has checked types and ranges: these reads cannot fail.
        let text = || properties::string(value);
        let on = |default: bool| value.get().unwrap_or(default);
        match name {
            TRACK_TEXTS => {
                let texts = value.get::<Option<gst::Structure>>().ok().flatten();
                self.show.words.tracks = texts.map(|t| track_texts(&t)).unwrap_or_default();
            }
            "show-boxes" => self.show.boxes = on(true),
            "show-labels" => self.show.labels = on(true),
            "show-scores" => self.show.words.scores = on(true),
            "show-ids" => self.show.words.ids = on(false),
            "show-landmarks" => self.show.landmarks = on(false),
            "font" => self.font = text().unwrap_or_else(|| DEFAULT_FONT.to_owned()),
            "text-scale" => self.text_scale = value.get().unwrap_or(1.0),
            "blur" => self.blur = on(true),
            "blur-style" => self.blur_style = value.get().unwrap_or_default(),
            name => match Label::ALL.into_iter().find(|l| text_property(*l) == name) {
                Some(label) => self.show.words.set(label, text().unwrap_or_default()),
                None => return false,
            },
        }
        true
    }

    /// The value of a property.
    pub(super) fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            TRACK_TEXTS => structure(&self.show.words.tracks).to_value(),
            "show-boxes" => self.show.boxes.to_value(),
            "show-labels" => self.show.labels.to_value(),
            "show-scores" => self.show.words.scores.to_value(),
            "show-ids" => self.show.words.ids.to_value(),
            "show-landmarks" => self.show.landmarks.to_value(),
            "font" => self.font.to_value(),
            "text-scale" => self.text_scale.to_value(),
            "blur" => self.blur.to_value(),
            "blur-style" => self.blur_style.to_value(),
            name => {
                let label = Label::ALL.into_iter().find(|l| text_property(*l) == name)?;
                self.show.words.word(label).to_value()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_tracks_are_read_and_told_again() {
        gst::init().unwrap();
        let text = "texts, live-7=(string)Authorized, spoof-7=(string)No, live=(string)a, dead-7=(string)b, live-x=(string)c, live-8=(int)8;";
        let mut settings = Settings::default();
        let given: gst::Structure = text.parse().unwrap();
        assert!(settings.set(TRACK_TEXTS, &given.to_value()));
        let texts = &settings.show.words.tracks;
        let (live, spoof) = (Label::Live.id(), Label::Spoof.id());
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert_eq!(texts[&(7, live)], "Authorized");
        assert_eq!(texts[&(7, spoof)], "No");
        let told = settings.get(TRACK_TEXTS).unwrap();
        assert!(Settings::default().set(TRACK_TEXTS, &told));
        let told = told.get::<gst::Structure>().unwrap();
        assert_eq!(track_texts(&told), *texts);
        assert!(settings.set(TRACK_TEXTS, &None::<gst::Structure>.to_value()));
        assert!(settings.show.words.tracks.is_empty());
    }
}
