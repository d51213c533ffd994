"""Papers of the cash desk: what the accountant reads in them, and that their numbers have no holes."""

import io
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pypdf
import pytest

from app import clock
from app.billing import operations as billing
from app.cash import operations, queries
from app.db import session, transaction
from app.documents import queries as documents
from app.documents import rules
from app.models import (
    CashMovement,
    Employee,
    ExpenseCategory,
    LegalEntity,
    Patient,
    Printing,
    Receipt,
    Service,
)
from app.patients import operations as cards

D = Decimal


def words_of(made: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split())


@pytest.fixture
def branch(make):
    branch = make.branch()
    with transaction():
        entity = session.get_one(LegalEntity, branch.legal_entity_id)
        entity.okpo, entity.director_name, entity.director_post = "12345678", "Орлов Виктор Сергеевич", "Директор"
        entity.accountant_name = "Счётова Инна Львовна"
        operations.open_shift(branch.desk_id, D(0), actor=make.user())
    return branch


def printed(browser, movement_id):
    answer = browser.get(f"/cash-papers/orders/{movement_id}.pdf")
    assert answer.status_code == 200, answer.text
    return words_of(answer.data)


def pay(make, branch, patient, *parts):
    with transaction():
        return billing.take_payment(
            patient.id, [{"method": m, "amount": D(a)} for m, a in parts], branch_id=branch.id, actor=make.user()
        )


def ivanova(make):
    return make.patient(
        "Иванова",
        name="Мария",
        patronymic="Сергеевна",
        sex="female",
        identity_text="паспорт 45 10 123456, ОВД «Лесной»",
    )


def test_a_long_double_surname_goes_on_after_its_hyphen(client_of, make, branch):
    with transaction():
        entity = session.get_one(LegalEntity, branch.legal_entity_id)
        entity.accountant_name = "Константинопольская-Заречная Александра Владимировна"
    patient = make.patient("Константинопольская-Преображенская", name="Анна", patronymic="Ильинична", sex="female")
    movement = pay(make, branch, patient, ("cash", "1234567.89")).parts[0].movement_id
    words = printed(client_of("administrator"), movement)
    assert "Константинопольская- Заречная А. В." in words
    assert "Константинопольской- Преображенской" in words


def test_the_order_of_money_that_came(client_of, make, branch):
    payment = pay(make, branch, ivanova(make), ("cash", "1500.50"))
    text = printed(client_of("administrator"), payment.parts[0].movement_id)
    for words in (
        "КО-1", "0310001", "12345678", "ПРИХОДНЫЙ КАССОВЫЙ ОРДЕР", "50.01", "62.01", "1 500,50", "Счётова И. Л.",
        "Одна тысяча пятьсот рублей 50 копеек", "Без налога (НДС)", "Аванс на медицинские услуги",
        "к приходному кассовому ордеру № 1", f"{clock.today():%d.%m.%Y}", rules.long_day(clock.today()),
    ):  # fmt: skip
        assert words in text.replace("\xa0", " "), words
    assert text.count("Ивановой Марии Сергеевны") == 2, "on the order and on the receipt"
    assert "АННУЛИРОВАН" not in text


def test_the_order_of_money_that_went(client_of, make, branch):
    payment = pay(make, branch, ivanova(make), ("cash", "1500"))
    with transaction():
        refund = billing.return_advance(payment.id, D("500"), "передумала", actor=make.user("senior"))
    text = printed(client_of("administrator"), refund.parts[0].movement_id)
    for words in (
        "КО-2", "0310002", "РАСХОДНЫЙ КАССОВЫЙ ОРДЕР", "Ивановой Марии Сергеевне", "Пятьсот рублей 00 копеек",
        "передумала", "45 10 123456", "Орлов В. С.", "Директор", "Выдал кассир", "62.01",
    ):  # fmt: skip
        assert words in text, words


