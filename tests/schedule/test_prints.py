"""The schedule on paper: what each page and PDF says, to whom, and that nothing is cut or lost."""

import io
import re
from datetime import date, datetime, time, timedelta
from html import unescape
from typing import Any

import pypdf
import pytest
from flask_babel import force_locale
from sqlalchemy import select

from app import clock, pdf
from app.db import session
from app.models import CancelReason, Employee, Speciality, TimeBlock
from app.schedule import papers, queries
from app.schedule.queries.printed import gaps
from app.schedule.rules import Span
from tests.browser import windows

DAY = clock.today() + timedelta(days=75)


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute))


def words(answer: Any) -> str:
    """What the printed part of a page says."""
    assert answer.status_code == 200, answer.status_code
    found = re.search(r"<section.*</section>", answer.text, re.S)
    assert found
    text = found.group(0)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def paper(answer: Any) -> str:
    """What a PDF says; its letters are all of a font that has Cyrillic ones."""
    assert answer.status_code == 200 and answer.mimetype == "application/pdf"
    assert not pdf.lost_letters(answer.data)
    pages = pypdf.PdfReader(io.BytesIO(answer.data)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.fixture
def desk(client_of: Any) -> Any:
    return client_of("administrator")


@pytest.fixture
def mine(make: Any) -> Employee:
    """The doctor who signs in as `doctor`."""
    return session.scalars(select(Employee).where(Employee.user_id == make.user("doctor").id)).one()


# --- the day ---------------------------------------------------------------------------------------------------


def test_a_list_names_whom_the_doctor_sees(desk: Any, make: Any) -> None:
    doctor, chair = make.doctor(), make.chair()
    make.hours(doctor, DAY, time(9), time(15), chair_id=chair.id)
    patient = make.patient("Щукина-Ёлкина", phone="+79161112233", allergy="лидокаин")
    make.appointment(patient, doctor, at(10), chair_id=chair.id, comment="с мамой", first_visit=True)
    reason = make._save(CancelReason(name=f"Передумал {doctor.id}"))
    make.appointment(
        make.patient("Отменённая"), doctor, at(11), status="cancelled", cancelled_by="patient",
        cancel_reason_id=reason.id,
    )  # fmt: skip
    make.appointment(make.patient("Неявкин"), doctor, at(12), status="no_show")
    make._save(TimeBlock(branch_id=1, doctor_id=doctor.id, starts_at=at(13), ends_at=at(14), reason="Планёрка"))
    said = words(desk.get(f"/schedule/print?day={DAY}&doctor={doctor.id}"))
    with force_locale("ru"):
        assert f"Расписание на день: {' '.join(papers.in_words(DAY).split())}" in said
    for must in (
        "09:00–15:00",
        "10:00–10:30",
        "Щукина-Ёлкина Иван Петрович",
        "+7 916 111-22-33",
        "лидокаин",
        "с мамой",
    ):
        assert must in said, must
    assert "первичный приём" in said and "Планёрка" in said and chair.name in said
    assert "Неявкин" in said and "Не пришёл" in said and "Отменённая" not in said
    made = paper(desk.get(f"/schedule/print.pdf?day={DAY}&doctor={doctor.id}"))
    for must in ("Щукина-Ёлкина", "+7 916 111-22-33", "Аллергия: лидокаин", "с мамой", "Планёрка", "стр. 1 из 1"):
        assert must in made, must
    assert "Отменённая" not in made


def test_only_the_chosen_doctors_are_printed(desk: Any, make: Any) -> None:
    one, two, three = make.doctor(), make.doctor(), make.doctor()
    for doctor in (one, two, three):
        make.appointment(make.patient(), doctor, at(9))
    for address, read in (("print", words), ("print.pdf", paper)):
        said = read(desk.get(f"/schedule/{address}?day={DAY}&doctor={one.id}&doctor={two.id}&doctor=x&doctor=-1"))
        assert one.surname in said and two.surname in said and three.surname not in said


def test_a_list_per_chair(desk: Any, make: Any) -> None:
    branch = make.branch()
    doctor, chair = make.doctor(branch.id), make.chair(branch.id)
    make.hours(doctor, DAY, branch_id=branch.id, chair_id=chair.id)
    make.appointment(make.patient("Вкресле"), doctor, at(9), chair_id=chair.id, branch_id=branch.id)
    make.appointment(make.patient("Безкресла"), doctor, at(10), branch_id=branch.id)
    said = words(desk.get(f"/schedule/print?day={DAY}&by=chair&branch={branch.id}"))
    assert said.index(chair.name) < said.index("Вкресле") < said.index("Кресло не назначено") < said.index("Безкресла")
    assert doctor.surname in said and "08:00–20:00" in said
    chosen = words(desk.get(f"/schedule/print?day={DAY}&by=chair&branch={branch.id}&chair={chair.id}"))
    assert "Вкресле" in chosen and "Безкресла" not in chosen
    other = words(desk.get(f"/schedule/print?day={DAY}&by=chair&chair={branch.chair_id}&branch={branch.id}"))
    assert "Вкресле" not in other and "Записей нет." in other
    assert "Вкресле" in paper(desk.get(f"/schedule/print.pdf?day={DAY}&by=chair&branch={branch.id}"))


def test_phones_are_a_choice_and_for_who_may_see_cards(desk: Any, make: Any, app: Any, client_of: Any) -> None:
    doctor = make.doctor()
    make.appointment(make.patient(phone="+79165550101"), doctor, at(9))
    here = f"day={DAY}&doctor={doctor.id}"
    for address, read in (("print", words), ("print.pdf", paper)):
        assert "555-01-01" in read(desk.get(f"/schedule/{address}?{here}"))
        assert "555-01-01" not in read(desk.get(f"/schedule/{address}?{here}&phones=0"))
        assert "555-01-01" not in read(desk.get(f"/schedule/{address}?{here}&set=1"))
        assert "555-01-01" in read(desk.get(f"/schedule/{address}?{here}&set=1&phones=1"))
    week = f"/schedule/print?view=week&day={DAY}&doctor={doctor.id}"
    assert "555-01-01" in words(desk.get(week)) and "555-01-01" not in words(desk.get(f"{week}&phones=0"))
    blind = _without(make, client_of, "card.see")
    try:
        for address, read in (("print", words), ("print.pdf", paper)):
            said = read(blind.get(f"/schedule/{address}?{here}&set=1&phones=1"))
            assert "555-01-01" not in said and doctor.surname in said
        assert "555-01-01" not in words(blind.get(f"{week}&set=1&phones=1"))
    finally:
        _without(make, client_of, "card.see", back=True)


def _without(make: Any, client_of: Any, right: str, *, back: bool = False) -> Any:
    """The senior's browser after the director took a right away; `back`: as the role says again."""
    from app.models import RightChange

    senior = make.user("senior")
    make._save(
        RightChange(
            user_id=senior.id, right=right, allowed=None if back else False, reason="проба", created_by_id=senior.id
        )
    )
    return client_of("senior")


def test_free_time_is_printed_when_asked_for(desk: Any, make: Any) -> None:
    doctor, chair, other = make.doctor(), make.chair(), make.doctor()
    make.hours(doctor, DAY, time(9), time(12), chair_id=chair.id)
    make.appointment(make.patient(), doctor, at(10))
    make.appointment(make.patient(), other, at(11, 30), chair_id=chair.id)  # somebody else in the doctor's chair
    here = f"/schedule/print?day={DAY}&doctor={doctor.id}"
    said = words(desk.get(f"{here}&free=1"))
    assert "09:00–10:00 свободно" in said and "10:30–11:30 свободно" in said and "11:30–12:00 свободно" not in said
    assert "свободно" not in words(desk.get(here))
    assert "10:30–11:30 свободно" in paper(desk.get(here.replace("print", "print.pdf") + "&free=1"))


def test_gaps() -> None:
    hours = [Span(at(9), at(12)), Span(at(12), at(13)), Span(at(15), at(16))]
    busy = [Span(at(8), at(9, 30)), Span(at(10), at(11)), Span(at(10, 30), at(11, 15)), Span(at(12, 55), at(15, 5))]
    assert gaps(hours, busy) == [
        Span(at(9, 30), at(10)), Span(at(11, 15), at(12, 55)), Span(at(15, 5), at(16)),
    ]  # fmt: skip
    assert gaps(hours, [Span(at(8), at(20))]) == [] and gaps([], busy) == []


def test_a_visit_until_midnight_ends_at_24(desk: Any, make: Any) -> None:
    doctor = make.doctor()
    make.appointment(make.patient(), doctor, at(23), minutes=60)
    assert "23:00–24:00" in words(desk.get(f"/schedule/print?day={DAY}&doctor={doctor.id}"))
    assert "23:00–24:00" in words(desk.get(f"/schedule/print?view=week&day={DAY}&doctor={doctor.id}"))


def test_long_words_and_strange_letters_lose_nothing(desk: Any, make: Any) -> None:
    doctor = make.doctor()
    comment = "начало " + "ж" * 400 + " <b>&amp;</b> \x07\n\n" + "слово " * 250 + "конец"
    make.appointment(make.patient("Очень" * 12), doctor, at(9), comment=comment[:2000])
    for n in range(40):
        make.appointment(make.patient(f"Сороковой{n}"), doctor, at(10) + timedelta(minutes=15 * n), minutes=15)
    answer = desk.get(f"/schedule/print.pdf?day={DAY}&doctor={doctor.id}")
    said = paper(answer)
    assert said.count("ж") >= 400 and "<b>&amp;</b>" in said and "конец" in said
    assert all(f"Сороковой{n} " in said for n in range(40))
    pages = pypdf.PdfReader(io.BytesIO(answer.data)).pages
    assert len(pages) > 1 and all("Время" in page.extract_text() for page in pages)  # the head is on each page
    assert f"стр. {len(pages)} из {len(pages)}" in said


def test_an_empty_day_says_so(desk: Any) -> None:
    empty = DAY + timedelta(days=900)
    for address, read in (("print", words), ("print.pdf", paper)):
        assert "никто не принимает" in read(desk.get(f"/schedule/{address}?day={empty}"))
    assert "нет ни записей, ни часов" in words(desk.get(f"/schedule/print?view=week&day={empty}"))


# --- week and month --------------------------------------------------------------------------------------------


def test_a_week_stands_by_hours(desk: Any, make: Any) -> None:
    doctor = make.doctor()
    monday = DAY - timedelta(days=DAY.weekday())
    make.hours(doctor, monday, time(9), time(12))
    make.appointment(make.patient("Понедельников"), doctor, at(9, 30, monday), comment="первый")
    make.appointment(make.patient("Воскресенский"), doctor, at(11, 0, monday + timedelta(days=6)))
    make.appointment(make.patient("Чужедельников"), doctor, at(9, 0, monday + timedelta(days=7)))
    page = desk.get(f"/schedule/print?view=week&day={DAY}&doctor={doctor.id}")
    said = words(page)
    assert "понедельник, " in said and "воскресенье, " in said and "суббота, " not in said
    assert "Понедельников И. П." in said and "первый" in said and "Воскресенский" in said
    assert "Чужедельников" not in said
    assert said.index("09:00") < said.index("Понедельников") < said.index("11:00") < said.index("Воскресенский")
    assert page.text.count('class="closed"') > 0


def test_the_month_adds_up(desk: Any, make: Any) -> None:
    doctor = make.doctor()
    day = (DAY.replace(day=1) + timedelta(days=400)).replace(day=10)
    make.hours(doctor, day, time(9), time(13))
    make.appointment(make.patient(), doctor, at(9, 0, day), minutes=60)
    said = words(desk.get(f"/schedule/print?view=month&day={day}&doctor={doctor.id}"))
    assert "Часов приёма: 4:00, занято: 1:00, закрыто: 0:00, свободно: 3:00, загрузка: 25 %, приёмов: 1" in said
    assert "10 25 % приёмов: 1 свободно 3:00 из 4:00" in said and f"{doctor.surname} О. И." in said
    assert "понедельник вторник среда" in said.lower()


# --- blank -----------------------------------------------------------------------------------------------------


def test_blank_sheets_have_lines_for_the_doctors_hours(desk: Any, make: Any) -> None:
    doctor = make.doctor()
    make.hours(doctor, DAY, time(9, 30), time(12, 15))
    page = desk.get(f"/schedule/blank?day={DAY}&doctor={doctor.id}&step=15")
    said = words(page)
    assert f"{doctor.surname} О. И. 09:30–12:15" in said and "Пациент, дата рождения" in said
    assert page.text.count("<td>09:") == 4 and "12:45" in said and "13:00" not in said
    made = paper(desk.get(f"/schedule/blank.pdf?day={DAY}&doctor={doctor.id}&step=60"))
    assert "09:00 10:00 11:00 12:00" in made and "13:00" not in made and "Пришёл в" in made
    nobody = words(desk.get(f"/schedule/blank?day={DAY}&undated=1"))
    assert "Врач: ____" in nobody and "Дата: ____" in nobody and "19:30" in nobody
    assert "Врач: ____" in paper(desk.get("/schedule/blank.pdf?undated=1"))


# --- the slip --------------------------------------------------------------------------------------------------


def test_a_slip_says_where_when_and_to_whom(desk: Any, make: Any) -> None:
    from app.models import Branch, LegalEntity

    branch = make.branch()
    row = session.get_one(Branch, branch.id)
    row.address, row.phone = "г. Тула, ул. Мира, д. 7", "+74872123456"
    session.get_one(LegalEntity, branch.legal_entity_id).short_name = "Клиника «Ёлка»"
    doctor = make.doctor(branch.id)
    doctor.speciality_id = make._save(Speciality(name=f"Ортодонт {doctor.id}")).id
    patient = make.patient("Талонова")
    visit = make.appointment(
        patient, doctor, datetime(2031, 11, 24, 10, 30), branch_id=branch.id, chair_id=branch.chair_id,
        comment="только для врача",
    )  # fmt: skip
    make.appointment(patient, make.doctor(), datetime(2031, 12, 2, 12, 0))
    make.appointment(patient, make.doctor(), datetime(2031, 12, 3, 12, 0), status="no_show")
    make.appointment(make.patient("Посторонний"), doctor, datetime(2031, 12, 4, 12, 0))
    for address, read in ((f"/schedule/slip/{visit.id}", words), (f"/schedule/slip/{visit.id}.pdf", paper)):
        said = read(desk.get(address))
        for must in (
            "Клиника «Ёлка»", "г. Тула, ул. Мира, д. 7", "+7 487 212-34-56", "понедельник, 24 ноября 2031 г.", "10:30",
            "Талонова Иван Петрович", f"{doctor.surname} Олег Ильич, ортодонт", "Кресло 1",
            "вторник, 2 декабря 2031, 12:00",
        ):  # fmt: skip
            assert must in said, (address, must)
        assert "только для врача" not in said and "3 декабря" not in said and "4 декабря" not in said
    box = pypdf.PdfReader(io.BytesIO(desk.get(f"/schedule/slip/{visit.id}.pdf").data)).pages
    assert len(box) == 1 and abs(float(box[0].mediabox.width) - 298) < 2


def test_a_cancelled_visit_has_no_slip(desk: Any, make: Any) -> None:
    visit = make.appointment(make.patient(), make.doctor(), at(9), status="no_show")
    assert desk.get(f"/schedule/slip/{visit.id}").status_code == 409
    assert desk.get(f"/schedule/slip/{visit.id}.pdf").status_code == 409


# --- in a browser ----------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_nothing_is_cut_on_paper(app: Any, make: Any) -> None:
    """What a browser would send to the printer: every word of it, on A4 lying, the slip on a quarter of A4."""
    doctor = make.doctor()
    make.hours(doctor, DAY, time(8), time(21))
    for n in range(40):
        allergy = "лидокаин, пенициллин" if n % 7 == 0 else ""
        patient = make.patient(f"Константинопольская-Задунайская{n}", allergy=allergy)
        make.appointment(patient, doctor, at(8) + timedelta(minutes=15 * n), minutes=15, comment=f"слово {n} " * 12)
    visit = make.appointment(make.patient(), doctor, at(20))
    with windows(app) as opened:
        page = opened.sign_in("administrator")

        def printed(address: str) -> Any:
            page.goto(f"{opened.base}/schedule/{address}")
            return pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages

        for view in ("day", "week"):
            pages = printed(f"print?view={view}&day={DAY}&doctor={doctor.id}")
            said = re.sub(r"\s", "", "".join(one.extract_text() for one in pages))
            for n in range(40):
                assert f"Константинопольская-Задунайская{n}" in said and f"слово{n}" * 12 in said, (view, n)
            assert all(int(one.mediabox.width) in (841, 842) for one in pages) and "Регистратура" not in said
        assert len(printed(f"blank?day={DAY}&doctor={doctor.id}&step=60")) == 1
        (slip,) = printed(f"slip/{visit.id}")
        assert int(slip.mediabox.width) in (297, 298)
        assert not opened.faults


# --- who and what ----------------------------------------------------------------------------------------------


def test_a_doctor_prints_the_own_day_only(client_of: Any, make: Any, mine: Employee) -> None:
    other, patient = make.doctor(), make.patient("Двухврачебная")
    foreign = make.appointment(patient, other, at(9), comment="чужое")
    make.appointment(make.patient("Совсемчужая"), other, at(12))
    own = make.appointment(patient, mine, at(11), comment="своё")
    doctor = client_of("doctor")
    for query in ("", f"&doctor={other.id}", "&by=chair", f"&view=week&doctor={other.id}"):
        said = words(doctor.get(f"/schedule/print?day={DAY}{query}"))
        assert "своё" in said and "чужое" not in said and "Совсемчужая" not in said, query
    made = paper(doctor.get(f"/schedule/print.pdf?day={DAY}&by=chair&doctor={other.id}"))
    assert "своё" in made and "чужое" not in made
    assert other.surname not in words(doctor.get(f"/schedule/blank?day={DAY}&doctor={other.id}"))
    month = words(doctor.get(f"/schedule/print?view=month&day={DAY}&doctor={other.id}"))
    assert other.surname not in month
    slip = words(doctor.get(f"/schedule/slip/{own.id}"))
    assert "11:00" in slip and other.surname not in slip
    assert doctor.get(f"/schedule/slip/{foreign.id}").status_code == 404
    assert doctor.get(f"/schedule/slip/{foreign.id}.pdf").status_code == 404


def test_who_may_not_gets_no_paper(app: Any, client_of: Any, make: Any) -> None:
    visit = make.appointment(make.patient(), make.doctor(), at(9))
    pages = [f"/schedule/{page}" for page in ("print", "print.pdf", "blank", "blank.pdf", f"slip/{visit.id}")]
    assert [app.test_client().get(page).status_code for page in pages] == [302] * len(pages)
    sysadmin = client_of("sysadmin")
    assert [sysadmin.get(page).status_code for page in pages] == [403] * len(pages)


@pytest.mark.parametrize(
    "query",
    ["day=x", "doctor=99999999999999999999", "doctor=٣", "doctor=2000000000", "chair=%00", "view=%27",
     "by=chair&chair=-1", "step=7", "step=x", "phones=maybe", "free=2&apart=%F0%9F%92%A9", "set=1", "day=2199-12-31",
     "view=month&day=1901-01-01",
     "view=week&doctor=2000000000"],
)  # fmt: skip
def test_nonsense_is_answered(desk: Any, query: str) -> None:
    for page in ("print", "print.pdf", "blank", "blank.pdf"):
        assert desk.get(f"/schedule/{page}?{query}").status_code == 200, page


def test_what_is_not_there_is_not_found(desk: Any) -> None:
    for page in ("slip/2000000000", "slip/99999999999999", "slip/2000000000.pdf", "print?branch=2000000000",
                 "print.pdf?branch=-1", "blank?branch=99999999999999"):  # fmt: skip
        assert desk.get(f"/schedule/{page}").status_code == 404, page


def test_printing_changes_nothing(desk: Any, make: Any, app: Any) -> None:
    from tests.conftest import counted_statements

    visit = make.appointment(make.patient(), make.doctor(), at(9))
    desk.get(f"/schedule/print?day={DAY}")
    with counted_statements(app) as seen:
        for page in (f"print?day={DAY}", f"print.pdf?day={DAY}", f"blank?day={DAY}", f"slip/{visit.id}",
                     "print?view=week", "print?view=month"):  # fmt: skip
            desk.get(f"/schedule/{page}")
    assert not [text for text in seen if re.match(r"\s*(INSERT|UPDATE|DELETE)", text, re.I)]
    assert len(seen) < 60


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 11, 23), "понедельник, 23 ноября 2026 г."),
        (date(2027, 3, 1), "понедельник, 1 марта 2027 г."),
        (date(2028, 2, 29), "вторник, 29 февраля 2028 г."),
        (date(2026, 8, 2), "воскресенье, 2 августа 2026 г."),
    ],
)
def test_days_in_words(app: Any, day: date, said: str) -> None:
    with app.test_request_context(), force_locale("ru"):
        assert papers.in_words(day).replace("\u202f", " ").replace("\xa0", " ") == said


def test_debts_stand_on_the_spare_sheet_only(desk: Any, make: Any) -> None:
    doctor, patient = make.doctor(), make.patient("Должников")
    make.appointment(patient, doctor, at(9))
    assert "Долг" not in paper(desk.get(f"/schedule/print.pdf?day={DAY}&doctor={doctor.id}"))
    sheet = queries.day_sheet(DAY, doctor_id=doctor.id)
    sheet.appointments[0]["patient"]["balance"] = {"debt": "1234567.50", "advance": "0.00"}
    made = papers.day(
        DAY, queries.doctors_lists(sheet), papers.Wanted(debts=True), where="", chairs=queries.chair_names()
    )
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
    assert "1 234 567,50" in text.replace("\xa0", " ")
