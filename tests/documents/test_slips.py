"""A receipt on the slip printer: a real one over TCP, in CP866, counted as a print; and when it cannot."""

import socket
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from app.db import session, transaction
from app.gateways.slip import escpos
from app.gateways.slip.simulator import Simulator, running
from app.models import Printing, SlipPrinter
from tests.conftest import Maker


@pytest.fixture
def tape() -> Iterator[Simulator]:
    with running() as simulator:
        yield simulator


def come_out(tape: Simulator, many: int) -> list[list[str]]:
    """The slips, when so many have come out: a printer goes on when the line is closed already."""
    end = time.monotonic() + 30
    while len(tape.paper.slips) < many and time.monotonic() < end:
        time.sleep(0.02)
    return tape.paper.slips


@pytest.fixture
def receipt(make: Maker, tape: Simulator, client_of) -> int:
    """A payment of 1 000 with 5 000 tendered in the administrator's branch; the number of its receipt."""
    from app.access import account
    from app.billing import operations as billing
    from app.cash import operations as cash
    from app.cash import queries as desks
    from app.models import Branch, CashDesk

    branch_id = account(make.user()).branch_id
    with transaction():
        for row in session.query(SlipPrinter).filter_by(branch_id=branch_id):
            row.archived = True
        session.flush()
        session.add(SlipPrinter(name="Лента", branch_id=branch_id, address=tape.address, columns=32, code_page=17))
    branch = session.get_one(Branch, branch_id)
    desk = session.query(CashDesk).filter_by(branch_id=branch_id, kind="main", archived=False).first()
    if desk is None:
        desk = make._save(
            CashDesk(name="Касса", kind="main", branch_id=branch_id, legal_entity_id=branch.legal_entity_id)
        )
    with transaction():
        if desks.open_shift_of(desk.id) is None:
            cash.open_shift(desk.id, desk.balance, actor=make.user())
    patient, doctor = make.patient("Ёлкина"), make.doctor().id
    service = make.service("1000.00", name="Лечение «кариеса» — пломба светового отверждения, 3 поверхности")
    with transaction():
        lines = [{"service_id": service.id, "quantity": 1, "tooth": "36"}]
        director = make.user("director")
        order = billing.create_work_order(patient.id, doctor, lines, branch_id=branch_id, actor=director)
        billing.issue(order.id, actor=director)
    with transaction():
        payment = billing.take_payment(
            patient.id, [{"method": "cash", "amount": Decimal(1000)}], tendered=Decimal(5000), branch_id=branch_id,
            actor=make.user(),
        )  # fmt: skip
        return payment.receipt.id


def test_a_slip_and_its_copy(receipt: int, tape: Simulator, client_of) -> None:
    desk = client_of("administrator")
    assert desk.post(f"/documents/receipts/{receipt}/slip").status_code == 303
    (slip,) = come_out(tape, 1)
    text = "\n".join(slip)
    assert all(len(line) <= 32 for line in slip) and tape.paper.page == 17
    assert "Ёлкина" in text and 'Лечение "кариеса" - пломба' in text and "(зуб 36)" in text
    assert "ИТОГО" in text and text.count("1000.00") >= 2 and "Сдача" in text and "4000.00" in text
    assert "Не является фискальным" in text and "КОПИЯ" not in text and "?" not in text
    desk.post(f"/documents/receipts/{receipt}/slip")
    assert "КОПИЯ" in "\n".join(come_out(tape, 2)[-1])
    assert session.query(Printing).filter_by(kind="receipt", subject_id=receipt).count() == 2


@pytest.mark.parametrize("fault", ["no_paper", "offline", "gone"])
def test_what_was_not_printed_is_not_counted(receipt: int, tape: Simulator, client_of, fault: str) -> None:
    desk = client_of("administrator")
    if fault == "gone":
        with socket.create_server(("127.0.0.1", 0)) as closed, transaction():
            printer = session.query(SlipPrinter).filter_by(address=tape.address).one()
            printer.address = f"127.0.0.1:{closed.getsockname()[1]}"
    else:
        tape.paper.fault = fault
    answer = desk.post(f"/documents/receipts/{receipt}/slip", follow_redirects=True)
    said = "нет бумаги" if fault == "no_paper" else "не отвечает"
    assert answer.status_code == 200 and said in answer.text and not tape.paper.slips
    assert not session.query(Printing).filter_by(kind="receipt", subject_id=receipt).count()


def test_a_branch_without_a_printer(receipt: int, tape: Simulator, client_of) -> None:
    with transaction():
        session.query(SlipPrinter).filter_by(address=tape.address).one().archived = True
    desk = client_of("administrator")
    answer = desk.post(f"/documents/receipts/{receipt}/slip", follow_redirects=True)
    assert "Принтеры квитанций" in answer.text and "Квитанция на ленте" not in answer.text
    assert client_of("doctor").post(f"/documents/receipts/{receipt}/slip").status_code == 403


def test_letters_that_cp866_lacks() -> None:
    assert escpos.encoded("Ёж № 5 — «да», 100\u00a0₽ 😀").decode("cp866") == 'Ёж № 5 - "да", 100 руб. ?'
    # a foreigner's name without its marks, «ё» and «й» with theirs, however they were typed
    said = {"Müller, Weiß, Café": "Muller, Weiss, Cafe", "Йё и\u0306е\u0308": "Йё йё", "10\u20115 м²": "10-5 м2"}
    assert {text: escpos.encoded(text).decode("cp866") for text in said} == said


def test_the_printers_page(client_of) -> None:
    senior = client_of("senior")
    assert senior.get("/slip-printers/list/").status_code == 200
    assert client_of("doctor").get("/slip-printers/add").status_code in (302, 403)
