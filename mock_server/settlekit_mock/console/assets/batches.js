// Batches on a time line: accrued, noticed, waited, debited, and what came of it.

import { get, part, post } from "./api.js";
import { badge, choose, el, empty, facts, replace, table } from "./dom.js";
import { attempt, confirmed, show, tell, toneOf } from "./shell.js";
import { explained } from "./explain.js";
import { DAY, minor, moment, short, tick } from "./words.js";

const STATUSES = ["notice_pending", "notice_delivery_failed", "ready", "submitted", "failed", "past_due", "settled", "uncollectible", "written_off"];
const PAGE = 50;
const STEPS = [1, 2, 7, 14, 28, 91, 182, 365, 1825, 18250, 730000];
const MOST_MARKS = 6;
const YEAR = 365 * DAY;

export const name = "Batches";

let status = "";
let wanted = PAGE;

export function build(root, changed) {
  const line = el("div", { class: "timeline" });
  replace(root,
    el("div", { class: "row filters" },
      choose("Status", [["", "all"], ...STATUSES.map((each) => [each, each.replaceAll("_", " ")])], status,
        (value) => { status = value; wanted = PAGE; changed(); })),
    el("ul", { class: "legend" }, [["accrued", "usage accrues"], ["waits", "notice and 72 hours"], ["owed", "owed"]]
      .map(([key, text]) => el("li", {}, el("span", { class: `swatch ${key}` }), text)),
    [["good", "settled"], ["bad", "an attempt failed"], ["warn", "outcome unknown"], ["gone", "uncollectible"], ["lost", "written off"]]
      .map(([key, text]) => el("li", {}, el("span", { class: `dot ${key}` }), text))),
    line);
  return () => refresh(line, changed);
}

async function refresh(line, changed) {
  const [clock, open, { items, next_cursor: more }] = await Promise.all([
    get("clock"), status ? { items: [] } : get("periods", { limit: PAGE }), get("batches", { status, limit: wanted }),
  ]);
  const periods = open.items;
  if (periods.length + items.length === 0) {
    replace(line, empty(status ? "No batch has this status." : "Nothing accrues and no batch was closed: make usage, or play a story."));
    return;
  }
  const axis = axisOf([...periods, ...items], Date.parse(clock.now));
  replace(line, scaleOf(axis),
    el("ol", { class: "lanes" }, periods.map((period) => periodLane(period, axis)), items.map((batch) => batchLane(batch, axis, changed))),
    more && el("button", { type: "button", class: "more", "data-key": "more", onclick: () => { wanted = Math.min(1000, wanted + PAGE); changed(); } },
      wanted < 1000 ? "Show older ones" : "The newest 1,000 are shown"));
}

function axisOf(things, now) {
  const starts = things.map((thing) => Date.parse(thing.period_start));
  const ends = things.map((thing) => Date.parse(thing.next_attempt_at ?? thing.scheduled_debit_at ?? thing.expected_scheduled_debit_at));
  const from = Math.min(...starts, now);
  const to = Math.max(...ends, now);
  const room = Math.max(to - from, DAY) * 0.02;
  const place = (at) => `${((at - from + room) / (to - from + 2 * room)) * 100}%`;
  return { from, to, now, place };
}

function scaleOf({ from, to, now, place }) {
  const step = STEPS.find((days) => (to - from) / (days * DAY) <= MOST_MARKS) * DAY;
  const first = Math.ceil(from / step) * step;
  const marks = Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, index) => first + index * step)
    .filter((at) => Math.abs(at - now) > (to - from) * 0.07);
  return el("div", { class: "scale", "aria-hidden": "true" }, el("div", { class: "track" },
    marks.map((at) => el("span", { style: { left: place(at) } }, tick(at, to - from > YEAR ? "month" : "day"))),
    el("span", { class: "here", style: { left: place(now) } }, "now")));
}

function stretch(axis, from, to, kind) {
  const left = axis.place(from);
  return el("span", { class: `stretch ${kind}`, style: { left, width: `calc(${axis.place(Math.max(from, to))} - ${left})` } });
}

function point(axis, at, kind, title) {
  return el("span", { class: `dot ${kind}`, title, style: { left: axis.place(at) } });
}

function track(axis, ...marks) {
  return el("div", { class: "track", "aria-hidden": "true" }, el("span", { class: "today", style: { left: axis.place(axis.now) } }), marks);
}

function periodLane(period, axis) {
  return el("li", { class: "lane" }, el("div", { class: "label" }, el("span", {}, `${period.buyer} → ${period.provider}`),
    el("span", { class: "soft" }, `${period.plan_type} · ${minor(period.gross_buyer_debit_minor, period.currency)} so far · closes ${short(period.close_at)} `),
    badge("open", "calm")),
  track(axis, stretch(axis, Date.parse(period.period_start), axis.now, "accrued"), stretch(axis, axis.now, Date.parse(period.close_at), "ahead")));
}

