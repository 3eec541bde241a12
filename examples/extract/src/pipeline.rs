// SPDX-License-Identifier: MIT OR Apache-2.0
//! One input through one pipeline, watched until it ends, is stopped or is given up. Knows GStreamer; nothing of other inputs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use gst::glib;
use gst::prelude::*;

use crate::cli::Extract;
use crate::inputs::{Input, Kind};
use crate::journal::Totals;

/// The detector's name that is ours alone: GStreamer's OpenCV plugin has a `facedetect`, too.
const DETECTOR: &str = "livenessfacedetect";

/// How often a pipeline is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long nothing may work in a pipeline before that means that nothing will.
const IDLE: Duration = Duration::from_secs(1);

/// How long a pipeline may take to end, when all that it has begun to write must be written.
const GRACE: Duration = Duration::from_secs(10);

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
    let error = held.0.bus().and_then(|bus| first_error(&bus));
    let said = error.map_or_else(|| "the detector does not start".to_owned(), |e| text(&e));
    match extract.model {
        None => {
            bail!("{said}\nName one with --model FILE.onnx or with the variable LIVENESS_DETECTOR")
        }
        Some(_) => bail!("{said}"),
    }
}

fn make(name: &str) -> anyhow::Result<gst::Element> {
    gst::ElementFactory::make(name).build().with_context(|| {
        format!("GStreamer has no element {name}: install its plugins base and good")
    })
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

/// Everything behind the detector.
fn sink(extract: &Extract, input: &Input, session: &str) -> anyhow::Result<gst::Element> {
    let sink = make("frameextract")?;
    set(&sink, &extract.properties)?;
    sink.set_property("location", &extract.output);
    sink.set_property("label", &extract.label);
    sink.set_property("session", session);
    sink.set_property("source", &input.source);
    // Several inputs at once keep the cores busy already.
    let workers = crate::cli::cores() / extract.jobs.max(1);
    sink.set_property("workers", u32::try_from(workers.max(1)).unwrap_or(1));
    Ok(sink)
}

/// A pipeline that is not running yet, with what is to be watched.
struct Line {
    pipeline: gst::Pipeline,
    sink: gst::Element,
    /// Frames that reached the detector.
    frames: Arc<AtomicU64>,
    /// Time of the last of them in nanoseconds.
    position: Arc<AtomicU64>,
    /// What a decoder is missing for, in GStreamer's words.
    missing: Vec<String>,
}

impl Line {
    fn new(extract: &Extract, input: &Input, session: &str) -> anyhow::Result<Self> {
        let source = make("filesrc")?;
        source.set_property("location", &input.path);
        let convert = make("videoconvert")?;
        let upright = make("videoflip")?;
        upright.set_property_from_str("video-direction", "auto");
        let detector = detector(extract)?;
        let sink = sink(extract, input, session)?;
        let pipeline = gst::Pipeline::new();
        pipeline.add_many([&source, &convert, &upright, &detector, &sink])?;
        gst::Element::link_many([&convert, &upright, &detector, &sink])?;
        if input.kind == Kind::Jpeg {
            // Only jpegparse reads how the picture must be turned, and decodebin does without it.
            let (parse, decode) = (make("jpegparse")?, make("jpegdec")?);
            pipeline.add_many([&parse, &decode])?;
            gst::Element::link_many([&source, &parse, &decode, &convert])?;
        } else {
            let decode = decodebin(&pipeline, &convert)?;
            source.link(&decode)?;
        }
        Self::watched(pipeline, sink, &detector)
    }

    /// Counts the frames that reach `last`.
    fn watched(
        pipeline: gst::Pipeline,
        sink: gst::Element,
        last: &gst::Element,
    ) -> anyhow::Result<Self> {
        let frames = Arc::new(AtomicU64::new(0));
        let pad = last
            .static_pad("sink")
            .context("an element without a sink pad")?;
        let position = Arc::new(AtomicU64::new(0));
        let (counter, time) = (frames.clone(), position.clone());
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            counter.fetch_add(1, Ordering::Relaxed);
            if let Some(pts) = info.buffer().and_then(|b| b.pts()) {
                time.store(pts.nseconds(), Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
        Ok(Self {
            pipeline,
            sink,
            frames,
            position,
            missing: Vec::new(),
        })
    }
}

/// Decodes whatever it is given, and links its first video to `to`. Sound is not even decoded.
fn decodebin(pipeline: &gst::Pipeline, to: &gst::Element) -> anyhow::Result<gst::Element> {
    let decode = make("decodebin")?;
    pipeline.add(&decode)?;
    decode.connect("autoplug-continue", false, |values| {
        let caps = values.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let name = caps.and_then(|c| Some(c.structure(0)?.name().to_string()));
        let unwanted = ["audio/", "text/", "subpicture/", "application/x-subtitle"];
        let unwanted = name.is_some_and(|n| unwanted.iter().any(|u| n.starts_with(u)));
        Some((!unwanted).to_value())
    });
    let sink = to
        .static_pad("sink")
        .context("an element without a sink pad")?;
    let sink = sink.downgrade();
    let into = sink.clone();
    decode.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let is_video = caps
            .structure(0)
            .is_some_and(|s| s.name().starts_with("video/x-raw"));
        if let Some(sink) = into.upgrade()
            && is_video
            && !sink.is_linked()
        {
            // Where it cannot be linked, the pipeline says so itself: its data go nowhere.
            let _ = pad.link(&sink);
        }
    });
    decode.connect_no_more_pads(move |decode| {
        if sink.upgrade().is_some_and(|s| !s.is_linked()) {
            gst::element_error!(
                decode,
                gst::StreamError::WrongType,
                ("there is no video in it")
            );
        }
    });
    Ok(decode)
}

/// Runs one input through a pipeline of its own, until it ends or `stop` says so. `see` is told every now and then how far it is.
pub(crate) fn run(
    extract: &Extract,
    input: &Input,
    session: &str,
    stop: &dyn Fn() -> bool,
    see: &dyn Fn(Progress),
) -> (End, Totals) {
    match Line::new(extract, input, session) {
        Ok(line) => watch(line, extract.timeout, stop, see),
        Err(error) => (End::Serious(format!("{error:#}")), Totals::default()),
    }
}

/// Plays it until it ends one way or the other, and takes it down.
fn watch(
    mut line: Line,
    timeout: Duration,
    stop: &dyn Fn() -> bool,
    see: &dyn Fn(Progress),
) -> (End, Totals) {
    let end = match line.pipeline.bus() {
        Some(bus) => match line.pipeline.set_state(gst::State::Playing) {
            Ok(_) => play(&mut line, &bus, timeout, stop, see),
            Err(_) => match first_error(&bus) {
                Some(error) => failed(&mut line, &bus, &error),
                None => End::Failed("it cannot be played".into()),
            },
        },
        None => End::Serious("a pipeline without a bus".into()),
    };
    take_down(line.pipeline);
    // Only now is everything written that had been begun.
    (end, totals(&line.sink))
}

fn play(
    line: &mut Line,
    bus: &gst::Bus,
    timeout: Duration,
    stop: &dyn Fn() -> bool,
    see: &dyn Fn(Progress),
) -> End {
    use gst::{MessageType as T, MessageView as V};
    let wait = gst::ClockTime::try_from(LOOK).unwrap_or(gst::ClockTime::MSECOND);
    let (mut frames, mut moved) = (0, Instant::now());
    loop {
        if let Some(message) = bus.timed_pop_filtered(wait, &[T::Eos, T::Error, T::Element]) {
            match message.view() {
                V::Eos(_) if line.frames.load(Ordering::Relaxed) > 0 => return End::Done,
                V::Eos(_) => return End::Failed("no frame could be decoded".into()),
                V::Error(_) => return failed(line, bus, &message),
                V::Element(element) => note_missing(line, element),
                _ => {}
            }
        }
        if stop() {
            return End::Stopped;
        }
        let progress = progress(line);
        if progress.frames != frames {
            (frames, moved) = (progress.frames, Instant::now());
        } else if moved.elapsed() >= IDLE && is_idle(&line.pipeline) {
            return End::Failed("there is nothing in it that can be played".into());
        } else if moved.elapsed() >= timeout {
            let seconds = timeout.as_secs_f32();
            return End::Failed(format!("given up: no frame came out of it for {seconds} s"));
        }
        see(progress);
    }
}

fn progress(line: &Line) -> Progress {
    let duration = line.pipeline.query_duration::<gst::ClockTime>();
    let duration = duration.filter(|d| !d.is_zero());
    let position = line.position.load(Ordering::Relaxed) as f64;
    Progress {
        frames: line.frames.load(Ordering::Relaxed),
        saved: totals(&line.sink).saved,
        part: duration.map(|d| (position / d.nseconds() as f64).min(1.0)),
    }
}

/// A decoder that is not installed is named in a message of its own, before the error.
fn note_missing(line: &mut Line, message: &gst::message::Element) {
    let missing = message.structure().filter(|s| s.name() == "missing-plugin");
    if let Some(name) = missing.and_then(|s| s.get::<String>("name").ok()) {
        line.missing.push(name);
    }
}

/// What an error ends, and why.
fn failed(line: &mut Line, bus: &gst::Bus, message: &gst::Message) -> End {
    // Those of decoders that are missing may wait behind it.
    while let Some(message) = bus.pop_filtered(&[gst::MessageType::Element]) {
        if let gst::MessageView::Element(element) = message.view() {
            note_missing(line, element);
        }
    }
    if is_serious(message) {
        return End::Serious(text(message));
    }
    if line.missing.is_empty() {
        return End::Failed(text(message));
    }
    line.missing.dedup();
    let missing = line.missing.join(", ");
    End::Failed(format!("no decoder is installed for it: {missing}"))
}

/// Whether the data set cannot be written, or the model not be used: then it is not the input's fault, and the next one would fare
/// no better.
fn is_serious(message: &gst::Message) -> bool {
    let gst::MessageView::Error(error) = message.view() else {
        return false;
    };
    let error = error.error();
    let source = message.src().and_then(|s| s.downcast_ref::<gst::Element>());
    let factory = source.and_then(|e| e.factory()).map(|f| f.name());
    let unfit = error.is::<gst::CoreError>() || error.matches(gst::StreamError::Format);
    match factory.as_deref() {
        Some("frameextract") => !unfit,
        Some("facedetect" | DETECTOR) => !unfit && !error.is::<gst::StreamError>(),
        _ => false,
    }
}

fn first_error(bus: &gst::Bus) -> Option<gst::Message> {
    bus.timed_pop_filtered(gst::ClockTime::SECOND, &[gst::MessageType::Error])
}

/// What an error message says to a user.
fn text(message: &gst::Message) -> String {
    let gst::MessageView::Error(error) = message.view() else {
        return String::new();
    };
    let said = error.error().message().trim().to_owned();
    // Elements without words of their own leave them to GStreamer, and what is the matter to the last line for developers.
    let general = [
        "GStreamer encountered",
        "Internal data stream error",
        "Could not de",
    ];
    let debug = error
        .debug()
        .filter(|_| general.iter().any(|g| said.starts_with(g)));
    let detail = debug.as_deref().and_then(|d| d.lines().skip(1).last());
    match detail.map(str::trim).filter(|d| !d.is_empty()) {
        Some(detail) => format!("{} ({detail})", said.trim_end_matches('.')),
        None => said,
    }
}

/// Whether no thread of a pipeline works any more. In GStreamer 1.22, decodebin loses the error of an element that fails in the
/// moment in which it is added; such a pipeline would be waited for in vain.
fn is_idle(pipeline: &gst::Pipeline) -> bool {
    let mut elements = pipeline.iterate_recurse().into_iter().flatten();
    let works = |e: gst::Element| {
        e.pads()
            .iter()
            .any(|p| p.task_state() == gst::TaskState::Started)
    };
    !elements.any(works)
}

/// What the sink has counted.
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
            .filter(|(_, n)| *n > 0)
            .collect(),
    }
}

