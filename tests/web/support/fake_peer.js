/** Stands in for web/lib/peer.js where there is no relay: every line is a picture drawn in the page. */

class Peer {
  constructor(options) {
    this.options = options;
    this.state = "new";
    this.tracks = new Map();
  }

  async start() {
    this.options.onState?.("connecting");
    for (let line = 0; line < this.options.videoLines; line += 1) this.tracks.set(`video ${line}`, null);
    this.state = "connected";
    this.options.onState?.("connected");
  }

  track(kind, index) {
    const key = `${kind} ${index}`;
    if (!this.tracks.get(key)) this.tracks.set(key, kind === "video" ? drawn(index) : tone());
    return this.tracks.get(key);
  }

  close() {
    for (const track of this.tracks.values()) track?.stop();
    this.state = "closed";
  }
}

function drawn(index) {
  const canvas = document.createElement("canvas");
  canvas.width = 320;
  canvas.height = 180;
  const pen = canvas.getContext("2d");
  let step = 0;
  const draw = () => {
    step += 1;
    pen.fillStyle = `hsl(${(index * 47) % 360} 25% 45%)`;
    pen.fillRect(0, 0, 320, 180);
    pen.fillStyle = "#e8c9a0";
    pen.beginPath();
    pen.arc(160, 80 + Math.sin(step / 8) * 6, 40, 0, 7);
    pen.fill();
    pen.fillRect(100, 130, 120, 60);
    const people = window.people?.[index]; // images that a test puts before this line's camera
    if (people) drawPeople(pen, people, step);
  };
  draw();
  window.peerTimers ??= [];
  window.peerTimers.push(setInterval(() => window.peerStopped || draw(), 100));
  return canvas.captureStream(10).getVideoTracks()[0];
}

function drawPeople(pen, people, step) {
  pen.fillStyle = `hsl(210 15% ${48 + (step % 7)}%)`; // a room, and the noise of a camera: no two looks are alike
  pen.fillRect(0, 0, 320, 180);
  pen.fillStyle = "#3b4a3f"; // a wall alone would be a covered camera
  pen.fillRect(0, 120, 320, 60);
  people.forEach((image, at) => {
    const width = (image.width * 120) / image.height;
    pen.drawImage(image, ((at + 0.5) * 320) / people.length - width / 2 + Math.sin(step / 8) * 3, 60, width, 120);
  });
}

function tone() {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const oscillator = context.createOscillator();
  oscillator.connect(out);
  oscillator.start();
  return out.stream.getAudioTracks()[0];
}

const offerOver = () => async () => ({});
export { Peer, offerOver };
