# ruff: noqa: E501  a statement is read whole
"""The medical card 043/у and its diary: what may be written, by whom, that nothing is lost, and what is printed."""

import io
from datetime import timedelta
from typing import Any

import pypdf
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app import access, clock
from app.db import Busy, session, transaction
from app.documents import operations as documents
from app.errors import CardArchived, Invalid, NotAllowed, NotFound, Stale
from app.models import AuditEvent, DiaryEntry, Employee, MedicalRecord, Patient
from app.patients import operations, queries
from app.patients.rules import medical as rules
from app.vocab import TEETH
from tests.conftest import Maker
from tests.documents.test_papers import words_of
from tests.patients.test_surveys import own_patient
from tests.test_models import refused_by
from tests.test_races import together

TODAY = clock.today()
SECRET = "Пульпит острый"


def save(make: Maker, pk: int, after: int | None = None, by: str = "doctor", **values: Any) -> int:
    with transaction():
        return operations.save_record(pk, after, values, actor=make.user(by)).id


def write(make: Maker, pk: int, by: str = "doctor", corrects: int | None = None, **values: Any) -> int:
    with transaction():
        values = {"treatment": "пломба", **values}
        return operations.write_diary(pk, TODAY, values, corrects_id=corrects, actor=make.user(by)).id


@pytest.mark.parametrize(
    ("typed", "signs"),
    [
        ("", ""), ("с", "С"), ("c", "С"), ("П С", "С, П"), ("пс", "С, П"), ("pt", "Pt"), ("рт", "Pt"), ("Рт, 2", "Pt, II"),
        ("iii", "III"), ("III П", "П, III"), ("о", "О"), ("0", "О"), ("R;К", "R, К"), ("И", "И"), ("I", "I"), ("АI", "А, I"),
        ("С, С", "С"),
    ],
)  # fmt: skip
def test_marks_as_they_are_typed(typed: str, signs: str) -> None:
    found = rules.marks(typed)
    assert found is not None and rules.signs_of(found) == signs
    assert rules.marks(rules.signs_of(found)) == found


@pytest.mark.parametrize("typed", ["х", "Z", "пломба", "4", "<b>", "П+"])
def test_what_is_no_mark(typed: str) -> None:
    with pytest.raises(Invalid) as wrong:
        rules.formula({"18": typed})
    assert "tooth_18" in wrong.value.facts["fields"]


@given(st.sets(st.sampled_from(list(rules.MARKS))))
def test_every_set_of_marks_is_read_as_it_is_written(marks: set[str]) -> None:
    written = rules.signs_of(sorted(marks, key=list(rules.MARKS).index))
    assert set(rules.marks(written) or []) == marks


def test_the_chart_has_every_tooth_once() -> None:
    assert [len(row) for row in TEETH] == [16, 16, 10, 10] and len(rules.KNOWN_TEETH) == 52
    with pytest.raises(Invalid):
        rules.formula({"19": "П"})


@pytest.mark.parametrize(
    ("typed", "code"), [("K02.1", "K02.1"), ("к02,1", "K02.1"), (" z01.2 ", "Z01.2"), ("K08", "K08"), ("", "")]
)
def test_codes_of_diseases(typed: str, code: str) -> None:
    assert rules.icd(typed) == code


@pytest.mark.parametrize("typed", ["02.1", "K2.1", "K02.", "K02.123", "KK02", "Ш02", "K02.1; DROP"])
def test_what_is_no_code(typed: str) -> None:
    with pytest.raises(Invalid):
        rules.icd(typed)


