"""Guessing passwords from one place: a few desks behind one router, not a program."""

import threading
from typing import Any

import pytest

from app import brakes
from config import limits_storage
from tests.conftest import PASSWORD, copied


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


def test_many_at_once_get_no_more_guesses_than_one_after_another(server: Any, template: str, broker_url: str) -> None:
    """Twenty programs of one place send a wrong password in the same moment, when five guesses are left."""
    left, many = 5, 20
    with copied(server, template, RATELIMIT_STORAGE_URI=limits_storage(broker_url)) as app:

        def sign_in(username: str, password: str, place: str) -> int:
            given = {"username": username, "password": password}
            where = {"REMOTE_ADDR": place}
            return int(app.test_client().post("/login/", data=given, environ_base=where).status_code)

        for number in range(brakes.GUESSES_OF_PLACE.amount - left):
            assert sign_in(f"nobody{number}", "wrong", "203.0.113.7") == 401
        # nobody hears of the password before all have either been refused or come so far as to have it looked at
        counted, all_here = threading.Semaphore(0), threading.Event()
        manager = app.appbuilder.sm
        looked_at: list[str] = []
        said: list[int] = []
        look = manager.auth_user_db

        def slowly(username: str, password: str) -> Any:
            looked_at.append(username)
            counted.release()
            all_here.wait()
            return look(username, password)

        def guess(number: int) -> None:
            said.append(sign_in(f"guessed{number}", "wrong", "203.0.113.7"))
            if said[-1] == 429:
                counted.release()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(manager, "auth_user_db", slowly)
            threads = [threading.Thread(target=guess, args=(number,)) for number in range(many)]
            for thread in threads:
                thread.start()
            for _ in threads:
                counted.acquire()
            all_here.set()
            for thread in threads:
                thread.join()
            assert sign_in("director", PASSWORD, "203.0.113.8") == 302  # somebody else, elsewhere
        assert len(looked_at) - 1 == left
        assert sorted(said) == [401] * left + [429] * (many - left)
