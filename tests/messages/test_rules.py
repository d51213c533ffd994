"""What messages say and when."""

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages import replies, rules
from app.messages.rules import Sending
from app.vocab import MessageKind, ReplyMeaning

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


# --- the sending hours --------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
HOURS = st.tuples(CLOCKS, CLOCKS).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: Sending(*pair))
MOMENTS = st.datetimes(datetime(2026, 11, 20), datetime(2026, 11, 26)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)


def naive(moment: datetime, hours: Sending) -> datetime:
    """Minute by minute until the door is open."""
    while not hours.start <= moment.time() < hours.end:
        moment += MINUTE
    return moment


@given(MOMENTS, HOURS)
def test_a_message_leaves_at_the_first_open_minute(moment: datetime, hours: Sending) -> None:
    due = rules.in_hours(moment, hours)
    assert due == naive(moment, hours)
    assert rules.in_hours(due, hours) == due


@given(MOMENTS, st.integers(1, 72), HOURS, st.integers(0, 100))
def test_a_reminder_never_comes_at_night_nor_too_late(
    visit: datetime, hours: int, sending: Sending, ahead: int
) -> None:
    now = visit - timedelta(hours=ahead)
    due = rules.reminder_due(visit, hours, now, sending)
    if ahead <= hours:
        assert due is None
        return
    if due is None:
        return
    assert now < due < visit and sending.holds(due)
    wished = visit - timedelta(hours=hours)
    if sending.holds(wished):
        assert due == wished


def test_an_early_visit_is_reminded_of_in_the_evening_before() -> None:
    now, sending = datetime(2026, 11, 20), Sending(time(9), time(21))
    assert rules.reminder_due(datetime(2026, 11, 23, 9, 30), 2, now, sending) == datetime(2026, 11, 22, 20)
    assert rules.reminder_due(datetime(2026, 11, 23, 10), 2, now, sending) == datetime(2026, 11, 23, 9)
    assert rules.reminder_due(datetime(2026, 11, 23, 8), 24, now, sending) == datetime(2026, 11, 22, 9)
    assert rules.reminder_due(datetime(2026, 11, 23, 9), 12, now, sending) == datetime(2026, 11, 22, 20)


def test_one_text_names_all_times_and_says_the_same_once() -> None:
    two = rules.told_together([FIELDS, {**FIELDS, "time": "14:00"}])
    assert two["time"] == "10:00 и 14:00" and two["doctor"] == FIELDS["doctor"]
    three = rules.told_together(
        [FIELDS, {**FIELDS, "time": "12:00"}, {**FIELDS, "time": "14:00", "doctor": "Ким О. Л."}]
    )
    assert three["time"] == "10:00, 12:00 и 14:00" and three["doctor"] == "Юн А. С., Юн А. С. и Ким О. Л."


def test_a_missed_visit_is_written_about_for_two_days() -> None:
    visit = datetime(2026, 11, 23, 10)
    told = {"status": "no_show", "starts_at": visit}
    assert rules.still_true("no_show", visit, now=datetime(2026, 11, 24, 9), **told)
    assert not rules.still_true("no_show", visit, now=datetime(2026, 11, 26), **told)
    assert not rules.still_true("no_show", visit, status="completed", starts_at=visit, now=datetime(2026, 11, 24))


# --- replies ------------------------------------------------------------------------------------------

YES = ["да", "Да!", "ДА, приду", "дааа", "lf", "+", "👍", "👍🏻", "ок", "Ok", "yes", "д", "1", "приду",
       "Буду вовремя, спасибо", "подтвреждаю", "подтверждю", "Добрый день! Да, буду", "✅", "xорошо",
       " да "]  # fmt: skip
NO = ["нет", "Нет.", "ytn", "-", "—", "👎", "❌", "не приду", "Не смогу прийти", "нет, не смогу", "отмена",
      "отмените, пожалуйста", "0", "не получится", "нет, перенесите на вторник"]  # fmt: skip
STOP = ["стоп", "СТОП", "stop", "Стоп, больше не пишите", "отпишите меня"]
UNKNOWN = ["да нет", "да, но в 15:00", "кто это?", "", "   ", "спасибо", "нет проблем, буду", "не забуду, приду", "12",
           "а можно перенести?", "\x00", "стоматолог?", "😀", "?" * 3000]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "meaning"),
    [(text, "yes") for text in YES] + [(text, "no") for text in NO] + [(text, "stop") for text in STOP]
    + [(text, "unknown") for text in UNKNOWN],
)  # fmt: skip
def test_what_a_reply_means(text: str, meaning: str) -> None:
    assert replies.meaning(text) == meaning


@given(st.text(max_size=80))
def test_any_reply_has_a_meaning_whatever_its_case(text: str) -> None:
    assert replies.meaning(text) in list(ReplyMeaning)
    assert replies.meaning(f"  {text}  ") == replies.meaning(text)


@given(st.text(alphabet="абвгдежзиклмнопрстуфхцчшэюя ", min_size=12, max_size=60))
def test_what_is_not_clearly_a_yes_is_not_a_yes(text: str) -> None:
    if replies.meaning(text) == "yes":
        assert all(len(word) <= 14 for word in text.split())
        assert not {"но", "если", "другое"} & set(text.split())
