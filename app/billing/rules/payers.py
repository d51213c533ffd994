"""Whose money it is that is taken for a patient: who is offered, and who it is when nobody is named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.errors import Invalid
from app.patients import rules as cards
from app.vocab import N_


@dataclass(frozen=True)
class Card:
    """What a card says of who pays for it; `guardian_id` and `payer_id` of living cards only."""

    id: int
    birth_date: date | None
    guardian_id: int | None
    payer_id: int | None


@dataclass(frozen=True)
class Relative:
    """One of the family, the guardian, or a child whose guardian the patient is."""

    name: str
    card_number: int
    advance: Decimal
    birth_date: date | None


def of_age(birth_date: date | None, today: date) -> bool:
    """Whose age is not known is an adult."""
    return cards.signs(cards.age(birth_date, today)) == cards.Signs.PATIENT


def usual_payer(card: Card, today: date) -> int | None:
    """Who pays when nobody is named: the payer of the card, else the guardian of a minor, else the patient.

    None: of a child whose card names no adult nobody knows. Where the birth date is missing, a guardian on the card
    says that it is a child's.
    """
    if card.payer_id is not None:
        return card.payer_id
    if card.birth_date is None:
        return card.guardian_id or card.id
    return card.id if of_age(card.birth_date, today) else card.guardian_id


def offered_payers(card: Card, name: str, relatives: Mapping[int, Relative], today: date) -> dict[int, str]:
    """Whom the desk may choose from, by number: the patient and the relatives, but no children.

    Nobody when the patient is the only one: there is nothing to ask.
    """
    found = {card.id: name} if of_age(card.birth_date, today) else {}
    found |= {pk: one.name for pk, one in relatives.items() if of_age(one.birth_date, today)}
    return found if found.keys() - {card.id} else {}


def payer_of_advance(lender: Card, today: date) -> int | None:
    """Who pays with the advance of a card: whose it is; of a child, who pays for the child."""
    return lender.id if of_age(lender.birth_date, today) else usual_payer(lender, today)


def check_one_payer(named: int | None, lenders: Iterable[Card], today: date) -> int | None:
    """A payment has one payer: where a relative's advance pays, whose advance it was.

    None: nobody is named, and no relative gives an advance.

    Raises:
        Invalid: somebody else is named, or advances of two people pay.
    """
    found = {payer_of_advance(lender, today) for lender in lenders} - {None}
    if len(found | ({named} if named is not None else set())) > 1:
        raise Invalid(fields={"payer_id": N_(
            "A relative's advance is paid by that relative: choose the relative as the payer, and take the money of"
            " another person as a payment of its own."
        )})  # fmt: skip
    return named if named is not None else next(iter(found), None)