def test_saved_over_the_newest_and_kept_with_all_before(make: Maker) -> None:
    pk = own_patient(make).id
    first = save(make, pk, diagnosis=SECRET, icd="к04.0", formula={"16": "П С", "17": ""}, hygiene_checks=[TODAY])
    second = save(make, pk, first, bite="ортогнатический")
    assert save(make, pk, second, bite="ортогнатический") == second  # nothing changed, nothing written
    row = queries.medical_record(pk)
    assert row is not None and (row.id, row.diagnosis, row.icd, row.bite) == (
        second,
        SECRET,
        "K04.0",
        "ортогнатический",
    )
    assert row.formula == {"16": ["caries", "filling"]} and row.hygiene_checks == [TODAY]
    assert [one.id for one, _ in queries.records_of(pk)] == [second, first]
    for after in (None, first, 999_999):
        with pytest.raises(Stale):
            save(make, pk, after, bite="прямой")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"icd": "ХХ"}, "icd"), ({"formula": {"18": "?"}}, "tooth_18"), ({"formula": {"99": "П"}}, "tooth_99"),
        ({"hygiene_taught_on": TODAY + timedelta(days=1)}, "hygiene_taught_on"),
        ({"hygiene_checks": [TODAY + timedelta(days=1)]}, "hygiene_checks"),
    ],
)  # fmt: skip
def test_what_is_not_saved(make: Maker, values: dict[str, Any], field: str) -> None:
    pk = own_patient(make).id
    with pytest.raises(Invalid) as wrong:
        save(make, pk, **values)
    assert field in wrong.value.facts["fields"] and queries.medical_record(pk) is None


def test_the_log_names_the_parts_and_tells_no_secret(make: Maker, client_of: Any) -> None:
    pk = own_patient(make).id
    save(make, pk, diagnosis=SECRET, formula={"16": "П"})
    write(make, pk, diagnosis=SECRET)
    events = session.scalars(select(AuditEvent).where(AuditEvent.patient_id == pk).order_by(AuditEvent.id)).all()
    assert [one.action for one in events] == ["medical.saved", "diary.written"]
    assert events[0].after == {"parts": ["diagnosis", "formula"]}
    assert SECRET not in str([(one.before, one.after) for one in events])
    history = client_of("administrator").get(f"/patients/{pk}/history").text
    assert "Изменена медицинская карта" in history and SECRET not in history


def test_a_mistake_is_corrected_once_by_its_doctor_and_stays(make: Maker) -> None:
    pk, other = own_patient(make).id, own_patient(make).id
    wrong = write(make, pk, treatment="удалён 16")
    right = write(make, pk, corrects=wrong, treatment="удалён 26")
    with pytest.raises(Stale):
        write(make, pk, corrects=wrong)
    with pytest.raises(NotFound):
        write(make, other, corrects=right)
    second = access.load(make.user("doctor2").id).account.employee_id  # type: ignore[union-attr]
    make.appointment(session.get_one(Patient, pk), session.get_one(Employee, second), clock.wall_now())
    with pytest.raises(NotAllowed):
        write(make, pk, by="doctor2", corrects=right)
    told = [(one.entry.id, one.corrected_by) for one in queries.diary_of(pk)]
    assert told == [(wrong, right), (right, None)]


def test_who_may_write(make: Maker) -> None:
    strange, own = make.patient().id, own_patient(make).id
    for who in ("administrator", "senior", "director", "sysadmin"):
        for deed in (save, write):
            with pytest.raises(NotAllowed):
                deed(make, own, by=who)
    for deed in (save, write):
        with pytest.raises(NotAllowed):
            deed(make, strange)
    with transaction():
        operations.archive_card(own, "уехал", actor=make.user("senior"))
    for deed in (save, write):
        with pytest.raises(CardArchived):
            deed(make, own)
    with pytest.raises(NotAllowed), transaction():  # nobody signs for no doctor
        operations.write_diary(strange, TODAY, {"treatment": "x"}, actor=None)


