"""The catalogue: every sentence shown to a person, by key and language, from `<language>/<area>.po` in this folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from gettext import c2py
from pathlib import Path
from typing import ClassVar

import structlog
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

FOLDER = Path(__file__).parent
SOURCE = "en"
PSEUDO = "en-XA"  # a made-up language: English with accents and brackets, in which an untranslated sentence stands out
OTHER = "other"  # the plural category that every language has (CLDR)

_PLACE = re.compile(r"\{(\w+)\}")
_ACCENTS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzACDEGHIJKLNORSTUWYZ", "áƀçđéƒğĥíĵķĺɱñóþɋŕšţúṽŵẋýžÁÇĐÉĞĤÍĴĶĹÑÓŔŠŢÚŴÝŽ"
)

Forms = Mapping[str, str]  # CLDR plural category -> sentence; a key without plural forms has only "other"

log = structlog.get_logger()


class BadCatalogue(Exception):
    """A `.po` file does not parse, or two areas of one language hold the same key."""


class Catalogue:
    """The sentences of one language; call it with a key and the values of its places."""

    strict: ClassVar[bool] = False  # the tests set it: a missing key or value raises; without it the page still shows

    def __init__(self, language: str, entries: Mapping[str, Forms]) -> None:
        self.language = language
        self._entries = dict(entries)
        self._plural = Locale.parse(language.split("-")[0]).plural_form
        self._missed: set[str] = set()

    def __call__(self, key: str, **values: object) -> str:
        """
        Return the sentence of `key` with `{name}` places filled; `n` also chooses the plural form.

        Raises:
            KeyError: The key or the value of a place is missing and `strict` is set.
        """
        forms = self._entries.get(key)
        if forms is None:
            return self._miss(key, f"no sentence for {key!r} in {self.language}", key)
        number = values.get("n")
        category = self._plural(number) if isinstance(number, int | float) else OTHER
        text = forms.get(category, forms[OTHER])
        return _PLACE.sub(lambda place: self._fill(key, place, values), text)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def forms(self, key: str) -> Forms:
        """Return the sentences of `key` by plural category, places unfilled."""
        return self._entries[key]

    def _fill(self, key: str, place: re.Match[str], values: Mapping[str, object]) -> str:
        name = place[1]
        if name in values:
            return str(values[name])
        return self._miss(f"{key}:{name}", f"no value for {name!r} of {key!r}", place[0])

    def _miss(self, what: str, reason: str, instead: str) -> str:
        if self.strict:
            raise KeyError(reason)
        if what not in self._missed:  # once each: a page drawn every second must not fill the log
            self._missed.add(what)
            log.warning("sentence missing", what=what, language=self.language)
        return instead


@lru_cache(maxsize=16)
def catalogue(language: str = SOURCE) -> Catalogue:
    """
    Return the catalogue of `language`; sentences that it lacks are those of English.

    Raises:
        LookupError: There is no such language.
        BadCatalogue: A file of it does not parse or repeats a key.
    """
    english = _entries(SOURCE)
    if language == PSEUDO:
        return Catalogue(PSEUDO, {key: _pseudo(forms) for key, forms in english.items()})
    if language not in languages():
        raise LookupError(language)
    return Catalogue(language, {**english, **_entries(language)})


def languages() -> tuple[str, ...]:
    """Return the languages that have sentences, English first; the made-up one is not among them."""
    found = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir() and any(folder.glob("*.po")))
    return (SOURCE, *(name for name in found if name != SOURCE))


@lru_cache(maxsize=16)
def as_json(language: str = SOURCE) -> bytes:
    """
    Return a language for the browser: `{"language": …, "messages": {key: sentence or {category: sentence}}}`.

    Categories are those of `Intl.PluralRules` ("one", "other", …).
    """
    words = catalogue(language)
    messages: dict[str, object] = {}
    for key in words:
        forms = words.forms(key)
        messages[key] = forms[OTHER] if len(forms) == 1 else dict(forms)
    return json.dumps({"language": language, "messages": messages}, ensure_ascii=False, sort_keys=True).encode()


def areas(language: str = SOURCE) -> list[Path]:
    """Return the `.po` files of `language`, one an area."""
    return sorted((FOLDER / language).glob("*.po"))


def _entries(language: str) -> dict[str, Forms]:
    entries: dict[str, Forms] = {}
    for file in areas(language):
        for key, forms in _read(file, language).items():
            if key in entries:
                raise BadCatalogue(f"{file.name}: {key} stands in another area too")
            entries[key] = forms
    return entries


def _read(file: Path, language: str) -> dict[str, Forms]:
    """
    Return the sentences of one file, empty and fuzzy ones left out.

    Babel keeps the last of two equal keys without a word, so the keys are counted in the text as well.
    """
    text = file.read_text(encoding="utf-8")
    keys = re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise BadCatalogue(f"{file.name}: {', '.join(sorted(twice))} stands there twice")
    try:
        with file.open("rb") as source:
            parsed = read_po(source, locale=language, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise BadCatalogue(f"{file.name}: {error}") from error
    categories = _categories(parsed)
    return {
        (message.id if isinstance(message.id, str) else message.id[0]): forms
        for message in parsed
        if message.id and not message.fuzzy and (forms := _forms(message, categories))
    }


def _forms(message: Message, categories: Mapping[str, int]) -> Forms:
    """Return the sentences of `message` by plural category."""
    sentences = message.string
    if isinstance(sentences, str):
        return {OTHER: sentences} if sentences else {}
    if not sentences or not all(sentences):
        return {}
    forms = {category: sentences[index] for category, index in categories.items() if index < len(sentences)}
    return {OTHER: sentences[-1], **forms}


def _categories(parsed: Catalog) -> dict[str, int]:
    """Return plural category → number of the `msgstr[…]`: gettext numbers the forms, the browser names them."""
    locale = parsed.locale or Locale.parse(SOURCE)
    index_of = c2py(parsed.plural_expr)
    # Every category that CLDR lists for whole numbers shows itself below 200, but for the millions of a few languages.
    return {locale.plural_form(sample): int(index_of(sample)) for sample in range(200)}


def _pseudo(forms: Forms) -> Forms:
    return {category: f"⟦{_accented(text)}⟧" for category, text in forms.items()}


def _accented(text: str) -> str:
    """Put an accent on every letter outside `{places}`."""
    parts = re.split(r"(\{\w+\})", text)
    return "".join(part if _PLACE.fullmatch(part) else part.translate(_ACCENTS) for part in parts)
