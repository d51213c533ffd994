"""Money over JSON, as the contract says it, and what it refuses."""

from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app import access, clock
from app.billing import queries
from app.cash import operations as cash
from app.db import session, transaction
from app.models import Payment, WorkOrder

D = Decimal
HUGE = "9" * 1_000_000


@pytest.fixture
def branch(make):
    made = make.branch()
    with transaction():
        cash.open_shift(made.desk_id, D(0), actor=make.user())
    return made


@pytest.fixture
def case(make, branch):
    """A patient, a doctor and a service of 1500 ₽, and the body of an order."""
    patient, doctor, service = make.patient(), make.doctor(), make.service("1500.00")
    body = {
        "patient_id": patient.id, "doctor_id": doctor.id, "branch_id": branch.id,
        "lines": [{"service_id": service.id, "quantity": 2, "tooth": "36", "discount_percent": "5"}],
    }  # fmt: skip
    return SimpleNamespace(patient_id=patient.id, doctor_id=doctor.id, service_id=service.id, body=body, branch=branch)


def counted(model, patient_id):
    return session.scalar(select(func.count()).select_from(model).where(model.patient_id == patient_id))


def billed(api, case):
    order = api.post("work-orders/", case.body).json
    assert api.post(f"work-orders/{order['id']}/issue").status_code == 200
    return order


def test_from_the_price_list_to_the_refund_by_the_contract(program, case):
    api, senior = program("administrator"), program("senior")
    code = api.get("services/?page_size=200").json
    assert code["count"] >= len(code["result"]) > 0
    answer = api.post("work-orders/", case.body)
    order = answer.json
    assert answer.status_code == 201
    assert (order["status"], order["total"], order["lines"][0]["total"]) == ("draft", "2850.00", "2850.00")
    lines = [{"service_id": case.service_id, "quantity": 1}]
    changed = api.patch(f"work-orders/{order['id']}", {"version": 1, "lines": lines})
    assert (changed.status_code, changed.json["total"]) == (200, "1500.00")
    stale = api.patch(f"work-orders/{order['id']}", {"version": 1, "lines": lines})
    assert (stale.status_code, stale.json["error"], stale.json["current"]["version"]) == (409, "stale", 2)
    issued = api.post(f"work-orders/{order['id']}/issue", {})
    assert (issued.status_code, issued.json["status"], issued.json["due"]) == (200, "issued", "1500.00")
    for answer in (
        api.post(f"work-orders/{order['id']}/issue"),
        api.patch(f"work-orders/{order['id']}", {"lines": lines}),
    ):
        assert (answer.status_code, answer.json["error"]) == (409, "already_issued")
    paid = api.post(
        "payments/",
        {
            "patient_id": case.patient_id, "tendered": "2000.00",
            "parts": [part("1000.00", desk_id=case.branch.desk_id), part("600.00", method="card")],
        },
    )  # fmt: skip
    assert paid.status_code == 201, paid.json
    assert paid.json["allocated"] == [{"work_order_id": order["id"], "amount": "1500.00"}]
    assert (paid.json["to_advance"], paid.json["change"], len(paid.json["receipt_ids"])) == ("100.00", "1000.00", 1)
    reopened = api.post(f"work-orders/{order['id']}/reopen")
    assert (reopened.status_code, reopened.json["error"]) == (409, "already_paid")
    refund = {"amount": "700.00", "reason": "передумал"}
    assert api.post(f"payments/{paid.json['id']}/refund", refund).status_code == 403
    back = senior.post(f"payments/{paid.json['id']}/refund", refund)
    assert (back.status_code, back.json["amount"]) == (201, "700.00")
    over = senior.post(f"payments/{paid.json['id']}/refund", {"amount": "900.01", "reason": "x"})
    assert (over.status_code, over.json["error"], over.json["left"]) == (422, "over_refund", "900.00")
    assert queries.balance_of(case.patient_id) == queries.Balance(D(600), D(0))
    assert api.get(f"payments/{paid.json['id']}").json["refundable"] == "900.00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"patient_id": 2**30}, {"patient_id": "x"}, {"patient_id": None}, {"doctor_id": 2**30}, {"doctor_id": -1},
        {"appointment_id": 2**30}, {"branch_id": 2**30}, {"unknown": 1}, {"lines": None}, {"lines": []}, {"lines": {}},
        {"lines": "x"}, {"lines": [1]}, {"lines": [[]]}, {"lines": [None]}, {"lines": [{}]},
    ],
)  # fmt: skip
def test_bad_orders_write_nothing(program, case, wrong):
    answer = program("administrator").post("work-orders/", {**case.body, **wrong})
    assert answer.status_code == 422 and answer.json["message"], answer.json
    assert counted(WorkOrder, case.patient_id) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"service_id": 2**30}, {"service_id": "x"}, {"quantity": 0}, {"quantity": -1}, {"quantity": 1000},
        {"quantity": 1.5}, {"quantity": "много"}, {"quantity": True}, {"quantity": 10**30}, {"tooth": "99"},
        {"tooth": 36}, {"tooth": HUGE}, {"tooth": "<b>"}, {"discount_percent": "5.01"}, {"discount_percent": "101"},
        {"discount_percent": "NaN"}, {"discount_percent": "-1"},
        {"discount_amount": "150.01", "discount_percent": None},
        {"discount_amount": "1"}, {"discount_reason": "x" * 201}, {"discount_reason": "a\x00"}, {"price": "1.00"},
        {"assistant_id": 2**30},
    ],
)  # fmt: skip
def test_bad_lines_write_nothing(program, case, wrong):
    line = {**case.body["lines"][0], **wrong}
    answer = program("administrator").post("work-orders/", {**case.body, "lines": [line]})
    assert answer.status_code == 422 and answer.json["message"], answer.json
    assert counted(WorkOrder, case.patient_id) == 0


