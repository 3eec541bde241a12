// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may do what, and who is who: passwords, nkeys, certificates, and the permissions that docs/fleet.md tells of.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common;
use crate::ground::{Ground, PASSWORDS, number, program, quick};
use crate::plugin::Tool;

/// Puts a user to a command, as deploy/nats.conf knows him.
fn as_user(ground: &Ground, tool: Tool, user: &str) -> Tool {
    let variable = format!("{}_PASSWORD", user.to_uppercase());
    let password = PASSWORDS.iter().find(|(name, _)| *name == variable);
    let file = ground.path(user);
    fs::write(&file, format!("{}\nnotes\n", password.unwrap().1)).unwrap();
    tool.args(["--user", user])
        .arg("--password-file")
        .arg(file)
        .args(["--inbox-prefix", &format!("_INBOX_{user}")])
}

/// The users of the example have what they need, and no more.
#[test]
fn each_user_does_his_own_work_and_no_other() {
    let example = common::root().join("examples/fleet/deploy/nats.conf");
    let example = fs::read_to_string(example).unwrap();
    let Some(ground) = Ground::with(&example, "nats://127.0.0.1") else {
        return;
    };
    let films = ground.films(2, 40);
    fs::write(films.join("text.mp4"), "this is a text").unwrap();
    let fleet = |user: &str, words: &[&str]| as_user(&ground, ground.fleet(words), user);
    let worker = |user: &str| as_user(&ground, ground.worker(&["--until-empty"]), user);

    // There is nothing yet, and a worker may not make it.
    let early = worker("worker").run().cleanly(&[1]);
    early.says(&["LIVENESS_WORK", "docs/fleet.md"]);
    fleet("operator", &["setup"]).run().cleanly(&[0]);
    let intruder = fleet("worker", &["add"]).arg(&films).run().cleanly(&[1]);
    intruder.says(&["does not let this user publish to liveness.work."]);
    fleet("operator", &["add"]).arg(&films).run().cleanly(&[0]);

    let spy = worker("reader").run().cleanly(&[1]);
    spy.says(&["does not let this user take from"]);
    worker("worker").run().cleanly(&[0]);
    let read = |of: &str| {
        let read = fleet("reader", &["results", "--json", "--of", of]).run();
        read.cleanly(&[0]).stdout.lines().count()
    };
    assert_eq!((read("results"), read("failed")), (3, 1));
    assert_eq!(read("frames"), 80);
    assert!(read("events") > 6);
    let status = fleet("reader", &["status"]).run().cleanly(&[0]).stdout;
    assert!(status.contains("3, of them failed: 1"), "{status}");
    let film = films.join("000.mkv");
    let again = fleet("operator", &["add", "--again"]).arg(&film).run();
    let item = number(&again.cleanly(&[0]).stdout);
    fleet("operator", &["remove", &item]).run().cleanly(&[0]);
    let meddler = fleet("reader", &["remove", &item]).run();
    meddler.cleanly(&[1]).says(&["does not let this user"]);
}

#[test]
fn who_is_not_known_is_told_so_without_his_password() {
    let config = "authorization { user: joe, password: s3cret }";
    let Some(ground) = Ground::with(config, "nats://127.0.0.1") else {
        return;
    };
    for command in [
        &["status"][..],
        &["work"],
        &["results"],
        &["setup"],
        &["add", "film.mkv"],
    ] {
        // Nothing to wait for: the server is there and says no.
        let nobody = ground.fleet(command).run().cleanly(&[1]);
        nobody.says(&["wants to know who asks", "--creds", &ground.server.address]);
    }
    fs::write(ground.path("wrong"), "wr0ng").unwrap();
    let wrong = ground.fleet(&["status", "--user", "joe"]);
    let wrong = wrong.arg("--password-file").arg(ground.path("wrong"));
    let wrong = wrong.run().cleanly(&[1]);
    assert!(!wrong.stderr.contains("wr0ng"));
    wrong.says(&["refuses these credentials", "--password-file"]);
    let address = ground.server.address.replace("://", "://joe:s3cret@");
    let typed = program().args(["status", "--server", &address]).run();
    let typed = typed.cleanly(&[1]);
    assert!(!typed.stderr.contains("s3cret"), "{}", typed.stderr);
    typed.says(&["--password-file"]);
    // A variable is nobody's to read but its user's.
    let named = program().args(["setup"]).env("NATS_URL", &address).run();
    named.cleanly(&[0]);
    let lost = program()
        .args(["status", "--creds", "/no/file.creds"])
        .run();
    lost.cleanly(&[1]).says(&["/no/file.creds: No such file"]);
}

