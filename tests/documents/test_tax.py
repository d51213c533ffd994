"""The certificate for the tax office: what was paid in the year, less returned, certified once."""

import itertools
import threading
from datetime import datetime
from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app import clock, errors
from app.billing import operations as billing
from app.cash import operations as cash
from app.db import session, transaction
from app.documents import operations as tax
from app.documents import queries, rules
from app.models import CashDesk, Family, IssuedDocument, LegalEntity, Patient, Service, TaxCertificate, User, WorkOrder
from tests.conftest import Maker, sign_in

NOW = datetime(2026, 3, 10, 12)


@pytest.fixture(scope="module")
def clinic(fresh_module_app: Flask) -> Any:
    """A year and a bit of one patient: usual and expensive treatment, paid by his wife in parts, a part returned."""
    with fresh_module_app.app_context():
        make = Maker()
        director = make.user("director")
        with clock.at(datetime(2025, 1, 1, 8)):
            usual, dear = make.service("1000.00"), make.service("9000.00")
        dear.tax_code = "2"
        session.commit()
        desk = session.query(CashDesk).filter_by(kind="main").first()
        family = make._save(Family(name="Вычетовы"))
        wife = make.patient("Вычетова", inn="500100732259", family_id=family.id, birth_date=datetime(1980, 1, 1).date())
        husband = make.patient("Вычетов", family_id=family.id)

        def pay(moment: datetime, amount: str) -> int:
            with clock.at(moment), transaction():
                part = {"method": "cash", "amount": D(amount), "desk_id": desk.id}
                paid = billing.take_payment(
                    husband.id, [part], payer_id=wife.id, branch_id=desk.branch_id, actor=director
                )  # fmt: skip
                return paid.id

        with clock.at(datetime(2025, 5, 5, 9)):
            with transaction():
                cash.open_shift(desk.id, D(0), actor=director)
            doctor = make.doctor()
            with transaction():
                lines = [{"service_id": usual.id, "quantity": 1}, {"service_id": dear.id, "quantity": 1}]
                order = billing.create_work_order(
                    husband.id, doctor.id, lines, branch_id=desk.branch_id, actor=director
                )
                billing.issue(order.id, actor=director)
        first = pay(datetime(2025, 5, 5, 10), "3333.33")
        with clock.at(datetime(2025, 6, 1, 10)), transaction():
            billing.refund(first, D("333.33"), "Ошибка", actor=director)
        pay(datetime(2026, 1, 15, 10), "7000.00")
        pay(datetime(2026, 1, 16, 10), "500.00")  # an advance: no treatment yet
        yield {"make": make, "wife": wife.id, "husband": husband.id, "director": director.id}
        session.remove()


def issue(clinic: Any, payer: int, year: int, patient: int | None = None) -> TaxCertificate:
    with clock.at(NOW), transaction():
        director = session.get(User, clinic["director"])
        return tax.issue_certificate(patient or clinic["husband"], payer, year, actor=director)


def test_a_certificate_that_the_tax_office_would_not_take_is_refused(clinic: Any) -> None:
    with transaction():
        session.get_one(LegalEntity, 1).kpp = ""
    try:
        with pytest.raises(tax.NoRequisites) as refused:
            issue(clinic, clinic["wife"], 2025)
    finally:
        with transaction():
            session.get_one(LegalEntity, 1).kpp = "770101001"
    assert refused.value.facts == {"missing": ["kpp"]} and not session.query(TaxCertificate).count()


def test_a_year_is_certified_once_and_again_when_annulled(clinic: Any) -> None:
    wife, director = clinic["wife"], session.get(User, clinic["director"])
    made = issue(clinic, wife, 2025)
    assert (made.usual, made.expensive, made.correction) == (D("300.00"), D("2700.00"), 0)
    html = session.get_one(IssuedDocument, made.document_id).html
    for word in ("1151156", "2025", "500100732259", "Вычетова", "0 — нет", "300,00", "2\u00a0700,00"):
        assert word in html, word
    with pytest.raises(tax.AlreadyCertified) as refused:
        issue(clinic, wife, 2025)
    assert "Вычетова" in refused.value.words["payer"]
    with pytest.raises(errors.ReasonNeeded), transaction():
        tax.annul_certificate(made.id, " ", actor=director)
    with transaction():
        tax.annul_certificate(made.id, "Другой плательщик", actor=director)
    assert issue(clinic, wife, 2025).correction == 1


