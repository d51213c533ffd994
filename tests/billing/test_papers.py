"""The papers of a bill: what is left of it, after a reversal too."""

from app.db import session, transaction
from app.documents import paper
from app.documents import queries as papers
from app.models import Patient
from tests.billing.test_operations import D, billed, branch, drafted, pay  # noqa: F401
from tests.billing.test_reversals import fresh, reverse
from tests.documents.test_cash_papers import words_of


def test_an_act_is_about_what_is_left(make, branch):  # noqa: F811
    line = {"service_id": make.service("33.33").id, "quantity": 3, "discount_amount": D("10"), "discount_reason": "а"}
    order = billed(make, branch, lines=[line, {"service_id": make.service("500").id, "quantity": 1}])
    pay(make, branch, order.patient_id, ("card", "589.99"))
    row = reverse(make, order, {order.lines[0].id: 1, order.lines[1].id: 1})
    values = papers.provided_print(fresh(order))
    assert [(s["qty"], s["sum"]) for s in values["services"]] == [("2", D("59.99"))] and values["totals"]["net"] == D(
        "59.99"
    )
    assert values["totals"]["paid"] == D("59.99") and values["totals"]["reversed"] == D("530.00")
    of_reversal = papers.order_print(fresh(row))
    text = paper.fill_in(paper.shipped("work_order"), of_reversal)
    assert f"СТОРНО № {row.number}" in text and "записан не тот зуб" in text and "Пятьсот тридцать рублей 00" in text


def test_the_papers_open_and_only_of_a_bill(client_of, make, branch):  # noqa: F811
    order, draft = billed(make, branch, "1000"), drafted(make, branch)
    row = reverse(make, billed(make, branch, "1000"))
    browser = client_of("administrator")
    for kind in ("act", "guarantee"):
        made = browser.get(f"/documents/work-orders/{order.id}/{kind}.pdf")
        assert made.status_code == 200 and made.data.startswith(b"%PDF")
        for other in (draft.id, row.id, 10**12):
            assert browser.get(f"/documents/work-orders/{other}/{kind}.pdf").status_code == 404
    assert browser.get(f"/documents/work-orders/{order.id}/receipt.pdf").status_code == 404
    assert browser.get(f"/documents/work-orders/{row.id}.pdf").data.startswith(b"%PDF")
    assert client_of("doctor").get(f"/documents/work-orders/{order.id}/act.pdf").status_code == 404


def test_papers_of_a_bill_are_printed_once_and_then_copied(client_of, make, branch):  # noqa: F811
    """The copy is the original with a stamp, whatever the card says now; a reversal makes the act another paper."""
    patient = make.patient("Прежняя")
    order, draft = billed(make, branch, "1000", patient=patient), drafted(make, branch)
    pay(make, branch, patient.id, ("card", "1000"))
    desk = client_of("administrator")

    def printed(kind: str, pk: int = order.id) -> str:
        answer = desk.post(f"/documents/work-orders/{pk}/{kind}/print", data={})
        assert answer.status_code == 303
        return words_of(desk.get(answer.headers["Location"]).data)

    for kind in ("order", "act", "guarantee"):
        original = printed(kind)
        assert "КОПИЯ" not in original and "Прежн" in original
    with transaction():
        session.get_one(Patient, patient.id).surname = "Нынешняя"
    for kind in ("order", "act", "guarantee"):
        copy = printed(kind)
        assert "КОПИЯ" in copy and "Прежн" in copy and "Нынешн" not in copy
    reverse(make, order)
    anew = printed("act")
    assert "КОПИЯ" not in anew and "Нынешн" in anew and "КОПИЯ" in printed("act")
    assert "КОПИЯ" not in printed("order", draft.id) + printed("order", draft.id)
    for pk, kind in ((draft.id, "act"), (10**12, "order"), (order.id, "receipt")):
        assert desk.get(f"/documents/work-orders/{pk}/{kind}.pdf").status_code == 404
    assert client_of("doctor").post(f"/documents/work-orders/{order.id}/act/print", data={}).status_code == 404
