"""Answers: refusals and errors as a page, a line or JSON, and how JSON writes the values of the desk.

Where next: `app/errors.py` for refusals, `app/db.py` for broken constraints, `app/web.py` for pages and addresses.
"""

import logging
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask, current_app, jsonify, redirect, render_template, request, url_for
from flask.json.provider import DefaultJSONProvider
from flask_babel import LazyString, gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from app import clock, money
from app.db import refusal_of, session
from app.errors import Invalid, NotAllowed, NotFound, Refusal
from app.signin import TooManyRequests, Unauthenticated
from app.vocab import N_

log = logging.getLogger(__name__)


def wants_json() -> bool:
    """Does the caller expect JSON: an API address, or a script of ours?"""
    return request.path.startswith("/api/") or request.headers.get("X-Requested-With") == "XMLHttpRequest"


def sentence(refusal: Refusal) -> str:
    """The refusal's sentence in the caller's language."""
    words = {key: gettext(value) if isinstance(value, str) and value else value for key, value in refusal.words.items()}
    template = gettext(refusal.sentence)
    try:
        return template % words
    except (KeyError, TypeError, ValueError):
        return template


def refusal_body(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the contract shows it: error, message, and its facts."""
    facts = dict(refusal.facts)
    if isinstance(refusal, Invalid):
        facts["fields"] = {key: gettext(str(value)) for key, value in facts.get("fields", {}).items()}
    return {"error": refusal.code, "message": sentence(refusal), **facts}


def page_above(*, itself: bool = False) -> str | None:
    """The nearest page above an address that only takes what is sent to it: of `/settlement/6/pay`, `/settlement/6`.

    `itself`: the address too, when it is a page.
    """
    rules = current_app.url_map.bind("")
    parts = request.path.rstrip("/").split("/")
    for many in range(len(parts) - (not itself), 1, -1):
        above = "/".join(parts[:many])
        for address in (above, above + "/"):
            try:
                rules.match(address, method="GET")
            except HTTPException:
                continue
            return address
    return None


def _answer_refusal(refusal: Refusal) -> Any:
    # a part of a page that could not be had is told in a line, by the page that asked for it
    if wants_json() or request.headers.get("HX-Request"):
        return jsonify(refusal_body(refusal)), refusal.status
    if refusal.status == 401:
        return redirect(url_for("SignInView.login"))
    title = gettext("Not found") if refusal.status == 404 else gettext("Not possible")
    page = render_template("desk/refusal.html", title=title, sentence=sentence(refusal), refusal=refusal)
    return page, refusal.status


class PlainRefusal(Refusal):
    """An HTTP error that no rule of the desk raised."""

    def __init__(self, code: str, status: int, message: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.code, self.status, self.sentence = code, status, message


_HTTP = {
    400: ("invalid", 422, N_("The request cannot be understood.")),
    405: ("method_not_allowed", 405, N_("This address does not take such a request.")),
    413: ("too_large", 413, N_("This is too much data: send %(most)s MB at most.")),
    415: ("invalid", 422, N_("The request must be JSON.")),
}


class ContractJson(DefaultJSONProvider):
    """JSON as the contract writes values, wherever it is made."""

    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        return str(value) if isinstance(value, uuid.UUID | LazyString) else json_value(value)


def json_value(value: Any) -> Any:
    """A value that JSON does not know: money as a text, days and times in ISO form.

    Raises:
        TypeError: it has no such form.
    """
    if isinstance(value, Decimal):
        return str(money.rounded(value))
    if isinstance(value, datetime):
        if value.tzinfo:
            return value.astimezone(clock.zone()).isoformat(timespec="seconds")
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


def install(app: Flask) -> None:
    """Hang the answers to refusals and errors on the application, and JSON as the contract writes it."""

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Any:
        return _answer_refusal(refusal)

    @app.errorhandler(DBAPIError)
    def database_refused(error: DBAPIError) -> Any:
        session.rollback()
        refusal = refusal_of(error)
        if refusal is None:
            return failed(error)
        return _answer_refusal(refusal)

    @app.errorhandler(CSRFError)
    def forged(_: CSRFError) -> Any:
        # Who is no longer signed in is asked to, and led on to the page.
        anew = {} if wants_json() else {"page": page_above(itself=True)}
        said = N_("The page was open too long. Load it again and repeat what you did.")
        return _answer_refusal(PlainRefusal("not_allowed", 403, said, **anew))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Any:
        if error.code is None or error.code < 400:
            return error
        if error.code == 404:
            return _answer_refusal(NotFound())
        if error.code == 403:
            return _answer_refusal(NotAllowed())
        if error.code == 401:
            return _answer_refusal(Unauthenticated())
        if error.code == 429:
            return _answer_refusal(TooManyRequests())
        if error.code == 405 and request.method == "GET" and not wants_json() and (above := page_above()):
            return redirect(above, 303)  # a form was refused, and its address loaded again
        code, status, message = _HTTP.get(error.code, ("refused", error.code, N_("This cannot be done.")))
        plain = PlainRefusal(code, status, message)
        plain.words = {"most": (request.max_content_length or 0) // 1024 // 1024}
        return _answer_refusal(plain)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        session.rollback()
        # Where the address itself is the key (a calendar, a patient's link), the log gets the rule without it.
        keys = {"secret", "token"} & set(request.view_args or ())
        log.error("failed: %s %s", request.method, request.url_rule if keys else request.path, exc_info=error)
        return _answer_refusal(
            PlainRefusal(
                "failed", 500, N_("Something broke on our side; nothing was saved. Try again or call support.")
            )
        )

    app.json = ContractJson(app)
