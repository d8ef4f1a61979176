// Deliveries with their bodies, and redelivery.

import { get, part, post } from "./api.js";
import { badge, choose, el, empty, facts, replace, table } from "./dom.js";
import { attempt, show, tell, toneOf } from "./shell.js";
import { moment, short } from "./words.js";

export const name = "Webhooks";

const PAGE = 50;
const FARTHEST_PAGES = 10;
let status = "";
let pages = 1;

export function build(root, changed) {
  const list = el("div");
  replace(root, el("div", { class: "row filters" },
    choose("Status", [["", "all"], ["queued", "queued"], ["delivered", "delivered"], ["failed", "failed"]], status,
      (value) => { status = value; pages = 1; changed(); })), list);
  return () => refresh(list, changed);
}

async function read() {
  const found = [];
  let cursor;
  for (let page = 0; page < pages; page += 1) {
    const { items, next_cursor: next } = await get("deliveries", { status, limit: PAGE, cursor });
    found.push(...items);
    cursor = next;
    if (!cursor) break;
  }
  return { found, more: cursor };
}

async function refresh(list, changed) {
  const { found, more } = await read();
  if (found.length === 0) {
    replace(list, empty(status ? "No delivery has this status." : "No webhook was sent: subscribe an address (serve --webhook-url …), and let something happen."));
    return;
  }
  replace(list, table("Webhook deliveries, newest first", ["When", "Event", "To", "Status", ["Attempts"], ["Answer"]],
    found.map((delivery) => el("tr", {}, el("td", {}, short(delivery.created_at)),
      el("td", {}, el("button", { type: "button", class: "link", "data-key": delivery.id, onclick: () => detail(delivery, changed) }, delivery.event_type)),
      el("td", { class: "long" }, delivery.callback_url), el("td", {}, badge(delivery.delivery_status, toneOf(delivery.delivery_status))),
      el("td", { class: "amount" }, delivery.attempt_count), el("td", { class: "amount" }, delivery.response_status ?? "–")))),
  more && el("button", { type: "button", class: "more", "data-key": "more", onclick: () => { pages += 1; changed(); } }, "Show older ones"));
}

/** Open a delivery by its id, as far back as is worth reading. */
export async function find(id, changed) {
  let cursor;
  for (let page = 0; page < FARTHEST_PAGES; page += 1) {
    const { items, next_cursor: next } = await attempt(() => get("deliveries", { limit: 100, cursor })) ?? { items: [] };
    const found = items.find((delivery) => delivery.id === id);
    if (found) {
      detail(found, changed);
      return;
    }
    cursor = next;
    if (!cursor) break;
  }
  tell("This delivery isn't among the newest; its merchant's list has it.", "warn");
}

/** Indent a body, unless it holds what would be written otherwise: a number too long for this page. */
function pretty(text) {
  try {
    const read = JSON.parse(text);
    return JSON.stringify(read) === text ? JSON.stringify(read, null, 2) : text;
  } catch {
    return text;
  }
}

function detail(delivery, changed) {
  const again = async () => {
    const made = await attempt(() => post(`deliveries/${part(delivery.id)}/redeliver`));
    if (!made) return;
    tell(`Delivered again: ${made.delivery_status}${made.response_status ? `, answered ${made.response_status}` : ""}.`,
      made.delivery_status === "delivered" ? "good" : "warn");
    changed();
    detail(made, changed);
  };
  show(delivery.event_type,
    facts([
      ["Status", badge(delivery.delivery_status, toneOf(delivery.delivery_status))], ["To", delivery.callback_url],
      ["Merchant", delivery.merchant_user_id], ["Event", delivery.event_id], ["Delivery", delivery.id], ["Made", moment(delivery.created_at)],
      ["Delivered", delivery.delivered_at && moment(delivery.delivered_at)], ["Attempts", String(delivery.attempt_count)],
      ["Answer", delivery.response_status], ["Error", delivery.error], ["Next attempt", delivery.next_attempt_at && moment(delivery.next_attempt_at)],
    ]),
    el("div", { class: "row" }, el("button", { type: "button", class: "main", onclick: again }, "Deliver again")),
    el("section", {}, el("h3", {}, "Body"), el("pre", { tabindex: "0" }, pretty(delivery.body))),
    el("details", {}, el("summary", {}, "The exact text that was signed"), el("pre", { class: "wraps", tabindex: "0" }, delivery.body)));
}
