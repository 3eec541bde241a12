// SPDX-License-Identifier: MIT OR Apache-2.0
//! A webhook, to a real HTTP server.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tiny_http::{Response, Server};

use crate::common;
use crate::ground::{self, Ground, LIMIT, PYTHON, has_program};
use crate::mail::authority;

fn config(server: &Server) -> String {
    let address = server.server_addr().to_ip().unwrap();
    format!(
        "[webhook]\nurl = 'http://{address}/hook?x=1'\ntoken-env = 'GUARD_TEST_TOKEN'\nqueue = 'queue'\n"
    )
}

#[test]
fn the_facts_are_posted_again_until_they_are_taken_and_no_longer() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let server = Server::http("127.0.0.1:0").unwrap();
    let tool = ground
        .quick(&config(&server))
        .env("GUARD_TEST_TOKEN", "t0ken");
    let mut guard = tool.arg("--file").arg(ground.intruder()).start(LIMIT);
    let mut bodies = Vec::new();
    for status in [503, 429, 204] {
        let mut request = server.recv_timeout(LIMIT).unwrap().unwrap();
        let header = |name: &'static str| {
            let found = request.headers().iter().find(|h| h.field.equiv(name));
            found
                .unwrap_or_else(|| panic!("{name}"))
                .value
                .as_str()
                .to_owned()
        };
        assert_eq!(
            (request.method().as_str(), request.url()),
            ("POST", "/hook?x=1")
        );
        assert_eq!(header("Authorization"), "Bearer t0ken");
        assert_eq!(header("Content-Type"), "application/json");
        let key = header("Idempotency-Key");
        let mut body = String::new();
        request.as_reader().read_to_string(&mut body).unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["id"], key);
        bodies.push(body);
        request.respond(Response::empty(status)).unwrap();
        if status == 503 {
            // At the end of a film, there is one more try; then the rest stays on the disk.
            ground.until(&mut guard, "webhook delayed");
        }
        if status == 429 {
            guard.end().cleanly(&[0]);
            let tool = ground
                .quick(&config(&server))
                .env("GUARD_TEST_TOKEN", "t0ken");
            guard = tool.arg("--file").arg(ground.nothing()).start(LIMIT);
        }
    }
    guard.end().cleanly(&[0]);
    assert!(bodies.iter().all(|b| b == &bodies[0]));
    let body = &bodies[0];
    assert_eq!(body["decision"], "intruder");
    assert!(body["place"]["host"].is_string() && body["live"].is_number());
    assert_eq!(ground.actions().last().unwrap(), "webhook sent");
    assert!(ground.queued().is_empty());
}

/// The token goes to the address that was named, and to no other.
#[test]
fn it_is_not_sent_on() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let server = Server::http("127.0.0.1:0").unwrap();
    let other = Server::http("127.0.0.1:0").unwrap();
    let tool = ground
        .quick(&config(&server))
        .env("GUARD_TEST_TOKEN", "t0ken");
    let guard = tool.arg("--file").arg(ground.intruder()).start(LIMIT);
    let to = format!("Location: http://{}/", other.server_addr().to_ip().unwrap());
    let request = server.recv_timeout(LIMIT).unwrap().unwrap();
    let answer = Response::empty(307).with_header(to.parse::<tiny_http::Header>().unwrap());
    request.respond(answer).unwrap();
    guard
        .end()
        .cleanly(&[0])
        .says(&["webhook: refused", "answers 307"]);
    assert!(other.try_recv().unwrap().is_none());
}

/// Over TLS to who can show that he is the one, and to nobody else.
#[test]
fn it_is_posted_over_tls_to_whom_the_authority_vouches_for() {
    let Some(ground) = Ground::new().filter(|_| has_program(PYTHON)) else {
        return;
    };
    authority(&ground.path(""));
    let posted = ground.path("posted");
    let mut server = Command::new(PYTHON);
    server.arg(common::root().join("examples/guard/tests/cli/https.py"));
    server
        .arg(&posted)
        .arg(ground.path("cert.pem"))
        .arg(ground.path("key.pem"));
    let server = ground::Server::start(&mut server);
    let config = format!(
        "[webhook]\nurl = 'https://127.0.0.1:{}/'\nqueue = 'queue'\n",
        server.said
    );
    let stranger = ground
        .quick(&config)
        .arg("--file")
        .arg(ground.intruder())
        .run();
    stranger
        .cleanly(&[0])
        .says(&["webhook: delayed", "certificate"]);
    assert!(!posted.exists());
    let known = ground.quick(&(config + "ca-file = 'ca.pem'\n"));
    known
        .arg("--file")
        .arg(ground.nothing())
        .run()
        .cleanly(&[0]);
    let body: Value = serde_json::from_slice(&fs::read(&posted).unwrap()).unwrap();
    assert_eq!(body["decision"], "intruder");
    assert!(ground.queued().is_empty());
}
