"""Every key that the pages name has a sentence, and so has every code that the broker may send a caller."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from broker.domain.codes import AlertCode, EndReason, IdentityReason, PauseReason, SuspensionReason, Warning
from broker.edge.callers import End, Pause
from broker.edge.live_pages import words_for
from broker.text import catalogue
from tests.edge.wire import wire

ROOT = Path(__file__).resolve().parents[2]
WAITS = ("you", "officer", "prisoner", "hall", "family")
KEYS = [
    *(f"common.why.{code.value}" for code in PauseReason),
    *(f"common.end.{code.value}" for code in EndReason),
    *(f"warning.{code.value}" for code in Warning),
    *(f"common.pause.{word}.{part}" for word in get_args(Pause) for part in ("title", "why")),
    *(f"{page}.pause.{word}.next" for page in ("family", "laptop") for word in get_args(Pause)),
    *(f"{page}.{word}" for page in ("family.end", "laptop.end_why") for word in get_args(End)),
    *(f"common.wait.{who}.{part}" for who in WAITS for part in ("name", "ready", "waiting")),
    *(f"family.identity.{reason.value}{more}" for reason in IdentityReason for more in ("", ".next")),
    *(f"family.suspended.{reason.value}" for reason in SuspensionReason),
    *(f"common.watched.{how}" for how in ("full", "looks", "none")),
    *(f"family.notice.{how}.{part}" for how in ("full", "looks", "none") for part in ("title", "see", "hear")),
    *(
        f"family.device.{code}.{part}"
        for code in ("blocked", "none", "busy", "timeout", "unsupported")
        for part in ("title", "step1", "step2", "step3")
    ),
    *(f"laptop.out.{code}" for code in ("blocked", "none", "busy", "timeout", "unsupported", "closed")),
]
PLAIN = re.compile(r"""\bt\(\s*["']([a-z_.]+)["']""")


def spoken() -> set[str]:
    """Return every key that stands in the pages' modules as it is."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "web").rglob("*.js"))]
    return {key for source in sources for key in PLAIN.findall(source)}


def test_every_key_that_a_page_names_has_a_sentence():
    known = set(catalogue("en"))

    assert len(spoken()) > 50
    assert spoken() - known == set()


@pytest.mark.parametrize("code", AlertCode)
def test_every_alert_has_its_sentence_and_the_name_of_its_kind(code):
    assert {f"alert.{code.value}", f"alert.kind.{code.value}"} <= set(catalogue("en"))


def test_every_code_that_a_caller_may_be_sent_has_a_sentence():
    known = set(catalogue("en"))

    assert [key for key in KEYS if key not in known] == []


def test_a_callers_page_carries_every_sentence_that_it_says():
    messages = words_for("en", "caller")["messages"]

    assert isinstance(messages, dict)
    assert [key for key in [*KEYS, *spoken()] if key not in messages] == []


@pytest.mark.parametrize(("chair", "path"), [("family", "/visit"), ("laptop", "/laptop")])
async def test_a_callers_page_carries_no_word_of_risk_patrols_alerts_or_any_other_of_staff(chair, path):
    async with wire() as w:
        page = await w.browser.get(chair, path)
    found = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page.text, re.DOTALL)
    areas = {key.partition(".")[0] for key in json.loads(found[1])["text"]["messages"]}

    assert areas == {"common", "family", "laptop", "wait", "warning"}
    assert "watch list" not in page.text
    assert "Terrorism" not in page.text


@pytest.mark.parametrize("area", ["family", "laptop", "common"])
def test_no_sentence_of_a_caller_shouts_or_says_a_word_that_the_project_avoids(area):
    words = catalogue("en")
    said = {key: " ".join(words.forms(key).values()) for key in words if key.startswith(f"{area}.")}
    wrong = re.compile(
        r"!|\b(offender|terminated|violation|denied|session|participant|bandwidth|unfortunately)\b", re.I
    )

    assert {key: text for key, text in said.items() if wrong.search(text)} == {}
