// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mail, to a real SMTP server: over TLS, with a wrong password, while the server is away, and over a death of the guard.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use data_encoding::BASE64;
use serde_json::Value;

use crate::common;
use crate::ground::{Ground, LIMIT, PYTHON, Server, has_module};

/// A mail server, and what it got.
pub(crate) struct Post {
    folder: PathBuf,
    mode: String,
    port: u16,
    server: Option<Server>,
}

/// A mail that was delivered.
pub(crate) struct Mail {
    pub(crate) about: Value,
    raw: String,
}

impl Mail {
    /// Its head and its words.
    pub(crate) fn text(&self) -> String {
        let end = self.raw.find("image/jpeg").unwrap_or(self.raw.len());
        self.raw[..end].replace("=\r\n", "")
    }

    /// The picture in it.
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        let (_, part) = self.raw.split_once("image/jpeg").unwrap();
        let (_, body) = part.split_once("\r\n\r\n").unwrap();
        let (code, _) = body.split_once("\r\n--").unwrap();
        let code: String = code.split_whitespace().collect();
        BASE64.decode(code.as_bytes()).unwrap()
    }
}

impl Post {
    /// Opens one on any port, with a certificate of an authority of its own.
    pub(crate) fn open(ground: &Ground, mode: &str, more: &[&str]) -> Self {
        let folder = ground.path("post");
        fs::create_dir_all(&folder).unwrap();
        authority(&folder);
        let mut post = Self {
            folder,
            mode: mode.to_owned(),
            port: 0,
            server: None,
        };
        post.reopen(more);
        post
    }

    /// Opens it again where it was.
    pub(crate) fn reopen(&mut self, more: &[&str]) {
        let script = common::root().join("examples/guard/tests/cli/smtp.py");
        let mut command = Command::new(PYTHON);
        command
            .arg(script)
            .arg(&self.folder)
            .arg(&self.mode)
            .arg(self.port.to_string());
        command.arg("--cert").arg(self.folder.join("cert.pem"));
        command
            .arg("--key")
            .arg(self.folder.join("key.pem"))
            .args(more);
        let server = Server::start(&mut command);
        self.port = server.said.parse().unwrap();
        self.server = Some(server);
    }

    pub(crate) fn close(&mut self) {
        self.server = None;
    }

    /// What leads there.
    pub(crate) fn config(&self) -> String {
        let ca = match self.mode.as_str() {
            "none" => String::new(),
            _ => format!("ca-file = '{}'", self.folder.join("ca.pem").display()),
        };
        let Self { mode, port, .. } = self;
        format!(
            "host = '127.0.0.1'\nport = {port}\ntls = '{mode}'\n{ca}\nfrom = 'Guard <guard@example.org>'\n\
             to = ['me@example.org', 'You <you@example.org>']\nqueue = 'queue'\n"
        )
    }

    /// What it got.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let all = fs::read_dir(&self.folder)
            .unwrap()
            .map(|e| e.unwrap().path());
        let all = all.filter(|p| p.extension().is_some_and(|e| e == "json"));
        let read = |path: PathBuf| Mail {
            about: serde_json::from_slice(&fs::read(&path).unwrap()).unwrap(),
            raw: String::from_utf8(fs::read(path.with_extension("eml")).unwrap()).unwrap(),
        };
        all.map(read).collect()
    }
}

/// An authority, and a server's certificate by it.
pub(crate) fn authority(folder: &std::path::Path) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).unwrap();
    fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let cert = params.signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// A ground where mail can be tried.
fn ground() -> Option<Ground> {
    Ground::new().filter(|_| has_module("aiosmtpd"))
}

