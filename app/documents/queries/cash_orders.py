"""What stands in a cash order КО-1 or КО-2: read from the movement, the patient's card and the legal entity.

Papers are Russian in every language of the screen. Where next: `cash_drawn.py`, which draws it.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.cash import queries as cash
from app.db import session
from app.documents import rules
from app.models import (
    CashMovement,
    Employee,
    IssuedDocument,
    LedgerEntry,
    LegalEntity,
    Patient,
    Payment,
    PaymentPart,
    Refund,
    RefundPart,
    User,
    WorkOrder,
)
from app.patients import queries as cards
from app.patients import rules as patients
from app.vocab import ItemKind, MovementKind, TemplateKind

#: Of a legal entity: the field with the account that stands against the drawer's.
_ACCOUNT = {
    MovementKind.PAYMENT: "account_patients", MovementKind.REFUND: "account_patients",
    MovementKind.COLLECTION: "account_bank", MovementKind.SALARY: "account_salary",
    MovementKind.WITHDRAWAL: "account_expenses", MovementKind.TRANSFER_IN: "account_cash",
    MovementKind.TRANSFER_OUT: "account_cash",
}  # fmt: skip
_BASIS = {
    MovementKind.PAY_IN: "Внесение денег в кассу", MovementKind.WITHDRAWAL: "Изъятие денег из кассы",
    MovementKind.COLLECTION: "Сдача выручки в банк (инкассация)", MovementKind.SALARY: "Выплата заработной платы",
    MovementKind.TRANSFER_OUT: "Передача денег в другую кассу",
    MovementKind.TRANSFER_IN: "Получение денег из другой кассы",
    MovementKind.CORRECTION: "Корректировка остатка кассы", MovementKind.SURPLUS: "Излишек, найденный при пересчёте",
    MovementKind.SHORTAGE: "Недостача, найденная при пересчёте",
}  # fmt: skip


@dataclass(frozen=True)
class CashOrder:
    """The fields of a cash order, in the words that stand on paper."""

    came_in: bool
    number: int
    day: date
    organisation: str
    okpo: str
    department: str
    own_account: str
    other_account: str
    amount: Decimal
    #: From whom in the genitive, to whom in the dative.
    person: str
    identity: str
    basis: str
    vat: str
    attachment: str
    head_post: str
    head: str
    accountant: str
    cashier: str
    #: «АННУЛИРОВАН …» when a later order reversed it.
    annulled: str


def cash_order(movement: CashMovement) -> CashOrder:
    """The cash order of a drawer's movement."""
    entity: LegalEntity = movement.desk.legal_entity
    came_in = movement.delta > 0
    patient = session.get(Patient, movement.patient_id) if movement.patient_id else None
    cashier = employee_of(movement.created_by_id)
    basis, attachment = _basis(movement)
    mended = cash.reversal_of(movement.id)
    payer = _payer(movement, patient) if patient else None
    return CashOrder(
        came_in, movement.number, movement.business_day, entity.name, entity.okpo, movement.desk.branch.name,
        entity.account_cash, other_account(movement), abs(movement.delta),
        _person(movement, payer, cashier), cards.identity_of(payer) if payer and not came_in else "", basis,
        _vat(movement) if patient else "", attachment, entity.director_post, short(entity.director_name),
        short(entity.accountant_name), name_of(movement.created_by_id, cashier),
        f"АННУЛИРОВАН ордером № {mended.number} от {rules.short_day(mended.business_day)}" if mended else "",
    )  # fmt: skip


def other_account(movement: CashMovement) -> str:
    """The account against the drawer's; of a reversal, that of what it reverses; of the bank's desk, the bank's."""
    entity: LegalEntity = movement.desk.legal_entity
    if movement.reverses_id is not None:
        return other_account(session.get_one(CashMovement, movement.reverses_id))
    kind = MovementKind(movement.kind)
    if kind in (MovementKind.TRANSFER_IN, MovementKind.TRANSFER_OUT):
        other = cash.other_side(movement)
        if other is not None and other.shift_id is None:
            return entity.account_bank
    return str(getattr(entity, _ACCOUNT.get(kind, "account_other")))


def employee_of(user_id: int | None) -> Employee | None:
    """The employee who signs in with this account."""
    return session.scalars(select(Employee).where(Employee.user_id == user_id)).one_or_none() if user_id else None


def name_of(user_id: int | None, employee: Employee | None) -> str:
    """Surname and initials of who did it; of an account without an employee, its name."""
    if employee is not None:
        return employee.short_name
    user = session.get(User, user_id) if user_id else None
    return f"{user.last_name} {user.first_name}".strip() if user else ""


short = rules.short_name


def _payer(movement: CashMovement, patient: Patient) -> Patient:
    """Who brought the money, and gets it back: the payment says it.

    One that was taken before payers were written down does not: then of a child the guardian, else who pays for the
    card.
    """
    payment = _payment_of(movement) or _refunded_by(movement)
    if payment is not None and payment.payer is not None:
        payer: Patient = payment.payer
        return payer
    alone = patients.signs(patients.age(patient.birth_date, movement.business_day)) == patients.Signs.PATIENT
    return patient if alone and patient.birth_date else patient.guardian or patient.payer or patient


