"""The tax inside what is paid, in words: treatment under a licence has none, goods may have."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from app import money
from app.money import ZERO
from app.vocab import Vat

WITHOUT = "Без налога (НДС)"
_RATES = {str(rate): int(rate.removeprefix("vat")) for rate in Vat if rate != Vat.NONE}


def vat_words(lines: Iterable[Mapping[str, Any]], paid: Decimal | None = None, whole: Decimal | None = None) -> str:
    """«НДС 22 %: 180,33 ₽» by rate, «Без налога (НДС)» where no line carries it, both when only some do.

    `lines` have `vat` and `total`; a line of an older receipt has no `vat` and says nothing of it. `paid`: only so much
    was paid of all of them, of each in proportion; `whole`: the sum of the paper, which may hold an advance too.
    """
    sums: dict[str, Decimal] = {}
    for line in lines:
        rate = str(line.get("vat") or Vat.NONE)
        sums[rate] = sums.get(rate, ZERO) + abs(Decimal(line["total"]))
    together = sum(sums.values(), ZERO)
    taxed = {rate: total for rate, total in sums.items() if rate in _RATES and total}
    if not taxed or not (together if paid is None else paid):
        return WITHOUT
    share = Decimal(1) if paid is None else paid / together
    told = []
    for rate, total in sorted(taxed.items(), key=lambda one: _RATES[one[0]]):
        percent = _RATES[rate]
        tax = money.shown(money.rounded(total * share * percent / (100 + percent))).replace("\u202f", "\u00a0")
        told.append(f"НДС {percent}\u00a0%: {tax}\u00a0₽" if percent else "НДС 0\u00a0%")
    rest = sum(taxed.values(), ZERO) < together or (whole is not None and paid is not None and paid < whole)
    return "; ".join(told) + ("; остальное без налога (НДС)" if rest else "")


def vat_sentence(words: str) -> str:
    """The same as a sentence of a paper."""
    return words if words == WITHOUT else f"В том числе {words}"
