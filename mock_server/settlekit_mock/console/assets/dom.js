// Make elements, and nothing from text: whatever the world says stays text.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function el(name, given = {}, ...children) {
  return filled(document.createElement(name), given, children);
}

export function svg(name, given = {}, ...children) {
  return filled(document.createElementNS(SVG, name), given, children);
}

/** Put new children in place of the old ones, and keep what has the focus focused. */
export function replace(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset?.key : undefined;
  parent.replaceChildren(...children.flat(3).filter(Boolean));
  if (focused !== undefined) parent.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

export function badge(text, tone = "") {
  return el("span", { class: `badge ${tone}` }, text.replaceAll("_", " "));
}

export function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

export function choose(label, options, chosen, change) {
  const select = el("select", { onchange: () => change(select.value) },
    options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return el("label", { class: "choice" }, el("span", {}, label), select);
}

/** A field that tells what was typed once nothing more is typed. */
export function typed(label, value, change) {
  let waiting = 0;
  const input = el("input", {
    type: "search", value,
    oninput: () => { clearTimeout(waiting); waiting = setTimeout(() => change(input.value.trim()), 300); },
  });
  return el("label", { class: "choice" }, el("span", {}, label), input);
}

export function empty(text) {
  return el("p", { class: "empty" }, text);
}

/** A table that scrolls by itself where the screen is narrow; a head in brackets is of numbers. */
export function table(caption, heads, rows) {
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col", class: Array.isArray(head) && "amount" }, head)))),
      el("tbody", {}, rows)));
}
