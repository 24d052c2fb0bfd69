"""The compiled parts, load.c and floor.c: built with gcc when first used, called by ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from pylibsrtp._binding import ffi, lib

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "bench"
FLAGS = ("-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-pthread")
OPEN_EVERY = 4  # one packet in so many is decrypted
ROOM = 1 << 20  # delays kept between two takings


class NoCompiler(Exception):
    """There is no gcc; the text says what an administrator must run."""


def library(name: str) -> ctypes.CDLL:
    """Return `name`.c as a library.

    Raises:
        NoCompiler: There is no gcc, or it refuses the source.
    """
    compiler = shutil.which("gcc")
    if compiler is None:
        raise NoCompiler("no gcc here; an administrator must run: apt-get install -y gcc libc6-dev")
    source = HERE / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes() + " ".join(FLAGS).encode()).hexdigest()[:16]
    target = BUILD / f"{name}-{digest}.so"
    if not target.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        made = target.with_suffix(".new")
        done = subprocess.run([compiler, *FLAGS, "-o", made, source], capture_output=True, text=True)
        if done.returncode:
            raise NoCompiler(f"gcc cannot build {source.name}: {done.stderr.strip()[:400]}")
        made.rename(target)
    return ctypes.CDLL(str(target))


def srtp(*names: str) -> list[ctypes.c_void_p]:
    """Return functions of pylibsrtp's libsrtp as pointers."""
    return [handle(ffi.addressof(lib, name)) for name in names]


def handle(pointer: Any) -> ctypes.c_void_p:
    """Return a pointer of pylibsrtp's as one of ctypes."""
    return ctypes.c_void_p(int(ffi.cast("uintptr_t", pointer)))


@dataclass(frozen=True)
class Stream:
    """One encoding that an endpoint sends.

    `frames` are the packets of five frames in turn, `packet_bytes` the size of each before encryption; `extension`
    is the whole header extension, with the transport-wide number at `cc_at` and the sending time at `time_at`.
    """

    is_video: bool
    ssrc: int
    payload_type: int
    packet_bytes: int
    frames: tuple[int, int, int, int, int]
    extension: bytes
    cc_at: int
    time_at: int

    @property
    def rate(self) -> int:
        """The RTP clock in Hz."""
        return 90_000 if self.is_video else 48_000

    @property
    def period_ms(self) -> int:
        """The time from frame to frame."""
        return 40 if self.is_video else 20


@dataclass(frozen=True)
class Counts:
    """Sums over a group of endpoints. `refused`: what libsrtp refused; `unsent`: what the kernel did."""

    sent: int
    received: int
    verified: int
    refused: int
    unsent: int
    keys_asked: int
    asked_again: int


class Load:
    """The thread that sends and receives for every endpoint that was given to it."""

    def __init__(self) -> None:
        self._lib = library("load")
        self._lib.load_new.restype = ctypes.c_void_p
        for name in ("load_last_content", "load_take_delays"):
            getattr(self._lib, name).restype = ctypes.c_int64
        names = ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp")
        self._load = ctypes.c_void_p(self._lib.load_new(*srtp(*names)))
        self._delays = (ctypes.c_uint32 * ROOM)()
        self._groups = count()
        self.open_every(OPEN_EVERY)
        self._lib.load_start(self._load)

    def peer(self, group: int, fd: int, tx: Any, rx: Any, check: bytes) -> int:
        """Add an endpoint with its connected socket, its libsrtp handles and its STUN check; return its number."""
        number: int = self._lib.load_peer(self._load, group, fd, handle(tx), handle(rx), check, len(check))
        return number

    def stream(self, peer: int, stream: Stream, phase_s: float) -> None:
        """Let an endpoint send `stream`, its frames `phase_s` after the group's start."""
        failed = self._lib.load_stream(
            self._load,
            peer,
            int(stream.is_video),
            ctypes.c_uint32(stream.ssrc),
            stream.payload_type,
            stream.packet_bytes,
            stream.rate,
            ctypes.c_int64(stream.period_ms * 1_000_000),
            ctypes.c_int64(int(phase_s * 1e9)),
            bytes(stream.frames),
            stream.extension,
            len(stream.extension),
            stream.cc_at,
            stream.time_at,
        )
        if failed:
            raise ValueError("the load has no room for this stream")

    def activate(self, groups: Sequence[int]) -> None:
        """Let exactly these groups send."""
        self._lib.load_activate(self._load, ctypes.c_int64(sum(1 << group for group in groups)))

    def new_group(self) -> int:
        """Return a group that nobody belongs to."""
        return next(self._groups)

    def drop(self, group: int) -> None:
        """Forget the endpoints of a group, so that their sockets may be closed."""
        self._lib.load_drop(self._load, group)

    def open_every(self, n: int) -> None:
        """Decrypt and verify one packet in `n`."""
        self._lib.load_open_every(self._load, n)

    def counts(self, group: int) -> Counts:
        """Return the sums since the start."""
        found = (ctypes.c_int64 * 7)()
        self._lib.load_counts(self._load, group, found)
        return Counts(*found)

    def last_content(self, peer: int) -> float:
        """Return when content last reached an endpoint, by the wall clock in seconds; 0 where none did."""
        return float(self._lib.load_last_content(self._load, peer) / 1e9)

    def take_delays(self) -> tuple[array[float], float]:
        """Return the delays in ms since the last call, sorted, and the worst lateness of the load itself in ms."""
        late = ctypes.c_int64()
        found = self._lib.load_take_delays(self._load, self._delays, ctypes.c_int64(ROOM), ctypes.byref(late))
        return array("d", sorted(delay / 1e6 for delay in self._delays[:found])), late.value / 1e6

    def stop(self) -> None:
        """End the thread."""
        self._lib.load_stop(self._load)


class Floor:
    """The machine's floor on one socket: peers and routes are added, then `run`."""

    def __init__(self, fd: int, with_gso: bool) -> None:
        self._lib = library("floor")
        self._lib.floor_new.restype = ctypes.c_void_p
        self._floor = ctypes.c_void_p(self._lib.floor_new(fd, *srtp("srtp_protect", "srtp_unprotect"), int(with_gso)))

    def peer(self, address: tuple[str, int], rx: Any, tx: Any) -> int:
        """Add a peer; return its number."""
        number: int = self._lib.floor_peer(self._floor, address[0].encode(), address[1], handle(rx), handle(tx))
        return number

    def route(self, source_ssrc: int, sink: int, ssrc: int) -> None:
        """Send what comes under `source_ssrc` to a peer under `ssrc`; two sinks a source at most."""
        if self._lib.floor_route(self._floor, ctypes.c_uint32(source_ssrc), sink, ctypes.c_uint32(ssrc)):
            raise ValueError("the floor has no room for this route")

    def run(self) -> None:
        """Carry packets until the process is ended; the socket must block."""
        self._lib.floor_run(self._floor)
