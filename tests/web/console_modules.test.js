import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const CONSOLE = new URL("../../supervisor_console/", import.meta.url);

/** Every module that `start` loads, by its path. */
function reached(start, seen = new Set()) {
  if (seen.has(start.href)) return seen;
  seen.add(start.href);
  const source = readFileSync(start, "utf8");
  for (const [, path] of source.matchAll(/^(?:import|export)[^;]*?from\s+"(\.[^"]+)"/gms)) reached(new URL(path, start), seen);
  return seen;
}

test("the hall page loads nothing that could receive a picture or a sound", () => {
  const modules = [...reached(new URL("technical/main.js", CONSOLE))];

  assert.ok(modules.length > 10);
  assert.deepEqual(modules.filter((path) => /\/(peer|devices|media|picture|shown)\.js$/.test(path)), []);
  for (const path of modules) assert.doesNotMatch(readFileSync(new URL(path), "utf8"), /RTCPeerConnection|<video|<audio/, path);
});

test("the monitor page is found to load the peer, so that the test above could fail", () => {
  assert.ok([...reached(new URL("monitor/main.js", CONSOLE))].some((path) => path.endsWith("/web/lib/peer.js")));
});
