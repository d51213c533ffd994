"""An old card index as a file, and the worker that carries it."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.db import session, transaction
from app.models import CardImport, CardImportRow, Patient
from app.patients import jobs, operations
from app.vocab import IMPORT_WORKS

HEAD = ["№ карты", "Фамилия", "Имя", "Отчество", "Дата рождения", "Телефон", "СНИЛС", "Примечание"]


def table(*rows: Any, head: Any = HEAD, charset: str = "utf-8-sig") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([head, *rows])
    return out.getvalue().encode(charset)


def state_of(import_id: int) -> str:
    session.rollback()
    return str(session.scalar(select(CardImport.state).where(CardImport.id == import_id)))


def carried(import_id: int) -> str:
    """The worker does all that is to be done; the state it ends in."""
    while (state := state_of(import_id)) in IMPORT_WORKS:
        jobs.carry(import_id)
    return state


def looked(make: Any, content: bytes, name: str = "картотека.csv", **said: Any) -> int:
    """The file is taken, its columns are as they were guessed, its rows are judged."""
    with transaction():
        row = operations.take_file(name, content, actor=make.user("director"))
        pk, mapping = row.id, row.mapping
    with transaction():
        operations.say_columns(
            pk, said.pop("mapping", mapping),
            **{"day_order": "dmy", "area_code": "", "headless": row.headless, "actor": make.user("director"), **said},
        )  # fmt: skip
    carried(pk)
    return int(pk)


def applied(make: Any, import_id: int, *, fill: bool = False, with_maybe: bool = False) -> str:
    with transaction():
        operations.apply_import(import_id, fill=fill, with_maybe=with_maybe, actor=make.user("director"))
    return carried(import_id)


def verdicts(import_id: int) -> list[tuple[int, str]]:
    session.rollback()
    found = session.execute(
        select(CardImportRow.line, CardImportRow.verdict)
        .where(CardImportRow.import_id == import_id)
        .order_by(CardImportRow.line)
    )
    return [(line, str(verdict)) for line, verdict in found]


def counts(import_id: int) -> dict[str, int]:
    session.rollback()
    return dict(session.get_one(CardImport, import_id, populate_existing=True).counts or {})


def cards(surname: str) -> list[Patient]:
    session.expire_all()
    return list(session.scalars(select(Patient).where(Patient.surname == surname).order_by(Patient.id)))


@pytest.fixture
def surname() -> Callable[[], str]:
    """Surnames that nobody has."""
    from uuid import uuid4

    letters = "абвгдежзиклмнопр"
    return lambda: "Щ" + "".join(letters[int(digit, 16)] for digit in uuid4().hex[:12]) + "ов"
