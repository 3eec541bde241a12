// SPDX-License-Identifier: MIT OR Apache-2.0
//! Posts the facts as JSON to an address: put into the queue by one thread, posted by another.

use std::sync::{Arc, Mutex};

use anyhow::Context;
use liveness::sync::lock;
use liveness_app::files;
use serde::Serialize;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::{Action, Went};
use crate::config;
use crate::facts::Facts;
use crate::place::Place;
use crate::policy::Kind;
use crate::queue::{Deliver, Head, Spool, Trouble};
use crate::record::Record;
use crate::stop::Stop;

/// What is posted.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    facts: &'a Facts,
    place: Place,
}

/// Who puts it into the queue.
#[derive(Debug)]
pub(crate) struct Writer {
    config: config::Webhook,
    place: config::Place,
    spool: Arc<Mutex<Spool>>,
    record: Arc<Record>,
}

impl Writer {
    pub(crate) fn new(
        config: config::Webhook,
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
}

impl Action for Writer {
    fn name(&self) -> &str {
        "webhook"
    }

    fn on(&self) -> &[Kind] {
        self.config.on.kinds()
    }

    fn run(&mut self, facts: &Facts, _: &Stop) -> Result<Went, String> {
        let place = Place::now(&self.place);
        let body = serde_json::to_vec(&Body { facts, place }).map_err(|e| e.to_string())?;
        let head = Head::new(&facts.id, facts.decision, serde_json::Value::Null);
        for head in lock(&self.spool).add(&head, &body)? {
            let why = Some("the queue was full");
            self.record.action(&head.id, "webhook", "dropped", why);
        }
        Ok(Went::Queued)
    }
}

/// Who posts it.
pub(crate) struct Poster {
    agent: Agent,
    url: String,
    /// Without what may be secret in it.
    name: String,
    token: Option<String>,
}

impl Poster {
    /// # Errors
    /// Where the token or the certificate is not where it should be.
    pub(crate) fn new(config: &config::Webhook) -> anyhow::Result<Self> {
        let token = config.secret.read().context("[webhook]")?;
        let roots = match &config.ca_file {
            None => RootCerts::PlatformVerifier,
            Some(path) => {
                let pem = std::fs::read(path).map_err(|e| {
                    anyhow::anyhow!(
                        "[webhook]: cannot read {}: {}",
                        path.display(),
                        files::reason(&e)
                    )
                })?;
                let read = parse_pem(&pem).filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                });
                let all: Vec<_> = read.collect();
                anyhow::ensure!(
                    !all.is_empty(),
                    "[webhook]: {} is no PEM certificate",
                    path.display()
                );
                RootCerts::new_with_certs(&all)
            }
        };
        let mut builder = Agent::config_builder()
            .timeout_global(Some(config.seconds.time()))
            .http_status_as_error(false)
            // Neither facts nor token go to an address that nobody named.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("liveness-guard/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build());
        if config.is_here() {
            builder = builder.proxy(None);
        }
        let host = config.url.host_str().unwrap_or_default();
        let port = config
            .url
            .port()
            .map(|p| format!(":{p}"))
            .unwrap_or_default();
        Ok(Self {
            agent: builder.build().new_agent(),
            url: config.url.to_string(),
            name: format!("{host}{port}"),
            token,
        })
    }
}

impl Deliver for Poster {
    fn deliver(&mut self, head: &Head, body: &[u8]) -> Result<(), Trouble> {
        let mut request = self.agent.post(&self.url).content_type("application/json");
        // The same with every try: whoever has it already need not take it twice.
        request = request.header("Idempotency-Key", &head.id);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        match request.send(body) {
            Ok(answer) => answered(&self.name, answer.status().as_u16()),
            Err(error) => Err(Trouble::Away(format!("{}: {error}", self.name))),
        }
    }
}

/// What an answer means.
fn answered(server: &str, status: u16) -> Result<(), Trouble> {
    let reason = format!("{server} answers {status}");
    match status {
        200..=299 => Ok(()),
        // Not what was posted is wrong, but the token or the hour.
        401 | 403 | 407 | 408 | 425 | 429 | 500..=599 => Err(Trouble::Away(reason)),
        _ => Err(Trouble::Never(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_answers_decides_whether_it_is_tried_again() {
        assert_eq!(answered("h", 204), Ok(()));
        for status in [401, 429, 500, 503] {
            assert!(
                matches!(answered("h", status), Err(Trouble::Away(_))),
                "{status}"
            );
        }
        for status in [302, 400, 404, 410] {
            assert!(
                matches!(answered("h", status), Err(Trouble::Never(_))),
                "{status}"
            );
        }
    }
}
