# ruff: noqa: E501  a statement is read whole
"""The health questionnaire: what may be answered, what of it is shown where, and that nothing of it is lost."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from app import access, clock
from app.cli import MIGRATIONS
from app.db import session, transaction
from app.documents import operations as documents
from app.errors import CardArchived, Invalid, NotAllowed, Refusal
from app.models import AuditEvent, ClinicSetting, HealthSurvey, Patient
from app.patients import operations, queries
from app.patients.rules import survey as rules
from app.vocab import Answer
from tests.conftest import Maker, counted_statements
from tests.documents.test_papers import words_of
from tests.test_models import refused_by
from tests.test_races import together

TODAY = clock.today()
RED = {"allergy": ("yes", "лидокаин"), "blood": ("yes", "варфарин"), "infection": ("yes", "гепатит C"),
       "diabetes": ("no", ""), "heart": ("unknown", ""), "habits": ("yes", "курит")}  # fmt: skip
ALERTS = [["allergy", "лидокаин"], ["blood", ""], ["infection", ""]]
NOW_WELL = {key: ("no", "") for key, _ in ALERTS}


def add(make: Maker, pk: int, answers: Any = RED, day: date = TODAY, by: str = "administrator", **more: Any) -> int:
    with transaction():
        return operations.add_survey(pk, day, answers, more, actor=make.user(by)).id


def on_card(pk: int) -> tuple[date | None, list[list[str]]]:
    card = session.get_one(Patient, pk, populate_existing=True)
    return card.surveyed_on, card.health_alerts


def own_patient(make: Maker, **values: Any) -> Any:
    employee = access.load(make.user("doctor").id).account.employee_id  # type: ignore[union-attr]
    return make.patient(doctor_id=employee, **values)


answers = st.dictionaries(st.sampled_from(list(rules.QUESTIONS)), st.tuples(st.sampled_from(list(Answer)), st.text()))


@given(answers, st.none() | st.integers(1, 42))
def test_an_alert_is_a_dangerous_yes_and_says_no_more_than_it_may(given: Any, weeks: int | None) -> None:
    kept = {key: [answer, comment] for key, (answer, comment) in given.items()}
    found = dict(map(tuple, rules.alerts(kept, weeks)))
    for key, one in rules.QUESTIONS.items():
        assert (key in found) == (bool(one.alert) and kept.get(key, [""])[0] == "yes")
        if key in found and not one.tells:
            assert found[key] == ""
    assert list(found) == [key for key in rules.QUESTIONS if key in found]


@pytest.mark.parametrize(
    ("given", "sex", "field"),
    [
        ({}, None, "answers"), ({"heart": ("", "")}, None, "answers"), ({"heart": ("", "давление")}, None, "heart"),
        ({"heart": ("maybe", "")}, None, "heart"), ({"nose": ("yes", "")}, None, "nose"),
        ({"heart": ("yes", "а" * 301)}, None, "heart"), ({"pregnancy": ("yes", "")}, "male", "pregnancy"),
    ],
)  # fmt: skip
def test_what_is_no_answer(given: Any, sex: str | None, field: str) -> None:
    with pytest.raises(Invalid) as wrong:
        rules.answers(given, sex)
    assert field in wrong.value.facts["fields"]


@pytest.mark.parametrize(
    ("on", "old"),
    [(None, False), (date(2026, 11, 23), False), (date(2025, 11, 24), False), (date(2025, 11, 23), True),
     (date(2020, 2, 29), True)],
)  # fmt: skip
def test_when_it_is_old(on: date | None, old: bool) -> None:
    assert rules.is_old(on, 12, date(2026, 11, 23)) is old


def test_the_newest_by_its_day_counts_and_the_older_ones_stay(make: Maker) -> None:
    pk = make.patient().id
    add(make, pk)
    assert on_card(pk) == (TODAY, ALERTS)
    add(make, pk, {"diabetes": ("yes", "")}, TODAY - timedelta(days=30))  # an older paper found later
    assert on_card(pk) == (TODAY, ALERTS)
    add(make, pk, {**NOW_WELL, "pregnancy": ("yes", "")}, pregnancy_weeks=12)
    assert on_card(pk) == (TODAY, [["pregnancy", "12"]])
    add(make, pk, {"pregnancy": ("no", "")})
    assert on_card(pk) == (TODAY, [])
    assert len(queries.surveys_of(pk)) == 4 and queries.newest_survey(pk).alerts == []  # type: ignore[union-attr]


def test_a_partial_questionnaire_clears_no_alert(make: Maker, client_of: Any) -> None:
    pk, clerk = make.patient(sex="male").id, client_of("administrator")
    add(make, pk, day=TODAY - timedelta(days=1))
    sent = {"day": TODAY.isoformat(), "answer_glaucoma": "no", "comment_glaucoma": "проверял", "answer_blood": "yes"}
    answer = clerk.post(f"/surveys/patient/{pk}/new", data=sent)
    assert answer.status_code == 422 and 'value="проверял"' in answer.text
    assert answer.text.count("В прежней анкете было «да»: ответьте, как сейчас.") == 2  # allergy, infection
    assert on_card(pk) == (TODAY - timedelta(days=1), ALERTS)
    answered = {**sent, "answer_allergy": "yes", "comment_allergy": "артикаин", "answer_infection": "no"}
    assert clerk.post(f"/surveys/patient/{pk}/new", data=answered).status_code == 303
    assert on_card(pk) == (TODAY, [["allergy", "артикаин"], ["blood", ""]])
    with pytest.raises(Invalid) as wrong:
        add(make, pk, {"heart": ("", "давление")})
    assert set(wrong.value.facts["fields"]) == {"heart", "allergy", "blood"}


def test_a_question_that_is_asked_no_more_is_not_insisted_on() -> None:
    assert rules.answers({"heart": ("no", "")}, "male", ["pregnancy", "nose"]) == {"heart": ["no", ""]}


def test_a_flag_stands_until_a_clear_no(make: Maker, client_of: Any) -> None:
    """«Не знаю» is no «no», and neither is silence, whatever way the questionnaire came into the database."""
    pk, clerk = make.patient(sex="female").id, client_of("administrator")
    add(make, pk, day=TODAY - timedelta(days=30))
    unknown = {key: ("unknown", "") for key, _ in ALERTS}
    add(make, pk, unknown, TODAY - timedelta(days=20))
    assert on_card(pk) == (TODAY - timedelta(days=20), ALERTS)
    form = clerk.get(f"/surveys/patient/{pk}/new").text
    assert "раньше: Да: лидокаин" in form
    with transaction():  # past the program
        session.add(HealthSurvey(patient_id=pk, day=TODAY - timedelta(days=10), answers={"heart": ["yes", ""]},
                                 alerts=[["heart", ""]]))  # fmt: skip
    assert on_card(pk) == (TODAY - timedelta(days=10), [["heart", ""], *ALERTS])
    card = clerk.get(f"/patients/{pk}").text
    assert "Аллергия: лидокаин; Сердце и сосуды; Свёртываемость" in card  # in the order of the paper
    with pytest.raises(Invalid) as wrong:
        add(make, pk, {"heart": ("no", ""), "blood": ("unknown", "")})
    assert set(wrong.value.facts["fields"]) == {"allergy", "infection"}
    add(make, pk, {**NOW_WELL, "heart": ("unknown", ""), "allergy": ("yes", "артикаин")})
    assert on_card(pk) == (TODAY, [["allergy", "артикаин"], ["heart", ""]])
    add(make, pk, {"heart": ("no", ""), "allergy": ("no", "")})
    assert on_card(pk) == (TODAY, [])


def test_an_older_paper_found_later_raises_what_nobody_denied(make: Maker) -> None:
    pk = make.patient().id
    add(make, pk, {"allergy": ("unknown", ""), "blood": ("no", "")})
    add(make, pk, day=TODAY - timedelta(days=30))
    assert on_card(pk) == (TODAY, [["allergy", "лидокаин"], ["infection", ""]])


def test_a_flag_of_a_woman_is_taken_from_a_man(make: Maker, client_of: Any) -> None:
    pk, clerk = make.patient(sex="female").id, client_of("administrator")
    add(make, pk, {"pregnancy": ("yes", "")}, TODAY - timedelta(days=5), pregnancy_weeks=12)
    with transaction():
        session.get_one(Patient, pk).sex = "male"
    assert on_card(pk)[1] == [["pregnancy", "12"]]
    assert 'name="answer_pregnancy"' in clerk.get(f"/surveys/patient/{pk}/new").text
    sent = {"day": TODAY.isoformat(), "answer_pregnancy": "no"}
    assert clerk.post(f"/surveys/patient/{pk}/new", data=sent).status_code == 303
    assert on_card(pk) == (TODAY, [])
    assert 'name="answer_pregnancy"' not in clerk.get(f"/surveys/patient/{pk}/new").text


def test_flags_that_were_taken_away_stand_again_after_the_update(fresh_app: Flask) -> None:
    with fresh_app.app_context():
        make = Maker()
        pk, other = make.patient().id, make.patient().id
        session.commit()  # a table that is being read is not rebuilt
        downgrade(directory=str(MIGRATIONS), revision="20261205_gone")
        for day, answer, alerts in (("2026-01-01", "yes", '[["allergy", "йод"]]'), ("2026-02-01", "unknown", "[]")):
            for whose in (pk, other):
                session.execute(
                    text("INSERT INTO health_survey (patient_id, day, answers, alerts) VALUES (:pk, :day, CAST(:said AS jsonb), CAST(:alerts AS jsonb))"),
                    {"pk": whose, "day": day, "said": f'{{"allergy": ["{answer if whose == pk else "no"}", ""]}}',
                     "alerts": alerts if whose == pk else "[]"},
                )  # fmt: skip
        session.commit()
        alerts_of = text("SELECT health_alerts FROM patient WHERE id = :pk")
        assert session.scalar(alerts_of, {"pk": pk}) == []
        session.commit()
        upgrade(directory=str(MIGRATIONS))
        assert session.scalar(alerts_of, {"pk": pk}) == [["allergy", "йод"]]
        assert session.scalar(alerts_of, {"pk": other}) == []
        assert (
            refused_by("UPDATE patient SET health_alerts = '[]' WHERE id = :pk", pk=pk)
            == "ck_patient_health_kept_by_surveys"
        )


def test_the_log_tells_the_day_and_no_answer(make: Maker) -> None:
    pk = make.patient().id
    add(make, pk, complaints="болит")
    [event] = session.scalars(
        select(AuditEvent).where(AuditEvent.patient_id == pk, AuditEvent.action == "survey.added")
    )
    assert (event.before, event.after) == (None, {"day": TODAY.isoformat()})


@pytest.mark.parametrize("day", [TODAY + timedelta(days=1), date(1989, 12, 31)])
def test_a_wrong_day(make: Maker, day: date) -> None:
    pk = make.patient(birth_date=date(1990, 1, 1)).id
    with pytest.raises(Invalid):
        add(make, pk, day=day)


def test_who_may_not(make: Maker) -> None:
    pk, own = make.patient().id, own_patient(make).id
    add(make, own, by="doctor")
    for who in ("doctor", "sysadmin"):
        with pytest.raises(NotAllowed):
            add(make, pk, by=who)
    with transaction():
        operations.archive_card(pk, "уехал", actor=make.user("senior"))
    with pytest.raises(CardArchived):
        add(make, pk)
    assert queries.surveys_of(pk) == []


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE health_survey SET day = day", "ck_health_survey_append_only"),
        ("DELETE FROM health_survey", "ck_health_survey_append_only"),
        ("TRUNCATE health_survey", "ck_health_survey_append_only"),
        ("UPDATE patient SET health_alerts = '[]' WHERE id = :pk", "ck_patient_health_kept_by_surveys"),
        ("UPDATE patient SET surveyed_on = NULL WHERE id = :pk", "ck_patient_health_kept_by_surveys"),
        ("INSERT INTO health_survey (patient_id, day, answers, alerts) VALUES (:pk, now(), '{}', '[]')", "ck_health_survey_answered"),
        ("INSERT INTO health_survey (patient_id, day, answers, alerts) VALUES (:pk, now(), '{\"a\": []}', '{}')", "ck_health_survey_alerts_listed"),
        ("UPDATE clinic_setting SET survey_months = 0", "ck_clinic_setting_survey_months_sane"),
    ],
)  # fmt: skip
def test_the_database_keeps_what_was_said(make: Maker, statement: str, name: str) -> None:
    pk = make.patient().id
    add(make, pk)
    assert refused_by(statement, **({"pk": pk} if ":pk" in statement else {})) == name


def test_many_surveys_at_once(app: Flask, make: Maker) -> None:
    """Whoever comes when: on the card stands the newest clear answer to each question. Also past the operation's lock."""
    pk, desk = make.patient().id, make.user()
    days = [TODAY - timedelta(days=n) for n in range(6)]

    def raw(day: date) -> Any:
        session.add(HealthSurvey(patient_id=pk, day=day, answers={"heart": ["yes", ""]}, alerts=[["heart", str(day)]]))
        session.flush()
        return True

    deeds: list[Any] = [lambda day=day: raw(day) for day in days]
    deeds += [lambda day=day: operations.add_survey(pk, day, RED, {}, actor=desk).id for day in days[1:]]
    results = together(app, deeds)
    assert not [one for one in results if isinstance(one, Exception)], results
    assert on_card(pk) == (TODAY, [["heart", str(TODAY)], *ALERTS])
    assert len(queries.surveys_of(pk)) == len(deeds)


