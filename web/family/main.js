// @ts-check
/** The family's page: from the link in a message to a thank you. */

import { Leg } from "../lib/leg.js";
import { isSupported } from "../lib/devices.js";
import { takeToken, tickets } from "../lib/session.js";
import { t } from "../lib/text.js";
import { html, render } from "../lib/ui.js";
import { App } from "./app.js";
import { Unsupported } from "./over.js";

const root = document.getElementById("app");
if (root) {
  const token = takeToken();
  const page = isSupported()
    ? html`<${App} leg=${new Leg(tickets("family", token), t("family.test_picture_name"))} token=${token} />`
    : html`<${Unsupported} token=${token} />`;
  root.replaceChildren();
  render(page, root);
}
