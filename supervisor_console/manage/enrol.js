// @ts-check
/** Enrolling this browser as a console: the code of the link is spent by a press, never by opening the page. */

import { takeToken } from "../../web/lib/session.js";

const LIMIT_MS = 8000;
const button = document.getElementById("enrol");
const token = takeToken();

/** @param {string} id @param {boolean} shown */
function show(id, shown) {
  const element = document.getElementById(id);
  if (element) element.hidden = !shown;
}

/** @returns {Promise<number>} The status, 0 where nothing answered. */
async function redeem() {
  try {
    const response = await fetch("/api/console/redeem", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    return response.status;
  } catch {
    return 0;
  }
}

async function enrol() {
  if (!(button instanceof HTMLButtonElement)) return;
  button.disabled = true;
  show("enrol-unknown", false);
  show("enrol-unavailable", false);
  const status = await redeem();
  if (status === 200) return location.assign("/");
  const spent = status === 403;
  button.disabled = spent;
  show("enrol-unknown", spent);
  show("enrol-unavailable", !spent);
}

show("enrol", token !== null);
show("enrol-without", token === null);
button?.addEventListener("click", () => void enrol());
