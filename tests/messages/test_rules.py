"""What messages say and when."""

from datetime import datetime

import pytest

from app.messages import rules
from app.vocab import MessageKind

FIELDS = {
    "patient": "Иван Петрович",
    "day": "пн 23 ноября",
    "time": "10:00",
    "doctor": "Юн А. С.",
    "clinic": "Улыбка",
    "phone": "",
}


def test_text_fills_fields_and_drops_what_empty_ones_leave() -> None:
    body = "{patient}, ждём вас {day} в {time}, {doctor}. {clinic}, {phone}"
    assert rules.text(body, FIELDS) == "Иван Петрович, ждём вас пн 23 ноября в 10:00, Юн А. С. Улыбка"


def test_text_is_not_a_program() -> None:
    assert rules.text("{patient.__class__} {time!r} %(day)s", FIELDS) == " %(day)s".strip()


def test_unknown_fields_are_named() -> None:
    assert rules.unknown_fields("{patient} {diagnosis} {}") == ["", "diagnosis"]


def test_every_first_template_uses_known_fields() -> None:
    assert set(rules.FIRST_TEMPLATES) == set(MessageKind)
    assert not [body for _, body in rules.FIRST_TEMPLATES.values() if rules.unknown_fields(body)]


@pytest.mark.parametrize(
    ("body", "parts"),
    [("я" * 70, 1), ("я" * 71, 2), ("я" * 134, 2), ("я" * 135, 3), ("a" * 160, 1), ("a" * 161, 2), ("[" * 80, 1),
     ("[" * 81, 2), ("😀" * 35, 1), ("😀" * 36, 2), ("", 1)],
)  # fmt: skip
def test_parts(body: str, parts: int) -> None:
    assert rules.parts(body) == parts


def test_reminder_is_due_before_the_visit_or_not_at_all() -> None:
    visit = datetime(2026, 11, 23, 10)
    assert rules.reminder_due(visit, 24, datetime(2026, 11, 20)) == datetime(2026, 11, 22, 10)
    assert rules.reminder_due(visit, 24, datetime(2026, 11, 22, 10)) is None


def test_a_text_is_true_only_while_the_visit_stands() -> None:
    visit, now = datetime(2026, 11, 23, 10), datetime(2026, 11, 22)
    assert rules.still_true("reminder", visit, status="booked", starts_at=visit, now=now)
    assert not rules.still_true("reminder", visit, status="cancelled", starts_at=visit, now=now)
    assert not rules.still_true("reminder", visit, status="booked", starts_at=datetime(2026, 11, 23, 11), now=now)
    assert not rules.still_true("reminder", visit, status="booked", starts_at=visit, now=visit)
    assert rules.still_true("cancelled", visit, status="cancelled", starts_at=visit, now=now)
    assert not rules.still_true("cancelled", visit, status="booked", starts_at=visit, now=now)


def test_pauses_grow_and_end() -> None:
    pauses = [rules.pause_after(n) for n in range(1, 8)]
    assert pauses[0] is not None and pauses[-1] is None
    known = [pause for pause in pauses if pause]
    assert known == sorted(known)
