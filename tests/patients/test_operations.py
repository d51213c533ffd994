"""Cards: new, changed, changed by two at once, archived; and finding them."""

import threading
from datetime import date, datetime

import pytest
from flask import Flask

from app import access, audit
from app.db import session, transaction
from app.errors import CardArchived, Invalid, NotAllowed, Stale
from app.patients import operations, queries
from tests.conftest import Maker, counted_statements


def test_a_new_card(make: Maker) -> None:
    clerk = access.load(make.user().id)
    with transaction():
        patient = operations.create_card(
            {"surname": "  королёва", "name": "Алёна", "birth_date": date(1990, 2, 3), "phone": "8 916 777-66-55"},
            actor=clerk,
        )
    assert (patient.full_name, patient.status, patient.phones[0].number) == ("Королёва Алёна", "active", "+79167776655")
    assert [event.action for event in audit.history(patient)] == ["card.created"]


@pytest.mark.parametrize(
    "values",
    [
        {"surname": "", "name": "Анна"},
        {"surname": "Иванова", "name": "Анна", "phone": "123"},
        {"surname": "Иванова", "name": "Анна", "birth_date": date(2190, 1, 1)},
        {"surname": "Иванова", "name": "Анна", "source_id": 999999},
        {"surname": "Иванова", "name": "Анна", "sex": "other"},
    ],
)
def test_a_wrong_card_is_not_written(make: Maker, values: dict) -> None:
    before = queries.find("Иванова Анна")[0]
    with pytest.raises(Invalid), transaction():
        operations.create_card(values, actor=None)
    assert queries.find("Иванова Анна")[0] == before


def test_an_edit_completes_a_draft_and_is_logged(make: Maker) -> None:
    with transaction():
        patient = operations.create_card({"surname": "Чернов", "name": "Олег"}, actor=None)
    assert patient.status == "draft"
    with transaction():
        operations.edit_card(
            patient.id, 1, {"birth_date": date(1980, 1, 1), "phone": "9160001122"}, actor=access.load(make.user().id)
        )
    assert (patient.status, patient.version) == ("active", 2)
    event = audit.history(patient)[-1]
    assert event.before == {"birth_date": None, "status": "draft", "phone": ""}
    assert event.after["birth_date"] == "1980-01-01"


