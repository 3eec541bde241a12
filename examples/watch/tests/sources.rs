// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources that come and go, under the real program: an RTSP and an HTTP server in processes of their own, which are killed, stopped and
//! started again.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod ground;

use std::sync::atomic::Ordering;

use ground::cameras::{Kind, Process, Telephone, has_encoder};
use ground::plugin::{Running, Tool};
use ground::{Ground, LIMIT, RAW, common, live, of, program, quick, read, state, until, valid};

/// The life of a camera in a process of its own.
#[test]
#[ignore = "a camera, which other tests start"]
fn camera() {
    Process::serve();
}

fn start(kind: Kind, port: u16, login: Option<(&str, &str)>) -> Process {
    Process::start("camera", kind, port, login)
}

fn at(kind: Kind, port: u16) -> String {
    match kind {
        Kind::Rtsp(_) => format!("rtsp://127.0.0.1:{port}/camera"),
        Kind::Http(_) => format!("http://127.0.0.1:{port}/video"),
    }
}

fn watch(address: &str) -> Tool {
    quick().arg("--url").arg(address)
}

/// Waits until the source has played so often, and faces were seen since.
fn plays(run: &mut Running, times: usize) {
    until(run, "play", |lines| {
        let last = lines.iter().rposition(|l| l["state"] == "playing");
        state(lines, "playing").len() == times
            && last.is_some_and(|last| !of(&lines[last..], "face").is_empty())
    });
}

/// Waits until the source is said to be lost, for the reason that it cannot be found where it was.
fn is_lost(run: &mut Running, times: usize) {
    until(run, "lose it", |lines| state(lines, "lost").len() >= times);
}

/// A server that is killed and started again in the same place, as another one: the program goes on, and its recording is one film.
fn goes_and_comes_back(first: Kind, second: Kind, path: Option<&str>) {
    let Some(ground) = Ground::new() else {
        return;
    };
    let camera = start(first, 0, None);
    let port = camera.port;
    let address = match path {
        Some(path) => format!("http://127.0.0.1:{port}{path}"),
        None => at(first, port),
    };
    let film = ground.path("out.mkv");
    let mut run = watch(&address).arg("--record").arg(&film).start(LIMIT);
    plays(&mut run, 1);
    drop(camera);
    is_lost(&mut run, 1);
    let camera = start(second, port, None);
    plays(&mut run, 2);
    drop(camera);
    is_lost(&mut run, 2);
    let camera = start(second, port, None);
    plays(&mut run, 3);
    // As `timeout` and some shells do: to the program, and to its group.
    run.interrupt();
    run.interrupt();
    let ended = run.end().cleanly(&[130]);
    drop(camera);
    let lines = valid(&ended);
    let lost = state(&lines, "lost");
    assert_eq!(lost.len(), 2, "each loss is said once: {lost:?}");
    for line in &lost {
        assert_eq!(
            line["reason"],
            format!("nobody listens on 127.0.0.1:{port}")
        );
    }
    let said = ended.stderr.matches("nobody listens on").count();
    assert_eq!(said, 2, "{}", ended.stderr);
    let back = ended.stderr.matches("back after").count();
    assert_eq!(back, 2, "{}", ended.stderr);
    assert_eq!(lines.last().unwrap()["state"], "ended");
    // Numbers are never used again, and who came is gone in the end.
    let mut tracks: Vec<_> = of(&lines, "face")
        .iter()
        .map(|l| l["track"].as_u64().unwrap())
        .collect();
    let faces = tracks.len();
    assert!(faces >= 6, "{tracks:?}");
    tracks.dedup();
    assert_eq!(tracks.len(), faces);
    assert_eq!(of(&lines, "gone").len(), faces);
    let film = read(&film).assert_whole(&ended);
    assert_eq!(
        film.size,
        (320, 240),
        "it keeps the size of its first frame"
    );
    assert_eq!(film.black, 2, "one for each loss");
}

