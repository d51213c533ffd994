"""The card index in a browser: what is shown, what stays when something is wrong, and who is kept out."""

import re
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select

from app import clock
from app.db import session, transaction
from app.deeds import details
from app.models import AuditEvent, CancelReason, Patient, PatientPhone, PatientTag, ReferralSource
from app.patients import operations, queries
from tests.conftest import Maker, counted_statements

VALUES = {"surname": "Листова", "name": "Ада", "phone": "+79169990137", "birth_date": "1970-01-02"}


def typed_in(page: str, name: str) -> str:
    """What stands in a field of a form."""
    found = re.search(rf'<input[^>]*\bname="{name}"[^>]*>', page)
    assert found, name
    value = re.search(r'\bvalue="([^"]*)"', found[0])
    return value[1] if value else ""


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("surname", ""), ("surname", "Ы" * 101), ("surname", "А\x00Б"), ("name", "   "), ("phone", "12"),
        ("phone", "9" * 41),
        ("birth_date", "31.02.1970"), ("birth_date", "2999-01-01"), ("birth_date", "NaN"), ("sex", "other"),
        ("source_id", "999999"), ("source_id", "-1"), ("source_id", "NaN"), ("email", "x" * 201), ("snils", "1" * 15),
        ("email", "не почта"),
        ("comment", "y" * 400_000), ("allergy", "\x07"),
    ],
)  # fmt: skip
def test_what_was_typed_stays_and_nothing_is_written(client_of: Any, make: Maker, field: str, wrong: str) -> None:
    mark = "Нетакова"
    answer = client_of("administrator").post("/patients/new", data={**VALUES, "patronymic": mark, field: wrong})
    assert answer.status_code == 422, answer.text[:300]
    assert "field-error" in answer.text
    assert typed_in(answer.text, "patronymic") == mark
    if field not in ("surname", "name"):
        assert typed_in(answer.text, "surname") == "Листова"
    assert mark not in client_of("administrator").get("/patients/?q=" + mark).text.replace(f'value="{mark}"', "")


