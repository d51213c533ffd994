"""Two cards that are parted after money came for a bill of one of them: the bill goes back, and its payment with it."""

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import errors
from app.billing import operations as billing
from app.db import session, transaction
from app.models import CardMerge, Family, LedgerEntry, PatientAccount, Payment, Receipt, Refund, WorkOrder
from app.patients import operations
from tests.billing.test_operations import billed, drafted, pay
from tests.billing.test_reversals import proven, reverse
from tests.conftest import Maker
from tests.patients.test_merging import branch, merge, part  # noqa: F401
from tests.test_races import together

D = Decimal


def of(model: Any, pk: int) -> int:
    return int(session.get_one(model, pk, populate_existing=True).patient_id)


def stands(patient_id: int) -> tuple[Decimal, Decimal]:
    account = session.get(PatientAccount, patient_id, populate_existing=True)
    return (account.debt, account.advance) if account else (D(0), D(0))


def pair(make: Maker) -> tuple[Any, Any]:
    return make.patient("Оплатная"), make.patient("Оплатная")


def test_a_bill_that_goes_back_takes_its_payment_along(make: Maker, branch: Any) -> None:  # noqa: F811
    """Also when the card that stays owes something itself, so that nothing is below nothing."""
    first, second = pair(make)
    order, own = billed(make, branch, "1000", first), billed(make, branch, "5000", second)
    done = merge(make, first.id, second.id)
    payment = pay(make, branch, second.id, ("cash", "600"), ("card", "400"), bills=[
        {"work_order_id": order.id, "amount": D(1000)}
    ])  # fmt: skip
    assert payment.payer_id == second.id
    part(make, done)
    proven()
    assert (of(WorkOrder, order.id), of(Payment, payment.id)) == (first.id, first.id)
    paid = session.get_one(Payment, payment.id)
    assert paid.payer_id == first.id and paid.receipt.patient_id == first.id  # who paid for herself still does
    assert stands(first.id) == (0, 0) and stands(second.id) == (D(5000), 0)
    assert of(WorkOrder, own.id) == second.id


def test_what_became_of_it_since_goes_along(make: Maker, branch: Any) -> None:  # noqa: F811
    """A draft that was issued, a part returned, a line taken back, more paid than was due, a relative's advance."""
    first, kin = make.patient("Оплатная"), make._save(Family(name="Оплатные"))
    mother, second = make.patient("Мать", family_id=kin.id), make.patient("Оплатная", family_id=kin.id)
    pay(make, branch, mother.id, ("cash", "300"))
    earlier = pay(make, branch, first.id, ("cash", "200"))
    draft, bill = drafted(make, branch, "1000", first), billed(make, branch, "2000", first)
    done = merge(make, first.id, second.id)
    with transaction():
        billing.issue(draft.id, actor=make.user("director"))
        lent = {"method": "advance", "amount": D(300), "from_patient_id": mother.id}
        cash = {"method": "cash", "amount": D(3000)}
        payment = billing.take_payment(second.id, [lent, cash], branch_id=branch.id, actor=make.user())
    with transaction():
        refund = billing.refund(payment.id, D(400), "не сделали", actor=make.user("senior")).id
        billing.return_advance(earlier.id, D(50), "просит", actor=make.user("senior"))
    reversal = reverse(make, bill).id
    part(make, done)
    proven()
    session.expire_all()
    for model, pk in ((WorkOrder, draft.id), (WorkOrder, reversal), (Payment, payment.id), (Refund, refund)):
        assert of(model, pk) == first.id
    for model in (LedgerEntry, Receipt, Refund, Payment, WorkOrder):
        assert session.query(model).filter_by(patient_id=second.id).count() == 0, model
    assert stands(second.id) == (0, 0) and stands(first.id)[1] > 0


