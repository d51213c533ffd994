"""Today only, on every way to a figure: page, print, file, drill-down, JSON. Grants open, revoked ones close."""

import csv
import io
import re
from datetime import date, datetime, timedelta
from decimal import Decimal as D
from html import unescape

import openpyxl
import pypdf
import pytest

from app import access, clock, pdf
from app.cash import operations as cash
from app.db import session, transaction
from app.errors import OutsideWindow
from app.models import AuditEvent, Branch, CashDesk, User
from app.reports import files, queries
from tests.reports.a_day import AFTER, BEFORE, DAY, at, user

KINDS = ["patients", "bills-payments", "services", "cash"]
EVENING = (DAY, 21)
YESTERDAY = BEFORE.date().isoformat()
TODAY = DAY.date().isoformat()
DRILLS = {
    "patients": ["status=came", "first=true", "money=billed", "doctor=1"],
    "bills-payments": [
        "block=bill",
        "block=payment&method=cash",
        "show=debt_start",
        "show=debt_end",
        "show=advance_start",
        "show=used",
    ],
    "services": ["show=lines", "show=drafts", "show=taken_back", "service=1", "doctor=1", "category=1"],
    "cash": ["show=operations", "desk=1", "way=in", "kind=withdrawal", "method=card", "category=1", "shift=1"],
}
WAYS = ["", "print=true", "format=xlsx", "format=csv", "format=pdf", "page=1"]


def grant(**values):
    with transaction():
        values = {"username": None, "role": None, "reports": None, "reason": "Проверка", **values}
        return access.grant(**values, actor=user("director")).id