@pytest.mark.parametrize("values", [{"treatment": " "}, {"icd": "К2"}])
def test_no_entry(make: Maker, values: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        write(make, own_patient(make).id, **values)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        *((f"{what} {table}{rest}", f"ck_{table}_append_only")
          for table in ("medical_record", "diary_entry")
          for what, rest in (("UPDATE", " SET icd = 'A00'"), ("DELETE FROM", ""), ("TRUNCATE", " CASCADE"))),
        ("INSERT INTO medical_record (patient_id) VALUES (:pk)", "ck_medical_record_follows_newest"),
        ("INSERT INTO medical_record (patient_id, after_id, icd) VALUES (:pk, :record, 'x')", "ck_medical_record_icd_code"),
        ("INSERT INTO medical_record (patient_id, after_id, formula) VALUES (:pk, :record, '[]')", "ck_medical_record_formula_of_teeth"),
        ("INSERT INTO diary_entry (patient_id, day, doctor_id, treatment) VALUES (:pk, now(), :doctor, ' ')", "ck_diary_entry_not_blank"),
        ("INSERT INTO diary_entry (patient_id, day, doctor_id, treatment, icd) VALUES (:pk, now(), :doctor, 'x', 'к1')", "ck_diary_entry_icd_code"),
        ("INSERT INTO diary_entry (patient_id, day, doctor_id, treatment, corrects_id) VALUES (:other, now(), :doctor, 'x', :entry)", "ck_diary_entry_corrects_own"),
    ],
)  # fmt: skip
def test_the_database_keeps_what_doctors_wrote(make: Maker, statement: str, name: str) -> None:
    pk = own_patient(make).id
    record, entry = save(make, pk, bite="прямой"), write(make, pk)
    values = {"pk": pk, "record": record, "entry": entry, "doctor": session.get_one(DiaryEntry, entry).doctor_id,
              "other": make.patient().id}  # fmt: skip
    session.rollback()
    assert refused_by(statement, **{key: value for key, value in values.items() if f":{key}" in statement}) == name


def test_many_windows_save_at_once(app: Flask, make: Maker) -> None:
    """Of ten windows that looked at the same saving one saves; the others are told. Also past the operation's lock."""
    pk, doctor = own_patient(make).id, make.user("doctor")
    first = save(make, pk, bite="прямой")

    def raw(n: int) -> Any:
        session.add(MedicalRecord(patient_id=pk, after_id=first, bite=f"сырой {n}"))
        session.flush()
        return True

    deeds: list[Any] = [lambda n=n: raw(n) for n in range(5)]
    deeds += [lambda n=n: operations.save_record(pk, first, {"bite": f"{n}"}, actor=doctor).id for n in range(5)]
    results = together(app, deeds)
    assert sum(not isinstance(one, Exception) for one in results) == 1, results
    assert all(isinstance(one, Stale) for one in results if isinstance(one, Exception)), results
    assert len(queries.records_of(pk)) == 2


def test_many_correct_one_entry_at_once(app: Flask, make: Maker) -> None:
    """One does; past the operation's lock two may also wait crosswise, and one of them is asked to try once more."""
    pk, doctor = own_patient(make).id, make.user("doctor")
    wrong = write(make, pk)

    def raw() -> Any:
        entry = session.get_one(DiaryEntry, wrong)
        session.add(DiaryEntry(patient_id=pk, day=TODAY, doctor_id=entry.doctor_id, treatment="x", corrects_id=wrong))
        session.flush()
        return True

    def by_hand() -> Any:
        return operations.write_diary(pk, TODAY, {"treatment": "y"}, corrects_id=wrong, actor=doctor).id

    results = together(app, [raw, by_hand] * 4)
    assert sum(not isinstance(one, Exception) for one in results) == 1, results
    assert all(isinstance(one, Stale | Busy) for one in results if isinstance(one, Exception)), results


def test_both_cards_records_stand_after_a_merge_and_go_back(make: Maker) -> None:
    a, b = own_patient(make, surname="Парная").id, own_patient(make, surname="Парная").id
    first = save(make, a, diagnosis="один")
    second = save(make, b, diagnosis="два")
    wrong = write(make, a)
    write(make, a, corrects=wrong)
    with transaction():
        done = operations.merge_cards(a, b, {}, "Одна", actor=make.user("senior")).id
    assert [one.id for one, _ in queries.records_of(b)] == [second, first] and len(queries.diary_of(b)) == 2
    third = save(make, b, second, diagnosis="оба")
    with transaction():
        operations.part_cards(done, actor=make.user("senior"))
    assert [one.id for one, _ in queries.records_of(a)] == [first] and len(queries.diary_of(a)) == 2
    assert [one.id for one, _ in queries.records_of(b)] == [third, second] and queries.diary_of(b) == []


