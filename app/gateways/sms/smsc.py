"""The gateway SMSC over HTTP: send with a reference of ours, ask what became of it, fetch replies, ask the balance.

Protocol: https://smsc.ru/api/http/ (send.php, status.php, get.php, balance.php with fmt=3, JSON). The reference `id`
is ours, so a lost answer is asked for and never guessed. Replies of patients are fetched (get_answers), not pushed.
Where next: `simulator.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import requests
import urllib3.exceptions

from app.vocab import N_

#: Seconds to connect, seconds to wait for the answer. Their sum stays well below SMS_STALE_SECONDS.
TIMEOUT = (5, 15)

#: Error codes that no repetition mends, with what to do about them.
_FINAL = {
    1: N_("The gateway did not understand the message."),
    6: N_("The gateway forbids this text or sender name."),
    7: N_("The phone number is wrong: correct it in the card."),
    8: N_("Messages cannot be delivered to this number."),
}
_PASSING = {
    2: N_("The gateway does not accept our login and password: check the settings."),
    3: N_("There is no money on the gateway's account."),
    4: N_("The gateway has blocked our address for a while."),
    5: N_("The gateway did not understand the time of sending."),
    9: N_("The gateway refuses the same message twice in a minute."),
}
_REFUSED = N_("The gateway refused the message.")
_UNREACHABLE = N_("The gateway cannot be reached.")
_NO_ANSWER = N_("The gateway did not answer; whether it took the message will be asked.")
_NOT_DELIVERED = {
    -2: N_("The message was stopped at the gateway."),
    3: N_("The phone could not be reached in time."),
    6: N_("The patient's operator holds the message for spam."),
    20: N_("Messages cannot be delivered to this number."),
    22: N_("The phone number is wrong: correct it in the card."),
    23: N_("The gateway forbids this text or sender name."),
    24: N_("There is no money on the gateway's account."),
    25: N_("The phone cannot be reached."),
}
_NOT_FOUND = -3
#: Delivered, read, its link opened.
_DELIVERED = (1, 2, 4)
#: The most hours that the gateway looks back for replies.
REPLIES_HOURS = 72


class GatewayError(Exception):
    """The gateway did not do what was asked. `why` is a sentence (message id) for people."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotTaken(GatewayError):
    """The message was certainly not taken; `final`: it never will be."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


class NotDelivered(NotTaken):
    """The gateway took the message and could not deliver it."""


class NoAnswer(GatewayError):
    """The question may have arrived, the answer did not."""


@dataclass(frozen=True)
class Taken:
    """The gateway has the message."""

    parts: int | None = None
    price: Decimal | None = None
    delivered: bool = False


@dataclass(frozen=True)
class Reply:
    """What a patient sent to the clinic's number; `received_at` by the gateway's clock, without zone, if it says."""

    id: str
    phone: str
    text: str
    received_at: datetime | None = None


@dataclass(frozen=True)
class Gateway:
    """An account at a gateway that speaks SMSC's protocol; `url` is like https://smsc.ru."""

    url: str
    login: str
    password: str
    sender: str = ""

    def send(self, phone: str, text: str, *, reference: int) -> Taken:
        """Hand over a message under a reference of ours.

        Raises:
            NotTaken: refused, or not reached at all.
            NoAnswer: it may have been taken; ask `status`.
        """
        values = {"phones": phone.lstrip("+"), "mes": text, "charset": "utf-8", "cost": "2", "id": str(reference)}
        if self.sender:
            values["sender"] = self.sender
        answer = self._ask("send.php", values)
        if "error_code" in answer or "error" in answer:
            _refuse(answer)
        return Taken(parts=_whole(answer.get("cnt")), price=_price(answer.get("cost")))

    def status(self, phone: str, *, reference: int) -> Taken | None:
        """What became of a message: taken, or unknown to the gateway (None).

        Raises:
            NotDelivered: taken, but not delivered for good.
            NoAnswer: or not reached: nothing is known.
        """
        try:
            answer = self._ask("status.php", {"phone": phone.lstrip("+"), "id": str(reference), "all": "1"})
        except NotTaken as error:
            raise NoAnswer(error.why) from error
        status = _whole(answer.get("status"))
        if status == _NOT_FOUND:
            return None
        if status is None or "error_code" in answer:
            raise NoAnswer(_PASSING.get(_whole(answer.get("error_code")) or 0, _REFUSED))
        if status in _NOT_DELIVERED:
            raise NotDelivered(_NOT_DELIVERED[status], final=True)
        return Taken(price=_price(answer.get("cost")), delivered=status in _DELIVERED)

    def replies(self) -> list[Reply]:
        """What patients answered in the last three days; the same reply is given again and again.

        Raises:
            GatewayError
        """
        found = self._fetch("get.php", {"get_answers": "1", "hour": str(REPLIES_HOURS)})
        if isinstance(found, dict):
            if "error_code" in found or "error" in found:
                _refuse(found)
            found = [found] if "message" in found else []
        return [reply for one in found if (reply := _reply(one)) is not None]

    def balance(self) -> Decimal:
        """Roubles left on the account.

        Raises:
            GatewayError
        """
        left = _price(self._ask("balance.php", {}).get("balance"))
        if left is None:
            raise NoAnswer(_REFUSED)
        return left

    def _ask(self, page: str, values: dict[str, str]) -> dict[str, Any]:
        found = self._fetch(page, values)
        if not isinstance(found, dict):
            raise NoAnswer(_NO_ANSWER)
        return found

    def _fetch(self, page: str, values: dict[str, str]) -> dict[str, Any] | list[Any]:
        body = {"login": self.login, "psw": self.password, "fmt": "3", **values}
        try:
            answer = requests.post(f"{self.url}/sys/{page}", data=body, timeout=TIMEOUT, allow_redirects=False)
            found = answer.json()
        except requests.RequestException as error:
            if _never_left(error):
                raise NotTaken(_UNREACHABLE) from error
            raise NoAnswer(_NO_ANSWER) from error
        except ValueError as error:
            raise NoAnswer(_NO_ANSWER) from error
        if not isinstance(found, dict | list) or answer.status_code != 200:
            raise NoAnswer(_NO_ANSWER)
        return found


def _reply(one: Any) -> Reply | None:
    """One reply of the gateway's list; None when it cannot be understood."""
    if not isinstance(one, dict) or not one.get("id") or not isinstance(one.get("message"), str):
        return None
    digits = "".join(char for char in str(one.get("phone", "")) if char in "0123456789")
    if not 7 <= len(digits) <= 15:
        return None
    received = None
    for name in ("received", "sent"):
        try:
            received = received or datetime.strptime(str(one.get(name, "")), "%d.%m.%Y %H:%M:%S")
        except ValueError:
            continue
    return Reply(str(one["id"])[:60], f"+{digits}", one["message"], received)


def _never_left(error: requests.RequestException) -> bool:
    """Was there no connection at all, so that the message cannot have been taken?"""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = error.args[0] if error.args else None
    return isinstance(getattr(reason, "reason", None), urllib3.exceptions.NewConnectionError)


def _refuse(answer: dict[str, Any]) -> NoReturn:
    code = _whole(answer.get("error_code")) or 0
    if code in _FINAL:
        raise NotTaken(_FINAL[code], final=True)
    raise NotTaken(_PASSING.get(code, _REFUSED))


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _price(value: Any) -> Decimal | None:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price < 10_000_000 else None