def paths(kind, days):
    yield from (f"/reports/{kind}?{days}&{way}" for way in WAYS)
    yield from (
        f"/reports/{kind}?{days}&{drill}&{way}" for drill in DRILLS[kind] for way in ("", "format=csv", "print=true")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_administrator_sees_today_only(whole, browser_of, program_of, kind):
    with at(*EVENING):
        browser, program = browser_of("administrator"), program_of("administrator")
        for path in paths(kind, f"from={TODAY}&to={TODAY}"):
            assert browser.get(path).status_code == 200, path
        for days in (
            f"from={YESTERDAY}&to={YESTERDAY}",
            f"from={YESTERDAY}&to={TODAY}",
            f"from={TODAY}&to={AFTER.date()}",
            f"to={YESTERDAY}",
            "from=1900-01-01&to=2200-12-31",
        ):
            for path in paths(kind, days):
                answer = browser.get(path)
                assert answer.status_code == 403, path
                assert answer.mimetype == "text/html" and "23.11.2026" in answer.text
                assert "3\u202f350,00" not in answer.text and "2\u202f000,00" not in answer.text
            for form in ("", "&format=xlsx", "&format=csv", "&format=pdf"):
                answer = program.get(f"reports/{kind}?{days}{form}")
                assert (answer.status_code, answer.json["error"]) == (403, "outside_window")
                assert answer.json["allowed"] == {"from": TODAY, "to": TODAY}


def test_a_refusal_keeps_what_was_typed_and_says_whom_to_ask(whole, browser_of):
    with at(*EVENING):
        page = unescape(browser_of("administrator").get(f"/reports/services?from={YESTERDAY}&to={TODAY}").text)
    assert f'value="{YESTERDAY}"' in page and "Сотрудник4 Имя" in page


@pytest.mark.parametrize("kind", KINDS)
def test_the_director_sees_any_day(whole, browser_of, program_of, kind):
    with at(*EVENING):
        browser, program = browser_of("director"), program_of("director")
        days = f"from={YESTERDAY}&to={AFTER.date()}"
        for path in paths(kind, days):
            assert browser.get(path).status_code == 200, path
        answer = program.get(f"reports/{kind}?{days}")
        assert set(answer.json) == {"window", "rows", "totals"}
        assert answer.json["window"] == {"from": YESTERDAY, "to": AFTER.date().isoformat()}


def test_a_grant_opens_and_its_end_closes_at_once(whole, browser_of, program_of):
    with at(*EVENING):
        browser, program = browser_of("administrator"), program_of("administrator")
        page, address = (
            f"/reports/services?from={YESTERDAY}&to={TODAY}",
            f"reports/services?from={YESTERDAY}&to={TODAY}",
        )
        number = grant(username="administrator", reports=["services"], days_from=BEFORE.date())
        assert browser.get(page).status_code == 200 and program.get(address).status_code == 200
        assert browser.get(f"{page}&format=xlsx").status_code == 200
        # another report, another account, an earlier day
        assert browser.get(f"/reports/cash?from={YESTERDAY}").status_code == 403
        assert browser_of("administrator2").get(page).status_code == 403
        refused = program.get("reports/services?from=2026-11-01&to=2026-11-22")
        assert refused.json["allowed"] == {"from": YESTERDAY, "to": TODAY}
        opened = (
            session.query(AuditEvent).filter_by(action="report.opened", object_id=number).order_by(AuditEvent.id).all()
        )
        assert [(e.after["as"], e.after["report"], e.after["from"]) for e in opened] == [
            ("page", "services", YESTERDAY),
            ("json", "services", YESTERDAY),
            ("xlsx", "services", YESTERDAY),
        ]
        with transaction():
            access.revoke(number, actor=user("director"))
        assert browser.get(page).status_code == 403 and program.get(address).status_code == 403
        assert browser.get(f"{page}&format=pdf").status_code == 403


def test_a_grant_to_all_administrators_and_its_term(whole, browser_of):
    with at(*EVENING):
        number = grant(role="administrator", expires_at=clock.now() + timedelta(minutes=30))
        page = f"/reports/cash?from={YESTERDAY}&to={YESTERDAY}"
        first, second = browser_of("administrator"), browser_of("administrator2")
        assert first.get(page).status_code == 200 == second.get(page).status_code
        assert browser_of("senior").get(page).status_code == 403
    with at(DAY, 21, 31):
        assert first.get(page).status_code == 403 == second.get(page).status_code
    with at(*EVENING), transaction():
        access.revoke(number, actor=user("director"))


def test_today_never_bridges_days_that_no_grant_opens(whole):
    """A grant for a few days of the past and today do not open what lies between."""
    with at(*EVENING):
        admin = user("administrator")
        number = grant(username="administrator", days_from=date(2026, 11, 1), days_to=date(2026, 11, 10))
        assert access.window(admin, "cash", date(2026, 11, 2), date(2026, 11, 10)).grant_id == number
        with pytest.raises(OutsideWindow):
            access.window(admin, "cash", date(2026, 11, 5), DAY.date())
        with transaction():
            access.revoke(number, actor=user("director"))
        number = grant(username="administrator", days_from=date(2026, 11, 20), days_to=BEFORE.date())
        assert access.window(admin, "cash", date(2026, 11, 20), DAY.date()).grant_id == number
        with transaction():
            access.revoke(number, actor=user("director"))


def test_who_may_not_see_reports(whole, browser_of, program_of, day_app):
    with at(*EVENING):
        for kind in KINDS:
            assert browser_of("sysadmin").get(f"/reports/{kind}").status_code == 403
            assert program_of("sysadmin").get(f"reports/{kind}").status_code == 403
            assert day_app.test_client().get(f"/reports/{kind}").status_code == 302
            assert day_app.test_client().get(f"/api/v1/reports/{kind}").status_code == 401


def test_a_doctor_sees_own_figures_of_today(whole, browser_of, program_of):
    with at(*EVENING):
        browser, program = browser_of("doctor"), program_of("doctor")
        assert browser.get("/reports/cash").status_code == 403 and program.get("reports/cash").status_code == 403
        assert browser.get("/reports/cash?show=operations&format=csv").status_code == 403
        assert "/reports/cash" not in browser.get("/reports/patients").text
        assert browser.get(f"/reports/services?from={YESTERDAY}").status_code == 403
        services = program.get("reports/services").json
        assert services["totals"]["net"] == "3350.00" and {r["doctor_id"] for r in services["rows"]} == {whole.own.id}
        bills = program.get("reports/bills-payments").json
        assert bills["totals"]["billed"] == "3350.00" and "by_method" not in bills["totals"]
        assert {row["patient"] for row in program.get("reports/patients").json["rows"]} == {
            "Аннина И. П.",
            "Верина И. П.",
        }
        page = browser.get(f"/reports/services?doctor={whole.other.id}").text
        assert "Борисов" not in page
        for drill in DRILLS["bills-payments"]:
            assert "Борисов" not in browser.get(f"/reports/bills-payments?{drill}").text, drill
            assert browser.get(f"/reports/bills-payments?{drill}&format=csv").status_code == 200
        assert "Борисов" not in browser.get(f"/reports/patients?doctor={whole.other.id}").text


def test_every_link_of_a_page_opens(whole, browser_of):
    with at(*EVENING):
        browser = browser_of("director")
        seen = set()
        for kind in KINDS:
            page = browser.get(f"/reports/{kind}?from={TODAY}&to={TODAY}").text
            for href in {unescape(h) for h in re.findall(r'href="(/reports/[^"]*|/documents/[^"]*)"', page)} - seen:
                seen.add(href)
                assert browser.get(href).status_code in (200, 302), href
    assert len(seen) > 50


def test_drill_down_makes_the_figure(whole, browser_of):
    with at(*EVENING):
        browser = browser_of("director")
        for path, figure in (
            (f"services?service={whole.hygiene.id}", "3\u202f000,00"),
            ("bills-payments?block=payment&method=cash", "2\u202f600,10"),
            ("bills-payments?show=debt_end", "7\u202f249,70"),
            ("cash?way=out", "3\u202f815,10"),
            ("patients?money=debt", "7\u202f249,70"),
        ):
            assert figure in browser.get(f"/reports/{path}").text, path


def test_json_is_what_the_contract_says(whole, program_of):
    with at(*EVENING):
        program = program_of("administrator")
        answer = program.get("reports/bills-payments").json
        assert set(answer) == {"window", "rows", "totals"} and answer["window"] == {"from": TODAY, "to": TODAY}
        assert answer["totals"]["debt_end"] == "7249.70" and answer["rows"][0]["amount"] == "3350.00"
        part = program.get("reports/bills-payments?page=1&page_size=2").json
        assert part["totals"] == answer["totals"] and part["rows"] == answer["rows"][2:4]
        assert program.get("reports/services").json["totals"]["billed"] == "9150.00"
        assert program.get(f"reports/cash?branch_id={whole.branch.id}").json["totals"]["in"] == "18655.30"


BAD = [
    "from=yesterday",
    "from=2026-13-45",
    "to=0001-01-01",
    "from=" + "9" * 5000,
    "branch_id=abc",
    "branch_id=-1",
    "branch_id=99999999999",
    "branch_id=1999999999",
    "from=2026-11-23&to=2026-11-22",
    "format=exe",
    "page=-1",
    "page=x",
    "page_size=0",
    "nonsense=1",
    "from=%00",
    "branch_id=%F0%9F%A6%B7",
    "from=2026-11-23T10:00",
]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_a_sentence(whole, browser_of, program_of, kind):
    with at(*EVENING):
        browser, program = browser_of("director"), program_of("director")
        for query in BAD:
            answer = program.get(f"reports/{kind}?{query}")
            assert answer.status_code == 422 and answer.json["error"] == "invalid", query
            assert browser.get(f"/reports/{kind}?{query}").status_code == 422, query
        for query in (
            "status=x",
            "money=secret",
            "show=x",
            "doctor=abc",
            "desk=abc",
            "way=x",
            "block='",
            "method=gold",
            "first=maybe",
            "kind=x",
            "service=1e9",
            "category=NaN",
            "print=maybe",
        ):
            assert browser.get(f"/reports/{kind}?{query}").status_code == 422, query
        page = browser.get(f"/reports/{kind}?from=2026-11-20&to=вчера").text
        assert 'value="2026-11-20"' in page and 'value="вчера"' in unescape(page)


# --- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_files_hold_what_the_page_shows(whole, browser_of, program_of, kind):
    with at(*EVENING):
        browser = browser_of("director")
        xlsx = browser.get(f"/reports/{kind}?format=xlsx")
        assert xlsx.headers["Content-Disposition"] == f'attachment; filename="{kind}_2026-11-23.xlsx"'
        book = openpyxl.load_workbook(io.BytesIO(xlsx.data))
        assert len(book.sheetnames) >= 2
        numbers = [
            cell
            for page in book
            for row in page.iter_rows(values_only=True)
            for cell in row
            if isinstance(cell, int | float)
        ]
        assert numbers and not [c for page in book for row in page.iter_rows() for c in row if c.data_type == "f"]
        text = browser.get(f"/reports/{kind}?format=csv").data
        assert text.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter=";"))
        assert any("Аннина И. П." in row for row in rows) or kind == "services"
        made = browser.get(f"/reports/{kind}?format=pdf").data
        words = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
        assert not pdf.lost_letters(made) and ("Аннина" in words or kind == "services") and "23.11.2026" in words
        same = program_of("director").get(f"reports/{kind}?format=csv").data
        assert same == text


