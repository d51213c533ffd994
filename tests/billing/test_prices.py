"""The price list: codes of the nomenclature however they are typed, what the tax office must know of a service."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.billing import queries, rules
from app.db import session
from app.models import Service


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("А16.07.002", "A16.07.002"), ("a16.07.002.010", "A16.07.002.010"), (" В01. 065 .007 ", "B01.065.007"),
        ("В01.065–007", "B01.065-007"), ("\u00a0A16\u00a0", "A16"), ("", ""), ("ГИГ-1", "ГИГ-1"),
    ],
)  # fmt: skip
def test_a_code_is_kept_in_latin_letters(typed: str, kept: str) -> None:
    assert rules.service_code(typed) == kept


@given(st.text(max_size=40))
def test_a_code_that_is_kept_stays_as_it_is(typed: str) -> None:
    once = rules.service_code(typed)
    assert rules.service_code(once) == once


def test_a_service_is_added_and_found_by_a_code_in_russian_letters(client_of: Any, make: Any) -> None:
    number = f"16.{uuid4().int % 100:02d}.{uuid4().int % 1000:03d}"
    category = make.service().category_id
    answer = client_of("director").post(
        "/service-list/add",
        data={
            "code": f"А{number}", "name": "Снятие оттиска", "category": category, "minutes": "15", "item_kind": "goods",
            "vat": "vat22", "tax_code": "2",
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.text[-3000:]
    service = session.scalars(select(Service).where(Service.code == f"A{number}")).one()
    assert (service.item_kind, service.vat, service.tax_code) == ("goods", "vat22", "2")
    assert service.id in {row.id for row in queries.services_named(f"а{number}", limit=10)}
    page = client_of("director").get(f"/service-list/show/{service.id}").text
    assert "Товар" in page and "22 %" in page and "2 – дорогостоящее лечение" in page


@pytest.mark.parametrize("column", ["tax_code", "vat", "item_kind"])
def test_the_database_knows_the_lists(make: Any, column: str) -> None:
    service = make.service()
    setattr(service, column, "9")
    with pytest.raises(IntegrityError, match=f"ck_service_{column}_known"):
        session.flush()
    session.rollback()
