// SPDX-License-Identifier: MIT OR Apache-2.0
//! The real server in a process of its own, and who visits it: a browser's requests, a browser's camera.
#![allow(dead_code)] // Each test uses a part.

pub(crate) mod chromium;
pub(crate) mod clips;
pub(crate) mod faces;

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::common;
use crate::plugin::{self, Ended, Running, Tool};

/// Longest life of a server, and longest wait for an answer: for a machine under load.
pub(crate) const LIFE: Duration = Duration::from_secs(600);
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A tiny model of `tests/data`.
pub(crate) fn tiny(name: &str) -> PathBuf {
    common::root().join("tests/data").join(name)
}

/// The program, without a model that this user may have chosen.
pub(crate) fn program() -> Tool {
    let registry = Path::new(env!("CARGO_TARGET_TMPDIR")).join("web/registry.bin");
    std::fs::create_dir_all(registry.parent().unwrap()).unwrap();
    Tool::new(env!("CARGO_BIN_EXE_liveness-web"), &registry).without("LIVENESS_DETECTOR")
}

/// A server that runs.
pub(crate) struct Server {
    running: Running,
    /// Address and port.
    pub(crate) address: String,
    folder: tempfile::TempDir,
}

impl Server {
    /// With these options, at a port that is free. `None`, said on standard error, where there is no ONNX Runtime.
    pub(crate) fn start(options: &[&str]) -> Option<Self> {
        if plugin::runtime().is_none() {
            common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("accounts.sqlite");
        let tool = program().args(["--bind", "127.0.0.1:0", "--database"]);
        let mut running = tool.arg(&database).args(options).start(LIFE);
        let said = running.until_it_says("Ctrl-C ends it");
        let address = said.split("http://").nth(1).unwrap();
        let address = address.split_whitespace().next().unwrap().to_owned();
        Some(Self {
            running,
            address,
            folder,
        })
    }

    /// With a detector that sees two faces in everything, and a liveness model that calls bright ones live.
    pub(crate) fn tiny(options: &[&str]) -> Option<Self> {
        let (boxes, bright) = (tiny("boxes.onnx"), tiny("bright.onnx"));
        let models = ["--detector", path(&boxes), "--model", path(&bright)];
        Self::start(&[&models, options].concat())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("accounts.sqlite")
    }

    /// As Ctrl-C does; and its end.
    pub(crate) fn interrupt(self) -> Ended {
        self.running.interrupt();
        self.running.end()
    }

    /// A figure that the system keeps of the server's process, such as VmRSS (kB) and Threads.
    pub(crate) fn figure(&self, name: &str) -> Option<u64> {
        let path = format!("/proc/{}/status", self.running.id());
        let status = std::fs::read_to_string(path).ok()?;
        let line = status
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse().ok()
    }

    pub(crate) fn send_interrupt(&self) {
        self.running.interrupt();
    }

    pub(crate) fn end(self) -> Ended {
        self.running.end()
    }

    /// A camera of somebody without a cookie.
    pub(crate) async fn camera(&self) -> Camera {
        Camera::connect(&self.address, None).await.unwrap()
    }
}

/// A path as an option.
pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What came back for a request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The word for what is wrong.
    pub(crate) fn error(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A browser that knows its cookie and its word.
pub(crate) struct Browser {
    agent: ureq::Agent,
    base: String,
    pub(crate) address: String,
    pub(crate) cookie: Option<String>,
    pub(crate) word: String,
}

impl Browser {
    /// One that has loaded the page.
    pub(crate) fn new(server: &Server) -> Self {
        let config = ureq::Agent::config_builder();
        let config = config
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE));
        let mut browser = Self {
            agent: config.build().into(),
            base: server.url(""),
            address: server.address.clone(),
            cookie: None,
            word: String::new(),
        };
        browser.visit();
        browser
    }

    pub(crate) fn visit(&mut self) -> Value {
        let reply = self.get("/api/visit", &[]);
        assert_eq!(reply.status, 200, "{reply:?}");
        self.keep(&reply);
        reply.json()
    }

    /// Keeps what an answer says about who this browser is.
    fn keep(&mut self, reply: &Reply) {
        if let Some(cookie) = reply.header("set-cookie") {
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        let json: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        if let Some(word) = json["word"].as_str() {
            self.word = word.to_owned();
        }
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.call().unwrap())
    }

