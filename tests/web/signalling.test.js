// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { BACKOFF_MS, connect, NotSent, TicketRefused } from "../../web/lib/signalling.js";
import { FakeClock, FakeSocket, settle } from "./fakes.js";

/** A connection with everything around it faked. @param {Partial<import("../../web/lib/signalling.js").Options>} [options] */
async function begin(options = {}) {
  const clock = new FakeClock();
  /** @type {FakeSocket[]} */
  const sockets = [];
  /** @type {any[]} */
  const heard = [];
  /** @type {string[]} */
  const states = [];
  let ticket = 0;
  const connection = connect({
    getTicket: async () => `ticket-${(ticket += 1)}`,
    onMessage: (message) => heard.push(message),
    onState: (state, code) => states.push(code ? `${state} ${code}` : state),
    url: "ws://broker/ws",
    surroundings: {
      socket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return /** @type {any} */ (socket);
      },
      setTimer: (run, ms) => clock.set(run, ms),
      clearTimer: (timer) => clock.clear(timer),
      random: () => 0.5,
      now: () => clock.at,
    },
    ...options,
  });
  await settle();
  const latest = () => /** @type {FakeSocket} */ (sockets.at(-1));
  return { clock, sockets, heard, states, connection, latest };
}

test("the first word is hello with a ticket", async () => {
  const { latest } = await begin();
  latest().welcome();
  assert.deepEqual(latest().sent, [{ type: "hello", protocol: [1], ticket: "ticket-1" }]);
});

test("a message without an answer is sent only while the socket is open", async () => {
  const { connection, latest } = await begin();
  assert.equal(connection.send({ type: "presence", n: 1, heard: "2026-11-24T14:00:00Z", visible: true, touched: false }), false);
  latest().welcome();
  assert.equal(connection.send({ type: "presence", n: 2, heard: "2026-11-24T14:00:00Z", visible: true, touched: false }), true);
  assert.deepEqual(latest().sent.slice(1), [{ type: "presence", n: 2, heard: "2026-11-24T14:00:00Z", visible: true, touched: false }]);
});

test("nothing is said to a socket that is closing, before anybody is told", async () => {
  const { connection, latest } = await begin();
  latest().welcome();
  latest().readyState = 2;
  assert.equal(connection.send({ type: "presence", n: 1, heard: "2026-11-24T14:00:00Z", visible: true, touched: false }), false);
  assert.equal(latest().sent.length, 1);
});

test("a command is answered by its key and not passed on", async () => {
  const { connection, latest, heard } = await begin();
  latest().welcome();
  const answer = connection.command({ type: "lobby.enter" });
  const key = latest().sent[1].key;
  latest().say({ type: "ok", key, recorded: true, hold_id: null });
  assert.deepEqual(await answer, { type: "ok", key, recorded: true, hold_id: null });
  assert.deepEqual(heard.map((message) => message.type), ["welcome"]);
});

test("a command asked for before the welcome goes out after it", async () => {
  const { connection, latest } = await begin();
  void connection.command({ type: "lobby.enter", key: "key-12345" });
  latest().welcome();
  assert.deepEqual(latest().sent.slice(1), [{ type: "lobby.enter", key: "key-12345" }]);
});

test("an unanswered command is sent again with the same key on the next socket", async () => {
  const { connection, latest, sockets, clock } = await begin();
  latest().welcome();
  const answer = connection.command({ type: "call.pause", call_id: "v1" });
  const { key } = latest().sent[1];
  latest().lose();
  await clock.advance(0);
  assert.equal(sockets.length, 2);
  latest().welcome();
  assert.deepEqual(latest().sent[1], { type: "call.pause", call_id: "v1", key });
  latest().say({ type: "ok", key, recorded: true, hold_id: "h1" });
  assert.equal((await answer).type, "ok");
});

test("an offer is not sent again: the next socket needs a new one", async () => {
  const { connection, latest, clock } = await begin();
  latest().welcome();
  const answer = connection.command({ type: "media.offer", sdp: "v=0" }, { resend: false });
  latest().lose();
  await assert.rejects(answer, NotSent);
  await clock.advance(0);
  latest().welcome();
  assert.deepEqual(latest().sent.map((message) => message.type), ["hello"]);
});

test("a check that is not answered in time makes the page come back at once", async () => {
  const { connection, latest, sockets, clock } = await begin();
  latest().welcome();
  const answered = connection.check(1000);
  const { key } = latest().sent.at(-1);
  latest().say({ type: "ok", key, recorded: true, hold_id: null });
  await answered;
  const unanswered = connection.check(1000);
  await clock.advance(999);
  assert.equal(sockets.length, 1);
  const gone = assert.rejects(unanswered, NotSent);
  await clock.advance(1);
  await gone;
  assert.equal(sockets.length, 2);
});

