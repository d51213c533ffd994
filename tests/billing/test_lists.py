"""The lists of debtors and advances: whole, in order, page by page; exported and called."""

import html
import io
import re
from datetime import datetime, time, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
from babel.dates import format_date
from openpyxl import load_workbook
from sqlalchemy import func, select

from app import clock
from app.billing import operations, queries
from app.billing.views import lists
from app.db import session, transaction
from app.models import CallTask, CallTaskReason, PatientAccount
from app.money import shown
from app.tasks import operations as tasks
from app.vocab import TaskReasonKind
from tests.billing.test_operations import D, billed, branch, pay  # noqa: F401


def sums(column):
    return session.execute(select(func.count(), func.sum(column)).where(column > 0)).one()


@pytest.fixture
def crowd(make, branch):  # noqa: F811
    """Twelve debtors of three sums, one of whom is found by name, and three who paid ahead."""
    debtors = [make.patient(f"Должников{'абв'[n % 3]}", phone=f"+7916555{n:04d}") for n in range(12)]
    for n, patient in enumerate(debtors):
        billed(make, branch, str(500 + n % 3), patient)
    ahead = [make.patient("Авансова") for _ in range(3)]
    for patient in ahead:
        pay(make, branch, patient.id, ("card", "777"))
    for _ in range(3):  # an advance that nobody paid: a relative's
        child = make.patient("Авансова", guardian_id=ahead[0].id)
        with transaction():
            operations.pass_advance(ahead[0].id, child.id, D(7), "Семья", branch_id=branch.id, actor=make.user())
    return [patient.id for patient in debtors], [patient.id for patient in ahead]


@pytest.mark.parametrize("sort", queries.SORTS)
@pytest.mark.parametrize("which", ["debtors", "advances"])
def test_page_by_page_it_is_the_whole_list_once(crowd, which, sort):
    rows_of = getattr(queries, which)
    whole = [row.id for row in rows_of(sort=sort, limit=1000)]
    read, after = [], None
    while rows := rows_of(sort=sort, after=after, limit=2):
        read += [row.id for row in rows]
        after = read[-1]
    assert read == whole and len(set(whole)) == len(whole)
    column = {"debtors": PatientAccount.debt, "advances": PatientAccount.advance}[which]
    assert (len(whole), sum(row.amount for row in rows_of(limit=1000))) == tuple(sums(column))
    assert getattr(queries, f"{which}_total")() == tuple(sums(column))


def test_the_order_is_what_it_says(crowd):
    by_sum = [row.amount for row in queries.debtors(limit=1000)]
    by_age = [row.since for row in queries.debtors(sort="age", limit=1000)]
    assert by_sum == sorted(by_sum, reverse=True) and by_age == sorted(by_age)


@pytest.fixture
def queue(make, branch):  # noqa: F811
    """Nine debtors whom nobody else is called like: their common beginning of the name, and their numbers."""
    name = "Дальнев" + "".join("бвгджзклмн"[int(digit)] for digit in f"{make.patient().id:07d}")
    patients = [make.patient(f"{name}{'абв'[n % 3]}") for n in range(9)]
    for n, patient in enumerate(patients):
        billed(make, branch, str(500 + n % 2), patient)
    return name, [patient.id for patient in patients]


@pytest.mark.parametrize("sort", queries.SORTS)
def test_the_list_goes_on_after_a_patient_who_paid_meanwhile(client_of, make, branch, queue, monkeypatch, sort):  # noqa: F811
    """Nobody is lost: the page goes on from where its last row stood."""
    monkeypatch.setattr(lists, "PAGE", 4)
    browser, (name, _) = client_of("administrator"), queue
    whole = [row.id for row in queries.debtors(name, sort=sort)]
    page = browser.get(f"/settlement/lists/debtors?q={name}&sort={sort}").text
    pay(make, branch, whole[3], ("card", str(queries.balance_of(whole[3]).debt)))
    read = whole[:4]
    while further := re.search(r'href="([^"]*[?&;]after=[^"]*)"', page):
        page = browser.get(html.unescape(further[1])).text
        assert "В начало" in page
        read += [int(pk) for pk in re.findall(r'<td><a href="/patients/(\d+)"', page)]
    assert read == whole


def test_a_list_that_nobody_can_go_on_with_is_shown_from_its_beginning(client_of, make, branch, queue):  # noqa: F811
    browser, (name, ids) = client_of("administrator"), queue
    pay(make, branch, ids[0], ("card", "500"))
    for sort in ("sum", "age"):  # an address that does not say where the patient stood
        page = browser.get(f"/settlement/lists/debtors?sort={sort}&after={ids[0]}&q={name}").text
        assert all(f'href="/settlement/{pk}"' in page for pk in ids[1:])
    end = browser.get(f"/settlement/lists/debtors?after={ids[1]}&stood=0.01").text
    assert "Дальше в списке никого нет." in end and "В начало" in end and "Должников нет." not in end
    for odd in ("x", "-1", "9" * 40, "2026-99-99", "%00"):
        for sort in queries.SORTS:
            address = f"/settlement/lists/advances?sort={sort}&after={ids[1]}&stood={odd}"
            assert browser.get(address).status_code == 200


