// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parts of the file that say what is done, and the values in them.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use lettre::message::Mailbox;
use serde::Deserialize;
use url::Url;

use super::secret::{Never, Secret};
use crate::policy::Kind;

/// A time, never nought.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
pub(crate) struct Seconds(f64);

impl Seconds {
    pub(super) const fn of(seconds: f64) -> Self {
        Self(seconds)
    }

    pub(crate) fn time(self) -> Duration {
        Duration::from_secs_f64(self.0)
    }
}

impl TryFrom<f64> for Seconds {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        match (0.1..=86400.0).contains(&seconds) {
            true => Ok(Self(seconds)),
            false => Err("must be seconds, from 0.1 to 86400"),
        }
    }
}

/// On which decisions something is done.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<Kind>")]
pub(crate) struct On(Vec<Kind>);

impl On {
    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.0
    }

    fn all() -> Self {
        Self(Kind::ALL.to_vec())
    }

    fn intruder() -> Self {
        Self(vec![Kind::Intruder])
    }
}

impl TryFrom<Vec<Kind>> for On {
    type Error = &'static str;

    fn try_from(mut kinds: Vec<Kind>) -> Result<Self, Self::Error> {
        let all = kinds.len();
        kinds.sort();
        kinds.dedup();
        match kinds.len() {
            0 => Err("must name granted, intruder or both"),
            n if n < all => Err("must name each only once"),
            _ => Ok(Self(kinds)),
        }
    }
}

/// `[audit]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Audit {
    /// `-` and none are standard output.
    pub(crate) path: Option<PathBuf>,
}

/// `[overlay]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Overlay {
    pub(crate) granted: String,
    pub(crate) intruder: String,
}

impl Default for Overlay {
    fn default() -> Self {
        Self {
            granted: "Authorized".into(),
            intruder: "Unauthorized".into(),
        }
    }
}

impl Overlay {
    pub(crate) fn word(&self, kind: Kind) -> &str {
        match kind {
            Kind::Granted => &self.granted,
            Kind::Intruder => &self.intruder,
        }
    }
}

/// `[place]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Place {
    /// What the guarded place is called.
    pub(crate) name: Option<String>,
    /// Where it is, in words.
    pub(crate) address: Option<String>,
    pub(crate) latitude: Option<f64>,
    pub(crate) longitude: Option<f64>,
    /// Whether to ask GeoClue.
    pub(crate) geoclue: bool,
}

/// `[voice]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Voice {
    pub(crate) on: On,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    granted: String,
    intruder: String,
    pub(crate) seconds: Seconds,
}

impl Default for Voice {
    fn default() -> Self {
        Self {
            on: On::all(),
            program: "espeak-ng".into(),
            args: Vec::new(),
            granted: "Access granted".into(),
            intruder: "Warning: intruder".into(),
            seconds: Seconds::of(10.0),
        }
    }
}

impl Voice {
    pub(crate) fn text(&self, kind: Kind) -> &str {
        match kind {
            Kind::Granted => &self.granted,
            Kind::Intruder => &self.intruder,
        }
    }
}

/// `[[command]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    pub(crate) name: Option<String>,
    pub(crate) on: On,
    pub(crate) program: PathBuf,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    #[serde(default = "ten")]
    pub(crate) seconds: Seconds,
}

/// `[lock]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lock {
    pub(crate) on: On,
    /// Else the session of this program.
    pub(crate) session: Option<String>,
    pub(crate) seconds: Seconds,
}

impl Default for Lock {
    fn default() -> Self {
        Self {
            on: On::intruder(),
            session: None,
            seconds: Seconds::of(5.0),
        }
    }
}

/// How what is said to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) enum Security {
    /// From the first byte.
    #[serde(rename = "tls")]
    Whole,
    /// From its second word on; never not.
    #[default]
    #[serde(rename = "starttls")]
    Upgraded,
    /// Not at all.
    #[serde(rename = "none")]
    None,
}

