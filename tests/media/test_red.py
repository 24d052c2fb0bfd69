"""Redundant sound (RFC 2198) passes where both ends have it, and is unwrapped where one has not."""

from __future__ import annotations

from broker.domain.plan import Media, Route
from tests.media.support import AUDIO_TYPE, RED_TYPE, Endpoint, Stage, plan, red

AUDIO = Media.AUDIO


def say(endpoint: Endpoint, payload: bytes) -> None:
    sender = endpoint.senders[AUDIO]
    sender.payload_type = RED_TYPE
    sender.timestamp += 960
    endpoint.send_raw(endpoint.protect(endpoint.rtp(AUDIO, payload)))


async def trio(relay: Stage) -> tuple[Endpoint, Endpoint, Endpoint]:
    """Return a speaker, and two listeners of whom the second has no RED."""
    speaker = await relay.enter("speaker", red=True)
    able, unable = await relay.enter("able", red=True), await relay.enter("unable")
    await relay.plane.apply(plan({Route("speaker", AUDIO, name, 0) for name in ("able", "unable")}))
    return speaker, able, unable


async def test_it_passes_whole_or_as_its_newest_block(relay: Stage) -> None:
    speaker, able, unable = await trio(relay)
    said = [red(b"a"), red(b"b", (960, b"a")), red(b"c", (1920, b"a"), (960, b"b"))]
    for payload in said:
        say(speaker, payload)
    await relay.fences(speaker, able, unable)
    assert able.bodies(AUDIO) == said
    assert {heard.payload_type for heard in able.on(AUDIO)} == {RED_TYPE}
    assert unable.bodies(AUDIO) == [b"a", b"b", b"c"]
    assert {heard.payload_type for heard in unable.on(AUDIO)} == {AUDIO_TYPE}


async def test_plain_sound_of_the_same_line_passes_too(relay: Stage) -> None:
    speaker, able, unable = await trio(relay)
    say(speaker, red(b"a"))
    speaker.senders[AUDIO].payload_type = AUDIO_TYPE
    speaker.say(b"b")
    await relay.fences(speaker, able, unable)
    assert able.bodies(AUDIO) == [red(b"a"), b"b"]
    assert unable.bodies(AUDIO) == [b"a", b"b"]


async def test_what_is_malformed_or_holds_another_codec_is_dropped(relay: Stage) -> None:
    speaker, able, unable = await trio(relay)
    say(speaker, b"\x80")
    say(speaker, red(b"", (960, b"a")))
    say(speaker, bytes([0x80 | AUDIO_TYPE, 0xFF, 0xFF, 0xFF, AUDIO_TYPE]) + b"short")
    say(speaker, bytes([9]) + b"another")
    await relay.fences(speaker, able, unable)
    assert able.heard == unable.heard == []
    assert relay.plane.counters()["red"] == 4


async def test_what_was_held_is_not_repeated_after_the_pause(relay: Stage) -> None:
    speaker, able, unable = await trio(relay)
    routes = {Route("speaker", AUDIO, name, 0) for name in ("able", "unable")}
    say(speaker, red(b"before"))
    await relay.fences(speaker)
    await relay.plane.apply(plan(set(), epoch=2))
    say(speaker, red(b"held"))
    await relay.fences(speaker)
    await relay.plane.apply(plan(routes, epoch=3))
    after = [red(b"1", (960, b"held")), red(b"2", (1920, b"held"), (960, b"1")), red(b"3", (1920, b"1"), (960, b"2"))]
    for payload in after:
        say(speaker, payload)
    await relay.fences(speaker, able, unable)
    assert not any(b"held" in heard.payload for heard in able.heard)
    assert able.bodies(AUDIO) == [red(b"before"), b"1", b"2", after[2]]
