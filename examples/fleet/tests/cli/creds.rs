// SPDX-License-Identifier: MIT OR Apache-2.0
//! A credentials file, as `nsc` writes it for an operator's server: who asks is vouched for by an account, and the account by the operator.

use std::fs;

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::ground::Ground;

/// What one key says of another.
fn token(issuer: &KeyPair, subject: &KeyPair, name: &str, nats: Value) -> String {
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let header = encode(&json!({"typ": "JWT", "alg": "ed25519-nkey"}));
    let claims = encode(&json!({
        "jti": name, "iat": 1, "iss": issuer.public_key(), "sub": subject.public_key(), "name": name, "nats": nats,
    }));
    let signed = format!("{header}.{claims}");
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// What an account may: all of it, with or without JetStream.
fn account(storage: i64) -> Value {
    json!({"type": "account", "version": 2, "limits": {
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": storage, "disk_storage": storage, "streams": -1, "consumer": -1,
    }})
}

fn file(account: &KeyPair, user: &KeyPair) -> String {
    let rights = json!({"type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1});
    format!(
        "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        token(account, user, "worker", rights),
        user.seed().unwrap()
    )
}

#[test]
fn a_credentials_file_says_who_asks() {
    let operator = KeyPair::new_operator();
    let (fleet, system) = (KeyPair::new_account(), KeyPair::new_account());
    let config = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload {{\n{}: {}\n{}: {}\n}}",
        token(
            &operator,
            &operator,
            "operator",
            json!({"type": "operator", "version": 2})
        ),
        system.public_key(),
        system.public_key(),
        token(&operator, &system, "system", account(0)),
        fleet.public_key(),
        token(&operator, &fleet, "fleet", account(-1)),
    );
    let Some(ground) = Ground::with(&config, "nats://127.0.0.1") else {
        return;
    };
    let path = ground.path("worker.creds");
    fs::write(&path, file(&fleet, &KeyPair::new_user())).unwrap();
    let film = ground.film("a.mkv", 20);
    ground
        .fleet(&["add"])
        .arg(&film)
        .arg("--creds")
        .arg(&path)
        .run()
        .cleanly(&[0]);
    let work = ground.worker(&["--until-empty"]).env("NATS_CREDS", &path);
    work.run().cleanly(&[0]).says(&["20 frames, 2 faces"]);
    // Another account vouches for this one, which the server does not know.
    let stranger = file(&KeyPair::new_account(), &KeyPair::new_user());
    fs::write(&path, stranger).unwrap();
    let refused = ground.fleet(&["status"]).arg("--creds").arg(&path).run();
    refused
        .cleanly(&[1])
        .says(&["refuses these credentials", "--creds"]);
    fs::write(&path, "no such file").unwrap();
    let refused = ground.fleet(&["status"]).arg("--creds").arg(&path).run();
    refused.cleanly(&[1]).says(&["worker.creds"]);
}
