"""What a browser or a program may send to billing; page and JSON are checked by the same schemas."""

from typing import Any

from marshmallow import ValidationError as Wrong
from marshmallow import validates_schema

from app.billing import rules
from app.cash.forms import above_zero, not_negative
from app.schemas import Body, DayField, IdField, MoneyField, PageQuery, TextField, WholeField, listed, one_of
from app.vocab import N_, PaymentMethod

_QUANTITY = N_("The quantity is from 1 to 999.")


class OrderLine(Body):
    service_id = IdField(required=True)
    quantity = WholeField(1, 999, said=_QUANTITY, load_default=1, error_messages={"invalid": _QUANTITY})
    tooth = TextField(10, load_default="", allow_none=True)
    discount_percent = MoneyField(load_default=None, allow_none=True, validate=not_negative)
    discount_amount = MoneyField(load_default=None, allow_none=True, validate=not_negative)
    discount_reason = TextField(200, load_default="", allow_none=True)
    assistant_id = IdField(load_default=None, allow_none=True)
    #: What a piece cost where the line was filled in; another price then is said, not billed.
    seen_price = MoneyField(load_default=None, allow_none=True, validate=not_negative)

    @validates_schema
    def one_discount(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("discount_percent") is not None and data.get("discount_amount") is not None:
            raise Wrong({"discount_amount": [N_("Give the discount in percent or in roubles, not both.")]})


class NewWorkOrder(Body):
    patient_id = IdField(required=True)
    doctor_id = IdField(required=True)
    appointment_id = IdField(load_default=None, allow_none=True)
    branch_id = IdField(load_default=None, allow_none=True)
    lines = listed(OrderLine, rules.MOST_LINES, required=True)


class ChangedWorkOrder(Body):
    version = WholeField(1, 2**31 - 1, load_default=None, allow_none=True)
    lines = listed(OrderLine, rules.MOST_LINES, required=True)


class ReversedLine(Body):
    line_id = IdField(required=True)
    quantity = WholeField(1, 999, required=True)


class Reversal(Body):
    reason = TextField(400, blank=False, required=True)
    lines = listed(ReversedLine, rules.MOST_LINES, load_default=None, allow_none=True)

    @validates_schema
    def each_line_once(self, data: dict[str, Any], **_: Any) -> None:
        seen = set()
        for place, line in enumerate(data.get("lines") or ()):
            if line["line_id"] in seen:
                raise Wrong({"lines": {place: {"line_id": [N_("This line is here twice: write it once.")]}}})
            seen.add(line["line_id"])


class Empty(Body):
    """Nothing to say."""


class PaymentPart(Body):
    method = one_of(PaymentMethod, required=True)
    amount = MoneyField(required=True, validate=above_zero)
    desk_id = IdField(load_default=None, allow_none=True)
    from_patient_id = IdField(load_default=None, allow_none=True)
    certificate = TextField(20, load_default=None, allow_none=True)


class PaidBill(Body):
    work_order_id = IdField(required=True)
    amount = MoneyField(required=True, validate=above_zero)


class NewPayment(Body):
    patient_id = IdField(required=True)
    parts = listed(PaymentPart, rules.MOST_PARTS, required=True)
    bills = listed(PaidBill, 200, load_default=None, allow_none=True)
    tendered = MoneyField(load_default=None, allow_none=True, validate=not_negative)
    receipt_to = TextField(200, load_default="")
    payer_id = IdField(load_default=None, allow_none=True)
    branch_id = IdField(load_default=None, allow_none=True)


class NewCertificate(Body):
    amount = MoneyField(required=True, validate=above_zero)
    number = TextField(20, load_default="")
    valid_until = DayField(load_default=None, allow_none=True)
    parts = listed(PaymentPart, rules.MOST_PARTS, load_default=list)
    tendered = MoneyField(load_default=None, allow_none=True, validate=not_negative)


class NewRefund(Body):
    amount = MoneyField(required=True, validate=above_zero)
    reason = TextField(400, blank=False, required=True)


class PassedAdvance(Body):
    to_id = IdField(required=True)
    amount = MoneyField(required=True, validate=above_zero)
    reason = TextField(400, blank=False, required=True)


class Why(Body):
    reason = TextField(400, blank=False, required=True)


class ServiceQuery(PageQuery):
    q = TextField(100, load_default="")


class PricesOn(PageQuery):
    day = DayField(required=True)


class PriceFile(Body):
    valid_from = DayField(required=True)


class AppliedPrices(Body):
    seen = TextField(64, blank=False, required=True)
    skip_refused = TextField(1, load_default="")