def test_salary_and_what_was_reversed(client_of, make, branch):
    with transaction():
        operations.move(branch.desk_id, "pay_in", D(900), comment="размен", actor=make.user())
        salary = operations.move(
            branch.desk_id, "salary", D(900), counterparty="Шевченко Ольга Петровна", actor=make.user()
        )
    browser = client_of("administrator")
    text = printed(browser, salary.id)
    assert "Шевченко Ольге Петровне" in text and " 70 " in text and "Выплата заработной платы" in text
    at = f"/cash-papers/orders/{salary.id}/print"
    for stamp in ("", "КОПИЯ"):
        said = words_of(browser.get(browser.post(at, data={}).headers["Location"]).data)
        assert ("КОПИЯ" in said) == bool(stamp) and "АННУЛИРОВАН" not in said
    with transaction():
        mended = operations.reverse(salary.id, "не та сумма", actor=make.user())
    assert f"АННУЛИРОВАН ордером № {mended.number}" in printed(browser, salary.id)
    for stamp in ("", "КОПИЯ"):  # printed before it was reversed, it says so all the same
        said = words_of(browser.get(browser.post(at, data={}).headers["Location"]).data)
        assert ("КОПИЯ" in said) == bool(stamp) and "АННУЛИРОВАН ордером" in said and "ВЗАМЕН" in said
    text = printed(browser, mended.id)
    assert "отмена расходного ордера № 1" in text and "не та сумма" in text and " 70 " in text


def test_the_banks_desk_takes_no_number_of_an_order(client_of, make, branch):
    patient = make.patient()
    made = [pay(make, branch, patient, ("card", "10")), pay(make, branch, patient, ("cash", "5"), ("card", "7"))]
    made.append(pay(make, branch, patient, ("cash", "3")))
    rows = [session.get_one(CashMovement, part.movement_id) for payment in made for part in payment.parts]
    assert [(row.series, row.number) for row in rows] == [("bank_in", 1), ("in", 1), ("bank_in", 2), ("in", 2)]
    browser = client_of("administrator")
    assert browser.get(f"/cash-papers/orders/{rows[0].id}.pdf").status_code == 404
    page = browser.get(f"/cash/?desk={branch.desk_id}").text
    assert f"/cash-papers/orders/{rows[1].id}/print" in page
    assert "/cash-papers/orders/" not in browser.get(f"/cash/?desk={branch.non_cash_id}").text


def test_long_words_are_not_cut(client_of, make, branch):
    with transaction():
        comment = "очень длинное основание " * 12 + "конец"
        row = operations.move(branch.desk_id, "pay_in", D("999999.99"), comment=comment, actor=make.user())
    text = printed(client_of("administrator"), row.id)
    assert text.count("конец") == 2
    assert (
        len(pypdf.PdfReader(io.BytesIO(client_of("senior").get(f"/cash-papers/orders/{row.id}.pdf").data)).pages) == 1
    )


def test_orders_of_other_days_are_opened_as_reports_are(client_of, make, branch, monkeypatch):
    with transaction():
        row = operations.move(branch.desk_id, "pay_in", D(5), actor=make.user())
    address, later = f"/cash-papers/orders/{row.id}.pdf", clock.today() + timedelta(days=1)
    assert client_of("doctor").get(address).status_code == 403
    monkeypatch.setattr(clock, "today", lambda: later)
    assert client_of("administrator").get(address).status_code == 403
    assert client_of("director").get(address).status_code == 200
    assert client_of("director").get("/cash-papers/orders/999999999.pdf").status_code == 404