def _refunded_by(movement: CashMovement) -> Payment | None:
    return session.scalars(
        select(Payment).join(Refund, Refund.payment_id == Payment.id).join(RefundPart)
        .where(RefundPart.movement_id == movement.id)
    ).one_or_none()  # fmt: skip


def _vat(movement: CashMovement) -> str:
    """The tax inside this part of a payment, as its receipt knows the lines; an older receipt does not."""
    payment = _payment_of(movement)
    paper = payment.receipt.snapshot if payment is not None and payment.receipt else {}
    if payment is None or not paper.get("for_lines"):
        return rules.vat_words(())
    part = movement.delta / payment.amount
    return rules.vat_words(paper["lines"], Decimal(paper["for_lines"]) * part, movement.delta)


def _person(movement: CashMovement, patient: Patient | None, cashier: Employee | None) -> str:
    """Who pays, in the genitive, or gets, in the dative: patient or guardian, who was written, or the cashier."""
    put = patients.genitive if movement.delta > 0 else patients.dative
    put_card = patients.genitive_of if movement.delta > 0 else patients.dative_of
    if patient is not None:
        return put_card(patient)
    written = " ".join(movement.counterparty.split())
    if not written and movement.kind in (MovementKind.SALARY, MovementKind.WITHDRAWAL):
        return ""  # a line to write it by hand: the cashier did not get it
    words = written.split()
    if not written:
        return put_card(cashier) if cashier else ""
    # «Петров Пётр Петрович», «Петров П. П.», «Петров П.П.»
    person = 2 <= len(words) <= 3 and all(re.sub("[-.]", "", word).isalpha() and word.istitle() for word in words)
    return put(words[0], words[1], " ".join(words[2:]), None) if person else written


def _basis(movement: CashMovement) -> tuple[str, str]:
    """Why money moved, and what is attached."""
    if movement.reverses_id is not None:
        first = session.get_one(CashMovement, movement.reverses_id)
        word = "приходного" if first.delta > 0 else "расходного"
        day = rules.short_day(first.business_day)
        return f"Исправление ошибки: отмена {word} ордера № {first.number} от {day}. {movement.comment}".strip(), ""
    if movement.kind == MovementKind.PAYMENT:
        return _of_payment(movement)
    if movement.kind == MovementKind.REFUND:
        return _of_refund(movement)
    words = [_BASIS[MovementKind(movement.kind)]]
    words += [movement.category_name] if movement.category_name else []
    other = (
        cash.other_side(movement) if movement.kind in (MovementKind.TRANSFER_IN, MovementKind.TRANSFER_OUT) else None
    )
    words += [f"«{other.desk.name}»"] if other is not None else []
    more = f". {movement.comment}" if movement.comment and movement.comment not in words else ""
    return ": ".join(words) + more, ""


def _payment_of(movement: CashMovement) -> Payment | None:
    return session.scalars(
        select(Payment).join(PaymentPart).where(PaymentPart.movement_id == movement.id)
        .options(joinedload(Payment.receipt))
    ).unique().one_or_none()  # fmt: skip


def _of_payment(movement: CashMovement) -> tuple[str, str]:
    payment = _payment_of(movement)
    if payment is None:
        return "Оплата медицинских услуг", ""
    bills = session.scalars(
        select(WorkOrder.number).where(
            WorkOrder.id.in_(
                select(LedgerEntry.work_order_id).where(
                    LedgerEntry.payment_id == payment.id, LedgerEntry.refund_id.is_(None), LedgerEntry.debt_change < 0
                )
            )
        ).order_by(WorkOrder.id)
    ).all()  # fmt: skip
    receipt = payment.receipt
    goods = any(line.get("kind") == ItemKind.GOODS for line in (receipt.snapshot.get("lines") or () if receipt else ()))
    paid_for = "Оплата товаров и услуг" if goods else "Оплата медицинских услуг"
    basis = paid_for if bills else "Аванс на медицинские услуги"
    contract = session.execute(
        select(IssuedDocument.number, func.date(IssuedDocument.created_at))
        .where(IssuedDocument.patient_id == payment.patient_id, IssuedDocument.kind == TemplateKind.CONTRACT,
               IssuedDocument.created_at <= payment.paid_at)
        .order_by(IssuedDocument.id.desc()).limit(1)
    ).first()  # fmt: skip
    if contract:
        basis += f" по договору № {contract[0]} от {rules.short_day(contract[1])}"
    if bills:
        basis += (", наряд № " if len(bills) == 1 else ", наряды № ") + ", ".join(map(str, bills))
    return basis, f"квитанция № {receipt.number}" if receipt else ""


def _of_refund(movement: CashMovement) -> tuple[str, str]:
    refund = session.scalars(
        select(Refund).join(RefundPart).where(RefundPart.movement_id == movement.id)
    ).one_or_none()  # fmt: skip
    if refund is None:
        return "Возврат оплаты медицинских услуг", ""
    number, day = refund.payment.number, rules.short_day(refund.payment.business_day)
    return f"Возврат денег по оплате № {number} от {day}: {refund.reason}", ""
