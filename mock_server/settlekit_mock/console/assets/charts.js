// Two pictures: what stood where over time, and which way the money went.

import { el, replace, svg } from "./dom.js";
import { minor, short, tick } from "./words.js";

export const BUCKETS = [
  ["standard_minor", "Standard, settled at once", "standard"], ["settled_minor", "Settled with a receipt", "settled"],
  ["unsettled_minor", "Closed, not settled yet", "unsettled"], ["past_due_minor", "Failed or past due", "past-due"],
  ["uncollectible_minor", "Uncollectible", "uncollectible"], ["written_off_minor", "Written off", "written-off"],
];

const HEIGHT = 240;
const FOOT = 26;
const HEAD = 14;

function niceSteps(most) {
  const rough = most / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough);
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, index) => index * step);
}

function compact(value, currency) {
  const amount = currency === "USD" ? value / 100 : value;
  const few = Math.abs(amount) < 10_000;
  const whole = Number.isInteger(amount);
  const written = few ? { minimumFractionDigits: whole ? 0 : 2, maximumFractionDigits: 2 } : { notation: "compact", maximumFractionDigits: 1 };
  return `${currency === "USD" ? "$" : "¥"}${new Intl.NumberFormat("en", written).format(amount)}`;
}

/** Draw revenue by bucket as bars that add up, one for each step of time. */
export function revenueChart(holder, { points, currency, by }) {
  const width = Math.max(280, holder.clientWidth);
  const sums = points.map((point) => BUCKETS.reduce((sum, [name]) => sum + Number(point[name]), 0));
  const most = Math.max(...sums, 1);
  const left = 52;
  const room = width - left - 4;
  const slot = room / points.length;
  const tall = HEIGHT - FOOT - HEAD;
  const y = (value) => HEAD + tall - (value / most) * tall;
  const lines = niceSteps(most).map((value) => [
    svg("line", { class: "grid", x1: left, x2: width, y1: y(value), y2: y(value) }),
    svg("text", { class: "axis", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, compact(value, currency)),
  ]);
  const bars = points.map((point, index) => {
    let base = 0;
    return svg("g", {}, BUCKETS.map(([name, , key]) => {
      const value = Number(point[name]);
      if (value <= 0) return null;
      const bar = svg("rect", {
        class: `fill-${key}`, x: left + index * slot + Math.min(1, slot * 0.1), width: Math.max(0.5, slot - Math.min(2, slot * 0.2)),
        y: y(base + value), height: Math.max(0.5, y(base) - y(base + value)),
      });
      base += value;
      return bar;
    }));
  });
  const readout = el("p", { class: "readout soft" }, "");
  const cursor = svg("rect", { class: "cursor", y: HEAD, height: tall, width: Math.max(1, slot), visibility: "hidden" });
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img",
    "aria-label": `Revenue by bucket over time, in ${currency}; the table below holds the same figures`,
    onpointermove: (event) => {
      const spot = (event.clientX - picture.getBoundingClientRect().left) * (width / picture.clientWidth) - left;
      const index = Math.min(points.length - 1, Math.max(0, Math.floor(spot / slot)));
      cursor.setAttribute("x", left + index * slot);
      cursor.setAttribute("visibility", "visible");
      readout.textContent = told(points[index], currency);
    },
    onpointerleave: () => { cursor.setAttribute("visibility", "hidden"); readout.textContent = told(points.at(-1), currency); },
  }, lines, cursor, bars, timeLabels(points, by, left, slot, width));
  readout.textContent = told(points.at(-1), currency);
  replace(holder, picture, readout);
}

function told(point, currency) {
  const parts = BUCKETS.filter(([name]) => Number(point[name]) > 0).map(([name, label]) => `${label} ${minor(point[name], currency)}`);
  return `${short(point.at)}: ${parts.join(" · ") || "nothing"}`;
}

function timeLabels(points, by, left, slot, width) {
  const every = Math.max(1, Math.ceil(80 / slot));
  return points.map((point, index) => {
    const x = left + (index + 0.5) * slot;
    if (index % every !== 0 || x > width - 28) return null;
    return svg("text", { class: "axis", x, y: HEIGHT - 8, "text-anchor": index === 0 && slot < 60 ? "start" : "middle" }, tick(point.at, by));
  });
}

