"""The four reports to the kopeck, and that they tell the same."""

from datetime import date
from decimal import Decimal as D

import pytest

from app.access import Window
from app.models import LedgerEntry
from app.reports import queries
from tests.conftest import Maker
from tests.reports.a_day import AFTER, BEFORE, DAY
from tests.reports.agreement import agree

TODAY = Window(DAY.date(), DAY.date())
ALL_DAYS = Window(BEFORE.date(), AFTER.date())


def methods(totals):
    return {row["method"]: (row["paid"], row["refunded"], row["net"]) for row in totals["by_method"]}


def test_bills_and_payments(whole):
    found = queries.bills_payments(TODAY)
    totals = found.totals
    assert totals["debt_start"] == D("2000.00")
    # 3350 + 1800 + (2400 − 2400) + 4000 + 0
    assert totals["billed"] == D("9150.00")
    assert totals["paid"] == D("3000.30") + D("1300.00")
    assert totals["refunded"] == D("400.00")
    assert totals["debt_end"] == D("2000") + D("9150") - D("4300.30") + D("400") == D("7249.70")
    assert (totals["advance_start"], totals["advance_in"], totals["advance_used"]) == (D(0), D("5000.00"), D("700.00"))
    assert (totals["advance_returned"], totals["advance_restored"]) == (D("1000.00"), D(0))
    assert totals["advance_end"] == D("3300.00")
    assert methods(totals) == {
        "cash": (D("2600.10"), D("400.00"), D("2200.10")),
        "card": (D("1000.20"), D(0), D("1000.20")),
        "transfer": (D("5000.00"), D("1000.00"), D("4000.00")),
        "advance": (D("700.00"), D(0), D("700.00")),
    }
    blocks = {}
    for row in found.rows:
        blocks[row["block"]] = blocks.get(row["block"], D(0)) + row["amount"]
    assert blocks == {"bill": D("9150.00"), "payment": D("9300.30"), "refund": D("1400.00")}
    assert found.count == len(found.rows) == 6 + 3 + 2
    payment = next(row for row in found.rows if row["block"] == "payment" and "advance" in (row["methods"] or {}))
    assert payment["methods"] == {"advance": "700.00", "cash": "600.00"}  # JSON would make them floats
    assert all(isinstance(sum_, str) for row in found.rows for sum_ in (row["methods"] or {}).values())
    assert payment["to_bills"] == D("1300.00") and payment["to_advance"] == D(0)


def test_services(whole):
    found = queries.services(TODAY)
    assert found.totals["quantity"] == 2 + 1 + 1 + 1 + 1
    assert found.totals["gross"] == D("2000") + D("1500") + D("800") + D("1000") + D("800")
    assert found.totals["discount"] == D("150.00") + D("800.00")
    assert found.totals["net"] == D("5150.00") == sum(row["net"] for row in found.rows)
    assert found.totals["orders"] == 3
    # the bill of 4000 that was issued in the day and reopened the next
    assert found.totals["taken_back"] == D("4000.00") and found.totals["billed"] == D("9150.00")
    # the third and the fourth order are drafts now
    assert (found.totals["drafts"], found.totals["drafts_total"]) == (2, D("2400") + D("4000"))
    lines = queries.service_lines(TODAY, service=whole.hygiene.id)
    assert (
        lines.totals["net"] == D("3000.00") == sum(r["net"] for r in found.rows if r["service_id"] == whole.hygiene.id)
    )
    assert queries.drafts(TODAY).totals["amount"] == D("6400.00")
    back = queries.taken_back(TODAY)
    assert [(row["work_order_id"], row["amount"]) for row in back.rows] == [(whole.fourth, D("4000.00"))]
    tomorrow = Window(AFTER.date(), AFTER.date())
    assert (
        queries.services(tomorrow).totals["taken_back"]
        == D("-4000.00")
        == queries.taken_back(tomorrow).totals["amount"]
    )
    assert queries.services(ALL_DAYS).totals["taken_back"] == 0 == queries.taken_back(ALL_DAYS).count


def test_patients(whole):
    found = queries.patients(TODAY)
    by_patient = {row["patient"]: row for row in found.rows if row["visit_id"]}
    anna = by_patient["Аннина И. П."]
    assert (anna["status"], anna["first_visit"], anna["waited"]) == ("completed", True, 12)
    assert (anna["billed"], anna["paid"], anna["debt"]) == (D("3350.00"), D("3000.30"), D("349.70"))
    assert anna["next_visit"] == AFTER.replace(hour=15)
    without = [row for row in found.rows if not row["visit_id"]]
    assert {(row["patient"], row["doctor_id"]): (row["billed"], row["paid"]) for row in without} == {
        ("Борисов И. П.", whole.other.id): (D("1800.00"), D("1300.00")),
        ("Верина И. П.", whole.other.id): (D("4000.00"), D("-400.00")),
        ("Верина И. П.", whole.own.id): (D("0.00"), D("0.00")),
    }
    totals = found.totals
    assert (totals["visits"], totals["came"], totals["no_show"], totals["booked"]) == (3, 1, 1, 1)
    assert (totals["first_visits"], totals["repeat_visits"], totals["average_waiting"]) == (1, 2, 12)
    assert found.count == 6
    came = queries.patients(TODAY, status="came")
    assert came.count == 1 and came.totals["billed"] == D("3350.00")
    assert queries.patients(TODAY, first=True).count == 1 and queries.patients(TODAY, money="debt").count == 3


