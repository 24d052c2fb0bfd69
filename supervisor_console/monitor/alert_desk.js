// @ts-check
/** What the monitoring post does with alerts: the list in order, its filter, the row at hand, taking and closing. */

import { computed, effect, signal } from "@preact/signals";

import { filtered, isFor, newUrgent, nextRow, rowsOf, sameRows } from "../lib/alerts.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../lib/alerts.js").Row} Row */
/** @typedef {import("../lib/alerts.js").Filter} Filter */

export class AlertDesk {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.filter = signal(/** @type {Filter} */ ("open"));
    this.code = signal(/** @type {string | null} */ (null));
    this.at = signal(/** @type {string | null} */ (null));
    /** The urgent rows that a screen reader has not been told yet. */
    this.urgent = signal(/** @type {readonly Row[]} */ ([]));
    let before = /** @type {readonly Row[]} */ ([]);
    this.rows = computed(() => {
      const now = rowsOf(desk.session.board.value);
      if (!sameRows(before, now)) before = now;
      return before;
    });
    this.shown = computed(() => filtered(this.rows.value, this.filter.value, this.code.value, "monitor"));
    this.announce();
  }

  /** Go to the next alert that this post may act on, and to its call. */
  next() {
    const row = nextRow(this.rows.value, this.at.value, "monitor");
    if (!row) return;
    if (!this.shown.value.includes(row)) {
      this.filter.value = "open";
      this.code.value = null;
    }
    this.at.value = row.id;
    if (row.callId !== null && this.desk.callOf(row.callId)) this.desk.select(row.callId);
  }

  /** Look at its call: whoever looks has taken it. @param {Row} row */
  look(row) {
    this.at.value = row.id;
    this.desk.focus(row.callId);
    if (row.alert?.state === "open" && isFor(row, "monitor")) void this.take(row);
  }

  /** @param {Row} row */
  take(row) {
    return this.desk.session.act({ type: "alert.ack", alert_id: row.id });
  }

  /**
   * @param {Row} row
   * @param {"dealt" | "no_issue"} outcome
   */
  close(row, outcome) {
    return this.desk.session.act({ type: "alert.clear", alert_id: row.id, outcome });
  }

  /** @private Say each urgent alert once, however often the list changes. */
  announce() {
    const told = /** @type {Set<string>} */ (new Set());
    effect(() => {
      const fresh = newUrgent(this.rows.value, told);
      for (const row of fresh) told.add(row.id);
      if (fresh.length) this.urgent.value = fresh;
    });
  }
}
