// SPDX-License-Identifier: MIT OR Apache-2.0
// Talks to the server: who this visitor is, and what is asked for.

/** The server refused, or could not be reached. */
export class Refusal extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

let word = "";

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
  } catch {
    throw new Refusal("gone", "The server cannot be reached.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Refusal(body.error?.code ?? "broken", body.error?.text ?? `The server said ${response.status}.`);
  }
  if (body.word) word = body.word;
  return body;
}

/** What the server knows of this visitor, and what is possible. */
export const visit = () => ask("/api/visit");

/** Sends a form. */
export function send(path, form, method = "POST") {
  const headers = { "X-CSRF-Token": word, "Content-Type": "application/json" };
  return ask(path, { method, headers, body: JSON.stringify(form) });
}

/** Sends a file as it is. */
export function upload(file) {
  const headers = { "X-CSRF-Token": word, "Content-Type": file.type || "application/octet-stream" };
  return ask("/api/upload", { method: "POST", headers, body: file });
}

/** Where cameras are connected. */
export function cameraAddress() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/api/camera`;
}
