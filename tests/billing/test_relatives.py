"""Advances of relatives: who may use whose, both sides of the ledger, and back again."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from app import clock, errors
from app.billing import operations, queries
from app.db import session, transaction
from app.documents import queries as documents
from app.models import AdvanceTransfer, Family, FiscalReceipt, LedgerEntry, Patient, Payment, PaymentPart
from app.patients import operations as cards
from tests.billing.test_certificates import sell
from tests.billing.test_operations import D, billed, branch, held, owes, pay  # noqa: F401
from tests.billing.test_reversals import proven, reverse
from tests.test_races import together


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
    # the ways of paying name nobody; whose money it is stands once, as the payer
    kept = dict(payment.receipt.snapshot)
    assert kept.pop("payer") == mother.full_name and mother.surname not in str(kept)
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


def test_what_a_relative_paid_goes_back_to_the_relative(make, branch, family):  # noqa: F811
    """First the money, then the advance; a part of it too, and when they are relatives no more."""
    mother, _, child, _ = family
    pay(make, branch, mother.id, ("cash", "1000"))
    billed(make, branch, "1000", child)
    payment = borrow(make, branch, child, mother, "600", ("cash", "400"))
    with transaction():
        session.get_one(Patient, child.id).guardian_id = None
    with transaction():
        operations.refund(payment.id, D(700), "не сделали", actor=make.user("senior"))
    assert owes(mother.id) == (0, D(700)) and owes(child.id) == (D(700), 0)
    with pytest.raises(errors.OverRefund), transaction():
        operations.refund(payment.id, D(301), "ещё", actor=make.user("senior"))
    with transaction():
        operations.refund(payment.id, D(300), "не сделали", actor=make.user("senior"))
    assert owes(mother.id) == (0, D(1000)) and owes(child.id) == (D(1000), 0)
    assert [row.change for row in queries.transfers_of(mother.id)] == [D(300), D(300), D(-600)]
    proven()


def test_a_mistake_gives_the_relative_the_advance_back(client_of, make, branch, family):  # noqa: F811
    mother, _, child, _ = family
    pay(make, branch, mother.id, ("card", "500"))
    billed(make, branch, "500", child)
    payment = borrow(make, branch, child, mother, "500")
    browser, address = client_of("senior"), f"/settlement/payments/{payment.id}/cancel"
    answer = browser.post(address, data={"reason": "не тот", "request_id": str(uuid4())}, follow_redirects=True)
    assert "оплаченное авансом родственника снова в этом авансе" in answer.text.lower()
    assert owes(mother.id) == (0, D(500)) and owes(child.id) == (D(500), 0)
    proven()


def test_a_reversed_bill_returned_of_its_payment_is_the_relative_s_again(make, branch, family):  # noqa: F811
    mother, _, child, _ = family
    pay(make, branch, mother.id, ("cash", "1000"))
    order = billed(make, branch, "1000", child)
    payment = borrow(make, branch, child, mother, "1000")
    reverse(make, order)
    with transaction():
        operations.refund(payment.id, D(1000), "не сделали", actor=make.user("senior"))
    assert owes(mother.id) == (0, D(1000)) and owes(child.id) == (0, 0)
    proven()


def test_who_was_emptied_gets_nothing_back(make, branch, family):  # noqa: F811
    mother, _, child, _ = family
    pay(make, branch, mother.id, ("card", "500"))
    billed(make, branch, "500", child)
    payment, number = borrow(make, branch, child, mother, "500"), mother.card_number
    with transaction():
        theirs = FiscalReceipt.payment_id.in_(select(Payment.id).where(Payment.branch_id == branch.id))
        session.execute(update(FiscalReceipt).where(theirs).values(status="done"))
        cards.erase_card(mother.id, str(number), clock.today(), "просит", actor=make.user("director"))
    with transaction():
        operations.refund(payment.id, D(500), "не сделали", actor=make.user("senior"))
    assert owes(child.id) == (D(500), D(500))
    proven()


def test_two_who_paid_for_each_other_get_it_back_at_once(app, make, branch, family):  # noqa: F811
    mother, father, _, _ = family
    for one in (mother, father):
        pay(make, branch, one.id, ("cash", "500"))
        billed(make, branch, "500", one)
    given = [borrow(make, branch, one, other, "500").id for one, other in ((mother, father), (father, mother))]
    senior = make.user("senior")
    deeds = [lambda pk=pk: operations.refund(pk, D(50), "разом", actor=senior).id for pk in given * 6]
    done = [one for one in together(app, deeds) if isinstance(one, int)]
    assert len(done) == 12
    session.expire_all()
    assert [owes(one.id) for one in (mother, father)] == [(D(300), D(300))] * 2
    proven()
