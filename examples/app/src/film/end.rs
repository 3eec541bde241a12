// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a pipeline ends, even one that does not want to. Knows GStreamer alone.

use std::sync::mpsc;
use std::time::Duration;

use gst::prelude::*;

/// How often a pipeline is looked at.
pub const LOOK: Duration = Duration::from_millis(100);

/// How long nothing may work in a pipeline before that means that nothing will.
pub const IDLE: Duration = Duration::from_secs(1);

/// What is said of a file in whose pipeline nothing works.
pub const NOTHING: &str = "there is nothing in it that can be played";

/// What is said of a file that came to its end without a frame.
pub const NO_FRAME: &str = "no frame could be decoded";

/// What is said of a file that is not waited for any longer.
pub fn given_up(timeout: Duration) -> String {
    let seconds = timeout.as_secs_f32();
    format!("given up: no frame came out of it for {seconds} s")
}

/// How long a pipeline may take to end, when all that it has begun to write must be written.
const GRACE: Duration = Duration::from_secs(10);

/// Whether no thread of a pipeline works any more. In GStreamer 1.22, decodebin loses the error of an element that fails in the
/// moment in which it is added; such a pipeline would be waited for in vain.
pub fn is_idle(pipeline: &gst::Pipeline) -> bool {
    let mut elements = pipeline.iterate_recurse().into_iter().flatten();
    let works = |e: gst::Element| {
        e.pads()
            .iter()
            .any(|p| p.task_state() == gst::TaskState::Started)
    };
    !elements.any(works)
}

/// Ends a pipeline or parts of one. What hangs does so in a thread of its own: others must go on. Whether they have ended.
pub fn take_down(elements: Vec<gst::Element>) -> bool {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // A decoder that finds its file broken at this very moment fails to step down, and all that a bin has left to do stops there.
        let down = |e: &gst::Element| (0..3).any(|_| e.set_state(gst::State::Null).is_ok());
        let down = elements.iter().filter(|e| down(e)).count() == elements.len();
        // Nobody listens any more where it took too long.
        let _ = sender.send(down);
    });
    receiver.recv_timeout(GRACE).unwrap_or(false)
}