def test_pages(make: Maker, client_of: Any) -> None:
    pk, doctor = own_patient(make, surname="Зубова").id, client_of("doctor")
    assert "ещё не заполнена" in (own := doctor.get(f"/medical/patient/{pk}").text) and "под своим логином" not in own
    assert "Её заполняет врач под своим логином." in client_of("director").get(f"/medical/patient/{pk}").text
    edit = f"/medical/patient/{pk}/edit"
    page = doctor.get(edit).text
    assert page.count("data-tooth=") == 52 and 'list="icd-codes"' in page
    sent = {
        "after": "",
        "diagnosis": SECRET,
        "icd": "К04.0",
        "tooth_16": "п, с",
        "hygiene_checks": "01.02.2026, 03.01.2026",
    }
    for odd in ({"icd": "К4"}, {"tooth_16": "ю"}, {"hygiene_checks": "вчера"}, {"hygiene_taught_on": "2999-01-01"},
                {"bite": "я" * 1001}, {"hygiene_taught_on": "x"}, {"hygiene_checks": "01.01.0001"}, {"tooth_99": "п"}):  # fmt: skip
        answer = doctor.post(edit, data={**sent, **odd})
        assert answer.status_code == 422 and SECRET in answer.text, odd
    assert queries.medical_record(pk) is None
    assert doctor.post(edit, data=sent).status_code == 303
    tab = doctor.get(f"/medical/patient/{pk}").text
    assert SECRET in tab and "С, П" in tab and "03.01.2026, 01.02.2026" in tab
    lost = doctor.post(edit, data={**sent, "diagnosis": "Кариес", "tooth_16": "К"})
    first = queries.medical_record(pk)
    assert first is not None
    assert lost.status_code == 409 and f"Сейчас: {SECRET}" in lost.text and "Кариес" in lost.text
    assert f'name="after" value="{first.id}"' in lost.text
    assert doctor.post(edit, data={**sent, "after": first.id, "diagnosis": "Кариес"}).status_code == 303
    older = doctor.get(f"/medical/patient/{pk}/saved/{first.id}").text
    assert SECRET in older and "Кариес" not in older
    assert doctor.get(f"/medical/patient/{own_patient(make).id}/saved/{first.id}").status_code == 404
    diary = f"/medical/patient/{pk}/diary"
    entry = {"day": TODAY.isoformat(), "complaints": "ноет <b>", "treatment": "пломба\nрекомендации"}
    wrong = doctor.post(diary, data={**entry, "icd": "1"})
    assert wrong.status_code == 422 and "ноет &lt;b&gt;" in wrong.text
    assert doctor.post(diary, data=entry).status_code == 303
    written = queries.diary_of(pk)[0].entry
    assert "рекомендации" in doctor.get(f"{diary}?corrects={written.id}").text
    assert doctor.post(diary, data={**entry, "corrects": written.id, "treatment": "иначе"}).status_code == 303
    tab = doctor.get(f"/medical/patient/{pk}").text
    assert "исправлена" in tab and "иначе" in tab and "ноет &lt;b&gt;" in tab
    assert doctor.post(diary, data={**entry, "corrects": written.id}).status_code == 409
    for odd in ("0", "x", "999999", "9" * 30):
        assert doctor.get(f"{diary}?corrects={odd}").status_code in (200, 404)


def printed(make: Maker, pk: int) -> tuple[int, bytes]:
    """A 043/у issued by the desk and printed: its number and its bytes."""
    with transaction():
        issued = documents.issue("medical_card", pk, actor=make.user()).id
    return issued, make.printed(issued)


