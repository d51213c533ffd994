"""Advances of relatives: who may use whose, both sides of the ledger, and back again."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app import errors
from app.billing import operations, queries
from app.db import session, transaction
from app.documents import queries as documents
from app.models import AdvanceTransfer, Family, LedgerEntry, PaymentPart
from tests.billing.test_certificates import sell
from tests.billing.test_operations import D, billed, branch, held, owes, pay  # noqa: F401
from tests.billing.test_reversals import proven, reverse


@pytest.fixture
def family(make):
    """Mother, father and child of one family, and a stranger."""
    kin = make._save(Family(name="Семейновы"))
    mother, father = (make.patient("Семейнова", family_id=kin.id) for _ in range(2))
    return mother, father, make.patient("Ребёнков", guardian_id=mother.id), make.patient("Чужая")


def borrow(make, branch, patient, lender, amount, *parts, by="administrator"):  # noqa: F811
    with transaction():
        return operations.take_payment(
            patient.id,
            [{"method": "advance", "amount": D(amount), "from_patient_id": lender.id}]
            + [{"method": method, "amount": D(sum_)} for method, sum_ in parts],
            branch_id=branch.id, actor=make.user(by),
        )  # fmt: skip


def test_a_bill_is_paid_from_the_mother_s_advance(make, branch, family):  # noqa: F811
    mother, _, child, _ = family
    pay(make, branch, mother.id, ("cash", "1000"))
    billed(make, branch, "700", child)
    payment = borrow(make, branch, child, mother, "600", ("card", "100"))
    assert owes(mother.id) == (0, D(400)) and owes(child.id) == (0, 0)
    sides = session.execute(
        select(LedgerEntry.patient_id, LedgerEntry.advance_change).where(LedgerEntry.kind == "advance_moved")
        .where(LedgerEntry.patient_id.in_([mother.id, child.id])).order_by(LedgerEntry.id)
    ).all()  # fmt: skip
    assert [tuple(side) for side in sides] == [(mother.id, D(-600)), (child.id, D(600))]
    assert session.scalar(select(PaymentPart.transfer_id).where(PaymentPart.payment_id == payment.id,
                          PaymentPart.method == "advance"))  # fmt: skip
    assert held(branch.desk_id) == 1000
    proven()


def test_only_relatives_with_an_advance_and_only_with_the_right(make, branch, family):  # noqa: F811
    mother, father, child, stranger = family
    for patient in (mother, stranger):
        pay(make, branch, patient.id, ("cash", "500"))
    billed(make, branch, "700", father)
    with pytest.raises(errors.NotRelative):
        borrow(make, branch, father, stranger, "100")
    with pytest.raises(errors.NotRelative):
        borrow(make, branch, father, child, "100")
    with pytest.raises(errors.NotEnoughAdvance) as refused:
        borrow(make, branch, father, mother, "500.01")
    assert refused.value.facts["left"] == "500.00"
    with pytest.raises(errors.NotAllowed):
        borrow(make, branch, father, mother, "100", by="doctor")
    with pytest.raises(errors.AdvanceOnlyForBills):
        borrow(make, branch, child, mother, "100")
    with pytest.raises(errors.Invalid), transaction():
        operations.take_payment(
            father.id, [{"method": "cash", "amount": D(1), "from_patient_id": mother.id}], branch_id=branch.id,
            actor=make.user(),
        )  # fmt: skip
    assert owes(mother.id) == (0, D(500)) and owes(father.id) == (D(700), 0)
    ids = [mother.id, father.id]
    assert not session.scalar(select(func.count()).select_from(AdvanceTransfer).where(AdvanceTransfer.to_id.in_(ids)))


def test_reversed_it_is_passed_back_and_returned_to_who_paid(make, branch, family):  # noqa: F811
    mother, _, child, _ = family
    payment = pay(make, branch, mother.id, ("cash", "1000"))
    order = billed(make, branch, "1000", child)
    borrow(make, branch, child, mother, "1000")
    reverse(make, order)
    assert owes(child.id) == (0, D(1000)) and queries.advance_sources(child.id) == []
    with transaction():
        operations.pass_advance(child.id, mother.id, D(1000), "вернуть маме", actor=make.user())
    with transaction():
        operations.return_advance(payment.id, D(1000), "не нужен", actor=make.user("senior"))
    assert owes(child.id) == owes(mother.id) == (0, 0) and held(branch.desk_id) == 0
    assert [row.change for row in queries.transfers_of(child.id)] == [D(-1000), D(1000)]
    proven()


def test_whose_advance_it_was_is_said_wherever_a_payment_stands(client_of, make, branch, family):  # noqa: F811
    """On the page of the payment, in the list, and on the receipt, where a relative has no name."""
    mother, _, child, _ = family
    for patient in (mother, child):
        pay(make, branch, patient.id, ("cash", "300"))
    sell(make, branch, mother, "100", ("cash", "100"), number=f"Д-{child.id}")
    billed(make, branch, "700", child)
    with transaction():
        payment = operations.take_payment(
            child.id,
            [
                {"method": "advance", "amount": D(300)},
                {"method": "advance", "amount": D(300), "from_patient_id": mother.id},
                {"method": "advance", "amount": D(100), "certificate": f"Д-{child.id}"},
            ],
            branch_id=branch.id, actor=make.user(),
        )  # fmt: skip
    said = f"Из аванса 300,00, Из аванса родственника ({mother.full_name}) 300,00, Сертификат № Д-{child.id} 100,00"
    browser = client_of("senior")
    for address in (f"/settlement/payments/{payment.id}", f"/settlement/{child.id}",
                    f"/settlement/patient/{child.id}/money"):  # fmt: skip
        assert said in browser.get(address).text, address
    printed = documents.receipt_fields(payment.receipt)["parts"]
    assert [part["label"] for part in printed] == [
        "Из аванса", "Из аванса родственника", f"Сертификат № Д-{child.id}"
    ]  # fmt: skip
    assert mother.surname not in str(payment.receipt.snapshot)
    proven()


def test_the_settlement_offers_relatives(client_of, make, branch, family):  # noqa: F811
    mother, _, child, stranger = family
    pay(make, branch, mother.id, ("card", "1234"))
    billed(make, SimpleNamespace(id=1), "700", child)
    browser, field = client_of("administrator"), f"relative_{mother.id}"
    page = browser.get(f"/settlement/{child.id}").text
    assert f'name="{field}"' in page and "1 234,00".replace(" ", "\u202f") in page
    for data, status in (({field: "701"}, 422), ({field: "1e5"}, 422), ({f"relative_{stranger.id}": "1"}, 422),
                         ({"relative_99999999999999": "1"}, 422), ({field: "я"}, 422)):  # fmt: skip
        answer = browser.post(f"/settlement/{child.id}/pay", data={**data, "request_id": str(uuid4())})
        assert answer.status_code == status, (data, answer.status_code)
    data = {field: "700,00", "request_id": str(uuid4())}
    for _ in range(2):
        assert browser.post(f"/settlement/{child.id}/pay", data=data).status_code == 303
    assert owes(mother.id) == (0, D(534)) and owes(child.id) == (0, 0)
    path = f"/settlement/{mother.id}/pass-advance"
    for data in ({}, {"to_id": stranger.id, "amount": "1", "reason": "а"}, {"to_id": child.id, "amount": "1"}):
        assert browser.post(path, data={**data, "request_id": str(uuid4())}).status_code == 422, data
    data = {"to_id": child.id, "amount": "34", "reason": "на лечение", "request_id": str(uuid4())}
    assert browser.post(path, data=data).status_code == 303
    assert owes(child.id) == (0, D(34)) and "на лечение" in browser.get(f"/settlement/{child.id}").text


def test_all_passed_advances_can_be_looked_at(client_of, make, branch, family):  # noqa: F811
    mother, _, child, _ = family
    pay(make, branch, mother.id, ("cash", "1000"))
    for n in range(31):
        with transaction():
            operations.pass_advance(mother.id, child.id, D(1), f"на приём № {n}.", actor=make.user())
    desk = client_of("administrator")
    for at in (f"/settlement/{mother.id}", f"/settlement/patient/{mother.id}/money"):
        page = desk.get(at).text
        assert "на приём № 30." in page and "на приём № 0." not in page and "Все переданные авансы" in page
        page = desk.get(f"{at}?transfers=all").text
        assert "на приём № 30." in page and "на приём № 0." in page and "Все переданные авансы" not in page
    assert "transfers=all" in desk.get(f"/settlement/{mother.id}?payments=all").text
    assert client_of("doctor").get(f"/settlement/{mother.id}?transfers=all").status_code == 403