def test_the_years_of_an_order_make_its_lines(clinic: Any) -> None:
    wife = clinic["wife"]
    made = issue(clinic, wife, 2026)
    assert (made.usual, made.expensive) == (D("700.00"), D("6300.00"))


def test_who_and_when_are_asked(clinic: Any) -> None:
    husband, wife = clinic["husband"], clinic["wife"]
    stranger = clinic["make"].patient().id
    with pytest.raises(tax.NothingPaid):
        issue(clinic, wife, 2024)
    for payer, year in ((stranger, 2025), (wife, 2020), (wife, 2027), (0, 2025)):
        with pytest.raises(errors.Invalid):
            issue(clinic, payer, year)
    with pytest.raises(errors.NotFound):
        issue(clinic, wife, 2025, patient=2**31 - 1)
    alone = clinic["make"].patient("Безденежный", inn="500100732259").id
    with pytest.raises(tax.NothingPaid):
        issue(clinic, alone, 2025, patient=alone)
    assert husband


def test_a_child_is_no_taxpayer(clinic: Any) -> None:
    make, husband = clinic["make"], clinic["husband"]
    alone = make.patient("Детский", inn="500100732259", birth_date=NOW.date().replace(year=NOW.year - 11))
    just = make.patient("Взрослый", inn="500100732259", birth_date=NOW.date().replace(year=NOW.year - 18))
    with clock.at(NOW):
        assert queries.payers(session.get_one(Patient, alone.id)) == []
        assert [pk for pk, _ in queries.payers(session.get_one(Patient, just.id))] == [just.id]
    with pytest.raises(tax.ChildTaxpayer):
        issue(clinic, alone.id, 2025, patient=alone.id)
    with transaction():
        session.get_one(Patient, alone.id).guardian_id = husband
    with clock.at(NOW):
        session.expire_all()
        assert [pk for pk, _ in queries.payers(session.get_one(Patient, alone.id))] == [husband]


sums = st.integers(0, 10_000_00).map(lambda kopecks: D(kopecks) / 100)


@given(usual=sums, dear=sums, cuts=st.lists(st.floats(0, 1), max_size=4))
def test_nothing_is_lost_between_the_years(usual: D, dear: D, cuts: list[float]) -> None:
    whole = usual + dear
    marks = [D(0), *sorted((whole * D(str(cut))).quantize(D("0.01")) for cut in cuts), whole]
    steps = itertools.pairwise(marks)
    parts = [
        rules.split([rules.OrderPaid(*(rules.OrderStood(usual, dear, D(0), paid) for paid in step))]) for step in steps
    ]
    assert (sum(part[0] for part in parts), sum(part[1] for part in parts)) == (usual, dear)
    assert all(one >= 0 and other >= 0 for one, other in parts)