/// Ends a pipeline. One that hangs does so in a thread of its own: others must go on.
fn take_down(pipeline: gst::Pipeline) {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // From any state there is a way down.
        let _ = pipeline.set_state(gst::State::Null);
        let _ = sender.send(());
    });
    let _ = receiver.recv_timeout(GRACE);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipeline that ends in an element `sink`.
    fn line(description: &str) -> Line {
        gst::init().unwrap();
        let pipeline = gst::parse::launch(description).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let sink = pipeline.by_name("sink").unwrap();
        Line::watched(pipeline, sink.clone(), &sink).unwrap()
    }

    fn end(description: &str, stop: bool) -> End {
        let timeout = Duration::from_millis(400);
        watch(line(description), timeout, &|| stop, &|_| ()).0
    }

    #[test]
    fn what_gives_no_frame_for_too_long_is_given_up() {
        let given_up =
            |end: &End| matches!(end, End::Failed(reason) if reason.starts_with("given up"));
        let never = end("appsrc ! fakesink name=sink", false);
        assert!(given_up(&never), "{never:?}");
        // It stops in its middle.
        let middle = end(
            "videotestsrc ! identity sleep-time=1500000 ! fakesink name=sink",
            false,
        );
        assert!(given_up(&middle), "{middle:?}");
    }

    #[test]
    fn what_is_slow_is_not_given_up() {
        let slow = end(
            "videotestsrc num-buffers=8 ! identity sleep-time=150000 ! fakesink name=sink",
            false,
        );
        assert_eq!(slow, End::Done);
    }

    #[test]
    fn it_ends_when_it_is_told() {
        assert_eq!(end("videotestsrc ! fakesink name=sink", true), End::Stopped);
        assert_eq!(end("appsrc ! fakesink name=sink", true), End::Stopped);
    }

    #[test]
    fn an_end_without_a_frame_is_a_failure() {
        let empty = end("fakesrc num-buffers=0 ! fakesink name=sink", false);
        assert_eq!(empty, End::Failed("no frame could be decoded".into()));
    }
}
