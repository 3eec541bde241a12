// SPDX-License-Identifier: MIT OR Apache-2.0
// Brings the parts of the page together: one camera, and at most one session that the server looks at.

import * as account from "./account.js";
import { Camera, Session } from "./camera.js";
import { draw, wipe } from "./overlay.js";
import { visit } from "./server.js";
import * as uploads from "./upload.js";
import { challenge, faces } from "./words.js";

const $ = (id) => document.getElementById(id);

const camera = new Camera($("video"));
let session = null;
// What waits for the end of the session.
let onEnd = null;
const rate = { times: [] };

function say(text, label = "") {
  const verdict = $("verdict");
  // Read aloud only when it changes.
  if (verdict.textContent !== text) verdict.textContent = text;
  verdict.dataset.label = label;
}

function showCamera() {
  const { isOn } = camera;
  $("placeholder").hidden = isOn;
  $("start").hidden = isOn && session !== null;
  $("start").textContent = isOn ? "Look again" : "Start the camera";
  $("stop").hidden = !isOn;
  $("numbers").hidden = !isOn || session === null;
  if (!isOn) $("which").hidden = true;
}

async function switchOn(device) {
  const track = await camera.start(device);
  const { video } = camera;
  $("stage").style.setProperty("--ratio", String(video.videoWidth / video.videoHeight || 4 / 3));
  track.addEventListener("ended", () => {
    switchOff("The camera was taken away.");
  });
  const devices = await camera.list();
  const current = track.getSettings().deviceId;
  $("devices").replaceChildren(...devices.map((found, i) => {
    return new Option(found.label || `Camera ${i + 1}`, found.deviceId, false, found.deviceId === current);
  }));
  $("which").hidden = devices.length < 2;
}

function switchOff(text) {
  ask("");
  endSession("stopped", text);
  camera.stop();
  wipe($("overlay"));
  say(text);
  showCamera();
}

/** Ends the session that runs, and tells whoever waits for it. */
function endSession(reason, text) {
  session?.close();
  session = null;
  const told = onEnd;
  onEnd = null;
  $("throttle").hidden = true;
  told?.({ reason, text });
}

/** Begins a session; what comes of it is told by the promise, each answer by `see`. */
async function begin(start, see) {
  endSession("stopped", "Something else was begun.");
  if (!camera.isOn) await switchOn();
  rate.times = [];
  const ended = new Promise((resolve) => { onEnd = resolve; });
  session = new Session(camera, start, {
    result: (result, latency) => {
      show(result, latency);
      see?.(result);
    },
    end: (reason, text) => {
      wipe($("overlay"));
      endSession(reason, text);
      showCamera();
    },
  });
  showCamera();
  return ended;
}

function show(result, latency) {
  draw($("overlay"), result.faces, camera.isMirrored);
  const { text, label } = result.error ? { text: result.error, label: "" } : faces(result.faces);
  say(text, label);
  const now = performance.now();
  rate.times = [...rate.times.filter((then) => now - then < 3000), now];
  const seconds = (now - rate.times[0]) / 1000;
  const each = seconds > 0.5 ? (rate.times.length - 1) / seconds : 0;
  $("rate").textContent = each ? each.toFixed(1) : "–";
  $("latency").textContent = `${Math.round(latency)} ms`;
  $("waiting").textContent = `${result.waited_ms} ms`;
  $("sessions").textContent = String(result.sessions);
  const throttle = $("throttle");
  if (throttle.hidden === result.throttled) {
    throttle.hidden = !result.throttled;
    throttle.textContent = result.throttled
      ? `The server is busy with ${result.sessions} cameras: your pictures wait their turn, and fewer are looked at.`
      : "";
  }
}

/** Watches without any purpose, until something else is begun. */
async function watch() {
  ask("");
  const { reason, text } = await begin({ mode: "watch" });
  if (reason !== "stopped") say(text);
}

async function tell(work) {
  try {
    await work();
  } catch (error) {
    say(error.message);
    showCamera();
  }
}

/** Says beside the picture what is to be done, and how far it is (0..1); nothing where there is nothing to be said. */
function ask(text, state = "", done = null) {
  const place = $("ask");
  place.hidden = text === "";
  place.dataset.state = state;
  // Read aloud only when it changes.
  if (place.textContent !== text) place.textContent = text;
  $("progress").hidden = done === null;
  $("progress").value = done ?? 0;
}

/** Brings the picture into view: on a telephone it may be far above what was pressed. */
function look() {
  $("camera").scrollIntoView({ block: "start" });
}

async function runChallenge() {
  look();
  ask("Look straight into the camera.");
  let isOver = false;
  const { reason, text } = await begin({ mode: "challenge" }, ({ challenge: stage }) => {
    if (!stage || isOver) return;
    isOver = stage.state === "passed" || stage.state === "failed";
    ask(challenge(stage, camera.isMirrored), stage.state, stage.progress ?? null);
  });
  if (!isOver) ask(reason === "stopped" ? "" : text, "failed");
  if (reason !== "stopped") say(text);
}

/** Lets the server look at a face for a ticket. */
async function face(ticket, on) {
  look();
  const ended = await begin({ mode: "face", ticket }, (result) => {
    if (result.face) on(result.face);
  });
  if (ended.reason !== "stopped") say("");
  return ended;
}

$("start").addEventListener("click", () => tell(watch));
$("stop").addEventListener("click", () => switchOff("The camera is off."));
$("challenge-start").addEventListener("click", () => tell(runChallenge));
$("devices").addEventListener("change", () => tell(async () => {
  await switchOn($("devices").value);
  if (session === null) await watch();
}));
new ResizeObserver(() => wipe($("overlay"))).observe($("stage"));

account.setUp(face, ask);
try {
  const known = await visit();
  $("challenge-seconds").textContent = known.limits.challenge_seconds;
  $("clip-seconds").textContent = known.limits.clip_seconds;
  $("upload-megabytes").textContent = known.limits.upload_bytes >> 20;
  account.show(known);
  uploads.setUp(known.limits);
} catch (error) {
  say(error.message);
}
document.documentElement.dataset.ready = "true";