#[test]
fn it_is_delivered_encrypted_to_all() {
    let Some(ground) = ground() else {
        return;
    };
    let post = Post::open(&ground, "starttls", &[]);
    let config = format!("[mail]\n{}", post.config());
    let tool = ground.quick(&config).arg("--file").arg(ground.intruder());
    tool.run().cleanly(&[0]);
    assert_eq!(ground.actions(), ["mail queued", "mail sent"]);
    let mails = post.mails();
    assert_eq!(mails.len(), 1);
    let about = &mails[0].about;
    assert_eq!(about["tls"], true);
    assert_eq!(about["from"], "guard@example.org");
    assert_eq!(
        about["to"],
        serde_json::json!(["me@example.org", "you@example.org"])
    );
    let id = ground
        .log()
        .iter()
        .find_map(|l| l["id"].as_str().map(str::to_owned))
        .unwrap();
    assert!(mails[0].text().contains(&id));
    assert!(image::load_from_memory(&mails[0].snapshot()).is_ok());
    assert!(ground.queued().is_empty());
}

/// Neither to a server that nobody vouches for, nor to one that does not encrypt.
#[test]
fn a_server_that_cannot_be_trusted_gets_nothing() {
    let Some(ground) = ground() else {
        return;
    };
    let film = ground.intruder();
    for mode in ["tls", "starttls"] {
        let post = Post::open(&ground, mode, &[]);
        let config = post.config();
        let config: Vec<_> = config
            .lines()
            .filter(|l| !l.starts_with("ca-file"))
            .collect();
        let config = format!("[mail]\n{}", config.join("\n"));
        let ended = ground
            .quick(&config)
            .arg("--file")
            .arg(&film)
            .run()
            .cleanly(&[0]);
        ended.says(&["mail: delayed", "certificate"]);
        assert!(post.mails().is_empty());
    }
    let post = Post::open(&ground, "none", &[]);
    let config = format!("[mail]\n{}", post.config().replace("'none'", "'starttls'"));
    let ended = ground
        .quick(&config)
        .arg("--file")
        .arg(&film)
        .run()
        .cleanly(&[0]);
    ended.says(&["mail: delayed"]);
    assert!(post.mails().is_empty());
    assert_eq!(ground.queued().len(), 3);
}

#[test]
fn with_a_wrong_password_it_waits_for_the_right_one() {
    let Some(ground) = ground() else {
        return;
    };
    let post = Post::open(&ground, "starttls", &["--login", "joe", "s3cret"]);
    let file = ground.path("password");
    let config = format!(
        "[mail]\nuser = 'joe'\npassword-file = 'password'\n{}",
        post.config()
    );
    fs::write(&file, "wr0ng\n").unwrap();
    let ended = ground
        .quick(&config)
        .arg("--file")
        .arg(ground.intruder())
        .run();
    let ended = ended.cleanly(&[0]).says(&["refuses user name or password"]);
    assert!(!ended.stderr.contains("wr0ng"));
    assert_eq!(ground.queued().len(), 1);
    fs::write(&file, "s3cret\n").unwrap();
    ground
        .quick(&config)
        .arg("--file")
        .arg(ground.nothing())
        .run()
        .cleanly(&[0]);
    assert_eq!(post.mails().len(), 1);
    assert_eq!(
        ground.actions(),
        ["mail queued", "mail delayed", "mail sent"]
    );
    assert!(ground.queued().is_empty());
}

