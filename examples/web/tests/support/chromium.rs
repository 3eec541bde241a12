// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real Chromium without a window, with a clip for its camera, driven over its DevTools protocol. By hand: the crates for it are generated from
//! the whole protocol and take minutes to build, and this takes ten of its commands.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use data_encoding::BASE64;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::PATIENCE;
use crate::common;

/// Names of the program.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The program; none, said on standard error, where there is none.
fn program() -> Option<&'static str> {
    let runs = |name: &&str| {
        let mut version = Command::new(name);
        let version = version.arg("--version").stderr(Stdio::null());
        version.output().is_ok_and(|o| o.status.success())
    };
    let found = NAMES.into_iter().find(runs);
    if found.is_none() {
        common::skip("no Chromium (package chromium)");
    }
    found
}

/// A browser with one page.
pub(crate) struct Chromium {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The page's session.
    session: Value,
    number: u64,
    _folder: tempfile::TempDir,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It is our child, and has a group of its own with all that it started.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args(["-s", "KILL", "--", &group])
            .status();
        let _ = self.child.wait();
    }
}

impl Chromium {
    /// With this clip (JPEG pictures one behind the other) for its camera, again and again.
    pub(crate) async fn start(clip: &Path) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--no-first-run",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--remote-debugging-port=0",
            ])
            .args([
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ])
            .arg(format!(
                "--use-file-for-fake-video-capture={}",
                clip.display()
            ))
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let child = command.spawn().unwrap();
        let address = address(&folder.path().join("DevToolsActivePort"));
        // Screenshots are large.
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let connected = tokio_tungstenite::connect_async_with_config(address, Some(config), false);
        let (socket, _) = connected.await.unwrap();
        let mut chromium = Self {
            child,
            socket,
            session: Value::Null,
            number: 0,
            _folder: folder,
        };
        let target = chromium
            .command("Target.createTarget", json!({"url": "about:blank"}))
            .await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        chromium.session =
            chromium.command("Target.attachToTarget", attach).await["sessionId"].clone();
        Some(chromium)
    }

    /// A command of the protocol, and its answer.
    async fn command(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut command = json!({"id": self.number, "method": method, "params": params});
        if !self.session.is_null() {
            command["sessionId"] = self.session.clone();
        }
        self.socket
            .send(Message::text(command.to_string()))
            .await
            .unwrap();
        let answer = async {
            loop {
                let message = self.socket.next().await.unwrap().unwrap();
                let Message::Text(text) = message else {
                    continue;
                };
                let said: Value = serde_json::from_str(&text).unwrap();
                if said["id"] == self.number {
                    assert!(said["error"].is_null(), "{method}: {said}");
                    return said["result"].clone();
                }
            }
        };
        let answer = tokio::time::timeout(2 * PATIENCE, answer).await;
        answer.unwrap_or_else(|_| panic!("{method} is not answered"))
    }

    /// Opens a page, and waits until it is ready.
    pub(crate) async fn open(&mut self, url: &str) {
        self.command("Page.navigate", json!({"url": url})).await;
        self.until("document.documentElement.dataset.ready === 'true'")
            .await;
    }

    /// What an expression is, also one that takes time.
    pub(crate) async fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true});
        let result = self.command("Runtime.evaluate", params).await;
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true; what the page says by then is told where it does not become so.
    pub(crate) async fn until(&mut self, expression: &str) {
        let milliseconds = PATIENCE.as_millis();
        let wait = format!(
            "new Promise((done) => {{ const start = Date.now(); const look = () => {{ \
               let is = false; try {{ is = {expression}; }} catch {{ }} if (is) done(true); else if (Date.now() - start > {milliseconds}) done(false); else setTimeout(look, 50); }}; look(); }})"
        );
        if self.eval(&wait).await != true {
            let text = self.eval("document.body.innerText").await;
            panic!(
                "{expression} does not become true: {}",
                text.as_str().unwrap_or_default()
            );
        }
    }

    /// Clicks an element.
    pub(crate) async fn click(&mut self, id: &str) {
        self.eval(&format!("document.getElementById('{id}').click()"))
            .await;
    }

    /// Types into an element.
    pub(crate) async fn fill(&mut self, id: &str, text: &str) {
        let text = Value::from(text);
        self.eval(&format!("document.getElementById('{id}').value = {text}"))
            .await;
    }

    /// What an element says.
    pub(crate) async fn text(&mut self, id: &str) -> String {
        let text = self
            .eval(&format!("document.getElementById('{id}').textContent"))
            .await;
        text.as_str().unwrap().to_owned()
    }

    /// Presses a key.
    pub(crate) async fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            let text = if key == "Enter" && kind == "keyDown" {
                "\r"
            } else {
                ""
            };
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.command("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Chooses a file.
    pub(crate) async fn choose(&mut self, selector: &str, file: &Path) {
        let document = self.command("DOM.getDocument", json!({})).await;
        let root = &document["root"]["nodeId"];
        let found = self
            .command(
                "DOM.querySelector",
                json!({"nodeId": root, "selector": selector}),
            )
            .await;
        // Chromium reads no path with `..` in it.
        let file = file.canonicalize().unwrap();
        let files = json!({"nodeId": found["nodeId"], "files": [file.to_str().unwrap()]});
        self.command("DOM.setFileInputFiles", files).await;
    }

    /// Shows the page in this size, in light or dark colours.
    pub(crate) async fn view(&mut self, (width, height): (u32, u32), phone: bool, scheme: &str) {
        let scale = if phone { 2 } else { 1 };
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone});
        self.command("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.command("Emulation.setEmulatedMedia", features).await;
    }

    /// A picture of the whole page, for people to look at. It may show a face: it goes where builds go.
    pub(crate) async fn screenshot(&mut self, name: &str) -> PathBuf {
        let shot = self
            .command(
                "Page.captureScreenshot",
                json!({"captureBeyondViewport": true}),
            )
            .await;
        let png = BASE64
            .decode(shot["data"].as_str().unwrap().as_bytes())
            .unwrap();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("web")
            .join(format!("{name}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, png).unwrap();
        path
    }

    /// The nodes of the page as a screen reader has them: role, name, and whether they can be focused.
    pub(crate) async fn spoken(&mut self) -> Vec<(String, String, bool)> {
        let tree = self.command("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().unwrap().iter();
        let nodes = nodes.filter(|n| n["ignored"] != true).map(|n| {
            let text = |what: &str| n[what]["value"].as_str().unwrap_or_default().to_owned();
            let properties = n["properties"].as_array().cloned().unwrap_or_default();
            let focusable = |p: &Value| p["name"] == "focusable" && p["value"]["value"] == true;
            (text("role"), text("name"), properties.iter().any(focusable))
        });
        nodes.collect()
    }
}

/// Where the protocol is spoken, which the browser writes into a file.
fn address(file: &Path) -> String {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Some((port, path)) = text.split_once('\n')
            && !path.is_empty()
        {
            return format!("ws://127.0.0.1:{}{}", port.trim(), path.trim());
        }
        assert!(begun.elapsed() < PATIENCE, "Chromium does not start");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
