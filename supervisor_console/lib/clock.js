// @ts-check
/** Times as a post reads them, in the time zone that the broker names. */

import { config } from "../../web/lib/config.js";
import { language } from "../../web/lib/text.js";

/**
 * @param {string | number | null} instant RFC 3339, or ms since 1970.
 * @returns {string} As 14:03:07; empty where there is none.
 */
export function timeOfDay(instant) {
  return words(instant, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

/**
 * @param {string | number | null} instant
 * @returns {string} As 14:03.
 */
export function hourAndMinute(instant) {
  return words(instant, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/**
 * @param {string | number | null} instant
 * @returns {string} As 3 November 2026.
 */
export function dayOf(instant) {
  return words(instant, { day: "numeric", month: "long", year: "numeric" });
}

/**
 * @param {number} seconds
 * @returns {string} As 18:33 or 1:02:05.
 */
export function minutesAndSeconds(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/**
 * @param {string | number | null} instant
 * @param {Intl.DateTimeFormatOptions} how
 */
function words(instant, how) {
  if (instant === null || instant === "") return "";
  const tag = language() === "en" ? "en-GB" : language();
  const zone = String(config()["time_zone"] ?? "Europe/London");
  return new Intl.DateTimeFormat(tag, { ...how, timeZone: zone }).format(new Date(instant));
}
