"""`serve`, `demo`, `import`, `audit verify`, `check-call`, `turn-config`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.cli import record, training
from broker.cli.places import CREDENTIAL_FILE
from broker.cli.tools import FAILED, OPERATOR, configuration, err, fail, in_office, read_file, say, tell, words
from broker.config import BadConfig, Config, refusals
from broker.coturn import coturn_configuration
from broker.edge.assets import NotInstalled
from broker.engine.csvlines import Fault
from broker.engine.importer import Result
from broker.engine.office import Office
from broker.engine.photos import PhotosTaken
from broker.ports import LogUnavailable
from broker.storage.anchors import ANCHOR_FILE
from broker.storage.database import database_url
from broker.storage.keys import PUBLIC_FILE, PublicKey
from broker.storage.verify import verify_database

PHOTO_FILES = frozenset({".jpg", ".jpeg", ".png"})
MADE_UP = {"demo": "demo_database", "training": "training_database"}  # who made it: why `serve` refuses it
CREDENTIAL_VARIABLE = "BROKER_CREDENTIAL"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("serve", help=words("cli.help.serve"))(serve)
    app.command("demo", help=words("cli.help.demo"))(demo)
    app.command("import", help=words("cli.help.import"))(take)
    app.command("import-photos", help=words("cli.help.import_photos"))(take_photos)
    app.command("check-call", help=words("cli.help.check_call"))(check_call)
    app.command("turn-config", help=words("cli.help.turn_config"))(turn_config)
    audit = typer.Typer(help=words("cli.help.audit"), no_args_is_help=True)
    audit.command("verify", help=words("cli.help.audit_verify"))(verify)
    record.add_to(audit)
    training.add_to(app, audit)
    app.add_typer(audit, name="audit")


def serve(
    host: Annotated[str | None, typer.Option(help=words("cli.help.host"))] = None,
    port: Annotated[int | None, typer.Option(help=words("cli.help.port"))] = None,
) -> None:
    """Run the broker until it is told to stop."""
    config = configuration(host=host, port=port)
    reasons = refusals(config)
    reasons += in_office(_made_up, config)
    if reasons:
        for reason in reasons:
            sentence = words(f"cli.serve.refused.{reason}")
            err.print(sentence, style="bold red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(FAILED)
    from broker.bootstrap import serve as run  # the relay and the pages load here, not for `staff add`

    try:
        status = run(config)
    except LogUnavailable as error:
        fail("cli.storage", detail=str(error))
    except (OSError, ValueError, NotInstalled) as error:
        fail("cli.cannot_open", detail=str(error))
    raise typer.Exit(status)


async def _made_up(office: Office, config: Config) -> list[str]:
    maker = await office.directory.fact("made_by")
    return [MADE_UP[maker]] if maker in MADE_UP else []


def demo(
    port: Annotated[int, typer.Option(help=words("cli.help.port"))] = 8080,
    calls: Annotated[int, typer.Option(min=0, max=20, help=words("cli.help.calls"))] = 3,
    data_dir: Annotated[Path, typer.Option(help=words("cli.help.data_dir"))] = Path("data/demo"),
) -> None:
    """Run the demo until Ctrl-C."""
    from broker.demo import run

    raise typer.Exit(run(port, calls, data_dir))


def take(
    people: Annotated[Path, typer.Argument(help=words("cli.help.people_file"))],
    visits: Annotated[Path, typer.Argument(help=words("cli.help.visits_file"))],
) -> None:
    """Import people and visits of one establishment; all of both files, or nothing."""
    files = ((people.name, read_file(people)), (visits.name, read_file(visits)))

    async def work(office: Office, config: Config) -> Result:
        return await office.importer.take(files[0], files[1], OPERATOR)

    result = in_office(work)
    tell_faults(result.faults)
    say("cli.import.taken", people=result.people, visits=result.visits, unchanged=result.unchanged)


def tell_faults(faults: Sequence[Fault]) -> None:
    """Tell what is wrong with a file, line by line, and end with 1 where anything is."""
    for fault in faults:
        err.print(_sentence(fault), markup=False, highlight=False, soft_wrap=True)
    if faults:
        fail("cli.import.nothing_taken", n=len(faults))


def take_photos(
    establishment: Annotated[str, typer.Argument(help=words("cli.help.establishment"))],
    folder: Annotated[Path, typer.Argument(help=words("cli.help.photos_folder"))],
) -> None:
    """Take the photos on file in a folder: each file is named by the contact's reference; all of them, or none."""
    found = [path for path in sorted(folder.glob("*")) if path.suffix.lower() in PHOTO_FILES]
    if not found:
        fail("cli.photos.none", folder=str(folder))
    stems = Counter(path.stem for path in found)
    twice = [path.name for path in found if stems[path.stem] > 1]
    if twice:
        fail("cli.photos.twice", names=", ".join(twice))
    files = {path.stem: read_file(path) for path in found}

    async def work(office: Office, config: Config) -> PhotosTaken:
        return await office.photos.take(establishment.upper(), files, OPERATOR)

    result = in_office(work)
    if result.unknown or result.bad:
        for key, names in (("unknown", result.unknown), ("bad", result.bad)):
            if names:
                err.print(words(f"cli.photos.{key}", names=", ".join(names)), markup=False, highlight=False)
        fail("cli.photos.nothing_taken")
    say("cli.photos.taken", n=result.taken, unchanged=result.unchanged)


