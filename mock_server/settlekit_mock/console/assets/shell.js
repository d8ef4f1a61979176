// What every view shares: what is told, what is asked, the drawer, the tone of a state.

import { Refused, useToken } from "./api.js";
import { el, replace } from "./dom.js";

const told = document.querySelector("#told");
const detail = document.querySelector("#detail");
let quietAt = 0;

export function tell(text, tone = "good") {
  told.textContent = text;
  told.className = tone;
  told.hidden = false;
  clearTimeout(quietAt);
  if (tone === "good") quietAt = setTimeout(() => { told.hidden = true; }, 6000);
}

export function tellNothing() {
  told.hidden = true;
}

/** Do something, and tell what went wrong. Returns undefined where it was refused. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    report(error);
    return undefined;
  }
}

export function report(error) {
  if (error instanceof Refused && error.status === 401) askForToken();
  else if (error instanceof Refused) tell(error.code ? `${error.message} (${error.code})` : error.message, "bad");
  else if (error instanceof TypeError) tell("The server doesn't answer; trying again.", "bad");
  else throw error;
}

function askForToken() {
  if (detail.open && detail.querySelector("#token")) return;
  // Anything else could be no header, and so no token: the server takes only visible ASCII.
  const field = el("input", {
    id: "token", type: "password", autocomplete: "off", required: true,
    pattern: " *[!-~]+ *", title: "A token is of visible ASCII characters.",
  });
  show("This server has a control token", el("form", {
    onsubmit: (event) => {
      event.preventDefault();
      useToken(field.value);
      close();
      tellNothing();
      window.dispatchEvent(new Event("token-given"));
    },
  },
  el("p", {}, "Everybody who drives or reads it needs the token it was started with (--control-token). It is kept until this tab is closed."),
  el("label", { for: "token" }, "Control token"), field,
  el("button", { type: "submit", class: "main" }, "Open the console")));
}

/** Show something beside the view; returns the element that holds it. */
export function show(title, ...content) {
  const body = el("div", { class: "body" }, ...content);
  replace(detail,
    el("div", { class: "bar" }, el("h2", { id: "detail-title" }, title),
      el("button", { type: "button", class: "quiet", onclick: close, "aria-label": "Close" }, "Close")),
    body);
  if (!detail.open) detail.showModal();
  detail.scrollTop = 0;
  return body;
}

export function close() {
  detail.close();
}

detail.addEventListener("click", (event) => { if (event.target === detail) close(); });

/** Ask before something that can't be taken back. */
export function confirmed(question, verb) {
  return new Promise((resolve) => {
    const answer = (yes) => () => { resolve(yes); close(); };
    show(question, el("div", { class: "row" },
      el("button", { type: "button", class: "main", onclick: answer(true) }, verb),
      el("button", { type: "button", onclick: answer(false) }, "Cancel")));
    detail.addEventListener("close", () => resolve(false), { once: true });
  });
}

const TONES = {
  settled: "good", delivered: "good", ready: "calm", submitted: "calm", notice_pending: "calm",
  notice_delivery_failed: "warn", failed: "bad", past_due: "bad", uncollectible: "gone", written_off: "gone",
  queued: "calm", open: "calm",
};

export function toneOf(status) {
  return TONES[status] ?? "";
}