/// `[mail]`
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "MailFields")]
pub(crate) struct Mail {
    pub(crate) on: On,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Security,
    pub(crate) insecure: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) user: Option<String>,
    pub(crate) secret: Secret,
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
    pub(crate) snapshot: bool,
    pub(crate) queue: PathBuf,
    pub(crate) most: usize,
    pub(crate) seconds: Seconds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MailFields {
    #[serde(default = "On::intruder")]
    on: On,
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tls: Security,
    #[serde(default)]
    insecure: bool,
    ca_file: Option<PathBuf>,
    user: Option<String>,
    password_env: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(rename = "password")]
    _password: Option<Never>,
    from: Mailbox,
    to: Vec<Mailbox>,
    #[serde(default = "yes")]
    snapshot: bool,
    queue: PathBuf,
    #[serde(default = "most")]
    most: usize,
    #[serde(default = "thirty")]
    seconds: Seconds,
}

impl From<MailFields> for Mail {
    fn from(fields: MailFields) -> Self {
        Self {
            on: fields.on,
            host: fields.host,
            port: fields.port.unwrap_or(match fields.tls {
                Security::Whole => 465,
                Security::Upgraded => 587,
                Security::None => 25,
            }),
            tls: fields.tls,
            insecure: fields.insecure,
            ca_file: fields.ca_file,
            user: fields.user,
            secret: Secret {
                variable: fields.password_env,
                file: fields.password_file,
            },
            from: fields.from,
            to: fields.to,
            snapshot: fields.snapshot,
            queue: fields.queue,
            most: fields.most,
            seconds: fields.seconds,
        }
    }
}

impl Mail {
    pub(super) fn make_sense(&self) -> anyhow::Result<()> {
        if self.to.is_empty() {
            bail!("`to` names nobody");
        }
        if self.host.is_empty() {
            bail!("`host` is empty");
        }
        if self.tls == Security::None && !self.insecure && !is_here(&self.host) {
            bail!(
                "tls = \"none\" would send password and picture unencrypted to {}: use \"starttls\" or \"tls\" (or say insecure = true)",
                self.host
            );
        }
        match (&self.user, self.secret.is_named()) {
            (None, true) => bail!("there is a password and no `user`"),
            (Some(user), false) => bail!(
                "there is no password for {user}: name its place with `password-env` or `password-file`"
            ),
            _ => Ok(()),
        }
    }
}

/// `[webhook]`
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "WebhookFields")]
pub(crate) struct Webhook {
    pub(crate) on: On,
    pub(crate) url: Url,
    pub(crate) insecure: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) secret: Secret,
    pub(crate) queue: PathBuf,
    pub(crate) most: usize,
    pub(crate) seconds: Seconds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WebhookFields {
    #[serde(default = "On::all")]
    on: On,
    #[serde(deserialize_with = "url")]
    url: Url,
    #[serde(default)]
    insecure: bool,
    ca_file: Option<PathBuf>,
    token_env: Option<String>,
    token_file: Option<PathBuf>,
    #[serde(rename = "token")]
    _token: Option<Never>,
    queue: PathBuf,
    #[serde(default = "most")]
    most: usize,
    #[serde(default = "ten")]
    seconds: Seconds,
}

impl From<WebhookFields> for Webhook {
    fn from(fields: WebhookFields) -> Self {
        Self {
            on: fields.on,
            url: fields.url,
            insecure: fields.insecure,
            ca_file: fields.ca_file,
            secret: Secret {
                variable: fields.token_env,
                file: fields.token_file,
            },
            queue: fields.queue,
            most: fields.most,
            seconds: fields.seconds,
        }
    }
}

impl Webhook {
    pub(super) fn make_sense(&self) -> anyhow::Result<()> {
        let is_plain = self.url.scheme() == "http" && (self.insecure || self.is_here());
        if self.url.scheme() != "https" && !is_plain {
            bail!(
                "`url` must start with https:// (http:// is for this machine, or with insecure = true)"
            );
        }
        if !self.url.username().is_empty() || self.url.password().is_some() {
            bail!("no user and password may stand in `url`: use `token-env` or `token-file`");
        }
        Ok(())
    }

    /// Whether it is on this machine.
    pub(crate) fn is_here(&self) -> bool {
        self.url.host_str().is_some_and(is_here)
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_loopback || host.eq_ignore_ascii_case("localhost")
}

/// An address whose text is not repeated: there may be a password in it.
fn url<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    let text = String::deserialize(from)?;
    Url::parse(&text).map_err(|e| serde::de::Error::custom(format!("`url` is no address: {e}")))
}

fn yes() -> bool {
    true
}

fn most() -> usize {
    200
}

fn ten() -> Seconds {
    Seconds::of(10.0)
}

fn thirty() -> Seconds {
    Seconds::of(30.0)
}
