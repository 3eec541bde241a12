// SPDX-License-Identifier: MIT OR Apache-2.0
// Draws boxes and verdicts over a picture.

import { LABELS, SIGNS } from "./words.js";

// On a picture, whatever its colours: each has a dark edge.
const COLORS = { live: "#46d37d", spoof: "#ff6b5e", uncertain: "#ffc14d", unchecked: "#c3cbc5" };
const DARK = "rgb(0 0 0 / 75%)";

/** The text of a face's label: the verdict, and how sure it is. */
function caption(face) {
  const text = `${SIGNS[face.label] ?? ""} ${LABELS[face.label] ?? face.label}`;
  const sure = { live: face.live, spoof: 1 - face.live }[face.label];
  return Number.isFinite(sure) ? `${text} ${Math.round(100 * sure)} %` : text;
}

/** Makes a canvas as fine as the screen, and empty. */
function clear(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  return { pen, width, height, scale };
}

/** Draws faces over a canvas that covers the picture; `mirrored` where the picture is shown as in a mirror. */
export function draw(canvas, faces, mirrored) {
  const { pen, width, height, scale } = clear(canvas);
  const line = Math.max(2 * scale, Math.min(width, height) / 200);
  const size = Math.max(13 * scale, Math.min(width, height) / 26);
  for (const face of faces) {
    const [left, top, w, h] = face.box;
    const x = (mirrored ? 1 - left - w : left) * width;
    const y = top * height;
    const color = COLORS[face.label] ?? COLORS.unchecked;
    for (const [style, extent] of [[DARK, 2 * line], [color, line]]) {
      pen.strokeStyle = style;
      pen.lineWidth = extent;
      pen.strokeRect(x, y, w * width, h * height);
    }
    pen.font = `600 ${size}px system-ui, sans-serif`;
    const text = caption(face);
    const room = pen.measureText(text).width + size;
    const at = Math.min(Math.max(0, x), Math.max(0, width - room));
    // Above the box, or inside of it where there is no room.
    const above = y - 1.5 * size;
    const base = above >= 0 ? above : Math.max(0, y);
    pen.fillStyle = DARK;
    pen.fillRect(at, base, room, 1.5 * size);
    pen.fillStyle = color;
    pen.textBaseline = "middle";
    pen.fillText(text, at + size / 2, base + 0.8 * size);
  }
}

/** Takes everything away. */
export function wipe(canvas) {
  clear(canvas);
}