    /// Sends bytes with exactly these headers.
    pub(crate) fn post_raw(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.send(body).unwrap())
    }

    fn own<'a>(&'a self, kind: &'a str) -> [(&'a str, &'a str); 3] {
        let cookie = self.cookie.as_deref().unwrap();
        [
            ("Cookie", cookie),
            ("X-CSRF-Token", &self.word),
            ("Content-Type", kind),
        ]
    }

    /// Sends a form as the page does.
    pub(crate) fn send(&mut self, path: &str, form: &Value) -> Reply {
        let headers = self.own("application/json");
        let reply = self.post_raw(path, &headers, form.to_string().as_bytes());
        self.keep(&reply);
        reply
    }

    pub(crate) fn delete(&mut self, form: &Value) -> Reply {
        let mut request = self.agent.delete(format!("{}/api/account", self.base));
        for (name, value) in self.own("application/json") {
            request = request.header(name, value);
        }
        let reply = reply(request.force_send_body().send(form.to_string()).unwrap());
        self.keep(&reply);
        reply
    }

    pub(crate) fn upload(&self, kind: &str, file: &[u8]) -> Reply {
        self.post_raw("/api/upload", &self.own(kind), file)
    }

    /// Its camera.
    pub(crate) async fn camera(&self) -> Camera {
        let cookie = self.cookie.as_deref();
        Camera::connect(&self.address, cookie).await.unwrap()
    }
}

fn reply(response: ureq::http::Response<ureq::Body>) -> Reply {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Reply {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: { body }.read_to_string().unwrap(),
    }
}

/// A browser's camera: a real WebSocket.
pub(crate) struct Camera {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Pictures that were sent.
    pub(crate) sent: u64,
}

/// How a session ended: the reason in words, and the number of the WebSocket's close.
#[derive(Debug, PartialEq)]
pub(crate) struct Over {
    pub(crate) reason: String,
    pub(crate) text: String,
    pub(crate) code: Option<u16>,
}

impl Camera {
    pub(crate) async fn connect(
        address: &str,
        cookie: Option<&str>,
    ) -> Result<Self, tokio_tungstenite::tungstenite::Error> {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest;
        let mut request = format!("ws://{address}/api/camera").into_client_request()?;
        let origin = format!("http://{address}").parse().unwrap();
        request.headers_mut().insert("Origin", origin);
        if let Some(cookie) = cookie {
            request
                .headers_mut()
                .insert("Cookie", cookie.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Self { socket, sent: 0 })
    }

    pub(crate) async fn say(&mut self, text: &Value) {
        self.text(&text.to_string()).await;
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Begins a session, and gives what the server says first.
    pub(crate) async fn start(&mut self, mode: &str) -> Value {
        self.say(&json!({"type": "start", "mode": mode})).await;
        let hello = self.hear().await.unwrap();
        assert_eq!(hello["type"], "hello", "{hello}");
        hello
    }

    /// Begins to show a face for a ticket.
    pub(crate) async fn show(&mut self, ticket: &str) {
        self.say(&json!({"type": "start", "mode": "face", "ticket": ticket}))
            .await;
        let hello = self.hear().await.unwrap();
        assert_eq!(hello["type"], "hello", "{hello}");
    }

    /// Sends a picture. False where the server has hung up.
    pub(crate) async fn send(&mut self, picture: &[u8]) -> bool {
        self.sent += 1;
        self.socket
            .send(Message::binary(picture.to_vec()))
            .await
            .is_ok()
    }

    /// What the server says next; none where it has hung up.
    pub(crate) async fn hear(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next());
            match message.await.expect("the server says something")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends a picture and gives the answer to it.
    pub(crate) async fn look(&mut self, picture: &[u8]) -> Value {
        assert!(self.send(picture).await, "the server has hung up");
        let answer = self.hear().await.unwrap();
        assert_eq!(answer["type"], "result", "{answer}");
        assert_eq!(answer["frame"], self.sent, "{answer}");
        answer
    }

    /// Waits for the end of the session, whatever comes before it.
    pub(crate) async fn over(&mut self) -> Over {
        let mut over = Over {
            reason: String::new(),
            text: String::new(),
            code: None,
        };
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next());
            match message.await.expect("the session ends") {
                Some(Ok(Message::Text(text))) => {
                    let said: Value = serde_json::from_str(&text).unwrap();
                    if said["type"] == "end" {
                        over.reason = said["reason"].as_str().unwrap().to_owned();
                        over.text = said["text"].as_str().unwrap().to_owned();
                    }
                }
                Some(Ok(Message::Close(frame))) => over.code = frame.map(|f| f.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return over,
            }
        }
    }
}

/// A JPEG picture.
pub(crate) fn jpeg(picture: &image::RgbImage) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 92);
    encoder.encode_image(picture).unwrap();
    out.into_inner()
}

/// One that is grey, of about this brightness, with a grain, as nothing is believed that looks out of focus.
pub(crate) fn grey(width: u32, height: u32, level: u8) -> Vec<u8> {
    jpeg(&image::RgbImage::from_fn(width, height, |x, y| {
        let grain = ((x * 7 + y * 13) / 3 % 5) as u8;
        image::Rgb([level.saturating_sub(20) + 10 * grain; 3])
    }))
}
