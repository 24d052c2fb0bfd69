"""The configuration: where it comes from, what is refused, and that a secret is never shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.config import BadConfig, Config, load, refusals, turn_address

STRONG = "kJ8w2Qz7vN4xT1bY6mR3cL9dF5gH0sPa"


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """No file and no variable of the machine's own."""
    import os

    for name in [name for name in os.environ if name.startswith("BROKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_a_file_it_is_embedded_on_loopback():
    config = load()

    assert (config.base_url, config.host, config.database_url) == (
        "http://localhost:8080",
        "127.0.0.1",
        "sqlite:///data/broker.db",
    )
    assert refusals(config) == []


def test_each_chair_has_its_own_name():
    assert load(port=9000).chairs == {
        "localhost:9000": "base",
        "family.localhost:9000": "family",
        "laptop.localhost:9000": "laptop",
        "monitor.localhost:9000": "monitor",
        "hall.localhost:9000": "hall",
    }


def test_a_name_may_be_set_apart(monkeypatch):
    monkeypatch.setenv("BROKER_BASE_URL", "https://calls.example.org/")
    monkeypatch.setenv("BROKER_FAMILY_HOST", "visits.example.org")

    config = load()

    assert (config.origin("family"), config.origin("hall")) == (
        "https://visits.example.org",
        "https://hall.calls.example.org",
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://calls.example.org:443", "calls.example.org"),
        ("http://localhost:80", "localhost"),
        ("https://a.example:8443", "a.example:8443"),
    ],
)
def test_a_host_is_named_as_browsers_name_it(url, host):
    assert load(base_url=url).chair_host("base") == host


def test_the_environment_wins_over_the_file_and_an_option_over_both(monkeypatch, tmp_path):
    (tmp_path / "broker.toml").write_text('port = 1\nhost = "127.0.0.2"\nzone = "UTC"\n')
    monkeypatch.setenv("BROKER_HOST", "127.0.0.3")

    config = load(port=2)

    assert (config.port, config.host, config.zone) == (2, "127.0.0.3", "UTC")


def test_a_port_that_was_free_moves_every_name():
    config = load(port=0).on_port(5123)

    assert config.chair_host("monitor") == "monitor.localhost:5123"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 70000", "port"),
        ('prot = "x"', "prot"),
        ("port = ", "TOML|value|Invalid"),
        ('base_url = "ftp://x"', "base_url"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, said):
    (tmp_path / "broker.toml").write_text(text)

    with pytest.raises(BadConfig, match=said):
        load()


@pytest.mark.parametrize("words", ["turn:a.example:3478 turn:[2001:db8::1]", "turn:a.example:3478,turn:[2001:db8::1]"])
def test_turn_servers_are_a_list_in_a_variable(monkeypatch, words):
    monkeypatch.setenv("BROKER_TURN_URLS", words)
    monkeypatch.setenv("BROKER_TURN_SECRET", STRONG)

    config = load()

    assert config.turn_urls == ("turn:a.example:3478", "turn:[2001:db8::1]")
    assert [turn_address(url) for url in config.turn_urls] == [("a.example", 3478), ("2001:db8::1", 3478)]
    assert STRONG not in repr(config)


def test_the_turn_secret_may_lie_in_a_file(tmp_path):
    (tmp_path / "secret").write_text(STRONG + "\n")
    (tmp_path / "broker.toml").write_text('turn_urls = ["turn:a.example"]\nturn_secret_file = "secret"\n')

    assert load().turn_secret == STRONG


@pytest.mark.parametrize("url", ["turns:a.example", "turn:a.example?transport=tcp", "turn:a:99999", "stun:a", "turn:"])
def test_a_turn_server_is_reached_over_udp(url):
    with pytest.raises(BadConfig, match="turn_urls"):
        load(turn_urls=[url], turn_secret=STRONG)


def test_a_turn_server_needs_its_secret():
    with pytest.raises(BadConfig, match="turn_secret"):
        load(turn_urls=["turn:a.example"])
    with pytest.raises(BadConfig, match="turn_secret_file"):
        load(turn_urls=["turn:a.example"], turn_secret_file="nowhere")


@pytest.mark.parametrize("secret", ["", "secret", "short", "a" * 40])
def test_a_weak_turn_secret_is_refused(secret):
    assert refusals(load(turn_urls=["turn:a.example"], turn_secret=secret)) == ["weak_turn_secret"]


def test_a_file_that_is_named_must_be_there(monkeypatch):
    monkeypatch.setenv("BROKER_CONFIG", "nowhere.toml")

    with pytest.raises(BadConfig, match="nowhere"):
        load()


def test_a_secret_is_never_part_of_a_message_or_of_the_value_shown(monkeypatch, tmp_path):
    monkeypatch.setenv("BROKER_PEPPER", STRONG)
    assert STRONG not in repr(load())

    (tmp_path / "broker.toml").write_text(f'pepper = ["{STRONG}"]')
    monkeypatch.delenv("BROKER_PEPPER")
    with pytest.raises(BadConfig) as error:
        load()
    assert STRONG not in str(error.value)


GOOD = Config(host="0.0.0.0", base_url="https://calls.example.org")


@pytest.mark.parametrize(
    ("config", "reasons"),
    [
        (GOOD, []),
        (replace(GOOD, pepper=STRONG), []),
        (replace(GOOD, debug=True), ["debug"]),
        (replace(GOOD, demo=True), ["demo_mode"]),
        (replace(GOOD, training=True), ["training_mode"]),
        (replace(GOOD, pepper="changeme"), ["default_secret"]),
        (replace(GOOD, pepper="a" * 64), ["default_secret"]),
        (replace(GOOD, pepper=""), ["default_secret"]),
        (replace(GOOD, base_url="http://calls.example.org"), ["plain_http"]),
        (replace(GOOD, base_url="http://localhost:8080"), ["plain_http"]),
        (replace(GOOD, host="127.0.0.1", base_url="http://calls.example.org"), ["plain_http"]),
        (replace(GOOD, host="::1", base_url="http://localhost:8080"), []),
        (replace(GOOD, host="127.0.0.1", base_url="http://127.0.0.1.example.org"), ["plain_http"]),
    ],
)
def test_what_serve_refuses(config, reasons):
    assert refusals(config) == reasons


def test_every_refusal_has_its_sentence():
    from broker.text import catalogue

    reasons = [
        "debug",
        "demo_mode",
        "demo_database",
        "training_mode",
        "training_database",
        "default_secret",
        "plain_http",
    ]

    assert [reason for reason in reasons if f"cli.serve.refused.{reason}" not in catalogue()] == []


def test_the_relay_has_a_worker_a_core_within_reason_and_takes_a_port_for_each(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(3)))
    assert load().media_workers == 3
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(96)))
    assert load().media_workers == 8
    monkeypatch.setenv("BROKER_MEDIA_WORKERS", "0")
    assert load().media_workers == 0
    monkeypatch.setenv("BROKER_MEDIA_WORKERS", "4")
    monkeypatch.setenv("BROKER_MEDIA_PORT", "65533")
    with pytest.raises(BadConfig, match="media_port"):
        load()