def test_the_printed_card_has_what_was_written_for_who_may_print_it(make: Maker, client_of: Any) -> None:
    patient = own_patient(make, surname="Печатная")
    pk, desk = patient.id, make.user()
    blank = words_of(printed(make, pk)[1])
    assert "О — отсутствует" in blank and "18" in blank
    save(
        make, pk, diagnosis=SECRET, icd="K04.0", formula={"16": "П С", "55": "С"}, bite="прямой", hygiene_checks=[TODAY]
    )
    wrong = write(make, pk, treatment="удалён 16")
    write(make, pk, corrects=wrong, treatment="удалён 26\nи зашит", icd="K08.1", diagnosis="потеря зуба")
    session.expire_all()
    paper_id, made = printed(make, pk)
    words = words_of(made)
    for must in (SECRET, "K04.0", "С, П", "прямой", f"контроль {TODAY:%d.%m.%Y}", "удалён 26", "K08.1 потеря зуба",
                 f"исправление записи от {TODAY:%d.%m.%Y}", "Сотрудник"):  # fmt: skip
        assert must in words, must
    assert "удалён 16" not in words
    address = f"/documents/{paper_id}.pdf"
    assert client_of("administrator").get(address).status_code == 200
    director = make.user("director")
    with transaction():
        access.change_right(desk, "medical.print", allowed=False, reason="проба", actor=director)
    try:
        clerk = client_of("administrator")
        assert clerk.get(address).status_code == 403
        assert clerk.get(f"/documents/{paper_id}-all.pdf").status_code == 403
        assert clerk.post("/documents/issue", data={"kind": "medical_card", "patient_id": pk}).status_code == 403
        assert clerk.post("/documents/issue", data={"kind": "contract", "patient_id": pk}).status_code == 303
    finally:
        with transaction():
            access.change_right(make.user(), "medical.print", allowed=None, reason="проба", actor=make.user("director"))
    assert client_of("doctor").get(address).status_code == 200
    assert client_of("doctor2").get(address).status_code == 404


def test_a_long_card_is_printed_whole(make: Maker) -> None:
    pk = own_patient(make).id
    save(make, pk, anamnesis="слово " * 600, formula=dict.fromkeys(rules.KNOWN_TEETH, "Pt, П, III, К"))
    for n in range(40):
        write(make, pk, treatment=f"лечение {n}. " * 20)
    session.expire_all()
    _, made = printed(make, pk)
    pages = pypdf.PdfReader(io.BytesIO(made)).pages
    assert len(pages) > 3 and "лечение 39." in words_of(made)


def test_the_zip_of_a_card_has_it_all(make: Maker, client_of: Any) -> None:
    pk = own_patient(make).id
    save(make, pk, diagnosis=SECRET)
    write(make, pk, treatment="пломба 16")
    import zipfile

    made = client_of("director").get(f"/patients/{pk}/card.zip").data
    told = zipfile.ZipFile(io.BytesIO(made)).read("card.json").decode()
    assert SECRET in told and "пломба 16" in told and "health_alerts" in told


def test_outsiders(make: Maker, client_of: Any, app: Flask) -> None:
    own = own_patient(make).id
    record = save(make, own, diagnosis=SECRET)
    seen = [f"/medical/patient/{own}", f"/medical/patient/{own}/saved/{record}"]
    written = [f"/medical/patient/{own}/edit", f"/medical/patient/{own}/diary"]
    for who in ("administrator", "senior", "doctor2", "sysadmin"):
        for path in seen + written:
            assert client_of(who).get(path).status_code == 403, (who, path)
    for who in ("administrator", "senior", "doctor2", "sysadmin", "director"):
        for path in written:
            sent = {"after": record, "bite": "x", "day": TODAY.isoformat(), "treatment": "x"}
            assert client_of(who).post(path, data=sent).status_code == 403, (who, path)
    for path in seen:
        page = client_of("director").get(path)
        assert page.status_code == 200 and SECRET in page.text and "/edit" not in page.text
    for path in seen + written:
        assert app.test_client().get(path).status_code == 302
    tabs = client_of("administrator").get(f"/patients/{own}").text
    assert "/medical/patient" not in tabs and f"/surveys/patient/{own}" in tabs
    assert f"/medical/patient/{own}" in client_of("doctor").get(f"/patients/{own}").text
    assert queries.diary_of(own) == []