#[test]
fn a_network_camera_goes_and_comes_back() {
    if has_encoder() {
        let (small, large) = (
            live(RAW),
            live(&RAW.replace("320", "400").replace("25/1", "20/1")),
        );
        goes_and_comes_back(Kind::Rtsp(&small), Kind::Rtsp(&large), None);
    }
}

#[test]
fn a_telephone_goes_and_comes_back() {
    if let Some(ground) = Ground::new() {
        let pictures = ground.pictures();
        goes_and_comes_back(Kind::Http(&pictures), Kind::Http(&pictures), None);
    }
}

#[test]
fn stills_are_fetched_again_and_again() {
    if let Some(ground) = Ground::new() {
        let pictures = ground.pictures();
        goes_and_comes_back(
            Kind::Http(&pictures),
            Kind::Http(&pictures),
            Some("/shot.jpg"),
        );
    }
}

/// With a wrong password, the reason is said once, however often it is tried; where it becomes right, it plays.
fn wants_to_know_who_asks(kind: Kind) {
    let camera = start(kind, 0, Some(("joe", "s3cret")));
    let address = at(kind, camera.port);
    let known = watch(&address)
        .args(["--user", "joe"])
        .env("LIVENESS_PASSWORD", "s3cret");
    let mut known = known.start(LIMIT);
    plays(&mut known, 1);
    known.interrupt();
    known.end().cleanly(&[130]);

    let nobody = watch(&address);
    let mut nobody = nobody.start(LIMIT);
    is_lost(&mut nobody, 1);
    nobody.interrupt();
    nobody
        .end()
        .cleanly(&[130])
        .says(&["it wants a user name or password", "--user NAME"]);

    let in_address = address.replace("://", "://joe:wr0ng@");
    let mut wrong = watch(&in_address).start(LIMIT);
    is_lost(&mut wrong, 1);
    let port = camera.port;
    drop(camera);
    is_lost(&mut wrong, 2);
    let _camera = start(kind, port, Some(("joe", "wr0ng")));
    plays(&mut wrong, 1);
    wrong.interrupt();
    let ended = wrong.end().cleanly(&[130]);
    let lines = valid(&ended);
    let reasons: Vec<_> = state(&lines, "lost")
        .iter()
        .map(|l| l["reason"].to_string())
        .collect();
    assert!(
        reasons[0].contains("user name or password is wrong"),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("nobody listens"), "{reasons:?}");
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains("wr0ng") && said.contains(&address), "{said}");
}

#[test]
fn a_network_camera_wants_a_password() {
    if Ground::new().is_some() && has_encoder() {
        wants_to_know_who_asks(Kind::Rtsp(&live(RAW)));
    }
}

#[test]
fn a_telephone_wants_a_password() {
    if let Some(ground) = Ground::new() {
        wants_to_know_who_asks(Kind::Http(&ground.pictures()));
    }
}