def test_surveys_go_with_a_merged_card_and_come_back(make: Maker) -> None:
    a, b = make.patient("Анкетина").id, make.patient("Анкетина").id
    add(make, a)
    add(make, b, {"diabetes": ("yes", "")}, TODAY - timedelta(days=1))
    with transaction():
        done = operations.merge_cards(a, b, {}, "Одна", actor=make.user("senior")).id
    assert on_card(b) == (TODAY, ALERTS) and on_card(a) == (None, [])
    with transaction():
        operations.part_cards(done, actor=make.user("senior"))
    assert on_card(a) == (TODAY, ALERTS)
    assert on_card(b) == (TODAY - timedelta(days=1), [["diabetes", ""]])


def test_written_down_on_the_page_and_shown_on_the_card(make: Maker, client_of: Any) -> None:
    pk, clerk = make.patient("Красная", allergy="пенициллин").id, client_of("administrator")
    form = clerk.get(f"/surveys/patient/{pk}/new").text
    assert "в карте: пенициллин" in form and form.count('type="radio"') == 3 * len(rules.QUESTIONS)
    sent = {"day": TODAY.isoformat(), "answer_allergy": "yes", "comment_allergy": "<b>лидокаин</b>",
            "answer_infection": "yes", "comment_infection": "ВИЧ", "pregnancy_weeks": "", "complaints": "болит"}  # fmt: skip
    wrong = clerk.post(f"/surveys/patient/{pk}/new", data={**sent, "comment_heart": "давление"})
    assert wrong.status_code == 422 and "Выберите ответ" in wrong.text and 'value="давление"' in wrong.text
    for odd in ({"day": "2999-01-01"}, {"day": "x"}, {"pregnancy_weeks": "99"}, {"pregnancy_weeks": "7"},
                {"answer_heart": "perhaps"}, {"complaints": "я" * 2001}, {"comment_allergy": "я" * 301}):  # fmt: skip
        answer = clerk.post(f"/surveys/patient/{pk}/new", data={**sent, **odd})
        assert (answer.status_code == 422 and "болит" in answer.text) or "complaints" in odd, odd
    assert queries.surveys_of(pk) == []
    assert clerk.post(f"/surveys/patient/{pk}/new", data=sent).status_code == 303
    card = clerk.get(f"/patients/{pk}").text
    assert "Аллергия: &lt;b&gt;лидокаин&lt;/b&gt;; см. анкету" in card and "ВИЧ" not in card
    tab = clerk.get(f"/surveys/patient/{pk}").text
    assert "ВИЧ" in tab and "болит" in tab and "устарела" not in tab


