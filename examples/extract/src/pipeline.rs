// SPDX-License-Identifier: MIT OR Apache-2.0
//! source ! facedetect ! frameextract
//!
//! One input after the other through one pipeline, watched until it ends, is stopped or is given up. The detector and the sink stand
//! from input to input, so that the data set is read once and not for each of a thousand pictures. Knows GStreamer; nothing of other
//! workers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use gst::glib;
use gst::prelude::*;
use liveness::dataset::pace::Pace;
use liveness_app::film::end::{self, IDLE, LOOK, is_idle, take_down};
use liveness_app::film::faults::{first_error, missing, reason, text};
use liveness_app::film::{Source, make};

use crate::cli::Extract;
use crate::faults;
use crate::gauge::Gauge;
use crate::inputs::Input;
use crate::journal::Totals;

/// The detector's name that is ours alone: GStreamer's OpenCV plugin has a `facedetect`, too.
const DETECTOR: &str = "livenessfacedetect";

/// How an input ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// It was read to its end.
    Done,
    /// It was stopped before.
    Stopped,
    /// There is something wrong with it.
    Failed(String),
    /// Nothing can be saved any more, of no input.
    Serious(String),
}

/// How far an input is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Frames that came out of it.
    pub(crate) frames: u64,
    /// Pictures that were saved.
    pub(crate) saved: u64,
    /// The part that is read, 0..1, where that is known.
    pub(crate) part: Option<f64>,
}

/// Keeps the detector's model open for as long as it lives: the elements that come and go meanwhile share it.
#[derive(Debug)]
pub(crate) struct Held(gst::Pipeline);