def test_two_windows_certify_once_and_the_database_keeps_it(clinic: Any, fresh_module_app: Flask) -> None:
    make, director = clinic["make"], clinic["director"]
    desk = session.query(CashDesk).filter_by(kind="main").first()
    patient = make.patient("Гонкин", inn="500100732259")
    service, doctor = session.query(Service).first(), make.doctor()
    with clock.at(NOW), transaction():
        actor = session.get(User, director)
        line = {"service_id": service.id, "quantity": 1}
        order = billing.create_work_order(patient.id, doctor.id, [line], branch_id=desk.branch_id, actor=actor)
        billing.issue(order.id, actor=actor)
        part = {"method": "cash", "amount": D(100), "desk_id": desk.id}
        billing.take_payment(patient.id, [part], branch_id=desk.branch_id, actor=actor)
    pk, start, done = patient.id, threading.Barrier(6), []

    def one() -> None:
        with fresh_module_app.app_context():
            start.wait()
            try:
                issue(clinic, pk, 2026, patient=pk)
                done.append("issued")
            except tax.AlreadyCertified:
                done.append("already")
            finally:
                session.remove()

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["already"] * 5 + ["issued"]
    made = session.query(TaxCertificate).filter_by(patient_id=pk).one()
    for broken in (
        f"UPDATE tax_certificate SET usual = usual + 1 WHERE id = {made.id}",
        f"DELETE FROM tax_certificate WHERE id = {made.id}",
        "INSERT INTO tax_certificate"
        " (document_id, legal_entity_id, patient_id, payer_id, tax_year, correction, usual, expensive)"
        f" SELECT max(d.id), t.legal_entity_id, t.patient_id, t.payer_id, t.tax_year, 1, 1, 0 FROM tax_certificate t,"
        f" issued_document d WHERE t.id = {made.id} GROUP BY t.id",
    ):
        with pytest.raises(IntegrityError):
            session.execute(text(broken))
        session.rollback()


def test_the_page(make: Maker, client_of: Any, context: None) -> None:
    patient = make.patient("Справкин", inn="500100732259")
    desk = client_of("administrator")
    page, year = desk.get(f"/documents/patient/{patient.id}").text, clock.today().year
    assert (
        f"За {year - 3}–{year} годы лечение" in page and "/documents/tax" not in page
    )  # nobody paid: nothing to issue
    form = {"patient_id": patient.id, "payer_id": patient.id, "year": clock.today().year}
    refused = desk.post("/documents/tax", data=form)
    assert refused.status_code == 422 and "не оплачивали" in refused.text
    for wrong in ({"payer_id": "x"}, {"year": "x"}, {"patient_id": ""}):
        assert desk.post("/documents/tax", data=form | wrong).status_code == 422
    assert desk.post("/documents/issue", data={"kind": "tax_certificate", "patient_id": patient.id}).status_code == 422
    assert client_of("doctor").post("/documents/tax", data=form).status_code == 403
    assert desk.post("/documents/tax/999999/annul", data={"reason": "x"}).status_code == 404


def test_a_child_without_adults_is_told_why(make: Maker, client_of: Any, context: None) -> None:
    today = clock.today()
    child = make.patient("Одинокий", birth_date=today.replace(year=today.year - 11, day=1))
    desk = client_of("administrator")
    page = desk.get(f"/documents/patient/{child.id}").text
    assert "Налогоплательщиком может быть только взрослый" in page and 'name="payer_id"' not in page
    form = {"patient_id": child.id, "payer_id": child.id, "year": today.year}
    refused = desk.post("/documents/tax", data=form)
    assert refused.status_code == 422 and "младше 18 лет" in refused.text


@pytest.fixture
def home(fresh_app: Flask) -> Any:
    """Mother, father and their child, whose filling is paid by one or the other; the database has nobody else."""
    with fresh_app.app_context():
        make = Maker()
        director = make.user("director")
        with clock.at(datetime(2025, 1, 1, 8)):
            service, doctor = make.service("10000.00"), make.doctor()
        desk = session.query(CashDesk).filter_by(kind="main").first()
        kin = make._save(Family(name="Семья"))
        born = datetime(1980, 1, 1).date()
        adults = [
            make.patient(name, inn="500100732259", family_id=kin.id, birth_date=born) for name in ("Мать", "Отец")
        ]
        child = make.patient(
            "Сын", guardian_id=adults[0].id, family_id=kin.id, birth_date=NOW.date().replace(year=2018)
        )
        with clock.at(NOW):
            with transaction():
                cash.open_shift(desk.id, D(0), actor=director)
            with transaction():
                line = {"service_id": service.id, "quantity": 1}
                order = billing.create_work_order(child.id, doctor.id, [line], branch_id=desk.branch_id, actor=director)
                billing.issue(order.id, actor=director)

        def pay(amount: str, who: int | None, patient: int = child.id) -> int:
            with clock.at(NOW), transaction():
                part = {"method": "cash", "amount": D(amount), "desk_id": desk.id}
                made = billing.take_payment(patient, [part], payer_id=who, branch_id=desk.branch_id, actor=director)
                return made.id

        yield SimpleNamespace(
            mother=adults[0].id,
            father=adults[1].id,
            child=child.id,
            doctor=doctor.id,
            pay=pay,
            director=director,
            make=make,
            order=order.id,
            desk=desk,
        )
        session.remove()


