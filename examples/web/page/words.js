// SPDX-License-Identifier: MIT OR Apache-2.0
// What people read, for the words that the server says.

export const LABELS = {
  live: "Live",
  spoof: "Spoof",
  uncertain: "Not sure",
  unchecked: "Not checked",
};

// Beside the colour, for whoever does not see it.
export const SIGNS = { live: "✓", spoof: "✕", uncertain: "?", unchecked: "–" };

const REASONS = {
  "too-small": "come closer",
  blurred: "the picture is blurred: hold still",
  dark: "it is too dark",
  "over-exposed": "it is too bright",
  "cut-off": "your face is not wholly in the picture",
  "turned-away": "look straight into the camera",
  collecting: "looking",
  undecided: "the evidence is for neither",
  "challenge-open": "the challenge is not passed",
};

const HINTS = {
  "no-face": "There is nobody before the camera.",
  "several-faces": "Be alone before the camera.",
  "not-live": "This does not look like a living face.",
  "come-closer": "Come closer.",
  "look-straight": "Look straight into the camera.",
  "hold-still": "Hold still.",
  "move-back": "Move back a little.",
  "more-light": "The light is not good: find another place.",
  stranger: "This is another face.",
};

const STEPS = {
  "turn-left": ["←", "Turn your head to your left and hold it there"],
  "turn-right": ["→", "Turn your head to your right and hold it there"],
  "come-closer": ["⤢", "Come closer to the camera and stay there"],
};

const FAILURES = {
  "no-face": "Nobody looked straight into the camera.",
  "too-late": "The movement was not seen in time.",
  "another-face": "Somebody else came into your place.",
  "not-live": "The movements were right, but the face was not called live.",
};

const REFUSALS = {
  spoof: "Refused: this is not a living face.",
  stranger: "Refused: this is another face.",
  "too-late": "Refused: ten live pictures in a row were not seen in time.",
};

export const hint = (word) => HINTS[word] ?? "";
export const refusal = (word) => REFUSALS[word] ?? "Refused.";

/** A verdict in words. */
export function verdict(face) {
  const reason = REASONS[face.reason];
  const label = LABELS[face.label] ?? LABELS.unchecked;
  return reason ? `${label}: ${reason}` : label;
}

/** What is to be read above the picture: the verdicts of all faces, and the label that gives it its colour. */
export function faces(all) {
  if (all.length === 0) return { text: "No face is seen.", label: "" };
  if (all.length === 1) {
    const [face] = all;
    return { text: `${SIGNS[face.label] ?? ""} ${verdict(face)}`, label: face.label };
  }
  const labels = ["live", "spoof", "uncertain", "unchecked"];
  const counts = labels.map((label) => [label, all.filter((face) => face.label === label).length]);
  const said = counts.filter(([, count]) => count > 0);
  const text = said.map(([label, count]) => `${count} ${LABELS[label].toLowerCase()}`).join(", ");
  return { text: `${all.length} faces: ${text}`, label: said.length === 1 ? said[0][0] : "" };
}

/** What a challenge asks for, in words. `mirrored`: the picture is shown as in a mirror, where left is left. */
export function challenge(stage, mirrored) {
  switch (stage.state) {
    case "waiting":
      return `Look straight into the camera. ${hint(stage.hint)}`;
    case "step": {
      const [arrow, text] = STEPS[stage.step] ?? ["", stage.step];
      const other = { "←": "→", "→": "←" };
      const sign = mirrored ? arrow : other[arrow] ?? arrow;
      return `${stage.number} of ${stage.of}: ${sign} ${text}.`;
    }
    case "front":
      return "Now look straight into the camera again.";
    case "passed":
      return "✓ Challenge passed: live.";
    default:
      return `✕ Challenge failed. ${FAILURES[stage.reason] ?? ""}`;
  }
}
