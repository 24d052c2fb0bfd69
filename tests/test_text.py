"""The catalogue's promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker import text
from broker.text import BadCatalogue, Catalogue, as_json, catalogue, languages

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {plurals}\\n"\n\n'
ENGLISH = "nplurals=2; plural=(n != 1);"
WELSH = "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n==3 ? 3 : n==6 ? 4 : 5);"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder of catalogues of the test's own; returns a function that adds an area to a language."""
    monkeypatch.setattr(text, "FOLDER", tmp_path)
    catalogue.cache_clear()
    as_json.cache_clear()

    def add(area: str, body: str, language: str = "en", plurals: str = ENGLISH) -> None:
        (tmp_path / language).mkdir(exist_ok=True)
        (tmp_path / language / f"{area}.po").write_text(HEADER.replace("{plurals}", plurals) + body, encoding="utf-8")

    yield add
    catalogue.cache_clear()
    as_json.cache_clear()


def entry(key: str, sentence: str) -> str:
    return f'msgid "{key}"\nmsgstr "{sentence}"\n\n'


def test_a_sentence_is_found_by_its_key_and_its_places_are_filled(shelf):
    shelf("family", entry("family.hello", "Hello {name}, {name}"))

    assert catalogue("en")("family.hello", name="Ann") == "Hello Ann, Ann"


def test_a_value_is_never_read_as_a_place(shelf):
    shelf("family", entry("family.hello", "Hello {name}"))

    assert catalogue("en")("family.hello", name="{name.__class__}") == "Hello {name.__class__}"


def test_a_missing_key_raises_where_it_must_and_shows_itself_where_the_page_must_go_on(shelf, monkeypatch):
    shelf("family", entry("family.hello", "Hello"))

    with pytest.raises(KeyError):
        catalogue("en")("family.bye")
    monkeypatch.setattr(Catalogue, "strict", False)
    assert catalogue("en")("family.bye") == "family.bye"


def test_a_missing_value_raises_where_it_must_and_leaves_its_place_otherwise(shelf, monkeypatch):
    shelf("family", entry("family.hello", "Hello {name}"))

    with pytest.raises(KeyError):
        catalogue("en")("family.hello")
    monkeypatch.setattr(Catalogue, "strict", False)
    assert catalogue("en")("family.hello") == "Hello {name}"


def test_the_number_chooses_the_plural_form(shelf):
    shelf("call", 'msgid "call.left"\nmsgid_plural "call.left"\nmsgstr[0] "{n} minute"\nmsgstr[1] "{n} minutes"\n')
    words = catalogue("en")

    assert [words("call.left", n=n) for n in (0, 1, 2)] == ["0 minutes", "1 minute", "2 minutes"]


def test_welsh_has_its_six_forms(shelf):
    shelf("call", entry("call.left", "{n} left"))
    body = 'msgid "call.left"\nmsgid_plural "call.left"\n' + "".join(
        f'msgstr[{at}] "{word}"\n' for at, word in enumerate(["dim", "un", "dau", "tri", "chwech", "{n}"])
    )
    shelf("call", body, "cy", WELSH)
    words = catalogue("cy")

    assert [words("call.left", n=n) for n in (0, 1, 2, 3, 6, 7)] == ["dim", "un", "dau", "tri", "chwech", "7"]


def test_a_language_speaks_english_where_it_has_no_sentence(shelf):
    shelf("family", entry("family.hello", "Hello") + entry("family.bye", "Goodbye"))
    shelf("family", entry("family.hello", "Helo") + entry("family.bye", ""), "cy", WELSH)
    words = catalogue("cy")

    assert [words("family.hello"), words("family.bye")] == ["Helo", "Goodbye"]


def test_a_language_that_is_not_there_is_an_error(shelf):
    shelf("family", entry("family.hello", "Hello"))

    with pytest.raises(LookupError):
        catalogue("fr")


def test_a_key_may_stand_once_only_in_all_areas(shelf):
    shelf("family", entry("hello", "Hello"))
    shelf("laptop", entry("hello", "Hello"))

    with pytest.raises(BadCatalogue, match="hello"):
        catalogue("en")


def test_a_key_may_stand_once_only_in_one_area(shelf):
    shelf("family", entry("hello", "Hello") + entry("hello", "Good day"))

    with pytest.raises(BadCatalogue, match="hello"):
        catalogue("en")


def test_the_made_up_language_marks_every_letter_but_no_place(shelf):
    shelf("family", entry("family.hello", "Hello {name}"))

    assert catalogue("en-XA")("family.hello", name="Ann") == "⟦Ĥéĺĺó Ann⟧"


def test_the_browser_gets_sentences_and_plural_categories(shelf):
    shelf(
        "call",
        entry("call.end", "End")
        + 'msgid "call.left"\nmsgid_plural "call.left"\nmsgstr[0] "{n} minute"\nmsgstr[1] "{n} minutes"\n',
    )

    assert json.loads(as_json("en")) == {
        "language": "en",
        "messages": {"call.end": "End", "call.left": {"one": "{n} minute", "other": "{n} minutes"}},
    }


def test_every_file_of_ours_parses_and_no_key_stands_twice():
    for language in languages():
        assert isinstance(catalogue(language), Catalogue)


def test_no_other_language_has_a_key_that_english_lacks():
    english = set(catalogue("en"))
    for language in languages():
        assert set(catalogue(language)) - english == set()
