// @ts-check
/** Starts the monitoring console. */

import { html, render } from "htm/preact";

import { readChoices } from "../lib/choices.js";
import { Session } from "../lib/session.js";
import { ShownMeter } from "../lib/shown.js";
import { App } from "./app.js";
import { Desk } from "./desk.js";
import { Media } from "./media.js";

readChoices("dark");
const session = new Session("monitor");
const desk = new Desk(session, new Media(session), new ShownMeter());
const place = document.getElementById("app");
if (place) render(html`<${App} desk=${desk} />`, place);
session.start();
