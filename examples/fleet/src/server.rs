// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the server is and who asks it, by NATS's own means, and what is said when it cannot be reached. Knows NATS, nothing of items.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr, ServerError};
use clap::Args;
use liveness::sync::lock;
use liveness_app::files;
use liveness_app::live::Backoff;
use percent_encoding::percent_decode_str;

use crate::halt::Halt;
use crate::names::Names;

/// The variable that holds the password of a user.
const PASSWORD: &str = "NATS_PASSWORD";

/// One that has just been started needs a moment.
const STARTS: Duration = Duration::from_secs(2);

/// How often a server is asked whether it is there.
const PING: Duration = Duration::from_secs(10);

/// How long the first try to reach a server may take.
const CONNECT: Duration = Duration::from_secs(5);

/// What was typed about the server.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The server")]
pub(crate) struct ServerOptions {
    /// The NATS server, or several of a cluster separated by commas: nats://HOST:4222, or tls://HOST:4222
    #[arg(
        long,
        value_name = "URL[,URL…]",
        env = "NATS_URL",
        hide_env_values = true,
        default_value = "nats://127.0.0.1:4222"
    )]
    server: String,

    /// A credentials file, as `nsc` writes it
    #[arg(long, value_name = "FILE", env = "NATS_CREDS", conflicts_with_all = ["user", "nkey_file"])]
    creds: Option<PathBuf>,

    /// Who asks; the password comes from a file, or the variable NATS_PASSWORD
    #[arg(long, value_name = "NAME", env = "NATS_USER")]
    user: Option<String>,

    /// A file whose first line is the password
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// A file whose first line is the seed of an nkey
    #[arg(long, value_name = "FILE", env = "NATS_NKEY", conflicts_with = "user")]
    nkey_file: Option<PathBuf>,

    /// The authority that vouches for the server [default: those of this system]
    #[arg(long, value_name = "FILE.pem", env = "NATS_CA")]
    tls_ca: Option<PathBuf>,

    /// The certificate that says who asks
    #[arg(long, value_name = "FILE.pem", env = "NATS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Its key
    #[arg(long, value_name = "FILE.pem", env = "NATS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Where answers come to, where the server lets this user hear only a part of _INBOX
    #[arg(long, value_name = "PREFIX", default_value = "_INBOX")]
    inbox_prefix: String,

    /// The name of the fleet: several can share a server
    #[arg(
        long,
        value_name = "NAME",
        env = "LIVENESS_FLEET",
        default_value = "liveness"
    )]
    pub(crate) fleet: Names,
}

/// What the server has against this user.
pub(crate) type Complaint = Arc<Mutex<Option<String>>>;

/// A server that was reached.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) client: Client,
    /// Where it is, for people to read.
    pub(crate) shown: String,
    pub(crate) complaint: Complaint,
}

impl ServerOptions {
    /// Connects. One who is `patient` waits for a server that is away.
    ///
    /// # Errors
    /// Why that does not work, and what to do. No password is in it.
    pub(crate) async fn connect(
        &self,
        name: &str,
        mut patient: Option<Halt>,
    ) -> anyhow::Result<Server> {
        let addresses = self.addresses()?;
        let shown: Vec<String> = addresses.iter().map(shown).collect();
        let shown = shown.join(",");
        let complaint = Complaint::default();
        let mut backoff = Backoff::default();
        let mut said = false;
        let start = Instant::now();
        loop {
            let options = self.options(name, &shown, complaint.clone())?;
            let options = self.as_addressed(options, &addresses);
            let error = match options.connect(&addresses).await {
                Ok(client) => {
                    return Ok(Server {
                        client,
                        shown,
                        complaint,
                    });
                }
                Err(error) => error,
            };
            let is_away = matches!(
                error.kind(),
                ConnectErrorKind::Io | ConnectErrorKind::Dns | ConnectErrorKind::TimedOut
            ) && !is_about_tls(&error);
            match patient.as_mut().filter(|h| is_away && h.why().is_none()) {
                Some(halt) => {
                    if !std::mem::replace(&mut said, true) {
                        say(&format!(
                            "cannot reach {shown}: {}. Trying again until it is there",
                            causes(&error)
                        ));
                    }
                    halt.rest(backoff.after(Duration::ZERO)).await;
                }
                None if is_away && start.elapsed() < STARTS => {
                    tokio::time::sleep(backoff.after(Duration::ZERO)).await;
                }
                None => bail!("{}", self.advice(&shown, &error)),
            }
        }
    }

    fn addresses(&self) -> anyhow::Result<Vec<ServerAddr>> {
        let typed = self.server.split(',').map(str::trim);
        let mut all = Vec::new();
        for text in typed.filter(|t| !t.is_empty()) {
            // Not repeated: there may be a password in it.
            let address: ServerAddr = text
                .parse()
                .ok()
                .context("--server (NATS_URL) is no address such as nats://host:4222")?;
            let is_typed = std::env::args_os().any(|a| a.to_string_lossy().contains(text));
            if address.has_user_pass() && is_typed {
                bail!(
                    "a password or token on the command line can be read by everybody on this machine: use --password-file, or the variable NATS_URL"
                );
            }
            if address.is_websocket() {
                bail!(
                    "{} is not understood: nats:// and tls:// are",
                    shown(&address)
                );
            }
            all.push(address);
        }
        match all.is_empty() {
            true => bail!("--server (NATS_URL) names no server"),
            false => Ok(all),
        }
    }

