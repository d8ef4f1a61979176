// Write amounts and times as people read them. Amounts are never made into floats.

export const CURRENCIES = ["JPY", "USD"];

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const SIGNS = { JPY: "¥", USD: "$" };
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** Write an amount in minor units, which come as a decimal string. */
export function minor(text, currency) {
  const negative = text.startsWith("-");
  let [whole, part = ""] = text.replace("-", "").split(".");
  if (currency === "USD") {
    whole = whole.padStart(3, "0");
    part = whole.slice(-2) + part;
    whole = whole.slice(0, -2);
  }
  return `${negative ? "−" : ""}${SIGNS[currency] ?? ""}${grouped(whole)}${part ? `.${part}` : ""}`;
}

/** Write an amount in major units: at least two places, without zeros that say nothing. */
export function major(text, currency) {
  const negative = text.startsWith("-");
  let [whole, part = ""] = text.replace("-", "").split(".");
  part = part.replace(/0+$/, "");
  if (currency === "USD") part = part.padEnd(2, "0");
  return `${negative ? "−" : ""}${SIGNS[currency] ?? `${currency} `}${grouped(whole)}${part ? `.${part}` : ""}`;
}

const two = (number) => String(number).padStart(2, "0");

export function moment(text) {
  const at = new Date(text);
  return `${DAYS[at.getUTCDay()]} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}, ` +
    `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} UTC`;
}

export function short(text) {
  const at = new Date(text);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

/** Write an instant on an axis as finely as its steps ask for; midnight has its day's name. */
export function tick(instant, by) {
  const at = new Date(instant);
  if (by === "month") return `${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return time === "00:00" || by === "day" || by === "week" ? `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}` : time;
}

export function span(ms) {
  const steps = [[DAY, "day"], [HOUR, "hour"], [MINUTE, "minute"], [1000, "second"]];
  for (const [size, name] of steps) {
    const count = Math.floor(ms / size);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"}`;
  }
  return "a moment";
}
