// The clock and its controls. A long way is gone in steps, so that it shows and can be stopped:
// ten small steps equal one large one.

import { get, post } from "./api.js";
import { el, replace } from "./dom.js";
import { attempt, confirmed, tell } from "./shell.js";
import { DAY, HOUR, moment, span } from "./words.js";

const MOST_STEPS = 60;
const FARTHEST_DAYS = 90;
const BY = [["1 hour", HOUR], ["6 hours", 6 * HOUR], ["1 day", DAY], ["3 days", 3 * DAY], ["1 week", 7 * DAY], ["30 days", 30 * DAY]];
const UNTIL = [
  ["payment.accepted", "a payment is accepted"], ["period.closed", "a period closes"], ["notice.recorded", "a notice is recorded"],
  ["debit.submitted", "a debit is submitted"], ["debit.failed", "a debit fails"], ["batch.settled", "a batch settles"],
  ["batch.past_due", "a batch falls past due"], ["batch.terminal", "a batch is given up"], ["webhook.delivered", "a webhook is delivered"],
  ["webhook.failed", "a webhook fails"], ["subscription.renewed", "a subscription renews"],
];

const shown = Object.fromEntries(["now", "mode", "next", "controls", "progress", "bar", "reached", "stop"]
  .map((id) => [id, document.querySelector(`#${id}`)]));

let read = { now: "", mode: "frozen", next_due_at: null };
let readAt = 0;
let stopped = false;
let changed = () => {};

export function begin(whenChanged) {
  changed = whenChanged;
  replace(shown.controls,
    el("div", { class: "row" }, BY.map(([name, ms]) => el("button", { type: "button", onclick: () => advanceBy(ms) }, `+ ${name}`))),
    el("div", { class: "row" },
      el("button", { type: "button", class: "main", onclick: () => until("next") }, "To what is due next"),
      untilChoice(),
      el("button", { type: "button", id: "freeze", onclick: turn }, "Freeze"),
      el("button", { type: "button", class: "quiet", onclick: reset }, "Begin anew…")));
  shown.stop.addEventListener("click", () => { stopped = true; });
  setInterval(tickOn, 1000);
}

function untilChoice() {
  const select = el("select", { id: "until" }, UNTIL.map(([kind, text]) => el("option", { value: kind }, text)));
  return el("span", { class: "row until" }, el("label", { for: "until" }, "Until"), select,
    el("button", { type: "button", onclick: () => until(select.value), title: `It looks ${FARTHEST_DAYS} days ahead.` }, "Go"));
}

export function showClock(clock) {
  read = clock;
  readAt = Date.now();
  tickOn();
  const frozen = clock.mode === "frozen";
  shown.mode.textContent = frozen ? "frozen" : "runs by itself";
  shown.mode.className = `badge ${frozen ? "calm" : "good"}`;
  const button = document.querySelector("#freeze");
  button.textContent = frozen ? "Let it run" : "Freeze";
}

function now() {
  const passed = read.mode === "real" ? Date.now() - readAt : 0;
  return Date.parse(read.now) + passed;
}

function tickOn() {
  if (!read.now) return;
  shown.now.textContent = moment(new Date(now()).toISOString());
  shown.now.setAttribute("datetime", read.now);
  const wait = read.next_due_at === null ? null : Date.parse(read.next_due_at) - now();
  shown.next.textContent = wait === null ? "Nothing is due."
    : wait <= 0 ? "Something is due now."
      : `Something is due in ${span(wait)}, ${moment(read.next_due_at)}.`;
}

async function advanceBy(ms) {
  const step = Math.max(DAY, Math.ceil(ms / MOST_STEPS / DAY) * DAY);
  await busy(async () => {
    let happened = 0;
    let gone = 0;
    while (gone < ms && !stopped) {
      const by = Math.min(step, ms - gone);
      const answer = await post("clock/advance", { by: by / 1000 });
      happened += answer.event_count;
      gone += by;
      shown.bar.value = gone / ms;
      shown.reached.textContent = moment(answer.to);
      changed();
    }
    tell(`${stopped ? "Stopped. " : ""}${happened === 0 ? "Nothing happened" : `${happened.toLocaleString("en")} ${happened === 1 ? "thing" : "things"} happened`} in ${span(gone)}.`);
  });
}

async function until(kind) {
  if (read.next_due_at === null) {
    tell("Nothing is due: make usage, or play a story.", "warn");
    return;
  }
  await busy(async () => {
    shown.bar.removeAttribute("value");
    shown.reached.textContent = "on the way…";
    const { reached, to, event_count: count } = await post("clock/advance", { until: kind, limit: `P${FARTHEST_DAYS}D` });
    if (reached) tell(`${moment(to)}: ${count.toLocaleString("en")} journal ${count === 1 ? "entry" : "entries"} on the way.`);
    else tell(`It didn't happen within ${FARTHEST_DAYS} days; it is ${moment(to)} now.`, "warn");
  });
}

async function turn() {
  await attempt(() => post(read.mode === "frozen" ? "clock/resume" : "clock/freeze"));
  changed();
}

async function reset() {
  if (!await confirmed("Begin with a fresh world? All that happened in this one is lost.", "Begin anew")) return;
  if (await attempt(() => post("reset"))) tell("A fresh world.");
  changed();
}

/** Move the clock while its controls wait; one move at a time. */
async function busy(work) {
  stopped = false;
  const buttons = [...shown.controls.querySelectorAll("button, select")];
  for (const button of buttons) button.disabled = true;
  const slow = setTimeout(() => { shown.progress.hidden = false; }, 200);
  shown.bar.value = 0;
  shown.reached.textContent = "";
  const focused = document.activeElement;
  try {
    await attempt(work);
    await attempt(async () => showClock(await get("clock")));
  } finally {
    clearTimeout(slow);
    shown.progress.hidden = true;
    for (const button of buttons) button.disabled = false;
    if (buttons.includes(focused)) focused.focus();
    changed();
  }
}
