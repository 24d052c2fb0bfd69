"""What the browser tests look at on a page: pictures that move, sound, axe's findings, width, focus."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

_FRAME = """async (selector) => {
  const video = document.querySelector(selector);
  if (!video || !video.srcObject || !video.videoWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 8, 8);
  const data = pen.getImageData(2, 2, 4, 4).data;
  let sum = [0, 0, 0];
  for (let at = 0; at < data.length; at += 4) sum = sum.map((part, of) => part + data[at + of]);
  return sum.map((part) => Math.round(part / 16));
}"""


async def colour_of(page: Page, selector: str) -> list[int] | None:
    """Return the mean colour of a picture on the page, None where none is shown."""
    found: list[int] | None = await page.evaluate(_FRAME, selector)
    return found


_MOVES = """(selector) => new Promise((done) => {
  let frames = 0;
  const look = () => {
    const video = document.querySelector(selector);
    if (!video) return setTimeout(look, 50);
    video.requestVideoFrameCallback(() => ((frames += 1) > 2 ? done() : look()));
    setTimeout(() => document.contains(video) || look(), 500); // it went before a frame came: look for the next one
  };
  look();
})"""


async def moves(page: Page, selector: str) -> None:
    """Wait until three frames of a picture were shown."""
    await page.evaluate(_MOVES, selector)


async def axe_findings(page: Page) -> list[str]:
    """Return axe's violations, one line each."""
    results: Any = await Axe().run(page)
    return [
        f"{found['id']}: {node['html'][:120]}" for found in results.response["violations"] for node in found["nodes"]
    ]


async def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    wider: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


async def focused(page: Page) -> str:
    """Return the text of what has the focus."""
    text: str = await page.evaluate("document.activeElement?.textContent?.trim() ?? ''")
    return text


async def has_focus(page: Page, text: str) -> None:
    """Wait until what has the focus reads `text`: a page moves the focus after it has drawn the screen."""
    await expect(page.locator(":focus")).to_have_text(text)


_CUT = """(boxes) => {
  const found = [];
  for (const box of document.querySelectorAll(boxes)) {
    const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(walker.currentNode);
      const words = range.getBoundingClientRect();
      let hidden = words.width === 0, inside = true;
      for (let at = walker.currentNode.parentElement; at; at = at === box ? null : at.parentElement) {
        const style = getComputedStyle(at), edge = at.getBoundingClientRect();
        hidden = hidden || style.clipPath !== "none";
        const clips = at === box || style.overflowX !== "visible";
        const within = words.left >= edge.left - 1 && words.right <= edge.right + 1 && words.bottom <= edge.bottom + 3;
        if (clips && !within) inside = false;
      }
      const seen = words.left >= -1 && words.right <= innerWidth + 1;
      if (!hidden && !(inside && seen)) found.push(walker.currentNode.textContent.trim());
    }
  }
  return found;
}"""


async def cut_words(page: Page, boxes: str) -> list[str]:
    """Return the texts that reach out of their box (a CSS selector's), are cut within it, or leave the window."""
    found: list[str] = await page.evaluate(_CUT, boxes)
    return found
