"""The cash desk's changes on a real database."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app import clock, errors
from app.billing import operations as billing
from app.cash import operations, queries
from app.db import session, transaction
from app.models import AuditEvent, CashDesk, CashMovement

D = Decimal


@pytest.fixture
def branch(make):
    return make.branch()


def opened(make, branch, counted="0"):
    with transaction():
        return operations.open_shift(
            branch.desk_id, D(counted), reason="размен" if D(counted) else "", actor=make.user()
        )


def moved(make, branch, kind, amount, **more):
    who = more.pop("by", None) or make.user()
    with transaction():
        return operations.move(branch.desk_id, kind, D(amount), **{"comment": "Проверка", **more}, actor=who)


def balance(desk_id):
    return session.scalar(select(CashDesk.balance).where(CashDesk.id == desk_id))


def category(make, name="Хозтовары"):
    with transaction():
        return operations.add_category(f"{name} {datetime.now().timestamp()}", actor=make.user())


def test_a_day_of_a_drawer(make, branch):
    shift = opened(make, branch)
    moved(make, branch, "pay_in", "5000.00")
    moved(make, branch, "withdrawal", "1200.50", category_id=category(make).id)
    moved(make, branch, "collection", "1000")
    moved(make, branch, "salary", "300")
    report = queries.shift_report(shift)
    assert (report.opening, report.came_in, report.went_out) == (D(0), D(5000), D("2500.50"))
    assert report.expected == balance(branch.desk_id) == D("2499.50")
    with transaction():
        operations.close_shift(shift.id, D("2499.50"), actor=make.user())
    assert (shift.expected, shift.counted, shift.difference) == (D("2499.50"), D("2499.50"), D(0))
    with transaction():
        second = operations.open_shift(branch.desk_id, D("2499.50"), actor=make.user())
    assert second.number == shift.number + 1 and second.opening == shift.counted


def test_opening_must_equal_the_last_closing_or_say_why(make, branch):
    with pytest.raises(errors.CountDiffers) as refused, transaction():
        operations.open_shift(branch.desk_id, D("100"), actor=make.user())
    assert refused.value.facts == {"counted": "100.00", "expected": "0.00", "difference": "100.00"}
    with transaction():
        shift = operations.open_shift(branch.desk_id, D("100"), reason="размен", actor=make.user())
    assert balance(branch.desk_id) == D(100)
    [surplus] = session.scalars(select(CashMovement).where(CashMovement.shift_id == shift.id))
    assert (surplus.kind, surplus.delta) == ("surplus", D(100))
    assert queries.shift_report(shift).expected == D(100)


def test_closing_with_a_difference_moves_it(make, branch):
    shift = opened(make, branch, "500")
    with pytest.raises(errors.CountDiffers), transaction():
        operations.close_shift(shift.id, D("480"), actor=make.user())
    with transaction():
        operations.close_shift(shift.id, D("480"), reason="недостача", actor=make.user())
    assert (shift.expected, shift.counted, shift.difference) == (D(500), D(480), D(-20))
    assert balance(branch.desk_id) == D(480)


def test_closed_shift_takes_nothing_and_closes_once(make, branch):
    shift = opened(make, branch)
    with transaction():
        operations.close_shift(shift.id, D(0), actor=make.user())
    with pytest.raises(errors.ShiftClosed), transaction():
        operations.close_shift(shift.id, D(0), actor=make.user())
    with pytest.raises(errors.ShiftClosed), transaction():
        operations.move(branch.desk_id, "pay_in", D(1), actor=make.user())


def test_one_open_shift_of_a_desk(make, branch):
    opened(make, branch)
    with pytest.raises(errors.ShiftOpen):
        opened(make, branch)
    with pytest.raises(errors.WrongDesk), transaction():
        operations.open_shift(branch.non_cash_id, D(0), actor=make.user())


def test_never_negative(make, branch):
    opened(make, branch, "100")
    with pytest.raises(errors.NotEnoughCash) as refused:
        moved(make, branch, "collection", "100.01")
    assert refused.value.facts == {"left": "100.00", "desk": "Касса"}
    assert balance(branch.desk_id) == D(100)


def test_transfer_is_two_paired_movements(make, branch):
    opened(make, branch, "1000")
    out = moved(make, branch, "transfer", "400", to_desk_id=branch.non_cash_id)
    came = queries.other_side(out)
    assert (out.delta, came.delta, came.paired_id) == (D(-400), D(400), out.id)
    assert (balance(branch.desk_id), balance(branch.non_cash_id)) == (D(600), D(400))
    with transaction():
        operations.reverse(came.id, "ошибка", actor=make.user())
    assert (balance(branch.desk_id), balance(branch.non_cash_id)) == (D(1000), D(0))
    with pytest.raises(errors.AlreadyReversed), transaction():
        operations.reverse(out.id, "ошибка", actor=make.user())


def test_transfer_to_another_entity_or_itself_is_refused(make, branch):
    opened(make, branch, "1000")
    with pytest.raises(errors.WrongDesk):
        moved(make, branch, "transfer", "1", to_desk_id=make.branch().non_cash_id)
    with pytest.raises(errors.Invalid):
        moved(make, branch, "transfer", "1", to_desk_id=branch.desk_id)
    with pytest.raises(errors.NotFound):
        moved(make, branch, "transfer", "1", to_desk_id=2**30)


def test_withdrawal_needs_a_living_category(make, branch):
    opened(make, branch, "1000")
    with pytest.raises(errors.CategoryNeeded):
        moved(make, branch, "withdrawal", "1")
    with pytest.raises(errors.Invalid):
        moved(make, branch, "withdrawal", "1", category_id=2**30)


def test_correction_is_the_directors_and_signed(make, branch):
    opened(make, branch, "1000")
    with pytest.raises(errors.NotAllowed):
        moved(make, branch, "correction", "-10")
    with transaction():
        operations.move(branch.desk_id, "correction", D(-10), comment="Опечатка", actor=make.user("director"))
    assert balance(branch.desk_id) == D(990)
    for amount in ("0", "0.001"):
        with pytest.raises(errors.Invalid), transaction():
            operations.move(branch.desk_id, "correction", D(amount), comment="Опечатка", actor=make.user("director"))
    with pytest.raises(errors.Invalid):
        moved(make, branch, "pay_in", "-5")


def test_reverse_links_and_keeps_the_category(make, branch):
    opened(make, branch, "1000")
    kind = category(make)
    wrong = moved(make, branch, "withdrawal", "300", category_id=kind.id, counterparty="Магазин")
    with transaction():
        mended = operations.reverse(wrong.id, "не та сумма", actor=make.user())
    assert (mended.kind, mended.delta, mended.reverses_id, mended.category_id) == (
        "reversal",
        D(300),
        wrong.id,
        kind.id,
    )
    assert balance(branch.desk_id) == D(1000)
    for pk, refusal in ((wrong.id, errors.AlreadyReversed), (mended.id, errors.NotReversible)):
        with pytest.raises(refusal), transaction():
            operations.reverse(pk, "ещё раз", actor=make.user())
    with pytest.raises(errors.ReasonNeeded), transaction():
        operations.reverse(wrong.id, " ", actor=make.user())


def test_reversal_of_spent_money_is_refused(make, branch):
    opened(make, branch)
    came = moved(make, branch, "pay_in", "300")
    moved(make, branch, "collection", "200")
    with pytest.raises(errors.NotEnoughCash) as refused, transaction():
        operations.reverse(came.id, "ошибка", actor=make.user())
    assert refused.value.facts["left"] == "100.00"


def test_a_count_and_a_patients_money_are_not_reversed(make, branch):
    opened(make, branch, "10")
    patient = make.patient()
    with transaction():
        payment = billing.take_payment(
            patient.id, [{"method": "cash", "amount": D(5)}], branch_id=branch.id, actor=make.user()
        )
    paid_id = payment.parts[0].movement_id
    surplus = session.scalars(
        select(CashMovement).where(CashMovement.desk_id == branch.desk_id, CashMovement.kind == "surplus")
    ).one()
    for pk in (paid_id, surplus.id):
        with pytest.raises(errors.NotReversible), transaction():
            operations.reverse(pk, "нельзя", actor=make.user())


def test_numbers_have_no_gaps_after_refusals(make, branch):
    opened(make, branch)
    numbers = []
    for amount in ("5", "-1", "6", "0.005", "7"):
        try:
            numbers.append(moved(make, branch, "pay_in", amount).number)
        except errors.Invalid:
            continue
    assert numbers == [1, 2, 3]


def test_category_names_are_taken_once(make):
    name = f"Канцелярия {datetime.now().timestamp()}"
    with transaction():
        operations.add_category(f"  {name} ", actor=make.user())
    with pytest.raises(errors.AlreadyThere), transaction():
        operations.add_category(name.upper(), actor=make.user())
    with pytest.raises(errors.Invalid), transaction():
        operations.add_category("   ", actor=make.user())
    with pytest.raises(errors.NotAllowed), transaction():
        operations.add_category("Чужая", actor=make.user("doctor"))


def test_every_deed_is_recorded(make, branch):
    shift = opened(make, branch, "10")
    moved(make, branch, "pay_in", "5")
    with transaction():
        operations.close_shift(shift.id, D(15), actor=make.user())
    kept = session.scalar(
        select(func.count()).select_from(AuditEvent).where(
            AuditEvent.object_type == "cash_shift", AuditEvent.object_id == shift.id
        )
    )  # fmt: skip
    assert kept == 2


def test_x_report_of_other_days(make, branch):
    """Today's part of a shift left open overnight is seen by all; a closed one of another day by the director."""
    yesterday = clock.wall_now() - timedelta(days=1)
    with clock.at(yesterday):
        shift = opened(make, branch, "100")
    moved(make, branch, "pay_in", "50")
    administrator, director = make.user(), make.user("director")
    since = operations.look_at_shift(shift, how="page", actor=administrator)
    assert since == clock.today()
    report = queries.shift_report(shift, since)
    assert (report.opening, report.came_in, report.expected) == (D(100), D(50), D(150))
    assert operations.look_at_shift(shift, how="page", actor=director) is None
    with clock.at(yesterday - timedelta(days=1)):
        old = operations
        other = make.branch()
        with transaction():
            first = old.open_shift(other.desk_id, D(0), actor=administrator)
        with transaction():
            old.close_shift(first.id, D(0), actor=administrator)
    with pytest.raises(errors.OutsideWindow):
        operations.look_at_shift(first, how="page", actor=administrator)
    assert operations.look_at_shift(first, how="page", actor=director) is None