/// The guard is killed while the server is away, and started again; then the server comes, and is sent each mail once.
#[test]
fn nothing_is_lost_when_the_server_is_away_and_the_guard_is_killed() {
    let Some(ground) = ground() else {
        return;
    };
    let mut post = Post::open(&ground, "none", &[]);
    post.close();
    let config = format!("[mail]\n{}", post.config());
    for _ in 0..2 {
        let ended = ground
            .quick(&config)
            .arg("--file")
            .arg(ground.intruder())
            .run();
        ended.cleanly(&[0]).says(&["mail: delayed"]);
    }
    assert_eq!(ground.queued().len(), 2);
    // A camera that never comes.
    let nowhere = ["--url", "http://127.0.0.1:9/video"];
    let mut killed = ground.quick(&config).args(nowhere).start(LIMIT);
    killed.until("try", {
        let log = ground.path("audit.jsonl");
        move || {
            fs::read_to_string(&log)
                .unwrap()
                .matches(r#""state":"delayed""#)
                .count()
                >= 3
        }
    });
    killed.send("KILL");
    drop(killed);
    assert_eq!(ground.queued().len(), 2);
    let mut guard = ground.quick(&config).args(nowhere).start(LIMIT);
    post.reopen(&[]);
    guard.until("send both", || ground.queued().is_empty());
    guard.interrupt();
    guard.end().cleanly(&[130]);
    assert_eq!(post.mails().len(), 2);
    assert_eq!(ground.log().last().unwrap()["reason"], "interrupted");
    ground
        .quick(&config)
        .arg("--file")
        .arg(ground.nothing())
        .run()
        .cleanly(&[0]);
    assert_eq!(post.mails().len(), 2, "sent once more");
}

#[test]
fn what_is_refused_for_good_or_damaged_is_set_aside() {
    let Some(ground) = ground() else {
        return;
    };
    let mut post = Post::open(&ground, "none", &["--refuse", "554 we do not want it"]);
    let config = format!("[mail]\n{}", post.config());
    let intruder = || {
        ground
            .quick(&config)
            .arg("--file")
            .arg(ground.intruder())
            .run()
            .cleanly(&[0])
    };
    intruder().says(&["mail: refused", "we do not want it"]);
    assert!(ground.queued().is_empty());
    let count = |place: &str| {
        fs::read_dir(ground.path("queue").join(place))
            .unwrap()
            .count()
    };
    assert_eq!(count("failed"), 1);
    post.close();
    intruder().says(&["mail: delayed"]);
    let waiting = ground.queued().remove(0);
    let mut bytes = fs::read(&waiting).unwrap();
    bytes.truncate(bytes.len() - 5);
    fs::write(&waiting, bytes).unwrap();
    post.reopen(&[]);
    ground
        .quick(&config)
        .arg("--file")
        .arg(ground.nothing())
        .run()
        .cleanly(&[0])
        .says(&["mail: damaged"]);
    assert_eq!((count("damaged"), ground.queued().len()), (1, 0));
    assert!(post.mails().is_empty());
}

/// A server that takes the call and never says a word: every frame is looked at, and Ctrl-C ends it.
#[test]
fn a_server_that_hangs_holds_up_nobody() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mail = format!(
        "[mail]\nhost = '127.0.0.1'\nport = {}\ntls = 'none'\nfrom = 'a@b.example'\nto = ['a@b.example']\nqueue = 'queue'\nseconds = 60\n",
        server.local_addr().unwrap().port()
    );
    let mark = ground.path("mark");
    let command = format!(
        "[[command]]\non = ['intruder']\nprogram = 'touch'\nargs = ['{}']\n",
        mark.display()
    );
    let seconds = "videotestsrc pattern=zone-plate kx2=20 ky2=20 kt=7 num-buffers=250 ! video/x-raw,format=I420,width=320,height=240,framerate=25/1";
    let film = ground.film("long.mkv", seconds);
    let mut guard = ground
        .quick(&(mail + &command))
        .arg("--file")
        .arg(&film)
        .start(LIMIT);
    // It has called, and nobody answers: the film is read to its end, and all else is done.
    let (_silent, _) = server.accept().unwrap();
    guard.until("act", || mark.exists());
    let log = ground.path("audit.jsonl");
    guard.until("end", || {
        fs::read_to_string(&log)
            .unwrap()
            .contains(r#""state":"ended""#)
    });
    guard.interrupt();
    guard.end().cleanly(&[130]);
    assert_eq!(ground.queued().len(), 1, "it stays");
    assert_eq!(ground.log().last().unwrap()["frames"], 250);
}
