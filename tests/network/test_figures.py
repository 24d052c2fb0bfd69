"""What a browser measured becomes figures: sound that was made up, pictures that stood, media that came back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.network.figures import back_after, reception, steps

EVERY_S = 0.2


def samples(count: int, **change: Any) -> list[dict[str, Any]]:
    """Return samples of a faultless call: 48,000 samples of sound and 15 frames a second, 100 kbit/s each way.

    `still` and `made_up` are (first, last) seconds of a picture that stands and of sound that is made up.
    """
    still, made_up = change.get("still", (0, 0)), change.get("made_up", (0, 0))
    frames = concealed = 0.0
    found = []
    for number in range(count):
        at = number * EVERY_S
        frames += 0 if still[0] <= at < still[1] else 15 * EVERY_S
        concealed += 48_000 * EVERY_S if made_up[0] <= at < made_up[1] else 0
        audio = {"totalSamplesReceived": 9600 * number, "concealedSamples": concealed, "bytesReceived": 800 * number}
        video = {"framesDecoded": frames, "frameHeight": 240, "bytesReceived": 1700 * number}
        audio["estimatedPlayoutTimestamp"], video["estimatedPlayoutTimestamp"] = 1000 + at, 980 + at
        out = [{"bytesSent": 2500 * number}]
        found.append({"at": at, "pc": 0, "audio": audio, "video": video, "out": out})
    return found


def test_a_faultless_call_has_nothing_to_complain_of() -> None:
    found = reception(samples(51), 0.0)
    assert (found.sound, found.freezes_per_min, found.without_picture_s) == (1.0, 0.0, 0.0)
    assert found.frames_per_s == pytest.approx(15)
    assert (found.skew_ms, found.skew_worst_ms) == (20, 20)
    assert (round(found.kbps_in), round(found.kbps_out)) == (100, 100)
    assert found.series[3] == (3.0, 100, 100, 240)


def test_sound_that_was_made_up_is_not_delivered() -> None:
    assert reception(samples(51, made_up=(2, 3)), 0.0).sound == pytest.approx(0.9)


def test_a_picture_that_stands_longer_than_a_second_is_a_freeze() -> None:
    assert reception(samples(51, still=(2, 2.5)), 0.0).freezes_per_min == 0
    found = reception(samples(51, still=(2, 4)), 0.0)
    assert (found.freezes_per_min, found.without_picture_s) == (6, pytest.approx(2.2, abs=0.25))


def test_a_picture_that_never_comes_back_is_a_freeze_too() -> None:
    assert reception(samples(51, still=(5, 11)), 0.0).without_picture_s == pytest.approx(5.2, abs=0.25)


def test_media_is_back_once_picture_and_sound_go_on() -> None:
    assert back_after(steps(samples(101)), 4.0) == pytest.approx(0, abs=EVERY_S)
    assert back_after(steps(samples(101, still=(2, 7))), 4.0) == pytest.approx(3, abs=EVERY_S)
    assert back_after(steps(samples(101, made_up=(2, 9))), 4.0) == pytest.approx(5, abs=EVERY_S)
    assert back_after(steps(samples(101, still=(2, 30))), 4.0) is None


def test_a_new_connection_begins_its_counts_anew() -> None:
    first, second = samples(10), samples(20)
    for number, sample in enumerate(second):
        sample["pc"], sample["at"] = 1, 2 + number * EVERY_S
    found = reception([*first, *second], 0.0)
    assert (found.sound, found.frames_per_s, found.connections) == (1.0, pytest.approx(15), 2)
