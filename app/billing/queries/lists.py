"""The lists of debtors and of advances: who, how much, since when, how to reach them.

A page goes on after its last row, so that the hundredth costs what the first one does. That row may have left the list
meanwhile: the page goes on from where it stood.
"""

from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import exists, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.billing.queries.balances import Rows
from app.db import Fixed, given, session
from app.models import Appointment, Patient, PatientAccount, PatientPhone, Payment, WorkOrder
from app.money import ZERO
from app.patients import queries as patients
from app.vocab import AppointmentStatus, WorkOrderStatus

#: What a list can be sorted by.
SORTS = ("sum", "name", "age")


def _since_bill() -> Any:
    """The day of the oldest unpaid bill."""
    return (
        select(func.min(WorkOrder.issued_day))
        .where(WorkOrder.patient_id == PatientAccount.patient_id, WorkOrder.status == WorkOrderStatus.ISSUED)
        .correlate(PatientAccount)
        .scalar_subquery()
    )


def _since_payment() -> Any:
    """The day of the last payment: an advance that nobody used since then."""
    return (
        select(func.max(Payment.business_day))
        .where(Payment.patient_id == PatientAccount.patient_id)
        .correlate(PatientAccount)
        .scalar_subquery()
    )


def _age(of: str) -> Any:
    """Where the age puts a patient: who has an advance and never paid, as from a relative, stands at the end."""
    return _since_bill() if of == "debt" else func.coalesce(_since_payment(), literal(date.max))


#: Where a patient stood in a list when it was shown: the sum, or the day.
Stood = Decimal | date | None


def debtors(
    q: str = "", *, sort: str = "sum", after: int | None = None, stood: Stood = None, limit: int = 50
) -> Rows:  # fmt: skip
    """Who owes, the largest sum first: id, full_name, card_number, amount, since, phone, last_visit.

    `after`: go on after this patient, who `stood` there when the page before was shown (`stood_at`) and may have paid
    since. When nobody knows any more where that was, the list is shown from its beginning.

    `sort`: sum, name, or age, the oldest unpaid bill first.
    """
    return _listed("debt", q, sort, after, stood, limit)


def advances(
    q: str = "", *, sort: str = "sum", after: int | None = None, stood: Stood = None, limit: int = 50
) -> Rows:  # fmt: skip
    """Who has paid ahead, as `debtors`; the age is that of the last payment."""
    return _listed("advance", q, sort, after, stood, limit)


def stood_at(row: Any, sort: str) -> Stood:
    """Where a row of a list stands in it; None where the list is by names, for the card knows them."""
    return {"sum": row.amount, "age": row.since or date.max}.get(sort)


def debtors_total(q: str = "") -> tuple[int, Decimal]:
    """How many owe, and how much together."""
    return _total("debt", q)


def advances_total(q: str = "") -> tuple[int, Decimal]:
    """How many have paid ahead, and how much together."""
    return _total("advance", q)


def _amount(of: str) -> InstrumentedAttribute[Decimal]:
    return PatientAccount.debt if of == "debt" else PatientAccount.advance


def _whole(of: str) -> Any:
    return (
        select(func.count().label("many"), func.coalesce(func.sum(_amount(of)), ZERO).label("whole"))
        .select_from(PatientAccount)
        .where(_amount(of) > 0)
    )


@cache
def _fixed_total(of: str) -> Fixed:
    return Fixed(_whole(of))


def _total(of: str, q: str) -> tuple[int, Decimal]:
    if q.strip():
        row = session.execute(_whole(of).where(PatientAccount.patient_id.in_(patients.matching(q)))).one()
    else:
        row = _fixed_total(of)().one()
    return row.many, row.whole


def _listed(of: str, q: str, sort: str, after: int | None, stood: Stood, limit: int) -> Rows:
    last = _last(of, sort, after, stood) if after is not None else {}
    if q.strip():
        return session.execute(_page(of, sort, bool(last), limit, q), last).all()
    return _fixed_page(of, sort, bool(last), limit)(**last).all()


