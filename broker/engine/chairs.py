"""The chairs: who sits at the other end of a page or a socket, once a secret has shown it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broker.domain.permissions import Asker, HeldPost, Who, staff_asker
from broker.domain.records import ConsoleDevice, Device, Grant, Link, Staff, StaffSession, SynthCredential


@dataclass(frozen=True, slots=True)
class FamilyChair:
    """A family's page, by its link: one leg of one call, until the link closes."""

    link: Link

    @property
    def call_id(self) -> str:
        """Return the call, which is the visit."""
        return self.link.visit_id

    @property
    def leg_id(self) -> str:
        """Return the family's leg of the call."""
        return f"{self.link.visit_id}.2"

    @property
    def establishment(self) -> str:
        """Return where the call is."""
        return self.link.establishment

    @property
    def until(self) -> datetime:
        """Return when the chair ends by itself."""
        return self.link.closes_at

    @property
    def keys(self) -> frozenset[str]:
        """Return what, revoked, ends this chair."""
        return frozenset({f"link:{self.link.id}", f"visit:{self.link.visit_id}"})

    def asker(self) -> Asker:
        """Return who asks, for the permission table."""
        return Asker(Who.FAMILY, leg_id=self.leg_id, establishment=self.establishment)


@dataclass(frozen=True, slots=True)
class LaptopChair:
    """An enrolled laptop in a hall."""

    device: Device

    @property
    def establishment(self) -> str:
        """Return where the laptop is."""
        return self.device.establishment

    @property
    def until(self) -> datetime | None:
        """Return when the laptop's assurance runs out, if it does."""
        return self.device.assured_until

    @property
    def keys(self) -> frozenset[str]:
        """Return what, revoked, ends this chair."""
        return frozenset({f"device:{self.device.id}"})

    def asker(self, leg_id: str | None = None) -> Asker:
        """Return who asks; `leg_id` is the leg that the laptop serves now."""
        return Asker(Who.LAPTOP, leg_id=leg_id, device_id=self.device.id, establishment=self.establishment)


@dataclass(frozen=True, slots=True)
class StaffChair:
    """A signed-in member of staff on one of the staff pages."""

    session: StaffSession
    staff: Staff
    grants: tuple[Grant, ...]
    console: ConsoleDevice | None = None  # what this browser is enrolled as, when the ticket was asked for

    @property
    def number(self) -> str:
        """Return the staff number: the person, whatever the account is called."""
        return self.staff.number

    @property
    def until(self) -> datetime:
        """Return when the sign-in ends by itself."""
        return self.session.expires_at

    @property
    def keys(self) -> frozenset[str]:
        """Return what, revoked, ends this chair."""
        return frozenset({f"session:{self.session.id}", f"staff:{self.staff.number}"})

    def asker(self, held: HeldPost | None = None) -> Asker:
        """Return who asks, and the post they hold."""
        return staff_asker(self.number, ((grant.role, grant.establishment) for grant in self.grants), held)


Chair = FamilyChair | LaptopChair | StaffChair


def synthetic_asker(credential: SynthCredential) -> Asker:
    """Return who asks with the credential of a synthetic establishment."""
    return Asker(Who.SYNTHETIC, establishment=credential.establishment)
