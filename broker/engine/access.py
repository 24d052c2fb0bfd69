"""Access: how a link, a laptop's code or a cookie becomes a chair, and a chair a ticket (reliability.md 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from broker.domain.bookings import barred, no_contact
from broker.domain.records import ConsoleDevice, Device, Link, Scope, SynthCredential, Visit
from broker.engine.accounts import Accounts
from broker.engine.chairs import Chair, FamilyChair, LaptopChair, StaffChair
from broker.engine.denials import Denials
from broker.engine.revocations import Revocations
from broker.engine.secrets import Secrets, new_id, new_token
from broker.engine.stream import Change, Fact, Streams
from broker.engine.tickets import Tickets
from broker.ports import Clock, Directory

MAX_SECRET_CHARS = 128
_JOIN = "~"  # between the browser's key and the link's token in the family cookie; in neither alphabet


class AccessRefused(Exception):
    """No chair. `code`: `link_invalid`, `link_elsewhere`, `laptop_unknown` or `signed_out`: all that is told."""

    def __init__(self, code: str, link: Link | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.link = link  # of `link_elsewhere`: for staff, never for the browser


@dataclass(frozen=True, slots=True)
class Seated:
    """A chair, the ticket for its socket, and what the browser keeps in its cookie."""

    chair: Chair
    ticket: str
    cookie: str


class Access:
    """Everything that is let in by a secret."""

    def __init__(
        self,
        directory: Directory,
        streams: Streams,
        secrets: Secrets,
        accounts: Accounts,
        revocations: Revocations,
        denials: Denials,
        clock: Clock,
        zone: tzinfo,
    ) -> None:
        self._directory = directory
        self._streams = streams
        self._secrets = secrets
        self._accounts = accounts
        self._clock = clock
        self._zone = zone
        self.tickets = Tickets(clock)
        self.revocations = revocations
        self.denials = denials

    # --- the family's link ---------------------------------------------------

    async def redeem_link(self, token: str, cookie: str | None) -> Seated:
        """Seat a family by its link, and bind the link to this browser the first time.

        Args:
            token: What stood behind the `#` of the link.
            cookie: The browser's `family` cookie, if it has one: whatever link it came from.

        Raises:
            AccessRefused: `link_invalid` for a wrong, early, expired, revoked or cancelled link, all alike;
                `link_elsewhere` where another browser came first.
            LogUnavailable: The first use cannot be recorded.
        """
        key = self._browser_key(cookie)
        link = await self._standing_link(token)
        bound = self._secrets.hash("browser", key)
        if link.bound_hash is None:
            link = await self._bind(token, link, bound)
        elif link.bound_hash != bound:
            self.denials.stranger("link_elsewhere")
            raise AccessRefused("link_elsewhere", link)
        return self._seat(FamilyChair(link), f"{key}{_JOIN}{token}")

    async def family_ticket(self, cookie: str | None) -> Seated:
        """Seat the family that this browser's cookie was given to. Raises AccessRefused `signed_out`."""
        key, _, token = (cookie or "").partition(_JOIN)
        try:
            link = await self._standing_link(token)
        except AccessRefused:
            raise AccessRefused("signed_out") from None
        if link.bound_hash is None or link.bound_hash != self._secrets.hash("browser", key):
            raise AccessRefused("signed_out")
        return self._seat(FamilyChair(link), f"{key}{_JOIN}{token}")

    def _browser_key(self, cookie: str | None) -> str:
        key = (cookie or "").partition(_JOIN)[0]
        return key if 40 <= len(key) <= 64 else new_token()

    async def _standing_link(self, token: str) -> Link:
        link = None
        if 0 < len(token) <= MAX_SECRET_CHARS:
            link = await self._directory.link_by_hash(self._secrets.hash("link", token))
        if link is None or not await self._admits(link):
            self.denials.stranger("link_invalid")
            raise AccessRefused("link_invalid")
        return link

    async def _admits(self, link: Link) -> bool:
        """Say whether the link stands, and no contact is forbidden today; of a suspension the page itself tells."""
        visit = await self._visit_of(link)
        if visit is None:
            return False
        now = self._clock.now()
        kept_out = await self.barred(link.establishment, [link.contact_id], now, visit.prisoner_number, suspended=False)
        return link.contact_id not in kept_out

    async def _visit_of(self, link: Link) -> Visit | None:
        """Return the visit that the link opens now; None where it is early, old, revoked or cancelled."""
        if link.revoked_at is not None or not link.opens_at <= self._clock.now() < link.closes_at:
            return None
        if not self.revocations.stands(FamilyChair(link)):
            return None
        visit = await self._directory.visit(Scope(frozenset({link.establishment})), link.visit_id)
        standing = visit is not None and visit.cancelled_at is None and link.contact_id in visit.contact_ids
        return visit if standing else None

    async def barred(
        self,
        establishment: str,
        contact_ids: Iterable[str],
        on: datetime,
        prisoner_number: str | None = None,
        *,
        suspended: bool = True,
    ) -> frozenset[str]:
        """Return which of these contacts a restriction keeps out on that day: asked at the link and at the lobby.

        Args:
            prisoner_number: Whose list they are on, where that is known: fewer rows are read.
            suspended: Whether suspensions count: they do at every join, and in no call that is live.
        """
        scope = Scope(frozenset({establishment}))
        found = await self._directory.restrictions(scope)
        restrictions = found if suspended else no_contact(found)
        everybody = any(row.prisoner_number is None for row in restrictions)  # one person may be on several lists
        contacts = await self._directory.contacts(scope, None if everybody else prisoner_number)
        wanted = set(contact_ids)
        people = [contact for contact in contacts if contact.id in wanted]
        shut = {row.number for row in await self._directory.prisoners(scope) if row.no_contact_all}
        restricted = barred(people, contacts, restrictions, on.astimezone(self._zone))
        return restricted | {contact.id for contact in people if contact.prisoner_number in shut}

    async def _bind(self, token: str, link: Link, bound: str) -> Link:
        async def work() -> Change:
            current = await self._directory.link_by_hash(self._secrets.hash("link", token))
            if current is None or current.revoked_at is not None:
                raise AccessRefused("link_invalid")
            if current.bound_hash not in {None, bound}:
                raise AccessRefused("link_elsewhere", current)
            body = {"link_id": link.id, "visit_id": link.visit_id}
            return Change([Fact("link.bound", body)], [replace(current, bound_hash=bound)])

        await self._streams.establishment(link.establishment).change(f"leg:{link.visit_id}.2", work)
        return replace(link, bound_hash=bound)

    # --- the laptop ------------------------------------------------------------

    async def redeem_laptop(self, token: str) -> Seated:
        """Enrol a laptop by its one-time code. Raises AccessRefused `laptop_unknown`, LogUnavailable."""
        hashed = self._secrets.hash("enrol", token)
        found = await self._directory.device_by_enrol_hash(hashed) if 0 < len(token) <= MAX_SECRET_CHARS else None
        if found is None or not self._assured(found):
            self.denials.stranger("laptop_unknown")
            raise AccessRefused("laptop_unknown")
        key = new_token()
        row = replace(found, key_hash=self._secrets.hash("device", key), enrol_hash=None)

        async def work() -> Change:
            if await self._directory.device_by_enrol_hash(hashed) is None:
                raise AccessRefused("laptop_unknown")
            return Change([Fact("device.enrolled", {"device_id": row.id})], [row])

        await self._streams.establishment(row.establishment).change(f"device:{row.id}", work)
        self.revocations.revoke(f"device:{row.id}")  # whatever sat there with the credential of before
        return self._seat(LaptopChair(row), key)

    async def laptop_ticket(self, cookie: str | None) -> Seated:
        """Seat the laptop that holds this credential. Raises AccessRefused `signed_out`."""
        device = None
        if cookie and len(cookie) <= MAX_SECRET_CHARS:
            device = await self._directory.device_by_hash(self._secrets.hash("device", cookie))
        if device is None or cookie is None or not self._assured(device):
            raise AccessRefused("signed_out")
        return self._seat(LaptopChair(device), cookie)

    def _assured(self, device: Device) -> bool:
        until = device.assured_until
        return device.revoked_at is None and (until is None or self._clock.now() < until)

    # --- staff, and the synthetic credential ------------------------------------

    async def staff_ticket(self, cookie: str | None, console: ConsoleDevice | None = None) -> Seated:
        """Seat the person whose session this is, at the console that their browser is. Raises AccessRefused."""
        chair = await self._accounts.chair(cookie)
        if chair is None or cookie is None:
            raise AccessRefused("signed_out")
        return self._seat(replace(chair, console=console), cookie)

    async def synthetic(self, token: str | None) -> SynthCredential | None:
        """Return the synthetic credential of that token; None where it is unknown, old or revoked."""
        if not token or len(token) > MAX_SECRET_CHARS:
            return None
        found = await self._directory.synth_by_hash(self._secrets.hash("synthetic", token))
        if found is None or found.revoked_at is not None or self._clock.now() >= found.expires_at:
            return None
        return found

    # --- tickets ------------------------------------------------------------------

    async def take(self, ticket: str) -> Chair | None:
        """Return the chair of a ticket, once, if what it rests on still stands."""
        chair = self.tickets.take(ticket)
        if chair is None or not self.revocations.stands(chair):
            self.denials.stranger("ticket")
            return None
        return await self._again(chair)

    async def _again(self, chair: Chair) -> Chair | None:
        """Read the chair's rows again: a minute has passed since the ticket, perhaps, and much can be revoked."""
        if isinstance(chair, FamilyChair):
            links = await self._directory.links(Scope(frozenset({chair.establishment})), chair.call_id)
            link = next((row for row in links if row.id == chair.link.id), None)
            return FamilyChair(link) if link is not None and await self._visit_of(link) is not None else None
        if isinstance(chair, LaptopChair):
            rows = await self._directory.devices(Scope(frozenset({chair.establishment})))
            device = next((row for row in rows if row.id == chair.device.id), None)
            same = device is not None and device.key_hash == chair.device.key_hash
            return LaptopChair(device) if device is not None and same and self._assured(device) else None
        return await self._staff_again(chair)

    async def _staff_again(self, chair: StaffChair) -> StaffChair | None:
        sessions = await self._directory.sessions(chair.number)
        session = next((row for row in sessions if row.id == chair.session.id), None)
        staff = await self._directory.staff_by_number(chair.number)
        if session is None or session.revoked_at is not None or staff is None or staff.disabled_at is not None:
            return None
        return StaffChair(session, staff, tuple(await self._directory.grants(chair.number)), chair.console)

    def _seat(self, chair: Chair, cookie: str) -> Seated:
        return Seated(chair, self.tickets.issue(chair), cookie)


def new_link(
    secrets: Secrets, establishment: str, visit_id: str, contact_id: str, opens_at: datetime, closes_at: datetime
) -> tuple[Link, str]:
    """Return a fresh link to one call for one contact, and its token, which is kept nowhere."""
    token = new_token()
    row = Link(new_id("l"), establishment, visit_id, contact_id, secrets.hash("link", token), opens_at, closes_at)
    return row, token