def test_money_into_the_bank_is_no_outgoing_order(whole, browser_of):
    with at(*EVENING):
        text = browser_of("director").get("/reports/cash?method=card&format=csv").data.decode("utf-8-sig")
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=";") if "Аннина И. П." in row]
    assert rows and all(row[1].startswith("приход ") for row in rows)


def test_desks_of_one_name_are_told_apart_by_their_branches(make, client_of):
    branches = [make.branch(), make.branch()]
    named = {branch.id: session.get_one(Branch, branch.id).name for branch in branches}
    with clock.at(datetime(2034, 5, 5, 12)):
        for branch in branches:
            with transaction():
                cash.open_shift(branch.desk_id, D(0), actor=user("administrator"))
                cash.move(branch.desk_id, "pay_in", D(10), actor=user("administrator"))
                desk = session.get_one(CashDesk, branch.desk_id).name
        browser = client_of("administrator")
        page = unescape(browser.get("/reports/cash").text)
        alone = unescape(browser.get(f"/reports/cash?branch_id={branches[0].id}&show=operations").text)
    for branch in branches:
        assert f"{named[branch.id]}: {desk}" in page
    assert desk in alone and f"{named[branches[0].id]}: {desk}" not in alone


def test_services_in_excel_add_up(whole, program_of):
    with at(*EVENING):
        data = program_of("director").get("reports/services?format=xlsx").data
    page = openpyxl.load_workbook(io.BytesIO(data)).worksheets[-1]
    rows = list(page.iter_rows(values_only=True))
    nets = [D(str(row[-1])) for row in rows[1:]]
    assert sum(nets[:-1]) == nets[-1] == D("5150.00")


