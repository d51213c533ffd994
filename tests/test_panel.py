"""Every generated page opens, sorts, searches, pages, and takes nonsense; no whole large table reaches a page."""

import pytest
from flask import Flask
from sqlalchemy import text

from app import clock
from app.db import session, transaction
from app.models import Branch, LegalEntity, ServiceCategory, Speciality
from app.panels import LARGEST_PAGE, PanelView, ReadOnlyPanel
from tests.conftest import counted_statements, sign_in

ROWS = 400
# fmt: off
NONSENSE = (
    "abc", "-1", "0", "99999999999999999999", "NaN", "1e400", "2026-13-45", "0001-01-01", "9999-12-31", "'", '"><u>',
    "\x00", "%", "_", "\\", "я" * 5000, "y", "n",
)
# fmt: on


@pytest.fixture(scope="module")
def panels(app: Flask) -> list[PanelView]:
    return [view for view in app.extensions["appbuilder"].baseviews if isinstance(view, PanelView)]


FULL = """
INSERT INTO patient (surname, name, patronymic, status, address, identity_text, allergy, comment, archive_reason)
SELECT 'Панельный' || n, 'Иван', 'Ильич', 'active', '', '', '', '', '' FROM generate_series(1, :n) n;

INSERT INTO service_category (name) VALUES ('Панель');
INSERT INTO service (code, name, category_id, minutes)
SELECT 'PAN' || n, 'Услуга ' || n, (SELECT id FROM service_category WHERE name = 'Панель'), 30
FROM generate_series(1, :n) n;
INSERT INTO service_price (service_id, valid_from, price)
SELECT id, DATE '2020-01-01', 100 FROM service WHERE code LIKE 'PAN%';

INSERT INTO audit_event (at, user_id, action, object_type, object_id, before, after)
SELECT now(), 1, 'card.changed', 'patient', n, json_build_object('name', 'a'), json_build_object('name', NULL)
FROM generate_series(1, :n) n;

INSERT INTO appointment (patient_id, doctor_id, branch_id, starts_at, ends_at, status, confirmation, first_visit,
    comment, overbooked, overbook_reason, outside_hours_reason, cancel_comment)
SELECT (SELECT max(id) FROM patient) - n, 3, 1, start + n * interval '1 day' + interval '10 h',
    start + n * interval '1 day' + interval '11 h', 'booked', 'not_notified', false, '', false, '', '', ''
FROM generate_series(1, 200) n, (SELECT current_date + 100 AS start) s;

INSERT INTO outbox_message (kind, patient_id, appointment_id, planned_time, phone, body, status, due_at, sent_at, error)
SELECT 'reminder', patient_id, id, starts_at, '+79160000000', 'Ждём вас', 'sent', starts_at, now(), ''
FROM appointment WHERE starts_at > current_date + 100
"""


@pytest.fixture(scope="module")
def full(app: Flask) -> None:
    """A clinic with more rows than a page can hold, put in past the rules."""
    with app.app_context(), transaction():
        for statement in FULL.split(";"):
            session.execute(text(statement), {"n": ROWS} if ":n" in statement else {})


def test_there_are_panels(panels: list[PanelView]) -> None:
    names = {type(panel).__name__ for panel in panels}
    assert {"BranchPanel", "LegalEntityPanel", "ChairPanel", "SpecialityPanel", "EmployeePanel", "AuditPanel"} <= names
    assert {"MessageTemplatePanel", "OutboxPanel"} <= names


def test_every_panel_is_configured_by_hand(panels: list[PanelView]) -> None:
    """Search, list and labels are named in the class: the framework's guesses are English and load whole tables."""
    for panel in panels:
        kind = type(panel)
        for name in ("search_columns", "list_columns", "show_columns", "label_columns"):
            assert any(name in vars(c) for c in kind.__mro__ if c not in PanelView.__mro__ or c is PanelView), (
                kind,
                name,
            )
        assert not isinstance(panel.list_title, str) and not isinstance(panel.show_title, str), kind
        shown = {*panel.list_columns, *panel.show_columns, *panel.search_columns}
        if "add" in panel.include_route_methods:
            shown |= set(panel.add_columns)
        if "edit" in panel.include_route_methods:
            shown |= set(panel.edit_columns)
        for column in shown:
            label = panel.label_columns.get(column)
            assert label is not None and not isinstance(label, str), (kind.__name__, column)
        assert set(panel.order_columns) <= set(panel.datamodel.list_columns), kind


def test_an_empty_list_says_where_its_rows_come_from(panels: list[PanelView]) -> None:
    for panel in panels:
        if isinstance(panel, ReadOnlyPanel):
            assert panel.nothing != PanelView.nothing, type(panel).__name__


def list_of(panel: PanelView) -> str:
    return f"{panel.route_base}/list/"


