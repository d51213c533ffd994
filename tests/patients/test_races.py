"""A card at one moment in many hands: emptied while a paper is issued or answers are written down, looked at by all.

Where next: `../test_races.py` for `together`; `test_erasing.py` for what becomes of an emptied card.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import clock
from app.billing import operations as billing
from app.db import db, session, transaction
from app.documents import operations as documents
from app.errors import CardErased, CardMerged, NotErasable, Refusal
from app.models import CardErasure, CardOpening, HealthSurvey, IssuedDocument, Patient, User, WorkOrder
from app.patients import operations
from tests.conftest import Maker, sign_in
from tests.test_races import together

TODAY = clock.today()
WORKS = ["paper", "answers"]

Work = Callable[[], Any]


def erases(make: Maker, pk: int) -> Work:
    number, director = str(session.get_one(Patient, pk).card_number), make.user("director").id
    return lambda: operations.erase_card(pk, number, TODAY, "Письмо № 5", actor=session.get_one(User, director)).id


def writes(make: Maker, pk: int, what: str) -> Work:
    who = make.user().id

    def paper() -> int:
        return documents.issue("contract", pk, actor=session.get_one(User, who)).id

    def answers() -> int:
        given = {"heart": ("yes", "давление")}
        return operations.add_survey(pk, TODAY, given, {}, actor=session.get_one(User, who)).id

    return {"paper": paper, "answers": answers}[what]


def written(pk: int) -> int:
    """How many papers and questionnaires the card has."""
    return sum(session.query(model).filter_by(patient_id=pk).count() for model in (IssuedDocument, HealthSurvey))


def one_behind_the_other(app: Flask, first: Work, second: Work) -> list[Any]:
    """Both at once: the second comes while the first is done and not yet committed; results, or the refusals."""
    done, results = threading.Event(), [None, None]

    def do(place: int, work: Work, before: Work, after: Work) -> None:
        with app.app_context():
            try:
                before()
                with transaction():
                    results[place] = work()
                    after()
            except Refusal as refusal:
                results[place] = refusal  # type: ignore[call-overload]
            finally:
                done.set()

    def until_somebody_waits() -> None:
        """Somebody waits for what this transaction holds."""
        done.set()
        me = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            waits = text("SELECT count(*) FROM pg_stat_activity WHERE :me = ANY (pg_blocking_pids(pid))")
            while not other.execute(waits, {"me": me}).scalar_one():
                assert two.is_alive()  # else it went past what the first holds

    nothing: Work = lambda: None  # noqa: E731
    one = threading.Thread(target=do, args=(0, first, nothing, until_somebody_waits))
    two = threading.Thread(target=do, args=(1, second, done.wait, nothing))
    for thread in (two, one):
        thread.start()
    for thread in (one, two):
        thread.join()
    session.expire_all()
    return results


@pytest.mark.parametrize("what", WORKS)
def test_what_came_before_the_erasure_is_of_it(app: Flask, make: Maker, what: str) -> None:
    """Written first, the card is emptied with it in view: the law keeps it, and so who it is of."""
    pk = make.patient("Первобумажная").id
    paper, erased = one_behind_the_other(app, writes(make, pk, what), erases(make, pk))
    assert isinstance(paper, int) and isinstance(erased, int), (paper, erased)
    kept = session.get_one(CardErasure, erased)
    assert written(pk) == 1 and kept.kept["surname"] == "Первобумажная"
    years = {"paper": 5, "answers": 25}[what]
    assert kept.kept_until.year == TODAY.year + years
    assert session.get_one(Patient, pk).surname == "Обезличенная"


@pytest.mark.parametrize("what", WORKS)
def test_what_comes_after_the_erasure_is_refused(app: Flask, make: Maker, what: str) -> None:
    pk = make.patient("Послебумажная").id
    erased, refusal = one_behind_the_other(app, erases(make, pk), writes(make, pk, what))
    assert isinstance(erased, int) and isinstance(refusal, CardErased), (erased, refusal)
    assert written(pk) == 0 and session.get_one(CardErasure, erased).kept is None


@pytest.mark.parametrize("what", WORKS)
def test_ten_write_and_one_erases(app: Flask, make: Maker, what: str) -> None:
    """Whoever was before the erasure is in it, whoever was after it was told; nobody in between."""
    pk = make.patient("Гоночная").id
    *many, erased = together(app, [*(writes(make, pk, what) for _ in range(10)), erases(make, pk)])
    session.expire_all()
    before = [one for one in many if isinstance(one, int)]
    assert isinstance(erased, int) and written(pk) == len(before)
    assert all(isinstance(one, CardErased) for one in many if one not in before), many
    assert bool(session.get_one(CardErasure, erased).kept) == bool(before)
    for row in session.query(IssuedDocument).filter_by(patient_id=pk):
        assert "Гоночная" in row.html  # of who it was issued to, not of an emptied card


def orders(make: Maker, pk: int) -> Work:
    service, doctor, who = make.service().id, make.doctor().id, make.user("director").id
    lines = [{"service_id": service, "quantity": 1}]
    return lambda: billing.create_work_order(pk, doctor, lines, actor=session.get_one(User, who)).id


def merges(make: Maker, pk: int) -> Work:
    stays, who = make.patient().id, make.user("director").id
    return lambda: operations.merge_cards(pk, stays, {}, "двойник", actor=session.get_one(User, who)).id


def test_no_work_order_is_left_on_a_card_that_is_gone(app: Flask, make: Maker) -> None:
    """A draft that came first keeps the card from being emptied, and goes with it when it is merged; later there is
    none."""
    pk = make.patient().id
    order, refusal = one_behind_the_other(app, orders(make, pk), erases(make, pk))
    assert isinstance(order, int) and isinstance(refusal, NotErasable), (order, refusal)
    for goes, said in ((erases, CardErased), (merges, CardMerged)):
        pk = make.patient().id
        gone, refusal = one_behind_the_other(app, goes(make, pk), orders(make, pk))
        assert isinstance(gone, int) and isinstance(refusal, said), (gone, refusal)
        assert session.query(WorkOrder).filter_by(patient_id=pk).count() == 0
    pk = make.patient().id
    order, gone = one_behind_the_other(app, orders(make, pk), merges(make, pk))
    assert isinstance(order, int) and isinstance(gone, int), (order, gone)
    card = session.get_one(Patient, pk)
    assert session.get_one(WorkOrder, order).patient_id == card.merged_into_id


def looked(pk: int) -> list[int]:
    session.expire_all()
    return [row.times for row in session.query(CardOpening).filter_by(patient_id=pk)]


def test_many_looks_at_one_card_are_one_row(app: Flask, make: Maker) -> None:
    pk, who = make.patient().id, make.user().id

    def opens(of: int) -> Work:
        return lambda: operations.note_opening(of, actor=session.get_one(User, who))

    def sees(of: int) -> Work:
        return lambda: operations.note_seen(of, actor=session.get_one(User, who))

    together(app, [sees(pk)] * 20)
    assert looked(pk) == [1]
    together(app, [opens(pk), sees(pk)] * 10)
    assert looked(pk) == [11]
    pk = make.patient().id
    together(app, [opens(pk), sees(pk)] * 10)
    assert looked(pk) in ([10], [11])  # whoever only saw a part counts if nobody had opened it before


def test_many_windows_of_one_desk_open_a_card(app: Flask, make: Maker) -> None:
    pk, answers = make.patient().id, list[int]()
    windows = [sign_in(app, "administrator") for _ in range(8)]
    gate = threading.Barrier(len(windows))

    def look(window: Any) -> None:
        gate.wait()
        answers.append(window.get(f"/patients/{pk}").status_code)

    threads = [threading.Thread(target=look, args=(window,)) for window in windows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8 and looked(pk) == [8]
