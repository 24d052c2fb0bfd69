"""Finds what a page shows that did not come from the catalogue: in the made-up language it carries no brackets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

OPEN, SHUT = "⟦", "⟧"
_WORD = re.compile(r"[^\W\d_]{2,}")
_SHOWN = """() => {
  const found = [document.title];
  const hidden = (element) => {
    for (let at = element; at; at = at.parentElement) {
      if (["SCRIPT", "STYLE", "TEMPLATE", "KBD", "NOSCRIPT"].includes(at.tagName) || at.hidden) return true;
    }
    return !element.checkVisibility({ visibilityProperty: true }) && !element.closest("[aria-live]");
  };
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (parent && parent.tagName !== "TITLE" && !hidden(parent)) found.push(walker.currentNode.textContent);
  }
  for (const element of document.querySelectorAll("[aria-label],[title],[alt],[placeholder],[aria-description]")) {
    for (const name of ["aria-label", "title", "alt", "placeholder", "aria-description"]) {
      if (element.hasAttribute(name)) found.push(element.getAttribute(name));
    }
  }
  return found;
}"""


async def unmarked(page: Any, *, data: Iterable[str] = ()) -> list[str]:
    """
    Return every text of `page` (Playwright's, async) that stands outside the brackets of the made-up language.

    Args:
        page: A page that is shown in `broker.text.PSEUDO`.
        data: What may stand there as it is: names, numbers of prisoners, times.
    """
    return outside_brackets(await page.evaluate(_SHOWN), data=data)


def outside_brackets(texts: Iterable[str], *, data: Iterable[str] = ()) -> list[str]:
    """Return the texts that hold a word outside ⟦brackets⟧ and outside `data`, in order, each once."""
    left = []
    for text in texts:
        rest, within = text, ""
        while rest != within:  # innermost first: a sentence may stand in the place of another
            rest, within = re.sub(f"{OPEN}[^{OPEN}{SHUT}]*{SHUT}", " ", rest), rest
        for known in sorted(data, key=len, reverse=True):
            rest = rest.replace(known, " ")
        if _WORD.search(rest):
            left.append(" ".join(text.split()))
    return list(dict.fromkeys(left))
