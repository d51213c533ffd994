"""Logins, passwords, and who hands out what."""

from datetime import UTC, datetime, timedelta

import pytest

from app.errors import Invalid, NotAllowed
from app.roles import RIGHTS
from app.staff import rules


@pytest.mark.parametrize("text", ["", "ab", "иванова", "a b c", "-abc", "a" * 65, "ivan@ova", "ivanova\x00"])
def test_a_login_is_latin(text: str) -> None:
    with pytest.raises(Invalid):
        rules.username(text)


def test_a_login_is_small_letters() -> None:
    assert rules.username(" Ivanova.M ") == "ivanova.m"


@pytest.mark.parametrize("password", ["", "1234567", "a" * 300, "aaaaaaaaaa", "ivanova.m", "IVANOVA.M", "abc\x00defgh"])
def test_weak_passwords(password: str) -> None:
    with pytest.raises(Invalid):
        rules.check_password(password, "ivanova.m")


def test_a_good_password() -> None:
    rules.check_password("зимний сад 7", "ivanova")


def test_only_a_director_makes_a_director() -> None:
    rules.check_may_hand(["director"], by=["director"])
    rules.check_may_hand(["senior"], by=["sysadmin"])
    with pytest.raises(NotAllowed):
        rules.check_may_hand(["senior", "director"], by=["sysadmin"])


def test_roles_exist() -> None:
    for roles in ([], ["owner"], ["senior", "owner"]):
        with pytest.raises(Invalid):
            rules.check_roles(roles)


def test_every_right_has_a_group() -> None:
    assert {code.split(".")[0] for code in RIGHTS} <= set(rules.ROOMS)


def test_the_strongest_share_counts() -> None:
    assert rules.strongest(["no", "own", "grant"]) == "own"
    assert rules.strongest([]) == "no"


def test_grant_status() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert rules.grant_status(None, None, now) == "open"
    assert rules.grant_status(None, now + hour, now) == "open"
    assert rules.grant_status(None, now, now) == "expired"
    assert rules.grant_status(now, now + hour, now) == "revoked"