def unwritten(*payments: int) -> None:
    """As they were taken before payers were written down."""
    with transaction():
        session.execute(text("ALTER TABLE payment DISABLE TRIGGER USER"))
        session.execute(text("UPDATE payment SET payer_id = NULL WHERE id = ANY(:ids)"), {"ids": list(payments)})
        session.execute(text("ALTER TABLE payment ENABLE TRIGGER USER"))
    session.expire_all()


def certify(home: Any, payer: int, patient: int | None = None) -> TaxCertificate:
    with clock.at(NOW), transaction():
        return tax.issue_certificate(patient or home.child, payer, 2026, actor=home.director)


def test_each_payer_is_certified_what_that_payer_paid(home: Any) -> None:
    first = home.pay("3000", home.mother)
    home.pay("2000", home.father)
    home.pay("500", home.mother)
    with clock.at(NOW), transaction():
        billing.refund(first, D("1000"), "Ошибка", actor=home.director)  # it belongs to the payer of the payment
    made = [certify(home, who) for who in (home.mother, home.father)]
    assert [(row.usual, row.of_unknown) for row in made] == [(D(2500), False), (D(2000), False)]
    with pytest.raises(tax.AlreadyCertified):
        certify(home, home.father)
    grandmother = home.make.patient("Бабушка", inn="500100732259").id
    with pytest.raises(errors.Invalid):
        certify(home, grandmother)
    home.pay("700", grandmother)  # no relative by the card, but the money was hers
    assert certify(home, grandmother).usual == D(700)
    with pytest.raises(tax.ChildTaxpayer):
        certify(home, home.child)


def test_who_paid_nothing_is_told_to_choose_who_did(home: Any) -> None:
    home.pay("3000", home.mother)
    with pytest.raises(tax.PaidByOthers) as refused:
        certify(home, home.father)
    assert refused.value.words["name"].startswith("Отец")


def test_what_was_taken_before_goes_to_whom_the_clerk_says_and_once(home: Any) -> None:
    unwritten(home.pay("3000", None), home.pay("2000", None))
    made = certify(home, home.father)
    assert (made.usual, made.of_unknown) == (D(5000), True)
    with pytest.raises(tax.AlreadyCertified) as refused:  # the same money is not certified to the mother too
        certify(home, home.mother)
    assert refused.value.words["payer"].startswith("Отец")
    home.pay("100", home.mother)
    assert certify(home, home.mother).usual == D(100)  # and stays the father's, who has it certified
    with transaction():
        tax.annul_certificate(made.id, "не тому", actor=home.director)
    with pytest.raises(tax.PaidByOthers):
        certify(home, home.father)  # something else is known now: the rest is the guardian's


def test_where_something_is_known_the_rest_is_the_patient_s_own(home: Any) -> None:
    with clock.at(NOW), transaction():
        doctor, line = home.make.doctor(), {"service_id": session.query(Service).first().id, "quantity": 1}
        order = billing.create_work_order(
            home.father, doctor.id, [line], branch_id=home.desk.branch_id, actor=home.director
        )  # fmt: skip
        billing.issue(order.id, actor=home.director)
    unwritten(home.pay("3000", None, home.father))
    home.pay("400", home.mother, home.father)
    assert certify(home, home.mother, home.father).usual == D(400)
    made = certify(home, home.father, home.father)
    assert (made.usual, made.of_unknown) == (D(3000), True)


