"""The page behind the link of a message: the patient says by one touch whether he comes. No login, no cookies.

It shows no more than the message itself did. Opening it changes nothing: phones look at links before people do.
"""

from datetime import datetime
from typing import Any

from flask import current_app, make_response, render_template, request
from flask_babel import force_locale
from limits import parse

from app import brakes
from app.db import session, transaction
from app.errors import NotFound
from app.extensions import csrf
from app.models import Branch, ConfirmLink, LegalEntity, Patient
from app.schedule import operations
from app.signin import TooManyRequests
from app.vocab import Confirmation
from app.web import DeskView, expose

#: Per address: somebody who answers needs a handful; who guesses tokens needs billions.
LOOKS = parse("60 per minute")
ANSWERS = {
    "yes": Confirmation.CONFIRMED,
    "no": Confirmation.DECLINED,
    "call": Confirmation.ASKS_TO_MOVE,
}


class ConfirmView(DeskView):
    """`/c/<token>`: public, see tests/test_roles.py for the reason."""

    route_base = "/c"

    @expose("/<token>", methods=["GET"])
    def show(self, token: str) -> Any:
        """What the link is about, with three buttons."""
        _check_pace()
        with force_locale(current_app.config["BABEL_DEFAULT_LOCALE"]):
            link = _link(token)
            return _page(operations.asked(link), link.planned_time) if link else _unknown()

    @expose("/<token>", methods=["POST"])
    @csrf.exempt  # the token of the address is the secret; nobody is signed in whose session could be abused
    def answer(self, token: str) -> Any:
        """Take the answer, once."""
        _check_pace()
        with force_locale(current_app.config["BABEL_DEFAULT_LOCALE"]):
            link = _link(token)
            if link is None:
                return _unknown()
            planned = link.planned_time
            answer = ANSWERS.get(request.form.get("answer", ""))
            if answer is None:
                return _page(operations.asked(link), planned, status=422)
            try:
                with transaction():
                    about = operations.answer_link(token, answer, _seen())
            except NotFound:
                return _unknown()
            return _page(about, planned, changed=about.state == "open")


def _check_pace() -> None:
    who = request.remote_addr or ""
    guesses = brakes.may_try(brakes.WRONG_ADDRESSES, "confirm", who)
    if not guesses or not brakes.may_try(LOOKS, "confirm", who, failed=True):
        raise TooManyRequests()


def _link(token: str) -> ConfirmLink | None:
    sane = token.isascii() and token.isalnum() and len(token) <= 16
    return session.get(ConfirmLink, token) if sane else None


def _seen() -> list[datetime]:
    """The times that the page showed; nonsense is as if it had shown none."""
    try:
        return [datetime.fromisoformat(text) for text in request.form.get("seen", "")[:400].split(",") if text]
    except ValueError:
        return []


def _unknown() -> Any:
    brakes.may_try(brakes.WRONG_ADDRESSES, "confirm", request.remote_addr or "", failed=True)
    return _sent(render_template("schedule/confirm.html", state="unknown"), 404)


def _page(about: operations.Asked, planned: datetime, *, status: int = 200, changed: bool = False) -> Any:
    patient = session.get_one(Patient, about.visit.patient_id)
    branch = session.get_one(Branch, about.visit.branch_id)
    entity = session.get_one(LegalEntity, branch.legal_entity_id)
    initial = f" {patient.patronymic[0]}." if patient.patronymic else ""
    open_or_answered = about.state in ("open", "answered")
    page = render_template(
        "schedule/confirm.html",
        state=about.state,
        name=f"{patient.name}{initial}" if open_or_answered else "",
        times=[visit.starts_at for visit in about.visits],
        day=about.visits[0].starts_at.date() if about.visits else planned.date(),
        answer=about.visit.confirmation if about.state == "answered" else "",
        clinic=entity.short_name,
        phone=branch.phone or entity.phone,
        changed=changed,
    )
    return _sent(page, status)


def _sent(page: str, status: int) -> Any:
    answer = make_response(page, status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