/// JPEG files of a folder.
fn pictures(ground: &Ground) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(ground.pictures()).unwrap();
    files
        .map(|f| std::fs::read(f.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn a_wrong_password_is_said_once_and_tried_again() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let phone = Telephone::new(0, pictures(&ground), Some(("joe", "s3cret")));
    let address = format!("http://joe:wr0ng@127.0.0.1:{}/video", phone.port());
    let mut run = watch(&address).start(LIMIT);
    // Each try asks without a password, and then with it.
    run.until("try four times", || {
        phone.refused.load(Ordering::Relaxed) >= 8
    });
    run.interrupt();
    let ended = run.end().cleanly(&[130]);
    assert_eq!(
        ended.stderr.matches("user name or password").count(),
        1,
        "{}",
        ended.stderr
    );
    assert_eq!(state(&valid(&ended), "lost").len(), 1);
}

/// While the program itself sleeps, pictures pile up. When it wakes, it does not work them off but takes the newest, and counts the others.
#[test]
fn what_could_not_be_looked_at_in_time_is_dropped_and_counted() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let phone = Telephone::new(0, pictures(&ground), None);
    let address = format!("http://127.0.0.1:{}/video", phone.port());
    let mut run = watch(&address).start(LIMIT);
    plays(&mut run, 1);
    let dropped = |stderr: &str| {
        let last = stderr.lines().rfind(|l| l.contains(" dropped"));
        let number = last.and_then(|l| {
            l.split(" dropped")
                .next()?
                .split(' ')
                .next_back()?
                .parse()
                .ok()
        });
        number.unwrap_or(0)
    };
    let said = run.stderr_file();
    let said = || std::fs::read_to_string(&said).unwrap();
    let before: u64 = dropped(&said());
    run.send("STOP");
    let sent = phone.sent.load(Ordering::Relaxed);
    run.until("be sent pictures", || {
        phone.sent.load(Ordering::Relaxed) >= sent + 50
    });
    run.send("CONT");
    // Far more than half of them: between one and the next, no time passes.
    run.until("drop them", || dropped(&said()) >= before + 10);
    run.interrupt();
    let ended = run.end().cleanly(&[130]);
    assert_eq!(state(&valid(&ended), "lost").len(), 0, "{}", ended.stderr);
    let numbers = ended
        .stderr
        .lines()
        .find(|l| l.contains("latency"))
        .unwrap();
    for word in [" frames/s · latency ", " ms · ", " dropped · ", "face"] {
        assert!(numbers.contains(word), "{numbers}");
    }
}

#[test]
fn a_camera_that_hangs_is_given_up_and_found_again() {
    if Ground::new().is_none() || !has_encoder() {
        return;
    }
    let source = live(RAW);
    let camera = start(Kind::Rtsp(&source), 0, None);
    let address = at(Kind::Rtsp(&source), camera.port);
    let mut run = watch(&address).args(["--timeout", "1"]).start(LIMIT);
    plays(&mut run, 1);
    camera.send("STOP");
    is_lost(&mut run, 1);
    camera.send("CONT");
    plays(&mut run, 2);
    run.interrupt();
    let ended = run.end().cleanly(&[130]);
    let lines = valid(&ended);
    assert_eq!(state(&lines, "lost")[0]["reason"], "no picture for 1 s");
}

/// Where nothing ever comes, nothing is left but the reason.
#[test]
fn what_cannot_be_found_is_said_once() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let film = ground.path("out.mkv");
    let nowhere = "rtsp://no-such-camera.invalid/x";
    for (option, source, reason) in [
        (
            "--url",
            nowhere,
            "the name no-such-camera.invalid cannot be resolved",
        ),
        (
            "--url",
            "http://no-such-camera.invalid/video",
            "cannot be resolved",
        ),
        (
            "--camera",
            "/dev/no-such-camera",
            "there is no camera at /dev/no-such-camera",
        ),
    ] {
        let tool = quick().args([option, source]).arg("--record").arg(&film);
        let mut run = tool.start(LIMIT);
        is_lost(&mut run, 1);
        run.interrupt();
        let ended = run.end().cleanly(&[130]).says(&["nothing was recorded"]);
        assert_eq!(ended.stderr.matches(reason).count(), 1, "{}", ended.stderr);
        valid(&ended);
        assert!(!film.exists());
    }
}

