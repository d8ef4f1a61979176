// What every view shares: what is told, what is asked, the drawer, the tone of a state.

import { Refused, useToken } from "./api.js";
import { el, replace } from "./dom.js";

const told = document.querySelector("#told");
const detail = document.querySelector("#detail");
const QUIET_MS = 6000;
let quietAt = 0;
let openedFrom;
let asked = false;

export function tell(text, tone = "good") {
  told.textContent = text;
  told.className = tone;
  tellNothing();
  told.showPopover();  // shown last, it lies above the drawer
  clearTimeout(quietAt);
  if (tone === "good") quietAt = setTimeout(tellNothing, QUIET_MS);
}

export function tellNothing() {
  if (told.matches(":popover-open")) told.hidePopover();
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

/** Whether the page waits for a token; meanwhile nothing is read. */
export function isAsking() {
  return detail.open && detail.querySelector("#token") !== null;
}

function askForToken() {
  if (isAsking()) return;
  tellNothing();
  // Anything else could be no header, and so no token: the server takes only visible ASCII.
  const field = el("input", {
    id: "token", type: "password", autocomplete: "off", required: true, autofocus: true,
    pattern: " *[!-~]+ *", title: "A token is of visible ASCII characters.",
  });
  show("This server has a control token", el("form", {
    onsubmit: (event) => {
      event.preventDefault();
      asked = true;
      useToken(field.value);
      close();
      window.dispatchEvent(new Event("token-given"));
    },
  },
  el("p", {}, "Everybody who drives or reads it needs the token it was started with (--control-token). It is kept until this tab is closed."),
  asked && el("p", { class: "bad said", role: "alert" }, "That isn't this server's token."),
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
  if (detail.open) {
    detail.querySelector("button").focus();
  } else {
    openedFrom = document.activeElement?.dataset?.key;
    detail.showModal();
  }
  detail.scrollTop = 0;
  return body;
}

export function close() {
  detail.close();
}

// What was pressed may have been drawn anew meanwhile.
detail.addEventListener("close", () => {
  if (document.activeElement === document.body && openedFrom !== undefined) {
    document.querySelector(`#view [data-key="${CSS.escape(openedFrom)}"]`)?.focus();
  }
});

detail.addEventListener("click", (event) => { if (event.target === detail) close(); });

/** Ask before something that can't be taken back; what is asked besides stands between. */
export function confirmed(question, verb, ...besides) {
  return new Promise((resolve) => {
    const answer = (yes) => () => { resolve(yes); close(); };
    show(question, ...besides, el("div", { class: "row" },
      el("button", { type: "button", class: "main", onclick: answer(true) }, verb),
      el("button", { type: "button", onclick: answer(false) }, "Cancel")));
    detail.addEventListener("close", () => resolve(false), { once: true });
  });
}

const TONES = {
  settled: "good", delivered: "good", ready: "calm", submitted: "calm", notice_pending: "calm",
  notice_delivery_failed: "warn", failed: "bad", past_due: "bad", uncollectible: "gone", written_off: "lost",
  queued: "calm", open: "calm",
};

export function toneOf(status) {
  return TONES[status] ?? "";
}
