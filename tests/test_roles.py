"""Nobody gets through a door that is not his: every route is guarded, each role opens exactly its pages.

The URL map is walked, so a new page without a guard fails here.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.roles import RIGHTS, ROLES
from tests.conftest import make_app, sign_in

#: Open to everybody, with the reason why.
PUBLIC = {
    "static": "styles, scripts, pictures",
    "appbuilder.static": "styles and scripts of the framework",
    "SignInView.login": "the sign-in page",
    "SignInView.logout": "signing out",
    "SignInApi.login": "a token for a login and password",
    "CalendarView.calendar": "a doctor's calendar: the address itself is the secret",
    "ConfirmView.show": "the patient reads what the message said: first name, day and time; the address is the secret",
    "ConfirmView.answer": "the patient says whether he comes; once, and nothing else can be done there",
    "HealthApi.health": "whether the machine is well; tells nothing else",
    "OpenApi.get": "the description of the addresses",
    "SwaggerView.show": "the same, to read",
    "UtilView.back": "only leads back",
}
#: What a role does not get although it holds the right for what is its own: a drawer is nobody's own,
#: and neither is a card that nobody has started yet, or the sheet of a whole branch.
NOT_OWN = {
    ("doctor", "/api/v1/reports/cash"), ("doctor", "/reports/cash"), ("doctor", "/patients/new"),
    ("doctor", "/schedule/spare"), ("doctor", "/patients/twins"),
}  # fmt: skip


def rules(app: Flask) -> list[Rule]:
    return sorted(
        (rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC), key=lambda rule: rule.rule
    )


def right_of(app: Flask, rule: Rule) -> str | None:
    """The right that a route asks for (None: only a login). Fails when nobody guards it."""
    view: Any = app.view_functions[rule.endpoint]
    if hasattr(view, "right"):
        return view.right  # type: ignore[no-any-return]
    if getattr(view, "by_class", False):
        return view.__self__.right_of(view.__name__)  # type: ignore[no-any-return]
    raise AssertionError(f"{rule.rule} ({rule.endpoint}) is not guarded")


def address(rule: Rule, pk: int = 999999) -> str:
    values = {name: "ru" if name == "locale" else "2026-11-23" if name == "day" else str(pk) for name in rule.arguments}
    with SimpleAdapter(rule) as adapter:
        return adapter.build(rule.endpoint, values)  # type: ignore[no-any-return]


class SimpleAdapter:
    """An address of a rule with its arguments filled in."""

    def __init__(self, rule: Rule) -> None:
        self.map = rule.map

    def __enter__(self) -> Any:
        return self.map.bind("localhost", "/")

    def __exit__(self, *_: object) -> None:
        """Nothing to undo."""


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_every_route_is_guarded(app: Flask) -> None:
    for rule in rules(app):
        right = right_of(app, rule)
        assert right is None or right in RIGHTS, rule


def test_the_public_list_has_nothing_superfluous(app: Flask) -> None:
    assert set(PUBLIC) <= {rule.endpoint for rule in app.url_map.iter_rules()} | {"SignInApi.login"}


def test_outsiders_are_asked_to_sign_in(app: Flask) -> None:
    client = app.test_client()
    for rule in rules(app):
        for method in methods(rule):
            answer = client.open(address(rule), method=method)
            if rule.rule.startswith("/api/"):
                assert answer.status_code == 401, (method, rule.rule)
                assert answer.json["error"] == "unauthenticated"
            else:
                assert answer.status_code == 302 and answer.location.startswith("/login/"), (method, rule.rule)


@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_opens_exactly_its_pages(app: Flask, role: str) -> None:
    """Without the right: 403 whatever the method. With it: anything else, and never a fault of ours."""
    client = sign_in(app, role)
    with app.app_context():
        held = _held(role)
    for rule in rules(app):
        right = right_of(app, rule)
        for method in methods(rule):
            answer = client.open(address(rule), method=method, headers={"Accept": "*/*"})
            if right is not None and right not in held:
                assert answer.status_code == 403, (role, method, rule.rule, answer.status_code)
            else:
                assert answer.status_code < 500, (role, method, rule.rule, answer.status_code)
                if not rule.arguments and method == "GET" and (role, rule.rule.rstrip("/")) not in NOT_OWN:
                    assert answer.status_code not in (401, 403), (role, method, rule.rule)


def _held(role: str) -> set[str]:
    """The rights of a role by the table alone, as its account holds them now."""
    from sqlalchemy import select

    from app import access
    from app.db import session
    from app.models import User

    user = access.load(session.scalars(select(User.id).where(User.username == role)).one())
    assert user is not None
    by_table = {code for code, right in RIGHTS.items() if right.by_role[role] in ("yes", "own", "setting")}
    assert set(user.account.rights) == by_table  # a fresh clinic: nothing granted, the setting is on
    return by_table


def test_the_menu_shows_what_opens(app: Flask) -> None:
    import re

    for role in ROLES:
        client = sign_in(app, role)
        page = client.get("/me/password").text
        bar = page[page.index('class="bar-menu"') : page.index("bar-right")]
        for url in re.findall(r'href="(/[^"]*)"', bar):
            assert client.get(url).status_code == 200, (role, url)


@pytest.fixture(scope="module")
def strict(server: Any, template: str) -> Iterator[Any]:
    """The application as it is served: writes of a browser must carry the page's token."""
    import re
    from uuid import uuid4

    from tests.conftest import PASSWORD, _admin

    name = f"strict_{uuid4().hex[:8]}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    app = make_app(server(name), WTF_CSRF_ENABLED=True)
    client = app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login/").text)
    assert token is not None
    answer = client.post("/login/", data={"username": "director", "password": PASSWORD, "csrf_token": token[1]})
    assert answer.status_code == 302
    yield SimpleNamespace(app=app, client=client)
    with app.app_context():
        from app.db import db

        db.engine.dispose()