def test_the_sheet_of_the_cash_book(client_of, make, branch, monkeypatch):
    browser, director = client_of("administrator"), client_of("director")
    address = f"/cash-papers/book/{branch.legal_entity_id}.pdf"
    assert browser.get(address).status_code == 404, "a day without operations has no sheet"
    today = clock.today()
    pay(make, branch, ivanova(make), ("cash", "1000"), ("card", "5000"))
    with transaction():
        operations.move(branch.desk_id, "collection", D("300.50"), comment="В банк", actor=make.user())
    text = words_of(browser.get(address).data).replace("\xa0", " ")
    for words in (
        "0310004", "Лист 1", rules.long_day(today), "от Ивановой Марии Сергеевны", "62.01", "57.01",
        "Итого за день X 1 000,00 300,50", "Остаток на начало дня X 0,00", "Остаток на конец дня X 699,50",
        "в количестве одного приходных и одного расходных", "Счётова И. Л.",
    ):  # fmt: skip
        assert words in text, (words, text)
    assert "5 000" not in text, "the bank's money is not in the cash book"
    monkeypatch.setattr(clock, "today", lambda: today + timedelta(days=1))
    assert browser.get(f"{address}?day={today}").status_code == 403
    assert director.get(f"{address}?day={today}").status_code == 200
    assert director.get(f"{address}?day=вчера").status_code == 422
    with transaction():
        operations.move(branch.desk_id, "pay_in", D(1), actor=make.user())
    text = words_of(browser.get(address).data)
    assert "Остаток на начало дня X 699,50" in text and "700,50" in text
    assert ("Лист 2" in text) == ((today + timedelta(days=1)).year == today.year)


def test_the_report_of_a_shift(client_of, make, branch):
    pay(make, branch, make.patient(), ("cash", "1000"))
    with transaction():
        shift = queries.open_shift_of(branch.desk_id)
        operations.move(branch.desk_id, "collection", D(300), comment="В банк", actor=make.user())
    address = f"/cash-papers/shifts/{shift.id}.pdf"
    text = words_of(client_of("administrator").get(address).data).replace("\xa0", " ")
    assert "X-отчёт по смене № 1" in text and "Должно быть в кассе 700,00" in text and "Инкассация 1 -300,00" in text
    with transaction():
        notes = {D(500): 1, D(100): 1, D(50): 1, D(10): 4}
        operations.close_shift(shift.id, D(690), pieces=notes, reason="не нашли", actor=make.user())
    text = words_of(client_of("administrator").get(address).data)
    for words in (
        "Отчёт по смене № 1",
        "Пересчитано 690,00",
        "Расхождение -10,00",
        "не нашли",
        "500,00 × 1; 100,00 × 1; 50,00 × 1; 10,00 × 4",
    ):
        assert words in text, (words, text)
    assert client_of("doctor").get(address).status_code == 403


# --- originals and copies


def test_the_first_print_is_the_original_and_the_others_are_copies(client_of, make, branch):
    payment = pay(make, branch, make.patient("Копиева"), ("cash", "1000"))
    desk, key = client_of("administrator"), str(uuid4())
    for at in (f"/documents/receipts/{payment.receipt.id}", f"/cash-papers/orders/{payment.parts[0].movement_id}"):
        assert "КОПИЯ" in words_of(desk.get(f"{at}.pdf").data)
        first, again = (desk.post(f"{at}/print", data={"request_id": key}) for _ in range(2))
        assert first.status_code == 303 and first.headers["Location"] == again.headers["Location"]
        original = desk.get(first.headers["Location"])
        assert "КОПИЯ" not in words_of(original.data) and "Копиев" in words_of(original.data)
        second = desk.post(f"{at}/print", data={})
        said = words_of(desk.get(second.headers["Location"]).data)
        assert f"КОПИЯ, {clock.today():%d.%m.%Y}" in said and "Копиев" in said
        for foreign in ("printing=999999", "printing=x", "printing=-1"):
            assert "КОПИЯ" in words_of(desk.get(f"{at}.pdf?{foreign}").data)
        assert client_of("doctor").post(f"{at}/print", data={}).status_code == 403
        key = str(uuid4())
    with transaction():
        payment.patient.surname = "Иная"
    at = f"/cash-papers/orders/{payment.parts[0].movement_id}"
    said = words_of(desk.get(desk.post(f"{at}/print", data={}).headers["Location"]).data)
    assert "КОПИЯ" in said and "Копиев" in said and "Иная" not in said
    other = desk.post(f"/documents/receipts/{payment.receipt.id}/print", data={}).headers["Location"].split("=")[1]
    assert "КОПИЯ" in words_of(
        desk.get(f"/cash-papers/orders/{payment.parts[0].movement_id}.pdf?printing={other}").data
    )
    history = desk.get(f"/patients/{payment.patient_id}/history").text
    assert "Документ напечатан" in history