def test_two_edits_at_once_one_is_stale(app: Flask, make: Maker) -> None:
    """Both read version 1; one saves, the other is told, and the first one's word stays."""
    pk = make.patient().id
    barrier, outcomes = threading.Barrier(2), []

    def edit(comment: str) -> None:
        with app.app_context():
            barrier.wait()
            try:
                with transaction():
                    operations.edit_card(pk, 1, {"comment": comment}, actor=None)
                outcomes.append(("saved", comment))
            except Stale as refusal:
                outcomes.append(("stale", refusal.facts["current"]["comment"]))

    threads = [threading.Thread(target=edit, args=(text,)) for text in ("первый", "второй")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = dict(outcomes)
    assert set(kinds) == {"saved", "stale"}
    assert kinds["stale"] == kinds["saved"]


def test_the_archive(make: Maker) -> None:
    patient = make.patient()
    with transaction():
        operations.archive_card(patient.id, "Переехал", actor=None)
    with pytest.raises(CardArchived), transaction():
        operations.edit_card(patient.id, 2, {"comment": "?"}, actor=None)
    number = str(patient.card_number)
    assert patient.id not in [row["id"] for row in queries.find(number)[1]]
    assert patient.id in [row["id"] for row in queries.find(number, archived=True)[1]]
    with pytest.raises(NotAllowed), transaction():
        operations.restore_card(patient.id, actor=access.load(make.user("administrator").id))
    with transaction():
        operations.restore_card(patient.id, actor=access.load(make.user("senior").id))
    assert patient.id in [row["id"] for row in queries.find(number)[1]]
    assert [event.action for event in audit.history(patient)] == ["card.archived", "card.restored"]


def test_a_doctor_edits_own_patients_only(make: Maker) -> None:
    doctor = access.load(make.user("doctor").id)
    assert doctor
    stranger, own = make.patient(), make.patient()
    with transaction():
        session.merge(own).doctor_id = doctor.account.employee_id
    with transaction():
        operations.edit_card(own.id, 1, {"comment": "мой"}, actor=doctor)
    with pytest.raises(NotAllowed), transaction():
        operations.edit_card(stranger.id, 1, {"comment": "чужой"}, actor=doctor)


def test_finding(make: Maker) -> None:
    """Words in any order, ё as е, the phone's end, the card's number; who does not match is not there."""
    one = make.patient("Жёлтиков", phone="+79165550187", name="Фёдор", patronymic="Львович")
    make.patient("Желтиков", name="Иван")
    for typed in (
        "жёлтиков",
        "Желт фед",
        "фёд жел",
        "львов желтик",
        "0187 желтиков",
        str(one.card_number),
        "555-01-87",
        "8 916 555 01 87",
    ):
        assert one.id in [row["id"] for row in queries.find(typed)[1]], typed
    for typed in ("лтиков", "жёлтиков пётр", "9999999", "%", "_", "' OR 1=1"):
        assert one.id not in [row["id"] for row in queries.find(typed)[1]], typed


def test_a_search_costs_two_statements(app: Flask, make: Maker) -> None:
    make.patient("Счётчиков")
    for typed in ("счётчиков", "4567", ""):
        with counted_statements(app) as seen:
            queries.find(typed)
        assert len(seen) <= 4, (typed, seen)


def test_duplicates_are_seen(make: Maker) -> None:
    one = make.patient("Двойников", phone="+79165550999", birth_date=date(1985, 5, 5))
    by_name = queries.possible_duplicates("Двойников", "Иван", date(1985, 5, 5), None)
    by_phone = queries.possible_duplicates("Другой", "Иван", None, "+79165550999")
    nobody = queries.possible_duplicates("Двойников", "Иван", date(1999, 1, 1), None)
    assert [row["id"] for row in by_name] == [row["id"] for row in by_phone] == [one.id]
    assert nobody == []


def test_statistics_count_what_happened(make: Maker) -> None:
    patient, doctor = make.patient(), make.doctor()
    reason = make._save(__import__("app.models", fromlist=["CancelReason"]).CancelReason(name="Статистика"))
    day = datetime(2026, 3, 2, 10)
    make.appointment(patient, doctor, day, status="completed", moves=2)
    make.appointment(patient, doctor, day.replace(day=3), status="completed")
    make.appointment(patient, doctor, day.replace(day=4), status="no_show")
    for n, by in enumerate(("patient", "clinic")):
        make.appointment(
            patient, doctor, day.replace(day=5 + n), status="cancelled", cancelled_by=by, cancel_reason_id=reason.id,
            late_cancel=by == "patient",
        )  # fmt: skip
    make.appointment(patient, doctor, datetime(2100, 1, 1, 9))
    found = queries.statistics(patient.id)
    assert (found["total"], found["completed"], found["no_shows"], found["moves"]) == (6, 2, 1, 2)
    assert (found["cancelled_by_patient"], found["cancelled_by_clinic"], found["late_cancellations"]) == (1, 1, 1)
    assert (found["first_visit"], found["last_visit"]) == (day, day.replace(day=3))
    assert found["next_visit"] == datetime(2100, 1, 1, 9)
    with transaction():
        session.merge(patient).doctor_id = doctor.id
    seen = operations.look_at(patient.id, actor=make.user("director"))
    assert seen is not None
    assert seen.figures == found and (seen.doctor, seen.merged) == (doctor.short_name, False)
    assert seen.by_doctor == [(doctor.short_name, 2, day.replace(day=3))]


def test_typing_the_second_phone_drops_the_first(make: Maker) -> None:
    from app.models import Patient, PatientPhone

    one = make.patient(phone="+79161110001")
    make._save(PatientPhone(patient_id=one.id, number="+79161110002", owner="мама"))
    with transaction():
        operations.edit_card(one.id, 1, {"phone": "8 916 111-00-02"}, actor=None)
    session.expire_all()
    assert [(p.number, p.owner) for p in session.get_one(Patient, one.id).phones] == [("+79161110002", "мама")]


def test_saving_what_stands_there_already_leaves_no_trace(make: Maker) -> None:
    one = make.patient(birth_date=date(1980, 1, 1), comment="Так")
    with transaction():
        operations.edit_card(one.id, 1, {"comment": "Так"}, actor=None)
    assert session.merge(one).version == 1 and audit.history(one) == []
