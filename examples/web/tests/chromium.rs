// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page in a real Chromium whose camera plays clips of living persons and of a replay, with public models. Skipped, and said so, where there is
//! no Chromium, no ONNX Runtime or no assets.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/common/plugin.rs"]
mod plugin;
mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::chromium::Chromium;
use support::{Server, clips, path};

/// What the tests need.
struct Ground {
    assets: PathBuf,
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Option<Self> {
        let assets = common::assets()?;
        let folder = tempfile::tempdir().unwrap();
        Some(Self { assets, folder })
    }

    /// A clip of the assets, for the camera.
    fn clip(&self, name: &str) -> PathBuf {
        let stem = Path::new(name)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        clips::to_and_fro(&self.assets.join(name), self.folder.path(), &stem)
    }

    /// A server with public models, whose figures do not change.
    fn server(&self, options: &[&str]) -> Option<Server> {
        let model = |name| path(&common::model(&self.assets, name)).to_owned();
        let pair = ["MiniFASNetV2_2.7_80.onnx", "MiniFASNetV1SE_4.0_80.onnx"]
            .map(model)
            .join(",");
        let embedding = model("mobilefacenet_112_128d.onnx");
        let models = ["--model", &pair, "--embedding", &embedding];
        Server::start(&[&models, options].concat())
    }
}

const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 780);
const README: (u32, u32) = (1100, 780);

const LIVE: &str = "vid_fas/wolf_live.mp4";
const REPLAY: &str = "vid_fas/wolf_replay.mp4";
/// Somebody who looks into the camera, and somebody who turns the head.
const STILL: &str = "vid_face/liveportrait_d20.mp4";
const TURNS: &str = "vid_face/liveportrait_d12.mp4";

/// The contrast of every text that is seen with what is behind it, where that is less than 4.5 (3 for large ones), as WCAG 2 counts.
const POOR_CONTRAST: &str = r"(() => {
  const rgb = (color) => color.match(/[\d.]+/g).map(Number);
  const part = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    const has = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(e);
    if (!has || !e.checkVisibility() || e.matches(':disabled')) continue;
    const [a, b] = [light(rgb(style.color)), light(ground(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) poor.push(`${e.id || e.tagName} ${contrast.toFixed(2)}`);
  }
  return poor;
})()";

/// Nothing reaches over the side of a narrow window, and every text can be read.
async fn fits(page: &mut Chromium, what: &str) {
    let wide = page
        .eval("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        .await;
    assert_eq!(wide, 0, "{what}: the page is wider than the window");
    let poor = page.eval(POOR_CONTRAST).await;
    assert_eq!(poor, Value::Array(Vec::new()), "{what}");
}

#[tokio::test]
async fn a_live_clip_is_live_and_a_replay_is_a_spoof() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let Some(server) = ground.server(&[]) else {
        return;
    };
    for (clip, name, label) in [(LIVE, "live", "live"), (REPLAY, "replay", "spoof")] {
        let Some(mut page) = Chromium::start(&ground.clip(clip)).await else {
            return;
        };
        page.view(DESK, false, "light").await;
        page.open(&server.url("/")).await;
        assert_eq!(page.text("verdict").await, "The camera is off.");
        page.click("start").await;
        page.until(&format!(
            "document.getElementById('verdict').dataset.label === '{label}'"
        ))
        .await;
        page.until("parseFloat(document.getElementById('rate').textContent) > 1")
            .await;
        for (size, phone, width) in [(DESK, false, "desk"), (PHONE, true, "phone")] {
            for scheme in ["light", "dark"] {
                page.view(size, phone, scheme).await;
                page.until(&format!(
                    "document.getElementById('verdict').dataset.label === '{label}'"
                ))
                .await;
                // A box is drawn over the picture.
                page.until(
                    "(() => { const c = document.getElementById('overlay'); \
                     return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0); })()",
                )
                .await;
                let what = format!("{name}-{width}-{scheme}");
                fits(&mut page, &what).await;
                page.screenshot(&what).await;
            }
        }
        page.click("stop").await;
        assert_eq!(page.text("verdict").await, "The camera is off.");
    }
}

