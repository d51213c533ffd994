"""What a fiscal device is asked to do, as its web server reads it: pure builders, kopecks in, JSON out.

Amounts are whole kopecks everywhere in the program; here, and only here, they become roubles with two digits.
Where next: `atol.py`, which sends them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME_LENGTH = 128
CASHIER_LENGTH = 64
#: Tasks without any other field than who asks.
SHIFT_TASKS = ("openShift", "closeShift", "reportX")


@dataclass(frozen=True)
class Item:
    """One position of a receipt; `price` and `amount` in kopecks, amount = price × quantity."""

    name: str
    price: int
    quantity: int
    method: str = "fullPayment"
    object: str = "service"
    vat: str = "none"

    @property
    def amount(self) -> int:
        return self.price * self.quantity


def roubles(kopecks: int) -> float:
    """Kopecks as the JSON number of roubles that the device reads: 450050 → 4500.5."""
    return float(f"{kopecks // 100}.{kopecks % 100:02d}")


def kopecks(roubles: Any) -> int:
    """A JSON number of roubles as kopecks; nonsense is 0."""
    if isinstance(roubles, bool) or not isinstance(roubles, int | float) or abs(roubles) > 1e12:
        return 0
    return round(roubles * 100)


def operator(name: str, vatin: str = "") -> dict[str, str]:
    """The cashier, as the receipt prints him."""
    return {"name": name[:CASHIER_LENGTH] or "Кассир"} | ({"vatin": vatin} if vatin else {})


def receipt(
    kind: str, items: Sequence[Item], payments: Mapping[str, int], *, taxation: str, cashier: str, client: str = "",
    correction: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A sale, a return or a correction; `payments` are kopecks by kind: cash, electronically, prepaid, credit.

    `correction` holds correctionType, correctionBaseDate and correctionBaseNumber.
    """
    return {
        "type": kind,
        "taxationType": taxation,
        "electronically": False,
        "ignoreNonFiscalPrintErrors": False,
        **(correction or {}),
        "operator": operator(cashier),
        **({"clientInfo": {"emailOrPhone": client}} if client else {}),
        "items": [
            {
                "type": "position", "name": item.name[:NAME_LENGTH], "price": roubles(item.price),
                "quantity": float(item.quantity), "amount": roubles(item.amount), "department": 1,
                "measurementUnit": "piece", "paymentMethod": item.method, "paymentObject": item.object,
                "tax": {"type": item.vat},
            }
            for item in items
        ],
        "payments": [{"type": kind, "sum": roubles(paid)} for kind, paid in payments.items() if paid],
        "total": roubles(sum(item.amount for item in items)),
    }  # fmt: skip


def of_shift(kind: str, cashier: str) -> dict[str, Any]:
    """openShift, closeShift or reportX."""
    return {"type": kind, "operator": operator(cashier)}


def cash(kind: str, amount: int, cashier: str) -> dict[str, Any]:
    """cashIn or cashOut of so many kopecks."""
    return {"type": kind, "operator": operator(cashier), "cashSum": roubles(amount)}


def ask(kind: str) -> dict[str, Any]:
    """getShiftStatus, getShiftTotals, getDeviceStatus, getCashDrawerStatus, ofdExchangeStatus."""
    return {"type": kind}


def slip(lines: Sequence[str]) -> dict[str, Any]:
    """Text on the device's paper that is no fiscal document."""
    return {"type": "nonFiscal", "items": [{"type": "text", "text": line} for line in lines], "printFooter": False}