def part(amount="5.00", method="cash", **more):
    return {"method": method, "amount": amount, **more}


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": []}, {"parts": None}, {"parts": "x"}, {"parts": [1]}, {"parts": [part("0")]}, {"parts": [part("-5")]},
        {"parts": [part("NaN")]}, {"parts": [part("0.001")]}, {"parts": [part(None)]}, {"parts": [part(HUGE)]},
        {"parts": [part("99999999999")]}, {"parts": [part("9999999999.99")] * 2}, {"parts": [part()] * 21},
        {"parts": [part(method="gold")]}, {"parts": [part(method=None)]}, {"parts": [part(method="advance")]},
        {"parts": [part(desk_id=2**30)]}, {"parts": [part(desk_id="x")]}, {"parts": [part(extra=1)]},
        {"tendered": "4.99"}, {"tendered": "-1"}, {"tendered": "x"}, {"parts": [part(method="card")], "tendered": "5"},
        {"bills": [{"work_order_id": 2**30, "amount": "1.00"}]}, {"bills": "x"}, {"bills": [{}]},
        {"bills": [{"work_order_id": 1, "amount": "0"}]}, {"branch_id": 2**30}, {"patient_id": "x"}, {"comment": "x"},
    ],
)  # fmt: skip
def test_bad_payments_take_nothing(program, case, wrong):
    body = {"patient_id": case.patient_id, "branch_id": case.branch.id, "parts": [part()], **wrong}
    answer = program("administrator").post("payments/", body)
    assert answer.status_code == 422 and answer.json["message"], answer.json
    assert counted(Payment, case.patient_id) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"}, {"amount": "-1"}, {"amount": "NaN"}, {"amount": None}, {"amount": "5.01"}, {"reason": ""},
        {"reason": "  "}, {"reason": HUGE}, {"reason": 5}, {"desk_id": 1},
    ],
)  # fmt: skip
def test_bad_refunds_return_nothing(program, case, wrong):
    senior = program("senior")
    paid = senior.post(
        "payments/", {"patient_id": case.patient_id, "branch_id": case.branch.id, "parts": [part(method="card")]}
    ).json
    answer = senior.post(f"payments/{paid['id']}/refund", {"amount": "5.00", "reason": "x", **wrong})
    assert answer.status_code == 422 and answer.json["message"]
    assert queries.balance_of(case.patient_id).advance == D(5)


def test_ids_of_nothing(program):
    director = program("director")
    for path in ("work-orders/999999999/issue", "work-orders/99999999999999/reopen"):
        assert director.post(path).status_code == 404
    assert director.post("payments/999999999/refund", {"amount": "1", "reason": "x"}).status_code == 404
    assert director.post("payments/", {"patient_id": 2**30, "parts": [part()]}).status_code == 404
    for path in ("work-orders/999999999", "payments/999999999"):
        assert director.get(path).status_code == 404


