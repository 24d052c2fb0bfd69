"""No sentence shown to a person stands in code: what pages are made of holds no words of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.markup import html_templates, words_of_jinja, words_of_script

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted([*(ROOT / "web").rglob("*.js"), *(ROOT / "supervisor_console").rglob("*.js")])
TEMPLATES = sorted(
    [*(ROOT / "broker").rglob("*.html"), *(ROOT / "broker").rglob("*.j2"), *(ROOT / "web").rglob("*.html")]
)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("html`<p>Hello</p>`", ["Hello"]),
        ("html`<p>${t('family.hello')}</p>`", []),
        ("html`<p>${name} – ${minutes}</p>`", []),
        ('html`<button aria-label="Close it"></button>`', ["Close it"]),
        ('html`<button class="wide red" type="button">${x}</button>`', []),
        ("html`<ul>${rows.map((row) => html`<li>Row ${row}</li>`)}</ul>`", ["Row"]),
        ("// it's html`<p>Hello</p>` in a comment\nconst a = 'html`<p>No</p>`';", []),
        ("html`<p>${{ a: '}' }.a} left</p>`", ["left"]),
        ("html`<button>${label} <kbd>Enter</kbd></button>`", []),
        ("const plain = `<p>Hello</p>`;", []),
        ('html`<input type="hidden" value="yes" /><input type="submit" value="Send it" />`', ["Send it"]),
    ],
)
def test_words_in_a_module_are_found(source, words):
    assert words_of_script(source) == words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<h1>{{ t('visits.title') }}</h1>", []),
        ("<!doctype html><h1>{# Visits #}Visits</h1>", ["Visits"]),
        ("<script>const hidden = 1;</script><p>&nbsp;·</p>", []),
        ('{{ govukButton({"text": "Save it", "attributes": {"id": "save"}}) }}', ["Save it"]),
        ('{{ govukButton({"text": t("save"), "attributes": {"a": {"id": "save"}}}) }}', []),
        ("{% block bodyClasses %}wide{% endblock %}{% block content %}Hello{% endblock %}", ["Hello"]),
        ('{% if day > 3 %}<a title="Next day" href="/x">{{ t("next") }}</a>{% endif %}', ["Next day"]),
    ],
)
def test_words_in_a_template_are_found(source, words):
    assert words_of_jinja(source) == words


def test_nested_templates_are_read_once():
    assert list(html_templates("html`a${html`b`}c`")) == ["a\0c", "b"]


def test_no_module_of_a_page_holds_words_of_its_own():
    found = {path.relative_to(ROOT).as_posix(): words_of_script(path.read_text(encoding="utf-8")) for path in SCRIPTS}

    assert {name: words for name, words in found.items() if words} == {}


def test_no_template_holds_words_of_its_own():
    found = {path.relative_to(ROOT).as_posix(): words_of_jinja(path.read_text(encoding="utf-8")) for path in TEMPLATES}

    assert {name: words for name, words in found.items() if words} == {}
