// @ts-check
/** The chair's session: a link's token becomes a cookie once, and every socket asks for a ticket of its own. */

import { TicketRefused } from "./signalling.js";

const LIMIT_MS = 8000;

/**
 * Take the token out of the address, so that it is not copied, synchronised or read over a shoulder.
 * @returns {string | null}
 */
export function takeToken() {
  const token = location.hash.slice(1);
  if (!token) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/**
 * Return a `getTicket` for `connect`: the first call redeems the token, where there is one; later ones use the cookie.
 * @param {"family" | "laptop" | null} chair
 * @param {string | null} token
 * @returns {() => Promise<string>}
 */
export function tickets(chair, token) {
  let unused = token;
  return async () => {
    if (!chair || !unused) return ask("/api/tickets", {});
    const ticket = await ask(`/api/${chair}/redeem`, { token: unused });
    unused = null;
    return ticket;
  };
}

/**
 * @param {string} path
 * @param {object} body
 * @returns {Promise<string>}
 */
async function ask(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok && typeof answer.ticket === "string") return answer.ticket;
  if ((response.status === 401 || response.status === 403) && typeof answer.code === "string") {
    throw new TicketRefused(answer.code);
  }
  throw new Error(`no ticket: ${response.status}`);
}
