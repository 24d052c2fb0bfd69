// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { addPicture, beginAfresh, encodingsFor, settleForOne, withSoundRepair } from "../../web/lib/encodings.js";

/** @param {RTCRtpEncodingParameters[]} encodings */
const rids = (encodings) => encodings.map((encoding) => encoding.rid).join("");

/** Made to count what a browser does with a sender's parameters. */
class FakeSender {
  /** @param {any[]} encodings @param {boolean} takes Whether it takes other encodings than it has. */
  constructor(encodings, takes) {
    this.encodings = encodings;
    this.takes = takes;
  }

  getParameters() {
    return { transactionId: "1", encodings: this.encodings.map((encoding) => ({ ...encoding })) };
  }

  /** @param {any} parameters */
  async setParameters(parameters) {
    const isSame = parameters.encodings.length === this.encodings.length;
    if (!this.takes && !isSame) throw new Error("InvalidModificationError");
    this.encodings = parameters.encodings;
  }
}

/** @param {(init: any) => FakeSender} make */
function connection(make) {
  return /** @type {any} */ ({
    /** @param {unknown} _ @param {any} init */
    addTransceiver: (_, init) => ({ sender: make(init) }),
  });
}

/** @type {any} */
const TRACK = {};

test("a large camera on a strong machine is sent in three sizes, lowest first", () => {
  assert.equal(rids(encodingsFor({ width: 1280, height: 720 }, 8)), "lmh");
  assert.equal(rids(encodingsFor({ width: 720, height: 1280 }, 8)), "lmh"); // a phone held upright
  assert.deepEqual(encodingsFor({ width: 1280, height: 720 }, 8).map((one) => one.scaleResolutionDownBy), [4, 2, 1]);
});

test("a weak machine, or a middling camera, in two; a small camera in one", () => {
  assert.equal(rids(encodingsFor({ width: 1280, height: 720 }, 2)), "lh");
  assert.equal(rids(encodingsFor({ width: 1280, height: 720 }, undefined)), "lh");
  assert.equal(rids(encodingsFor({ width: 640, height: 480 }, 8)), "lh");
  assert.equal(encodingsFor({ width: 320, height: 240 }, 8).length, 1);
  assert.equal(encodingsFor({}, 8).length, 1);
});

test("whatever the camera, the sum stays below what the relay asks for at most", () => {
  for (const width of [320, 640, 1280]) {
    const encodings = encodingsFor({ width, height: (width * 9) / 16 }, 8);
    const sum = encodings.reduce((total, one) => total + (one.maxBitrate ?? Infinity), 0);
    assert.ok(sum <= 2_000_000, `${width}: ${sum}`);
  }
});

test("a browser that takes the encodings with the line is asked once", async () => {
  const encodings = encodingsFor({ width: 640, height: 480 }, 4);
  const taking = connection((init) => new FakeSender(init.sendEncodings ?? [{}], false));
  const { sender } = await addPicture(taking, TRACK, [], encodings);
  assert.equal(rids(sender.getParameters().encodings), "lh");
});

test("one that reads them only in setParameters gets them there", async () => {
  const encodings = encodingsFor({ width: 640, height: 480 }, 4);
  const { sender } = await addPicture(connection(() => new FakeSender([], true)), TRACK, [], encodings);
  assert.equal(rids(sender.getParameters().encodings), "lh");
});

test("one that refuses several sends one, whole and capped", async () => {
  const refusing = connection((init) => {
    if (init.sendEncodings?.length > 1) throw new TypeError("rid");
    return new FakeSender([{}], false);
  });
  const { sender } = await addPicture(refusing, TRACK, [], encodingsFor({ width: 640, height: 480 }, 4));
  assert.deepEqual(sender.getParameters().encodings, [{ maxBitrate: 700_000, scaleResolutionDownBy: 1 }]);
});

test("of several that the relay refused, the one that is left is not the small one", async () => {
  const sender = new FakeSender([{ rid: "l", scaleResolutionDownBy: 4, maxBitrate: 150_000 }], false);
  await settleForOne(/** @type {any} */ (sender));
  assert.deepEqual(sender.encodings, [{ rid: "l", scaleResolutionDownBy: 1, maxBitrate: 700_000 }]);
});

test("an encoder that begins afresh is off and on again, and on where it cannot be off", async () => {
  const sender = new FakeSender(encodingsFor({ width: 640, height: 480 }, 4), false);
  /** @type {boolean[][]} */
  const seen = [];
  const set = sender.setParameters.bind(sender);
  sender.setParameters = async (parameters) => {
    seen.push(parameters.encodings.map((/** @type {any} */ one) => one.active));
    await set(parameters);
  };
  await beginAfresh(/** @type {any} */ (sender));
  assert.deepEqual(seen, [[false, false], [true, true]]);

  const refusing = new FakeSender([{ active: true }], false);
  refusing.setParameters = async () => Promise.reject(new Error("InvalidStateError"));
  await beginAfresh(/** @type {any} */ (refusing));
  assert.deepEqual(refusing.encodings, [{ active: true }]);
});

test("lost sound is asked for, once, and only of Opus", () => {
  const others = "a=rtpmap:63 red/48000/2\r\na=rtpmap:96 VP8/90000\r\n";
  const plain = `a=rtpmap:111 opus/48000/2\r\n${others}`;
  const asking = `a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\n${others}`;
  assert.equal(withSoundRepair(plain), asking);
  assert.equal(withSoundRepair(asking), asking);
});
