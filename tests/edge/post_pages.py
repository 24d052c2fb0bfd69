"""A person on a post with a page and a socket of one browser, for tests of what a post fetches over HTTP."""

from __future__ import annotations

from broker.domain.records import Role
from tests.edge.wire import Talk, Wire


async def signed_in(w: Wire, username: str, chair: str = "monitor") -> None:
    """Sign somebody in by the form, in a browser of their own."""
    w.browser.cookies.clear()
    await w.browser.get(chair, "/sign-in")
    assert (await w.browser.sign_in(chair, username)).status == 303


async def on_post(w: Wire, username: str, role: Role, code: str = "HRD") -> Talk:
    """Sign somebody in on page and socket of one browser, and on to their post."""
    if await w.desk.directory.staff(username) is None:
        await w.desk.person(username, f"{code}-{username}", role, code)
    chair = "monitor" if role is Role.MONITOR else "hall"
    await signed_in(w, username, chair)
    jar = w.browser.cookies[w.browser.config.chair_host(chair)]
    talk = await w.staff(username, chair, profile=jar["__Host-profile"])
    hall = f"h-{code}" if role is Role.SUPERVISOR else None
    await talk.done(
        "post.sign_on", post=role.value, scope=[code], hall_id=hall, guidance=w.engine.posts.guidance().version
    )
    return talk
