"""Synthetic people: each picture and voice tells who it is, and a loop is made of whole keyframed stretches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from broker.synthetic import picture, voice
from broker.synthetic.people import KEYFRAME_EVERY, PEOPLE, Person, person, who_is_heard, who_is_seen


@pytest.mark.parametrize("number", [0, 1, 2, 37, 128, 255])
def test_a_picture_tells_whose_it_is(number: int) -> None:
    assert picture.read_marker(picture.draw(number, 40)) == number


def test_a_scaled_picture_still_tells_whose_it_is() -> None:
    assert picture.read_marker(np.repeat(np.repeat(picture.draw(5, 0), 2, axis=0), 2, axis=1)) == 5


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_picture_is_nobodys(shade: int) -> None:
    assert picture.read_marker(np.full((240, 320, 3), shade, np.uint8)) is None


def test_a_picture_moves() -> None:
    first, later = picture.draw(3, 0).astype(int), picture.draw(3, 15).astype(int)
    assert np.abs(first - later).mean() > 2


def test_the_walls_of_a_dozen_people_are_told_apart_by_colour() -> None:
    walls = [picture.look(number).wall for number in range(12)]
    nearest = min(np.abs(np.subtract(one, other)).sum() for one, other in itertools.combinations(walls, 2))
    assert nearest > 40


def test_voices_keep_their_distance_and_no_fundamental_is_anothers_harmonic() -> None:
    tones = sorted(voice.fundamental_hz(number) for number in range(voice.VOICES))
    assert min(later - earlier for earlier, later in itertools.pairwise(tones)) >= 6
    assert tones[-1] < 2 * tones[0]


@pytest.mark.parametrize("number", [0, 13, 31])
def test_half_a_second_of_a_voice_tells_whose_it_is(number: int) -> None:
    spoken = voice.speak(number)
    assert voice.who_speaks(spoken[48_000:78_000]) == number


def test_silence_and_noise_are_nobodys_voice() -> None:
    assert voice.who_speaks(np.zeros(48_000, np.int16)) is None
    noise = np.random.default_rng(1).normal(0, 3000, 48_000)
    assert voice.who_speaks(noise) is None


def test_the_next_keyframe_goes_round_the_loop() -> None:
    anybody = Person(0, (b"",) * 90, (0, 30, 60), (), ())
    assert [anybody.next_keyframe(at) for at in (0, 1, 30, 61, 89)] == [0, 30, 30, 0, 0]


@pytest.mark.flow
def test_an_encoded_person_is_seen_and_heard_as_itself_over_a_loop_of_ten_seconds() -> None:
    one = person(9)
    assert len(one.video) == picture.FRAMES
    assert len(one.audio) == 500
    assert one.keyframes == tuple(range(0, picture.FRAMES, KEYFRAME_EVERY))
    assert max(map(len, one.video)) < 6000
    for start in one.keyframes:
        assert set(who_is_seen(one.video[start : start + 10])) == {9}
    assert {who_is_heard(one.audio[start : start + 30]) for start in (0, 150, 400)} == {9}


def test_there_is_no_person_beyond_the_last() -> None:
    with pytest.raises(ValueError, match="no synthetic person"):
        person(PEOPLE)