def test_found_by_name_with_phone_and_sum(crowd):
    debtors, _ = crowd
    rows = queries.debtors("Должниковб", limit=100)
    assert {row.id for row in rows} >= set(debtors[1::3]) and all(
        row.full_name.startswith("Должниковб ") for row in rows
    )
    assert all(row.phone.startswith("+7916555") and row.since for row in rows)
    assert queries.debtors_total("Должниковб") == (len(rows), D(501) * len(rows))


def test_the_pages_the_file_and_the_call(client_of, crowd):
    browser, senior = client_of("administrator"), client_of("senior")
    debtors, _ = crowd
    page = browser.get("/settlement/lists/debtors?q=Должниковб").text
    assert f"/settlement/{debtors[1]}" in page and ".xlsx" not in page
    whole = browser.get("/settlement/lists/debtors/total?q=Должниковб").text
    count, total = queries.debtors_total("Должниковб")
    assert shown(total) in whole and f"{count} пациент" in whole
    assert 'hx-get="/settlement/lists/debtors/total?q=' in page
    assert browser.get("/settlement/lists/nobody/total").status_code == 404
    for who in ("doctor", "sysadmin"):
        assert client_of(who).get("/settlement/lists/debtors/total").status_code == 403, who
    assert "Авансова" in browser.get("/settlement/lists/advances?q=Авансова").text
    for odd in ("?after=999999999999999", "?after=я&sort=drop", "?q=%00", "?q=" + "я" * 500, "?after=-1&sort=age"):
        for which in ("debtors", "advances"):
            assert browser.get(f"/settlement/lists/{which}{odd}").status_code == 200
    assert browser.get("/settlement/lists/debtors.xlsx").status_code == 403
    made = senior.get("/settlement/lists/debtors.xlsx?q=Должниковб")
    table = list(load_workbook(io.BytesIO(made.data)).active.iter_rows(values_only=True))
    assert len(table) == 1 + queries.debtors_total("Должниковб")[0] and table[1][-1] == 501
    path, data = f"/settlement/lists/debtors/{debtors[0]}/call", {"request_id": str(uuid4())}
    for _ in range(2):
        assert browser.post(path, data=data).status_code == 303
    found = session.scalars(
        select(CallTaskReason.kind).join(CallTask, CallTask.id == CallTaskReason.task_id)
        .where(CallTask.patient_id == debtors[0], CallTask.status == "open")
    ).all()  # fmt: skip
    assert found == ["debt"]


def test_who_is_called_stays_in_the_list_and_is_told_the_truth(client_of, make, queue):
    """Back to the same page of the same search; a task that was there already is named with its own day."""
    browser, (name, ids) = client_of("administrator"), queue
    tomorrow = clock.today() + timedelta(days=1)
    with transaction():
        tasks.ask(ids[1], TaskReasonKind.BY_HAND, due_on=tomorrow, note="Снимок", actor=make.user())
    address = f"/settlement/lists/debtors?q={name}&sort=sum&after={ids[1]}&stood=501.00"
    form = browser.get(address).text.partition('<form id="call"')[2].partition("</form>")[0]
    place = dict(re.findall(r'name="(q|sort|after|stood)" value="([^"]*)"', form))
    assert place == {"q": name, "sort": "sum", "after": str(ids[1]), "stood": "501.00"}

    def told(pk):
        data = {**place, "request_id": str(uuid4())}
        answer = browser.post(f"/settlement/lists/debtors/{pk}/call", data=data)
        assert answer.status_code == 303 and answer.location.startswith("/settlement/lists/debtors?")
        assert dict(parse_qsl(urlsplit(answer.location).query)) == place
        return browser.get(answer.location).text

    assert "задача на обзвон поставлена на сегодня" in told(ids[0])
    again = told(ids[0])
    assert "задача на обзвон о долге уже стоит на" in again and "поставлена на сегодня" not in again
    joined = told(ids[1])
    assert "долг добавлен к задаче на обзвон" in joined and "поставлена на сегодня" not in joined
    task = session.scalars(select(CallTask).where(CallTask.patient_id == ids[0], CallTask.status == "open")).one()
    with transaction():
        tasks.postpone(task.id, None, until=datetime.combine(tomorrow, time(12)), actor=make.user())
    day = format_date(tomorrow, "EEE d MMMM", locale="ru")
    assert f"уже стоит на {day}" in told(ids[0])


def test_the_file_is_in_russian_and_in_the_order_that_was_looked_at(client_of, queue):
    """Days are days and sums are sums, with two digits."""
    senior, (name, _) = client_of("senior"), queue
    page = senior.get(f"/settlement/lists/debtors?q={name}&sort=name").text
    link = html.unescape(re.search(r'href="([^"]*\.xlsx[^"]*)"', page)[1])
    sheet = load_workbook(io.BytesIO(senior.get(link).data)).active
    assert sheet.title == "Должники"
    assert [row[0].value for row in list(sheet)[1:]] == [row.full_name for row in queries.debtors(name, sort="name")]
    _, _, _, since, _, amount = sheet[2]
    assert (since.value.date(), since.number_format) == (clock.today(), "dd.mm.yyyy")
    assert (amount.value, amount.number_format) == (500, "#,##0.00")
    advances = load_workbook(io.BytesIO(senior.get("/settlement/lists/advances.xlsx").data))
    assert advances.sheetnames == ["Авансы"]
