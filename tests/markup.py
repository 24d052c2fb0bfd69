"""Finds the words that stand in a page's own code: in `html` templates of our JavaScript and in Jinja templates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import Environment

HOLE = "\0"  # what an expression leaves behind
GIVEN_TEXTS = ("text", "html", "titleText", "titleHtml", "label", "hint", "visuallyHiddenText")  # of GOV.UK's macros
SHOWN_ATTRIBUTES = ("alt", "aria-description", "aria-label", "aria-roledescription", "placeholder", "title", "value")
_WORD = re.compile(r"[A-Za-z]{2,}")
_UNSHOWN = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->|<!doctype[^>]*>", re.DOTALL | re.IGNORECASE)
_KEY = re.compile(r"<kbd>[^<]*</kbd>")  # what is printed on a key is no sentence
_TAG = re.compile(r"<[^>]*>")
_ENTITY = re.compile(r"&#?\w+;")


def words_of_script(source: str) -> list[str]:
    """Return the words between tags, and in shown attributes, of every `html` template of a module."""
    return [word for template in html_templates(source) for word in words_of_markup(template)]


def words_of_jinja(source: str) -> list[str]:
    """Return the words of a Jinja template: between tags, in shown attributes, and as texts given to a macro."""
    data: list[str] = []
    given: list[str] = []
    said: list[str] = []  # the last tokens of an expression, spaces left out
    block = ""  # the name of the block, for what stands in `bodyClasses` is no text
    for _, kind, value in Environment().lex(source):
        if kind == "data":
            data.append("" if block.endswith("Classes") else value)
            continue
        if kind != "whitespace":
            data.append(HOLE)
            said.append(value)
        if kind == "name" and said[-2:-1] == ["block"]:
            block = value
        elif kind == "name" and value == "endblock":
            block = ""
        elif kind == "string" and said[-2:-1] == [":"] and said[-3].strip("'\"") in GIVEN_TEXTS:
            given.append(value.strip("'\""))
    return words_of_markup(_UNSHOWN.sub("", "".join(data))) + [text for text in given if _WORD.search(text)]


def words_of_markup(markup: str) -> list[str]:
    """Return the runs of text in `markup` that hold a word, attributes that a person sees or hears included."""
    found = []
    markup = _KEY.sub(HOLE, markup)
    for tag in _TAG.findall(markup):
        for attribute in SHOWN_ATTRIBUTES:
            kind = re.search(r'type="(?:hidden|radio|checkbox)"', tag)
            value = re.search(rf'\s{attribute}="([^"{HOLE}]*)"', tag)
            if value and not (attribute == "value" and (kind or not tag.startswith("<input"))):
                found.append(value[1])
    found += _TAG.sub(HOLE, markup).split(HOLE)
    return [" ".join(text.split()) for text in found if _WORD.search(_ENTITY.sub("", text))]


def html_templates(source: str) -> Iterator[str]:
    """Yield the text of every html`…` of a module, expressions replaced by holes; nested ones come by themselves."""
    yield from _code(source, 0, closing="")[1]


def _code(source: str, at: int, closing: str) -> tuple[int, list[str]]:
    """Read code up to an unbalanced `closing`; return where it ended and the templates met."""
    found: list[str] = []
    depth = 0
    while at < len(source):
        skipped = _skip(source, at)
        if skipped > at:
            at = skipped
            continue
        character = source[at]
        if character == "`":
            tagged = source[:at].endswith("html")
            at, text, inner = _template(source, at + 1)
            found += ([text] if tagged else []) + inner
            continue
        if character == closing and depth == 0:
            return at + 1, found
        depth += {"{": 1, "}": -1}.get(character, 0)
        at += 1
    return at, found


def _template(source: str, at: int) -> tuple[int, str, list[str]]:
    """Read a template literal; return where it ended, its own text, and the templates inside its expressions."""
    text: list[str] = []
    found: list[str] = []
    while at < len(source) and source[at] != "`":
        if source.startswith("${", at):
            at, inner = _code(source, at + 2, closing="}")
            found += inner
            text.append(HOLE)
        else:
            step = 2 if source[at] == "\\" else 1
            text.append(source[at])
            at += step
    return at + 1, "".join(text), found


def _skip(source: str, at: int) -> int:
    """Return where a comment or a plain string that begins at `at` ends; `at` itself where none does."""
    if source.startswith("//", at):
        end = source.find("\n", at)
        return len(source) if end < 0 else end
    if source.startswith("/*", at):
        end = source.find("*/", at)
        return len(source) if end < 0 else end + 2
    if source[at] in "'\"":
        end = at + 1
        while end < len(source) and source[end] not in (source[at], "\n"):
            end += 2 if source[end] == "\\" else 1
        return end + 1
    return at
