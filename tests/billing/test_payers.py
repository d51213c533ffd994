"""Whose money it is that is taken: who it is when nobody is named, who may be named, and what the papers say."""

import re
from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import clock, errors
from app.billing import operations, queries, rules
from app.db import constraint_of, session, transaction
from app.models import Family, Patient, Payment
from app.patients import operations as cards
from app.patients import queries as patients
from app.patients.rules import Law
from tests.billing.test_operations import D, billed, branch, pay  # noqa: F401
from tests.billing.test_relatives import borrow
from tests.conftest import counted_statements
from tests.documents.test_cash_papers import printed
from tests.test_races import together

CHILD, GROWN = date(2020, 5, 5), date(1980, 5, 5)


@pytest.fixture
def family(make):
    """Mother and father of one family, their child, and a grandmother who is in the family too."""
    kin = make._save(Family(name="Плательщиковы"))
    mother = make.patient("Плательщикова", name="Анна", sex="female", family_id=kin.id, birth_date=GROWN)
    father = make.patient("Плательщиков", name="Олег", sex="male", family_id=kin.id, birth_date=GROWN)
    child = make.patient("Плательщиков", family_id=kin.id, guardian_id=mother.id, birth_date=CHILD)
    return mother, father, child


def payer_of(payment):
    return session.get_one(Payment, payment.id, populate_existing=True).payer_id


@pytest.mark.parametrize(
    ("born", "guardian", "payer", "who"),
    [
        (GROWN, None, None, 1), (GROWN, 2, None, 1), (GROWN, 2, 3, 3), (CHILD, 2, None, 2), (CHILD, 2, 3, 3),
        (CHILD, None, None, None), (None, None, None, 1), (None, 2, None, 2),
    ],
)  # fmt: skip
def test_who_pays_when_nobody_is_named(born, guardian, payer, who):
    assert rules.usual_payer(rules.Card(1, born, guardian, payer), date(2026, 11, 1)) == who


def test_a_payment_keeps_its_payer(make, branch, family):  # noqa: F811
    mother, father, child = family
    assert payer_of(pay(make, branch, mother.id, ("cash", "1"))) == mother.id
    assert payer_of(pay(make, branch, child.id, ("cash", "1"))) == mother.id
    paid = pay(make, branch, child.id, ("cash", "1"), payer_id=father.id)
    assert payer_of(paid) == father.id
    with transaction():
        session.get_one(Patient, child.id).payer_id = father.id
    assert payer_of(pay(make, branch, child.id, ("cash", "1"))) == father.id
    assert payer_of(paid) == father.id
    with pytest.raises(DBAPIError) as refused:
        session.execute(text("UPDATE payment SET payer_id = :a WHERE id = :pk"), {"a": mother.id, "pk": paid.id})
    assert constraint_of(refused.value) == "ck_payment_append_only"
    session.rollback()
    # who left the clinic pays no more, and nobody is guessed
    with transaction():
        session.get_one(Patient, child.id).payer_id = None
        cards.archive_card(mother.id, "уехала", actor=make.user("senior"))
    assert payer_of(pay(make, branch, child.id, ("cash", "1"))) is None


def test_a_program_names_the_payer(make, branch, program, family):  # noqa: F811
    mother, father, child = family
    api, body = program("administrator"), {"parts": [{"method": "cash", "amount": "10"}], "branch_id": branch.id}
    gone = make.patient("Ушедшая")
    with transaction():
        cards.archive_card(gone.id, "уехала", actor=make.user("senior"))
    for payer, said in ((gone.id, 422), (2**31 - 1, 422), (0, 422), ("x", 422)):
        answer = api.post("payments/", {**body, "patient_id": child.id, "payer_id": payer})
        assert answer.status_code == said and "payer_id" in answer.json["fields"], (payer, answer.text)
    stranger = make.patient("Бабушка").id
    for payer, is_ in ((None, mother.id), (father.id, father.id), (stranger, stranger), (child.id, child.id)):
        answer = api.post("payments/", {**body, "patient_id": child.id, "payer_id": payer})
        assert (answer.status_code, answer.json.get("payer_id")) == (201, is_), answer.text
        assert api.get(f"payments/{answer.json['id']}").json["payer_id"] == is_


def test_the_relative_whose_advance_it_was_is_the_payer(make, branch, family):  # noqa: F811
    mother, father, child = family
    for one in (mother, father, child):
        pay(make, branch, one.id, ("cash", "500"))
    billed(make, branch, "1000", father)
    assert payer_of(borrow(make, branch, father, mother, "100", ("card", "10"))) == mother.id
    assert payer_of(borrow(make, branch, father, child, "100")) == mother.id  # a child's money is the guardian's
    mothers = {"method": "advance", "amount": D(10), "from_patient_id": mother.id}

    def take(*parts, payer_id=None):
        with transaction():
            return operations.take_payment(
                father.id, parts, payer_id=payer_id, branch_id=branch.id, actor=make.user()
            )  # fmt: skip

    with pytest.raises(errors.Invalid) as refused:
        take(mothers, {"method": "card", "amount": D(5)}, payer_id=father.id)
    assert "payer_id" in refused.value.facts["fields"]
    grandfather = make.patient("Дедов", family_id=mother.family_id)
    pay(make, branch, grandfather.id, ("cash", "50"))
    with pytest.raises(errors.Invalid):
        take(mothers, {**mothers, "from_patient_id": grandfather.id})
    assert payer_of(take(mothers, payer_id=mother.id)) == mother.id


