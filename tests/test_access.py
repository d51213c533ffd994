"""Rights and windows: the table, what the director changed, and how far back one may look."""

from datetime import timedelta

import pytest
from flask import Flask

from app import access, clock
from app.db import transaction
from app.errors import Invalid, NotAllowed, OutsideWindow
from app.roles import RIGHTS, ROLES
from tests.conftest import Maker


def test_every_right_names_every_role() -> None:
    for right in RIGHTS.values():
        assert set(right.by_role) == set(ROLES)
        assert set(right.by_role.values()) <= {"yes", "own", "grant", "setting", "no"}


def test_setting_decides_who_fills_work_orders() -> None:
    for fills in (True, False):
        rights = access.effective_rights(frozenset({"administrator"}), {}, fills)
        assert ("work_order.fill" in rights) is fills
    assert access.effective_rights(frozenset({"doctor"}), {}, False)["work_order.fill"] == access.OWN


def test_the_directors_word_is_the_last() -> None:
    plain = access.effective_rights(frozenset({"administrator"}), {}, True)
    assert "payment.refund" not in plain
    changed = access.effective_rights(
        frozenset({"administrator"}), {"payment.refund": True, "payment.take": False}, True
    )
    assert changed["payment.refund"] == access.ALL and "payment.take" not in changed
    again = access.effective_rights(frozenset({"administrator"}), {"payment.refund": None}, True)
    assert again == plain


def reload(make: Maker, username: str) -> object:
    return access.load(make.user(username).id)


def test_right_given_and_taken_at_once(make: Maker) -> None:
    director, clerk = access.load(make.user("director").id), access.load(make.user("administrator2").id)
    assert director and clerk
    assert not access.account(clerk).may("payment.refund")
    with transaction():
        access.change_right(clerk, "payment.refund", allowed=True, reason="Отпуск старшего", actor=director)
    assert access.account(access.load(clerk.id)).may("payment.refund")  # type: ignore[arg-type]
    with transaction():
        access.change_right(clerk, "payment.refund", allowed=None, reason="Вернулась", actor=director)
    assert not access.account(access.load(clerk.id)).may("payment.refund")  # type: ignore[arg-type]


def test_only_the_director_gives_rights(make: Maker) -> None:
    senior, clerk = access.load(make.user("senior").id), make.user("administrator")
    with pytest.raises(NotAllowed):
        access.change_right(clerk, "payment.refund", allowed=True, reason="Надо", actor=senior)
    director = access.load(make.user("director").id)
    with pytest.raises(Invalid):
        access.change_right(clerk, "access.manage", allowed=True, reason="Надо", actor=director)


def test_window_is_today(fresh_app: Flask) -> None:
    """Today for everybody with the right; another day needs the director or a grant that covers all of it."""
    with fresh_app.app_context():
        make = Maker()
        today, yesterday = clock.today(), clock.today() - timedelta(days=1)
        clerk, other = access.load(make.user("administrator").id), access.load(make.user("administrator2").id)
        director = access.load(make.user("director").id)
        assert access.window(clerk, "cash").first == today
        for first, last in ((yesterday, yesterday), (yesterday, today), (today, today + timedelta(days=1))):
            with pytest.raises(OutsideWindow):
                access.window(clerk, "cash", first, last)
        assert access.window(director, "cash", yesterday, today).grant_id is None
        with pytest.raises(NotAllowed):
            access.window(access.load(make.user("sysadmin").id), "cash")

        with transaction():
            row = access.grant(
                username="administrator", role=None, reports=["cash"], days_from=yesterday, days_to=yesterday,
                reason="Сверка", actor=director,
            )  # fmt: skip
        assert access.window(clerk, "cash", yesterday, yesterday).grant_id == row.id
        for user, report, first, last in (
            (other, "cash", yesterday, yesterday),
            (clerk, "patients", yesterday, yesterday),
            (clerk, "cash", yesterday - timedelta(days=1), yesterday),
        ):
            with pytest.raises(OutsideWindow):
                access.window(user, report, first, last)
        with transaction():
            access.revoke(row.id, actor=director)
        with pytest.raises(OutsideWindow):
            access.window(clerk, "cash", yesterday, yesterday)


def test_a_grant_to_the_role_and_its_term(fresh_app: Flask) -> None:
    with fresh_app.app_context():
        make = Maker()
        director, other = access.load(make.user("director").id), access.load(make.user("administrator2").id)
        long_ago = clock.today() - timedelta(days=400)
        with transaction():
            access.grant(
                username=None, role="administrator", reports=None, expires_at=clock.now() + timedelta(hours=1),
                reason="Ревизия", actor=director,
            )  # fmt: skip
        assert access.window(other, "services", long_ago, long_ago).grant_id
        assert access.window(other, "services", long_ago, clock.today()).grant_id
        with clock.at(clock.now() + timedelta(hours=2)), pytest.raises(OutsideWindow):
            access.window(other, "services", long_ago, long_ago)


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": None, "role": None},
        {"username": "administrator", "role": "administrator"},
        {"username": "nobody"},
        {"role": "director", "username": None},
        {"reports": []},
        {"reports": ["everything"]},
        {"reason": "  "},
    ],
)
def test_a_wrong_grant_says_what_is_wrong(make: Maker, wrong: dict) -> None:
    director = access.load(make.user("director").id)
    values = {"username": "administrator", "role": None, "reports": None, "reason": "Сверка", **wrong}
    with pytest.raises(Invalid) as refused:
        access.grant(**values, actor=director)
    assert refused.value.facts["fields"]


def test_a_module_that_is_off_has_no_rights() -> None:
    rights = access.effective_rights(frozenset({"director"}), {"task.work": True}, True, frozenset({"crm"}))
    assert not [right for right in rights if right.split(".")[0] in ("task", "waiting", "planned")]
    assert "schedule.book" in rights
