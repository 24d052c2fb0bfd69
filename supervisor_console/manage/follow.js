// @ts-check
/** A page that was asked to be kept up to date is read again every few seconds, while it is seen. */

export {};

const EVERY_MS = 5000;

if (document.querySelector("[data-follow]")) {
  setInterval(() => {
    if (document.visibilityState === "visible") location.reload();
  }, EVERY_MS);
}