def test_who_paid_for_another_is_kept_for_the_papers_of_money(make, branch, family):  # noqa: F811
    """An order КО-1 names the payer: the law keeps the name as long as the paper."""
    _, father, child = family
    assert patients.last_days([father.id]) == {}
    pay(make, branch, child.id, ("cash", "10"), payer_id=father.id)
    assert patients.last_days([father.id]) == {Law.MONEY: clock.today()}


def offered(page):
    found = re.search(r'<select class="form-control" id="payer_id".*?</select>', page, re.S)
    return re.findall(r'<option value="(\d*)"( selected)?>', found[0]) if found else None


def test_the_settlement_asks_only_where_somebody_else_may_pay(app, client_of, make, family):
    mother, father, child = family
    browser, alone = client_of("administrator"), make.patient("Одинокая")
    make.patient("Подопечный", guardian_id=alone.id, birth_date=CHILD)
    assert offered(browser.get(f"/settlement/{alone.id}").text) is None
    assert dict(offered(browser.get(f"/settlement/{father.id}").text)) == {
        str(father.id): " selected", str(mother.id): ""
    }  # fmt: skip
    address = f"/settlement/{child.id}"
    browser.get("/me/password")  # the menu counts its call tasks anew after something was written only
    with counted_statements(app) as seen:
        page = browser.get(address).text
    assert dict(offered(page)) == {str(mother.id): " selected", str(father.id): ""} and "Платит" in page
    assert len(seen) <= 4, seen
    with transaction():
        session.get_one(Patient, child.id).guardian_id = None
    assert offered(browser.get(f"/settlement/{child.id}").text)[0] == ("", "")  # nobody is guessed


def test_the_order_names_who_paid(client_of, make, branch, family):  # noqa: F811
    _, father, child = family
    paid = pay(make, branch, child.id, ("cash", "500"), payer_id=father.id)
    old = pay(make, branch, child.id, ("cash", "500"))
    with transaction():
        refund = operations.return_advance(paid.id, D(500), "передумали", actor=make.user("senior"))
        session.execute(text("ALTER TABLE payment DISABLE TRIGGER USER"))
        session.execute(text("UPDATE payment SET payer_id = NULL WHERE id = :pk"), {"pk": old.id})
        session.execute(text("ALTER TABLE payment ENABLE TRIGGER USER"))
    session.expire_all()
    desk = client_of("administrator")
    assert printed(desk, paid.parts[0].movement_id).count("Плательщикова Олега Петровича") == 2
    assert "Плательщикову Олегу Петровичу" in printed(desk, refund.parts[0].movement_id)
    assert printed(desk, old.parts[0].movement_id).count("Плательщиковой Анны") == 2  # taken before: as it was guessed


def test_the_form_takes_the_payer(client_of, make, family):
    _, father, child = family
    browser, address = client_of("administrator"), f"/settlement/{child.id}/pay"
    answer = browser.post(address, data={"card": "10", "payer_id": father.id, "request_id": str(uuid4())})
    assert answer.status_code == 303, answer.text
    payment = session.query(Payment).filter_by(patient_id=child.id).one()
    assert payment.payer_id == father.id and "Плательщиков Олег" in browser.get(answer.location).text
    stray = browser.post(address, data={"card": "10", "payer_id": 2**31 - 1, "request_id": str(uuid4())})
    assert stray.status_code == 422 and "Такой действующей карты нет" in stray.text
    again = browser.post(address, data={"card": "x", "payer_id": father.id, "request_id": str(uuid4())})
    assert again.status_code == 422 and dict(offered(again.text))[str(father.id)] == " selected"


def test_a_payer_is_merged_while_paying(app, make, branch, family):  # noqa: F811
    """Either the payment comes first and names the card that stays, or it is told that the card is gone."""
    _, father, child = family
    double = make.patient("Плательщиков", family_id=father.family_id).id
    senior, parts = make.user("senior"), [{"method": "cash", "amount": D(10)}]
    deeds = [
        lambda: operations.take_payment(
            child.id, parts, payer_id=double, branch_id=branch.id, actor=senior
        ).id
    ] * 6  # fmt: skip
    results = together(app, [*deeds, lambda: cards.merge_cards(double, father.id, {}, "разом", actor=senior).id])
    session.expire_all()
    taken = [one for one in results[:-1] if isinstance(one, int)]
    assert {session.get_one(Payment, pk).payer_id for pk in taken} <= {father.id}
    assert all(isinstance(one, int | errors.CardMerged | errors.Invalid) for one in results), results
    assert session.query(Payment).filter_by(payer_id=double).count() == 0


def test_a_card_that_is_gone_pays_nothing(make, branch, family):  # noqa: F811
    """The last word is the database's."""
    mother, _, child = family
    paid = pay(make, branch, child.id, ("cash", "10"))
    other = make.patient("Плательщикова").id
    with transaction():
        cards.merge_cards(other, mother.id, {}, "одна", actor=make.user("senior"))
    with pytest.raises(errors.CardMerged), transaction():
        session.execute(
            text(
                "INSERT INTO payment (legal_entity_id, branch_id, year, number, patient_id, payer_id, amount, change,"
                " business_day, paid_at) SELECT legal_entity_id, branch_id, year, 999999, patient_id, :payer, amount,"
                " 0, business_day, paid_at FROM payment WHERE id = :pk"
            ),
            {"pk": paid.id, "payer": other},
        )
    assert queries.living_cards([other, mother.id]).keys() == {mother.id}
    assert queries.living_cards([mother.id], doctor_id=make.doctor().id) == {}  # whoever may not see a card