def _sentence(fault: Fault) -> str:
    key = fault.code if fault.code.startswith("refused.") else f"cli.import.fault.{fault.code}"
    where = words("cli.import.where", file=fault.file, line=fault.line)
    column = words("cli.import.column", column=fault.column) if fault.column else ""
    return f"{where}{column} {words(key)}"


def verify(
    database: Annotated[str | None, typer.Option(help=words("cli.help.database"))] = None,
    anchors: Annotated[Path | None, typer.Option(help=words("cli.help.anchors"))] = None,
    key: Annotated[Path | None, typer.Option(help=words("cli.help.key"))] = None,
) -> None:
    """Check the whole record; end with 1 at the first entry that does not fit."""
    config = configuration()
    url = database or config.database_url
    try:
        folder = _evidence_folder(url, config)
        report = verify_database(url, _public_key(key or folder / PUBLIC_FILE), _anchors(anchors, folder))
    except LogUnavailable as error:
        fail("cli.storage", detail=str(error))
    except (OSError, ValueError) as error:
        fail("cli.cannot_open", detail=str(error))
    if report.fault is not None:
        fault = report.fault
        fail("cli.audit.broken", stream=fault.stream, seq=fault.seq, reason=words(f"cli.audit.fault.{fault.code}"))
    values = {"records": report.records, "streams": report.streams, "checkpoints": report.checkpoints}
    say("cli.audit.whole", **values, anchors=report.anchors, uncovered=report.uncovered)


def _evidence_folder(url: str, config: Config) -> Path:
    """Return where the key and the anchors are: beside a SQLite file that has them, else in the data directory."""
    parsed = database_url(url)
    if parsed.get_backend_name() == "sqlite" and (beside := Path(str(parsed.database)).parent / PUBLIC_FILE).is_file():
        return beside.parent
    return config.data_dir


def _public_key(file: Path) -> PublicKey:
    """Return the key; where no checkpoint was ever signed there is none, and a fresh one finds any that is there."""
    return PublicKey.from_file(file) if file.is_file() else PublicKey(Ed25519PrivateKey.generate().public_key())


def _anchors(file: Path | None, folder: Path) -> Path | None:
    """Return the anchor file: one that is named must be there; without a key and a file there is none yet."""
    if file is not None:
        return file
    kept = folder / ANCHOR_FILE  # a key that was taken away must not make us forget the anchors
    return kept if kept.is_file() or (folder / PUBLIC_FILE).is_file() else None


def check_call(
    url: Annotated[str, typer.Option(help=words("cli.help.url"))] = "http://localhost:8080",
    count: Annotated[int, typer.Option(min=1, max=200, help=words("cli.help.count"))] = 3,
    json: Annotated[bool, typer.Option("--json", help=words("cli.help.json"))] = False,
    credential_file: Annotated[Path | None, typer.Option(help=words("cli.help.credential_file"))] = None,
) -> None:
    """Drive whole synthetic calls against a running broker, and say what was found."""
    from broker.synthetic.check import run

    raise typer.Exit(run(url, count, _credential(credential_file), json))


def _credential(file: Path | None) -> str:
    """Return the credential: from the file named, the environment, or where `synthetic create` and the demo put it."""
    if file is not None:
        return read_file(file).decode("ascii", "replace").strip()
    if CREDENTIAL_VARIABLE in os.environ:
        return os.environ[CREDENTIAL_VARIABLE].strip()
    folders = (configuration().data_dir, Path("data/demo"))
    kept = next((folder / CREDENTIAL_FILE for folder in folders if (folder / CREDENTIAL_FILE).is_file()), None)
    if kept is None:
        fail("cli.check.no_credential", variable=CREDENTIAL_VARIABLE)
    return read_file(kept).decode("ascii", "replace").strip()


def turn_config() -> None:
    """Print turnserver.conf."""
    from broker.media.local import LOOPBACK, own_addresses

    config = configuration()
    if "weak_turn_secret" in refusals(config):
        fail("cli.serve.refused.weak_turn_secret")
    alone = config.media_host == config.media_advertise == LOOPBACK
    try:
        text = coturn_configuration(config, own_addresses() if alone else (config.media_advertise,))
    except BadConfig as error:
        fail("cli.bad_config", detail=str(error))
    tell(text)
