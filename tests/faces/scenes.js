/** Labelled scenes for the detector of faces: people before drawn rooms, as a tile's low layer shows them. */

const WIDTH = 320;
const HEIGHT = 180;
const PORTRAITS = [1, 2, 3, 4, 5, 6, 7].map((number) => `portrait-${number}`);
const OBJECTS = ["object-1", "object-2"];

/** How the picture was taken. */
const LIGHTS = ["plain", "soft", "dim", "bright", "coarse"];
/** The height of a portrait in the scene; its face is about four tenths of it. */
const SIZES = { near: 175, middle: 120, far: 80, distant: 55 };
const POSES = ["straight", "tilted", "narrow", "hidden"];

/** Every scene, with how many faces it shows. */
export function scenes() {
  const all = [];
  for (const light of LIGHTS) {
    for (let room = 0; room < 6; room += 1) all.push({ people: [], room, light, faces: 0, kind: "empty room" });
    for (const name of OBJECTS) for (const size of ["near", "middle"]) all.push({ people: [person(name, size, 0.5)], room: 1, light, faces: 0, kind: "object" });
    PORTRAITS.forEach((name, at) => {
      for (const size of Object.keys(SIZES)) all.push({ people: [person(name, size, 0.3 + 0.1 * (at % 5))], room: at % 6, light, faces: 1, kind: size });
      for (const pose of POSES.slice(1)) all.push({ people: [{ ...person(name, "middle", 0.5), pose }], room: at % 6, light, faces: 1, kind: pose });
      const other = PORTRAITS[(at + 2) % PORTRAITS.length];
      const third = PORTRAITS[(at + 4) % PORTRAITS.length];
      for (const size of ["middle", "far", "distant"]) {
        all.push({ people: [person(name, size, 0.28), person(other, size, 0.72)], room: at % 6, light, faces: 2, kind: size });
      }
      all.push({ people: [person(name, "near", 0.35), person(other, "distant", 0.8)], room: at % 6, light, faces: 2, kind: "one behind" });
      all.push({ people: [person(name, "far", 0.2), person(other, "far", 0.5), person(third, "far", 0.8)], room: at % 6, light, faces: 3, kind: "far" });
    });
  }
  return all;
}

const person = (name, size, x) => ({ name, size, x, pose: "straight" });

/** @returns {OffscreenCanvas} The scene as a tile's picture. */
export function draw(scene, images) {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const pen = canvas.getContext("2d");
  pen.filter = { plain: "none", soft: "blur(1.5px)", dim: "brightness(0.3) contrast(0.9)", bright: "brightness(1.7)", coarse: "none" }[scene.light];
  pen.drawImage(stage(scene, images), 0, 0);
  if (scene.light !== "coarse") return canvas;
  const small = new OffscreenCanvas(WIDTH / 2, HEIGHT / 2);
  small.getContext("2d").drawImage(canvas, 0, 0, WIDTH / 2, HEIGHT / 2);
  pen.drawImage(small, 0, 0, WIDTH, HEIGHT);
  return canvas;
}

function stage({ room, people }, images) {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const pen = canvas.getContext("2d");
  drawRoom(pen, room);
  for (const one of people) drawPerson(pen, one, images.get(one.name));
  return canvas;
}

function drawRoom(pen, room) {
  pen.fillStyle = `hsl(${room * 57} 18% ${35 + room * 8}%)`;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  pen.fillStyle = `hsl(${room * 91 + 20} 35% 30%)`;
  pen.fillRect(0, 130, WIDTH, 50);
  for (let at = 0; at < room; at += 1) {
    pen.fillStyle = `hsl(${at * 73} 40% ${30 + at * 10}%)`;
    pen.fillRect(12 + at * 60, 20 + (at % 3) * 14, 34, 48); // pictures on the wall
    pen.beginPath();
    pen.arc(40 + at * 55, 140, 12 + at, 0, 7); // cushions
    pen.fill();
  }
}

/** A portrait with soft edges, so that its frame is no sign. */
function drawPerson(pen, { size, x, pose }, image) {
  const height = SIZES[size];
  const width = (image.width * height) / image.height;
  const cut = new OffscreenCanvas(Math.ceil(width), height);
  const inner = cut.getContext("2d");
  inner.drawImage(image, 0, 0, width, height);
  inner.globalCompositeOperation = "destination-in";
  const fade = inner.createRadialGradient(width / 2, height * 0.45, height * 0.36, width / 2, height * 0.45, height * 0.6);
  fade.addColorStop(0, "#000");
  fade.addColorStop(1, "transparent");
  inner.fillStyle = fade;
  inner.fillRect(0, 0, width, height);
  pen.save();
  pen.translate(x * WIDTH, HEIGHT - height / 2);
  if (pose === "tilted") pen.rotate(0.4);
  if (pose === "narrow") pen.scale(0.6, 1); // as if turned away: half a face's width
  pen.drawImage(cut, -width / 2, -height / 2);
  pen.restore();
  if (pose !== "hidden") return;
  pen.fillStyle = "#7a5a48"; // a hand before the mouth and chin
  pen.fillRect(x * WIDTH - height * 0.16, HEIGHT - height * 0.55, height * 0.32, height * 0.2);
}

/** @returns {Promise<Map<string, ImageBitmap>>} Every picture, by its name. */
export async function pictures(folder) {
  const load = async (name) => [name, await createImageBitmap(await (await fetch(`${folder}/${name}.jpg`)).blob())];
  return new Map(await Promise.all([...PORTRAITS, ...OBJECTS].map(load)));
}
