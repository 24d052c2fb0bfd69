// @ts-check
/** The duty governor's page: asks every two seconds what stands, and rings once for each urgent alert that is new. */

const EVERY_MS = 2000;
const STALE_MS = 6000;
const TONE_S = 0.4;

/** @typedef {{id: string, what: string, where: string, since: string, who: string}} Urgent */
/** @typedef {{name: string, calls: string, posts: {what: string, state: string, words: string}[]}} Place */

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @type {AudioContext | null} */
let sound = null;
let heardAt = Date.now();
let told = "";
const title = document.title;

/**
 * @param {string} tag @param {Record<string, string>} marks @param {(Node | string)[]} inside
 * @returns {HTMLElement}
 */
function element(tag, marks, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(marks)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

/** @param {Urgent} alert */
function alertRow(alert) {
  const parts = [element("strong", {}, alert.what), element("span", {}, alert.where)];
  parts.push(element("span", { class: "duty-since" }, alert.since), element("span", {}, alert.who));
  return element("li", { "data-alert": alert.id }, ...parts.flatMap((part) => [part, " "]));
}

/** @param {Place} place */
function placeCard(place) {
  const posts = place.posts.map((post) =>
    element("li", { "data-state": post.state }, element("span", {}, post.what), " ", element("strong", {}, post.words)),
  );
  const name = element("h3", { class: "govuk-heading-s" }, place.name);
  const calls = element("p", { class: "govuk-body" }, place.calls);
  return element("div", { class: "duty-place" }, name, calls, element("ul", { class: "duty-posts" }, ...posts));
}

/** Rows that stay are left alone: what a screen reader is told is only what is new. @param {Urgent[]} urgent */
function showUrgent(urgent) {
  const list = at("duty-urgent");
  const shown = new Map([...list.children].map((row) => [row.getAttribute("data-alert"), row]));
  const fresh = urgent.filter((alert) => !shown.has(alert.id));
  for (const alert of urgent) {
    const row = shown.get(alert.id);
    if (row !== undefined && row.lastElementChild) row.lastElementChild.textContent = alert.who;
    shown.delete(alert.id);
  }
  for (const row of shown.values()) row.remove();
  list.prepend(...fresh.map(alertRow));
  at("duty-none").hidden = urgent.length > 0;
  document.title = urgent.length > 0 ? `(${urgent.length}) ${title}` : title;
  if (fresh.length > 0) ring();
}

function ring() {
  if (sound === null) return;
  [880, 660, 880].forEach((hertz, n) => {
    if (sound === null) return;
    const tone = new OscillatorNode(sound, { type: "square", frequency: hertz });
    const gain = new GainNode(sound, { gain: 0.3 });
    tone.connect(gain).connect(sound.destination);
    tone.start(sound.currentTime + n * TONE_S);
    tone.stop(sound.currentTime + (n + 1) * TONE_S);
  });
}

async function ask() {
  try {
    const answer = await fetch("/duty/now", { headers: { Accept: "application/json" }, redirect: "error" });
    if (answer.ok) {
      const found = await answer.json();
      heardAt = Date.now();
      at("duty-now").textContent = found.now;
      showUrgent(found.urgent);
      const places = JSON.stringify(found.places);
      if (places !== told) at("duty-places").replaceChildren(.../** @type {Place[]} */ (found.places).map(placeCard));
      told = places;
    }
  } catch {
    // the line below says it
  }
  const stale = at("duty-stale");
  const words = Date.now() - heardAt > STALE_MS ? (stale.dataset.words ?? "") : "";
  if (stale.textContent !== words) stale.textContent = words;
  document.body.classList.toggle("duty-is-stale", words !== "");
  setTimeout(ask, EVERY_MS);
}

const button = at("duty-sound");
button.hidden = false;
button.addEventListener("click", () => {
  sound ??= new AudioContext();
  void sound.resume();
  button.textContent = button.dataset.on ?? "";
  button.setAttribute("disabled", "");
  ring();
});
setTimeout(ask, EVERY_MS);
