"""What reads hostile bytes, as pure targets: each raises nothing but what it documents and keeps within bounds.

A target takes the bytes of one mutation and fails by an exception. `check` runs a stretch of mutations of one kind and
keeps the bytes of a failure as a seed of its own under corpus/crashes, where every test run meets it again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import struct
from binascii import crc32
from collections.abc import Callable, Mapping

from broker.domain.plan import Media
from broker.media import dtls, h264, icelite, rtcp, rtp, sdp
from broker.media.session import settle
from broker.ports import OfferRefused
from tests.media import header
from tests.media.mutate import CRASHES, Mutator

PWD = "p" * 32
TRANSPORT = sdp.Transport(1, "u" * 16, "p" * 32, ("sha-256", "AB"), (("127.0.0.1", 5000),))
ANSWER_CHARS_A_LINE = 4096  # beside what is taken over from the offer
CERTIFICATE = dtls.new_certificate()


def signed(check: bytes, pwd: str) -> bytes:
    """Return a STUN message with the integrity that `pwd` gives, whatever else is wrong with it."""
    at = check.find(b"\x00\x08\x00\x14")
    body = check[20:at] if at >= 20 else check[20:]
    head = check[:2].ljust(2, b"\0") + struct.pack("!H", len(body) + 24 & 0xFFFF) + check[4:20].ljust(16, b"\0")
    digest = hmac.new(pwd.encode(), head + body, hashlib.sha1).digest()
    whole = head + body + b"\x00\x08\x00\x14" + digest
    whole = whole[:2] + struct.pack("!H", len(whole) - 12 & 0xFFFF) + whole[4:]
    return whole + b"\x80\x28\x00\x04" + struct.pack("!I", crc32(whole) ^ 0x5354554E)


def stun(data: bytes) -> None:
    """Read a check as it came, and once more with right integrity."""
    for datagram in (data, signed(data, PWD)):
        assert len(icelite.local_ufrag(datagram) or "") <= icelite.MAX_BYTES
        check = icelite.authenticate(datagram, PWD)
        if check is not None:
            assert len(icelite.reply(check, ("192.0.2.1", 9), PWD)) < 100


def rtp_packet(data: bytes) -> None:
    """Read a packet that stands in a larger buffer, its extensions, and its payload as VP8, H264 and RED."""
    buffer = memoryview(bytearray(data + b"\xff" * 64))
    head = header.parse(buffer, len(data))
    if head is None:
        return
    _, _, _, _, _, start, end, extension, extension_end = head
    assert rtp.HEADER_BYTES <= start <= end <= len(data)
    assert 0 <= extension <= extension_end <= start
    for at, length in rtp.extensions(buffer, extension, extension_end).values():
        assert extension <= at <= at + length <= extension_end
        assert length == 0 or 0.0 <= rtp.loudness(buffer[at]) <= 1.0
    payload = bytes(buffer[start:end])
    vp8(payload)
    assert h264.key_start(payload) in (True, False)
    red = rtp.parse_red(payload, data[1] & 0x7F)
    assert red is None or (1 <= red[0] < len(payload) and 0 <= red[1] < 1 << 14)


def vp8(payload: bytes) -> None:
    """Read a payload descriptor and write its picture id."""
    found = rtp.parse_vp8(payload)
    if found is None:
        return
    assert 1 <= found.size < len(payload)
    assert 0 <= found.tl0_at < found.size
    assert 0 <= found.picture_at <= found.size - found.picture_bits // 7
    copy = bytearray(payload)
    rtp.write_picture(copy, found.picture_at, found.picture_bits, found.picture)
    assert copy == payload


def rtcp_compound(data: bytes) -> None:
    """Read a compound as the relay does."""
    rtcp.is_sound(data)
    parts = list(rtcp.split(data))
    assert len(parts) <= min(len(data) // 4, rtcp.MAX_PARTS)
    for part in parts:
        rtcp.sender_info(part)
        assert len(rtcp.reports(part)) <= 31
        asked = rtcp.nacks(part)
        assert asked is None or len(asked[1]) <= rtcp.MAX_ASKED
        assert len(rtcp.key_requests(part)) <= len(part.body) // 8
        estimate = rtcp.remb(part)
        assert estimate is None or (estimate[0] < 1 << 81 and len(estimate[1]) <= 255)


def offer(data: bytes) -> None:
    """Read an offer and answer it, as a participant's and as a console's."""
    text = data.decode("utf-8", "replace")
    try:
        parsed = sdp.parse_offer(text)
    except OfferRefused:
        return
    assert len(parsed.lines) <= sdp.MAX_MEDIA_LINES
    for publishes in (frozenset(Media), frozenset[Media]()):
        settled = settle(parsed, publishes)
        answer = sdp.write_answer(parsed, TRANSPORT, settled.receiving, settled.sending)
        lines = answer.removesuffix("\r\n").split("\r\n")
        assert all(line.isprintable() and line[1] == "=" for line in lines)
        assert sum(line.startswith("m=") for line in lines) == len(parsed.lines)
        assert len(answer) <= len(text) + ANSWER_CHARS_A_LINE * len(parsed.lines)


async def handshake(data: bytes) -> None:
    """Give a DTLS datagram, doubled and cut too, to a handshake of its own: it goes on waiting, or fails by None."""
    sent: list[bytes] = []
    server = dtls.Handshake(CERTIFICATE, sent.append)
    running = asyncio.get_running_loop().create_task(server.run([("sha-256", "AB")]))
    for datagram in (data, data, data[: len(data) // 2]):
        if datagram:
            server.pipe.feed(datagram)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert sum(map(len, sent)) < 20_000
    server.pipe.close()
    assert await running is None
    await server.close()


TARGETS: Mapping[str, Callable[[bytes], None]] = {"stun": stun, "rtp": rtp_packet, "rtcp": rtcp_compound, "sdp": offer}


def run(kind: str, data: bytes, runner: asyncio.Runner) -> None:
    """Give `data` to the target of `kind`."""
    if kind == "dtls":
        runner.run(handshake(data))
    else:
        TARGETS[kind](data)


def check(kind: str, seed: int, first: int, count: int) -> None:
    """Run mutations `first` to `first + count`; raises AssertionError that says how to repeat, and keeps the bytes."""
    mutator = Mutator(kind, seed)
    with asyncio.Runner() as runner:
        for number in range(first, first + count):
            data = mutator.at(number)
            try:
                run(kind, data, runner)
            except Exception as error:
                kept = keep(kind, data)
                raise AssertionError(f"{kind}, seed {seed}, mutation {number}, kept as {kept}: {error!r}") from error


def keep(kind: str, data: bytes) -> str:
    """Keep what broke something; return the file's name."""
    folder = CRASHES / kind
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.{'sdp' if kind == 'sdp' else 'bin'}"
    kept.write_bytes(data)
    return kept.name