@pytest.mark.parametrize("typed", ["=1+1", "+7", "-2", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")'])
def test_what_people_typed_is_no_formula(typed):
    assert files.safe(typed).startswith("'") or files.safe(typed)[0] not in "=+-@\t\r"
    assert files.safe("Иванов") == "Иванов" and files.safe("a\x00b\x0b") == "ab"


def test_a_formula_in_a_name_stays_text(make, client_of, app):
    day = datetime(2033, 5, 5)
    evil = make.patient("=cmd|' /C calc'!A0", name="@x")
    doctor = make.doctor()
    make.appointment(evil, doctor, day.replace(hour=9))
    with clock.at(day.replace(hour=12)):
        browser = client_of("director")
        text = browser.get("/reports/patients?format=csv").data.decode("utf-8-sig")
        row = next(r for r in csv.reader(io.StringIO(text), delimiter=";") if len(r) > 1 and "cmd" in r[1])
        assert row[1].startswith("'=cmd")
        book = openpyxl.load_workbook(io.BytesIO(browser.get("/reports/patients?format=xlsx").data))
        cells = [c for c in (cell for line in book.worksheets[1].iter_rows() for cell in line) if "cmd" in str(c.value)]
        assert [c.data_type for c in cells] == ["s"] and cells[0].value.startswith("'=")
        assert browser.get("/reports/patients?format=pdf").status_code == 200


def test_a_report_asks_few_statements(whole, browser_of, program_of, day_app):
    from tests.conftest import counted_statements

    with at(*EVENING):
        browser, program = browser_of("director"), program_of("director")
        for kind in KINDS:
            browser.get(f"/reports/{kind}")
            for ask in (lambda k=kind: browser.get(f"/reports/{k}"), lambda k=kind: program.get(f"reports/{k}")):
                with counted_statements(day_app) as seen:
                    assert ask().status_code == 200
                assert len([s for s in seen if not s.startswith(("BEGIN", "COMMIT"))]) <= 12, (kind, len(seen))


def test_the_menu_has_the_four(whole, browser_of):
    with at(*EVENING):
        page = browser_of("administrator").get("/reports/", follow_redirects=True).text
    for kind in KINDS:
        assert f'href="/reports/{kind}"' in page
    assert session.query(User).count() and queries.branches()