def printed_anew(browser, address, **form):
    """What a press of «print» shows."""
    answer = browser.post(f"{address}/print", data=form)
    assert answer.status_code == 303, answer.text
    return words_of(browser.get(answer.headers["Location"]).data)


def test_a_sheet_of_the_cash_book_has_one_original(client_of, make, branch):
    """The same sheet again is a copy; with an operation more it takes the place of what was printed."""
    desk, at = client_of("administrator"), f"/cash-papers/book/{branch.legal_entity_id}"
    today, patient = clock.today().isoformat(), make.patient("Листова")
    assert desk.post(f"{at}/print", data={"day": today}).status_code == 404, "a day without operations has no sheet"
    pay(make, branch, patient, ("cash", "1000"))
    assert "КОПИЯ" in words_of(desk.get(f"{at}.pdf").data)
    for again in (False, True):
        said = printed_anew(desk, at, day=today)
        assert (f"КОПИЯ, {clock.today():%d.%m.%Y}" in said) == again and "Листов" in said and "ВЗАМЕН" not in said
    with transaction():
        session.get_one(Patient, patient.id).surname = "Иная"
    said = printed_anew(desk, at, day=today)
    assert "КОПИЯ" in said and "Листов" in said and "Иной" not in said, "a copy says what the original said"
    with transaction():
        operations.move(branch.desk_id, "collection", D(300), comment="В банк", actor=make.user())
    for again in (False, True):
        said = printed_anew(desk, at, day=today)
        assert ("КОПИЯ" in said) == again and f"ВЗАМЕН НАПЕЧАТАННОГО {clock.today():%d.%m.%Y}" in said
    assert f"/cash-papers/book/{branch.legal_entity_id}/print" in desk.get(f"/cash/?desk={branch.desk_id}").text
    assert desk.post(f"{at}/print", data={"day": "вчера"}).status_code == 422
    assert client_of("doctor").post(f"{at}/print", data={"day": today}).status_code == 403
    history = desk.get(f"/patients/{patient.id}/history").text
    assert "Документ напечатан" not in history, "a sheet is nobody's paper"


def test_a_report_of_a_shift_has_one_original(client_of, make, branch):
    """An X report tells of its moment: a later one is another paper, and so is the report of the closed shift."""
    desk = client_of("administrator")
    shift = queries.open_shift_of(branch.desk_id)
    at = f"/cash-papers/shifts/{shift.id}"

    def prints():
        first, second = printed_anew(desk, at), printed_anew(desk, at)
        assert "КОПИЯ" not in first and f"КОПИЯ, {clock.today():%d.%m.%Y}" in second
        assert "ВЗАМЕН" not in first + second
        return first

    first = prints()
    assert "X-отчёт" in first and f"Составлен {clock.wall_now():%d.%m.%Y}" in first, "its sums are those of a moment"
    pay(make, branch, make.patient(), ("cash", "1000"))
    assert "1 000,00" in prints().replace("\xa0", " ")
    with transaction():
        operations.close_shift(shift.id, D(1000), actor=make.user())
    last = prints()
    assert "X-отчёт" not in last and "Составлен" not in last and "Закрыта" in last
    assert "КОПИЯ" in words_of(desk.get(f"{at}.pdf").data)
    assert f"{at}/print" in desk.get(f"/cash/shifts/{shift.id}").text
    assert client_of("doctor").post(f"{at}/print", data={}).status_code == 403
    assert desk.post("/cash-papers/shifts/999999999/print", data={}).status_code == 404


