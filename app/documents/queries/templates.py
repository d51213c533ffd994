"""The versions of a text: who saved which, what was changed between two of them."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from app import clock
from app.db import session
from app.documents import rules
from app.documents.queries.fields import act_print, merge_fields, order_print, person, provided_print
from app.documents.queries.papers import last_reversal, order_to_print, receipt_fields, receipts_of
from app.documents.queries.samples import OF_ORDER, sample_fields
from app.models import Branch, DocumentTemplate, Employee, IssuedDocument, LegalEntity, Patient, User, WorkOrder
from app.vocab import TemplateKind, WorkOrderStatus

#: Lines around a change that are shown with it.
_AROUND = 2


@dataclass(frozen=True)
class Line:
    """A line of a comparison: what became of it, and its pieces, the changed ones marked."""

    what: str
    number: str
    pieces: Sequence[tuple[bool, str]]


def newest_of(kind: str) -> DocumentTemplate | None:
    """The newest version of a text."""
    return session.scalars(
        select(DocumentTemplate).where(DocumentTemplate.kind == kind).order_by(DocumentTemplate.version.desc()).limit(1)
    ).one_or_none()


def version_of(kind: str, version: int) -> DocumentTemplate | None:
    """A version of a text by its number."""
    return session.scalars(
        select(DocumentTemplate).where(DocumentTemplate.kind == kind, DocumentTemplate.version == version)
    ).one_or_none()


def versions_of(kind: str) -> Sequence[Row[Any]]:
    """All versions of a text without the texts, the newest first: who saved them and when, was any printed."""
    papers = (
        select(IssuedDocument.id).where(IssuedDocument.template_id == DocumentTemplate.id).exists().label("printed")
    )
    row = DocumentTemplate
    return session.execute(
        select(row.id, row.version, row.name, row.active, row.created_at, papers, Employee.surname,
               Employee.name.label("first"), User.first_name, User.last_name)
        .outerjoin(User, User.id == row.created_by_id)
        .outerjoin(Employee, Employee.user_id == row.created_by_id)
        .where(row.kind == kind)
        .order_by(row.version.desc())
        .limit(200)
    ).all()  # fmt: skip


def compared(old: str, new: str) -> list[Line]:
    """What a new text changes in an old one: the changed lines with some around them, «…» for what is alike."""
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    found: list[Line] = []
    for group in matcher.get_grouped_opcodes(_AROUND):
        if group[0][1] > 0:
            found.append(Line("gap", "", [(False, "…")]))
        for tag, first, last, start, stop in group:
            found += _changed(tag, before[first:last], after[start:stop], start + 1)
    return found


def _changed(tag: str, gone: list[str], come: list[str], number: int) -> Iterator[Line]:
    if tag == "equal":
        for at, line in enumerate(come):
            yield Line("same", str(number + at), [(False, line)])
        return
    pairs = [_words(one, other) for one, other in zip(gone, come, strict=False)] if len(gone) == len(come) else []
    for at, line in enumerate(gone):
        yield Line("gone", "", pairs[at][0] if pairs else [(False, line)])
    for at, line in enumerate(come):
        yield Line("come", str(number + at), pairs[at][1] if pairs else [(False, line)])


def _words(old: str, new: str) -> tuple[list[tuple[bool, str]], list[tuple[bool, str]]]:
    """Two versions of a line in pieces: those that only one of them has are marked."""
    one, other = re.findall(r"\s+|[\w.-]+|.", old), re.findall(r"\s+|[\w.-]+|.", new)
    gone: list[tuple[bool, str]] = []
    come: list[tuple[bool, str]] = []
    if len(one) + len(other) > 4000:
        return [(True, old)], [(True, new)]
    for tag, first, last, start, stop in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if last > first:
            gone.append((tag != "equal", "".join(one[first:last])))
        if stop > start:
            come.append((tag != "equal", "".join(other[start:stop])))
    return gone, come


def example_of(
    kind: str, patient: Patient, entity: LegalEntity, branch: Branch, actor: User | None
) -> dict[str, Any] | None:
    """The values that a paper of this kind would have for a patient; None when there is nothing to make it of."""
    if kind == TemplateKind.RECEIPT:
        receipts = receipts_of(patient.id)
        return receipt_fields(receipts[0]) if receipts else None
    if kind in OF_ORDER:
        return _of_order(kind, patient.id)
    values = merge_fields(patient, entity, branch, 123, actor, kind=kind)
    if kind == TemplateKind.TAX_CERTIFICATE:
        payer = patient.guardian or patient
        tax = {**sample_fields(kind)["tax"], "same": payer is patient}
        return {**values, "tax": tax, "taxpayer": person(payer, clock.today())}
    return values


def _of_order(kind: str, patient_id: int) -> dict[str, Any] | None:
    found = session.scalar(
        select(WorkOrder.id)
        .where(WorkOrder.patient_id == patient_id, WorkOrder.reverses_id.is_(None),
               WorkOrder.status.in_((WorkOrderStatus.ISSUED, WorkOrderStatus.PAID)))
        .order_by(WorkOrder.id.desc()).limit(1)
    )  # fmt: skip
    order = order_to_print(found) if found else None
    if order is None:
        return None
    if kind == TemplateKind.ACT:
        return act_print(order, (last_reversal(order.id) or order).id)
    return order_print(order) if kind == TemplateKind.WORK_ORDER else provided_print(order)


def fields_of(kind: str) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """The fields of a kind of paper by their groups: what to write, what it means, an example, what is put in."""
    return rules.grouped(sample_fields(kind))
