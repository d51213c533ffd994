"""What a card says besides the name: phones, documents, the guardian, the discount, tags, family, consents."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app import audit, clock, errors
from app.billing import operations as billing
from app.db import session, transaction
from app.documents import operations as documents
from app.models import Family, Patient, PatientConsent, PatientTag, WorkOrder
from app.patients import operations, queries, rules
from tests.browser import Windows, windows
from tests.conftest import Maker


def edit(make: Maker, patient: Patient, by: str = "administrator", **values: Any) -> Patient:
    with transaction():
        return operations.edit_card(
            patient.id, session.get_one(Patient, patient.id).version, values, actor=make.user(by)
        )


# --- numbers of documents


@given(st.integers(1_001_999, 999_999_999))
def test_a_wrong_digit_of_a_snils_is_found(number: int) -> None:
    digits = f"{number:09}"
    check = sum(int(one) * (9 - n) for n, one in enumerate(digits)) % 101 % 100
    right = f"{digits}{check:02}"
    assert rules.snils(right) == f"{right[:3]}-{right[3:6]}-{right[6:9]} {right[9:]}" == rules.snils(rules.snils(right))
    wrong = f"{digits}{(check + 1) % 100:02}"
    with pytest.raises(errors.Invalid):
        rules.snils(wrong)


def test_the_examples_of_the_offices() -> None:
    assert rules.snils(" 112 233 445-95 ") == "112-233-445 95"
    for wrong in ("112-233-445 96", "112", "112-233-445 9Ⅴ", "000-000-000 00"):
        with pytest.raises(errors.Invalid):
            rules.snils(wrong)
    assert rules.inn("500100732259") == "500100732259" and rules.inn("") == rules.snils(" ") == ""
    for wrong in ("500100732258", "500100732359", "7707083893", "１２３４５６７８９０１２", "000000000000"):
        with pytest.raises(errors.Invalid):
            rules.inn(wrong)


@pytest.mark.parametrize(
    ("years", "who"), [(None, "patient"), (0, "guardian"), (14, "guardian"), (15, "treatment_only"),
                       (17, "treatment_only"), (18, "patient")],
)  # fmt: skip
def test_who_signs(years: int | None, who: str) -> None:
    assert rules.signs(years) == who


# --- the card


def test_several_phones_with_their_owners(make: Maker, context: None) -> None:
    patient = make.patient(phone="+79161112233")
    first = patient.phones[0].id
    edit(make, patient, phones=[
        {"number": "8 916 111-22-33", "owner": "мама", "for_sms": False}, {"number": "", "owner": "никто"},
        {"number": "+7 495 123-45-67", "owner": "рабочий"},
    ])  # fmt: skip
    now = operations.plain(session.get_one(Patient, patient.id))["phones"]
    assert now == [
        {"number": "+79161112233", "owner": "мама", "for_sms": False},
        {"number": "+74951234567", "owner": "рабочий", "for_sms": True},
    ]
    assert patient.phones[0].id == first
    for wrong, place in (
        ([{"number": "1"}], "phones.0.number"),
        ([{"number": "+79161112233"}, {"number": "89161112233"}], "phones.1.number"),
        ([{"number": f"+7916111{n:04}"} for n in range(11)], "phones"),
    ):
        with pytest.raises(errors.Invalid) as refused:
            edit(make, patient, phones=wrong)
        assert list(refused.value.facts["fields"]) == [place]
    assert len(session.get_one(Patient, patient.id).phones) == 2


def test_the_guardian_is_grown_up_and_not_the_ward(make: Maker, context: None) -> None:
    child = make.patient(birth_date=date(2018, 5, 1))
    mother, sister = make.patient(birth_date=date(1990, 1, 1)), make.patient(birth_date=date(2012, 1, 1))
    for wrong in (sister.id, child.id, 2**31 - 1):
        with pytest.raises(errors.Invalid):
            edit(make, child, guardian_id=wrong)
    edit(make, child, guardian_id=mother.id)
    with pytest.raises(errors.Invalid):
        edit(make, mother, guardian_id=child.id)
    assert session.get_one(Patient, child.id).guardian_id == mother.id


def test_who_signs_a_paper_depends_on_the_age(make: Maker, context: None) -> None:
    mother = make.patient("Подписантова", name="Мария", birth_date=date(1980, 1, 1), sex="female")
    today = clock.today()

    def signers(years: int) -> list[bool]:
        born = today.replace(year=today.year - years, day=1)
        patient = make.patient("Юнцов", name="Пётр", guardian_id=mother.id, birth_date=born, sex="male")
        with transaction():
            papers = [
                documents.issue(kind, patient.id, actor=make.user())
                for kind in ("contract", "consent_treatment", "consent_personal_data")
            ]
        return ["Подписантова" in paper.html for paper in papers]

    assert signers(10) == [True, True, True]
    assert signers(16) == [True, False, True]
    assert signers(30) == [False, False, False]


def test_the_card_s_discount_needs_its_limit_and_a_reason_and_is_anybody_s_to_give(make: Maker, context: None) -> None:
    patient, doctor, service = make.patient(), make.doctor(), make.service("1000.00")
    with pytest.raises(errors.DiscountTooLarge):
        edit(make, patient, discount_percent=D(50), discount_reason="Сотрудник")
    for wrong in (D(0), D(101), D("0.001"), D("NaN"), D(-5)):
        if wrong != 0:
            with pytest.raises(errors.Invalid):
                edit(make, patient, "director", discount_percent=wrong, discount_reason="Сотрудник")
    with pytest.raises(errors.Invalid):
        edit(make, patient, "director", discount_percent=D(50))
    edit(make, patient, "director", discount_percent=D(50), discount_reason="Сотрудник")
    edit(make, patient, discount_percent=D(50), comment="Прежняя скидка не мешает")

    def order(percent: str) -> WorkOrder:
        line = {"service_id": service.id, "quantity": 1, "discount_percent": D(percent), "discount_reason": "Карта"}
        with transaction():
            return billing.create_work_order(patient.id, doctor.id, [line], actor=make.user("administrator"))

    assert order("50").total == 500
    with pytest.raises(errors.DiscountTooLarge):
        order("50.01")


def test_tags_and_what_the_card_shows(make: Maker, client_of: Any, context: None) -> None:
    alert, plain = make._save(PatientTag(name="Боится уколов", alert=True)), make._save(PatientTag(name="VIP-пациент"))
    patient = make.patient("Метков", birth_date=date(2015, 1, 1))
    desk = client_of("administrator")
    form = {
        "version": patient.version, "surname": "Метков", "name": "Иван", "birth_date": "2015-01-01",
        "tags_shown": "1", "tag_ids": [str(alert.id), str(plain.id)], "phone_number": ["8 916 000-11-22", "", "12"],
        "phone_owner": ["мама", "", ""], "phone_sms": ["no", "yes", "yes"], "insurance": "СОГАЗ 123",
        "snils": "13579135784",
    }  # fmt: skip
    refused = desk.post(f"/patients/{patient.id}/edit", data=form)
    assert refused.status_code == 422 and 'value="мама"' in refused.text and 'value="12"' in refused.text
    saved = desk.post(f"/patients/{patient.id}/edit", data=form | {"phone_number": ["8 916 000-11-22", "", ""]})
    assert saved.status_code == 302, saved.text
    card = desk.get(f"/patients/{patient.id}").text
    for word in ("Боится уколов", "VIP-пациент", "СОГАЗ 123", "мама", "не для СМС", "представитель в карте не указан"):
        assert word in card, word
    assert card.index("Боится уколов") < card.index("VIP-пациент")
    page = desk.get(f"/patients/{patient.id}/edit").text
    assert "135-791-357 84" in page and "+7 916 000-11-22" in page
    session.expire_all()
    bare = {
        "version": session.get_one(Patient, patient.id).version,
        "surname": "Метков",
        "name": "Иван",
        "tags_shown": "1",
    }
    assert desk.post(f"/patients/{patient.id}/edit", data=bare).status_code == 302
    session.expire_all()
    assert session.get_one(Patient, patient.id).tags == []


# --- the family


def join(make: Maker, one: Patient, other: Patient) -> None:
    with transaction():
        operations.join_family(one.id, other.id, actor=make.user())


def of_family(patient: Patient) -> set[int]:
    session.expire_all()
    return {row["id"] for row in queries.family(session.get_one(Patient, patient.id))}


def test_two_families_become_one_and_the_last_is_alone(make: Maker, context: None) -> None:
    a, b, c, d, stranger = (make.patient() for _ in range(5))
    join(make, a, b)
    join(make, c, d)
    join(make, a, c)
    assert of_family(a) == {b.id, c.id, d.id} and of_family(d) == {a.id, b.id, c.id}
    with transaction():
        operations.set_payer(a.id, b.id, actor=make.user())
        operations.set_payer(c.id, b.id, actor=make.user())
    with pytest.raises(errors.Invalid), transaction():
        operations.set_payer(a.id, stranger.id, actor=make.user())
    with transaction():
        operations.leave_family(b.id, actor=make.user())
    assert of_family(a) == {c.id, d.id} and session.get_one(Patient, a.id).payer_id is None
    for one in (c, d):
        with transaction():
            operations.leave_family(one.id, actor=make.user())
    assert of_family(a) == set() and session.get_one(Patient, a.id).family_id is None
    with pytest.raises(errors.Invalid):
        join(make, a, a)


def test_a_child_pays_for_nobody(make: Maker, client_of: Any) -> None:
    """Nor is a child offered: the payer is named on receipts and on the certificate for the tax office."""
    mother = make.patient("Платёжная", name="Ада", birth_date=date(1985, 1, 1))
    child = make.patient("Платёжная", name="Юля", birth_date=clock.today() - timedelta(days=14 * 365))
    join(make, mother, child)
    desk, address = client_of("administrator"), f"/patients/{mother.id}/family"
    assert f'<option value="{child.id}"' not in desk.get(address).text
    assert f'<option value="{mother.id}"' in desk.get(f"/patients/{child.id}/family").text
    sent = desk.post(f"{address}/payer", data={"relative_id": str(child.id)}, follow_redirects=True)
    assert "выберите взрослого" in sent.text
    assert session.get(Patient, mother.id, populate_existing=True).payer_id is None  # type: ignore[union-attr]
    desk.post(f"/patients/{child.id}/family/payer", data={"relative_id": str(mother.id)})
    assert session.get(Patient, child.id, populate_existing=True).payer_id == mother.id  # type: ignore[union-attr]


def test_crosswise_joins_make_one_family(app: Flask, make: Maker, context: None) -> None:
    ids = [make.patient().id for _ in range(4)]
    pairs = [(ids[n % 4], ids[(n + 1) % 4]) for n in range(8)] + [(ids[(n + 1) % 4], ids[n % 4]) for n in range(8)]

    def one(pair: tuple[int, int]) -> None:
        with app.app_context():
            for _ in range(5):
                try:
                    with transaction():
                        operations.join_family(*pair, actor=None)
                    break
                except errors.Refusal:
                    continue
            session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, pairs))
    session.expire_all()
    families = {session.get_one(Patient, pk).family_id for pk in ids}
    assert len(families) == 1 and None not in families
    assert session.get(Family, families.pop()) is not None


def test_the_tab_of_family_and_consents(make: Maker, client_of: Any, context: None) -> None:
    patient, other = make.patient("Роднев"), make.patient("Роднева")
    desk, at = client_of("administrator"), f"/patients/{patient.id}"
    for what, relative in (("join", other.id), ("payer", other.id)):
        done = desk.post(f"{at}/family/{what}", data={"relative_id": relative})
        assert done.status_code == 303
    page = desk.get(f"{at}/family").text
    assert "Роднева" in page and "платит" in page
    desk.post(f"{at}/family/join", data={"relative_id": "нет"})
    assert "Выберите родственника." in desk.get(at).text
    assert desk.post(f"{at}/family/nonsense", data={}).status_code == 303
    for kind in ("personal_data", "personal_data", "advertising"):
        desk.post(f"{at}/consents", data={"kind": kind, "given_on": "2026-01-15"})
    for wrong in (
        {"kind": "x"},
        {"kind": "treatment", "given_on": "2999-01-01"},
        {"kind": "treatment", "given_on": "31.31"},
    ):
        assert desk.post(f"{at}/consents", data=wrong).status_code == 303
    rows = session.scalars(select(PatientConsent).where(PatientConsent.patient_id == patient.id)).all()
    assert sorted(row.kind for row in rows) == ["advertising", "personal_data"]
    advertising = next(row.id for row in rows if row.kind == "advertising")
    stranger = make.patient()
    desk.post(f"/patients/{stranger.id}/consents", data={"withdraw": advertising})
    session.expire_all()
    assert session.get_one(PatientConsent, advertising).withdrawn_at is None
    desk.post(f"{at}/consents", data={"withdraw": advertising})
    desk.post(f"{at}/consents", data={"kind": "advertising"})
    session.expire_all()
    rows = session.scalars(
        select(PatientConsent).where(PatientConsent.patient_id == patient.id).order_by(PatientConsent.id)
    ).all()
    assert [(row.kind, row.withdrawn_at is None) for row in rows if row.kind == "advertising"] == [
        ("advertising", False), ("advertising", True)
    ]  # fmt: skip
    assert "15.01.2026" in desk.get(f"{at}/family").text
    history = desk.get(f"{at}/history").text
    assert "Согласие дано" in history and "Добавлен родственник" in history
    assert client_of("doctor").get(f"{at}/family").status_code == 403
    assert client_of("doctor").post(f"{at}/family/leave", data={}).status_code == 403


def test_two_desks_write_down_one_consent(app: Flask, make: Maker, context: None) -> None:
    patient_id = make.patient().id

    def one(_: int) -> None:
        with app.app_context():
            with transaction():
                operations.give_consent(patient_id, "treatment", actor=None)
            session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert len(session.scalars(select(PatientConsent).where(PatientConsent.patient_id == patient_id)).all()) == 1


def test_the_form_saved_as_it_came_changes_nothing(make: Maker, client_of: Any, context: None) -> None:
    tags = [make._save(PatientTag(name=name)) for name in ("Яхтсмен", "Актёр")]
    patient, desk = make.patient("Неизменный", birth_date=date(1980, 1, 2)), client_of("director")
    edit(make, patient, "director", discount_percent=D(3), discount_reason="Пенсионер", tag_ids=[t.id for t in tags])
    version = session.get_one(Patient, patient.id, populate_existing=True).version
    sent = {
        "version": str(version), "surname": "Неизменный", "name": "Иван", "patronymic": "Петрович",
        "birth_date": "1980-01-02", "discount_percent": "3", "discount_reason": "Пенсионер", "tags_shown": "1",
        "tag_ids": [str(tag.id) for tag in tags], "phone_number": patient.phones[0].number, "phone_owner": "",
        "phone_sms": "yes",
    }  # fmt: skip
    many = len(audit.timeline(patient.id))
    assert desk.post(f"/patients/{patient.id}/edit", data=sent).status_code == 302
    session.expire_all()
    assert session.get_one(Patient, patient.id).version == version and len(audit.timeline(patient.id)) == many
    changed = desk.post(f"/patients/{patient.id}/edit", data={**sent, "discount_percent": "2,5"})
    assert changed.status_code == 302
    session.expire_all()
    assert session.get_one(Patient, patient.id).version == version + 1
    assert (audit.timeline(patient.id)[0].before or {})["discount_percent"] == "3.00"
    assert (audit.timeline(patient.id)[0].after or {})["discount_percent"] == "2.50"


@pytest.mark.parametrize(("born", "day"), [(date(1980, 1, 2), "1980-01-01"), (None, "1899-12-31")])
def test_a_consent_is_not_given_before_the_birth(make: Maker, client_of: Any, born: date | None, day: str) -> None:
    patient, desk = make.patient(birth_date=born), client_of("administrator")
    desk.post(f"/patients/{patient.id}/consents", data={"kind": "treatment", "given_on": day})
    page = desk.get(f"/patients/{patient.id}").text
    assert ("ещё не родился" if born else "такой не может быть") in page and "Записано" not in page
    assert queries.consents(patient.id) == []


def test_a_consent_in_force_keeps_its_day_and_says_so(make: Maker, client_of: Any, context: None) -> None:
    patient, desk = make.patient(), client_of("administrator")
    for day, said in (("2026-01-15", "Записано"), ("2026-01-15", "Записано"), ("2026-02-16", "действует с 15.01.2026")):
        desk.post(f"/patients/{patient.id}/consents", data={"kind": "treatment", "given_on": day})
        assert said in desk.get(f"/patients/{patient.id}").text
    assert [row.given_on for row in queries.consents(patient.id)] == [date(2026, 1, 15)]


def test_a_card_that_is_closed_takes_no_consent_and_leaves_no_family(
    make: Maker, client_of: Any, context: None
) -> None:
    director, doctor = make.user("director"), make.doctor().id
    archived, merged, stays, relative = (make.patient("Закрытов") for _ in range(4))
    with transaction():
        for one in (archived, merged):
            operations.join_family(one.id, relative.id, actor=director)
            operations.give_consent(one.id, "advertising", actor=director)
        operations.archive_card(archived.id, "Переезд", actor=director)
        operations.merge_cards(merged.id, stays.id, {}, "Один человек", actor=director)
    deeds: tuple[Any, ...] = (
        lambda pk: operations.give_consent(pk, "treatment", actor=director),
        lambda pk: operations.leave_family(pk, actor=director),
        lambda pk: operations.set_payer(pk, None, actor=director),
        lambda pk: operations.edit_card(pk, 1, {}, actor=director),
        lambda pk: operations.add_survey(pk, clock.today(), {}, {}, actor=director),
        lambda pk: billing.create_work_order(pk, doctor, [], branch_id=1, actor=director),
    )
    for pk, refusal in ((archived.id, errors.CardArchived), (merged.id, errors.CardMerged)):
        for deed in deeds:
            with pytest.raises(refusal), transaction():
                deed(pk)
    given = session.query(PatientConsent).filter_by(patient_id=archived.id, kind="advertising").one()
    with transaction():  # who has left may take it back
        assert operations.withdraw_consent(archived.id, given.id, actor=director).withdrawn_at
    desk = client_of("administrator")
    page = desk.get(f"/patients/{archived.id}/edit", follow_redirects=True)
    assert page.request.path == f"/patients/{archived.id}" and "Сначала верните её из архива" in page.text
    page = desk.get(f"/patients/{merged.id}/edit", follow_redirects=True)
    assert page.request.path == f"/patients/{stays.id}" and f"Карта № {merged.card_number}" in page.text
    assert "верните её из архива" not in page.text


# --- who may be the same person, while one types


def test_candidates_while_typing(make: Maker, client_of: Any, context: None) -> None:
    twin = make.patient("Двойникова", name="Инна", birth_date=date(1991, 2, 3), phone="+79165550101")
    desk = client_of("administrator")

    def seen(**typed: str) -> bool:
        answer = desk.get("/patients/twins", query_string=typed)
        assert answer.status_code == 200
        return f"/patients/{twin.id}" in answer.text

    assert seen(surname="двойникова", name="инна") and seen(phone="8 916 555-01-01")
    assert seen(surname="Двойникова", name="И") is False and seen(surname="Двойникова") is False
    assert seen(surname="Двойникова", name="Инна", birth_date="1991-02-03")
    assert not seen(surname="Двойникова", name="Инна", birth_date="1990-01-01")
    for nonsense in ({}, {"surname": "%", "name": "_"}, {"phone": "x" * 5000}, {"birth_date": "31.31", "name": "\x00"}):
        assert not seen(**nonsense)
    assert client_of("doctor").get("/patients/twins?surname=Двойникова&name=Инна").status_code == 403


@pytest.mark.browser
def test_the_form_warns_before_it_is_sent(app: Flask, make: Maker, context: None) -> None:
    twin_id = make.patient("Предупреждаева", name="Зоя").id
    at_work = make.patient("Сослуживцев", phone="+74951112233").id
    married = make.patient("Замужняя", snils="246-801-468 75").id
    session.remove()
    with windows(app) as opened:
        _fill_in(opened, twin_id, at_work, married)
        assert not opened.faults, opened.faults


def _fill_in(opened: Windows, twin_id: int, at_work: int, married: int) -> None:
    page = opened.sign_in("administrator")
    page.goto(f"{opened.base}/patients/new")
    anyway = page.locator("[name=anyway]")
    assert not anyway.is_visible()  # ticked beforehand, it would let every twin through
    page.fill("#surname", "Предупреждаева")
    page.fill("#name", "Зоя")
    page.locator(f"[data-twins] a[href='/patients/{twin_id}']").wait_for()
    page.click("[data-more-phones]")
    page.locator("[name=phone_number]").last.fill("8 495 111-22-33")
    page.locator(f"[data-twins] a[href='/patients/{at_work}']").wait_for()
    page.fill("#snils", "24680146875")
    page.locator(f"[data-twins] li:has(a[href='/patients/{married}']) b").wait_for()
    anyway.check()
    page.fill("#surname", "Иная")
    page.fill("#snils", "")
    page.locator("[name=phone_number]").last.fill("")
    anyway.wait_for(state="hidden")
    assert not anyway.is_checked()
    page.fill("#surname", "Предупреждаева")
    page.locator("[name=phone_number]").last.fill("8 495 111-22-33")
    page.locator(f"[data-twins] a[href='/patients/{at_work}']").wait_for()
    assert not page.locator(f"[data-twins] a[href='/patients/{married}']").count()
    page.locator("[name=phone_owner]").last.fill("рабочий")
    anyway.check()
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url(lambda url: url.rsplit("/", 1)[-1].isdigit())
    assert "+7 495 111-22-33" in page.locator(".card-head").inner_text()
    page.goto(f"{page.url}/edit")  # a card that is there is warned of, too, and stopped by a number alone
    page.fill("#name", "Зоя ")
    page.locator(f"[data-twins] a[href='/patients/{twin_id}']").wait_for()
    assert not anyway.is_visible()
    page.fill("#snils", "24680146875")
    page.locator(f"[data-twins] li:has(a[href='/patients/{married}']) b").wait_for()
    anyway.check()
    page.get_by_role("button", name="Сохранить").click()
    page.wait_for_url(lambda url: url.rsplit("/", 1)[-1].isdigit())
    assert "246-801-468 75" in page.locator(".card-head").inner_text()