def test_a_paper_says_how_the_category_was_called(client_of, make, branch, monkeypatch):
    """Renamed since, and merged into another: papers of past days stay; the sums by category are of today's tree."""
    names = [f"Канцтовары {uuid4().hex[:6]}" for _ in range(3)]
    with transaction():
        old, heir = (operations.add_category(name, actor=make.user()) for name in names[:2])
        operations.move(branch.desk_id, "pay_in", D(500), actor=make.user())
        row = operations.move(branch.desk_id, "withdrawal", D(100), category_id=old.id, actor=make.user())
        assert row.category_name == names[0]
    shift_id = queries.open_shift_of(branch.desk_id).id
    director = client_of("director")
    with transaction():
        session.get_one(ExpenseCategory, old.id).name = names[2]
    with transaction():
        operations.merge_category(old.id, heir.id, actor=make.user("director"))
        mended = operations.reverse(row.id, "не та сумма", actor=make.user())
    today = clock.today()
    monkeypatch.setattr(clock, "today", lambda: today + timedelta(days=1))
    session.expire_all()
    assert names[0] in printed(director, row.id)
    said = words_of(director.get(f"/cash-papers/book/{branch.legal_entity_id}.pdf?day={today}").data)
    assert names[0] in said and names[2] not in said
    assert mended.category_name == names[2], "named as it was called when it was written"
    with transaction():
        operations.move(branch.desk_id, "withdrawal", D(7), category_id=heir.id, actor=make.user())
    report = client_of("director").get(f"/api/v1/cash/shifts/{shift_id}").json
    assert [one["category"] for one in report["by_category"]] == [names[1]]


def test_two_windows_print_one_sheet(app, make, branch):
    from concurrent.futures import ThreadPoolExecutor

    from app.documents import operations as papers
    from app.documents import queries as sheets

    pay(make, branch, make.patient(), ("cash", "10"))
    entity_id, day = branch.legal_entity_id, clock.today()

    def one(_):
        with app.app_context():
            with transaction():
                sheet = sheets.book_sheet(session.get_one(LegalEntity, entity_id), day)
                papers.print_paper(
                    "book_sheet", sheet.first, lambda: b"%PDF", state=sheet.state, number=sheet.number, actor=None
                )
                first = sheet.first.id
            session.remove()
        return first

    with ThreadPoolExecutor(6) as pool:
        [first] = set(pool.map(one, range(6)))
    rows = session.query(Printing).filter_by(kind="book_sheet", subject_id=first).order_by(Printing.number).all()
    assert [(row.number, row.original) for row in rows] == [(n, n == 1) for n in range(1, 7)]


def test_two_windows_print_one_original(app, make, branch):
    from concurrent.futures import ThreadPoolExecutor

    from app.documents import operations

    receipt_id = pay(make, branch, make.patient(), ("cash", "10")).receipt.id

    def one(_):
        with app.app_context():
            with transaction():
                operations.print_paper("receipt", session.get(Receipt, receipt_id), actor=None)
            session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    rows = session.query(Printing).filter_by(kind="receipt", subject_id=receipt_id).order_by(Printing.number).all()
    assert [row.number for row in rows] == list(range(1, 9))


def _sold(make, branch, patient, *lines, paid):
    """A bill of these lines (price, quantity, what more of the service), paid so far in cash."""
    services = []
    for price, _, more in lines:
        service = make.service(price, name=more.get("name", ""))
        with transaction():
            row = session.get_one(Service, service.id)
            row.vat, row.item_kind = more.get("vat", "none"), more.get("kind", "service")
        services.append(service)
    doctor = make.doctor().id
    with transaction():
        given = [{"service_id": one.id, "quantity": line[1]} for one, line in zip(services, lines, strict=True)]
        order = billing.create_work_order(patient.id, doctor, given, branch_id=branch.id, actor=None)
        billing.issue(order.id, actor=make.user())
    return order, pay(make, branch, patient, ("cash", paid))


BRUSH = ("610.00", 2, {"name": "Щётка", "vat": "vat22", "kind": "goods"})
FILLING = ("1000.00", 1, {"name": "Пломба"})


