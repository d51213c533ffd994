"""What a browser or a program may send to the cash desk; page and JSON are checked by the same schemas."""

from decimal import Decimal

from marshmallow import ValidationError

from app import money
from app.cash import rules
from app.schemas import Body, IdField, MoneyField, TextField, one_of
from app.vocab import N_


def above_zero(amount: Decimal) -> None:
    """A sum that somebody pays."""
    if amount <= 0:
        raise ValidationError(N_("The sum must be above zero."))


def not_negative(amount: Decimal) -> None:
    """A sum that somebody counted."""
    if not 0 <= amount <= money.LARGEST:
        raise ValidationError(N_("The sum must not be below zero."))


class OpenShift(Body):
    desk_id = IdField(required=True)
    counted = MoneyField(required=True, validate=not_negative)
    reason = TextField(400, load_default="")


class CloseShift(Body):
    counted = MoneyField(required=True, validate=not_negative)
    reason = TextField(400, load_default="")


class Move(Body):
    desk_id = IdField(required=True)
    kind = one_of(rules.MOVES, required=True)
    amount = MoneyField(required=True)
    category_id = IdField(load_default=None, allow_none=True)
    to_desk_id = IdField(load_default=None, allow_none=True)
    counterparty = TextField(200, load_default="")
    comment = TextField(1000, load_default="")


class Reason(Body):
    reason = TextField(400, blank=False, required=True)


class Merged(Body):
    heir_id = IdField(required=True)


class NewCategory(Body):
    name = TextField(200, blank=False, required=True)
    parent_id = IdField(load_default=None, allow_none=True)
