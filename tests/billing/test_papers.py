"""The papers of a bill: what is left of it, after a reversal too."""

from datetime import timedelta

from sqlalchemy import select

from app import clock
from app.billing import operations
from app.db import session, transaction
from app.documents import paper
from app.documents import queries as papers
from app.models import Patient, Printing, Service, ServiceAct
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
    reverse(make, order, {order.lines[0].id: 1})
    for kind in ("act", "guarantee"):
        refused = desk.post(f"/documents/work-orders/{order.id}/{kind}/print", data={})
        assert refused.status_code == 409 and "сторнирован" in refused.text
    assert "КОПИЯ" not in printed("order", draft.id) + printed("order", draft.id)
    for pk, kind in ((draft.id, "act"), (10**12, "order"), (order.id, "receipt")):
        assert desk.get(f"/documents/work-orders/{pk}/{kind}.pdf").status_code == 404
    assert client_of("doctor").post(f"/documents/work-orders/{order.id}/act/print", data={}).status_code == 404


def test_what_changed_has_an_original_of_its_own(client_of, make, branch):  # noqa: F811
    """Printed, changed, paid, reversed in part: each time the paper says what is so, and names the one before."""
    service = make.service("1000", name="Пломба")
    order = billed(make, branch, lines=[{"service_id": service.id, "quantity": 2}])
    desk = client_of("administrator")

    def printed(kind: str) -> str:
        answer = desk.post(f"/documents/work-orders/{order.id}/{kind}/print", data={})
        return words_of(desk.get(answer.headers["Location"]).data)

    first, act = printed("order"), printed("act")
    assert "Две тысячи" in first and "ВЗАМЕН" not in first + act
    with transaction():
        operations.reopen(order.id, actor=make.user("director"))
        operations.change_work_order(
            order.id, None, [{"service_id": service.id, "quantity": 3}], actor=make.user("director")
        )
        operations.issue(order.id, actor=make.user("director"))
    for kind in ("order", "act"):
        changed = printed(kind)
        assert "КОПИЯ" not in changed and f"ВЗАМЕН НАПЕЧАТАННОГО {clock.today():%d.%m.%Y}" in changed
        assert "Три тысячи" in changed
    pay(make, branch, order.patient_id, ("card", "3000"))
    assert "КОПИЯ" not in printed("order") and "КОПИЯ" in printed("order"), "it is paid now"
    assert "КОПИЯ" in printed("act"), "an act says nothing of payment"
    reverse(make, order, {fresh(order).lines[0].id: 1})
    assert "КОПИЯ" not in printed("order") and "КОПИЯ" not in printed("act") and "КОПИЯ" in printed("act")
    kept = session.scalars(select(Printing.pdf).where(Printing.subject_id == order.id, Printing.kind == "work_order"))
    assert sum(one is not None for one in kept) == 4


def test_a_bill_keeps_the_names_that_it_was_issued_with(client_of, make, branch):  # noqa: F811
    service = make.service("1000", name="Пломба прежняя")
    order, draft = (kind(make, branch, lines=[{"service_id": service.id, "quantity": 1}]) for kind in (billed, drafted))
    with transaction():
        session.get_one(Service, service.id).name = "Пломба новая"
    desk = client_of("director")
    for address in (f"/documents/work-orders/{order.id}.pdf", f"/documents/work-orders/{order.id}/act.pdf"):
        said = words_of(desk.get(address).data)
        assert "прежняя" in said and "новая" not in said
    page = desk.get(f"/work-orders/{order.id}").text
    assert "прежняя" in page and "новая" not in page
    paid = pay(make, branch, order.patient_id, ("card", "1000"))
    assert paid.receipt.snapshot["lines"][0]["name"] == "Пломба прежняя"
    assert reverse(make, order).lines[0].name == "Пломба прежняя"
    said = words_of(desk.get(f"/documents/work-orders/{draft.id}.pdf").data)
    assert "ЧЕРНОВИК" in said and "новая" in said and "претензий не имею" not in said


def test_an_act_has_a_number_a_day_and_a_period(client_of, make, branch):  # noqa: F811
    """It gets the number when it is printed and keeps it when the bill is changed; a reversal makes another act."""
    line = {"service_id": make.service("1000").id, "quantity": 2}
    first, second = (billed(make, branch, lines=[line]) for _ in range(2))
    desk = client_of("administrator")

    def printed(order):
        answer = desk.post(f"/documents/work-orders/{order.id}/act/print", data={})
        return words_of(desk.get(answer.headers["Location"]).data)

    def numbered(number):
        return f"АКТ ОБ ОКАЗАНИИ ПЛАТНЫХ МЕДИЦИНСКИХ УСЛУГ № {number} "

    at, today = f"/documents/work-orders/{first.id}/act.pdf", f"{clock.today():%d.%m.%Y}"
    assert "УСЛУГ №" not in words_of(desk.get(at).data), "looked at, it takes no number"
    for order, number in ((second, 1), (first, 2)):
        said = printed(order)
        assert numbered(number) in said and f"Период оказания услуг {today}" in said, said
        assert f"Акт № {number} к наряду № {order.number}" in said
    assert numbered(2) in printed(first) and numbered(2) in words_of(desk.get(at).data)
    with transaction():
        operations.reopen(first.id, actor=make.user("director"))
        operations.change_work_order(first.id, None, [{**line, "quantity": 3}], actor=make.user("director"))
        operations.issue(first.id, actor=make.user("director"))
    said = printed(first)
    assert numbered(2) in said and "ВЗАМЕН" in said and "Три тысячи" in said
    reverse(make, second, {fresh(second).lines[0].id: 1})
    said = printed(second)
    assert numbered(3) in said and "Одна тысяча" in said
    rows = session.scalars(select(ServiceAct).where(ServiceAct.legal_entity_id == first.legal_entity_id))
    assert sorted((row.number, row.work_order_id in (first.id, second.id)) for row in rows) == [
        (1, True), (2, True), (3, False),
    ]  # fmt: skip
    assert client_of("doctor").post(f"/documents/work-orders/{second.id}/act/print", data={}).status_code == 404


def test_the_period_of_an_act_is_from_the_visit_to_the_bill(make, branch):  # noqa: F811
    doctor, patient, service = make.doctor(), make.patient(), make.service("1000")
    starts = clock.wall_now().replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=3)
    for visit, period in (
        (make.appointment(patient, doctor, starts), f"{starts:%d.%m.%Y} – {clock.today():%d.%m.%Y}"),
        (None, f"{clock.today():%d.%m.%Y}"),
    ):
        with transaction():
            order = operations.create_work_order(
                patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}],
                appointment_id=visit.id if visit else None,
                branch_id=branch.id, actor=make.user("director"),
            )  # fmt: skip
            operations.issue(order.id, actor=make.user("director"))
        act = papers.act_print(fresh(order), order.id)["act"]
        assert act == {"number": "", "date": f"{clock.today():%d.%m.%Y}", "period": period}


def test_acts_printed_at_once_have_numbers_without_gaps(app, make, branch):  # noqa: F811
    from concurrent.futures import ThreadPoolExecutor

    from app.db import lock
    from app.documents import operations as printing
    from app.models import WorkOrder

    ids = [billed(make, branch, "100").id for _ in range(4)]

    def one(order_id):
        with app.app_context():
            with transaction():
                number = printing.number_act(lock(WorkOrder, order_id), actor=None).number
            session.remove()
        return order_id, number

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(one, ids * 2))
    assert sorted(number for _, number in found) == [1, 2, 3, 4]