def test_lists_are_small_and_take_few_statements(app: Flask, full: None, panels: list[PanelView]) -> None:
    client = sign_in(app, "director")
    for panel in panels:
        if "list" not in panel.include_route_methods:
            continue
        client.get(list_of(panel))
        with counted_statements(app) as statements:
            page = client.get(list_of(panel))
        name = type(panel).__name__
        assert page.status_code == 200, name
        assert len(statements) <= 12, (name, len(statements), statements)
        assert page.text.count("<option") <= 250, name
        assert len(page.data) < 100_000, (name, len(page.data))
        assert page.text.count("<tr") <= panel.page_size + 2, name
        for leftover in ("Record Count", "Add Filter", "Search<", "None</td>", "True</td>", "False</td>"):
            assert leftover not in page.text, (name, leftover)


def test_forms_are_small(app: Flask, full: None, panels: list[PanelView]) -> None:
    client = sign_in(app, "director")
    with app.app_context():
        # the run's own clinic has hundreds of branches and employees, a real one has a few
        few = sum(session.query(small).count() for small in (LegalEntity, Branch, Speciality, ServiceCategory))
    for panel in panels:
        for method in ("add", "edit"):
            if method not in panel.include_route_methods:
                continue
            address = f"{panel.route_base}/{method}" + (f"/{_some(app, panel)}" if method == "edit" else "")
            if address.endswith("None"):
                continue
            with counted_statements(app) as statements:
                page = client.get(address)
            assert page.status_code == 200, address
            assert len(statements) <= 12, (address, statements)
            assert page.text.count("<option") <= few + 100, address  # small directories in whole, large tables never
            assert len(page.data) < 100_000, address


def _some(app: Flask, panel: PanelView) -> int | None:
    with app.app_context():
        return session.query(panel.datamodel.obj.id).order_by(panel.datamodel.obj.id.desc()).limit(1).scalar()


def test_every_row_can_be_looked_at(app: Flask, full: None, panels: list[PanelView]) -> None:
    client = sign_in(app, "director")
    for panel in panels:
        if "show" not in panel.include_route_methods:
            continue
        pk = _some(app, panel)
        if pk is not None:
            page = client.get(f"{panel.route_base}/show/{pk}")
            assert page.status_code == 200, type(panel)
            assert ">None<" not in page.text and ">True<" not in page.text and ">False<" not in page.text, type(panel)
        for unknown in ("999999", "abc", "0", "-1", "99999999999999999999", "1.5"):
            assert client.get(f"{panel.route_base}/show/{unknown}").status_code == 404, type(panel)


def test_every_column_sorts(app: Flask, full: None, panels: list[PanelView]) -> None:
    client = sign_in(app, "director")
    for panel in panels:
        name = type(panel).__name__
        asked = [(column, direction) for column in panel.order_columns for direction in ("asc", "desc")]
        for column, direction in [*asked, ("no_such", "asc"), ("id; DROP TABLE patient", "sideways"), ("", "")]:
            page = client.get(list_of(panel), query_string={f"_oc_{name}": column, f"_od_{name}": direction})
            assert page.status_code == 200, (name, column)


def test_searches_take_nonsense(app: Flask, full: None, panels: list[PanelView]) -> None:
    client = sign_in(app, "director")
    for panel in panels:
        columns = (*panel.search_columns, "no_such", "id")
        for value in NONSENSE:
            query = {f"_flt_{digit}_{column}": value for column in columns for digit in (0, 9)}
            page = client.get(list_of(panel), query_string=query)
            assert page.status_code == 200, (type(panel).__name__, value[:20])
            assert '"><u>' not in page.text
        for column in columns:
            assert client.get(list_of(panel), query_string={f"_flt_0_{column}": "1"}).status_code == 200


def test_paging_takes_nonsense(app: Flask, full: None, panels: list[PanelView]) -> None:
    client = sign_in(app, "director")
    for panel in panels:
        name = type(panel).__name__
        for value in ("abc", "-1", "7", "999999999", "99999999999999999999", "\x00", "²"):
            page = client.get(list_of(panel), query_string={f"page_{name}": value, f"psize_{name}": value})
            assert page.status_code == 200, (name, value)
            assert page.text.count("<tr") <= LARGEST_PAGE + 2, (name, value)


def test_searching_finds(app: Flask, full: None) -> None:
    client = sign_in(app, "director")
    found = client.get("/branches/list/?_flt_0_name=тверск").text
    assert "На Тверской" in found
    assert "На Тверской" not in client.get("/branches/list/?_flt_0_name=нет такого").text
    assert "На Тверской" not in client.get("/branches/list/?_flt_0_archived=y").text
    assert "На Тверской" in client.get("/branches/list/?_flt_0_archived=n&_flt_0_legal_entity=1").text
    assert client.post("/chairs/add", data={"name": "Зелёное кресло", "branch": 1}).status_code == 302
    for typed in ("зеленое", "ЗЕЛЁНОЕ"):  # nobody types ё
        assert "Зелёное кресло" in client.get(f"/chairs/list/?_flt_0_name={typed}").text, typed
    today = clock.today().isoformat()
    assert "rows: " in (page := client.get(f"/audit/list/?_flt_0_at={today}&_flt_0_action=card.changed").text) or page
    assert client.get("/audit/list/?_flt_0_at=1999-01-01").text.count("<tr") == 0


