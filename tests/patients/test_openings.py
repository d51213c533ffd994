"""The director's page of who opened which cards: put together by employee, by card; what is worth a question."""

from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.db import session, transaction
from app.models import CardOpening, User
from app.patients import operations, queries, rules
from tests.conftest import Maker, counted_statements

TODAY = clock.today()


def opened(make: Maker, who: Any, days_ago: int, cards: list[int]) -> None:
    with transaction():
        session.add_all([
            CardOpening(patient_id=pk, user_id=who.id, day=TODAY - timedelta(days=days_ago), first_at=clock.now(),
                        last_at=clock.now(), times=2)
            for pk in cards
        ])  # fmt: skip


@pytest.fixture
def desk(make: Maker) -> Any:
    who = make.user().id
    session.expire_all()
    return session.get_one(User, who)


def test_a_wild_day_is_seen(make: Maker, desk: Any, client_of: Any) -> None:
    cards = [make.patient("Смотримая").id for _ in range(45)]
    for ago in (100, 99, 98):
        opened(make, desk, ago, cards[:3])
    opened(make, desk, 97, cards)
    asked = queries.Looked(TODAY - timedelta(days=100), TODAY - timedelta(days=97))
    count, rows = queries.looked_by_day(asked, limit=50)
    assert count == 4 and [(row["cards"], row["usual"], row["strange"]) for row in rows] == [
        (45, 3, True), (3, 3, False), (3, 3, False), (3, 3, False),
    ]  # fmt: skip
    count, rows = queries.looked_by_card(asked, limit=2)
    assert count == 45 and [(row["days"], row["times"], row["people"]) for row in rows] == [(4, 8, 1)] * 2
    address = f"/openings/?from={asked.first}&to={asked.last}"
    page = client_of("director").get(address).text
    assert "Кто открывал карты" in page and "Намного больше обычного" in page
    page = client_of("director").get(f"{address}&by=one&patient_id={cards[44]}&user_id={desk.id}").text
    assert page.count("Смотримая Иван Петрович</a>") == 1
    assert "Смотримая" in client_of("director").get(f"{address}&by=card&page=0").text
    first = client_of("director").get(f"{address}&by=one").text
    second = client_of("director").get(f"{address}&by=one&page=1").text
    assert "1–50 из 54" in first and "51–54 из 54" in second


def test_what_was_taken_away_is_there(make: Maker, client_of: Any) -> None:
    pk = make.patient("Вынесенная").id
    director = client_of("director")
    assert director.get(f"/patients/{pk}/card.zip").status_code == 200
    page = director.get("/openings/").text
    assert "Выгрузки" in page and "Вынесенная" in page
    asked = queries.Looked(TODAY, TODAY, patient_id=pk)
    assert [row["id"] for row in queries.taken_away(asked)] == [pk]
    with transaction():
        operations.note_opening(pk, actor=make.user("director"))
    [row] = queries.looked_by_day(asked, limit=5)[1]
    assert row["taken"] >= 1


def test_few_statements_whatever_is_asked(app: Any, client_of: Any) -> None:
    director = client_of("director")
    director.get("/openings/")
    for by in ("day", "card", "one"):
        with counted_statements(app) as seen:
            director.get(f"/openings/?by={by}")
        assert len(seen) <= 9, (by, len(seen), seen)


@pytest.mark.parametrize(
    "asked",
    ["from=вчера", "by=x", "page=-1", "user_id=x", "from=2027-01-01&to=2026-01-01", "to=9999-12-31", "page=99999"],
)
def test_odd_questions_are_pages(client_of: Any, asked: str) -> None:
    assert client_of("director").get(f"/openings/?{asked}").status_code in (200, 422)


def test_outsiders(client_of: Any) -> None:
    for who in ("administrator", "senior", "doctor", "sysadmin"):
        assert client_of(who).get("/openings/").status_code == 403


@pytest.mark.parametrize("cards, usually, elsewhere, strange", [
    (39, 1, 1, False), (40, 20, 1, False), (41, 20, 1, True), (90, 0, 50, False), (120, 0, 50, True), (40, 0, 0, True),
])  # fmt: skip
def test_what_is_worth_a_question(cards: int, usually: int, elsewhere: int, strange: bool) -> None:
    assert rules.asks_for_a_look(cards, usually, elsewhere) is strange
    assert rules.usual([3, 3, 3, 90]) == 3 and rules.usual([]) == 0


def test_who_looks_at_a_part_of_a_card_has_opened_it(make: Maker, client_of: Any) -> None:
    pk = make.patient("Частичная").id
    desk = client_of("administrator2")
    for address in (f"/patients/{pk}/edit", f"/patients/{pk}/family", f"/patients/{pk}/history"):
        assert desk.get(address).status_code == 200
    seen = session.query(CardOpening).filter_by(patient_id=pk).one()
    assert (seen.user_id, seen.times) == (make.user("administrator2").id, 1)
    assert desk.get(f"/patients/{pk}").status_code == 200
    assert desk.get(f"/patients/{pk}/family").status_code == 200
    session.expire_all()
    assert session.query(CardOpening).filter_by(patient_id=pk).one().times == 2
