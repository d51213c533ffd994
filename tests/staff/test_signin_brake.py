"""Guessing passwords from one place: a few desks behind one router, not a program."""

from typing import Any

import pytest

from app import brakes
from tests.conftest import PASSWORD


@pytest.mark.parametrize("by", ["page", "program"])
def test_one_place_has_so_many_wrong_passwords_a_minute_for_all_logins(fresh_app: Any, by: str) -> None:
    client = fresh_app.test_client()

    def sign_in(username: str, password: str, place: str = "203.0.113.7") -> int:
        given, where = {"username": username, "password": password}, {"REMOTE_ADDR": place}
        if by == "page":
            return int(client.post("/login/", data=given, environ_base=where).status_code)
        return int(client.post("/api/v1/security/login", json=given, environ_base=where).status_code)

    many = brakes.GUESSES_OF_PLACE.amount
    assert {sign_in(f"nobody{number}", "wrong") for number in range(many)} == {401}
    assert sign_in("nobody", "wrong") == 429
    assert sign_in("director", PASSWORD) == 429  # else a guess that is right would be known
    assert sign_in("nobody", "wrong", "203.0.113.8") == 401  # another place is another clinic


def test_whoever_knows_the_password_is_not_counted(fresh_app: Any) -> None:
    client = fresh_app.test_client()
    for _ in range(brakes.GUESSES_OF_PLACE.amount + 1):
        assert client.post("/login/", data={"username": "director", "password": PASSWORD}).status_code == 302
        client.get("/logout/")
