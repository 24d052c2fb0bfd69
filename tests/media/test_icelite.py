"""Connectivity checks: only who knows the password is answered."""

from __future__ import annotations

from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from broker.media import icelite

PWD = "p" * 32
FINGERPRINT_BYTES = 8


def check(username: str = "mine:theirs", pwd: str = PWD, **attributes: object) -> bytes:
    """Return a binding request."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes.update({name.replace("_", "-").upper(): value for name, value in attributes.items()})
    message.add_message_integrity(pwd.encode())
    return bytes(message)


def test_a_check_tells_whom_it_is_for_and_whether_it_nominates() -> None:
    assert icelite.local_ufrag(check()) == "mine"
    plain, nominating = check(), check(use_candidate=None)
    first, second = icelite.authenticate(plain, PWD), icelite.authenticate(nominating, PWD)
    assert first is not None
    assert second is not None
    assert (first.nominated, second.nominated) == (False, True)


def test_a_wrong_password_or_role_is_no_check() -> None:
    assert icelite.authenticate(check(pwd="q" * 32), PWD) is None
    assert icelite.authenticate(check(ice_controlled=1), PWD) is None


def test_the_reply_says_where_the_check_came_from() -> None:
    found = icelite.authenticate(check(), PWD)
    assert found is not None
    reply = stun.parse_message(icelite.reply(found, ("192.0.2.7", 1234), PWD))
    assert reply.check_message_integrity(PWD.encode())
    assert reply.transaction_id == found.transaction_id
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.7", 1234)


@given(st.binary(max_size=700))
def test_no_bytes_make_the_reader_raise(datagram: bytes) -> None:
    icelite.local_ufrag(datagram)
    assert icelite.authenticate(datagram, PWD) is None


@given(st.integers(0, 200), st.integers(0, 255), st.integers(0, 30))
def test_no_damaged_check_passes(at: int, value: int, cut: int) -> None:
    whole = check(use_candidate=None, priority=7)
    damaged = bytearray(whole[: len(whole) - cut])
    damaged[at % (len(whole) - FINGERPRINT_BYTES) % len(damaged)] = (
        value  # FINGERPRINT comes after what is authenticated
    )
    icelite.local_ufrag(bytes(damaged))
    if bytes(damaged) != whole:
        assert icelite.authenticate(bytes(damaged), PWD) is None
