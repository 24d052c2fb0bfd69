"""The configuration: a TOML file and BROKER_* variables, read into one frozen value. No file means embedded mode."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

CONFIG_VARIABLE = "BROKER_CONFIG"
DEFAULT_FILE = Path("broker.toml")
CHAIRS = ("base", "family", "laptop", "monitor", "hall")
STAFF_CHAIRS = ("base", "monitor", "hall")
WEAK_SECRETS = frozenset(
    {"", "changeme", "change-me", "change_me", "secret", "password", "pepper", "default", "example"}
)
MIN_SECRET_CHARS = 32
TURN_PORT = 3478  # RFC 8656 §3
TURN_URL = re.compile(r"turn:(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?(?:\?transport=udp)?")
MOST_WORKERS = 8  # a console has a connection to each; whoever measured that more help may set more
LAST_PORT = 65535
_DEFAULT_PORTS = {"http": 80, "https": 443}


class BadConfig(Exception):
    """The configuration cannot be read; the text names the setting, never a secret's value."""


class _Settings(BaseSettings):
    """What a file or the environment may set. The environment wins over the file."""

    model_config = SettingsConfigDict(env_prefix="BROKER_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    base_url: str = ""
    family_host: str = ""
    laptop_host: str = ""
    monitor_host: str = ""
    hall_host: str = ""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    media_host: str = ""
    media_port: int = Field(0, ge=0, le=65535)
    media_advertise: str = ""
    turn_urls: Annotated[tuple[str, ...], NoDecode] = ()
    turn_secret: SecretStr | None = None
    turn_secret_file: Path | None = None
    turn_lifetime_s: int = Field(600, ge=60, le=86_400)
    media_workers: int | None = Field(None, ge=0, le=64)
    data_dir: Path = Path("data")
    database: str = ""
    pepper: SecretStr | None = None
    zone: str = "Europe/London"
    language: str = "en"
    debug: bool = False
    log_format: Literal["text", "json"] = "text"

    @field_validator("turn_urls", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Take a variable's words, apart by commas or spaces, as well as a file's list."""
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_FILE)
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file))


@dataclass(frozen=True, slots=True)
class Config:
    """How this broker runs. Chairs' names are `host:port` as a browser sends them in `Host`."""

    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = "http://localhost:8080"
    chair_hosts: tuple[tuple[str, str], ...] = ()  # what is set apart from `<chair>.<base>`
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    media_host: str = "127.0.0.1"  # where the relay's UDP ports are bound
    media_port: int = 0  # the first of them; 0: any free ones
    media_advertise: str = "127.0.0.1"  # the address that browsers are told
    turn_urls: tuple[str, ...] = ()  # RFC 7065, over UDP; none: no TURN server
    turn_secret: str | None = None  # shared with the TURN server
    turn_lifetime_s: int = 600  # how long a credential may be used to allocate
    media_workers: int = 0  # processes of the relay, with a port each; 0: one port, in the broker's own process
    data_dir: Path = Path("data")
    database_url: str = ""
    pepper: str | None = None  # None: a file of the data directory, made at first use
    zone: str = "Europe/London"  # of halls' opening hours and of what staff pages show
    language: str = "en"
    debug: bool = False
    demo: bool = False  # set by the demo alone: no file or variable can set it
    training: bool = False  # set by `training` alone: every page says that these are no real calls
    log_format: str = "text"

    def __repr__(self) -> str:
        return f"Config(base_url={self.base_url!r}, host={self.host!r}, port={self.port!r})"

    @property
    def scheme(self) -> str:
        """Return `http` or `https`, as browsers see it."""
        return urlsplit(self.base_url).scheme

    def chair_host(self, chair: str) -> str:
        """Return the host name (and port) of a chair: `base`, `family`, `laptop`, `monitor` or `hall`."""
        base = urlsplit(self.base_url).netloc
        return base if chair == "base" else dict(self.chair_hosts).get(chair, f"{chair}.{base}")

    def origin(self, chair: str) -> str:
        """Return the chair's origin (RFC 6454): what its pages send as `Origin`."""
        return f"{self.scheme}://{self.chair_host(chair)}"

    @property
    def chairs(self) -> Mapping[str, str]:
        """Return host → chair, for every chair."""
        return {self.chair_host(chair): chair for chair in CHAIRS}

    def on_port(self, port: int) -> Config:
        """Return the same on another port, in the base URL and the chairs' hosts too (tests bind port 0)."""
        parts = urlsplit(self.base_url)
        moved = parts._replace(netloc=f"{parts.hostname}:{port}")
        hosts = tuple((chair, f"{host.rsplit(':', 1)[0]}:{port}") for chair, host in self.chair_hosts)
        return replace(self, port=port, base_url=moved.geturl(), chair_hosts=hosts)


def load(**overrides: Any) -> Config:
    """Return the configuration of this process; `overrides` are command line options.

    Raises:
        BadConfig: A setting is unknown or wrong, or the file is missing or not TOML.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise BadConfig(f"{CONFIG_VARIABLE}: no such file: {named}")
    try:
        settings = _Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise BadConfig("; ".join(_complaint(dict(fault)) for fault in error.errors())) from None
    except ValueError as error:  # TOML that does not parse
        raise BadConfig(str(error)) from None
    return _config(settings)


def _complaint(fault: Mapping[str, Any]) -> str:
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"


def _config(settings: _Settings) -> Config:
    base_url = (settings.base_url or f"http://localhost:{settings.port}").rstrip("/")
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError as error:
        raise BadConfig(f"base_url: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
        raise BadConfig("base_url: must be http://host[:port] or https://host[:port], without a path")
    if parts.port is not None and parts.port == _DEFAULT_PORTS[parts.scheme]:
        base_url = f"{parts.scheme}://{parts.hostname}"  # as browsers write `Host` and `Origin`
    try:
        ZoneInfo(settings.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadConfig("zone: no such time zone") from None
    set_apart = {chair: getattr(settings, f"{chair}_host") for chair in CHAIRS if chair != "base"}
    media_host = settings.media_host or settings.host
    return Config(
        host=settings.host,
        port=settings.port,
        base_url=base_url,
        chair_hosts=tuple((chair, host) for chair, host in set_apart.items() if host),
        tls_certificate=settings.tls_certificate,
        tls_key=settings.tls_key,
        media_host=media_host,
        media_port=settings.media_port,
        media_advertise=settings.media_advertise or media_host,
        turn_urls=_turn_urls(settings),
        turn_secret=_turn_secret(settings),
        turn_lifetime_s=settings.turn_lifetime_s,
        media_workers=_media_workers(settings),
        data_dir=settings.data_dir,
        database_url=settings.database or sqlite_url(settings.data_dir),
        pepper=settings.pepper.get_secret_value() if settings.pepper else None,
        zone=settings.zone,
        language=settings.language,
        debug=settings.debug,
        log_format=settings.log_format,
    )


def _turn_urls(settings: _Settings) -> tuple[str, ...]:
    for url in settings.turn_urls:
        turn_address(url)
    if settings.turn_urls and settings.turn_secret is None and settings.turn_secret_file is None:
        raise BadConfig("turn_urls: needs turn_secret or turn_secret_file")
    return settings.turn_urls


def _turn_secret(settings: _Settings) -> str | None:
    if settings.turn_secret is not None:
        return settings.turn_secret.get_secret_value()
    if settings.turn_secret_file is None:
        return None
    try:
        return settings.turn_secret_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadConfig(f"turn_secret_file: cannot be read: {settings.turn_secret_file}") from None


def turn_address(url: str) -> tuple[str, int]:
    """Return the host and UDP port of a TURN server's URI (RFC 7065 §3.1).

    Raises:
        BadConfig: It is none, or not over UDP.
    """
    found = TURN_URL.fullmatch(url)
    port = int(found["port"] or TURN_PORT) if found else 0
    if found is None or not 0 < port < 65536:
        raise BadConfig(f"turn_urls: must be turn:host[:port][?transport=udp], not {url!r}")
    return found["host"].strip("[]"), port


def _media_workers(settings: _Settings) -> int:
    workers = one_worker_a_core() if settings.media_workers is None else settings.media_workers
    if settings.media_port and settings.media_port + max(workers, 1) > LAST_PORT + 1:
        raise BadConfig(f"media_port: {workers} workers need as many ports from it on")
    return workers


def one_worker_a_core() -> int:
    """Return how many relay workers this machine gets: one for each core that we may use, within reason."""
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS)


def sqlite_url(data_dir: Path) -> str:
    """Return the address of the embedded database."""
    return f"sqlite:///{data_dir / 'broker.db'}"


def refusals(config: Config) -> list[str]:
    """Return why `serve` must not start with this configuration: keys of the catalogue, `cli.serve.refused.<code>`.

    That a database was made by the demo or for training stands in the database: `serve` asks it too (design README 19).
    """
    found = []
    if config.debug:
        found.append("debug")
    if config.demo:
        found.append("demo_mode")
    if config.training:
        found.append("training_mode")
    if config.pepper is not None and _is_weak(config.pepper):
        found.append("default_secret")
    if config.turn_secret is not None and _is_weak(config.turn_secret):
        found.append("weak_turn_secret")
    if config.scheme == "http" and not (_is_loopback(config.host) and _is_loopback(_host_of(config))):
        found.append("plain_http")
    return found


def _host_of(config: Config) -> str:
    return urlsplit(config.base_url).hostname or ""


def _is_weak(secret: str) -> bool:
    word = secret.strip().lower()
    return word in WEAK_SECRETS or len(word) < MIN_SECRET_CHARS or len(set(word)) < 8


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
