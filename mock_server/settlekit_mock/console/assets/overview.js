// Where the money stands: figures, revenue by bucket over time, the flow of money.

import { get, part, post } from "./api.js";
import { BUCKETS, flowChart, nodeName, revenueChart } from "./charts.js";
import { badge, choose, el, empty, replace, table } from "./dom.js";
import { attempt, tell } from "./shell.js";
import { CURRENCIES, minor, short } from "./words.js";

const STEPS = [["", "as fits"], ["hour", "hours"], ["day", "days"], ["week", "weeks"], ["month", "months"]];

export const name = "Overview";

let chosen = { currency: "JPY", by: "" };
let drawn = () => {};

export function build(root, changed) {
  const pick = (field) => (value) => { chosen = { ...chosen, [field]: value }; changed(); };
  const parts = {
    tiles: el("div", { class: "tiles" }), revenue: el("div", { class: "picture" }), flow: el("div", { class: "picture scrolls" }),
    revenueTable: el("div"), flowTable: el("div"), stories: el("section"),
  };
  replace(root,
    el("div", { class: "row filters" },
      choose("Currency", CURRENCIES.map((each) => [each, each]), chosen.currency, pick("currency")),
      choose("In steps of", STEPS, chosen.by, pick("by"))),
    parts.tiles, el("p", { class: "soft" }, "What developers get: fees are taken off, but from what still accrues. The flow below tells what customers pay."),
    parts.stories,
    el("section", { class: "card" }, el("h2", {}, "Revenue by bucket over time"),
      el("p", { class: "soft" }, "What developers are owed for closed periods, as it stood at each moment. Only what is settled is money."),
      legend(), parts.revenue, el("details", {}, el("summary", {}, "As a table"), parts.revenueTable)),
    el("section", { class: "card" }, el("h2", {}, "The flow of money"),
      el("p", { class: "soft" }, "All that customers promised, and where it is now."),
      parts.flow, el("details", {}, el("summary", {}, "As a table"), parts.flowTable)));
  new ResizeObserver(() => drawn()).observe(parts.tiles);
  return () => refresh(parts, changed);
}

function legend() {
  return el("ul", { class: "legend" }, BUCKETS.map(([, label, key]) => el("li", {}, el("span", { class: `swatch back-${key}` }), label)));
}

async function refresh(parts, changed) {
  const { currency, by } = chosen;
  const [revenue, flow] = await Promise.all([get("revenue", { currency, by }), get("flow", { currency })]);
  const open = flow.links.find((link) => link.target === "open")?.amount_minor ?? "0";
  const last = revenue.points.at(-1);
  replace(parts.tiles, tile("Accruing, before fees", open, currency, "open"),
    BUCKETS.map(([name, label, key]) => tile(label, last?.[name] ?? "0", currency, key)));
  drawn = () => {
    if (last) revenueChart(parts.revenue, revenue);
    else replace(parts.revenue, empty("No period has closed yet, and no standard payment was made in this currency."));
    if (flow.links.length) flowChart(parts.flow, flow);
    else replace(parts.flow, empty("No money has moved or was promised in this currency."));
  };
  drawn();
  replace(parts.revenueTable, table("Revenue by bucket", ["Until", ...BUCKETS.map(([, label]) => [label])],
    [...revenue.points].reverse().map((point) => el("tr", {}, el("th", { scope: "row" }, short(point.at)),
      BUCKETS.map(([name]) => el("td", { class: "amount" }, minor(point[name], currency)))))));
  replace(parts.flowTable, table("The flow of money", ["From", "To", ["Amount"]],
    flow.links.map((link) => el("tr", {}, el("td", {}, nodeName(link.source)), el("td", {}, nodeName(link.target)),
      el("td", { class: "amount" }, minor(link.amount_minor, currency))))));
  if (!parts.stories.hasChildNodes()) await stories(parts.stories, changed, flow.links.length === 0);
}

function tile(label, amount, currency, key) {
  return el("div", { class: "tile" }, el("span", { class: `swatch back-${key}` }), el("span", { class: "soft" }, label),
    el("strong", {}, minor(amount, currency)));
}

async function stories(root, changed, open) {
  const { items } = await get("scenarios");
  const play = async (story, button) => {
    button.disabled = true;
    button.textContent = "Playing…";
    const played = await attempt(() => post(`scenarios/${part(story.name)}`));
    if (played) tell(`${story.name.replaceAll("_", " ")}: ${played.event_count.toLocaleString("en")} things happened until ${short(played.to_at)}.`);
    button.disabled = false;
    button.textContent = "Play";
    changed();
  };
  replace(root, el("details", { class: "card", open }, el("summary", {}, el("h2", {}, "Play a story")),
    el("p", { class: "soft" }, "Each makes its own customers, and moves the clock."),
    el("ul", { class: "stories" }, items.filter((story) => story.name !== "year_at_scale").map((story) => {
      const button = el("button", { type: "button", onclick: () => play(story, button) }, "Play");
      return el("li", {}, el("div", {}, badge(story.name), el("p", {}, story.tells)), button);
    }))));
}
