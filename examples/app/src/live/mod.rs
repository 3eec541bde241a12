// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources that live: cameras, network cameras, telephones. And what is seen in them, as all programs see it.
//!
//! ```text
//! v4l2src | rtspsrc | souphttpsrc ! decodebin ! videoconvert ! videoflip ! appsink      a pipeline of its own for each try: Feed
//!    └─ Gate ─> appsrc ! queue leaky ! facedetect ! livenessclassify ! livenessoverlay ! tee      stands for as long as the program: Show
//!                                                                                        ├─ queue ! autovideosink
//!                                                                                        └─ queue ! x264enc ! matroskamux ! filesink
//! ```
//!
//! What can break stands in a pipeline of its own, which is thrown away and made anew when it does: an error, an end, a change of state or a
//! hang of a camera cannot reach the detector, the window or the recording. Between the two, [`gate::Gate`] hands on frames and nothing else, in
//! the time of the pipeline that stands.
//!
//! GStreamer's own `fallbacksrc` (gst-plugin-fallbackswitch 0.15.4) was tried first, on GStreamer 1.22. It does come back after a server that
//! went away, but it keeps all errors to itself (a wrong password, a name that cannot be resolved and a server that is off look alike), in one of
//! four runs GLib complained of freed objects when the server was killed, it shows the first still of `shot.jpg` for ever as if it were a film,
//! and while a source is away it sends thirty black frames a second.

mod address;
mod backoff;
pub mod board;
mod chain;
pub mod events;
mod faces;
mod feed;
mod gate;
mod meter;
mod newest;
mod onlooker;
mod options;
mod origin;
mod reach;
mod record;
mod show;
pub mod still;
mod window;
mod words;

pub use address::{Address, Login};
pub use backoff::Backoff;
pub use chain::ModelOptions;
pub use faces::{Faces, Seen};
pub use meter::Numbers;
pub use onlooker::Onlooker;
pub use options::{PASSWORD, SourceOptions, mkv};
pub use origin::{Input, Origin};
pub use record::Recorded;
pub use show::{Event, Show};
pub use window::has_display;
