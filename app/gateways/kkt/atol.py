"""ATOL's web server, API v2: hand over a task under a uuid of ours, ask what became of it.

The uuid is the device's idempotency key: after a timeout it is asked for, never sent under another one.
Where next: `tasks.py` for what is sent, `simulator.py` for a device without a device.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests
import urllib3.exceptions

from app.gateways.kkt.tasks import kopecks
from app.vocab import N_

#: Seconds to connect, seconds to wait for the answer.
TIMEOUT = (3, 10)
WAITING = ("wait", "inProgress")
#: The device's codes that mean «the shift is older than 24 hours».
EXPIRED = (68, 141)
NO_PAPER = 44

_OFFLINE = N_("The fiscal device cannot be reached: is it switched on, does its web server run?")
NO_ANSWER = N_("The fiscal device did not answer.")
_REFUSED = N_("The fiscal device refused the task.")


class KktError(Exception):
    """The device did not do what was asked; `why` is a sentence (message id) or the device's own words."""

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.code = code


class NotTaken(KktError):
    """The task certainly did not reach the device's queue."""


class Refused(NotTaken):
    """The device's server does not take this task, and will not take it later either."""


class NoAnswer(KktError):
    """It may be in the queue."""


@dataclass(frozen=True)
class Taken:
    """The task is in the queue; `blocked_by` is the task that holds the queue up."""

    blocked_by: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a task."""

    status: str
    code: int = 0
    description: str = ""
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        return self.status in WAITING

    @property
    def done(self) -> bool:
        return self.status == "ready" and self.code == 0


@dataclass(frozen=True)
class Printed:
    """The fiscal numbers of a printed receipt."""

    fn: str
    document: int
    sign: str
    registration: str
    shift: int
    number: int
    printed_at: datetime | None
    total: int


@dataclass(frozen=True)
class Shift:
    """The device's shift: opened, closed or expired."""

    state: str
    number: int = 0
    expires_at: datetime | None = None
    documents: int = 0


@dataclass(frozen=True)
class Kkt:
    """One device behind ATOL's web server; `url` is like http://127.0.0.1:16732."""

    url: str
    login: str = ""
    password: str = ""

    def add(self, uuid: str, task: dict[str, Any]) -> Taken:
        """Put a task in the device's queue.

        Raises:
            NotTaken: refused, or not reached at all.
            NoAnswer: it may be in the queue; ask `outcome`.
        """
        answer = self._call("POST", "/api/v2/requests", {"uuid": uuid, "request": [task]})
        found = _body(answer)
        if answer.status_code >= 500:
            raise NoAnswer(NO_ANSWER)
        if answer.status_code != 201:
            error = _part(found, "error")
            why = Refused if answer.status_code in (400, 422) else NotTaken
            raise why(str(error.get("description") or _REFUSED), _whole(error.get("code")))
        return Taken(str(found.get("blockedUUID") or "") if found.get("isBlocked") is True else "")

    def outcome(self, uuid: str) -> Outcome | None:
        """What became of a task; None: the device has never seen it.

        Raises:
            NoAnswer: nothing is known.
        """
        try:
            answer = self._call("GET", f"/api/v2/requests/{uuid}")
        except NotTaken as error:
            raise NoAnswer(error.why) from error
        if answer.status_code == 404:
            return None
        results = _body(answer).get("results")
        first = results[0] if isinstance(results, list) and results and isinstance(results[0], dict) else None
        if answer.status_code != 200 or first is None:
            raise NoAnswer(NO_ANSWER)
        said = _part(first, "error")
        return Outcome(
            str(first.get("status") or ""), _whole(said.get("code")), str(said.get("description") or ""),
            _part(first, "result"),
        )  # fmt: skip

    def _call(self, verb: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        auth = (self.login, self.password) if self.login else None
        try:
            return requests.request(verb, self.url + path, json=body, auth=auth, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            if _never_left(error):
                raise NotTaken(_OFFLINE) from error
            raise NoAnswer(NO_ANSWER) from error


def printed(result: dict[str, Any]) -> Printed:
    """The fiscal numbers in the result of a receipt."""
    params = _part(result, "fiscalParams")
    return Printed(
        fn=str(params.get("fnNumber") or ""), document=_whole(params.get("fiscalDocumentNumber")),
        sign=str(params.get("fiscalDocumentSign") or ""), registration=str(params.get("registrationNumber") or ""),
        shift=_whole(params.get("shiftNumber")), number=_whole(params.get("fiscalReceiptNumber")),
        printed_at=_moment(params.get("fiscalDocumentDateTime")), total=kopecks(params.get("total")),
    )  # fmt: skip


def shift(result: dict[str, Any]) -> Shift:
    """The result of getShiftStatus."""
    found = _part(result, "shiftStatus")
    return Shift(
        str(found.get("state") or ""), _whole(found.get("number")), _moment(found.get("expiredTime")),
        _whole(found.get("documentsCount")),
    )  # fmt: skip


def totals(result: dict[str, Any]) -> dict[str, dict[str, int]]:
    """The result of getShiftTotals in kopecks: how many receipts of both kinds, their sum, the ways of paying."""
    receipts = _part(_part(result, "shiftTotals"), "receipts")
    return {kind: _sums(_part(receipts, kind)) for kind in ("sell", "sellReturn")}


def _sums(found: dict[str, Any]) -> dict[str, int]:
    paid = _part(found, "payments")
    ways = {way: kopecks(paid.get(way)) for way in ("cash", "electronically", "prepaid", "credit")}
    return {"count": _whole(found.get("count")), "sum": kopecks(found.get("sum")), **ways}


def closed_with(result: dict[str, Any]) -> int:
    """The number of the fiscal document that closed a shift."""
    return _whole(_part(result, "fiscalParams").get("fiscalDocumentNumber"))


def drawer(result: dict[str, Any]) -> int | None:
    """The result of cashIn, cashOut or getCashDrawerStatus: the kopecks in the device's drawer; None: not said."""
    said = _part(result, "counters").get("cashSum")
    return kopecks(said) if isinstance(said, int | float) else None


def not_sent(result: dict[str, Any]) -> int:
    """The result of ofdExchangeStatus: documents that the ОФД has not got yet."""
    return _whole(_part(result, "status").get("notSentCount"))


def _body(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _part(found: dict[str, Any], name: str) -> dict[str, Any]:
    part = found.get(name)
    return part if isinstance(part, dict) else {}


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _never_left(error: requests.RequestException) -> bool:
    """Was there no connection at all, so that the task cannot have been taken?"""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = error.args[0] if error.args else None
    return isinstance(getattr(reason, "reason", None), urllib3.exceptions.NewConnectionError)