def test_a_double_click_makes_one_card(client_of: Any) -> None:
    clerk, values = client_of("administrator"), {"surname": "Двухкликова", "name": "Яна", "request_id": str(uuid4())}
    first, second = (clerk.post("/patients/new", data=values) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first.headers["Location"] == second.headers["Location"]


def test_a_likely_twin_is_shown_and_can_be_overruled(client_of: Any, make: Maker) -> None:
    twin = make.patient("Близнецова", name="Ева", phone="+79167770001")
    clerk, values = client_of("administrator"), {"surname": "Близнецова", "name": "Ева"}
    asked = clerk.post("/patients/new", data=values)
    assert asked.status_code == 422 and f'href="/patients/{twin.id}"' in asked.text
    made = clerk.post("/patients/new", data={**values, "anyway": "1"})
    assert made.status_code == 302 and not made.headers["Location"].endswith(f"/{twin.id}")


@pytest.mark.parametrize("place", [0, 1])
def test_a_card_with_the_same_phone_stops_the_new_one_until_it_is_overruled(
    client_of: Any, make: Maker, place: int
) -> None:
    number = f"+7916888000{place}"
    twin = make.patient("Телефонов", phone=number)
    phones = ["8 916 888-01-00", "8 916 888-01-01"]
    phones[place] = f"8 916 888-00-0{place}"
    clerk, values = client_of("administrator"), {"surname": "Однономерная", "name": "Ия", "phone_number": phones}
    assert f"/patients/{twin.id}" in clerk.get("/patients/twins", query_string={"phone": phones}).text
    asked = clerk.post("/patients/new", data=values)
    assert asked.status_code == 422 and f'href="/patients/{twin.id}"' in asked.text
    assert clerk.post("/patients/new", data={**values, "anyway": "1"}).status_code == 302


def test_somebody_elses_change_is_shown_and_then_overruled_on_purpose(client_of: Any, make: Maker) -> None:
    """The loser sees what stands there now beside what was typed; sending the same page again saves it."""
    pk, clerk = make.patient().id, client_of("administrator")
    address = f"/patients/{pk}/edit"
    assert clerk.post(address, data={**VALUES, "version": "1", "address": "Арбат, 1"}).status_code == 302
    lost = clerk.post(address, data={**VALUES, "version": "1", "address": "Сретенка, 2"})
    assert lost.status_code == 422
    assert typed_in(lost.text, "address") == "Сретенка, 2" and "Арбат, 1" in lost.text
    assert lost.text.count("field-error") == 1  # only what differs
    assert session.get(Patient, pk, populate_existing=True).address == "Арбат, 1"  # type: ignore[union-attr]
    saved = clerk.post(address, data={**VALUES, "version": typed_in(lost.text, "version"), "address": "Сретенка, 2"})
    assert saved.status_code == 302
    assert session.get(Patient, pk, populate_existing=True).address == "Сретенка, 2"  # type: ignore[union-attr]


def test_phones_that_nobody_touched_are_no_conflict(client_of: Any, make: Maker) -> None:
    one, clerk = make.patient("Конфликтова", name="Инна", phone="+79037654321"), client_of("administrator")
    make._save(PatientPhone(patient_id=one.id, number="+74951112233", owner="работа", for_sms=False))
    address = f"/patients/{one.id}/edit"
    sent = {
        "surname": "Конфликтова", "name": "Инна", "version": "1", "phone_sms": ["yes", "no"],
        "phone_number": ["+7 903 765-43-21", "+7 495 111-22-33"], "phone_owner": ["", "работа"],
    }  # fmt: skip
    assert clerk.post(address, data={**sent, "address": "Арбат, 1"}).status_code == 302
    lost = clerk.post(address, data={**sent, "address": "Сретенка, 2"})
    assert lost.status_code == 422 and lost.text.count("field-error") == 1 and "Арбат, 1" in lost.text
    touched = clerk.post(address, data={**sent, "address": "Арбат, 1", "phone_sms": ["yes", "yes"]})
    assert touched.text.count("field-error") == 1
    assert "Сейчас: +7 903 765-43-21, +7 495 111-22-33 работа (не для СМС)" in touched.text


@pytest.mark.parametrize("version", [None, "", "0", "-1", "²", "x", "9" * 5000, "1.0"])
def test_a_wrong_version_saves_nothing(client_of: Any, make: Maker, version: str | None) -> None:
    pk = make.patient().id
    sent = {**VALUES, "comment": "затёрто"} | ({} if version is None else {"version": version})
    answer = client_of("administrator").post(f"/patients/{pk}/edit", data=sent)
    assert answer.status_code == 422, answer.status_code
    assert session.get(Patient, pk, populate_existing=True).comment == ""  # type: ignore[union-attr]


def test_an_edit_does_not_lose_an_archived_source(client_of: Any, make: Maker) -> None:
    source = make._save(ReferralSource(name=f"Газета {uuid4().hex[:6]}", archived=True))
    pk, clerk = make.patient(source_id=source.id).id, client_of("administrator")
    page = clerk.get(f"/patients/{pk}/edit").text
    assert f'<option selected value="{source.id}">{source.name}</option>' in page
    assert source.name not in clerk.get("/patients/new").text
    sent = {**VALUES, "version": "1", "source_id": str(source.id)}
    assert clerk.post(f"/patients/{pk}/edit", data=sent).status_code == 302
    assert session.get(Patient, pk, populate_existing=True).source_id == source.id  # type: ignore[union-attr]


def test_a_field_that_was_not_sent_is_not_emptied(client_of: Any, make: Maker) -> None:
    pk = make.patient(phone="+79161112233", comment="Важно").id
    sent = {"surname": "Новая", "name": "Инна", "version": "1"}
    assert client_of("administrator").post(f"/patients/{pk}/edit", data=sent).status_code == 302
    patient = session.get_one(Patient, pk, populate_existing=True)
    assert (patient.surname, patient.comment, [p.number for p in patient.phones]) == (
        "Новая",
        "Важно",
        ["+79161112233"],
    )


@pytest.mark.parametrize("page", ["-1", "x", "²", "9" * 5000, "99999", "1e3", "%00"])
@pytest.mark.parametrize("address", ["/patients/?q=а&page=", "/lookup/patients?q=а&page="])
def test_a_wrong_page_is_a_page(client_of: Any, address: str, page: str) -> None:
    assert client_of("administrator").get(address + page).status_code == 200


@pytest.mark.parametrize("q", ["%00", "%ED%A0%80", "я" * 5000, "<script>alert(1)</script>", "%25", "_", "'", "\\"])
def test_a_wrong_search_finds_nobody(client_of: Any, q: str) -> None:
    answer = client_of("administrator").get("/patients/", query_string=f"q={q}")
    assert answer.status_code == 200 and "<script>alert" not in answer.text


def test_the_card_shows_what_the_desk_must_not_miss(client_of: Any, make: Maker, app: Flask) -> None:
    one = make.patient("Картина", allergy="Лидокаин", phone="+79161234567")
    clerk = client_of("administrator")
    with counted_statements(app) as seen:
        page = clerk.get(f"/patients/{one.id}").text
    assert len(seen) <= 7, (len(seen), seen)  # two of them are the test's own
    assert re.search(r"alert-danger[^<]*(<[^>]*>[^<]*)*Лидокаин", page)
    assert f'href="/schedule/?patient={one.id}"' in page and f'href="/settlement/{one.id}"' in page
    assert "+7 916 123-45-67" in page and f"№ {one.card_number}" in page
    for tab in re.findall(r'hx-get="([^"]+)"', page):
        assert clerk.get(tab).status_code == 200, tab


def test_the_card_tells_the_sex_and_only_the_patients_own_late_cancellations(client_of: Any, make: Maker) -> None:
    one, doctor = make.patient(sex="female"), make.doctor()
    reason = session.scalars(select(CancelReason)).first() or make._save(CancelReason(name="Заболел"))
    for n, (by, late) in enumerate([("clinic", True), ("patient", True), ("patient", False), ("clinic", True)]):
        make.appointment(
            one, doctor, datetime(2026, 3, 2, 10 + n), status="cancelled", cancelled_by=by, late_cancel=late,
            cancel_reason_id=reason.id, cancelled_at=clock.now(),
        )  # fmt: skip
    page = " ".join(re.sub("<[^>]*>", " ", client_of("administrator").get(f"/patients/{one.id}").text).split())
    assert "Пол Женский" in page
    assert "Отменил пациент 2 (поздно: 1) Отменила клиника 2" in page
    assert queries.statistics(one.id)["late_cancellations"] == 3


@pytest.mark.parametrize(
    ("known", "lacking"),
    [
        ({"phone": "+79161234567", "birth_date": ""}, "заполните дату рождения."),
        ({"phone": "", "birth_date": "1970-01-02"}, "заполните телефон."),
        ({"phone": "", "birth_date": ""}, "заполните дату рождения и телефон."),
    ],
)
def test_a_draft_says_what_it_still_lacks(client_of: Any, known: dict[str, str], lacking: str) -> None:
    clerk = client_of("administrator")
    made = clerk.post("/patients/new", data={**VALUES, **known, "surname": f"Черновик{uuid4().hex[:6]}", "anyway": "1"})
    assert f"Карта — черновик: {lacking}" in clerk.get(made.headers["Location"]).text


def test_the_box_the_index_and_the_api_find_the_same(client_of: Any, make: Maker, program: Any) -> None:
    """Ctrl+K asks the API, the index is a page, the select of a form asks the lookup: one search, one order."""
    parent = make.patient("Одинаковцев", name="Фёдор", phone="+79457771234", birth_date=date(1961, 2, 3))
    make.patient("Одинаковцева", name="Соня", phone="+79450000000", guardian_id=parent.id)
    for _ in range(30):
        make.patient("Одинаковцев", name="Яков")
    clerk, api = client_of("administrator"), program("administrator")
    for typed in (
        "одинаковцев", "jlbyfrjdwtd atljh", "odinakovtsev", "одинаковцеф федор", "94577 7-12-34", "03.02.1961",
        "одинаковцев ф.", f"№ {parent.card_number}", "+7 (945) 777-12-34",
    ):  # fmt: skip
        for page in (0, 1):
            box = api.get("patients/", query_string={"q": typed, "page": page, "page_size": 25}).json
            shown = clerk.get("/patients/", query_string={"q": typed, "page": page}).text
            listed = [int(pk) for pk in re.findall(r'<td><a href="/patients/(\d+)">', shown)]
            assert [row["id"] for row in box["result"]] == listed, (typed, page)
            if page == 0:
                picked = clerk.get("/lookup/patients", query_string={"q": typed}).json["results"]
                assert [row["id"] for row in picked] == listed[:20], typed
                assert parent.id in listed, typed


def test_print_opens_the_documents(client_of: Any, make: Maker) -> None:
    pk, clerk = make.patient().id, client_of("administrator")
    button = f"/patients/{pk}?tab=documents"
    assert f'href="{button}#tab"' in clerk.get(f"/patients/{pk}").text
    for address, first in (
        (button, f"/documents/patient/{pk}"),
        (f"/patients/{pk}", f"/schedule/patient/{pk}"),
        (f"/patients/{pk}?tab=<b>", f"/schedule/patient/{pk}"),
    ):
        page = clerk.get(address).text
        assert re.search(rf'<div id="tab" hx-get="{first}"', page), address
        assert re.search(rf'class="here" hx-get="{first}"', page), address


def test_the_history_tells_the_deeds_in_words(client_of: Any, make: Maker, app: Flask) -> None:
    clerk = client_of("administrator")
    card = clerk.post("/patients/new", data={"surname": "Летописец", "name": "Нестор"}).headers["Location"]
    for n in range(12):
        sent = {"surname": "Летописец", "name": "Нестор", "comment": f"правка {n}", "version": str(n + 1)}
        assert clerk.post(f"{card}/edit", data=sent).status_code == 302
    with counted_statements(app) as seen:
        page = clerk.get(f"{card}/history").text
    assert len(seen) <= 6, len(seen)
    assert "Карта создана" in page and "Карта изменена" in page
    assert "правка 10" in page and "card.changed" not in page


def test_what_was_and_is_empty_is_no_change(app: Flask) -> None:
    told = AuditEvent(
        object_type="call_task", before={"note": "", "comment": None}, after={"note": "", "comment": "Да"}
    )
    with app.test_request_context(), force_locale("ru"):
        assert details(told) == "комментарий: — → Да"


def test_the_history_says_what_changed_and_which_consent(client_of: Any, make: Maker) -> None:
    clerk, doctor, other = client_of("administrator"), make.doctor(), make.doctor()
    source, mother = make._save(ReferralSource(name=f"Вывеска {uuid4().hex[:6]}")), make.patient("Мамина")
    one = make.patient("Историев", phone="+79037654321", doctor_id=doctor.id)
    with transaction():
        operations.edit_card(
            one.id, 1, {
                "doctor_id": other.id, "source_id": source.id, "guardian_id": mother.id,
                "discount_percent": Decimal(3), "discount_reason": "Пенсионер",
                "phones": [
                    {"number": "+79037654321", "owner": "свой"},
                    {"number": "84951112233", "owner": "работа", "for_sms": False},
                ],
            }, actor=make.user("director"),
        )  # fmt: skip
        operations.give_consent(one.id, "treatment", date(2026, 1, 20), actor=make.user())
    make._save(
        AuditEvent(
            at=clock.now(), action="document.issued", object_type="issued_document", object_id=1, patient_id=one.id,
            after={"kind": "contract", "number": 5, "year": 2026, "template_id": 1},
        )
    )  # fmt: skip
    page = unescape(clerk.get(f"/patients/{one.id}/history").text)
    for said in (
        f"врач: {doctor.short_name} → {other.short_name}", f"источник: — → {source.name}",
        f"представитель: — → {mother.full_name}", "скидка в процентах: — → 3;", "причина скидки: — → Пенсионер",
        "+7 903 765-43-21 свой, +7 495 111-22-33 работа (не для СМС)",
        "Информированное согласие на лечение; дано: 20.01.2026", "Договор на платные медицинские услуги; номер: 5",
    ):  # fmt: skip
        assert said in page, said


def test_signs_that_are_not_kept_and_a_tag_that_is_none_are_answered_with_a_sentence(
    client_of: Any, make: Maker
) -> None:
    one, tag = make.patient(), make._save(PatientTag(name=f"Метка {uuid4().hex[:6]}"))
    erased = client_of("director").post(
        f"/erasing/{one.id}",
        data={"number": str(one.card_number), "asked_on": clock.today().isoformat(), "reason": "Письмо\x00 1"},
    )
    assert erased.status_code == 422 and "Некоторые поля заполнены неверно" in erased.text
    survey = {"day": clock.today().isoformat(), "answer_allergy": "yes", "comment_allergy": "лидо\x00каин"}
    answered = client_of("administrator").post(f"/surveys/patient/{one.id}/new", data=survey)
    assert answered.status_code == 422 and 'class="alert alert-danger"' in answered.text
    sent = {**VALUES, "version": "1", "tags_shown": "1", "tag_ids": [str(tag.id), "999999"]}
    edited = client_of("administrator").post(f"/patients/{one.id}/edit", data=sent)
    assert edited.status_code == 422 and edited.text.count("field-error") == 1


def test_the_phone_of_the_guardian_stands_on_the_childs_card(client_of: Any, make: Maker) -> None:
    mother = make.patient("Опекунова", phone="+79037654399")
    child = make._save(
        Patient(surname="Опекунов", name="Ян", birth_date=date(2020, 1, 2), guardian_id=mother.id, status="draft")
    )
    page = client_of("administrator").get(f"/patients/{child.id}").text
    assert "Тел. представителя" in page and "+7 903 765-43-99" in page and "заполните телефон" in page
    assert "Тел. представителя" not in client_of("administrator").get(f"/patients/{mother.id}").text
    assert 'data-been="был(а)"' in page


def test_an_archived_card_is_found_by_its_number_where_one_looks_for_cards(
    client_of: Any, make: Maker, program: Any
) -> None:
    one, clerk = make.patient("Архивова", status="archived", archive_reason="Переезд"), client_of("administrator")
    link = f'href="/patients/{one.id}"'
    page = clerk.get(f"/patients/?q={one.card_number}").text
    assert link in page and "В архиве" in page
    assert link not in clerk.get(f"/patients/?q=архивова {one.card_number}").text
    asked = f"patients/?q={one.card_number}"
    found = program("administrator").get(f"{asked}&archived_number=1").json["result"]
    assert [row["status"] for row in found if row["id"] == one.id] == ["archived"]
    assert one.id not in [row["id"] for row in program("administrator").get(asked).json["result"]]
    assert one.id not in [row["id"] for row in clerk.get(f"/lookup/patients?q={one.card_number}").json["results"]]
    assert link not in client_of("doctor").get(f"/patients/?q={one.card_number}").text


def test_the_lookup_gives_what_the_select_takes(client_of: Any, make: Maker) -> None:
    for _ in range(21):
        make.patient("Выборкин")
    clerk = client_of("administrator")
    first = clerk.get("/lookup/patients?q=выборкин").json
    assert len(first["results"]) == 20 and first["pagination"] == {"more": True}
    assert set(first["results"][0]) == {"id", "text"} and "Выборкин" in first["results"][0]["text"]
    second = clerk.get("/lookup/patients?q=выборкин&page=2").json
    assert len(second["results"]) == 1 and second["pagination"] == {"more": False}
    assert second["results"][0]["id"] not in [row["id"] for row in first["results"]]


def test_only_the_senior_archives(client_of: Any, make: Maker) -> None:
    one = make.patient("Прощаев")
    address = f"/patients/{one.id}"
    for who in ("administrator", "doctor", "sysadmin"):
        assert client_of(who).post(f"{address}/archive", data={"reason": "Переехал"}).status_code == 403, who
    assert f'action="{address}/archive"' not in client_of("administrator").get(address).text
    senior = client_of("senior")
    assert f'action="{address}/archive"' in senior.get(address).text
    assert senior.post(f"{address}/archive", data={"reason": " "}).status_code == 302
    assert session.get_one(Patient, one.id, populate_existing=True).status == "active"  # no reason, no archive
    assert senior.post(f"{address}/archive", data={"reason": "Переехал"}).status_code == 302
    assert session.get_one(Patient, one.id, populate_existing=True).status == "archived"
    assert "Переехал" in senior.get(address).text and "/schedule/?patient=" not in senior.get(address).text


def test_a_doctor_opens_own_cards_and_starts_none(client_of: Any, make: Maker) -> None:
    from app import access

    doctor = client_of("doctor")
    own, strange = make.patient("Своев"), make.patient("Чужев")
    employee = access.load(make.user("doctor").id).account.employee_id  # type: ignore[union-attr]
    session.get_one(Patient, own.id).doctor_id = employee
    session.commit()
    assert doctor.get(f"/patients/{own.id}").status_code == 200
    for path in ("", "/edit", "/history"):
        assert doctor.get(f"/patients/{strange.id}{path}").status_code == 403, path
    assert doctor.post(f"/patients/{strange.id}/edit", data={**VALUES, "version": "1"}).status_code == 403
    assert "Своев" in doctor.get("/patients/?q=своев").text
    assert f"/patients/{strange.id}" not in doctor.get("/patients/?q=чужев").text
    assert doctor.get("/lookup/patients?q=чужев").json["results"] == []
    assert doctor.get("/patients/new").status_code == 403 and "/patients/new" not in doctor.get("/patients/").text
    assert doctor.post("/patients/new", data=VALUES).status_code == 403


def test_outsiders(app: Flask, client_of: Any, make: Maker) -> None:
    pk = make.patient().id
    for path in ("/patients/", f"/patients/{pk}", f"/patients/{pk}/edit", "/patients/new", "/lookup/patients"):
        assert app.test_client().get(path).headers["Location"].startswith("/login/"), path
        assert client_of("sysadmin").get(path).status_code == 403, path
