// SPDX-License-Identifier: MIT OR Apache-2.0
// A picture or a clip that is sent as a whole, shown with what was found in it.

import { draw } from "./overlay.js";
import { upload } from "./server.js";
import { SIGNS, verdict } from "./words.js";

const $ = (id) => document.getElementById(id);

/** Wires the form; `limits` are the server's. */
export function setUp(limits) {
  const form = $("upload-form");
  const told = $("upload-told");
  const say = (text, state = "") => {
    told.textContent = text;
    told.dataset.state = state;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file] = $("file").files;
    if (!file) return;
    hide();
    if (file.size > limits.upload_bytes) {
      say(`The file is too large: at most ${limits.upload_bytes >> 20} MB are taken.`, "bad");
      return;
    }
    const button = form.querySelector("button");
    button.disabled = true;
    say("Sending and looking …");
    try {
      const report = await upload(file);
      await show(file, report);
      say(summary(report));
    } catch (error) {
      say(error.message, "bad");
    } finally {
      button.disabled = false;
    }
  });
}

let address = null;

function hide() {
  $("upload-result").hidden = true;
  $("upload-stage").replaceChildren();
  $("upload-list").replaceChildren();
  if (address) URL.revokeObjectURL(address);
  address = null;
}

function summary(report) {
  const of = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
  if (report.kind === "picture") {
    return report.faces.length ? `${of(report.faces.length, "face")} found.` : "No face was found.";
  }
  const persons = report.persons.length;
  const frames = of(report.frames.length, "picture");
  return persons ? `${of(persons, "person")} found in ${frames}.` : `No face was found in ${frames}.`;
}

function lines(report) {
  if (report.kind === "picture") {
    return report.faces.map((face, i) => {
      const live = face.live === undefined ? "" : ` (probability of live ${Math.round(100 * face.live)} %)`;
      return `Face ${i + 1}: ${SIGNS[face.label]} ${verdict(face)}${live}`;
    });
  }
  return report.persons.map((person) => {
    const { track, label, frames, live, spoof } = person;
    return `Person ${track}: ${SIGNS[label]} ${verdict({ label })} – live in ${live}, spoof in ${spoof} of ${frames} pictures`;
  });
}

async function show(file, report) {
  const stage = $("upload-stage");
  stage.style.setProperty("--ratio", String(report.width / report.height));
  $("upload-result").hidden = false;
  $("upload-list").replaceChildren(...lines(report).map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  const over = document.createElement("canvas");
  over.className = "over";
  over.setAttribute("aria-hidden", "true");
  if (report.kind === "picture") await showPicture(file, report, stage, over);
  else showClip(file, report, stage, over);
}

async function showPicture(file, report, stage, over) {
  const under = document.createElement("canvas");
  under.setAttribute("role", "img");
  under.setAttribute("aria-label", "The picture that was sent");
  stage.replaceChildren(under, over);
  // Turned upright as the server did.
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, 1600 / Math.max(bitmap.width, bitmap.height));
  under.width = Math.round(bitmap.width * scale);
  under.height = Math.round(bitmap.height * scale);
  under.getContext("2d").drawImage(bitmap, 0, 0, under.width, under.height);
  bitmap.close();
  draw(over, report.faces, false);
}

function showClip(file, report, stage, over) {
  const video = document.createElement("video");
  video.controls = true;
  video.muted = true;
  video.playsInline = true;
  video.setAttribute("aria-label", "The clip that was sent");
  address = URL.createObjectURL(file);
  video.src = address;
  stage.replaceChildren(video, over);
  const paint = () => {
    if (!video.isConnected) return;
    // The last one that was to be shown by now.
    const now = report.frames.findLast((frame) => frame.at <= video.currentTime + 0.02) ?? report.frames[0];
    draw(over, now?.faces ?? [], false);
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(paint);
  };
  for (const event of ["loadeddata", "seeked", "timeupdate"]) video.addEventListener(event, paint);
}