@pytest.mark.parametrize(
    ("lines", "paid", "vat", "basis"),
    [
        ([FILLING], "1000", "Без налога (НДС)", "Оплата медицинских услуг, наряд"),
        ([BRUSH], "1220", "НДС 22 %: 220,00 ₽", "Оплата товаров и услуг, наряд"),
        ([FILLING, BRUSH], "1110", "НДС 22 %: 110,00 ₽; остальное без налога (НДС)", "Оплата товаров и услуг, наряд"),
    ],
)  # fmt: skip
def test_the_tax_inside_what_is_paid(client_of, make, branch, lines, paid, vat, basis):
    order, payment = _sold(make, branch, ivanova(make), *lines, paid=paid)
    desk = client_of("administrator")
    sentence = vat if vat.startswith("Без") else f"В том числе {vat}"
    of_cash = printed(desk, payment.parts[0].movement_id).replace("\xa0", " ")
    assert of_cash.count(vat) == 2 and ("Без налога" in of_cash) == (len(lines) == 1 and lines[0] is FILLING)
    assert basis in of_cash
    receipt = words_of(desk.get(f"/documents/receipts/{payment.receipt.id}.pdf").data).replace("\xa0", " ")
    assert f". {sentence}." in receipt
    whole = sentence.replace("110,00", "220,00")
    for path in (f"{order.id}.pdf", f"{order.id}/act.pdf"):
        assert f"{whole}." in words_of(desk.get(f"/documents/work-orders/{path}").data).replace("\xa0", " "), path


def test_a_receipt_of_an_older_program_prints_as_it_did(make, branch):
    _, payment = _sold(make, branch, ivanova(make), BRUSH, paid="1220")
    old = {key: value for key, value in payment.receipt.snapshot.items() if key != "for_lines"}
    old["lines"] = [{k: v for k, v in line.items() if k not in ("vat", "kind")} for line in old["lines"]]
    said = rules.receipt_fields(old, "sale", 1, clock.today())
    assert said["vat"] == "Без налога (НДС)" and said["returned"]["number"] == ""


@pytest.mark.parametrize("written", ["guardian_id", "payer_id"])
def test_the_guardian_of_a_child_pays_and_gets_back(client_of, make, branch, written):
    today = clock.today()
    mother = ivanova(make)
    child = make.patient(
        "Иванов", name="Пётр", patronymic="Ильич", sex="male", birth_date=today.replace(year=today.year - 7, day=1),
        **{written: mother.id},
    )  # fmt: skip
    payment = pay(make, branch, child, ("cash", "500"))
    text = printed(client_of("administrator"), payment.parts[0].movement_id)
    assert text.count("Ивановой Марии Сергеевны") == 2 and "Петра" not in text
    with transaction():
        refund = billing.return_advance(payment.id, D("500"), "передумали", actor=make.user("senior"))
    text = printed(client_of("administrator"), refund.parts[0].movement_id)
    assert "Ивановой Марии Сергеевне" in text and "45 10 123456" in text
    desk = client_of("administrator")
    back = session.query(Receipt).filter_by(refund_id=refund.id).one()
    for row, who in ((payment.receipt, "Плательщик"), (back, "Получатель")):
        text = words_of(desk.get(f"/documents/receipts/{row.id}.pdf").data)
        assert f"{who} Иванова Мария Сергеевна" in text and "Пациент Иванов Пётр Ильич" in text, text
        slip = " ".join(one.text for one in rules.slip(documents.receipt_fields(row), 42, copy=False))
        assert f"{who}: Иванова Мария Сергеевна" in slip


def test_who_pays_for_oneself_is_named_once(client_of, make, branch):
    payment = pay(make, branch, ivanova(make), ("cash", "500"))
    text = words_of(client_of("administrator").get(f"/documents/receipts/{payment.receipt.id}.pdf").data)
    assert "Плательщик" not in text and text.count("Иванова Мария Сергеевна") == 1


def _slip_of(receipt_id):
    row = session.get_one(Receipt, receipt_id, populate_existing=True)
    return " ".join(one.text for one in rules.slip(documents.receipt_fields(row), 42, copy=False))