/// A window opens where there is a display, shows what is seen, and ends the program when it is closed.
mod window {
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};

    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask, ImageFormat};
    use x11rb::rust_connection::RustConnection;

    use super::*;
    use ground::marks::Marks;

    /// A display without a screen.
    struct Display {
        server: Child,
        name: String,
    }

    impl Display {
        fn new() -> Option<Self> {
            let server = Command::new("Xvfb")
                .args([
                    "-displayfd",
                    "1",
                    "-screen",
                    "0",
                    "1280x720x24",
                    "-nolisten",
                    "tcp",
                ])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn();
            let Ok(mut server) = server else {
                common::skip("no Xvfb (package xvfb)");
                return None;
            };
            let mut line = String::new();
            let mut out = std::io::BufReader::new(server.stdout.take().unwrap());
            std::io::BufRead::read_line(&mut out, &mut line).unwrap();
            let name = format!(":{}", line.trim());
            Some(Self { server, name })
        }
    }

    impl Drop for Display {
        fn drop(&mut self) {
            let _ = self.server.kill();
            let _ = self.server.wait();
        }
    }

    /// The window of the program, seen by somebody else.
    struct Viewer {
        connection: RustConnection,
        window: u32,
    }

    impl Viewer {
        fn of(display: &Display, run: &mut Running) -> Self {
            let (connection, screen) = x11rb::connect(Some(&display.name)).unwrap();
            let root = connection.setup().roots[screen].root;
            let mut window = None;
            run.until("open a window", || {
                let tree = connection.query_tree(root).unwrap().reply().unwrap();
                window = tree.children.into_iter().find(|w| {
                    let size = connection.get_geometry(*w).unwrap().reply();
                    size.is_ok_and(|s| (s.width, s.height) == (960, 540))
                });
                window.is_some()
            });
            Self {
                connection,
                window: window.unwrap(),
            }
        }

        fn marks(&self) -> Marks {
            let image = self.connection.get_image(
                ImageFormat::Z_PIXMAP,
                self.window,
                0,
                0,
                960,
                540,
                u32::MAX,
            );
            let Ok(image) = image.unwrap().reply() else {
                return Marks::default();
            };
            let rgb: Vec<u8> = image
                .data
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|[b, g, r, _]| [*r, *g, *b])
                .collect();
            Marks::of(&rgb, 960, 960 * 3)
        }

        /// As the button of its frame does.
        fn close(&self) {
            let atom = |name: &[u8]| {
                self.connection
                    .intern_atom(false, name)
                    .unwrap()
                    .reply()
                    .unwrap()
                    .atom
            };
            let data = [atom(b"WM_DELETE_WINDOW"), 0, 0, 0, 0];
            let event = ClientMessageEvent::new(32, self.window, atom(b"WM_PROTOCOLS"), data);
            self.connection
                .send_event(false, self.window, EventMask::NO_EVENT, event)
                .unwrap();
            self.connection.flush().unwrap();
        }
    }

    /// Pictures of the clip with the person on the left and the telephone on the right.
    fn clip(ground: &Ground) -> Option<PathBuf> {
        let clip = common::root().join(".setup/clips/demo.mp4");
        if !clip.is_file() {
            common::skip("no .setup/clips/demo.mp4 (scripts/setup.sh --assets makes it)");
            return None;
        }
        let folder = ground.path("clip");
        std::fs::create_dir_all(&folder).unwrap();
        ground::launch(&format!(
            "filesrc location={} ! decodebin ! identity eos-after=51 ! videoconvert ! jpegenc ! multifilesink location={}/%03d.jpg",
            clip.display(),
            folder.display()
        ));
        Some(folder)
    }

    #[test]
    fn it_opens_shows_and_is_closed() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let (Some(display), Some(pictures)) = (Display::new(), clip(&ground)) else {
            return;
        };
        let camera = start(Kind::Http(&pictures), 0, None);
        let film = ground.path("out.mkv");
        let tool = program()
            .env("DISPLAY", &display.name)
            .args(["--json", "--url"]);
        let tool = tool
            .arg(at(Kind::Http(&pictures), camera.port))
            .arg("--record")
            .arg(&film);
        let mut run = tool.start(LIMIT);
        let viewer = Viewer::of(&display, &mut run);
        run.until("show the verdicts", || viewer.marks().are_right());
        viewer.close();
        let ended = run.end().cleanly(&[0]);
        valid(&ended);
        read(&film).assert_whole(&ended);
    }

    #[test]
    fn a_display_that_is_not_there_is_done_without() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("a.mkv", 25);
        let tool = quick().env("DISPLAY", ":4711").arg("--file").arg(film);
        let ended = tool.run().cleanly(&[0]).says(&["there is no window"]);
        assert_eq!(of(&valid(&ended), "face").len(), 2);
    }
}
