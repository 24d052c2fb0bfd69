// @ts-check
/** Times and minutes as people say them. Instants come from the broker; the page's own clock only counts between them. */

import { config } from "./config.js";
import { locale } from "./text.js";

const MINUTE_MS = 60_000;

/** Said aloud, and only these (design: NOTES-family). */
export const SPOKEN_MINUTES = [10, 5, 1];

/** @returns {string} The time zone of the prison, not of the visitor's device. */
function zone() {
  return String(config()["time_zone"] ?? "Europe/London");
}

/**
 * @param {string | number} instant RFC 3339, or ms since 1970.
 * @returns {string} For instance 14:00.
 */
export function clock(instant) {
  const format = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone() };
  return new Intl.DateTimeFormat(locale(), /** @type {Intl.DateTimeFormatOptions} */ (format)).format(new Date(instant));
}

/**
 * @param {string | number} instant
 * @returns {string} For instance Tuesday 12 May.
 */
export function day(instant) {
  const format = { weekday: "long", day: "numeric", month: "long", timeZone: zone() };
  return new Intl.DateTimeFormat(locale(), /** @type {Intl.DateTimeFormatOptions} */ (format)).format(new Date(instant));
}

/**
 * @param {string} date A day of the calendar, for instance 2027-01-05.
 * @returns {string} For instance 5 January 2027.
 */
export function calendarDay(date) {
  const format = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale(), /** @type {Intl.DateTimeFormatOptions} */ (format)).format(new Date(date));
}

/**
 * @param {string | number} one
 * @param {string | number} other
 */
export function isSameDay(one, other) {
  return day(one) === day(other);
}

/**
 * Whole minutes until `endsAt`, begun ones counted: 59 seconds are one minute, nothing is below zero.
 * @param {string} endsAt
 * @param {number} nowMs
 */
export function minutesLeft(endsAt, nowMs) {
  return Math.max(0, Math.ceil((Date.parse(endsAt) - nowMs) / MINUTE_MS));
}

/**
 * Which number of minutes to say aloud now that `left` are left and `said` was the last one said.
 * @param {number} left
 * @param {number | null} said
 * @returns {number | null}
 */
export function minutesToSay(left, said) {
  const due = SPOKEN_MINUTES.filter((mark) => left <= mark).at(-1) ?? null;
  return due !== null && left > 0 && (said === null || due < said) ? due : null;
}
