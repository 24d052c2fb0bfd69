"""The messages: what is taken, what is not, and a manual whose every example is true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from broker.domain.codes import (
    AttendOutcome,
    AttendReason,
    BreachCategory,
    BreachOutcome,
    Code,
    Document,
    EndReason,
    HoldKind,
    NoteCode,
    Outcome,
    PauseReason,
    Post,
    Step,
    Warning,
)
from broker.domain.kinds import KINDS
from broker.domain.records import Grade
from broker.edge.socket import CLOSE_CODES
from broker.protocol import client, server
from broker.protocol.base import MAX_MESSAGE_BYTES, ProtocolViolation
from broker.text import catalogue

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
EXAMPLES: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", MANUAL.read_text(), re.DOTALL | re.MULTILINE)
]


def types_of(union: Any) -> set[str]:
    return {member.model_fields["type"].default for member in get_args(get_args(union)[0])}


SAID = types_of(client.ClientMessage)
TOLD = types_of(server.ServerMessage)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["type"])
def test_every_example_of_the_manual_is_a_message(example: dict[str, Any]) -> None:
    text = json.dumps(example)
    read = client.decode(text) if example["type"] in SAID else server.decode(text)

    assert _within(example, read.model_dump(mode="json"))


def _within(part: Any, whole: Any) -> bool:
    """Say whether nothing of an example is ignored when it is read."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _within(part[key], whole[key]) for key in part)
    if isinstance(part, list):
        return len(part) == len(whole) and all(_within(one, other) for one, other in zip(part, whole, strict=True))
    return bool(part == whole)


def test_every_message_has_an_example() -> None:
    assert {example["type"] for example in EXAMPLES} == SAID | TOLD


def test_no_type_is_said_by_both_ends() -> None:
    assert set() == SAID & TOLD


def test_every_goodbye_has_its_close_code_in_the_manual() -> None:
    codes = set(get_args(server.Bye.model_fields["code"].annotation))
    table = MANUAL.read_text().split("### Goodbyes")[1].split("```")[0]

    assert codes == set(CLOSE_CODES)
    for code, close in CLOSE_CODES.items():
        assert any(f"`{code}`" in row and f"| {close} |" in row for row in table.splitlines()), code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{}",
        '{"type":"call.pause","key":"short","call_id":"v1"}',
        '{"type":"call.pause","key":"long-enough","call_id":"v 1"}',
        '{"type":"call.pause","key":"long-enough","call_id":"v1","and":"more"}',
        '{"type":"call.end","key":"long-enough","call_id":"v1","reason":"because"}',
        '{"type":"wall.proof","n":1,"heard":"2026-11-24T12:00:00Z","visible":true,"tiles":['
        + ",".join(['{"call_id":"v1","legs":[]}'] * 129)
        + "]}",
        '{"type":"media.offer","key":"long-enough","sdp":"' + "x" * 200_001 + '"}',
        '{"type":"welcome"}',
        "[" * 100_000,
        '{"type":"presence","n":1,"heard":"2026-11-24T12:00:00Z","visible":true}' + " " * MAX_MESSAGE_BYTES,
    ],
    ids=range(12),
)
def test_whatever_is_not_exactly_ours_is_a_violation(text: str) -> None:
    with pytest.raises(ProtocolViolation):
        client.decode(text)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps)))
def test_nothing_that_is_sent_raises_anything_else(text: str | bytes) -> None:
    with pytest.raises(ProtocolViolation):
        client.decode(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_a_message_with_a_field_broken_is_a_violation_or_a_message(
    example: dict[str, Any], data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(sorted(example)))
    broken = {**example, field: data.draw(st.none() | st.integers() | st.text() | st.lists(st.integers()))}
    try:
        client.decode(json.dumps(broken))
    except ProtocolViolation:
        pass


def test_a_newer_broker_may_say_more() -> None:
    ok = server.decode('{"type":"ok","key":"long-enough","recorded":true,"since":"version 2"}')

    assert ok == server.Ok(key="long-enough")
    with pytest.raises(ValidationError):
        server.decode('{"type":"greeting"}')


@pytest.mark.parametrize(
    ("area", "codes"),
    [
        ("refused", Code),
        ("pause", PauseReason),
        ("end", EndReason),
        ("hold", HoldKind),
        ("step", Step),
        ("warning", Warning),
        ("outcome", Outcome),
        ("document", Document),
        ("note", NoteCode),
        ("breach", BreachCategory),
        ("breach_outcome", BreachOutcome),
        ("attend", AttendReason),
        ("attend_outcome", AttendOutcome),
        ("post", Post),
        ("grade", Grade),
        ("kind", KINDS),
        ("phase", ["scheduled", "lobby", "ready", "live", "ended"]),
        ("state", get_args(server.SeatPart.model_fields["state"].annotation)),
        ("health", get_args(server.LegHealth.model_fields["health"].annotation)),
        ("bye", get_args(server.Bye.model_fields["code"].annotation)),
    ],
)
def test_every_code_has_its_words(area: str, codes: Any) -> None:
    words = catalogue("en")

    assert [code for code in codes if f"{area}.{getattr(code, 'value', code)}" not in words] == []
