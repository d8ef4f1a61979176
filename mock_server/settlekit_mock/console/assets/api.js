// Call the control routes, and say plainly what they refuse.

const KEPT = "settlekit-control-token";

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

let token = sessionStorage.getItem(KEPT);

export function useToken(given) {
  token = given.trim();
  sessionStorage.setItem(KEPT, token);
}

async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`_mock/${path}`, {
    method, headers, cache: "no-store", credentials: "omit",
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const read = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const error = read.error ?? {};
    throw new Refused(answer.status, error.code ?? "", error.message ?? `the server answered ${answer.status}`);
  }
  return read.data;
}

export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given).toString();
  return call("GET", text ? `${path}?${text}` : path);
}

export function post(path, body = {}) {
  return call("POST", path, body);
}

export const part = encodeURIComponent;
