// SPDX-License-Identifier: MIT OR Apache-2.0
// Enrol, log in, log out, delete: a password first, then ten live pictures.

import { send } from "./server.js";
import { hint, refusal } from "./words.js";

const $ = (id) => document.getElementById(id);

function say(text, state = "") {
  const told = $("account-told");
  // Read aloud only when it changes.
  if (told.textContent !== text) told.textContent = text;
  told.dataset.state = state;
}

/** Shows whoever is logged in, or the form. */
export function show(visit) {
  const { on, why } = visit.login;
  $("account-off").hidden = on;
  $("account-off").textContent = why ?? "";
  $("account-form").hidden = !on || visit.user !== null;
  $("account-in").hidden = !on || visit.user === null;
  $("user").textContent = visit.user ?? "";
}

/**
 * Wires the forms. `face(ticket, on)` lets the server look at the camera, and tells what it says; `ask` says beside the picture what is to be done,
 * and how far it is.
 */
export function setUp(face, ask) {
  const form = $("account-form");
  const controls = () => document.querySelectorAll("#account button, #account input");
  const whileBusy = async (work) => {
    const pressed = document.activeElement;
    for (const control of controls()) control.disabled = true;
    try {
      await work();
    } catch (error) {
      say(error.message, "bad");
    } finally {
      for (const control of controls()) control.disabled = false;
      // What is disabled loses the focus.
      if (pressed?.checkVisibility()) pressed.focus();
    }
  };

  /** Shows the face for a ticket, and waits for what comes of it. */
  const faceFor = async (ticket) => {
    say("Look into the camera.");
    ask("Look straight into the camera.");
    let refused = null;
    const ended = await face(ticket, (standing) => {
      refused = standing.refused ?? refused;
      const right = standing.same === true && standing.hint === "not-live";
      const same = right ? " It is the right face, but that is not enough." : "";
      ask(standing.hint ? hint(standing.hint) + same : "Stay like this.", "", standing.run / standing.of);
    });
    if (ended.reason === "granted") {
      ask("✓ A living face was seen.", "good");
      return send("/api/finish", { ticket });
    }
    const why = refused ? refusal(refused) : ended.text;
    ask(`✕ ${why}`, "bad");
    throw new Error(why);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const enrols = event.submitter?.value === "enrol";
    const credentials = { name: $("name").value, password: $("password").value };
    whileBusy(async () => {
      say("Checking …");
      const { ticket } = await send(enrols ? "/api/enrol" : "/api/login", credentials);
      const visit = await faceFor(ticket);
      form.reset();
      show(visit);
      say(enrols ? "Enrolled: you are logged in." : "You are logged in.", "good");
    });
  });

  $("log-out").addEventListener("click", () => whileBusy(async () => {
    show(await send("/api/logout", {}));
    say("You are logged out.");
  }));

  $("delete-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const password = $("delete-password").value;
    whileBusy(async () => {
      const visit = await send("/api/account", { password }, "DELETE");
      $("delete-form").reset();
      show(visit);
      say("The account is deleted, with everything that was known of your face.", "good");
    });
  });
}