def test_an_advance_that_came_back_goes_to_who_had_lent_it(make: Maker, branch: Any) -> None:  # noqa: F811
    """The card was merged while its advance had paid for a relative, and the money was returned before the parting."""
    kin = make._save(Family(name="Оплатные"))
    first, second = make.patient("Оплатная", family_id=kin.id), make.patient("Оплатная")
    child = make.patient("Ребёнок", family_id=kin.id)
    pay(make, branch, first.id, ("cash", "500"))
    pay(make, branch, second.id, ("cash", "40"))
    billed(make, branch, "1000", child)
    with transaction():
        lent = {"method": "advance", "amount": D(500), "from_patient_id": first.id}
        payment = billing.take_payment(child.id, [lent], branch_id=branch.id, actor=make.user()).id
    done = merge(make, first.id, second.id)
    with transaction():  # twice, for the same reason
        billing.refund(payment, D(100), "не сделали", actor=make.user("senior"))
        billing.refund(payment, D(100), "не сделали", actor=make.user("senior"))
    with transaction():  # what the card that stayed gives itself stays its own
        billing.pass_advance(second.id, child.id, D(10), "подарок", actor=make.user("senior"))
    part(make, done)
    proven()
    assert stands(first.id) == (0, D(200)) and stands(second.id) == (0, D(30))
    assert stands(child.id) == (D(700), D(10))
    with transaction():
        billing.refund(payment, D(300), "уходит", actor=make.user("senior"))
    assert stands(first.id) == (0, D(500)) and stands(second.id) == (0, D(30))


def test_a_relative_s_advance_that_was_returned_is_not_given_by_the_card_that_stays(
    make: Maker,
    branch: Any,  # noqa: F811
) -> None:
    """Its bill was paid from it after the merge, and the payment was returned: neither card has that money."""
    kin = make._save(Family(name="Оплатные"))
    first, mother = make.patient("Оплатная"), make.patient("Мать", family_id=kin.id)
    second = make.patient("Оплатная", family_id=kin.id)
    pay(make, branch, mother.id, ("cash", "300"))
    pay(make, branch, second.id, ("cash", "1000"))
    order = billed(make, branch, "1000", first)
    done = merge(make, first.id, second.id)
    with transaction():
        lent = {"method": "advance", "amount": D(300), "from_patient_id": mother.id}
        bills = [{"work_order_id": order.id, "amount": D(300)}]
        payment = billing.take_payment(second.id, [lent], bills=bills, branch_id=branch.id, actor=make.user()).id
    with transaction():
        billing.refund(payment, D(200), "ошибка", actor=make.user("senior"))
    part(make, done)
    proven()
    assert stands(first.id) == (D(900), 0) and stands(second.id) == (0, D(1000)) and stands(mother.id) == (0, D(200))


def test_a_payment_of_both_is_returned_first(make: Maker, branch: Any, client_of: Any) -> None:  # noqa: F811
    first, second = pair(make)
    theirs, own = billed(make, branch, "1000", first), billed(make, branch, "500", second)
    done = merge(make, first.id, second.id)
    payment = pay(make, branch, second.id, ("cash", "1500"))
    with pytest.raises(errors.NotMergeable) as refused:
        part(make, done)
    assert f"№ {payment.number}" in refused.value.words["why"]
    answer = client_of("senior").post(f"/merging/{done}/part", follow_redirects=True)
    assert f"№ {payment.number}" in answer.text and "счета обеих карт" in answer.text
    assert session.get_one(CardMerge, done, populate_existing=True).undone_at is None
    # as the sentence says
    with transaction():
        billing.refund(payment.id, D(1500), "разъединяем карты", actor=make.user("senior"))
    apart = [
        pay(make, branch, second.id, ("cash", f"{sum_}"), bills=[{"work_order_id": order.id, "amount": D(sum_)}]).id
        for order, sum_ in ((theirs, 1000), (own, 500))
    ]
    part(make, done)
    proven()
    assert [of(Payment, pk) for pk in (payment.id, *apart)] == [second.id, first.id, second.id]
    assert stands(first.id) == stands(second.id) == (0, 0)


