// @ts-check
/** Starts the hall page. It imports nothing that could receive a picture or a sound. */

import { html, render } from "htm/preact";

import { readChoices } from "../lib/choices.js";
import { Session } from "../lib/session.js";
import { App } from "./app.js";
import { Hall } from "./hall.js";

readChoices("light");
const session = new Session("supervisor");
const place = document.getElementById("app");
if (place) render(html`<${App} hall=${new Hall(session)} />`, place);
session.start();
