"""What a browser or a program may ask of a report."""

from marshmallow import fields

from app.schemas import DayField, IdField, Query, WholeField, one_of
from app.vocab import N_, AppointmentStatus, MovementKind, PaymentMethod


class _Truth(fields.Boolean):
    default_error_messages = {"invalid": N_("Unknown value.")}


class ReportQuery(Query):
    """`?from=&to=&branch_id=&format=`; rows come by pages (a day fits into one), totals are always of all."""

    first = DayField(data_key="from", load_default=None)
    last = DayField(data_key="to", load_default=None)
    branch_id = IdField(load_default=None)
    format = one_of(("xlsx", "csv", "pdf", "json"), load_default=None)
    page = WholeField(0, 100_000, load_default=0)
    page_size = WholeField(1, 5000, load_default=1000)


class PatientsQuery(ReportQuery):
    doctor = IdField(load_default=None)
    status = one_of(("came", "visits", *AppointmentStatus), load_default=None)
    is_first = _Truth(data_key="first", attribute="first_visit", load_default=None)
    money = one_of(("billed", "paid", "debt"), load_default=None)
    print = _Truth(load_default=False)


class BillsQuery(ReportQuery):
    block = one_of(("bill", "payment", "refund"), load_default=None)
    method = one_of(PaymentMethod, load_default=None)
    show = one_of(
        (
            "debt_start",
            "debt_end",
            "advance_start",
            "advance_end",
            "in",
            "used",
            "returned",
            "restored",
            "to_certificate",
            "from_certificate",
        ),
        load_default=None,
    )
    print = _Truth(load_default=False)


class ServicesQuery(ReportQuery):
    category = IdField(load_default=None)
    service = IdField(load_default=None)
    doctor = IdField(load_default=None)
    show = one_of(("lines", "drafts", "taken_back"), load_default=None)
    print = _Truth(load_default=False)


class CashQuery(ReportQuery):
    desk = IdField(load_default=None)
    shift = IdField(load_default=None)
    kind = one_of(MovementKind, load_default=None)
    method = one_of(PaymentMethod, load_default=None)
    category = IdField(load_default=None)
    bare = _Truth(load_default=None)
    way = one_of(("in", "out"), load_default=None)
    show = one_of(("operations",), load_default=None)
    print = _Truth(load_default=False)