def test_the_database_certifies_unknown_money_once(home: Any) -> None:
    unwritten(home.pay("3000", None))
    made = certify(home, home.father)
    with pytest.raises(IntegrityError) as refused:
        session.execute(text(
            "INSERT INTO tax_certificate (document_id, legal_entity_id, patient_id, payer_id, tax_year, correction,"
            " usual, expensive) SELECT d.id, legal_entity_id, t.patient_id, :mother, tax_year, 0, 1, 0"
            " FROM tax_certificate t, (SELECT max(id) + 1 AS id FROM issued_document) d WHERE t.id = :pk"
        ), {"mother": home.mother, "pk": made.id})  # fmt: skip
    session.rollback()
    assert "uq_tax_certificate_unknown_once" in str(refused.value)


def test_the_page_offers_who_really_paid(home: Any, fresh_app: Flask) -> None:
    home.pay("3000", home.mother)
    home.pay("2000", home.father)
    with clock.at(NOW):
        page = sign_in(fresh_app, "administrator").get(f"/documents/patient/{home.child}").text
    sheet = page.partition("Плательщик")[2]
    assert "3\u202f000,00" in sheet and "2\u202f000,00" in sheet
    assert f'name="payer_id" value="{home.mother}"' in sheet and f'name="payer_id" value="{home.father}"' in sheet


def lines_of(home: Any, *services: Service) -> int:
    """A bill of today for the child, one line a service."""
    with clock.at(NOW), transaction():
        lines = [{"service_id": service.id, "quantity": 1} for service in services]
        order = billing.create_work_order(
            home.child, home.doctor, lines, branch_id=home.desk.branch_id, actor=home.director
        )
        billing.issue(order.id, actor=home.director)
        return int(order.id)


def reversed_last(home: Any, order_id: int, moment: datetime = NOW) -> None:
    """The last line of a bill is taken back."""
    with clock.at(moment), transaction():
        line = session.get_one(WorkOrder, order_id).lines[-1]
        billing.reverse_order(order_id, "не делали", lines={line.id: 1}, actor=home.director)


def test_a_line_taken_back_leaves_the_certificate_with_its_code(home: Any) -> None:
    with clock.at(datetime(2026, 1, 1, 8)):
        implant = home.make.service("20000.00")
        implant.tax_code = "2"
        session.commit()
    home.pay("10000", home.mother)  # the filling of the other bill
    order = lines_of(home, session.get_one(WorkOrder, home.order).lines[0].service, implant)
    home.pay("30000", home.mother)
    reversed_last(home, order)
    made = certify(home, home.mother)
    assert (made.usual, made.expensive) == (D(20000), D(0))


def test_a_line_taken_back_next_year_stays_in_the_year_it_was_paid(home: Any) -> None:
    with clock.at(datetime(2026, 1, 1, 8)):
        implant = home.make.service("20000.00")
        implant.tax_code = "2"
        session.commit()
    order = lines_of(home, session.get_one(WorkOrder, home.order).lines[0].service, implant)
    home.pay("40000", home.mother)
    reversed_last(home, order, datetime(2027, 2, 1, 12))
    with clock.at(datetime(2027, 3, 1, 12)):
        child = session.get_one(Patient, home.child)
        found = queries.paid_by_year(child, 1)
    assert [(one.year, one.usual, one.expensive) for one in found] == [(2026, D(20000), D(20000))]


def test_goods_are_no_treatment(home: Any) -> None:
    with clock.at(datetime(2026, 1, 1, 8)):
        brush = home.make.service("2500.00")
        brush.item_kind = "goods"
        session.commit()
    lines_of(home, session.get_one(WorkOrder, home.order).lines[0].service, brush)
    home.pay("10000", home.mother)
    home.pay("6250", home.mother)  # half of the second bill
    assert certify(home, home.mother).usual == D(15000)