# --- changing -----------------------------------------------------------------------------------------


def test_add_change_remove(app: Flask, context: None) -> None:
    from sqlalchemy import select

    from app.models import AuditEvent, Speciality

    client = sign_in(app, "director")
    added = client.post("/specialities/add", data={"name": "  Ортодонт панельный "})
    assert added.status_code == 302 and added.location == "/specialities/list/"
    row = session.scalars(select(Speciality).where(Speciality.name == "Ортодонт панельный")).one()
    pk = row.id
    assert (
        client.post(f"/specialities/edit/{pk}", data={"name": "Ортодонт-панелист", "archived": "y"}).status_code == 302
    )
    session.refresh(row)
    assert (row.name, row.archived) == ("Ортодонт-панелист", True)
    assert client.get(f"/specialities/delete/{pk}").status_code == 405
    assert client.post(f"/specialities/delete/{pk}").status_code == 302
    session.rollback()
    assert session.get(Speciality, pk) is None
    deeds = session.scalars(
        select(AuditEvent.action)
        .where(AuditEvent.object_type == "speciality", AuditEvent.object_id == pk)
        .order_by(AuditEvent.id)
    ).all()
    assert deeds == ["directory.added", "directory.changed", "directory.removed"]


def test_what_is_used_stays(app: Flask) -> None:
    answer = sign_in(app, "director").post("/branches/delete/1", follow_redirects=True)
    assert answer.status_code == 200 and "alert-danger" in answer.text
    assert "На Тверской" in answer.text


@pytest.mark.parametrize(
    "form",
    [
        {}, {"name": ""}, {"name": "   "}, {"name": "x" * 201}, {"name": "x" * 10**6}, {"name": "a\x00b"},
        {"name": "a\x07b"},
        {"name": "Кресло", "branch": "999999"}, {"name": "Кресло", "branch": "abc"}, {"name": "Кресло", "branch": "-1"},
        {"name": "Кресло", "branch": "99999999999999999999"}, {"name": "Кресло 1", "branch": "1"},
    ],
)  # fmt: skip
def test_bad_input_comes_back_with_a_sentence(app: Flask, form: dict[str, str], context: None) -> None:
    from sqlalchemy import func, select

    from app.models import Chair

    before = session.scalar(select(func.count()).select_from(Chair))
    session.rollback()
    client = sign_in(app, "director")
    answer = client.post("/chairs/add", data=form)
    assert answer.status_code == 422, answer.status_code
    assert "alert-danger" in answer.text
    if form.get("name") == "Кресло":
        assert 'value="Кресло"' in answer.text
    assert session.scalar(select(func.count()).select_from(Chair)) == before


def test_html_is_only_text(app: Flask) -> None:
    client = sign_in(app, "director")
    assert client.post("/specialities/add", data={"name": "<script>alert(1)</script>"}).status_code == 302
    page = client.get("/specialities/list/?_flt_0_name=script").text
    assert "&lt;script&gt;alert" in page and "<script>alert" not in page


def test_message_templates_know_their_fields(app: Flask, context: None) -> None:
    from sqlalchemy import select

    from app.messages import operations
    from app.models import MessageTemplate

    with transaction():
        operations.add_first_templates()
    row = session.scalars(select(MessageTemplate).where(MessageTemplate.kind == "booked")).one()
    pk, body = row.id, row.body
    client = sign_in(app, "director")
    for wrong in ("", "{patient}: {diagnosis}", "x" * 1001, "{}"):
        answer = client.post(f"/message-templates/edit/{pk}", data={"name": "Запись", "body": wrong})
        assert answer.status_code == 422 and "field-error" in answer.text, wrong[:20]
    session.rollback()
    assert session.get_one(MessageTemplate, pk).body == body
    assert (
        client.post(f"/message-templates/edit/{pk}", data={"name": "Запись", "body": "{patient}, ждём!"}).status_code
        == 302
    )
    assert client.post(f"/message-templates/edit/{pk}", data={"name": "Запись", "body": body}).status_code == 302


def test_who_may_only_look(app: Flask) -> None:
    client = sign_in(app, "administrator")
    page = client.get("/branches/list/")
    assert page.status_code == 200 and "/branches/add" not in page.text and "/branches/edit" not in page.text
    assert client.post("/branches/add", data={"name": "Мой"}).status_code == 403
    assert client.post("/branches/edit/1", data={"name": "Мой"}).status_code == 403
    assert client.post("/branches/delete/1").status_code == 403
