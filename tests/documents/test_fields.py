"""Fields of papers filled in from what the clinic knows: who pays, who may be told, the plan, the act, the policy."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app import clock
from app.billing import operations as billing
from app.cash import operations as cash
from app.db import session, transaction
from app.documents import operations, paper, queries, rules
from app.models import ClinicSetting, MedicalRecord, PatientPhone, RightChange
from tests.conftest import Maker

TODAY = clock.today()


def said(kind: str, patient: Any, body: str, make: Maker, *, by: str = "administrator") -> str:
    """A text as it is filled in for a patient when the paper is issued now."""
    session.expire_all()
    actor = make.user(by)
    card, signing = queries.card(patient.id), queries.legal_entity_for(actor)
    assert card is not None and signing is not None
    return paper.fill_in(body, queries.merge_fields(card, *signing, 77, actor, kind=kind)).replace("\u00a0", " ")


def order_of(make: Maker, patient: Any, *names: str, issued: bool = False, branch_id: int = 1) -> Any:
    lines = [{"service_id": make.service("100.00", name=name).id, "quantity": 1, "tooth": "36"} for name in names]
    doctor = make.doctor(branch_id)
    with transaction():
        row = billing.create_work_order(patient.id, doctor.id, lines, branch_id=branch_id, actor=None)
        if issued:
            billing.issue(row.id, actor=make.user())
    return row


@pytest.mark.parametrize(
    ("line", "insurer", "number"),
    [
        ("АО «СОГАЗ», полис № 7700 1234 5678 9012", "АО «СОГАЗ»", "7700 1234 5678 9012"),
        ("7700123456789012 СОГАЗ", "СОГАЗ", "7700123456789012"), ("Ингосстрах", "Ингосстрах", ""), ("", "", ""),
        ("Полис ДМС 123-456/7, РЕСО", "РЕСО", "123-456/7"),
    ],
)  # fmt: skip
def test_a_policy_is_an_insurer_and_a_number(line: str, insurer: str, number: str) -> None:
    assert rules.policy_of(line) == (insurer, number)


def test_the_policy_on_a_paper(make: Maker) -> None:
    patient = make.patient(insurance="РЕСО, полис 123456789")
    assert said("contract", patient, "{{ patient.oms_insurer }}|{{ patient.oms_policy }}", make) == "РЕСО|123456789"


def test_who_pays_is_who_pays_for_the_family(make: Maker) -> None:
    body = "{{ payer.name }}|{{ payer.inn }}|{{ payer.address }}|{{ payer.ogrn | line(5) }}"
    mother = make.patient("Мамина", birth_date=date(1985, 1, 1), inn="500100732259", address="Тверь")
    father = make.patient("Папин", birth_date=date(1985, 1, 1), address="Клин")
    child = make.patient("Детский", birth_date=TODAY - timedelta(days=3000), guardian_id=mother.id)
    assert said("contract", child, body, make).startswith("Мамина Иван Петрович|500100732259|Тверь|")
    with transaction():
        session.get_one(type(child), child.id).payer_id = father.id
    assert said("contract", child, body, make).startswith("Папин Иван Петрович||Клин|")
    assert said("contract", father, body, make).startswith("Папин Иван Петрович||Клин|")


def test_who_may_be_told_is_chosen_among_relatives_and_owners_of_phones(make: Maker) -> None:
    from app.patients import operations as cards

    body = "{% for one in trusted %}[{{ one.fio }}: {{ one.phone }}]{% endfor %}"
    patient = make.patient("Скрытная")
    assert said("consent_treatment", patient, body, make) == ""
    husband = make.patient("Мужев", phone="+79161110000", birth_date=date(1980, 1, 1))
    son = make.patient("Сынов", birth_date=TODAY - timedelta(days=3000))
    for other in (husband, son):
        with transaction():
            cards.join_family(patient.id, other.id, actor=make.user())
    with transaction():
        session.add(PatientPhone(patient_id=patient.id, number="+79162220000", owner="сестра Анна"))
        session.add(PatientPhone(patient_id=patient.id, number="+79161110000", owner="муж"))
    told = said("consent_treatment", patient, body, make)
    assert told == "[Мужев Иван Петрович: +7 916 111-00-00][сестра Анна: +7 916 222-00-00]"
    # who that is, the patient says with a signature: what comes with the product prints nobody by itself
    assert "Мужев" not in said("consent_treatment", patient, paper.shipped("consent_treatment"), make)


def test_a_plan_has_stages_by_kinds_of_work(make: Maker) -> None:
    patient = make.patient()
    body = (
        "№ {{ plan.number }} {{ plan.date }} {{ plan.variant | line(3) }}{% for one in plan.stage %}[{{ one.no }}"
        "{% for s in one.services %} {{ s.name }}{% endfor %} {{ one.sum | money }} {{ one.sum_words }}]{% endfor %}"
    )
    assert "[" not in said("treatment_plan", patient, body, make)
    order_of(make, patient, "Пломба", "Коронка")
    filled = said("treatment_plan", patient, body, make)
    assert filled.startswith(f"№ 77 {TODAY:%d.%m.%Y}")
    assert "[1 Пломба 100,00 Сто рублей 00 копеек][2 Коронка 100,00 Сто рублей 00 копеек]" in filled
    assert said("contract", patient, "№ {{ plan.number }}", make) == "№ "
    with transaction():
        plan = operations.issue("treatment_plan", patient.id, actor=make.user())
    assert said("contract", patient, "№ {{ plan.number }}", make) == f"№ {plan.number}"


def test_a_consent_names_what_is_about_to_be_done(make: Maker) -> None:
    patient, body = (
        make.patient(),
        "{{ tooth }}|{{ method }}|{{ diagnosis }}|{{ alternatives }}{{ risks }}{{ anesthetic }}",
    )
    long_ago = datetime.combine(TODAY - timedelta(days=400), datetime.min.time()).replace(hour=12)
    with clock.at(long_ago):
        order_of(make, patient, "Давняя чистка", issued=True)
    assert said("consent_therapy", patient, body, make) == "|||"
    order_of(make, patient, "Пломба", "Анестезия")
    with transaction():
        session.add(MedicalRecord(patient_id=patient.id, icd="K02.1", diagnosis="Кариес дентина"))
    whole = "36|Пломба; Анестезия|K02.1 Кариес дентина|"
    assert said("consent_therapy", patient, body, make) == whole
    assert "K02.1" in said("treatment_plan", patient, paper.shipped("treatment_plan"), make)
    assert said("contract", patient, body, make) == "36|Пломба; Анестезия||"


def test_who_may_not_print_the_medical_card_prints_no_diagnosis(make: Maker) -> None:
    patient, desk = make.patient(), make.user("administrator2")
    with transaction():
        session.add(MedicalRecord(patient_id=patient.id, icd="K02.1", diagnosis="Кариес дентина"))
    assert "K02.1" in said("consent_therapy", patient, "{{ diagnosis }}", make, by="administrator2")
    taken = {"user_id": desk.id, "right": "medical.print", "reason": "проверка"}
    with transaction():
        session.add(RightChange(**taken, allowed=False))
    del desk.account  # as the next request reads it
    try:
        assert said("consent_therapy", patient, "{{ diagnosis }}", make, by="administrator2") == ""
    finally:
        with transaction():
            session.add(RightChange(**taken, allowed=None))


def test_an_act_has_its_day_and_its_contract(make: Maker, client_of: Any) -> None:
    patient, service, doctor, desk = make.patient(), make.service("100.00"), make.doctor(), make.user("senior")
    body = "{{ act.date }}|{{ order.date }}|{{ contract.number }} {{ contract.date }}"
    with clock.at(datetime(2026, 11, 10, 12)), transaction():
        number = operations.issue("contract", patient.id, actor=desk).number
    with clock.at(datetime(2026, 11, 20, 12)), transaction():
        order = billing.create_work_order(
            patient.id, doctor.id, [{"service_id": service.id, "quantity": 2}], actor=None
        )
        billing.issue(order.id, actor=desk)

    def act(subject: int) -> str:
        session.expire_all()
        row = queries.order_to_print(order.id)
        assert row is not None
        return paper.fill_in(body, queries.act_print(row, subject))

    assert act(order.id) == f"20.11.2026|20.11.2026|{number} 10.11.2026"
    with clock.at(datetime(2026, 11, 25, 12)), transaction():
        back = billing.reverse_order(order.id, "одна не нужна", lines={order.lines[0].id: 1}, actor=desk).id
    assert act(back) == f"25.11.2026|20.11.2026|{number} 10.11.2026"


def test_a_work_order_says_how_it_was_paid_and_to_whom(make: Maker) -> None:
    patient, branch, director = make.patient(), make.branch(), make.user("director")
    order = order_of(make, patient, "Пломба", issued=True, branch_id=branch.id)
    body = "{{ order.methods }}|{{ order.cashier }}"

    def filled() -> str:
        session.expire_all()
        row = queries.order_to_print(order.id)
        assert row is not None
        return paper.fill_in(body, queries.order_print(row))

    assert filled() == "|"
    with transaction():
        cash.open_shift(branch.desk_id, Decimal(0), actor=director)
    for method, desk in (("cash", branch.desk_id), ("card", branch.non_cash_id), ("card", branch.non_cash_id)):
        part = {"method": method, "amount": Decimal(30), "desk_id": desk}
        with transaction():
            billing.take_payment(patient.id, [part], branch_id=branch.id, actor=director)
    ways, who = filled().split("|")
    assert len(ways.split(", ")) == 2 and "арт" in ways and who.count("Сотрудник") == 1


def test_a_visit_has_a_number(make: Maker) -> None:
    patient = make.patient()
    visit = make.appointment(patient, make.doctor(), datetime.combine(TODAY + timedelta(days=900), datetime.min.time()))
    assert said("referral", patient, "{{ visit.number }}", make) == str(visit.id)


def test_who_else_processes_the_data_is_in_the_settings(make: Maker, client_of: Any) -> None:
    patient, body = make.patient(), paper.shipped("consent_personal_data")
    page = client_of("director")
    form = page.get("/settings/")
    assert "Кто ещё обрабатывает персональные данные" in form.text
    with transaction():
        session.get_one(ClinicSetting, 1).personal_data_processors = "ООО «Лаборатория», Тула"
    try:
        filled = said("consent_personal_data", patient, body, make)
    finally:
        with transaction():
            session.get_one(ClinicSetting, 1).personal_data_processors = ""
    assert "(наименование, адрес): ООО «Лаборатория», Тула" in filled
    for words in ("Оказание медицинских услуг", "специальная категория", "обезличивание", "сроков хранения",
                  "лично под роспись или направляется по адресу:"):  # fmt: skip
        assert words in filled, words


def test_a_paper_lists_bills_of_its_own_legal_entity(make: Maker) -> None:
    """A contract is with one legal entity: what another one of the clinic does is not its subject."""
    patient, branch = make.patient(), make.branch()
    order_of(make, patient, "Своя пломба")
    order_of(make, patient, "Чужая коронка", branch_id=branch.id)
    body = "{% for s in services %}{{ s.name }};{% endfor %}{{ totals.net | money }}"
    for kind in ("contract", "treatment_plan"):
        assert said(kind, patient, body, make) == "Своя пломба;100,00", kind
    stages = "{% for one in plan.stage %}{{ one.sum | money }}{% endfor %}"
    assert said("treatment_plan", patient, stages, make) == "100,00"