def test_writes_without_the_token_are_refused(strict: Any) -> None:
    for rule in rules(strict.app):
        for method in set(methods(rule)) & {"POST", "PATCH", "PUT", "DELETE"}:
            answer = strict.client.open(address(rule, pk=1), method=method, json={} if "/api/" in rule.rule else None)
            assert answer.status_code == 403, (method, rule.rule, answer.status_code)


def test_signing_in_needs_the_token(strict: Any) -> None:
    answer = strict.app.test_client().post("/login/", data={"username": "director", "password": "demo"})
    assert answer.status_code in (400, 403)


def test_a_form_sent_too_late_leads_back_to_its_page(strict: Any) -> None:
    """And who has been signed out meanwhile passes the sign-in on the way there."""
    late = strict.app.test_client()
    for address, page in (("/settlement/1/pay", "/settlement/1"), ("/patients/new", "/patients/new")):
        answer = late.post(address, data={"cash": "1"})
        assert answer.status_code == 403 and f'href="{page}"' in answer.text
        assert late.get(page).headers["Location"] == f"/login/?next={page}"


def test_a_program_with_a_token_needs_no_csrf(strict: Any) -> None:
    client = strict.app.test_client()
    login = {"username": "director", "password": "demo", "provider": "db"}
    token = client.post("/api/v1/security/login", json=login).json["access_token"]
    body = {"username": "senior", "reports": "all", "reason": "Проба"}
    answer = client.post("/api/v1/access-grants/", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 201


def test_a_browsers_write_with_the_token_goes_through(strict: Any) -> None:
    import re

    page = strict.client.get("/settings/").text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token is not None
    body = {"username": "senior", "reports": "all", "reason": "Проба"}
    answer = strict.client.post("/api/v1/access-grants/", json=body, headers={"X-CSRFToken": token[1]})
    assert answer.status_code == 201