    fn options(
        &self,
        name: &str,
        shown: &str,
        complaint: Complaint,
    ) -> anyhow::Result<ConnectOptions> {
        let mut options = ConnectOptions::new()
            .name(name)
            .ping_interval(PING)
            .connection_timeout(CONNECT)
            .custom_inbox_prefix(&self.inbox_prefix)
            .event_callback(heard(shown.to_owned(), complaint));
        if let Some(path) = &self.creds {
            let read = std::fs::read_to_string(path);
            let read = read.and_then(|text| options.credentials(&text));
            options = read.map_err(|e| {
                anyhow::anyhow!("--creds {}: {}", path.display(), files::reason(&e))
            })?;
        }
        if let Some(user) = &self.user {
            let password = match &self.password_file {
                Some(path) => files::first_line(path)
                    .map_err(|e| anyhow::anyhow!("--password-file: {e}"))?,
                None => std::env::var(PASSWORD).ok().with_context(|| {
                    format!("there is no password for {user}: put it into a file for --password-file, or into the variable {PASSWORD}")
                })?,
            };
            options = options.user_and_password(user.clone(), password);
        }
        if let Some(path) = &self.nkey_file {
            let seed = files::first_line(path);
            let seed = seed.map_err(|e| anyhow::anyhow!("--nkey-file: {e}"))?;
            options = options.nkey(seed.trim().to_owned());
        }
        for file in [&self.tls_ca, &self.tls_cert, &self.tls_key]
            .into_iter()
            .flatten()
        {
            std::fs::File::open(file)
                .map_err(|e| anyhow::anyhow!("{}: {}", file.display(), files::reason(&e)))?;
        }
        if let Some(path) = &self.tls_ca {
            // Who names an authority wants no plain connection.
            options = options
                .add_root_certificates(path.clone())
                .require_tls(true);
        }
        if let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) {
            options = options
                .add_client_certificate(cert.clone(), key.clone())
                .require_tls(true);
        }
        Ok(options)
    }

    fn has_login(&self) -> bool {
        self.creds.is_some() || self.user.is_some() || self.nkey_file.is_some()
    }

    /// With user and password, or the token, that stand in an address, where there is nothing else.
    fn as_addressed(&self, options: ConnectOptions, addresses: &[ServerAddr]) -> ConnectOptions {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let named = addresses.iter().find(|a| a.has_user_pass());
        match named.filter(|_| !self.has_login()) {
            None => options,
            Some(address) => {
                let user = plain(address.username().unwrap_or_default());
                match address.password().map(plain) {
                    Some(password) => options.user_and_password(user, password),
                    None => options.token(user),
                }
            }
        }
    }

    fn advice(&self, shown: &str, error: &async_nats::ConnectError) -> String {
        let causes = causes(error);
        let is_user = matches!(
            error.kind(),
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation
        );
        if is_user && self.has_login() {
            return format!(
                "{shown} refuses these credentials ({causes}): look at the file that --creds, --password-file or --nkey-file names"
            );
        }
        if is_user {
            return format!(
                "{shown} wants to know who asks ({causes}): --creds FILE, --user NAME with --password-file FILE, or --nkey-file FILE"
            );
        }
        if error.kind() == ConnectErrorKind::Tls || is_about_tls(error) {
            return format!(
                "{shown}: no encrypted connection ({causes}): --tls-ca FILE names the authority of the server, --tls-cert and --tls-key say who asks"
            );
        }
        format!(
            "cannot reach {shown}: {causes}. Is a nats-server running there? --server URL or NATS_URL names another one"
        )
    }
}

/// A server's address without user and password.
fn shown(address: &ServerAddr) -> String {
    format!(
        "{}://{}:{}",
        address.scheme(),
        address.host(),
        address.port()
    )
}

/// Some faults of certificates come as faults of the connection.
fn is_about_tls(error: &dyn std::error::Error) -> bool {
    let text = causes(error).to_lowercase();
    ["certificate", "tls", "handshake"]
        .iter()
        .any(|w| text.contains(w))
}

/// An error with what is behind it, each once.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}

/// Tells the user.
pub(crate) fn say(text: &str) {
    eprintln!("liveness-fleet: {}", liveness_app::terminal::plain(text));
}

/// What happens to the connection.
fn heard(
    shown: String,
    complaint: Complaint,
) -> impl Fn(Event) -> std::future::Ready<()> + Send + Sync + 'static {
    let away = Mutex::new(false);
    move |event| {
        match event {
            Event::Connected if std::mem::take(&mut *lock(&away)) => {
                say(&format!("{shown} is back"));
            }
            Event::Disconnected if !std::mem::replace(&mut *lock(&away), true) => {
                say(&format!(
                    "{shown} is lost: nothing is forgotten, and it is tried again until it is back"
                ));
            }
            Event::ServerError(ServerError::Other(text)) => {
                let mut complaint = lock(&complaint);
                if complaint.as_ref() != Some(&text) {
                    say(&format!("{shown} says: {text}"));
                    *complaint = Some(text);
                }
            }
            Event::ServerError(ServerError::AuthorizationViolation) => {
                say(&format!("{shown} does not know this user any more"));
            }
            _ => (),
        }
        std::future::ready(())
    }
}