const COLUMNS = {
  metered: 0, standard: 0,
  settled: 1, open: 1, waiting: 1, past_due: 1, uncollectible: 1, written_off: 1,
  wallets: 2, fees: 2, held: 3, paid_out: 3,
};
const NAMES = {
  metered: "Metered payments", standard: "Standard payments", settled: "Settled with a receipt", open: "Accruing in open periods",
  waiting: "Closed, waiting for its debit", past_due: "Failed or past due", uncollectible: "Uncollectible", written_off: "Written off",
  fees: "Protocol fees", wallets: "Developers' wallets", held: "Held in wallets", paid_out: "Paid out", overdrawn: "Overdrawn wallets",
};
const GAP = 30;
const BAR = 12;
const TALL = 250;

export function nodeName(node) {
  const words = node.replaceAll("_", " ");
  return Object.hasOwn(NAMES, node) ? NAMES[node] : words[0].toUpperCase() + words.slice(1);
}

/** Lay the flow out: four columns, each node as tall as what passes through it. */
function laidOut(links) {
  const nodes = new Map();
  const column = (name, isSource) => (Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : isSource ? 1 : 3);
  for (const { source, target, amount } of links) {
    for (const [name, side] of [[source, "gone"], [target, "come"]]) {
      const node = nodes.get(name) ?? { name, column: column(name, side === "gone"), come: 0, gone: 0 };
      node[side] += amount;
      nodes.set(name, node);
    }
  }
  const order = Object.keys(COLUMNS);
  const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  const columns = [0, 1, 2, 3].map((number) => [...nodes.values()].filter((node) => node.column === number).sort((a, b) => place(a.name) - place(b.name)));
  const size = (node) => Math.max(node.come, node.gone);
  const scale = Math.min(...columns.filter((each) => each.length)
    .map((each) => TALL / each.reduce((sum, node) => sum + size(node), 0)));
  for (const each of columns) {
    let top = 18;
    for (const node of each) {
      Object.assign(node, { top, height: Math.max(2, size(node) * scale), in: top, out: top });
      top += node.height + GAP;
    }
  }
  return { nodes, scale };
}

/** Draw which way the money went: as wide as it is much. */
export function flowChart(holder, { links: given, currency }) {
  const links = given.map((link) => ({ ...link, amount: Number(link.amount_minor) }));
  const width = Math.max(720, holder.clientWidth);
  const { nodes, scale } = laidOut(links);
  const x = (node) => 4 + node.column * ((width - BAR - 150) / 3);
  const sorted = [...links].sort((a, b) => nodes.get(a.target).top - nodes.get(b.target).top);
  const ribbons = sorted.map((link) => {
    const [from, to] = [nodes.get(link.source), nodes.get(link.target)];
    const thick = Math.max(1, link.amount * scale);
    const [y1, y2] = [from.out + thick / 2, to.in + thick / 2];
    from.out += link.amount * scale;
    to.in += link.amount * scale;
    const [x1, x2] = [x(from) + BAR, x(to)];
    const middle = (x1 + x2) / 2;
    return svg("path", {
      class: `ribbon line-${keyOf(link)}`, d: `M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`, "stroke-width": thick,
    }, svg("title", {}, `${nodeName(link.source)} → ${nodeName(link.target)}: ${minor(link.amount_minor, currency)}`));
  });
  const marks = [...nodes.values()].map((node) => svg("g", {},
    svg("rect", { class: `fill-${node.name.replaceAll("_", "-")} node`, x: x(node), y: node.top, width: BAR, height: node.height, rx: 2 }),
    svg("text", { class: "node-name", x: x(node), y: node.top - 5 }, nodeName(node.name),
      svg("tspan", { class: "axis", dx: 6 }, compact(Math.max(node.come, node.gone), currency)))));
  const tallest = Math.max(...[...nodes.values()].map((node) => node.top + node.height)) + 8;
  replace(holder, svg("svg", {
    viewBox: `0 0 ${width} ${tallest}`, width, height: tallest, role: "img",
    "aria-label": `The flow of money in ${currency}; the table below holds the same figures`,
  }, ribbons, marks));
}

function keyOf(link) {
  return (link.source === "metered" ? link.target : link.source).replaceAll("_", "-");
}