def test_the_term_of_the_settings(make: Maker, client_of: Any) -> None:
    pk, clerk = make.patient(birth_date=date(1980, 1, 1)).id, client_of("administrator")
    lacking = f"/patients/{pk}/lacking"
    assert "анкета о здоровье" in clerk.get(lacking).text
    long_ago = TODAY - timedelta(days=250)
    add(make, pk, day=long_ago)
    assert "анкета о здоровье" not in clerk.get(lacking).text
    with transaction():
        session.get_one(ClinicSetting, 1).survey_months = 6
    try:
        said = clerk.get(lacking).text
        assert f"{long_ago:%d.%m.%Y}" in said and f"/surveys/patient/{pk}/new" in said
        assert "устарела" in clerk.get(f"/surveys/patient/{pk}").text
    finally:
        with transaction():
            session.get_one(ClinicSetting, 1).survey_months = 12


def test_what_a_card_lacks(make: Maker) -> None:
    full = make.patient(birth_date=date(1980, 1, 1), identity_text="паспорт")
    for kind in ("personal_data", "treatment"):
        with transaction():
            operations.give_consent(full.id, kind, actor=make.user())
    add(make, full.id)
    session.expire_all()
    assert queries.lacking(full) == []
    child = make.patient(birth_date=TODAY - timedelta(days=3000))
    assert [one.what for one in queries.lacking(child)] == [
        "guardian", "identity", "personal_data", "treatment", "survey",
    ]  # fmt: skip


