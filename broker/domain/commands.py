"""What may be asked of a call. Imperative; `actor` is already authenticated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broker.domain.actors import Actor
from broker.domain.codes import EndReason, IdentityReason, PauseReason, RiskReason, Step, Warning
from broker.domain.observation import Span
from broker.domain.task_events import PersonCheck


@dataclass(frozen=True, slots=True)
class Command:
    """Any command."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class ArriveLeg(Command):
    """A leg opened its page with a valid credential."""

    leg_id: str
    credential_until: datetime
    device_id: str | None = None


@dataclass(frozen=True, slots=True)
class AcceptConsent(Command):
    """The notice of that version was accepted."""

    leg_id: str
    notice_version: str


@dataclass(frozen=True, slots=True)
class ReportCheck(Command):
    """The camera and microphone check was done."""

    leg_id: str
    camera: str
    microphone: str


@dataclass(frozen=True, slots=True)
class Progress(Command):
    """A leg has come to a step."""

    leg_id: str
    step: Step


@dataclass(frozen=True, slots=True)
class EnterLobby(Command):
    """A leg waits."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class ConnectMedia(Command):
    """The relay says: the leg's media is up."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LoseMedia(Command):
    """The relay says: the leg's media is lost."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LeaveLeg(Command):
    """The person leaves for good."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class AskHelp(Command):
    """Somebody at a leg asks for staff, or does not need them any more."""

    leg_id: str
    raised: bool = True


@dataclass(frozen=True, slots=True)
class GiveHelp(Command):
    """A post says that it has dealt with who asked."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class Verify(Command):
    """Admit a leg: these people were seen to be who they are. Permissive: needs a version."""

    leg_id: str
    people: frozenset[str]
    version: int
    checks: tuple[PersonCheck, ...] = ()  # one for each person of a leg from outside


@dataclass(frozen=True, slots=True)
class RefuseLeg(Command):
    """The identity check failed. A refusal without its reason acts too: it is restrictive."""

    leg_id: str
    reason: IdentityReason | None = None


@dataclass(frozen=True, slots=True)
class Pause(Command):
    """Hold the call at once. Restrictive: never refused for a version."""


@dataclass(frozen=True, slots=True)
class GiveReason(Command):
    """Say why a hold was placed."""

    hold_id: str
    reason: PauseReason


@dataclass(frozen=True, slots=True)
class Relabel(Command):
    """Make one's own security pause a technical one."""

    hold_id: str


@dataclass(frozen=True, slots=True)
class Undo(Command):
    """Take one's own pause back."""

    hold_id: str


@dataclass(frozen=True, slots=True)
class Clear(Command):
    """Clear a hold. Permissive: needs a version."""

    hold_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Warn(Command):
    """Show a canned warning at every leg, or at those named."""

    warning: Warning
    legs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShowWarning(Command):
    """A leg's page has shown a warning."""

    leg_id: str
    warning_id: str


@dataclass(frozen=True, slots=True)
class End(Command):
    """End the call for good. Restrictive."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class Observe(Command):
    """A monitor's console attaches, with the video line for each leg; `focus` adds the sound."""

    lines: tuple[tuple[str, int], ...]
    focus: bool = False


@dataclass(frozen=True, slots=True)
class StopObserving(Command):
    """A monitor's console detaches."""


@dataclass(frozen=True, slots=True)
class RecordObservation(Command):
    """A stretch of proven display is over, or has lasted so long that it is put on record."""

    span: Span


@dataclass(frozen=True, slots=True)
class Revoke(Command):
    """A leg's credential is no longer good: link revoked, device revoked."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class Bar(Command):
    """People of the call now stand under a restriction."""

    people: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unbar(Command):
    """The restriction on these people was lifted. What it held stays held until a person clears it."""

    people: frozenset[str]


@dataclass(frozen=True, slots=True)
class SetLimit(Command):
    """The latest end has changed: another visit was booked at the seat, or one was cancelled."""

    latest_end: datetime


@dataclass(frozen=True, slots=True)
class Cancel(Command):
    """The visit was cancelled."""


@dataclass(frozen=True, slots=True)
class Recover(Command):
    """The call was rebuilt from the record by a new owner, `gap_s` seconds after the last sign of the old one."""

    gap_s: float


@dataclass(frozen=True, slots=True)
class AssessRisk(Command):
    """The rules were asked again: the tier that they give, and why."""

    tier: int
    reasons: tuple[RiskReason, ...]


@dataclass(frozen=True, slots=True)
class SetTier(Command):
    """An authorising person sets the tier, whatever the rules say, and says why."""

    tier: int
    reason: str


@dataclass(frozen=True, slots=True)
class StartLook(Command):
    """A monitor looks at a privileged call, with the console's video line for each leg. Never any sound."""

    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class StopLook(Command):
    """The monitor has seen enough."""


@dataclass(frozen=True, slots=True)
class RefuseLooks(Command):
    """A caller of a privileged call does not want to be looked at: the hall patrols instead."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LogPatrol(Command):
    """The supervisor has walked past."""


@dataclass(frozen=True, slots=True)
class MakePrivileged(Command):
    """From now on the call is of this privileged kind. Never the reverse."""

    kind: str


@dataclass(frozen=True, slots=True)
class Tick(Command):
    """Time has passed; evidence may have changed."""