def test_what_was_paid_ahead_since_stays(make: Maker, branch: Any) -> None:  # noqa: F811
    first, second = pair(make)
    billed(make, branch, "1000", first)
    done = merge(make, first.id, second.id)
    ahead = pay(make, branch, second.id, ("cash", "700"), bills=[])
    part(make, done)
    proven()
    assert of(Payment, ahead.id) == second.id
    assert (stands(first.id), stands(second.id)) == ((D(1000), 0), (0, D(700)))


def test_many_pay_while_the_cards_are_parted(app: Flask, make: Maker, branch: Any) -> None:  # noqa: F811
    """Who comes before pays for the bill, and the money goes along; who comes after pays ahead."""
    first, second = pair(make)
    order, senior = billed(make, branch, "1000", first), make.user("senior")
    pay(make, branch, second.id, ("cash", "10"))
    done, whose, parts = merge(make, first.id, second.id), second.id, [{"method": "cash", "amount": D(100)}]
    deeds: list[Any] = [
        lambda: billing.take_payment(whose, parts, branch_id=branch.id, actor=senior).id
    ] * 8  # fmt: skip
    results = together(app, [*deeds, lambda: operations.part_cards(done, actor=senior).id])
    assert all(isinstance(one, int) for one in results), results
    proven()
    session.expire_all()
    paid = D(1000) - session.get_one(WorkOrder, order.id).due
    assert stands(first.id) == (D(1000) - paid, 0) and stands(second.id) == (0, D(810) - paid)
    assert {of(Payment, one.payment_id) for one in session.query(LedgerEntry).filter_by(work_order_id=order.id)
            if one.payment_id} <= {first.id}  # fmt: skip


steps = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5), st.sampled_from([100, 250, 400, 1000])), max_size=7)


#: Nothing is made smaller: every try leaves its rows in the database.
@settings(max_examples=12, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(steps)
def test_whatever_came_of_the_money_it_is_parted_whole_or_not_at_all(
    make: Maker,
    branch: Any,  # noqa: F811
    deeds: list[tuple[int, int, int]],
) -> None:
    first, second = pair(make)
    orders = [billed(make, branch, price, card).id for card in (first, second) for price in ("300", "700")]
    firsts = orders[:2]
    payments = [pay(make, branch, card.id, ("cash", "350")).id for card in (first, second)]
    done = merge(make, first.id, second.id)
    senior = make.user("senior")

    def act(kind: int, n: int, amount: Decimal) -> Any:
        share = [{"method": "advance" if kind == 2 else "cash", "amount": amount}]
        if kind <= 2:
            chosen = [{"work_order_id": orders[n % 4], "amount": amount}] if kind == 1 else None
            payments.append(
                billing.take_payment(second.id, share, bills=chosen, branch_id=branch.id, actor=senior).id
            )  # fmt: skip
        elif kind == 3:
            billing.refund(payments[n % len(payments)], amount, "проба", actor=senior)
        elif kind == 4:
            billing.return_advance(payments[n % len(payments)], amount, "проба", actor=senior)
        elif kind == 5:
            billing.reverse_order(orders[n % 4], "проба", actor=senior)
        else:
            order = drafted(make, branch, "300", second)
            orders.insert(0, billing.issue(order.id, actor=make.user("director")).id)

    for kind, n, amount in deeds:
        try:
            with transaction():
                act(kind, n, D(amount))
        except errors.Refusal:
            session.rollback()
    whole = [sum(sums) for sums in zip(stands(first.id), stands(second.id), strict=True)]
    try:
        part(make, done)
        assert {of(WorkOrder, pk) for pk in firsts} == {first.id}
    except errors.NotMergeable:
        assert session.get_one(CardMerge, done, populate_existing=True).undone_at is None
    proven()
    assert [sum(sums) for sums in zip(stands(first.id), stands(second.id), strict=True)] == whole
