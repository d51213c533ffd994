"""The price list: codes of the nomenclature however they are typed, what the tax office must know of a service."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.billing import queries, rules
from app.db import session, transaction
from app.models import Service, ServicePrice


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
    for typed in (f"А{number}", f"а{number[:5]}"):
        found = client_of("director").get("/service-list/list/", query_string={"_flt_0_code": typed})
        assert f"A{number}" in found.text.partition("<tbody")[2], typed
    page = client_of("director").get(f"/service-list/show/{service.id}").text
    assert "Товар" in page and "22 %" in page and "2 – дорогостоящее лечение" in page


@pytest.mark.parametrize("column", ["tax_code", "vat", "item_kind"])
def test_the_database_knows_the_lists(make: Any, column: str) -> None:
    service = make.service()
    setattr(service, column, "9")
    with pytest.raises(IntegrityError, match=f"ck_service_{column}_known"):
        session.flush()
    session.rollback()


def test_a_wrong_price_is_written_anew_or_taken_back(client_of: Any, make: Any) -> None:
    """A typo is mended before it is in force, and on its own day; what was written stays to be seen."""
    today = clock.today()
    service, later = make.service("1000.00"), today + timedelta(days=40)
    director = client_of("director")

    def written(day: date, price: str) -> int:
        form = {"service": service.id, "valid_from": day.isoformat(), "price": price}
        return director.post("/service-prices/add", data=form).status_code

    def costs(day: date) -> Any:
        session.expire_all()
        return queries.prices_of([service.id], day)[service.id]

    def standing(day: date) -> ServicePrice:
        return session.scalars(
            select(ServicePrice).where(
                ServicePrice.service_id == service.id, ServicePrice.valid_from == day,
                ServicePrice.annulled_at.is_(None),
            )
        ).one()  # fmt: skip

    old = standing(date(2020, 1, 1))
    for day in (later, today):
        assert written(day, "0") == 302 and written(day, "1200") == 302
        assert costs(day) == Decimal(1200)
    page = director.get(f"/prices/service/{service.id}").text
    assert page.count("отменена") == 2 and page.count("/take-back") == 2
    assert client_of("administrator").post(f"/prices/price/{standing(later).id}/take-back").status_code == 403
    for day, before in ((later, 1200), (today, 1000)):
        assert director.post(f"/prices/price/{standing(day).id}/take-back").status_code == 303
        assert costs(day) == before
    assert director.post(f"/prices/price/{old.id}/take-back").status_code == 303
    assert written(date(2020, 1, 1), "5") != 302 and costs(today) == Decimal(1000)


def test_a_price_of_a_day_that_has_passed_is_not_written(client_of: Any, make: Any) -> None:
    """As the import of a file refuses it, so does the form: also the first price that a service gets."""
    yesterday, senior = clock.today() - timedelta(days=1), client_of("senior")
    priced, fresh = make.service("1000.00"), make.service()
    with transaction():
        for row in session.scalars(select(ServicePrice).where(ServicePrice.service_id == fresh.id)):
            row.annulled_at = clock.now()
    for service in (priced, fresh):
        form = {"service": service.id, "valid_from": yesterday.isoformat(), "price": "5"}
        answer = senior.post("/service-prices/add", data=form)
        assert answer.status_code == 422 and f'value="{yesterday.isoformat()}"' in answer.text
        assert "Этот день прошёл: цены прошлых дней не меняются." in answer.text.split('id="valid_from"')[1]
    session.expire_all()
    assert queries.prices_of([priced.id, fresh.id], clock.today()) == {priced.id: Decimal(1000)}


def test_a_new_price_begins_with_the_service_one_came_from_and_with_today(client_of: Any, make: Any) -> None:
    service = make.service()
    director = client_of("director")
    assert f"/service-prices/add?service={service.id}" in director.get(f"/prices/service/{service.id}").text
    page = director.get(f"/service-prices/add?service={service.id}").text
    assert f'<option value="{service.id}" selected>' in page
    assert f'value="{clock.today().isoformat()}"' in page
    for nonsense in ("", "x", "2000000000", "-1"):
        assert director.get(f"/service-prices/add?service={nonsense}").status_code == 200


def test_what_is_no_sum_is_not_also_called_too_small(client_of: Any, make: Any) -> None:
    """One mistake, one sentence: «1 500 руб» is no sum, but nobody asked for less than nothing."""
    director = client_of("director")
    typed = {"service": make.service().id, "valid_from": clock.today().isoformat(), "price": "дорого"}
    page = director.post("/service-prices/add", data=typed).text
    assert page.count("field-error") == 1 and "Это не денежная сумма." in page
    page = director.post("/service-prices/add", data={**typed, "price": "-5"}).text
    assert page.count("field-error") == 1 and "Сумма не может быть меньше нуля." in page
    page = director.post("/service-list/add", data={"code": "A1", "name": "Слепок", "minutes": "полчаса"}).text
    assert "От 5 до 720 минут." not in page


def test_where_a_category_comes_from_and_what_is_expensive_is_said(client_of: Any) -> None:
    page = client_of("director").get("/service-list/add").text
    assert "Категории услуг" in page.split("<main")[-1] and "из перечня правительства" in page


def test_a_price_written_by_hand_says_where_its_service_comes_from(client_of: Any) -> None:
    page = client_of("director").get("/service-prices/add").text
    assert "Новую заводят в справочнике «Услуги»." in page


@pytest.mark.parametrize("typed", ["прием", "ПРИЁМ", "прием щёточ", "ЩЕТОЧНЫЙ"])
def test_a_service_with_ё_is_found_by_е(make: Any, typed: str) -> None:
    service = make.service(name="Приём щёточный")
    assert service.id in {row.id for row in queries.price_list(typed, limit=100)[1]}
    assert service.id in {row.id for row in queries.services_named(typed, limit=100)}