def _last(of: str, sort: str, after: int, stood: Stood) -> dict[str, Any]:
    """The place that a list goes on after; empty when it cannot be known."""
    if stood is not None and sort != "name":
        return {"last_0": stood, "last_1": after}
    found = session.execute(_place(of, sort).where(PatientAccount.patient_id == after)).one_or_none()
    if found is None or None in found or (sort == "sum" and not found[0]):
        return {}
    return {f"last_{n}": value for n, value in enumerate(found)}


@lru_cache(maxsize=50)
def _fixed_page(of: str, sort: str, further: bool, limit: int) -> Fixed:
    return Fixed(_page(of, sort, further, limit))


def _place(of: str, sort: str) -> Any:
    """Where a patient stands in the list."""
    keys: Any = {
        "sum": (_amount(of), PatientAccount.patient_id),
        "name": (Patient.surname, Patient.name, Patient.id),
        "age": (_age(of), PatientAccount.patient_id),
    }[sort]
    return select(*keys).select_from(PatientAccount).join(Patient, Patient.id == PatientAccount.patient_id)


def _page(of: str, sort: str, further: bool, limit: int, q: str = "") -> Any:
    """A page of a list, after the place `last_0, last_1…` when it goes on."""
    amount = _amount(of)
    base = select(PatientAccount.patient_id, amount.label("amount")).where(amount > 0)
    keys: Any = (amount, PatientAccount.patient_id)
    if sort == "name":
        base = base.join(Patient, Patient.id == PatientAccount.patient_id)
        keys = (Patient.surname, Patient.name, Patient.id)
    elif sort == "age" and of == "debt":
        base, day = _by_oldest_bill(base)
        keys = (day, PatientAccount.patient_id)
    elif sort == "age":
        keys = (_age(of), PatientAccount.patient_id)
    if q.strip():
        base = base.where(PatientAccount.patient_id.in_(patients.matching(q)))
    if further:
        last = tuple_(*(given(f"last_{n}", key.type) for n, key in enumerate(keys)))
        base = base.where(tuple_(*keys) < last if sort == "sum" else tuple_(*keys) > last)
    first = [key.desc() if sort == "sum" else key for key in keys]
    named = base.add_columns(*(key.label(f"key_{n}") for n, key in enumerate(keys)))
    page = named.order_by(*first).limit(literal_column(str(int(limit)))).subquery("page")
    places = [page.c[f"key_{n}"] for n in range(len(keys))]
    since = _since_bill() if of == "debt" else _since_payment()
    return _shown(page, since).order_by(*(place.desc() if sort == "sum" else place for place in places))


def _by_oldest_bill(base: Any) -> tuple[Any, Any]:
    """Debtors found by their bills: a patient stands where the oldest unpaid one does. The index of unpaid bills by day
    is read only as far as the page needs."""
    oldest, older = aliased(WorkOrder), aliased(WorkOrder)
    base = base.join(oldest, oldest.patient_id == PatientAccount.patient_id).where(
        oldest.status == literal_column("'issued'"),
        ~exists().where(
            older.patient_id == oldest.patient_id,
            older.status == literal_column("'issued'"),
            tuple_(older.issued_day, older.id) < tuple_(oldest.issued_day, oldest.id),
        ),
    )
    return base, oldest.issued_day


def _shown(page: Any, since: Any) -> Any:
    """The rows of a page as the list shows them."""
    phone = (
        select(PatientPhone.number).where(PatientPhone.patient_id == page.c.patient_id).order_by(PatientPhone.id)
        .limit(1).correlate(page).scalar_subquery()
    )  # fmt: skip
    last_visit = (
        select(func.max(Appointment.starts_at))
        .where(Appointment.patient_id == page.c.patient_id, Appointment.status == AppointmentStatus.COMPLETED)
        .correlate(page)
        .scalar_subquery()
    )
    name = func.concat_ws(" ", Patient.surname, Patient.name, func.nullif(Patient.patronymic, ""))
    return (
        select(
            Patient.id, name.label("full_name"), Patient.card_number, page.c.amount, since.label("since"),
            phone.label("phone"), last_visit.label("last_visit"),
        )
        .join(page, page.c.patient_id == Patient.id)
        .join(PatientAccount, PatientAccount.patient_id == Patient.id)
    )  # fmt: skip
