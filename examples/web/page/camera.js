// SPDX-License-Identifier: MIT OR Apache-2.0
// The browser's camera, and a session in which the server looks at its pictures.
//
// A picture is sent only for a credit, and each answer gives one back: so nothing queues up, the newest picture is the one that is sent, and a busy
// server slows the page down instead of being flooded.

import { cameraAddress } from "./server.js";

// Longest side of the pictures that are sent, their JPEG quality, and the shortest time between two.
const LONGEST = 640;
const QUALITY = 0.9;
const GAP = 45;

const TROUBLE = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it in the address bar and try again.",
  NotFoundError: "There is no camera.",
  NotReadableError: "The camera is in use by another program.",
  OverconstrainedError: "There is no such camera.",
};

/** The camera, shown in a video element. */
export class Camera {
  #video;
  #stream = null;

  constructor(video) {
    this.#video = video;
  }

  get isOn() {
    return this.#stream !== null;
  }

  /** Whether the picture is shown as in a mirror: not that of a camera that looks away from the screen. */
  get isMirrored() {
    return this.#video.classList.contains("mirrored");
  }

  get video() {
    return this.#video;
  }

  /** Switches it on; `device` names one of several. */
  async start(device) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("Browsers give a camera only to pages of this machine or with https://.");
    }
    this.stop();
    const which = device ? { deviceId: { exact: device } } : { facingMode: "user" };
    // Its width alone: with a height, browsers cut a picture that is upright.
    const video = { ...which, width: { ideal: 1280 } };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      throw new Error(TROUBLE[error.name] ?? `The camera does not start (${error.message}).`);
    }
    const [track] = this.#stream.getVideoTracks();
    this.#video.classList.toggle("mirrored", track.getSettings().facingMode !== "environment");
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    return track;
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** All cameras that there are. */
  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === "videoinput" && device.deviceId);
  }
}

/**
 * A session. `on` has `result` for each answer, and `end` with a reason and a text when it is over.
 */
export class Session {
  #camera;
  #on;
  #socket;
  #canvas = document.createElement("canvas");
  #credits = 0;
  #isBusy = false;
  #last = 0;
  #sent = 0;
  #times = new Map();
  #limit = Infinity;
  #over = false;

  constructor(camera, start, on) {
    this.#camera = camera;
    this.#on = on;
    this.#socket = new WebSocket(cameraAddress());
    this.#socket.addEventListener("open", () => {
      this.#socket.send(JSON.stringify({ type: "start", ...start }));
    });
    this.#socket.addEventListener("message", (event) => this.#hear(JSON.parse(event.data)));
    this.#socket.addEventListener("close", () => this.#end("gone", "The connection to the server was lost."));
  }

  /** Ends it from this side, without a word. */
  close() {
    this.#over = true;
    this.#socket.close(1000);
  }

  #hear(said) {
    if (this.#over) return;
    switch (said.type) {
      case "hello":
        this.#credits = said.credits;
        this.#limit = said.frame_bytes;
        this.#await();
        break;
      case "result": {
        this.#credits += said.credits;
        const then = this.#times.get(said.frame);
        this.#times.delete(said.frame);
        this.#on.result(said, then === undefined ? 0 : performance.now() - then);
        break;
      }
      case "end":
        this.#end(said.reason, said.text);
        break;
    }
  }

  #end(reason, text) {
    if (this.#over) return;
    this.#over = true;
    this.#on.end(reason, text);
  }

  /** Waits for the camera's next picture. */
  #await() {
    if (this.#over) return;
    const next = () => this.#picture();
    const { video } = this.#camera;
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(next);
    else requestAnimationFrame(next);
  }

  #picture() {
    this.#await();
    const now = performance.now();
    if (this.#over || this.#isBusy || this.#credits < 1 || now - this.#last < GAP) return;
    const { video } = this.#camera;
    const [width, height] = [video.videoWidth, video.videoHeight];
    if (!this.#camera.isOn || width === 0) return;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#canvas.getContext("2d").drawImage(video, 0, 0, this.#canvas.width, this.#canvas.height);
    this.#isBusy = true;
    this.#last = now;
    this.#canvas.toBlob((blob) => {
      this.#isBusy = false;
      if (this.#over || !blob || blob.size > this.#limit) return;
      this.#credits -= 1;
      this.#sent += 1;
      this.#times.set(this.#sent, now);
      this.#socket.send(blob);
    }, "image/jpeg", QUALITY);
  }
}