impl Drop for Held {
    fn drop(&mut self) {
        // There is nothing in it that could refuse.
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// Opens the detector's model.
///
/// # Errors
/// What the element says about the model, or about ONNX Runtime.
pub(crate) fn hold_detector(extract: &Extract) -> anyhow::Result<Held> {
    let held = Held(gst::Pipeline::new());
    held.0.add(&detector(extract)?)?;
    if held.0.set_state(gst::State::Paused).is_ok() {
        return Ok(held);
    }
    let said = held.0.bus().and_then(|bus| first_error(&bus));
    let said = said.map_or_else(|| "the detector does not start".to_owned(), |e| text(&e));
    bail!("{said}")
}

/// Sets properties as the user wrote them. The command line has checked their values.
fn set(element: &gst::Element, properties: &[(&'static str, String)]) -> anyhow::Result<()> {
    for (name, value) in properties {
        let pspec = element.find_property(name);
        let pspec = pspec.with_context(|| format!("{} has no {name}", element.name()))?;
        let value = glib::Value::deserialize_with_pspec(value, &pspec)
            .with_context(|| format!("{name} cannot be {value}"))?;
        element.set_property_from_value(name, &value);
    }
    Ok(())
}

fn detector(extract: &Extract) -> anyhow::Result<gst::Element> {
    let detector = make(DETECTOR)?;
    set(&detector, &extract.detection)?;
    if let Some(model) = &extract.model {
        detector.set_property("model", model);
    }
    Ok(detector)
}

/// Plays inputs, one after the other.
pub(crate) struct Player<'a> {
    extract: &'a Extract,
    /// What stands since the input before.
    line: Option<Line>,
}

impl<'a> Player<'a> {
    pub(crate) fn new(extract: &'a Extract) -> Self {
        let line = None;
        Self { extract, line }
    }

    /// Plays an input until it ends or `stop` says so. `see` is told every now and then how far it is.
    pub(crate) fn play(
        &mut self,
        input: &Input,
        session: &str,
        stop: &dyn Fn() -> bool,
        see: &dyn Fn(Progress),
    ) -> (End, Totals) {
        let mut ready = || -> anyhow::Result<_> {
            let line = match self.line.take() {
                Some(line) => line,
                None => Line::new(self.extract)?,
            };
            line.sink.set_property("source", &input.source);
            line.sink.set_property("session", session);
            Ok((line, Source::upright(&input.path, input.kind)?))
        };
        let (mut line, source) = match ready() {
            Ok(ready) => ready,
            Err(error) => return (End::Serious(format!("{error:#}")), Totals::default()),
        };
        let end = line.play(&source, self.extract.timeout, stop, see);
        // The sink counts its files from its start on.
        let lasts = end == End::Done && !self.extract.limits_files();
        let sink = line.sink.clone();
        let before = std::mem::take(&mut line.before);
        if lasts && line.clear(&source) {
            line.before = totals(&sink);
            self.line = Some(line);
        } else {
            // Ends only when everything is written that had been begun.
            drop(line);
        }
        (end, totals(&sink) - before)
    }
}

/// A detector and a sink, with what is to be watched.
struct Line {
    pipeline: gst::Pipeline,
    /// Where a source is linked to.
    entry: gst::Pad,
    sink: gst::Element,
    gauge: Arc<Gauge>,
    /// What the sink had counted before the input.
    before: Totals,
}

impl Drop for Line {
    fn drop(&mut self) {
        take_down(vec![self.pipeline.clone().upcast()]);
    }
}

impl Line {
    fn new(extract: &Extract) -> anyhow::Result<Self> {
        let detector = detector(extract)?;
        let sink = make("frameextract")?;
        set(&sink, &extract.properties)?;
        sink.set_property("location", &extract.output);
        sink.set_property("label", &extract.label);
        // Several inputs at once keep the cores busy already.
        let workers = crate::cli::cores() / extract.jobs.max(1);
        sink.set_property("workers", u32::try_from(workers.max(1)).unwrap_or(1));
        // It need not wait for a first frame: so the pipeline plays from now on, and sources come and go.
        sink.set_property("async", false);
        Self::of(&detector, sink, extract.pace.clone())
    }

    fn of(first: &gst::Element, sink: gst::Element, pace: Option<Pace>) -> anyhow::Result<Self> {
        let pipeline = gst::Pipeline::new();
        pipeline.add_many([first, &sink])?;
        first.link(&sink)?;
        let entry = first
            .static_pad("sink")
            .context("an element without a sink pad")?;
        Ok(Self {
            pipeline,
            gauge: Gauge::before(first, &entry, pace),
            entry,
            sink,
            before: Totals::default(),
        })
    }

    /// Plays what `source` gives until it ends one way or the other.
    fn play(
        &mut self,
        source: &Source,
        timeout: Duration,
        stop: &dyn Fn() -> bool,
        see: &dyn Fn(Progress),
    ) -> End {
        self.gauge.reset();
        let Some(bus) = self.pipeline.bus() else {
            return End::Serious("a pipeline without a bus".into());
        };
        // Later on, it plays already.
        if self.pipeline.set_state(gst::State::Playing).is_ok()
            && source.start(&self.pipeline, &self.entry)
        {
            return self.watch(source, &bus, timeout, stop, see);
        }
        match first_error(&bus) {
            Some(error) => failed(&bus, &error, Vec::new()),
            None => End::Failed("it cannot be played".into()),
        }
    }

    fn watch(
        &self,
        source: &Source,
        bus: &gst::Bus,
        timeout: Duration,
        stop: &dyn Fn() -> bool,
        see: &dyn Fn(Progress),
    ) -> End {
        use gst::MessageType as T;
        let wait = gst::ClockTime::try_from(LOOK).unwrap_or(gst::ClockTime::MSECOND);
        let mut lacking = Vec::new();
        let (mut frames, mut moved) = (0, Instant::now());
        loop {
            if let Some(message) = bus.timed_pop_filtered(wait, &[T::Error, T::Element]) {
                if message.type_() == T::Error {
                    return failed(bus, &message, lacking);
                } else if is_summary(&message) {
                    return self.ended(source);
                }
                lacking.extend(missing(&message));
            }
            if stop() {
                return End::Stopped;
            }
            let progress = self.progress();
            if progress.frames != frames {
                (frames, moved) = (progress.frames, Instant::now());
            } else if moved.elapsed() >= IDLE && is_idle(&self.pipeline) {
                return End::Failed(end::NOTHING.into());
            } else if moved.elapsed() >= timeout {
                return End::Failed(end::given_up(timeout));
            }
            see(progress);
        }
    }

    fn progress(&self) -> Progress {
        let time = self.gauge.time().as_secs_f64();
        Progress {
            frames: self.gauge.frames(),
            saved: totals(&self.sink).saved.saturating_sub(self.before.saved),
            part: self.duration().map(|d| (time / d.as_secs_f64()).min(1.0)),
        }
    }

    fn duration(&self) -> Option<Duration> {
        let duration = self.pipeline.query_duration::<gst::ClockTime>();
        duration.filter(|d| !d.is_zero()).map(Into::into)
    }

    /// What the end of the stream means.
    fn ended(&self, source: &Source) -> End {
        if self.gauge.frames() == 0 {
            return End::Failed(end::NO_FRAME.into());
        }
        match source.cut_short(self.duration()) {
            Some(reason) => End::Failed(reason),
            None => End::Done,
        }
    }

    /// Takes a source away that has ended, and makes room for the next one. False where that does not work.
    fn clear(&self, source: &Source) -> bool {
        let ended = take_down(source.parts());
        // After an end, only a flush lets elements take anything again.
        let cleared = ended
            && source.remove(&self.pipeline)
            && self.entry.send_event(gst::event::FlushStart::new())
            && self.entry.send_event(gst::event::FlushStop::new(true));
        if let Some(bus) = self.pipeline.bus() {
            while bus.pop().is_some() {}
        }
        cleared
    }
}

/// What frameextract says when the stream has ended and everything is saved. The pipeline's own message of the end may be one of the
/// input before.
fn is_summary(message: &gst::Message) -> bool {
    let structure = message.structure();
    structure.is_some_and(|s| s.name() == "GstLivenessFrameExtractSummary")
}

/// What an error ends, and why.
fn failed(bus: &gst::Bus, message: &gst::Message, lacking: Vec<String>) -> End {
    if faults::is_serious(message) {
        return End::Serious(text(message));
    }
    End::Failed(reason(bus, message, lacking))
}

/// What the sink has counted since it started.
fn totals(sink: &gst::Element) -> Totals {
    let stats = sink.property::<gst::Structure>("stats");
    let count = |name| stats.get::<u64>(name).unwrap_or(0);
    let refused = stats.get::<gst::Structure>("refused").ok();
    let refused = refused.iter().flat_map(|s| s.iter());
    Totals {
        frames: count("frames"),
        faces: count("faces"),
        saved: count("saved"),
        already_there: count("already-there"),
        refused: refused
            .filter_map(|(name, value)| Some((name.to_string(), value.get::<u64>().ok()?)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Task;

    /// With a sink that saves nothing, since nobody looks for faces.
    fn line(folder: &tempfile::TempDir) -> Line {
        crate::testing::init();
        let sink = make("frameextract").unwrap();
        sink.set_property("location", folder.path());
        sink.set_property("async", false);
        Line::of(&make("identity").unwrap(), sink, None).unwrap()
    }

    fn source(description: &str) -> Source {
        crate::testing::init();
        let bin = gst::parse::bin_from_description(description, true);
        Source::of(vec![bin.unwrap().upcast()]).unwrap()
    }

    fn end(description: &str, stop: bool) -> End {
        let folder = tempfile::tempdir().unwrap();
        let (mut line, timeout) = (line(&folder), Duration::from_millis(400));
        line.play(&source(description), timeout, &|| stop, &|_| ())
    }

    #[test]
    fn what_gives_no_frame_for_too_long_is_given_up() {
        let given_up = |end: &End| matches!(end, End::Failed(why) if why.starts_with("given up"));
        let never = end("appsrc", false);
        assert!(given_up(&never), "{never:?}");
        // It stops in its middle.
        let middle = end("videotestsrc ! identity sleep-time=1500000", false);
        assert!(given_up(&middle), "{middle:?}");
    }

    #[test]
    fn what_is_slow_is_not_given_up() {
        let slow = end(
            "videotestsrc num-buffers=8 ! identity sleep-time=150000",
            false,
        );
        assert_eq!(slow, End::Done);
    }

    #[test]
    fn it_ends_when_it_is_told() {
        assert_eq!(end("videotestsrc", true), End::Stopped);
        assert_eq!(end("appsrc", true), End::Stopped);
    }

    #[test]
    fn an_end_without_a_frame_is_a_failure() {
        let empty = end("videotestsrc num-buffers=0", false);
        assert_eq!(empty, End::Failed("no frame could be decoded".into()));
    }

    /// What the command line takes, the elements take: names, kinds and ranges.
    #[test]
    fn all_options_are_properties() {
        crate::testing::init();
        let least = "--skip 1 --every 0.000000001 --mode faces --margin 0.5 --size 0 --format jpeg --quality 1 --min-confidence 0 \
                     --min-face-size 0 --min-sharpness 0 --min-exposure 0 --max-exposure 0 --max-per-track 0 --dedup 0 \
                     --max-files 0 --detector-threshold 0";
        let most = "--skip 4294967295 --every 30000000 --margin 10 --size 2048 --format png --quality 100 \
                    --min-confidence 1 --min-face-size 4294967295 --min-sharpness 1e30 --min-exposure 1 --max-exposure 1 \
                    --max-per-track 4294967295 --dedup 64 --max-files 4294967295 --allow-cut-off --largest-only --best-of-track \
                    --durable --mode frames --detector-threshold 1";
        for options in [least, most] {
            let words = "liveness-extract -o d -l real x.mp4"
                .split(' ')
                .chain(options.split_whitespace());
            let Task::Extract(extract) = crate::cli::Cli::parse_from(words).task() else {
                panic!("it is nothing else");
            };
            let line = Line::new(&extract).unwrap();
            assert_eq!(line.sink.property::<String>("label"), "real");
            assert!(extract.properties.len() >= 15);
        }
    }

    #[test]
    fn one_input_follows_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut line = line(&folder);
        for n in 1..200 {
            let source = source(&format!("videotestsrc num-buffers={}", n % 3 + 1));
            let end = line.play(&source, Duration::from_secs(5), &|| false, &|_| ());
            assert_eq!(end, End::Done, "input {n}");
            assert_eq!(line.gauge.frames(), n % 3 + 1);
            assert!(line.clear(&source), "input {n}");
        }
    }
}
