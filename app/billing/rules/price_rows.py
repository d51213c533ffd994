"""What each row of a price list that came as a file would change: a verdict, before anything is written."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from app import money
from app.billing.rules.prices import service_code
from app.vocab import N_, ItemKind, PriceVerdict, TaxCode, Vat

_CODE = re.compile(r"[A-Z0-9][A-Za-z0-9.\-]*")
_FINE = re.compile(r"[.,]\d{3,}$")
#: How clinics write rates, kinds and codes in their files; what the program writes itself is among it.
_VATS = {
    "безндс": Vat.NONE, "без": Vat.NONE, "нет": Vat.NONE, "необлагается": Vat.NONE, "ндснеоблагается": Vat.NONE,
    "withoutvat": Vat.NONE, "novat": Vat.NONE, "none": Vat.NONE, "-": Vat.NONE, "—": Vat.NONE,
}  # fmt: skip
_KINDS = {
    "услуга": ItemKind.SERVICE, "медицинскаяуслуга": ItemKind.SERVICE, "service": ItemKind.SERVICE,
    "medicalservice": ItemKind.SERVICE, "товар": ItemKind.GOODS, "goods": ItemKind.GOODS,
}  # fmt: skip
#: What of a service a file may change besides its price.
DETAILS = ("name", "category", "minutes", "item_kind", "vat", "tax_code")


@dataclass(frozen=True)
class Known:
    """A service as it stands in the directory, its price on the day, and the price that begins on that very day."""

    id: int
    name: str
    category: str
    minutes: int
    item_kind: str
    vat: str
    tax_code: str
    archived: bool
    price: Decimal | None
    begins: Decimal | None = None
    #: When a price that is written already takes over: the day in ISO form.
    next_day: str = ""


@dataclass
class Verdict:
    """One row of a file: what it means, and what would be written. `why` is a refusal's sentence, `facts` fill it.

    `until`: the new price ends on this day, when the next one begins that is written already. `replaces`: what it was
    begins on the very day of the new one, and is taken back for it.
    """

    line: int
    kind: PriceVerdict
    code: str
    name: str
    price: str = ""
    was: str = ""
    until: str = ""
    changes: dict[str, list[str]] = field(default_factory=dict)
    why: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    replaces: bool = False


class _Wrong(Exception):
    """A row that is refused, with its sentence."""

    def __init__(self, why: str, **facts: Any) -> None:
        super().__init__(why)
        self.why, self.facts = why, facts


def judge(
    rows: Sequence[Mapping[str, Any]], known: Mapping[str, Known], categories: Mapping[str, str | None]
) -> list[Verdict]:
    """A verdict for each row. `categories`: the name in small letters → its name, None when it is archived."""
    first: dict[str, int] = {}
    verdicts = []
    for row in rows:
        code = service_code(str(row.get("code", "")))
        line = int(row["line"])
        try:
            if code and code in first:
                raise _Wrong(N_("This code is already in row %(line)s of the file."), line=first[code])
            first.setdefault(code, line)
            verdicts.append(_verdict(row, line, code, known.get(code), categories))
        except _Wrong as wrong:
            verdicts.append(
                Verdict(
                    line, PriceVerdict.REFUSED, code, _text(row, "name"), _text(row, "price"), why=wrong.why,
                    facts=wrong.facts,
                )
            )  # fmt: skip
    return verdicts


def as_kept(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """The verdicts as JSON."""
    return [{**asdict(verdict), "kind": str(verdict.kind)} for verdict in verdicts]


def digest(verdicts: Sequence[Verdict]) -> str:
    """A fingerprint of what somebody was shown; another one means that something has changed since."""
    return hashlib.sha256(json.dumps(as_kept(verdicts), sort_keys=True).encode()).hexdigest()


def counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many rows there are of each verdict."""
    return {str(kind): sum(v.kind == kind for v in verdicts) for kind in PriceVerdict}


def category_key(name: str) -> str:
    """A category as it is compared: small letters, single spaces."""
    return " ".join(name.lower().replace("ё", "е").split())


def _text(row: Mapping[str, Any], name: str) -> str:
    return " ".join(str(row.get(name, "")).split())


