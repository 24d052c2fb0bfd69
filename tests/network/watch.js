/**
 * Runs before a page's own scripts in the network tests: keeps the page's peer connections, lets `networkLead` change
 * where each answer leads, and writes down what the browser's own statistics say, five times a second.
 */
() => {
  const all = [];
  const samples = (window.networkSamples = []);
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...options) {
      super(...options);
      all.push(this);
    }
    async setRemoteDescription(description) {
      return super.setRemoteDescription({ type: description.type, sdp: await window.networkLead(description.sdp) });
    }
  };

  const sample = async () => {
    const pc = all.findLast((one) => one.connectionState !== "closed");
    if (!pc) return;
    const found = { at: Date.now() / 1000, pc: all.indexOf(pc), state: pc.connectionState, out: [] };
    for (const one of (await pc.getStats()).values()) {
      if (one.type === "inbound-rtp") found[one.kind] = one;
      else if (one.type === "outbound-rtp") found.out.push(one);
      else if (one.type === "candidate-pair" && one.nominated) found.pair = one;
    }
    samples.push(found);
  };
  setInterval(() => sample().catch(() => {}), 200);
};
