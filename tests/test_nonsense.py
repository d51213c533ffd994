"""Nobody gets a fault of ours, whatever is sent: every route, every field that a schema or a form names.

The URL map is walked, so a new address is tried as soon as it is there. One field at a time is nonsense, the others
are as a person would fill them in, so that the nonsense comes as far as it can.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from marshmallow import fields
from werkzeug.routing import Rule

from tests.conftest import Maker, _admin, make_app, sign_in

HUGE = 10**19
#: Values that somebody, a broken script or a bad person may send.
TEXTS = ["-1", str(HUGE), "1e400", "\x00", "%s%(x)s{0}", "9999-12-31", "\ud800"]
VALUES: list[Any] = [
    "-1",
    "\x00",
    "я" * 70_000,
    "9999-12-31",
    "\ud800",
    None,
    True,
    HUGE,
    float("inf"),
    {},
    [None],
    [{"a": []}],
]
#: What pages read from their address without a schema.
ASKED = (
    "day", "from", "to", "branch", "branch_id", "doctor", "doctor_id", "patient", "visit", "task", "order", "page",
    "page_size", "q", "by", "next", "status", "kind", "format", "weeks", "month", "id", "ids", "desk", "view",
)  # fmt: skip


@pytest.fixture(scope="module")
def clinic(server: Any, template: str) -> Iterator[Flask]:
    """A clinic where number 1 of most things is there."""
    name = f"nonsense_{uuid4().hex[:8]}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    app = make_app(server(name), PROPAGATE_EXCEPTIONS=False)
    with app.app_context():
        make = Maker()
        doctor = make.doctor()
        make.service()
        day = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        make.hours(doctor, day.date())
        for n in range(3):
            make.appointment(make.patient(), doctor, day + timedelta(hours=9 + n), branch_id=1)
    yield app
    with app.app_context():
        from app.db import db

        db.engine.dispose()


def routes(app: Flask) -> list[Rule]:
    skipped = ("static", "appbuilder.static", "SignInView.logout", "UtilView.back", "LocaleView.index")
    return sorted(
        (rule for rule in app.url_map.iter_rules() if rule.endpoint not in skipped), key=lambda rule: rule.rule
    )


def addresses(rule: Rule) -> list[str]:
    """The address with a real number, and with numbers and words that are nobody's."""
    made = []
    for pk, word in (("1", "patients"), (str(2**31), "%00"), (str(HUGE), "я" * 300)):
        made.append(re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda m: pk if m[1] == "int" else word, rule.rule))  # noqa: B023
    return made if rule.arguments else made[:1]


def usual(field: fields.Field) -> Any:
    """What a person would send in this field."""
    by_name = {
        "IdField": 1, "WholeField": 30, "TextField": "Проба", "DayField": "2030-01-07", "ClockField": "10:00",
        "WallTimeField": "2030-01-07T10:00", "WeekdaysField": [1, 2], "MoneyField": "10.00", "Boolean": True,
        "List": [], "Nested": {},
    }  # fmt: skip
    if getattr(field, "validate", None) is not None and hasattr(field.validate, "choices"):
        return next(iter(field.validate.choices))
    return by_name.get(type(field).__name__, "Проба")


def bodies(schema: Any) -> Iterator[Any]:
    given = schema().fields
    plain = {field.data_key or name: usual(field) for name, field in given.items()}
    yield plain
    for name in plain:
        for value in VALUES:
            yield {**plain, name: value}
    yield from ([], None, 1, "x", {"нет такого": 1}, {name: [] for name in plain})


def check(answer: Any, *about: Any) -> None:
    assert answer.status_code < 500, (*(str(part)[:200] for part in about), answer.status_code)


def test_addresses_with_nonsense(clinic: Flask) -> None:
    client = sign_in(clinic, "director")
    for rule in routes(clinic):
        if "GET" not in (rule.methods or ()):
            continue
        schema = getattr(clinic.view_functions[rule.endpoint], "query_schema", None)
        asked = [f.data_key or n for n, f in schema().fields.items()] if schema else list(ASKED)
        for address in addresses(rule):
            check(client.get(address), rule.rule)
        values = ["-1", str(HUGE), "\x00", "9999-12-31", "0001-01-01"]
        first = addresses(rule)[0]
        for value in values:
            if schema:
                for name in asked:
                    check(
                        client.get(first, query_string={name: value[:2000].replace("\ud800", "�")}),
                        rule.rule,
                        name,
                        value,
                    )
            else:
                check(client.get(first, query_string=dict.fromkeys(asked, value)), rule.rule, value)


def test_programs_with_nonsense(clinic: Flask) -> None:
    client = sign_in(clinic, "director")
    for rule in routes(clinic):
        schema = getattr(clinic.view_functions[rule.endpoint], "body_schema", None)
        for method in sorted({"POST", "PATCH", "PUT"} & set(rule.methods or ())) if schema else ():
            for address in addresses(rule):
                for body in bodies(schema) if address == addresses(rule)[0] else ({},):
                    check(client.open(address, method=method, json=body), method, rule.rule, body)
            check(
                client.open(addresses(rule)[0], method=method, data=b"\xff{", content_type="application/json"),
                rule.rule,
            )


def test_forms_with_nonsense(clinic: Flask) -> None:
    """The fields are those of the page at the same address, or of any form that leads there."""
    client = sign_in(clinic, "director")
    named: dict[str, set[str]] = {}
    for rule in routes(clinic):
        if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/"):
            page = client.get(addresses(rule)[0])
            if page.mimetype == "text/html":
                names = set(re.findall(r'<(?:input|select|textarea)\b[^>]*\bname="([^"]+)"', page.text))
                named[addresses(rule)[0].rstrip("/")] = names - {"csrf_token", "request_id"}
    everywhere = set().union(*named.values())
    for rule in routes(clinic):
        if "POST" not in (rule.methods or ()) or rule.rule.startswith("/api/"):
            continue
        for address in addresses(rule):
            own = named.get(address.rstrip("/"), set())
            for value in (str(HUGE), "\x00"):
                check(client.post(address, data=dict.fromkeys(own or everywhere, value)), rule.rule, value)
            for name in own:
                check(client.post(address, data={**dict.fromkeys(own, "1"), name: "-1\x00"}), rule.rule, name)