#[tokio::test]
async fn who_turns_the_head_passes_the_challenge_and_who_does_not_fails() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let turns = clips::head_turns(&ground.assets.join(TURNS), ground.folder.path());
    for (clip, seconds, state) in [(turns, "30", "passed"), (ground.clip(STILL), "3", "failed")] {
        let Some(server) = ground.server(&["--challenge-seconds", seconds]) else {
            return;
        };
        let Some(mut page) = Chromium::start(&clip).await else {
            return;
        };
        page.view(PHONE, true, "light").await;
        page.open(&server.url("/")).await;
        page.click("challenge-start").await;
        page.until("document.getElementById('ask').dataset.state === 'step'")
            .await;
        assert_ne!(
            page.eval("document.getElementById('verdict').dataset.label")
                .await,
            "live",
            "before it is passed"
        );
        page.screenshot(&format!("challenge-{state}-asked")).await;
        page.until("['passed', 'failed'].includes(document.getElementById('ask').dataset.state)")
            .await;
        let ask = page.text("ask").await;
        assert_eq!(
            page.eval("document.getElementById('ask').dataset.state")
                .await,
            state,
            "{ask}"
        );
        let label = if state == "passed" {
            "live"
        } else {
            "uncertain"
        };
        page.until(&format!(
            "document.getElementById('verdict').dataset.label === '{label}'"
        ))
        .await;
        fits(&mut page, state).await;
        page.screenshot(&format!("challenge-{state}")).await;
    }
}

#[tokio::test]
async fn the_right_living_face_logs_in_and_no_other() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let Some(server) = ground.server(&[]) else {
        return;
    };
    let Some(mut page) = Chromium::start(&ground.clip(LIVE)).await else {
        return;
    };
    page.view(DESK, false, "light").await;
    page.open(&server.url("/")).await;
    for button in ["enrol", "log-in"] {
        page.fill("name", "Wolf").await;
        page.fill("password", "correct horse").await;
        page.click(button).await;
        page.until("!document.getElementById('account-in').hidden")
            .await;
        assert_eq!(page.text("user").await, "wolf");
        // Also when the page is loaded again: the cookie is kept.
        page.open(&server.url("/")).await;
        assert_eq!(page.text("user").await, "wolf");
        page.screenshot(&format!("account-{button}")).await;
        page.click("log-out").await;
        page.until("!document.getElementById('account-form').hidden")
            .await;
    }
    page.fill("name", "Wolf").await;
    page.fill("password", "wrong horse").await;
    page.click("log-in").await;
    page.until(
        "document.getElementById('account-told').textContent.includes('password is another one')",
    )
    .await;
    drop(page);

    for (clip, said) in [(REPLAY, "not a living face"), (STILL, "another face")] {
        let mut page = Chromium::start(&ground.clip(clip)).await.unwrap();
        page.view(PHONE, true, "dark").await;
        page.open(&server.url("/")).await;
        page.fill("name", "Wolf").await;
        page.fill("password", "correct horse").await;
        page.click("log-in").await;
        page.until("document.getElementById('account-told').textContent.startsWith('Refused')")
            .await;
        let told = page.text("account-told").await;
        assert!(told.contains(said), "{told}");
        assert_eq!(
            page.eval("document.getElementById('account-in').hidden")
                .await,
            true
        );
        let name = Path::new(clip)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        fits(&mut page, &name).await;
        page.screenshot(&format!("refused-{name}")).await;
    }
}

#[tokio::test]
async fn it_can_be_used_with_keys_and_ears_alone() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let Some(server) = ground.server(&[]) else {
        return;
    };
    let Some(mut page) = Chromium::start(&ground.clip(LIVE)).await else {
        return;
    };
    page.view(PHONE, true, "light").await;
    page.open(&server.url("/")).await;
    // Where Tab leads, in the order in which the page is read.
    let wanted = [
        "start",
        "challenge-start",
        "name",
        "password",
        "log-in",
        "enrol",
        "file",
    ];
    for id in wanted {
        page.press("Tab", 9).await;
        assert_eq!(page.eval("document.activeElement.id").await, id);
        let outline = page
            .eval("getComputedStyle(document.activeElement).outlineStyle")
            .await;
        assert_eq!(outline, "solid", "{id}: the focus is seen");
    }
    // Whatever can be focused has a name, and what changes is read aloud.
    let spoken = page.spoken().await;
    for (role, name, focusable) in &spoken {
        assert!(
            !focusable || !name.is_empty() || role == "RootWebArea",
            "a {role} without a name"
        );
    }
    for (role, name) in [
        ("button", "Start the camera"),
        ("textbox", "Name"),
        ("heading", "Challenge"),
        ("region", "Camera"),
    ] {
        assert!(
            spoken.iter().any(|(r, n, _)| r == role && n == name),
            "no {role} {name}"
        );
    }
    let live = page
        .eval("[...document.querySelectorAll('[role=status]')].map((e) => e.id)")
        .await;
    for id in ["verdict", "throttle", "ask", "account-told", "upload-told"] {
        assert!(
            live.as_array().unwrap().contains(&Value::from(id)),
            "{id} is not read aloud"
        );
    }
    // And with keys alone, the camera is switched on.
    page.eval("document.getElementById('start').focus()").await;
    page.press("Enter", 13).await;
    page.until("document.getElementById('verdict').dataset.label === 'live'")
        .await;
    // What is read aloud changes with the verdict, not with every picture.
    let changes = "new Promise((done) => { let n = 0; const o = new MutationObserver(() => { n += 1; }); \
                   o.observe(document.getElementById('verdict'), { childList: true, characterData: true, subtree: true }); \
                   const from = document.getElementById('rate'); let frames = 0; \
                   const r = new MutationObserver(() => { frames += 1; if (frames >= 20) { o.disconnect(); r.disconnect(); done(n); } }); \
                   r.observe(document.getElementById('latency'), { childList: true, characterData: true, subtree: true }); })";
    let changes = page.eval(changes).await.as_u64().unwrap();
    assert!(changes <= 4, "{changes} changes in 20 pictures");
}

