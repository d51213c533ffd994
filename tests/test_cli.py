"""Founding a clinic of one's own from the command line."""

from collections.abc import Callable
from uuid import uuid4

from flask import Flask

from tests.conftest import _admin, make_app

ANSWERS = ["init", "--clinic", "Моя клиника", "--surname", "Иванова", "--name", "Мария", "--login", "maria"]


def test_a_clinic_of_ones_own(server: Callable[[str], str]) -> None:
    """One login, the director's, with the password that was typed; no demo; not twice over the same database."""
    from app.db import db, session
    from app.models import CancelReason, CashDesk, LegalEntity, Patient, User

    name = f"own_{uuid4().hex[:8]}"
    _admin(server, f"CREATE DATABASE {name}")
    app: Flask = make_app(server(name))
    runner = app.test_cli_runner()
    short = runner.invoke(args=[*ANSWERS, "--password", "korotk"])
    assert short.exit_code == 1 and "короче 8" in short.output
    done = runner.invoke(args=[*ANSWERS, "--password", "dlinnyj-parol"])
    assert done.exit_code == 0, done.output
    again = runner.invoke(args=[*ANSWERS, "--password", "dlinnyj-parol"])
    assert again.exit_code == 1 and "уже есть клиника" in again.output
    with app.app_context():
        assert [user.username for user in session.query(User)] == ["maria"]
        assert session.query(Patient).count() == 0 and session.query(CashDesk).count() == 2
        # A visit is cancelled with a reason from the list, and who books may not add to it.
        assert "Заболел" in [reason.name for reason in session.query(CancelReason)]
        # The contract says who signs it.
        assert [(one.director_post, one.director_name) for one in session.query(LegalEntity)] == [
            ("Директор", "Иванова Мария")
        ]
    client = app.test_client()
    assert client.post("/login/", data={"username": "maria", "password": "dlinnyj-parol"}).status_code == 302
    for page in ("/schedule/", "/patients/", "/cash/", "/settlement/", "/reports/cash", "/access/rights"):
        assert client.get(page, follow_redirects=True).status_code == 200, page
    with app.app_context():
        db.engine.dispose()
