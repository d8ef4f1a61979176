// Why an amount is what it is: a tree whose leaves add up to its root.

import { get, part } from "./api.js";
import { el, replace } from "./dom.js";
import { attempt } from "./shell.js";
import { major } from "./words.js";

const MOST = 50;

/** A part that reads the explanation when it is opened. */
export function explained(id) {
  const holder = el("div");
  const whole = el("details", {
    ontoggle: async () => {
      if (!whole.open || holder.hasChildNodes()) return;
      const tree = await attempt(() => get(`explain/${part(id)}`));
      if (tree) replace(holder, branch(tree));
    },
  }, el("summary", {}, "Why this amount"), holder);
  return whole;
}

function branch({ amount, currency, because, parts }) {
  const line = [el("strong", { class: "amount" }, major(amount, currency)), ` ${because}`];
  if (parts.length === 0) return el("p", { class: "leaf" }, line);
  const rest = parts.length - MOST;
  return el("details", { class: "branch", open: parts.length <= 8 }, el("summary", {}, line),
    parts.slice(0, MOST).map(branch), rest > 0 && el("p", { class: "soft" }, `and ${rest.toLocaleString("en")} more, which the explain command lists`));
}
