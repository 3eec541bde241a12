// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mail: written and put into the queue by one thread, taken to the server by another.

use std::error::Error;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{Error as SmtpError, SmtpTransport};
use lettre::{Message, Transport};
use liveness::sync::lock;
use liveness_app::files;

use super::{Action, Went};
use crate::config;
use crate::facts::Facts;
use crate::place::Place;
use crate::policy::Kind;
use crate::queue::{Deliver, Head, Spool, Trouble};
use crate::record::Record;
use crate::stop::Stop;

/// Answers of a server that does not know us: the mail is not to blame.
const LOGIN: [&str; 4] = ["530", "534", "535", "538"];

/// Who writes mails.
#[derive(Debug)]
pub(crate) struct Writer {
    config: config::Mail,
    place: config::Place,
    spool: Arc<Mutex<Spool>>,
    record: Arc<Record>,
}

impl Writer {
    pub(crate) fn new(
        config: config::Mail,
        place: config::Place,
        spool: Arc<Mutex<Spool>>,
        record: Arc<Record>,
    ) -> Self {
        Self {
            config,
            place,
            spool,
            record,
        }
    }

    fn write(&self, facts: &Facts) -> anyhow::Result<(Envelope, Vec<u8>)> {
        let place = Place::now(&self.place);
        let mut message = Message::builder()
            .from(self.config.from.clone())
            .subject(format!("{} at {}", word(facts.decision), place.title()))
            .date_now()
            .message_id(None);
        for to in &self.config.to {
            message = message.to(to.clone());
        }
        let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(text(facts, &place)));
        if let Some(jpeg) = facts.snapshot.as_ref().filter(|_| self.config.snapshot) {
            let kind = ContentType::parse("image/jpeg")?;
            parts =
                parts.singlepart(Attachment::new("snapshot.jpg".into()).body(jpeg.to_vec(), kind));
        }
        let message = message.multipart(parts)?;
        Ok((message.envelope().clone(), message.formatted()))
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Granted => "Granted",
        Kind::Intruder => "Intruder",
    }
}

/// What the mail says.
fn text(facts: &Facts, place: &Place) -> String {
    let mut lines = vec![match facts.decision {
        Kind::Granted => "A live person was granted.".to_owned(),
        Kind::Intruder => "A face is no live person: a print, a replay or a mask.".to_owned(),
    }];
    if facts.before == Some(Kind::Granted) {
        lines.push("THE SAME FACE HAD BEEN GRANTED BEFORE.".into());
    }
    lines.push(String::new());
    lines.push(format!("Time:       {}", facts.time));
    lines.extend(place.name.iter().map(|name| format!("Place:      {name}")));
    lines.extend(
        place
            .location
            .iter()
            .map(|text| format!("Location:   {text}")),
    );
    lines.push(format!("Computer:   {}", place.host));
    let addresses = match place.addresses.is_empty() {
        true => "none".to_owned(),
        false => place.addresses.join(", "),
    };
    lines.push(format!("Addresses:  {addresses}"));
    lines.push(format!("Face:       {}", facts.track));
    lines.extend(
        facts
            .live
            .map(|p| format!("Live:       {p:.3} (probability)")),
    );
    lines.push(format!("Decision:   {}", facts.id));
    lines.push(String::new());
    lines.join("\r\n")
}

impl Action for Writer {
    fn name(&self) -> &str {
        "mail"
    }

    fn on(&self) -> &[Kind] {
        self.config.on.kinds()
    }

    fn run(&mut self, facts: &Facts, _: &Stop) -> Result<Went, String> {
        let (envelope, bytes) = self.write(facts).map_err(|e| format!("{e:#}"))?;
        let note = serde_json::to_value(envelope).map_err(|e| e.to_string())?;
        let gone = lock(&self.spool).add(&Head::new(&facts.id, facts.decision, note), &bytes)?;
        for head in gone {
            let why = Some("the queue was full");
            self.record.action(&head.id, "mail", "dropped", why);
        }
        Ok(Went::Queued)
    }
}

/// Who takes them to the server.
pub(crate) struct Sender {
    server: SmtpTransport,
    name: String,
}

impl Sender {
    /// # Errors
    /// Where the password or the certificate is not where it should be.
    pub(crate) fn new(config: &config::Mail) -> anyhow::Result<Self> {
        let password = config.secret.read().context("[mail]")?;
        let tls = match config.tls {
            config::Security::None => Tls::None,
            config::Security::Whole => Tls::Wrapper(parameters(config)?),
            config::Security::Upgraded => Tls::Required(parameters(config)?),
        };
        // Encrypted it is by `tls`, or the user has said that it need not be.
        let mut server = SmtpTransport::builder_dangerous(config.host.as_str())
            .port(config.port)
            .timeout(Some(config.seconds.time()))
            .tls(tls);
        if let Some((user, password)) = config.user.clone().zip(password) {
            server = server.credentials(Credentials::new(user, password));
        }
        Ok(Self {
            server: server.build(),
            name: format!("{}:{}", config.host, config.port),
        })
    }
}

fn parameters(config: &config::Mail) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let pem = std::fs::read(path).map_err(|e| {
            anyhow::anyhow!(
                "[mail]: cannot read {}: {}",
                path.display(),
                files::reason(&e)
            )
        })?;
        let read = Certificate::from_pem(&pem);
        let certificate =
            read.with_context(|| format!("[mail]: {} is no PEM certificate", path.display()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().context("[mail]: TLS cannot be set up")
}

impl Deliver for Sender {
    fn deliver(&mut self, head: &Head, body: &[u8]) -> Result<(), Trouble> {
        let envelope: Result<Envelope, _> = serde_json::from_value(head.note.clone());
        let envelope = envelope.map_err(|e| Trouble::Never(format!("nobody it is for: {e}")))?;
        let sent = self.server.send_raw(&envelope, body);
        sent.map(drop).map_err(|e| trouble(&self.name, &e))
    }
}

fn trouble(server: &str, error: &SmtpError) -> Trouble {
    let reason = format!("{server}: {}", chain(error));
    let code = error.status().map(|c| c.to_string());
    match code {
        Some(code) if LOGIN.contains(&code.as_str()) => Trouble::Away(format!(
            "{server} refuses user name or password: {}",
            chain(error)
        )),
        Some(_) if error.is_permanent() => Trouble::Never(reason),
        Some(_) => Trouble::Later(reason),
        None => Trouble::Away(reason),
    }
}

/// All that an error says.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        inner = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;

    #[test]
    fn a_mail_says_what_happened_and_where() {
        let place = Place {
            name: Some("Front door".into()),
            host: "box".into(),
            addresses: vec!["192.0.2.7 (eth0)".into()],
            location: Some("1 High Street".into()),
        };
        let mut facts = example("5-1", Kind::Intruder);
        let said = text(&facts, &place);
        for word in [
            "Front door",
            "box",
            "192.0.2.7 (eth0)",
            "1 High Street",
            "5-1",
            "0.030",
            &facts.time,
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(!said.contains("BEFORE"));
        facts.before = Some(Kind::Granted);
        assert!(text(&facts, &place).contains("GRANTED BEFORE"));
    }
}