test("the waits between tries grow to their limit and begin anew after a welcome", async () => {
  const { latest, sockets, clock } = await begin();
  for (const wait of [...BACKOFF_MS, 4800]) {
    const before = sockets.length;
    latest().lose();
    if (wait > 0) await clock.advance(wait - 1);
    assert.equal(sockets.length, before, `too early by 1 of ${wait} ms`);
    await clock.advance(1);
    assert.equal(sockets.length, before + 1, `after ${wait} ms`);
  }
  latest().welcome();
  const before = sockets.length;
  latest().lose();
  await clock.advance(0);
  assert.equal(sockets.length, before + 1);
});

test("a bye that is final closes for good and says why", async () => {
  const { latest, states, sockets, clock, connection } = await begin();
  latest().welcome();
  const open = connection.command({ type: "lobby.enter" });
  latest().say({ type: "bye", code: "replaced" });
  await assert.rejects(open, NotSent);
  await clock.advance(60_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual(states, ["open", "closed replaced"]);
});

test("a shutdown is not final", async () => {
  const { latest, sockets, clock } = await begin();
  latest().welcome();
  latest().say({ type: "bye", code: "shutdown" });
  latest().lose();
  await clock.advance(0);
  assert.equal(sockets.length, 2);
});

test("a refused ticket closes for good with its code", async () => {
  const { states, sockets } = await begin({
    getTicket: async () => {
      throw new TicketRefused("link_invalid");
    },
  });
  assert.deepEqual(states, ["closed link_invalid"]);
  assert.equal(sockets.length, 0);
});

test("a ticket that could not be fetched is asked for again", async () => {
  let tries = 0;
  const { sockets, clock } = await begin({
    getTicket: async () => {
      tries += 1;
      if (tries === 1) throw new Error("no network");
      return "ticket";
    },
  });
  assert.equal(sockets.length, 0);
  await clock.advance(0);
  assert.equal(sockets.length, 1);
});

test("a socket that never welcomes is given up", async () => {
  const { sockets, clock } = await begin();
  await clock.advance(8000);
  assert.equal(sockets.length, 2);
  assert.equal(sockets[0]?.closed, true);
});

test("a command left unanswered makes the page take the socket for dead", async () => {
  const { connection, sockets, latest, clock } = await begin();
  latest().welcome();
  void connection.command({ type: "lobby.enter" });
  await clock.advance(10_000);
  assert.equal(sockets.length, 2);
});

test("silence is a loss where news is due each second", async () => {
  const { sockets, latest, clock } = await begin({ silenceLimitMs: 3000 });
  latest().welcome();
  await clock.advance(2000);
  latest().say({ type: "news", now: "2026-11-24T14:00:02Z", legs: [], proof_age_s: {} });
  await clock.advance(2500);
  assert.equal(sockets.length, 1);
  await clock.advance(500);
  assert.equal(sockets.length, 2);
});

test("the page knows the broker's time, and takes the least delayed message for it", async () => {
  const { connection, latest, clock } = await begin();
  latest().welcome("2026-11-24T14:00:00Z"); // this machine says 13:59
  assert.equal(connection.now(), Date.parse("2026-11-24T14:00:00Z"));
  clock.at += 5000;
  latest().say({ type: "visit", now: "2026-11-24T14:00:04Z", screen: "lobby" }); // a second late
  assert.equal(connection.now(), Date.parse("2026-11-24T14:00:05Z"));
});

test("what is no message of ours is dropped, and what is unknown is passed on", async () => {
  const { latest, heard } = await begin();
  latest().welcome();
  for (const data of ["{", "[]", "null", '{"no":"type"}', new ArrayBuffer(2)]) latest().onmessage({ data });
  latest().say({ type: "later.invention" });
  assert.deepEqual(heard.map((message) => message.type), ["welcome", "later.invention"]);
});

test("a word from a socket that was left changes nothing", async () => {
  const { connection, sockets, clock, heard } = await begin();
  const old = /** @type {FakeSocket} */ (sockets[0]);
  old.welcome();
  const speak = old.onmessage;
  connection.restart();
  await clock.advance(0);
  speak({ data: JSON.stringify({ type: "visit", now: "2026-11-24T14:00:00Z", screen: "call" }) });
  assert.deepEqual(heard.map((message) => message.type), ["welcome"]);
});

test("closing ends it", async () => {
  const { connection, states, sockets, clock, latest } = await begin();
  latest().welcome();
  connection.close();
  await clock.advance(60_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual(states, ["open", "closed"]);
});