def test_a_movement_of_a_closed_day_is_reversed_by_who_may_see_it(make, branch, monkeypatch):
    """Reversing tells what was moved: no more than the cash page of that day does."""
    opened(make, branch)
    came = moved(make, branch, "pay_in", "300")
    later = clock.today() + timedelta(days=3)
    monkeypatch.setattr(clock, "today", lambda: later)
    with pytest.raises(errors.OutsideWindow), transaction():
        operations.reverse(came.id, "ошибка", actor=make.user())
    assert balance(branch.desk_id) == D(300)
    with transaction():
        operations.reverse(came.id, "ошибка", actor=make.user("director"))
    assert balance(branch.desk_id) == 0


def test_what_no_desk_holds_and_nobody_sees_is_refused_by_its_field(make, branch):
    opened(make, branch, "1")
    with pytest.raises(errors.Invalid) as refused:
        moved(make, branch, "pay_in", "9999999999.99")
    assert "amount" in refused.value.facts["fields"]
    for name in ("\u200b", "\u2060 \ufeff"):
        with pytest.raises(errors.Invalid) as refused, transaction():
            operations.add_category(name, actor=make.user())
        assert "name" in refused.value.facts["fields"]


@pytest.mark.parametrize("kind", ["collection", "salary", "correction"])
def test_money_that_leaves_says_to_whom_or_why(make, branch, kind):
    director = make.user("director")
    opened(make, branch, "1000")
    for blank in ({"comment": ""}, {"comment": "  ", "counterparty": " "}):
        with pytest.raises(errors.Invalid) as refused:
            moved(make, branch, kind, "10", by=director, **blank)
        assert refused.value.facts["fields"].keys() == {"comment"}
    moved(make, branch, kind, "10", by=director, comment="", counterparty="Смирнова А. П.")
    moved(make, branch, kind, "10", by=director, comment="По записке")


