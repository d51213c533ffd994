"""What stands on a receipt: the values that were frozen with the money, in words."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from textwrap import wrap
from typing import Any

from app.documents.rules.vat import vat_sentence, vat_words
from app.documents.rules.words import rubles_in_words, short_day
from app.gateways.slip.escpos import Row
from app.money import ZERO
from app.vocab import PaymentMethod

_METHODS = {
    PaymentMethod.CASH: "Наличными",
    PaymentMethod.CARD: "Банковской картой",
    PaymentMethod.TRANSFER: "Переводом",
    PaymentMethod.ADVANCE: "Из аванса",
}


def receipt_fields(snapshot: Mapping[str, Any], kind: str, number: int, day: date, payer: str = "") -> dict[str, Any]:
    """A receipt's snapshot with the words that stand on paper; what an older snapshot lacks is empty.

    `payer` is who brought the money, or gets it back, when it is not the patient.
    """

    def amount(name: str) -> Decimal:
        return Decimal(str(snapshot.get(name) or 0))

    entity = snapshot.get("legal_entity") or {}
    lines = snapshot.get("lines") or []
    returned = snapshot.get("returned") or {}
    # of a bill that was paid in part before, or is now, the sum says how much of the table it pays
    whole = sum((Decimal(str(line.get("total") or 0)) for line in lines), ZERO)
    in_part = kind != "return" and ZERO < amount("for_lines") < whole
    vat = vat_words(lines, amount("for_lines"), amount("amount"))
    empty = {"name": "", "tooth": "", "quantity": "", "price": "0", "discount": "0", "total": "0"}
    return {
        "number": str(snapshot.get("number") or number),
        "kind": kind,
        "legal_entity": {
            "name": entity.get("name", ""),
            "inn": entity.get("inn", ""),
            "address": entity.get("address", ""),
        },
        "branch": snapshot.get("branch") or "",
        "day": _day(snapshot.get("day")) or short_day(day),
        "time": snapshot.get("time") or "",
        "patient": snapshot.get("patient") or "",
        "card_number": str(snapshot.get("card_number") or ""),
        "payer": payer,
        "cashier": snapshot.get("cashier") or "",
        "reason": snapshot.get("reason") or "",
        "lines": [{**empty, **line} for line in lines],
        "parts": [{"label": _way(part), "amount": part["amount"]} for part in snapshot.get("parts") or []],
        "amount": amount("amount"),
        "amount_words": rubles_in_words(amount("amount")),
        "vat": vat_sentence(vat),
        "returned": {
            "number": str(returned.get("number") or ""),
            "day": _day(returned.get("day")),
            "amount": Decimal(str(returned.get("amount") or 0)),
        },
        "tendered": snapshot.get("tendered") or "",
        "change": amount("change"),
        "has_change": amount("change") > 0,
        "for_lines": amount("for_lines"),
        "has_part": in_part,
        "to_advance": amount("to_advance"),
        "has_advance": amount("to_advance") > 0,
        "certificate": snapshot.get("certificate") or "",
        "debt_left": amount("debt_left"),
        "has_debt": amount("debt_left") > 0,
    }


def _way(part: Mapping[str, Any]) -> str:
    """How a part was paid, and from whose advance where the snapshot knows."""
    if part.get("certificate"):
        return f"Сертификат № {part['certificate']}"
    if part.get("relative"):
        return "Из аванса родственника"
    return _METHODS[PaymentMethod(part["method"])]


def _day(stored: Any) -> str:
    """23.11.2026 of a day as a snapshot keeps it; empty for nothing."""
    return short_day(date.fromisoformat(str(stored))) if stored else ""


#: What a slip says after the sum, when there is any.
_REST = {"tendered": "Получено", "change": "Сдача", "part": "За эти услуги", "to_advance": "В аванс",
         "debt_left": "Остаток долга"}  # fmt: skip


def slip(fields: Mapping[str, Any], columns: int, *, copy: bool) -> list[Row]:
    """A receipt as the rows of a slip of so many columns; a copy says that it is one."""
    sale = fields["kind"] != "return"
    entity = fields["legal_entity"]
    head = [entity["name"], f"ИНН {entity['inn']}" if entity["inn"] else "", entity["address"], fields["branch"]]
    rows = [Row(line, centre=True) for text in head for line in wrap(text, columns)]
    rows += [Row("КОПИЯ", centre=True, big=True)] if copy else []
    rows.append(Row(f"КВИТАНЦИЯ{'' if sale else ' НА ВОЗВРАТ'} № {fields['number']}", centre=True, big=True))
    rows += [Row(_pair(fields["day"], fields["time"], columns)), Row("-" * columns)]
    for line in fields["lines"]:
        tooth = f" (зуб {line['tooth']})" if line["tooth"] else ""
        rows += [Row(part) for part in wrap(f"{line['name']}{tooth}", columns)]
        rows.append(Row(_pair(f"{line['quantity']} × {_sum(line['price'])}", _sum(line["total"]), columns)))
        if Decimal(line["discount"]):
            rows.append(Row(_pair("  скидка", f"-{_sum(line['discount'])}", columns)))
    rows += [Row("-" * columns)] if fields["lines"] else []
    rows += [Row(_pair(part["label"], _sum(part["amount"]), columns)) for part in fields["parts"]]
    rows.append(Row(_pair("ИТОГО" if sale else "ВОЗВРАЩЕНО", _sum(fields["amount"]), columns), big=True))
    if fields["returned"]["number"]:
        of = fields["returned"]
        said = f"из {_sum(of['amount'])} по квитанции № {of['number']} от {of['day']}"
        rows += [Row(line) for line in wrap(said, columns)]
    rest = {**fields, "part": fields["for_lines"] if fields["has_part"] else ZERO}
    for name, word in _REST.items():
        if rest[name] and Decimal(rest[name]):
            rows.append(Row(_pair(word, _sum(rest[name]), columns)))
    people = [f"Пациент: {fields['patient']}"]
    people += [f"{'Плательщик' if sale else 'Получатель'}: {fields['payer']}"] if fields["payer"] else []
    people += [f"{'Принял' if sale else 'Выдал'}: {fields['cashier']}"]
    rows += [Row("-" * columns), *(Row(line) for text in people for line in wrap(text, columns))]
    return [*rows, Row(""), *(Row(line, centre=True) for line in wrap("Не является фискальным документом", columns))]


def _sum(amount: Any) -> str:
    return f"{Decimal(amount):.2f}"


def _pair(left: str, right: str, columns: int) -> str:
    """Two words at the edges of a row; the left one gives way."""
    return f"{left[: columns - len(right) - 1]:<{columns - len(right)}}{right}"