def test_cash(whole):
    found = queries.cash(TODAY)
    rows = {(row["desk_id"], row["shift_id"]): row for row in found.rows}
    drawer = rows[whole.branch.desk_id, whole.shift_id]
    assert (drawer["opening"], drawer["in"], drawer["out"]) == (D("1000.00"), D("12655.10"), D("2815.10"))
    assert drawer["closing"] == drawer["counted"] == D("10840.00")
    assert (drawer["expected"], drawer["difference"]) == (D("10849.60"), D("-9.60"))
    bank = rows[whole.branch.non_cash_id, None]
    assert (bank["opening"], bank["in"], bank["out"], bank["closing"]) == (
        D(0),
        D("6000.20"),
        D("1000.00"),
        D("5000.20"),
    )
    incoming = {(part["kind"], part["method"]): part["amount"] for part in found.totals["incoming"]}
    assert incoming == {
        ("payment", "cash"): D("2600.10"),
        ("payment", "card"): D("1000.20"),
        ("payment", "transfer"): D("5000.00"),
        ("pay_in", None): D("10000.00"),
        ("reversal", None): D("55.00"),
    }
    outgoing = {
        (part["kind"], part["method"] or part["category_id"]): part["amount"] for part in found.totals["outgoing"]
    }
    assert outgoing == {
        ("refund", "cash"): D("400.00"),
        ("refund", "transfer"): D("1000.00"),
        ("withdrawal", whole.category): D("405.50"),
        ("collection", None): D("2000.00"),
        ("shortage", None): D("9.60"),
    }
    operations = queries.cash_operations(TODAY)
    assert operations.totals["in"] == found.totals["in"] and operations.totals["out"] == found.totals["out"]
    assert operations.count == found.totals["operations"] == len(operations.rows)
    assert queries.cash_operations(TODAY, method="cash").totals["delta"] == D("2200.10")


@pytest.mark.parametrize(
    "window",
    [
        TODAY,
        ALL_DAYS,
        Window(BEFORE.date(), BEFORE.date()),
        Window(AFTER.date(), AFTER.date()),
        Window(date(2020, 1, 1), DAY.date()),
        Window(date(2030, 1, 1), date(2031, 1, 1)),
    ],
)
@pytest.mark.parametrize("filtered", [False, True])
def test_the_four_tell_the_same(whole, window, filtered):
    agree(window, whole.branch.id if filtered else None)
    ledger = sum((e.debt_change for e in _entries(window.last)), D(0))
    assert ledger == queries.bills_payments(window).totals["debt_end"]


def _entries(day):
    from app.db import session

    return session.query(LedgerEntry).filter(LedgerEntry.business_day <= day).all()


def test_a_doctors_figures_are_a_part_of_the_whole(whole):
    mine, other = whole.own.id, whole.other.id
    for name in ("debt_start", "billed", "paid", "refunded", "debt_end"):
        parts = [queries.bills_payments(TODAY, doctor_id=doctor).totals[name] for doctor in (mine, other)]
        assert sum(parts) == queries.bills_payments(TODAY).totals[name], name
    found = queries.bills_payments(TODAY, doctor_id=mine)
    assert found.totals["billed"] == D("3350.00") and found.totals["paid"] == D("3000.30")
    assert "by_method" not in found.totals and "advance_in" not in found.totals
    assert {row["doctor_id"] for row in found.rows} == {mine}
    assert sum(row["amount"] for row in found.rows if row["block"] == "payment") == D("3000.30")
    assert {row["doctor_id"] for row in queries.services(TODAY, doctor_id=mine).rows} == {mine}
    assert {row["doctor_id"] for row in queries.patients(TODAY, doctor_id=mine).rows} == {mine}


def test_another_branch_has_nothing(whole):
    other = Maker().branch()
    assert queries.bills_payments(TODAY, other.id).totals["billed"] == 0
    assert queries.patients(TODAY, other.id).count == 0 and queries.services(TODAY, other.id).count == 0
    assert queries.cash(TODAY, other.id).totals["closing"] == 0


def test_pages_do_not_change_totals(whole):
    page = queries.Page(limit=2, offset=2)
    part, all_of = queries.bills_payments(TODAY, page=page), queries.bills_payments(TODAY)
    assert part.totals == all_of.totals and part.rows == all_of.rows[2:4] and part.count == all_of.count
    part, all_of = queries.patients(TODAY, page=page), queries.patients(TODAY)
    assert part.totals == all_of.totals and part.rows == all_of.rows[2:4]
