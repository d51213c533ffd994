"""The day of `a_day.py` on a database of its own, made once for all tests of the reports."""

import pytest

from tests.conftest import Maker, Program, copied, sign_in
from tests.reports.a_day import make_day


@pytest.fixture(scope="session")
def day_app(server, template):
    """The application on the database of the day; grants may be added, figures never change."""
    from app.db import db

    with copied(server, template) as application:
        with application.app_context():
            application.extensions["the_day"] = make_day(Maker())
            db.session.expunge_all()
            db.session.remove()
        yield application


@pytest.fixture
def whole(day_app):
    """What the day was made of, inside an application context."""
    with day_app.app_context():
        yield day_app.extensions["the_day"]


@pytest.fixture
def browser_of(day_app):
    return lambda username: sign_in(day_app, username)


@pytest.fixture
def program_of(day_app):
    return lambda username: Program(day_app, username)