function batchLane(batch, axis, changed) {
  const at = (text) => (text === null ? axis.now : Date.parse(text));
  const ended = batch.settled_at ?? batch.terminal_marked_at;
  const debit = Math.min(at(batch.scheduled_debit_at), at(ended));
  return el("li", { class: "lane" },
    el("button", { type: "button", class: "label", "data-key": batch.settlement_batch_id, onclick: () => detail(batch.settlement_batch_id, changed) },
      el("span", {}, `${batch.buyer} → ${batch.provider}`),
      el("span", { class: "soft" }, `${batch.plan_type} · ${minor(batch.gross_buyer_debit_minor, batch.currency)} · ${batch.attempt_count} ${batch.attempt_count === 1 ? "attempt" : "attempts"} `),
      badge(batch.status, toneOf(batch.status))),
    track(axis,
      stretch(axis, at(batch.period_start), at(batch.close_at), "accrued"),
      stretch(axis, at(batch.close_at), Math.max(at(batch.close_at), debit), "waits"),
      ended === null && stretch(axis, axis.now, at(batch.scheduled_debit_at), "ahead"),
      debit < at(ended) && stretch(axis, debit, at(ended), "owed"),
      batch.attempts.map((attempt) => point(axis, at(attempt.resolved_at ?? attempt.submitted_at), outcomeTone(attempt.outcome), outcomeText(attempt))),
      batch.terminal_marked_at && point(axis, at(batch.terminal_marked_at), toneOf(batch.terminal_status), `${batch.terminal_status} ${short(batch.terminal_marked_at)}`)));
}

function outcomeTone(outcome) {
  return { succeeded: "good", failed: "bad", unknown: "warn" }[outcome] ?? "calm";
}

function outcomeText({ attempt, outcome, resolved_at: resolvedAt, submitted_at: submittedAt }) {
  return `Attempt ${attempt}: ${outcome ?? "under way"} ${short(resolvedAt ?? submittedAt)}`;
}

/** Show a batch whole: its facts, attempts, the operator's moves, why its amount is what it is. */
export async function detail(id, changed) {
  const [batch, journal] = await attempt(() => Promise.all([get(`batches/${part(id)}`), get("events", { subject: id, limit: 200 })])) ?? [];
  if (!batch) return;
  const money = (text) => minor(text, batch.currency);
  show(`Batch ${batch.settlement_batch_id}`,
    facts([
      ["Status", badge(batch.status, toneOf(batch.status))], ["Execution", batch.execution_status.replaceAll("_", " ")],
      ["Customer", batch.buyer], ["Provider", batch.provider], ["Plan", `${batch.plan_type}, ${batch.settlement_cadence}, ${batch.token_symbol}`],
      ["Payments", batch.usage_count.toLocaleString("en")], ["Debit", money(batch.gross_buyer_debit_minor)],
      ["Protocol fee", money(batch.protocol_fee_minor)], ["For the provider", money(batch.provider_receivable_minor)],
      ["Period", `${short(batch.period_start)} – ${short(batch.close_at)} (${batch.settlement_trigger.replaceAll("_", " ")})`],
      ["Notice", batch.noticed_at ? short(batch.noticed_at) : batch.notice_status],
      ["Debit from", short(batch.scheduled_debit_at ?? batch.expected_scheduled_debit_at)],
      ["Next attempt", batch.next_attempt_at && short(batch.next_attempt_at)], ["Settled", batch.settled_at && moment(batch.settled_at)],
      ["Receipt", batch.chain_receipt_id], ["Failure", batch.failure_reason_code && `${batch.failure_reason_label} (${batch.failure_reason_code})`],
      ["Given up", batch.terminal_marked_at && `${short(batch.terminal_marked_at)}, ${batch.terminal_reason_code}`],
      ["Digest", el("code", {}, batch.usage_event_digest)],
    ]),
    moves(batch, changed),
    batch.attempts.length > 0 && el("section", {}, el("h3", {}, "Attempts"), el("ol", { class: "attempts" }, batch.attempts.map((attempt) =>
      el("li", {}, el("span", { class: `dot ${outcomeTone(attempt.outcome)}` }), outcomeText(attempt))))),
    explained(id),
    el("section", {}, el("h3", {}, "Journal"), table("Journal of this batch", ["When", "What"],
      journal.items.map((entry) => el("tr", {}, el("td", {}, short(entry.at)), el("td", {}, entry.kind))))));
}

const MOVES = [
  [(batch) => batch.execution_status === "submitted_reconcile_required", "Resolve as settled", "resolve", { outcome: "settled" }],
  [(batch) => batch.execution_status === "submitted_reconcile_required", "Resolve as failed", "resolve", { outcome: "failed" }],
  [(batch) => batch.status === "past_due", "Requeue", "requeue", {}],
  [(batch) => batch.status === "past_due", "Write off…", "terminal", { status: "written_off" }],
  [(batch) => batch.status === "past_due", "Mark uncollectible…", "terminal", { status: "uncollectible" }],
  [(batch) => batch.status === "notice_delivery_failed", "Get the notice through", "redeliver-notice", {}],
];

/** Ask for the reason of a move that ends a batch; nothing where it isn't meant after all. */
async function reasoned(text, body) {
  const reason = el("input", { id: "reason", value: "given_up_in_the_console", maxlength: 255, required: true });
  const meant = await confirmed("A batch that is given up stays so", text.replace("…", ""),
    el("label", { for: "reason" }, "Reason, as statements will tell it"), reason);
  return meant && { ...body, reason_code: reason.value.trim() || "given_up_in_the_console" };
}

function moves(batch, changed) {
  const id = batch.settlement_batch_id;
  const buttons = MOVES.filter(([applies]) => applies(batch)).map(([, text, move, body]) => el("button", {
    type: "button",
    onclick: async () => {
      const given = move === "terminal" ? await reasoned(text, body) : body;
      const moved = given && await attempt(() => post(`batches/${part(id)}/${move}`, given));
      if (moved) tell(`The batch is ${moved.status.replaceAll("_", " ")}.`);
      changed();
      await detail(id, changed);
    },
  }, text));
  return buttons.length > 0 && el("div", { class: "row" }, buttons);
}
