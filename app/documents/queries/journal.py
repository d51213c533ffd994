"""The journal of issued papers: which, of whom, by whom, signed or not, over days; narrowed, counted, paged.

It tells that a paper was issued and nothing of money or visits, so no window of days is on it: as the card does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select

from app.db import session
from app.documents.queries.issued import issuer, stands
from app.models import (
    Appointment,
    Employee,
    IssuedDocument,
    PaperJob,
    Patient,
    SignedScan,
    TaxCertificate,
    User,
    WorkOrder,
)
from app.patients import rules as patients

#: Past so many nobody counts; who looks further narrows the days.
COUNTED = 10_000


@dataclass(frozen=True)
class Asked:
    """What the journal is asked for: days, and what it is narrowed to. `doctor_id`: own patients only."""

    first: date
    last: date
    kind: str = ""
    q: str = ""
    #: yes, no, or any.
    signed: str = ""
    #: ready, waiting, failed, or any.
    state: str = ""
    issuer_id: int | None = None
    doctor_id: int | None = None


def journal(asked: Asked, *, limit: int, offset: int = 0) -> tuple[int, Sequence[Row[Any]]]:
    """How many papers fit (counted up to `COUNTED`), and a page of them, the newest first."""
    paper = IssuedDocument
    scan = (
        select(func.min(SignedScan.id)).where(SignedScan.document_id == paper.id, stands()).correlate(paper)
        .scalar_subquery()
    )  # fmt: skip
    annulled = (
        select(TaxCertificate.annulled_at).where(TaxCertificate.document_id == paper.id).correlate(paper)
        .scalar_subquery()
    )  # fmt: skip
    name = func.concat_ws(" ", Patient.surname, Patient.name, func.nullif(Patient.patronymic, ""))
    found = _narrowed(
        select(
            paper.id, paper.kind, paper.number, paper.year, paper.day, paper.created_at, paper.sha256,
            paper.patient_id, name.label("patient"), Patient.card_number, issuer().label("issued_by"),
            func.coalesce(PaperJob.error, "").label("error"), scan.label("scan_id"), annulled.label("annulled_at"),
        ),
        asked,
    )  # fmt: skip
    page = session.execute(found.order_by(paper.id.desc()).limit(limit).offset(offset)).all()
    if len(page) < limit and not offset:
        return len(page), page
    counted = _narrowed(select(paper.id), asked).limit(COUNTED).subquery()
    return int(session.scalar(select(func.count()).select_from(counted)) or 0), page


def issuers(asked: Asked) -> list[tuple[int, str]]:
    """Who issued papers in these days: login's number, name."""
    paper = IssuedDocument
    found = (
        select(paper.created_by_id, issuer().label("name"))
        .join(User, User.id == paper.created_by_id)
        .outerjoin(Employee, Employee.user_id == paper.created_by_id)
        .where(paper.day.between(asked.first, asked.last))
        .distinct()
        .order_by("name")
    )
    return [(pk, name) for pk, name in session.execute(found) if pk]


def _narrowed(found: Select[Any], asked: Asked) -> Select[Any]:
    paper = IssuedDocument
    found = (
        found.join(Patient, Patient.id == paper.patient_id)
        .outerjoin(PaperJob, PaperJob.document_id == paper.id)
        .outerjoin(User, User.id == paper.created_by_id)
        .outerjoin(Employee, Employee.user_id == paper.created_by_id)
        .where(paper.day.between(asked.first, asked.last))
    )
    if asked.kind:
        found = found.where(paper.kind == asked.kind)
    if asked.issuer_id:
        found = found.where(paper.created_by_id == asked.issuer_id)
    if asked.doctor_id is not None:
        found = found.where(of_doctors_patients(asked.doctor_id))
    if asked.signed:
        scanned = select(SignedScan.id).where(SignedScan.document_id == paper.id, stands()).exists()
        found = found.where(scanned if asked.signed == "yes" else ~scanned)
    states: dict[str, ColumnElement[bool]] = {
        "ready": paper.sha256.is_not(None),
        "waiting": PaperJob.error == "",
        "failed": PaperJob.error != "",
    }
    if asked.state in states:
        found = found.where(states[asked.state])
    for word in patients.searchable(asked.q).split()[:6]:
        found = found.where(_fits(word.removeprefix("№")))
    return found


def _fits(word: str) -> ColumnElement[bool]:
    """A word of the search: the number of the paper or of the card, or the beginning of a name's word."""
    if word.isascii() and word.isdigit():
        number = int(word) if len(word) < 10 else -1
        return or_(IssuedDocument.number == number, Patient.card_number == number)
    return Patient.search_name.like(f"% {patients.like(word)}%")


def of_doctors_patients(doctor_id: int) -> ColumnElement[bool]:
    """Papers of patients who have a visit or a work order of this doctor, or are under the doctor's care."""
    whose = IssuedDocument.patient_id
    return or_(
        whose.in_(select(Appointment.patient_id).where(Appointment.doctor_id == doctor_id)),
        whose.in_(select(WorkOrder.patient_id).where(WorkOrder.doctor_id == doctor_id)),
        whose.in_(select(Patient.id).where(Patient.doctor_id == doctor_id).correlate(None)),
    )