def test_a_receipt_names_the_payer_as_the_payer_was_called(client_of, make, branch):
    mother = ivanova(make)
    child = make.patient("Иванов", name="Пётр", patronymic="Ильич", sex="male", payer_id=mother.id)
    payment = pay(make, branch, child, ("cash", "500"))
    with transaction():
        session.get_one(Patient, mother.id).surname = "Соколова"
        refund = billing.return_advance(payment.id, D("500"), "передумали", actor=make.user("senior"))
    text = words_of(client_of("administrator").get(f"/documents/receipts/{payment.receipt.id}.pdf").data)
    assert "Плательщик Иванова Мария Сергеевна" in text and "Соколова" not in text
    assert "Плательщик: Иванова Мария Сергеевна" in _slip_of(payment.receipt.id)
    # who gets money back shows a passport of today
    back = session.query(Receipt).filter_by(refund_id=refund.id).one()
    assert "Получатель: Соколова Мария Сергеевна" in _slip_of(back.id)


def test_a_forgotten_payer_is_not_named_on_a_new_print(make, branch):
    mother = ivanova(make)
    child = make.patient("Иванов", name="Пётр", patronymic="Ильич", sex="male", payer_id=mother.id)
    payment = pay(make, branch, child, ("cash", "500"))
    with transaction():
        number = str(session.get_one(Patient, mother.id).card_number)
        cards.erase_card(mother.id, number, clock.today(), "Письмо № 5", actor=make.user("director"))
    said = _slip_of(payment.receipt.id)
    assert "Иванов Пётр Ильич" in said and "Плательщик" not in said and "Мария" not in said
    # the paper of money itself is kept as it was written, as the law has it
    assert session.get_one(Receipt, payment.receipt.id).snapshot["payer"] == "Иванова Мария Сергеевна"


def test_an_older_receipt_names_the_payer_as_the_card_does(make, branch):
    mother = ivanova(make)
    child = make.patient("Иванов", name="Пётр", patronymic="Ильич", sex="male", payer_id=mother.id)
    payment = pay(make, branch, child, ("cash", "500"))
    said = {name: value for name, value in payment.receipt.snapshot.items() if name != "payer"}
    old = Receipt(kind="sale", number=1, business_day=clock.today(), payment_id=payment.id, snapshot=said)
    assert documents.receipt_fields(old)["payer"] == "Иванова Мария Сергеевна"


def test_a_return_reads_as_one(client_of, make, branch):
    _, payment = _sold(make, branch, ivanova(make), ("11000.00", 1, {"name": "Коронка"}), paid="11000")
    with transaction():
        refund = billing.refund(payment.id, D("1000"), "не подошла", actor=make.user("senior"))
    row = session.query(Receipt).filter_by(refund_id=refund.id).one()
    desk = client_of("administrator")
    text = words_of(desk.get(f"/documents/receipts/{row.id}.pdf").data).replace("\xa0", " ")
    day = f"{clock.today():%d.%m.%Y}"
    for words in (
        f"Квитанция на возврат № {row.number} · стр.", f"КВИТАНЦИЯ НА ВОЗВРАТ № {row.number}", "подпись получателя",
        f"Возвращено из 11 000,00 ₽, принятых по квитанции № {payment.receipt.number} от {day}", "не подошла",
        "в таблице их полная стоимость", "Итого возвращено 1 000,00 ₽", f"Выдал {name_of(make, 'senior')}",
    ):  # fmt: skip
        assert words in text, words
    assert "плательщика" not in text
    fields = rules.receipt_fields(row.snapshot, "return", row.number, clock.today())
    slip = [one.text for one in rules.slip(fields, 42, copy=False)]
    assert f"из 11000.00 по квитанции № {payment.receipt.number} от" in " ".join(slip)
    text = words_of(desk.get(f"/documents/receipts/{payment.receipt.id}.pdf").data)
    assert "подпись плательщика" in text and "получателя" not in text and f"Принял {name_of(make)}" in text


def name_of(make, username="administrator"):
    user = make.user(username)
    return session.query(Employee).filter_by(user_id=user.id).one().short_name