def test_nothing_is_collected_from_the_banks_desk(make, branch, client_of):
    with transaction(), pytest.raises(errors.WrongDesk):
        operations.move(branch.non_cash_id, "collection", D(1), comment="Банк", actor=make.user())
    browser = client_of("administrator")
    assert 'value="collection"' not in browser.get(f"/cash/?desk={branch.non_cash_id}").text
    opened(make, branch, "1000")
    assert 'value="collection"' in browser.get(f"/cash/?desk={branch.desk_id}").text


def test_a_desk_that_money_went_through_stays_where_it_is(make, branch):
    """The database has the last word, and says it so that the desk understands."""
    other, fresh = make.branch(), make.branch()
    opened(make, branch)
    moved(make, branch, "pay_in", "10")
    for name, value in (("branch_id", other.id), ("kind", "additional"), ("legal_entity_id", other.legal_entity_id)):
        with pytest.raises(errors.DeskStays), transaction():
            setattr(session.get_one(CashDesk, branch.desk_id), name, value)
    with transaction():
        desk = session.get_one(CashDesk, branch.desk_id)
        desk.name, desk.cash_limit = "Касса у входа", D(5000)
        empty = session.get_one(CashDesk, fresh.desk_id)
        empty.branch_id, empty.name = other.id, "Касса без денег"
