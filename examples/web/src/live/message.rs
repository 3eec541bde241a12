// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said over a camera's WebSocket, as docs/web.md has it. Plain data.

use serde::{Deserialize, Serialize};

use crate::account::Standing;
use crate::challenge::Stage;
use crate::look::Shown;

/// Version of what is said.
pub(crate) const PROTOCOL: u32 = 1;

/// What the camera is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Verdicts, nothing else.
    Watch,
    /// Whoever does what is asked, and is live, is called live.
    Challenge,
    /// Enrol or log in: what the ticket says.
    Face,
}

/// What a browser says in words.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Hear {
    /// The first thing, and the only one: after it, there are pictures.
    Start(Start),
}

/// What the session is to be for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    pub(crate) mode: Mode,
    /// What `/api/enrol` or `/api/login` gave.
    #[serde(default)]
    pub(crate) ticket: Option<String>,
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Say {
    /// Pictures may be sent.
    Hello {
        protocol: u32,
        mode: Mode,
        /// Pictures that may be on their way at once.
        credits: usize,
        /// Limits of a picture and of the session.
        frame_bytes: usize,
        frame_pixels: u64,
        seconds: u64,
    },
    /// What became of a picture; gives one credit back.
    Result(Box<Answer>),
    /// Nothing comes behind this.
    End { reason: End, text: String },
}

/// What became of a picture.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Answer {
    /// Its number: pictures count from 1 in the order in which they were sent.
    pub(crate) frame: u64,
    /// Credits that are given back.
    pub(crate) credits: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) height: Option<u32>,
    pub(crate) faces: Vec<Shown>,
    /// Why nothing was seen in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) challenge: Option<Stage>,
    /// How far enrolling or logging in has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) face: Option<Standing>,
    /// Milliseconds that it waited for its turn, and that looking at it took.
    pub(crate) waited_ms: u32,
    pub(crate) took_ms: u32,
    /// The server is busy: pictures wait.
    pub(crate) throttled: bool,
    /// Cameras that are looked at now.
    pub(crate) sessions: usize,
    /// Pictures that came without credit and were thrown away since the session began.
    pub(crate) dropped: u64,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum End {
    /// There are as many as may be.
    Busy,
    /// Too many were begun from this address.
    TooMany,
    /// Its time is over.
    Time,
    /// Nothing was sent for too long.
    Idle,
    /// What was sent makes no sense.
    Protocol,
    /// A picture was larger than may be.
    TooLarge,
    /// The ticket is not known, or was used before.
    Ticket,
    /// The log-in demo is off.
    Off,
    /// Enrolled or logged in, as far as the face goes.
    Granted,
    /// Not enrolled or logged in.
    Refused,
    /// The server ends.
    Shutdown,
    /// The server cannot go on with it.
    Broken,
}

impl End {
    /// The number of the WebSocket's close (RFC 6455, 7.4.1).
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Granted | Self::Refused | Self::Time | Self::Idle => 1000,
            Self::Shutdown => 1001,
            Self::Protocol | Self::Ticket | Self::TooMany | Self::Off => 1008,
            Self::TooLarge => 1009,
            Self::Broken => 1011,
            Self::Busy => 1013,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_understood_or_refused() {
        let start = |text: &str| {
            let heard = serde_json::from_str::<Hear>(text);
            heard.map(|Hear::Start(start)| start)
        };
        let watch = start(r#"{"type":"start","mode":"watch"}"#).unwrap();
        assert_eq!((watch.mode, watch.ticket), (Mode::Watch, None));
        let face = start(r#"{"type":"start","mode":"face","ticket":"t"}"#).unwrap();
        assert_eq!(face.ticket.as_deref(), Some("t"));
        for wrong in [
            "",
            "{}",
            r#"{"type":"start"}"#,
            r#"{"type":"stop","mode":"watch"}"#,
            r#"{"type":"start","mode":"admin"}"#,
            r#"{"type":"start","mode":"watch","verdict":"live"}"#,
        ] {
            assert!(start(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ends_are_told_with_their_words() {
        let end = Say::End {
            reason: End::TooLarge,
            text: "x".into(),
        };
        let text = serde_json::to_string(&end).unwrap();
        assert_eq!(text, r#"{"type":"end","reason":"too-large","text":"x"}"#);
    }
}
