// The page: its views, and one look a second at whether anything happened.

import { get } from "./api.js";
import * as batches from "./batches.js";
import * as clock from "./clock.js";
import { el, replace } from "./dom.js";
import * as journal from "./journal.js";
import * as ledger from "./ledger.js";
import * as overview from "./overview.js";
import { attempt, close, isAsking, report, tell, tellNothing } from "./shell.js";
import * as webhooks from "./webhooks.js";

const LOOK_MS = 1000;
const END = "9223372036854775807";
const VIEWS = { overview, batches, webhooks, ledger, journal };

const tabs = document.querySelector("#tabs");
const root = document.querySelector("#view");
let current = "";
let refresh = async () => {};
let seen = "";
let lastSeen = 0;
let running = false;
let again = false;
let silent = false;

function open() {
  const asked = location.hash.slice(1);
  const name = Object.hasOwn(VIEWS, asked) ? asked : "overview";
  if (name !== current) {
    current = name;
    document.title = `${VIEWS[name].name} · settlekit mock`;
    for (const tab of tabs.children) {
      if (tab.hash === `#${name}`) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    refresh = VIEWS[name].build(root, changed);
  }
  changed();
}

/** Read the view anew; what is asked for meanwhile is read once more after it. */
async function changed() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  root.setAttribute("aria-busy", "true");
  try {
    do {
      again = false;
      await attempt(refresh);
    } while (again);
  } finally {
    root.removeAttribute("aria-busy");
    running = false;
  }
}

/** See whether anything happened since; a page that nobody looks at doesn't ask. */
async function look() {
  if (document.hidden || isAsking()) return;
  try {
    const [now, { items }] = await Promise.all([get("clock"), get("events", { before: END, limit: 1 })]);
    if (silent) tellNothing();
    silent = false;
    clock.showClock(now);
    const last = items.at(-1)?.seq ?? 0;
    if (last < lastSeen) {
      close();
      tell("The world was begun anew, or went back to a snapshot.", "warn");
    }
    lastSeen = last;
    const end = JSON.stringify([items.at(-1), now.mode === "frozen" && now.now]);
    if (end !== seen) {
      seen = end;
      await changed();
    }
  } catch (error) {
    silent = error instanceof TypeError;
    report(error);
  }
}

async function lookOn() {
  await look();
  setTimeout(lookOn, LOOK_MS);
}

replace(tabs, Object.entries(VIEWS).map(([name, view]) => el("a", { href: `#${name}` }, view.name)));
clock.begin(async () => { await look(); });
addEventListener("hashchange", open);
addEventListener("token-given", () => { seen = ""; look(); });
document.addEventListener("visibilitychange", look);
open();
lookOn();
