// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cameras for tests: a real RTSP server, and a telephone that serves JPEG over HTTP. In this process, or in one of its own that can be killed
//! and started again in the same place.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // Each test uses a part, and one that fails panics.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gst_rtsp_server::prelude::*;
use gst_rtsp_server::{RTSP_PERM_MEDIA_FACTORY_ACCESS, RTSP_PERM_MEDIA_FACTORY_CONSTRUCT};

/// A user name and a password.
pub(crate) type Login<'a> = Option<(&'a str, &'a str)>;

/// Between two pictures of a telephone: a camera gives 25 a second.
const PICTURE: Duration = Duration::from_millis(40);

/// A telephone with an app that serves its camera's pictures over HTTP: `/video`, one after the other in an answer without end, and
/// `/shot.jpg`, the one of this moment.
pub(crate) struct Telephone {
    server: Arc<tiny_http::Server>,
    gone: Arc<AtomicBool>,
    /// Pictures that were sent, and requests of those who did not know the password.
    pub(crate) sent: Arc<AtomicUsize>,
    pub(crate) refused: Arc<AtomicUsize>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Telephone {
    /// With these pictures, JPEG files, for ever; on any free port where `port` is 0.
    pub(crate) fn new(port: u16, pictures: Vec<Vec<u8>>, login: Login) -> Self {
        let server = tiny_http::Server::http(("127.0.0.1", port)).unwrap();
        let server = Arc::new(server);
        let gone = Arc::new(AtomicBool::new(false));
        let (sent, refused) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let wanted = login.map(|(user, password)| basic(user, password));
        let thread = {
            let (server, gone) = (server.clone(), gone.clone());
            let (sent, refused) = (sent.clone(), refused.clone());
            std::thread::spawn(move || {
                let mut shots = pictures.iter().cycle();
                while let Ok(request) = server.recv() {
                    if wanted.as_ref().is_some_and(|w| !knows(&request, w)) {
                        refused.fetch_add(1, Ordering::Relaxed);
                        let _ = request.respond(stranger());
                        continue;
                    }
                    match request.url() {
                        // Until the viewer hangs up.
                        "/video" => {
                            let to = &mut request.into_writer();
                            let _ = Self::serve(to, &pictures, &gone, &sent);
                        }
                        "/shot.jpg" => {
                            let shot = shots.next().unwrap().clone();
                            let shot = tiny_http::Response::from_data(shot)
                                .with_header(header("Content-Type", "image/jpeg"));
                            let _ = request.respond(shot);
                            sent.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => {
                            let _ = request.respond(tiny_http::Response::empty(404));
                        }
                    }
                }
            })
        };
        Self {
            server,
            gone,
            sent,
            refused,
            thread: Some(thread),
        }
    }

    fn serve(
        to: &mut dyn Write,
        pictures: &[Vec<u8>],
        gone: &AtomicBool,
        sent: &AtomicUsize,
    ) -> std::io::Result<()> {
        // As the app "IP Webcam" does.
        to.write_all(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nServer: a telephone\r\nCache-Control: no-store\r\n\
              Content-Type: multipart/x-mixed-replace;boundary=Ba4oTvQMY8ew04N8dcnM\r\n\r\n",
        )?;
        for picture in pictures.iter().cycle() {
            if gone.load(Ordering::Relaxed) {
                break;
            }
            write!(
                to,
                "--Ba4oTvQMY8ew04N8dcnM\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
                picture.len()
            )?;
            to.write_all(picture)?;
            to.write_all(b"\r\n")?;
            to.flush()?;
            sent.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(PICTURE);
        }
        Ok(())
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.server_addr().to_ip().unwrap().port()
    }
}

impl Drop for Telephone {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        self.server.unblock();
        let thread = self.thread.take();
        let _ = thread.map(std::thread::JoinHandle::join);
    }
}

fn header(name: &str, value: &str) -> tiny_http::Header {
    tiny_http::Header::from_bytes(name, value).unwrap()
}

/// What a browser sends for this user.
fn basic(user: &str, password: &str) -> String {
    let text = format!("{user}:{password}");
    format!("Basic {}", gst::glib::base64_encode(text.as_bytes()))
}

fn knows(request: &tiny_http::Request, wanted: &str) -> bool {
    let mut headers = request.headers().iter();
    headers.any(|h| h.field.equiv("Authorization") && h.value.as_str() == wanted)
}

fn stranger() -> tiny_http::Response<std::io::Empty> {
    let ask = header("WWW-Authenticate", "Basic realm=\"a telephone\"");
    tiny_http::Response::empty(401).with_header(ask)
}

/// Whether there is what [`Camera`] encodes with; where not, that is said.
pub(crate) fn has_encoder() -> bool {
    gst::init().unwrap();
    let found = gst::ElementFactory::find("x264enc").is_some();
    if !found {
        super::common::skip("no x264enc (gstreamer1.0-plugins-ugly)");
    }
    found
}

/// A network camera: an RTSP server that shows what a pipeline gives, the same to all who look, at `/camera`.
pub(crate) struct Camera {
    port: u16,
    main_loop: gst::glib::MainLoop,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Camera {
    /// For a pipeline that makes I420; on any free port where `port` is 0.
    pub(crate) fn new(port: u16, source: &str, login: Login) -> Self {
        gst::init().unwrap();
        let context = gst::glib::MainContext::new();
        let server = gst_rtsp_server::RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service(&port.to_string());
        let factory = gst_rtsp_server::RTSPMediaFactory::new();
        factory.set_launch(&format!(
            "( {source} ! x264enc tune=zerolatency speed-preset=ultrafast quantizer=20 pass=quant key-int-max=25 \
             ! video/x-h264,profile=baseline ! rtph264pay name=pay0 pt=96 )"
        ));
        factory.set_shared(true);
        if let Some((user, password)) = login {
            let auth = gst_rtsp_server::RTSPAuth::new();
            let token = gst_rtsp_server::RTSPToken::builder()
                .field_with_static(gst_rtsp_server::RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
                .build();
            let basic = gst_rtsp_server::RTSPAuth::make_basic(user, password);
            auth.add_basic(&basic, &token);
            server.set_auth(Some(&auth));
            let role = gst::Structure::builder("viewer")
                .field(RTSP_PERM_MEDIA_FACTORY_ACCESS.as_str(), true)
                .field(RTSP_PERM_MEDIA_FACTORY_CONSTRUCT.as_str(), true);
            factory.add_role_from_structure(&role.build());
        }
        let mounts = server.mount_points().unwrap();
        mounts.add_factory("/camera", factory);
        let _source = server.attach(Some(&context)).unwrap();
        let port = server.bound_port().try_into().unwrap();
        let main_loop = gst::glib::MainLoop::new(Some(&context), false);
        let thread = {
            let main_loop = main_loop.clone();
            std::thread::spawn(move || main_loop.run())
        };
        Self {
            port,
            main_loop,
            thread: Some(thread),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // From within, since a loop that does not run yet cannot be quit.
        let main_loop = self.main_loop.clone();
        self.main_loop.context().invoke(move || main_loop.quit());
        let thread = self.thread.take();
        let _ = thread.map(std::thread::JoinHandle::join);
    }
}

/// What a camera in a process of its own is told.
const TOLD: &str = "LIVENESS_TEST_CAMERA";

/// A camera in a process of its own.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
}

/// Which one.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'a> {
    /// [`Camera`], with its pipeline.
    Rtsp(&'a str),
    /// [`Telephone`], with a folder of JPEG files.
    Http(&'a Path),
}

impl Process {
    /// Starts one and waits until it listens. The test's own program is the camera's, too: it must have a test that is ignored, has this name
    /// and does nothing but [`Process::serve`].
    pub(crate) fn start(test: &str, kind: Kind, port: u16, login: Login) -> Self {
        let (kind, what) = match kind {
            Kind::Rtsp(source) => ("rtsp", source.to_owned()),
            Kind::Http(folder) => ("http", folder.to_str().unwrap().to_owned()),
        };
        let (user, password) = login.unwrap_or_default();
        let told = [kind, &what, &port.to_string(), user, password].join("\n");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(TOLD, told)
            // It goes when this is closed, whatever becomes of this process.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = child.stderr.take().unwrap();
        let (mut word, mut byte) = (String::new(), [0]);
        let port = loop {
            assert_eq!(said.read(&mut byte).unwrap(), 1, "no camera, but: {word}");
            word.push(byte[0].into());
            let port = word.lines().find_map(|l| l.strip_prefix("listens on "));
            if let (Some(port), true) = (port, word.ends_with('\n')) {
                break port.parse().unwrap();
            }
        };
        // Whatever else it has to say must not stop it.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, port }
    }

    /// The life of such a process; nothing where this is none.
    pub(crate) fn serve() {
        let Ok(told) = std::env::var(TOLD) else {
            return;
        };
        let told: Vec<_> = told.split('\n').collect();
        let [kind, what, port, user, password] = told[..] else {
            panic!("{told:?}");
        };
        let login = (!user.is_empty()).then_some((user, password));
        let port = port.parse().unwrap();
        let (_camera, _telephone);
        let port = if kind == "rtsp" {
            _camera = Camera::new(port, what, login);
            _camera.port()
        } else {
            let mut files: Vec<_> = std::fs::read_dir(what).unwrap().collect();
            files.sort_by_key(|f| f.as_ref().unwrap().path());
            let pictures = files.iter().map(|f| f.as_ref().unwrap().path());
            let pictures = pictures.map(|p| std::fs::read(p).unwrap()).collect();
            _telephone = Telephone::new(port, pictures, login);
            _telephone.port()
        };
        eprintln!("listens on {port}");
        let _ = std::io::stdin().read(&mut [0]);
        // At once, as if somebody had drawn the plug.
        std::process::exit(0);
    }

    /// Sends it a signal, such as STOP.
    pub(crate) fn send(&self, name: &str) {
        let target = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &target]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
