// The journal: everything that happened, newest on top.

import { get, part } from "./api.js";
import { detail as batchDetail } from "./batches.js";
import { el, empty, facts, replace, table } from "./dom.js";
import { explained } from "./explain.js";
import { attempt, show } from "./shell.js";
import { moment, short } from "./words.js";

export const name = "Journal";

const PAGE = 100;
const END = "9223372036854775807";
let wanted = { kind: "", subject: "" };
let pages = 1;

export function build(root, changed) {
  const list = el("div");
  const field = (label, key, hint) => {
    const input = el("input", { type: "search", value: wanted[key], placeholder: hint, onchange: () => { wanted = { ...wanted, [key]: input.value.trim() }; pages = 1; changed(); } });
    return el("label", { class: "choice" }, el("span", {}, label), input);
  };
  replace(root, el("div", { class: "row filters" }, field("Kind", "kind", "batch.settled"), field("About", "subject", "an id")), list);
  return () => refresh(list, changed);
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
    el("td", {}, entry.subject), el("td", { class: "long soft" }, brief(entry.data))))),
  more && el("button", { type: "button", class: "more", "data-key": "more", onclick: () => { pages += 1; changed(); } }, "Show earlier ones"));
}

function brief(data) {
  const parts = Object.entries(data).filter(([, value]) => value !== null && typeof value !== "object").slice(0, 4);
  return parts.map(([key, value]) => `${key} ${value}`).join(" · ");
}

function detail(entry, changed) {
  const isBatch = /^(batch|debit|notice)\./.test(entry.kind);
  const isMoney = /^(payout|wallet)\./.test(entry.kind);
  const isPayment = entry.kind === "payment.accepted" || entry.kind === "payment.refused";
  show(entry.kind,
    facts([["When", moment(entry.at)], ["About", entry.subject], ["Number", String(entry.seq)]]),
    isBatch && el("div", { class: "row" }, el("button", { type: "button", onclick: () => batchDetail(entry.subject, changed) }, "Open the batch")),
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
