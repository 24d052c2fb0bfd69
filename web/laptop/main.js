// @ts-check
/** The laptop's page: enrolled once, then it stands in the hall and follows its seat's calls by itself. */

import { Leg } from "../lib/leg.js";
import { takeToken, tickets } from "../lib/session.js";
import { t } from "../lib/text.js";
import { html, render } from "../lib/ui.js";
import { App } from "./app.js";

const root = document.getElementById("app");
if (root) {
  const leg = new Leg(tickets("laptop", takeToken()), t("laptop.test_picture_name"));
  root.replaceChildren();
  render(html`<${App} leg=${leg} />`, root);
}
