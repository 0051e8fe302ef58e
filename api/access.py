"""Who asks, and what he may: the key of a request.

A key comes in the header `Authorization` alone, never in the address, which is logged and shared:
as `Bearer KEY`, or as the password of `Basic`, for QGIS, GDAL and curl can send that. Where no key
is needed, a bad one is refused all the same: it must never look as if it had been heeded.

A browser that has asked its user for the password of `Basic` sends it along with every form, also
with one that a page of somebody else has made. Such a request may not write.
"""

from urllib.parse import urlsplit

from flask import Flask, current_app, g, request

from api import keys
from api.keys import NOBODY, Caller
from api.links import base
from api.problems import WRITES, Problem


def caller() -> Caller:
    """Return who asks; `NOBODY` without a key."""
    found: Caller = g.get("caller", NOBODY)
    return found


def require(scope: str) -> Caller:
    """Return who asks, who may do what `scope` is for.

    Raises:
        Problem: 401 without a key, 403 with one that is not for that.
    """
    who = caller()
    if who.key is None:
        raise Problem("unauthorized", "This needs a key, in the header Authorization.")
    if not who.may(scope):
        raise Problem("forbidden", f"This needs a key with the scope {scope}.", scope=scope)
    return who


def init_app(app: Flask) -> None:
    """Let every request to `app` be asked for its key, if it brings one."""

    @app.before_request
    def identify() -> None:
        if "Authorization" in request.headers:
            g.caller = _recognised()


def _recognised() -> Caller:
    given = request.authorization
    text = None
    if given and given.type == "bearer":
        text = given.token
    elif given and given.type == "basic":
        text = given.password
        if request.method in WRITES and _comes_from_elsewhere():
            detail = "A page of another site has sent this: a script must send the key as Bearer."
            raise Problem("cross-site", detail)
    found = keys.caller(current_app.extensions["hudna"].pool, text or "")
    if found is None:
        detail = "The header Authorization has no valid key: it may have expired or been revoked."
        raise Problem("unauthorized", detail)
    return found


def _comes_from_elsewhere() -> bool:
    """Tell whether a browser sends this for a page of another site; older ones tell its origin."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    here = urlsplit(base())
    return request.headers.get("Origin") not in {None, f"{here.scheme}://{here.netloc}"}
