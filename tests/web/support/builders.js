/** Calls, holds and legs for the tests of the consoles. */

import { EMPTY, applyMessage } from "../../../supervisor_console/lib/board.js";

const NOW = "2026-11-24T14:00:00Z";

export function aLeg(id, role = "family", more = {}) {
  const people = [{ id: `p-${id}`, name: "Kerry Bell", child: false, main_caller: true, verified: true }];
  return { id, role, people, step: "connected", consented: true, verified: true, connected: true, sends: ["audio", "video"], ...more };
}

let holds = 0;
export function aHold(kind, more = {}) {
  holds += 1;
  return {
    id: `h${holds}`,
    kind,
    post: "monitor",
    by: "K. Adeyemi",
    reason: null,
    placed_at: NOW,
    undo_until: "2026-11-24T14:00:05Z",
    relabel_until: "2026-11-24T14:01:00Z",
    ...more,
  };
}

export function aCall(more = {}) {
  const id = more.id ?? "a";
  return {
    id,
    seq: 1,
    kind: "social",
    establishment: "HDN",
    hall_id: "hall-a",
    hall: "Hall A",
    seat_id: "s1",
    seat: 1,
    prisoner_number: "A1234BC",
    prisoner_initials: "TB",
    prisoner_name: "Thomas Bell",
    tier: 3,
    synthetic: false,
    recorded: false,
    phase: "live",
    holds: [],
    legs: [aLeg(`${id}.1`, "prisoner"), aLeg(`${id}.2`, "family")],
    starts_at: "2026-11-24T13:50:00Z",
    ends_at: "2026-11-24T14:20:00Z",
    started_at: "2026-11-24T13:50:00Z",
    clock_runs: true,
    credited_s: 0,
    rebook_s: 0,
    alarm: null,
    help_asked: false,
    looked_at: null,
    outcome: null,
    end_reason: null,
    ended_by: null,
    missing: [],
    ...more,
  };
}

export function aSnapshot(calls, more = {}) {
  return { type: "snapshot", now: NOW, you_hold: null, calls, posts: [], seats: [], alerts: [], ...more };
}

export function boardOf(...calls) {
  return applyMessage(EMPTY, aSnapshot(calls), 0);
}