/// A token, which stands in the address as NATS has it, and so in a variable only.
#[test]
fn a_token_says_who_asks() {
    let Some(ground) = Ground::with("authorization { token: t0ken }", "nats://127.0.0.1") else {
        return;
    };
    let address = ground.server.address.replace("://", "://t0ken@");
    let named = program().args(["setup"]).env("NATS_URL", &address).run();
    named.cleanly(&[0]);
    let typed = program().args(["setup", "--server", &address]).run();
    let typed = typed.cleanly(&[1]);
    assert!(!typed.stderr.contains("t0ken"), "{}", typed.stderr);
}

/// With a key instead of a password, which the server has only the public half of.
#[test]
fn a_key_says_who_asks() {
    let key = nkeys::KeyPair::new_user();
    let config = format!(
        "authorization {{ users: [{{ nkey: {} }}] }}",
        key.public_key()
    );
    let Some(ground) = Ground::with(&config, "nats://127.0.0.1") else {
        return;
    };
    let file = ground.path("seed");
    let setup = || ground.fleet(&["setup"]).arg("--nkey-file").arg(&file);
    fs::write(&file, format!("{}\n", key.seed().unwrap())).unwrap();
    setup().run().cleanly(&[0]);
    fs::write(&file, nkeys::KeyPair::new_user().seed().unwrap()).unwrap();
    let stranger = setup().run().cleanly(&[1]);
    stranger.says(&["refuses these credentials", "--nkey-file"]);
    fs::write(&file, "no seed").unwrap();
    setup().run().cleanly(&[1]);
}

#[test]
fn a_server_without_jetstream_is_told_what_it_lacks() {
    let Some(ground) = Ground::with(
        "no_auth_user: nobody\naccounts { A { users: [{user: nobody, password: x}] } }",
        "nats://127.0.0.1",
    ) else {
        return;
    };
    let setup = ground.fleet(&["setup"]).run().cleanly(&[1]);
    setup.says(&["JetStream"]);
}

/// An authority, a server's certificate and one for a worker, in this folder.
fn authority(folder: &Path) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    for (name, host) in [("server", "127.0.0.1"), ("worker", "worker")] {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![host.into()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[test]
fn the_connection_is_encrypted_and_both_ends_are_vouched_for() {
    let config = |folder: &Path| {
        authority(folder);
        let file = |name: &str| folder.join(name).display().to_string();
        format!(
            "tls {{ cert_file: '{}', key_file: '{}', ca_file: '{}', verify: true }}",
            file("server.pem"),
            file("server.key"),
            file("ca.pem")
        )
    };
    let Some(ground) = Ground::written(config, "tls://127.0.0.1") else {
        return;
    };
    let file = |name: &str| -> PathBuf { ground.path(name) };
    let known = |tool: Tool| {
        let tool = tool.arg("--tls-ca").arg(file("ca.pem"));
        let tool = tool.arg("--tls-cert").arg(file("worker.pem"));
        tool.arg("--tls-key").arg(file("worker.key"))
    };
    known(ground.fleet(&["setup"])).run().cleanly(&[0]);
    let stranger = ground.fleet(&["status"]).run().cleanly(&[1]);
    stranger.says(&["no encrypted connection", "--tls-ca"]);
    let nameless = ground
        .fleet(&["status"])
        .arg("--tls-ca")
        .arg(file("ca.pem"));
    nameless.run().cleanly(&[1]);
    let film = ground.film("a.mkv", 30);
    known(ground.fleet(&["add"])).arg(&film).run().cleanly(&[0]);
    let work = known(quick(ground.fleet(&["work", "--until-empty"])));
    work.run().cleanly(&[0]).says(&["30 frames, 2 faces"]);
    let missing = ground.fleet(&["status", "--tls-ca", "/no/ca.pem"]).run();
    missing.cleanly(&[1]).says(&["/no/ca.pem: No such file"]);
}
