"""Gift certificates: sold once, spent to the kopeck by whoever brings them, taken back, never spent twice."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app import clock, errors
from app.billing import operations, queries
from app.db import session, transaction
from app.models import Certificate, Receipt, User
from tests.billing.test_operations import D, billed, branch, held, owes, pay  # noqa: F401
from tests.billing.test_pages import shift  # noqa: F401
from tests.billing.test_reversals import proven


def sell(make, branch, buyer, amount, *parts, **more):  # noqa: F811
    with transaction():
        given = [{"method": method, "amount": D(sum_)} for method, sum_ in parts]
        row = operations.sell_certificate(
            buyer.id, D(amount), given, branch_id=branch.id, actor=make.user("administrator"), **more
        )
        return row.id, row.number


def spend(make, branch, patient, number, amount, *parts):  # noqa: F811
    with transaction():
        return operations.take_payment(
            patient.id,
            [{"method": "advance", "amount": D(amount), "certificate": number}]
            + [{"method": method, "amount": D(sum_)} for method, sum_ in parts],
            branch_id=branch.id, actor=make.user("administrator"),
        )  # fmt: skip


def left(pk):
    session.expire_all()
    return session.get_one(Certificate, pk).balance


def test_somebody_buys_it_and_another_pays_with_it(make, branch):  # noqa: F811
    giver, gifted = make.patient("Дарителев"), make.patient("Одарова")
    pk, number = sell(make, branch, giver, "5000", ("cash", "3000"), ("card", "2000"))
    assert (left(pk), owes(giver.id), held(branch.desk_id)) == (D(5000), (0, 0), 3000)
    billed(make, branch, "4200.50", gifted)
    payment = spend(make, branch, gifted, number, "4200.50")
    assert (left(pk), owes(gifted.id), held(branch.desk_id)) == (D("799.50"), (0, 0), 3000)
    bought, paid = (
        session.scalars(select(Receipt).where(Receipt.payment_id == of)).one().snapshot
        for of in (session.get_one(Certificate, pk).payment_id, payment.id)
    )
    assert bought["certificate"] == number and paid["parts"] == [
        {"method": "advance", "amount": "4200.50", "certificate": number}
    ]
    proven()


def test_no_more_than_is_left_no_later_than_its_day_and_only_for_bills(make, branch):  # noqa: F811
    buyer, guest = make.patient(), make.patient()
    today = clock.today()
    pk, number = sell(make, branch, buyer, "1000", ("cash", "1000"), valid_until=today)
    billed(make, branch, "3000", guest)
    with pytest.raises(errors.CertificateSpent) as refused:
        spend(make, branch, guest, number, "1000.01")
    assert refused.value.facts["left"] == "1000.00"
    with pytest.raises(errors.CertificateUnknown):
        spend(make, branch, guest, "НЕТ-ТАКОГО", "1")
    with pytest.raises(errors.AdvanceOnlyForBills):
        spend(make, branch, buyer, number, "1")
    with clock.at(clock.wall_now() + timedelta(days=1)), pytest.raises(errors.CertificateExpired):
        spend(make, branch, guest, number, "1")
    assert left(pk) == 1000 and owes(guest.id) == (D(3000), 0)
    spend(make, branch, guest, f" {number.lower()} ", "1000", ("card", "500"))
    assert left(pk) == 0 and owes(guest.id) == (D(1500), 0)
    with pytest.raises(errors.CertificateSpent):
        spend(make, branch, guest, number, "0.01")
    proven()


def test_its_number_is_its_own_and_its_price_is_paid(make, branch):  # noqa: F811
    buyer = make.patient()
    sell(make, branch, buyer, "100", ("cash", "100"), number="Подарок-7")
    for wrong, error in (
        ({"number": "подарок-7"}, errors.CertificateExists),
        ({"valid_until": clock.today() - timedelta(days=1)}, errors.Invalid),
    ):
        with pytest.raises(error):
            sell(make, branch, buyer, "100", ("cash", "100"), **wrong)
    with pytest.raises(errors.Invalid):
        sell(make, branch, buyer, "100", ("cash", "100.01"))
    with pytest.raises(errors.CertificateUnpaid):
        sell(make, branch, buyer, "100", ("cash", "99.99"))
    pay(make, branch, buyer.id, ("cash", "40"))
    pk, _ = sell(make, branch, buyer, "100", ("card", "60"))
    assert left(pk) == 100 and owes(buyer.id) == (0, 0) and held(branch.desk_id) == 140
    pay(make, branch, buyer.id, ("cash", "10"))
    pk, _ = sell(make, branch, buyer, "10")
    assert session.get_one(Certificate, pk).payment_id is None
    proven()


def test_what_is_left_goes_back_to_the_buyer_as_money(make, branch):  # noqa: F811
    buyer, guest = make.patient(), make.patient()
    pk, number = sell(make, branch, buyer, "1000", ("cash", "1000"))
    payment_id = session.get_one(Certificate, pk).payment_id
    billed(make, branch, "300", guest)
    spend(make, branch, guest, number, "300")
    with pytest.raises(errors.OverRefund), transaction():
        operations.refund(payment_id, D(1), "Передумали", actor=make.user("director"))
    with pytest.raises(errors.ReasonNeeded), transaction():
        operations.take_certificate_back(pk, " ", actor=make.user("director"))
    with transaction():
        operations.take_certificate_back(pk, "Передумали", actor=make.user("director"))
    assert left(pk) == 0 and owes(buyer.id) == (0, D(700))
    with transaction():
        operations.return_advance(payment_id, D(700), "Передумали", actor=make.user("director"))
    assert owes(buyer.id) == (0, 0) and held(branch.desk_id) == 300
    with pytest.raises(errors.CertificateSpent), transaction():
        operations.take_certificate_back(pk, "Ещё раз", actor=make.user("director"))
    _, patient, payment = queries.moves_of_certificate(pk)[1]
    assert (patient.id, payment.patient_id) == (guest.id, guest.id)
    proven()


def test_the_database_keeps_it(make, branch):  # noqa: F811
    pk, _ = sell(make, branch, make.patient(), "100", ("cash", "100"))
    for broken in (
        f"UPDATE certificate SET balance = 1 WHERE id = {pk}",
        f"UPDATE certificate SET amount = 1 WHERE id = {pk}",
        f"DELETE FROM certificate WHERE id = {pk}",
        "TRUNCATE certificate CASCADE",
        # a certificate out of nothing, and money off it that came to nobody
        "INSERT INTO certificate (number, legal_entity_id, branch_id, buyer_id, amount, business_day)"
        f" SELECT 'даром', legal_entity_id, branch_id, buyer_id, 100, business_day FROM certificate WHERE id = {pk}",
        "INSERT INTO advance_transfer (branch_id, certificate_id, to_id, amount, business_day)"
        f" SELECT branch_id, id, buyer_id, 1, business_day FROM certificate WHERE id = {pk}",
        "INSERT INTO advance_transfer (branch_id, certificate_id, to_id, amount, business_day)"
        f" SELECT branch_id, id, buyer_id, 101, business_day FROM certificate WHERE id = {pk}",
    ):
        with pytest.raises(IntegrityError):
            session.execute(text(broken))
            session.commit()
        session.rollback()
    assert left(pk) == 100


def test_ten_people_bring_the_same_certificate_at_once(app, make, branch):  # noqa: F811
    pk, number = sell(make, branch, make.patient(), "1000", ("cash", "1000"))
    guests = [make.patient().id for _ in range(10)]
    for guest in guests:
        billed(make, branch, "300", session.get_one(type(make.patient()), guest))
    who, branch_id = make.user("administrator").id, branch.id
    start, done = threading.Barrier(10), []

    def one(guest):
        with app.app_context():
            start.wait()
            try:
                with transaction():
                    part = {"method": "advance", "amount": D(300), "certificate": number}
                    operations.take_payment(guest, [part], branch_id=branch_id, actor=session.get(User, who))
                done.append("paid")
            except errors.CertificateSpent:
                done.append("spent")
            finally:
                session.remove()

    threads = [threading.Thread(target=one, args=(guest,)) for guest in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["paid"] * 3 + ["spent"] * 7 and left(pk) == 100
    proven()


def test_the_pages(make, branch, client_of, shift):  # noqa: F811
    buyer, guest = make.patient("Покупателева"), make.patient()
    billed(make, SimpleNamespace(id=1), "150", guest)
    desk = client_of("administrator")
    form = {"amount": "200", "number": "П-1/26", "cash": "100", "card": "100,00", "tendered": "500"}
    refused = desk.post(f"/settlement/certificates/sell/{buyer.id}", data=form | {"card": "100,01"})
    assert refused.status_code == 422 and 'value="100,01"' in refused.text
    sold = desk.post(f"/settlement/certificates/sell/{buyer.id}", data=form)
    assert sold.status_code == 303, sold.text
    page = desk.get(sold.headers["Location"]).text
    assert "П-1/26" in page and "Покупателева" in page
    found = desk.get("/settlement/certificates/find?number=п-1/26").json
    assert found["left"] == "200.00"
    assert desk.get("/settlement/certificates/find?number=чужой").status_code == 422
    paid = desk.post(
        f"/settlement/{guest.id}/pay", data={"certificate": "150", "certificate_number": "П-1/26", "cash": ""}
    )
    assert paid.status_code == 303, paid.text
    nameless = desk.post(f"/settlement/{guest.id}/pay", data={"certificate": "1", "certificate_number": " "})
    assert nameless.status_code == 422
    listed = desk.get("/settlement/certificates/?q=покупат&left=1").text
    assert "П-1/26" in listed and "50,00" in listed
    pk = queries.certificate_numbered("П-1/26").id
    assert desk.post(f"/settlement/certificates/{pk}/take-back", data={"reason": "Так"}).status_code == 403
    assert client_of("director").post(f"/settlement/certificates/{pk}/take-back", data={}).status_code == 422
    back = client_of("director").post(f"/settlement/certificates/{pk}/take-back", data={"reason": "Просят"})
    assert back.status_code == 303 and owes(buyer.id) == (0, D(50))
    for route in ("/settlement/certificates/", f"/settlement/certificates/{pk}", "/settlement/certificates/find"):
        assert client_of("doctor").get(route).status_code == 403