#[tokio::test]
async fn files_are_shown_with_what_was_found_and_refused_with_the_reason() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let Some(server) = ground.server(&[]) else {
        return;
    };
    let Some(mut page) = Chromium::start(&ground.clip(STILL)).await else {
        return;
    };
    page.view(PHONE, true, "light").await;
    page.open(&server.url("/")).await;
    let film = ground.assets.join(REPLAY);
    page.choose("#file", &film).await;
    page.eval("document.querySelector('#upload-form button').click()")
        .await;
    page.until("!document.getElementById('upload-result').hidden")
        .await;
    page.until("document.querySelector('#upload-stage video').readyState >= 2")
        .await;
    let list = page.text("upload-list").await;
    assert!(
        list.contains("Spoof") && list.contains("of 162 pictures"),
        "{list}"
    );
    fits(&mut page, "clip").await;
    page.screenshot("upload-clip").await;
    let lie = ground.folder.path().join("lie.jpg");
    std::fs::write(&lie, "this is no picture").unwrap();
    page.choose("#file", &lie).await;
    page.eval("document.querySelector('#upload-form button').click()")
        .await;
    page.until("document.getElementById('upload-told').textContent.includes('no picture')")
        .await;
    assert_eq!(
        page.eval("document.getElementById('upload-result').hidden")
            .await,
        true
    );
    fits(&mut page, "lie").await;
}

#[tokio::test]
async fn the_page_says_when_the_server_is_busy() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let Some(server) = ground.server(&["--max-sessions", "60"]) else {
        return;
    };
    let Some(mut page) = Chromium::start(&ground.clip(STILL)).await else {
        return;
    };
    page.view(PHONE, true, "light").await;
    page.open(&server.url("/")).await;
    page.click("start").await;
    page.until("document.getElementById('verdict').dataset.label === 'live'")
        .await;
    assert_eq!(
        page.eval("document.getElementById('throttle').hidden")
            .await,
        true
    );
    // A crowd comes, and goes.
    let person = ground.assets.join("verify/faceapi_amy/amy1.png");
    let picture = support::jpeg(&image::open(person).unwrap().into_rgb8());
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut camera = server.camera().await;
        let picture = picture.clone();
        crowd.spawn(async move {
            camera.start("watch").await;
            loop {
                camera.look(&picture).await;
            }
        });
    }
    page.until("document.getElementById('throttle').textContent.includes('busy with')")
        .await;
    fits(&mut page, "busy").await;
    page.screenshot("busy").await;
    crowd.shutdown().await;
    page.until("document.getElementById('throttle').hidden")
        .await;
}

/// Somebody who is there and a film of her on a telephone, in one picture, with the models that ship: what README shows, as scripts/pictures.sh takes
/// it from here.
#[tokio::test]
async fn a_person_and_a_telephone_are_told_apart_by_the_models_that_ship() {
    let film = common::root().join(".setup/clips/demo.mp4");
    if !film.is_file() {
        common::skip("no clip in .setup/clips (scripts/setup.sh --assets)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = clips::to_and_fro(&film, folder.path(), "demo");
    let embed = support::tiny("embed.onnx");
    let Some(server) = Server::start(&["--embedding", path(&embed)]) else {
        return;
    };
    let Some(mut page) = Chromium::start(&clip).await else {
        return;
    };
    page.view(README, false, "light").await;
    page.open(&server.url("/")).await;
    page.click("start").await;
    page.until("['live', 'spoof'].every((l) => document.getElementById('verdict').textContent.toLowerCase().includes(l))")
        .await;
    page.until("parseFloat(document.getElementById('rate').textContent) > 1")
        .await;
    fits(&mut page, "readme").await;
    page.screenshot("readme").await;
}
