"""That the four reports tell the same, whatever happened: each figure that two of them know."""

from decimal import Decimal as D

from app.access import Window
from app.reports import queries


def agree(window: Window, branch: int | None) -> None:
    """Every figure that two reports have is the same in both; what stands at the end is start and flows."""
    bills, services = queries.bills_payments(window, branch), queries.services(window, branch)
    visits, money = queries.patients(window, branch), queries.cash(window, branch)
    t = bills.totals
    assert t["debt_start"] + t["billed"] - t["paid"] + t["refunded"] == t["debt_end"]
    assert services.totals["net"] + services.totals["taken_back"] == t["billed"] == visits.totals["billed"]
    assert queries.taken_back(window, branch).totals["amount"] == services.totals["taken_back"]
    assert visits.totals["paid"] == t["paid"] - t["refunded"]
    came, went = {}, {}
    for part in money.totals["incoming"]:
        came[part["method"]] = came.get(part["method"], D(0)) + part["amount"]
    for part in money.totals["outgoing"]:
        went[part["method"]] = went.get(part["method"], D(0)) + part["amount"]
    for row in t["by_method"]:
        if row["method"] != "advance":
            assert (row["paid"], row["refunded"]) == (came.get(row["method"], 0), went.get(row["method"], 0))
    used = next(row for row in t["by_method"] if row["method"] == "advance")
    assert t["money_in"] + used["paid"] == t["to_bills"] + t["advance_in"] and used["paid"] == t["advance_used"]
    assert used["refunded"] == t["advance_restored"]
    for block, total in (("bill", t["billed"]), ("refund", t["money_out"] + used["refunded"])):
        assert queries.bills_payments(window, branch, block=block).more["of_rows"][0]["amount"] == total, block
    assert t["money_out"] == t["refunded"] + t["advance_returned"] - t["advance_restored"]
    assert money.totals["opening"] + money.totals["in"] - money.totals["out"] == money.totals["closing"]
    assert money.totals["closing"] == sum(row["closing"] for row in money.rows if _last_of_desk(row, money.rows))
    assert queries.open_bills(window.last, branch).totals["debt"] == t["debt_end"]
    if branch is None:
        assert queries.standing_advances(window.last).totals["advance"] == t["advance_end"]
    for which in ("in", "used", "returned", "restored", "to_certificate", "from_certificate"):
        assert queries.advance_moves(window, branch, which=which).totals["amount"] == t[f"advance_{which}"]


def _last_of_desk(row, rows):
    return [r for r in rows if r["desk_id"] == row["desk_id"]][-1] is row
