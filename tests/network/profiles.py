"""Named networks as data: what a party's access line does to packets, each way, and where its numbers come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.network.impairment import Conditions, Loss, Path

TROUBLE_AT_S = 15.0  # when something happens on a line that is else steady: calls have settled by then


@dataclass(frozen=True, slots=True)
class Profile:
    """One access line. `up` is the party's direction to the relay.

    Attributes:
        reason: Where the numbers come from.
        clients: How many parties share the line, its rates and its queues.
        trouble_s: (first second, last second) of what the profile is about, where that is not all the time.
        moves_s: The seconds at which the line takes a new address.
    """

    name: str
    up: Path
    down: Path
    reason: str
    clients: int = 1
    trouble_s: tuple[float, float] | None = None
    moves_s: tuple[float, ...] = ()


def _both(name: str, path: Path, reason: str, **more: object) -> Profile:
    return Profile(name, path, path, reason, **more)  # type: ignore[arg-type]


def _moving(good_bps: float) -> Path:
    """A minute on the road: the rate follows the cell, and every hand-over is a gap."""
    shares = ((0.0, 1.0), (12.0, 0.4), (20.0, 0.12), (28.0, 0.5), (40.0, 0.8), (52.0, 0.25))
    loss = Loss.bursts(0.01, 4)
    steps = tuple(
        (at, Conditions(loss=loss, delay_s=0.035, jitter_s=0.02, rate_bps=good_bps * share, queue_s=0.4))
        for at, share in shares
    )
    return Path(steps, blackouts=((20.0, 20.4), (40.0, 40.4)), every_s=60.0)


_MILD = Conditions(delay_s=0.03, jitter_s=0.005)
_BURST = Conditions(loss=Loss.bursts(0.2, 3), delay_s=0.03, jitter_s=0.005)

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        _both(
            "office",
            Path.steady(Conditions(delay_s=0.005, jitter_s=0.001, rate_bps=100e6)),
            "Wired, 100 Mbit/s, the relay in the same country. The control: what the other rows are compared with.",
        ),
        Profile(
            "home Wi-Fi",
            Path.steady(Conditions(Loss.bursts(0.003, 3), 0.012, 0.008, rate_bps=14e6)),
            Path.steady(Conditions(Loss.bursts(0.003, 3), 0.012, 0.008, rate_bps=64e6)),
            "64 down and 14 Mbit/s up are the means of UK home broadband (Ofcom, report on November 2019). That Wi-Fi"
            " adds some milliseconds of jitter and short bursts of loss is our assumption.",
        ),
        Profile(
            "4G moving",
            _moving(4e6),
            _moving(12e6),
            "12 Mbit/s and 70 ms there and back are WebPageTest's LTE profile; the steps down to an eighth of it, the"
            " two gaps of 0.4 s a minute for hand-overs and 1 % loss in bursts are our assumption of a moving car.",
        ),
        Profile(
            "3G",
            Path.steady(Conditions(Loss.bursts(0.01, 3), 0.05, 0.03, rate_bps=250e3, queue_s=0.6)),
            Path.steady(Conditions(Loss.bursts(0.01, 3), 0.05, 0.03, rate_bps=750e3, queue_s=0.6)),
            "750 kbit/s down, 250 up and 100 ms there and back are the “regular 3G” of browsers' developer tools;"
            " queue, jitter and loss are ours: mobile networks queue long and lose little.",
        ),
        Profile(
            "satellite",
            Path.steady(Conditions(Loss.bursts(0.005, 5), 0.27, 0.01, rate_bps=2e6, queue_s=0.4)),
            Path.steady(Conditions(Loss.bursts(0.005, 5), 0.27, 0.01, rate_bps=10e6, queue_s=0.4)),
            "Geostationary: about 260 ms one way (ITU-T G.114) and some processing; rates of a small terminal; bursts"
            " of loss are our assumption.",
        ),
        Profile(
            "prison ADSL, 12 laptops",
            Path.steady(Conditions(Loss.bursts(0.001, 2), 0.02, 0.005, rate_bps=1.3e6, queue_s=0.5)),
            Path.steady(Conditions(Loss.bursts(0.001, 2), 0.02, 0.005, rate_bps=8e6, queue_s=0.5)),
            "8 Mbit/s down and 1.3 up are the most that ADSL (ITU-T G.992.1) brings. Twelve calls share it: 108 kbit/s"
            " up for each, headers included, of which sound alone takes about 60.",
            clients=12,
        ),
        _both(
            "5 % loss",
            Path.steady(Conditions(Loss.bursts(0.05, 2), 0.08, 0.03)),
            "The figure asked for: 5 % loss, 80 ± 30 ms, here in bursts of two on average, both ways.",
        ),
        _both(
            "20 % burst",
            Path(((0.0, _MILD), (TROUBLE_AT_S, _BURST), (TROUBLE_AT_S + 10, _MILD))),
            "The figure asked for: 20 % loss for 10 s, in bursts of three on average, on an otherwise good line.",
            trouble_s=(TROUBLE_AT_S, TROUBLE_AT_S + 10),
        ),
        _both(
            "blackout",
            Path.steady(_MILD, (TROUBLE_AT_S, TROUBLE_AT_S + 8)),
            "The figure asked for: nothing passes for 8 s.",
            trouble_s=(TROUBLE_AT_S, TROUBLE_AT_S + 8),
        ),
        _both(
            "address change",
            Path.steady(_MILD),
            "A router that forgets its mapping, or a telephone that leaves Wi-Fi: another address, without warning.",
            trouble_s=(TROUBLE_AT_S, TROUBLE_AT_S),
            moves_s=(TROUBLE_AT_S,),
        ),
    )
}
