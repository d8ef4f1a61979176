// The journal: everything that happened, newest on top.

import { get, part } from "./api.js";
import { detail as batchDetail } from "./batches.js";
import { choose, el, empty, facts, replace, table, typed } from "./dom.js";
import { explained } from "./explain.js";
import { attempt, show } from "./shell.js";
import { find as deliveryDetail } from "./webhooks.js";
import { moment, short } from "./words.js";

export const name = "Journal";

const PAGE = 100;
const END = "9223372036854775807";
let wanted = { kind: "", subject: "" };
let pages = 1;

export function build(root, changed) {
  const list = el("div");
  const pick = (key) => (value) => { wanted = { ...wanted, [key]: value }; pages = 1; changed(); };
  const kind = el("span");
  replace(root, el("div", { class: "row filters" }, kind, typed("About (a whole id)", wanted.subject, pick("subject"))), list);
  attempt(async () => replace(kind, choose("Kind", [["", "all"], ...await kinds()], wanted.kind, pick("kind"))));
  return () => refresh(list, changed);
}

/** The kinds among the newest entries, and the one that is chosen. */
async function kinds() {
  const { items } = await get("events", { before: END, limit: 1000 });
  const found = new Set(items.map((entry) => entry.kind));
  if (wanted.kind) found.add(wanted.kind);
  return [...found].sort().map((each) => [each, each]);
}

async function read() {
  const found = [];
  let before = END;
  for (let page = 0; page < pages; page += 1) {
    const { items } = await get("events", { ...wanted, before, limit: PAGE });
    found.push(...items.reverse());
    if (items.length < PAGE) return { found, more: false };
    before = String(found.at(-1).seq);
  }
  return { found, more: true };
}

async function refresh(list, changed) {
  const { found, more } = await read();
  if (found.length === 0) {
    replace(list, empty("No entry is of this kind and about this."));
    return;
  }
  replace(list, table("The journal, newest first", [["#"], "When", "What", "About", ""], found.map((entry) => el("tr", {},
    el("td", { class: "amount soft" }, entry.seq), el("td", {}, short(entry.at)),
    el("td", {}, el("button", { type: "button", class: "link", "data-key": entry.seq, onclick: () => detail(entry, changed) }, entry.kind)),
    el("td", {}, entry.subject), el("td", { class: "long soft brief" }, brief(entry.data))))),
  more && el("button", { type: "button", class: "more", "data-key": "more", onclick: () => { pages += 1; changed(); } }, "Show earlier ones"));
}

function brief(data) {
  const parts = Object.entries(data).filter(([, value]) => value !== null && typeof value !== "object").slice(0, 4);
  return parts.map(([key, value]) => `${key} ${value}`).join(" · ");
}

function detail(entry, changed) {
  const batch = entry.data.settlement_batch_id ?? (/^msb_/.test(entry.subject) ? entry.subject : undefined);
  const isDelivery = /^webhook\.(delivered|failed)$/.test(entry.kind);
  const isMoney = /^(payout|wallet)\./.test(entry.kind);
  const isPayment = entry.kind === "payment.accepted" || entry.kind === "payment.refused";
  show(entry.kind,
    facts([["When", moment(entry.at)], ["About", entry.subject], ["Number", String(entry.seq)]]),
    el("div", { class: "row" },
      batch && el("button", { type: "button", onclick: () => batchDetail(batch, changed) }, "Open the batch"),
      isDelivery && el("button", { type: "button", onclick: () => deliveryDetail(entry.subject, changed) }, "Open the delivery")),
    isMoney && explained(entry.subject),
    isPayment && fate(entry.subject),
    el("pre", { tabindex: "0" }, JSON.stringify(entry.data, null, 2)));
}

/** A part that says, when it is opened, what became of a payment. */
function fate(id) {
  const holder = el("div");
  const whole = el("details", {
    ontoggle: async () => {
      if (!whole.open || holder.hasChildNodes()) return;
      const found = await attempt(() => get(`usage/${part(id)}/fate`));
      if (found) replace(holder, facts(flat(found)));
    },
  }, el("summary", {}, "What became of this payment"), holder);
  return whole;
}

function flat(found) {
  return Object.entries(found).flatMap(([key, value]) => (value !== null && typeof value === "object"
    ? flat(value).map(([inner, text]) => [`${key} ${inner}`, text]) : [[key.replaceAll("_", " "), value === null ? null : String(value)]]));
}