def test_every_post_is_done_once(program, case):
    api = program("director")

    def twice(path, body, status):
        key = uuid4()
        first, second = api.post(path, body, key=key), api.post(path, body, key=key)
        assert (first.status_code, second.status_code, first.json) == (status, status, second.json)
        assert second.headers["Idempotent-Replayed"] == "true"
        assert api.post(path, {**body, "x": 1}, key=key).json["error"] == "key_reused"
        return first.json

    order = twice("work-orders/", case.body, 201)
    twice(f"work-orders/{order['id']}/issue", {}, 200)
    twice(f"work-orders/{order['id']}/reopen", {}, 200)
    twice(f"work-orders/{order['id']}/issue", {}, 200)
    paid = twice("payments/", {"patient_id": case.patient_id, "branch_id": case.branch.id, "parts": [part("50")]}, 201)
    twice(f"payments/{paid['id']}/refund", {"amount": "20", "reason": "x"}, 201)
    twice(f"payments/{paid['id']}/refund", {"amount": "2000", "reason": "x"}, 422)
    assert counted(WorkOrder, case.patient_id) == counted(Payment, case.patient_id) == 1
    assert queries.balance_of(case.patient_id).debt == D("2820.00")


def test_who_may(program, case, app):
    order = billed(program("administrator"), case)
    doctor, nobody = program("doctor"), app.test_client()
    for path, body in (
        ("payments/", {"patient_id": case.patient_id, "parts": [part()]}),
        ("payments/1/refund", {"amount": "1", "reason": "x"}),
        (f"work-orders/{order['id']}/issue", {}),
        (f"work-orders/{order['id']}/reopen", {}),
        ("work-orders/", case.body),
    ):
        assert doctor.post(path, body).status_code == 403, path
        assert program("sysadmin").post(path, body).status_code == 403, path
        assert nobody.post(f"/api/v1/{path}", json=body).status_code == 401, path
    assert doctor.get(f"work-orders/{order['id']}").status_code == 403
    assert doctor.patch(f"work-orders/{order['id']}", {"lines": case.body["lines"]}).status_code == 403
    assert nobody.get(f"/api/v1/work-orders/{order['id']}").status_code == 401
    assert nobody.get("/api/v1/services/").status_code == 401


def test_a_doctor_fills_in_own_orders_for_own_patients(program, make, case):
    doctor = program("doctor")
    own = access.account(make.user("doctor")).employee_id
    body = {**case.body, "doctor_id": own}
    assert doctor.post("work-orders/", body).status_code == 422  # not a patient of his
    start = clock.wall_now().replace(hour=11, minute=0, second=0, microsecond=0)
    visit = make.appointment(SimpleNamespace(id=case.patient_id), SimpleNamespace(id=own), start)
    visit_id = visit.id
    answer = doctor.post("work-orders/", {**body, "appointment_id": visit_id})
    assert answer.status_code == 201
    assert doctor.post(f"work-orders/{answer.json['id']}/issue").status_code == 200
    stranger = make.patient()
    assert (
        doctor.post("work-orders/", {**body, "patient_id": stranger.id, "appointment_id": visit_id}).status_code == 422
    )


def test_services_are_searched_and_paged(program, make):
    service = make.service("99.90", name=f"Виниры {uuid4()}")
    api = program("doctor")
    found = api.get("services/", query_string={"q": service.name}).json
    assert [(row["id"], row["price"]) for row in found["result"]] == [(service.id, "99.90")]
    for query in ("?page=-1", "?page=x", "?page_size=201", "?page_size=0", "?q=" + "x" * 101, "?q=%00", "?unknown=1"):
        answer = api.get(f"services/{query}")
        assert answer.status_code == 422, query
    for query in ("?q=%25", "?q=_", "?q='%22\\", "?page=100000"):
        assert api.get(f"services/{query}").status_code == 200, query


def test_the_same_line_is_taken_back_once(program, case):
    api, senior = program("administrator"), program("senior")
    order = billed(api, case)
    line = order["lines"][0]["id"]
    twice = [{"line_id": line, "quantity": 1}, {"line_id": line, "quantity": 2}]
    answer = senior.post(f"work-orders/{order['id']}/reverse", {"reason": "ошибка", "lines": twice})
    assert answer.status_code == 422 and "lines.1.line_id" in answer.json["fields"]


def test_an_order_names_the_assistant_and_a_draft_is_annulled(program, make, case):
    api, helper = program("administrator"), make.doctor()
    case.body["lines"][0]["assistant_id"] = helper.id
    order = api.post("work-orders/", case.body).json
    assert order["lines"][0]["assistant_id"] == helper.id
    annulled = api.post(f"work-orders/{order['id']}/annul")
    assert (annulled.status_code, annulled.json["status"], annulled.json["number"]) == (
        200,
        "annulled",
        order["number"],
    )
    assert api.post(f"work-orders/{order['id']}/issue").status_code == 409
    assert program("doctor2").post(f"work-orders/{order['id']}/annul").status_code == 403