def _verdict(
    row: Mapping[str, Any], line: int, code: str, service: Known | None, categories: Mapping[str, str | None]
) -> Verdict:
    if not code:
        raise _Wrong(N_("The row has no code."))
    if len(code) > 40 or not _CODE.fullmatch(code):
        raise _Wrong(N_("The code must be Latin letters, digits and dots, for instance A16.07.002."))
    if service is not None and service.archived:
        raise _Wrong(N_("The service is archived: bring it back first."))
    price = _price(_text(row, "price"))
    given = {name: value for name, value in _details(row, categories).items() if value is not None}
    if service is None:
        for name, why in (
            ("name", N_("A new service needs a name.")),
            ("category", N_("A new service needs a category.")),
        ):
            if name not in given:
                raise _Wrong(why)
        values = {"minutes": 30, "item_kind": "service", "vat": "none", "tax_code": "1", **given}
        return Verdict(line, PriceVerdict.NEW, code, given["name"], str(price), values=values)
    changes = {
        name: [str(getattr(service, name)), str(value)]
        for name, value in given.items()
        if getattr(service, name) != value
    }
    was = "" if service.price is None else str(service.price)
    kind = (
        PriceVerdict.PRICE if service.price != price else PriceVerdict.CHANGED if changes else PriceVerdict.SAME
    )  # fmt: skip
    values = {name: given[name] for name in changes}
    until = service.next_day if kind == PriceVerdict.PRICE else ""
    return Verdict(
        line, kind, code, given.get("name", service.name), str(price), was, until, changes, values=values,
        replaces=kind == PriceVerdict.PRICE and service.begins is not None,
    )  # fmt: skip


def _price(typed: str) -> Decimal:
    text = re.sub(r"(руб(лей|\.)?|р\.|₽|rub)$", "", typed.lower()).strip().rstrip(",").replace("'", "")
    if not text:
        raise _Wrong(N_("The row has no price."))
    amount = money.parse(text)
    if _FINE.search(text):
        raise _Wrong(N_("The price has more than two digits of kopecks: %(price)s."), price=typed[:40])
    if amount is None:
        raise _Wrong(N_("This is not a price: %(price)s."), price=typed[:40])
    if amount < 0:
        raise _Wrong(N_("The price is below zero: %(price)s."), price=typed[:40])
    return amount


def _details(row: Mapping[str, Any], categories: Mapping[str, str | None]) -> dict[str, Any]:
    """What the row says of the service; None where it says nothing."""
    name = _text(row, "name")
    if len(name) > 400:
        raise _Wrong(N_("The name is longer than 400 letters."))
    category = _text(row, "category")
    if category:
        found = categories.get(category_key(category), "")
        if found is None:
            raise _Wrong(N_("The category “%(category)s” is archived."), category=category[:80])
        if not found:
            raise _Wrong(N_("There is no category “%(category)s”: add it first."), category=category[:80])
        category = found
    return {
        "name": name or None, "category": category or None, "minutes": _minutes(_text(row, "minutes")),
        "item_kind": _kind(_text(row, "item_kind")), "vat": _vat(_text(row, "vat")),
        "tax_code": _tax_code(_text(row, "tax_code")),
    }  # fmt: skip


def _minutes(typed: str) -> int | None:
    if not typed:
        return None
    number = re.fullmatch(r"(\d{1,3})(?:[.,]0+)?(?:\s*(?:мин|min)\w*\.?)?", typed.lower())
    if number is None or not 5 <= int(number[1]) <= 720:
        raise _Wrong(N_("The minutes must be from 5 to 720: %(minutes)s."), minutes=typed[:40])
    return int(number[1])


def _kind(typed: str) -> str | None:
    if not typed:
        return None
    found = _KINDS.get(re.sub(r"\s", "", typed.lower()))
    if found is None:
        raise _Wrong(N_("What is sold is “service” or “goods”, not “%(kind)s”."), kind=typed[:40])
    return str(found)


def _vat(typed: str) -> str | None:
    text = re.sub(r"^(ндс|vat)(?=\d)", "", re.sub(r"\s", "", typed.lower()))
    if not text:
        return None
    if text in _VATS:
        return str(_VATS[text])
    rate = re.fullmatch(r"(\d{1,2})%?", text) or re.fullmatch(r"0[.,](\d{1,2})", text)
    if rate:
        # a cell in percent is kept as a fraction: 0.2 is 20 %, 0.05 is 5 %
        number = int(rate[1].ljust(2, "0")) if re.match(r"0[.,]", text) else int(rate[1])
        if f"vat{number}" in list(Vat):
            return f"vat{number}"
    raise _Wrong(N_("There is no such rate of VAT: %(vat)s."), vat=typed[:40])


def _tax_code(typed: str) -> str | None:
    if not typed:
        return None
    found = re.match(r"([12])(?:[.,]0+)?(?:$|\s|[–—-])", typed)
    if found is None:
        raise _Wrong(N_("The code for the tax certificate is 1 or 2, not “%(code)s”."), code=typed[:40])
    return str(TaxCode(found[1]))
