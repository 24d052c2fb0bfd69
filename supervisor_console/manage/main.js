// @ts-check
/** Staff pages made on the server: GOV.UK's behaviour, and the copy and print buttons. All of it works without this too. */

import { Button, ErrorSummary, SkipLink, createAll, isSupported } from "govuk-frontend";

document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");
if (isSupported()) {
  createAll(Button);
  createAll(ErrorSummary);
  createAll(SkipLink);
}

for (const button of document.querySelectorAll("button[data-print]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const field = document.getElementById(button.dataset.copy ?? "");
  const said = document.getElementById("copied");
  if (!(field instanceof HTMLInputElement) || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    if (said) said.textContent = button.dataset.done ?? "";
  });
}

for (const field of document.querySelectorAll("input[data-select]")) {
  if (field instanceof HTMLInputElement) field.addEventListener("focus", () => field.select());
}
