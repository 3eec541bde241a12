// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was found out about one thing. Plain data, and its line.

use liveness_app::terminal;
use serde::Serialize;

/// Whether it is as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It is.
    Ok,
    /// Something is missing that not everybody needs.
    Warn,
    /// It is not.
    Fail,
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// What was looked at, in a word that stays the same.
    pub(crate) check: String,
    pub(crate) state: State,
    /// What was found.
    pub(crate) text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mend: Option<String>,
}

impl Finding {
    pub(crate) fn ok(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            state: State::Ok,
            text: text.into(),
            mend: None,
        }
    }

    pub(crate) fn warn(
        check: impl Into<String>,
        text: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Warn,
            mend: Some(mend.into()),
            ..Self::ok(check, text)
        }
    }

    pub(crate) fn fail(
        check: impl Into<String>,
        text: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Fail,
            ..Self::warn(check, text, mend)
        }
    }

    /// For people: a line, and below how to mend it.
    pub(crate) fn text(&self) -> String {
        let word = match self.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "fail",
        };
        let line = |text: &str| terminal::plain(text);
        let mut out = format!("{word:<5} {:<24} {}\n", self.check, line(&self.text));
        if let Some(mend) = &self.mend {
            out += &format!("{:<31}mend: {}\n", "", line(mend));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_and_its_cure_another() {
        let fine = Finding::ok("plugin", "is there\nindeed").text();
        assert_eq!(fine.lines().count(), 1, "{fine}");
        let wrong = Finding::fail("runtime", "is away", "install it").text();
        assert!(wrong.starts_with("fail  runtime"), "{wrong}");
        assert!(wrong.lines().nth(1).unwrap().trim() == "mend: install it");
    }
}
