// The ledger: every account, its entries with the balance before and after, and the check of all rules.

import { get, part } from "./api.js";
import { detail as batchDetail } from "./batches.js";
import { badge, choose, el, empty, facts, replace, table, typed } from "./dom.js";
import { attempt, show } from "./shell.js";
import { explained } from "./explain.js";
import { CURRENCIES, major, short } from "./words.js";

export const name = "Ledger";

const KINDS = [["", "all"], ["wallet", "wallets"], ["chain", "customers' chain accounts"], ["clearing", "clearing"], ["outside", "outside"]];
const PAGE = 100;
let wanted = { kind: "", currency: "", owner: "" };
let pages = 1;

export function build(root, changed) {
  const list = el("div");
  const verdict = el("div", { role: "status" });
  const pick = (field) => (value) => { wanted = { ...wanted, [field]: value }; pages = 1; changed(); };
  replace(root, el("div", { class: "row filters" },
    choose("Accounts", KINDS, wanted.kind, pick("kind")),
    choose("Currency", [["", "all"], ...CURRENCIES.map((each) => [each, each])], wanted.currency, pick("currency")),
    typed("Owner (a whole id)", wanted.owner, pick("owner")),
    el("button", { type: "button", onclick: () => check(verdict) }, "Check every rule")), verdict, list);
  return () => refresh(list, changed);
}

async function check(verdict) {
  const found = await attempt(() => get("check"));
  if (!found) return;
  replace(verdict, found.ok
    ? el("p", { class: "good said" }, `All ${found.checked.length} rules hold: what was posted adds up, each balance is its entries' sum, and no payment counts twice.`)
    : el("div", { class: "bad said" }, el("p", {}, `${found.violations.length} ${found.violations.length === 1 ? "rule is" : "rules are"} broken:`),
      el("ul", {}, found.violations.map((broken) => el("li", {}, `${broken.name}: ${broken.subject}: expected ${broken.expected}, got ${broken.got}`)))));
}

async function read(path, query, most) {
  const found = [];
  let cursor;
  for (let page = 0; page < most; page += 1) {
    const { items, next_cursor: next } = await get(path, { ...query, limit: PAGE, cursor });
    found.push(...items);
    cursor = next;
    if (!cursor) break;
  }
  return { found, more: cursor };
}

function ownerOf({ owner_scope: scope, owner_id: owner }) {
  return scope === null || scope === owner ? owner : `${scope.replaceAll("_", " ")}: ${owner}`;
}

async function refresh(list, changed) {
  const { found, more } = await read("accounts", wanted, pages);
  if (found.length === 0) {
    replace(list, empty("No such account."));
    return;
  }
  replace(list, table("Accounts", ["Owner", "Kind", "Currency", ["Balance"]], found.map((account) => el("tr", {},
    el("td", {}, el("button", { type: "button", class: "link", "data-key": account.account_id, onclick: () => entries(account, 1, changed) }, ownerOf(account))),
    el("td", {}, account.kind), el("td", {}, account.currency), el("td", { class: "amount" }, major(account.balance, account.currency))))),
  more && el("button", { type: "button", class: "more", "data-key": "more", onclick: () => { pages += 1; changed(); } }, "Show more"));
}

async function entries(account, most, changed) {
  const read_ = await attempt(() => read(`accounts/${part(account.account_id)}/entries`, {}, most));
  if (!read_) return;
  const money = (text) => major(text, account.currency);
  show(ownerOf(account),
    facts([["Account", account.account_id], ["Kind", badge(account.kind)], ["Balance", el("strong", {}, `${money(account.balance)}`)], ["Since", short(account.created_at)]]),
    account.kind === "wallet" && explained(account.account_id),
    table("Entries, newest first", ["When", "Why", "About", ["Amount"], ["Before"], ["After"]], read_.found.map((entry) => el("tr", {},
      el("td", {}, short(entry.at)), el("td", {}, entry.reason.replaceAll("_", " ")), el("td", {}, about(entry.subject, changed)),
      el("td", { class: `amount ${entry.amount.startsWith("-") ? "out" : "in"}` }, money(entry.amount)),
      el("td", { class: "amount" }, money(entry.balance_before)), el("td", { class: "amount" }, money(entry.balance_after))))),
    read_.found.length === 0 && empty("Nothing was posted here."),
    read_.more && el("button", { type: "button", class: "more", onclick: () => entries(account, most + 1, changed) }, "Show older ones"));
}

function about(subject, changed) {
  if (!/^msb_/.test(subject)) return subject;
  return el("button", { type: "button", class: "link", onclick: () => batchDetail(subject, changed) }, subject);
}