def test_the_flag_in_the_schedule_and_on_its_papers(make: Maker, client_of: Any, program: Any, app: Flask) -> None:
    patient, doctor = make.patient("Флагова"), make.doctor()
    day = TODAY + timedelta(days=300)
    visit = make.appointment(patient, doctor, datetime.combine(day, time(10)))
    desk = program("administrator")
    before = desk.get(f"schedule/day?day={day}")
    add(make, patient.id)
    after = desk.get(f"schedule/day?day={day}", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    [told] = [row for row in after.json["appointments"] if row["id"] == visit.id]
    assert told["patient"]["alerts"] == ALERTS
    assert desk.get(f"appointments/{visit.id}").json["patient"]["alerts"] == ALERTS
    clerk = client_of("administrator")
    assert '"alerts": {' in clerk.get("/schedule/").text
    page = clerk.get(f"/schedule/print?day={day}&doctor={doctor.id}").text
    assert "Аллергия: лидокаин; Свёртываемость, антикоагулянты; см. анкету" in page
    assert "гепатит" not in page and "варфарин" not in page


def test_the_paper_has_boxes_and_then_answers(make: Maker) -> None:
    patient, desk = make.patient("Бумажная", sex="female", allergy="йод"), make.user()
    with transaction():
        issued = documents.issue("health_questionnaire", patient.id, actor=desk).id
    blank = words_of(make.printed(issued))
    assert "☒" not in blank and blank.count("☐") == 3 * len(rules.QUESTIONS) and "йод" in blank
    add(make, patient.id, {**RED, "pregnancy": ("yes", "двойня")}, pregnancy_weeks=20, last_dentist="в мае")
    session.expire_all()
    with transaction():
        issued = documents.issue("health_questionnaire", patient.id, actor=desk).id
    filled = words_of(make.printed(issued))
    assert filled.count("☒") == 7 and "варфарин" in filled and "20 нед.; двойня" in filled and "в мае" in filled
    assert "Сахарный диабет" in filled and "Diabetes" not in filled


def test_outsiders(make: Maker, client_of: Any, app: Flask) -> None:
    strange, own = make.patient(), own_patient(make)
    paths = [f"/surveys/patient/{strange.id}", f"/surveys/patient/{strange.id}/new", f"/patients/{strange.id}/lacking"]
    for who in ("doctor", "sysadmin"):
        for path in paths:
            assert client_of(who).get(path).status_code == 403, (who, path)
        sent = {"day": TODAY.isoformat(), "answer_heart": "no"}
        assert client_of(who).post(paths[1], data=sent).status_code == 403
    for path in paths:
        assert app.test_client().get(path).status_code == 302
        assert client_of("doctor").get(path.replace(str(strange.id), str(own.id))).status_code == 200
    assert client_of("director").get("/surveys/patient/999999").status_code == 404
    assert queries.surveys_of(strange.id) == []


def test_the_day_is_still_read_in_as_many_statements(make: Maker, program: Any, app: Flask) -> None:
    from app.schedule import queries as schedule

    for n in range(3):
        patient = make.patient()
        add(make, patient.id)
        make.appointment(patient, make.doctor(), datetime.combine(TODAY + timedelta(days=310), time(9 + n)))
    with counted_statements(app) as seen:
        sheet = schedule.day_sheet(TODAY + timedelta(days=310))
    assert len(seen) == 2 and len([row for row in sheet.appointments if row["patient"]["alerts"]]) == 3


def test_a_refusal_is_a_refusal(make: Maker) -> None:
    with pytest.raises(Refusal):
        add(make, 999_999)
