"""Notifying: the work list, what the desk hears, replies, the link in a message, SMS by hand; races; a browser."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.db import session, transaction
from app.errors import NotFound, Stale, WrongStatus
from app.messages import operations as messages
from app.messages import queries as outbox
from app.models import (
    Appointment,
    CallTaskReason,
    ClinicSetting,
    ConfirmLink,
    Family,
    IncomingMessage,
    OutboxMessage,
    Patient,
    PatientConsent,
)
from app.schedule import operations, queries
from app.vocab import Confirmation
from tests.conftest import Maker
from tests.test_races import together

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """It is noon: messages may leave."""
    with clock.at(datetime.combine(clock.today(), time(12))):
        yield


@pytest.fixture
def start() -> datetime:
    return datetime.combine(clock.today() + DAY, time(10))


@pytest.fixture
def visit(make: Maker, start: datetime) -> Any:
    with transaction():
        messages.add_first_templates()
    return make.appointment(make.patient(), make.doctor(), start)


def sent(visit: Appointment, kind: str = "reminder", **values: Any) -> OutboxMessage:
    """A message about the visit that has left; `values` as the row has them."""
    phone = session.get_one(Patient, visit.patient_id).phones[0].number
    row = {
        "kind": kind, "patient_id": visit.patient_id, "appointment_id": visit.id, "planned_time": visit.starts_at,
        "phone": phone, "body": "Ждём вас", "said": "Ждём вас", "status": "sent", "due_at": clock.now(),
        "sent_at": clock.now() - timedelta(minutes=5), "sending_since": clock.now() - timedelta(minutes=5),
        "attempts": 1,
    }  # fmt: skip
    return Maker()._save(OutboxMessage(**{**row, **values}))  # type: ignore[no-any-return]


def fresh(visit: Appointment) -> Appointment:
    session.rollback()
    return session.get_one(Appointment, visit.id, populate_existing=True)


def reply(visit: Appointment, text: str, key: str = "") -> IncomingMessage | None:
    phone = session.get_one(Patient, visit.patient_id).phones[0].number
    with transaction():
        return operations.take_reply(key or f"r{phone}{text}"[:60], phone, text, clock.now())


def note() -> None:
    from app.schedule import jobs

    jobs.note_notified()


# --- what the desk hears ----------------------------------------------------------------------------------


def test_each_try_that_reached_nobody_counts_and_a_move_begins_anew(make: Maker, visit: Any) -> None:
    for _ in range(2):
        with transaction():
            operations.confirm(visit.id, "not_reached", actor=None)
    assert (fresh(visit).confirmation, visit.notify_attempts) == ("not_reached", 2)
    make.hours(visit.doctor, visit.starts_at.date())
    with transaction():
        operations.move(visit.id, visit.version, starts_at=visit.starts_at.replace(hour=15), actor=None)
    assert (fresh(visit).confirmation, visit.notify_attempts) == ("not_notified", 0)


def test_an_answer_about_a_visit_that_changed_is_refused(visit: Any) -> None:
    with transaction():
        operations.confirm(visit.id, "confirmed", version=visit.version, actor=None)
    with pytest.raises(Stale), transaction():
        operations.confirm(visit.id, "not_reached", version=1, actor=None)
    assert fresh(visit).confirmation == "confirmed"


def test_a_message_that_has_left_makes_the_patient_notified(visit: Any) -> None:
    with transaction():
        messages.plan_visit(visit, actor=None)
    note()
    assert fresh(visit).confirmation == "not_notified"  # nothing has left yet
    sent(visit, "ask")
    note()
    note()
    assert fresh(visit).confirmation == "notified"
    assert len([row for row in queries.history(visit.id) if row["what"] == "appointment.notified"]) == 1


def test_what_was_answered_meanwhile_stays(visit: Any) -> None:
    sent(visit)
    with transaction():
        operations.confirm(visit.id, "declined", actor=None)
    note()
    assert fresh(visit).confirmation == "declined"


def test_an_old_booking_message_does_not_notify(make: Maker, visit: Any) -> None:
    far = make.appointment(make.patient(), make.doctor(), visit.starts_at + 9 * DAY)
    sent(far, "booked")
    sent(visit, "booked")  # it came when a reminder would have come
    note()
    assert (fresh(far).confirmation, fresh(visit).confirmation) == ("not_notified", "notified")


def test_a_joined_visit_is_notified_with_the_other(make: Maker, visit: Any) -> None:
    patient = session.get_one(Patient, visit.patient_id)
    second = make.appointment(patient, make.doctor(), visit.starts_at.replace(hour=14))
    leader = sent(visit)
    sent(second, status="joined", joined_to_id=leader.id, sent_at=None, attempts=0)
    note()
    assert fresh(second).confirmation == fresh(visit).confirmation == "notified"


# --- replies ------------------------------------------------------------------------------------------------


def test_yes_confirms_once(visit: Any) -> None:
    sent(visit)
    taken = reply(visit, "Да, приду!", "one")
    assert taken is not None and taken.handled_at is not None and taken.appointment_id == visit.id
    assert reply(visit, "Да, приду!", "one") is None
    assert fresh(visit).confirmation == "confirmed"
    [deed] = [row for row in queries.history(visit.id) if row["what"] == "appointment.confirmed"]
    assert deed["to"]["answered_by"] == "reply"


def test_no_declines_and_asks_for_a_call(visit: Any) -> None:
    sent(visit)
    taken = reply(visit, "нет")
    assert fresh(visit).confirmation == "declined"
    reasons = session.scalars(select(CallTaskReason).where(CallTaskReason.appointment_id == visit.id)).all()
    assert [one.kind for one in reasons] == ["asks_to_move"]
    assert taken is not None and session.get_one(IncomingMessage, taken.id).handled_at is not None


def test_without_the_calls_a_no_waits_for_the_desk(fresh_app: Flask) -> None:
    with fresh_app.app_context():
        make = Maker()
        with transaction():
            session.get_one(ClinicSetting, 1).crm = False
        visit = make.appointment(make.patient(), make.doctor(), datetime.combine(clock.today() + DAY, time(10)))
        sent(visit)
        taken = reply(visit, "нет")
        assert taken is not None and taken.handled_at is None and fresh(visit).confirmation == "declined"
        assert session.scalar(select(func.count(CallTaskReason.id))) == 0
        session.remove()


def test_who_shares_a_phone_is_not_guessed(make: Maker, visit: Any) -> None:
    phone = session.get_one(Patient, visit.patient_id).phones[0].number
    brother = make.appointment(make.patient(phone=phone), make.doctor(), visit.starts_at)
    sent(visit)
    sent(brother)
    taken = reply(visit, "да", "shared")
    assert taken is not None and taken.patient_id is None and taken.handled_at is None
    assert fresh(visit).confirmation == fresh(brother).confirmation == "not_notified"
    with transaction():
        operations.cancel(brother.id, _reason(), "patient", actor=None)
    reply(visit, "да", "shared 2")  # now there is only one whom it can be about
    assert fresh(visit).confirmation == "confirmed"


def _reason() -> int:
    from uuid import uuid4

    from app.models import CancelReason

    reason = CancelReason(name=f"Заболел {uuid4().hex[:8]}")
    session.add(reason)
    session.flush()
    return reason.id


def test_a_reply_is_about_the_nearest_day_and_all_its_visits(make: Maker, visit: Any) -> None:
    patient = session.get_one(Patient, visit.patient_id)
    same_day = make.appointment(patient, make.doctor(), visit.starts_at.replace(hour=15))
    later = make.appointment(patient, make.doctor(), visit.starts_at + 3 * DAY)
    for one in (visit, same_day, later):
        sent(one)
    reply(visit, "+")
    assert [fresh(one).confirmation for one in (visit, same_day, later)] == ["confirmed", "confirmed", "not_notified"]


@pytest.mark.parametrize("text", ["кто это?", "да, но позже", ""])
def test_what_is_not_understood_waits_for_the_desk(visit: Any, text: str) -> None:
    sent(visit)
    before = outbox.waiting_replies()
    taken = reply(visit, text)
    assert taken is not None and taken.meaning == "unknown" and taken.patient_id == visit.patient_id
    assert outbox.waiting_replies() == before + 1 and fresh(visit).confirmation == "not_notified"


def test_a_reply_to_nothing_or_to_what_is_long_ago(make: Maker, visit: Any) -> None:
    assert reply(visit, "да", "early") is not None and fresh(visit).confirmation == "not_notified"
    sent(visit, sent_at=clock.now() - 4 * DAY)
    reply(visit, "да", "late")
    assert fresh(visit).confirmation == "not_notified"
    with transaction():
        stranger = operations.take_reply("who", "+79990000000", "да", clock.now())
    assert stranger is not None and stranger.patient_id is None and stranger.handled_at is None


def test_a_reply_after_a_move_is_not_about_the_new_time(make: Maker, visit: Any) -> None:
    sent(visit)
    with transaction():
        visit.starts_at, visit.ends_at = visit.starts_at.replace(hour=16), visit.starts_at.replace(hour=17)
    taken = reply(visit, "да")
    assert fresh(visit).confirmation == "not_notified" and taken is not None and taken.handled_at is None


def test_stop_ends_the_messages_to_everybody_on_this_phone(make: Maker, visit: Any) -> None:
    phone = session.get_one(Patient, visit.patient_id).phones[0].number
    child = make.appointment(make.patient(phone=phone), make.doctor(), visit.starts_at + 5 * DAY)
    with transaction():
        messages.plan_visit(visit, actor=None)
        messages.plan_visit(child, actor=None)
    reply(visit, "Стоп", f"stop{phone}")
    waiting = select(OutboxMessage.status).where(OutboxMessage.appointment_id.in_([visit.id, child.id]))
    assert set(session.scalars(waiting)) == {"cancelled"}
    stopped = select(PatientConsent.patient_id).where(PatientConsent.withdrawn_at.is_not(None))
    assert {visit.patient_id, child.patient_id} <= set(session.scalars(stopped))


# --- the link -------------------------------------------------------------------------------------------------


def link(visit: Appointment) -> ConfirmLink:
    with transaction():
        address = messages.link_of(visit, "https://ulybka.example")
    return session.get_one(ConfirmLink, address.rsplit("/", 1)[1])


def press(app: Flask, token: str, answer: str, seen: str) -> Any:
    return app.test_client().post(f"/c/{token}", data={"answer": answer, "seen": seen})


@pytest.mark.parametrize(("answer", "state"), [("yes", "confirmed"), ("no", "declined"), ("call", "asks_to_move")])
def test_one_touch_answers_once(app: Flask, visit: Any, answer: str, state: str) -> None:
    token = link(visit).token
    seen = visit.starts_at.isoformat(timespec="minutes")
    assert press(app, token, answer, seen).status_code == 200
    assert fresh(visit).confirmation == state
    assert press(app, token, "yes" if answer == "no" else "no", seen).status_code == 200
    assert fresh(visit).confirmation == state
    calls = session.scalars(select(CallTaskReason.kind).where(CallTaskReason.appointment_id == visit.id)).all()
    assert calls == ([] if answer == "yes" else ["asks_to_move"])


def test_looking_changes_nothing_and_tells_no_more_than_the_message(app: Flask, visit: Any) -> None:
    token = link(visit).token
    page = app.test_client().get(f"/c/{token}")
    patient = session.get_one(Patient, visit.patient_id)
    assert page.status_code == 200 and "Иван П." in page.text and "10:00" in page.text and "Улыбка" in page.text
    for secret in (
        patient.surname,
        patient.phones[0].number,
        str(patient.card_number),
        visit.doctor.surname,
        "Петрович",
    ):
        assert secret not in page.text
    assert 'name="robots" content="noindex' in page.text and "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in page.headers
    head = app.test_client().head(f"/c/{token}")
    assert head.status_code == 200
    assert fresh(visit).confirmation == "not_notified" and session.get_one(ConfirmLink, token).answered_at is None


def test_an_old_link_says_kindly_what_is_so(app: Flask, make: Maker, visit: Any) -> None:
    token, seen = link(visit).token, visit.starts_at.isoformat(timespec="minutes")
    with transaction():
        visit.starts_at, visit.ends_at = visit.starts_at.replace(hour=16), visit.starts_at.replace(hour=17)
    for page in (app.test_client().get(f"/c/{token}"), press(app, token, "yes", seen)):
        assert (
            page.status_code == 200
            and "изменилось" in page.text
            and "16:00" not in page.text
            and "Иван" not in page.text
        )
    assert fresh(visit).confirmation == "not_notified"
    with transaction():
        operations.cancel(visit.id, _reason(), "clinic", actor=None)
    cancelled = make.appointment(make.patient(), make.doctor(), visit.starts_at + DAY)
    other = link(cancelled).token
    with transaction():
        operations.cancel(cancelled.id, _reason(), "clinic", actor=None)
    assert "отменён" in app.test_client().get(f"/c/{other}").text
    past = make.appointment(make.patient(), make.doctor(), visit.starts_at - 3 * DAY)
    over = press(app, link(past).token, "yes", past.starts_at.isoformat(timespec="minutes"))
    assert "прошло" in over.text and fresh(past).confirmation == "not_notified"


def test_another_time_than_was_shown_is_not_confirmed(app: Flask, make: Maker, visit: Any) -> None:
    patient = session.get_one(Patient, visit.patient_id)
    second = make.appointment(patient, make.doctor(), visit.starts_at.replace(hour=14))
    leader = sent(visit)
    sent(second, status="joined", joined_to_id=leader.id, sent_at=None)
    token = link(visit).token
    page = app.test_client().get(f"/c/{token}")
    [seen] = re.findall(r'name="seen" value="([^"]+)"', page.text)
    assert "10:00" in page.text and "14:00" in page.text
    with transaction():
        second.starts_at, second.ends_at = second.starts_at.replace(hour=17), second.starts_at.replace(hour=18)
    again = press(app, token, "yes", seen)
    assert "только что изменилось" in again.text and fresh(visit).confirmation == "not_notified"
    [seen] = re.findall(r'name="seen" value="([^"]+)"', again.text)
    press(app, token, "yes", seen)
    assert fresh(visit).confirmation == fresh(second).confirmation == "confirmed"


@pytest.mark.parametrize("token", ["abc", "A" * 16, "A" * 300, "..%2F", "%00", "нет", "a'b"])
def test_guessing_finds_nothing(app: Flask, token: str) -> None:
    client, place = app.test_client(), {"REMOTE_ADDR": "10.1.1.1"}
    looked = client.get(f"/c/{token}", environ_base=place)
    pressed = client.post(f"/c/{token}", data={"answer": "yes"}, environ_base=place)
    for answer in (looked, pressed):
        assert answer.status_code in (404, 429)


def test_who_guesses_much_is_stopped(app: Flask, visit: Any) -> None:
    client, place = app.test_client(), {"REMOTE_ADDR": "10.1.1.2"}
    codes = [client.get(f"/c/guess{n}", environ_base=place).status_code for n in range(30)]
    assert codes[0] == 404 and codes[-1] == 429
    assert client.get(f"/c/{link(visit).token}", environ_base=place).status_code == 429
    assert client.get(f"/c/{link(visit).token}", environ_base={"REMOTE_ADDR": "10.1.1.3"}).status_code == 200


@pytest.mark.parametrize(
    "form", [{}, {"answer": "x"}, {"answer": "yes", "seen": "x,,"}, {"answer": "yes", "seen": "9" * 999}]
)
def test_nonsense_from_outside(app: Flask, visit: Any, form: dict[str, str]) -> None:
    answer = app.test_client().post(f"/c/{link(visit).token}", data=form)
    assert answer.status_code in (200, 422) and fresh(visit).confirmation == "not_notified"


def test_no_such_link(visit: Any) -> None:
    with pytest.raises(NotFound), transaction():
        operations.answer_link("x", Confirmation.CONFIRMED, [])


# --- the page -------------------------------------------------------------------------------------------------


def test_the_work_list_shows_families_together(make: Maker, client_of: Any, visit: Any) -> None:
    family = make._save(Family(name="С"))
    doctor, mother, child = (
        make.doctor(),
        make.patient("Семейная"),
        make.patient("Семейный", birth_date=date(2018, 1, 1)),
    )
    stranger = make.appointment(make.patient("Чужой"), doctor, visit.starts_at.replace(hour=12))
    with transaction():
        mother.family_id = child.family_id = family.id
    first = make.appointment(mother, doctor, visit.starts_at.replace(hour=9))
    last = make.appointment(child, doctor, visit.starts_at.replace(hour=17))
    rows = queries.to_notify([visit.starts_at.date()], doctor_id=doctor.id)
    assert [row["id"] for row in rows] == [first.id, last.id, stranger.id]
    assert [(row["together"], row["follows"]) for row in rows] == [(2, False), (2, True), (0, False)]
    assert rows[1]["age"] == visit.starts_at.year - 2018 and rows[0]["phones"][0]["number"].startswith("+7916")
    page = client_of("administrator").get(f"/schedule/notify/?doctor_id={doctor.id}&day={visit.starts_at.date()}")
    assert page.status_code == 200 and "Семейная" in page.text and page.text.count("data-visit=") == 3


def test_unchanged_rows_are_not_sent_again(client_of: Any, visit: Any) -> None:
    client = client_of("administrator")
    address = f"/schedule/notify/rows?doctor_id={visit.doctor_id}&day={visit.starts_at.date()}"
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    with transaction():
        operations.confirm(visit.id, "confirmed", actor=None)
    changed = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200 and 'data-state="confirmed"' in changed.text


NONSENSE = [
    "day=x",
    "days=99",
    "days=-1",
    "branch_id=x",
    "doctor_id=999999999999",
    "state=x",
    "day=0001-01-01",
    "sms=x",
    "state=%00",
]


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_in_the_address(client_of: Any, query: str) -> None:
    client = client_of("administrator")
    assert client.get(f"/schedule/notify/?{query}").status_code == 200
    assert client.get(f"/schedule/notify/rows?{query}").status_code == 200


def test_who_may_not(client_of: Any, program: Any, visit: Any) -> None:
    for username in ("doctor", "sysadmin"):
        assert client_of(username).get("/schedule/notify/").status_code == 403
        assert client_of(username).get("/messages/replies").status_code == 403
        assert client_of(username).post("/messages/replies/1/handled").status_code == 403
        assert program(username).post("notify/sms", {"appointment_ids": [visit.id], "body": "x"}).status_code == 403


def test_sms_by_hand_over_json(program: Any, make: Maker, visit: Any) -> None:
    desk = program("administrator")
    stopped = make.appointment(make.patient(), make.doctor(), visit.starts_at)
    with transaction():
        messages.stop_writing([stopped.patient_id], actor=None)
    letter = desk.get(f"notify/letter?appointment_id={visit.id}").json
    assert letter["fields"]["time"] == "10:00" and letter["texts"][0]["kind"] == "ask" and letter["why_not"] == ""
    assert "просил не писать" in desk.get(f"notify/letter?appointment_id={stopped.id}").json["why_not"]
    body = {"appointment_ids": [visit.id, stopped.id], "body": "{patient}, ждём вас в {time}"}
    answer = desk.post("notify/sms", body)
    assert answer.status_code == 200, answer.text
    assert [one["appointment_id"] for one in answer.json["written"]] == [visit.id]
    assert [one["appointment_id"] for one in answer.json["refused"]] == [stopped.id]
    again = desk.post("notify/sms", body).json
    assert again["written"] == [] and "уже написали" in again["refused"][0]["why"]
    row = session.scalars(select(OutboxMessage).where(OutboxMessage.appointment_id == visit.id)).one()
    assert (row.kind, row.body) == ("ask", "Иван Петрович, ждём вас в 10:00")


@pytest.mark.parametrize(
    "body",
    [{}, {"appointment_ids": [], "body": ""}, {"appointment_ids": "x", "body": "x"},
     {"appointment_ids": [0], "body": "x"}, {"appointment_ids": [999999], "body": "x"},
     {"appointment_ids": [True], "body": "x"},
     {"appointment_ids": [1] * 999, "body": "x"}, {"appointment_ids": [1], "body": "{diagnosis}"}, [], None, "x",
     {"appointment_ids": [1], "body": "x" * 2000}, {"appointment_ids": [1], "body": 5}],
)  # fmt: skip
def test_nonsense_over_json(program: Any, body: Any) -> None:
    assert program("administrator").post("notify/sms", body).status_code in (404, 422)


def test_the_inbox_is_worked_off(client_of: Any, make: Maker, visit: Any) -> None:
    visit_of = session.get_one(Patient, visit.patient_id)
    surname = visit_of.surname
    sent(visit)
    taken = reply(visit, "<b>перезвоните</b>")
    assert taken is not None
    client, number = client_of("administrator"), taken.id
    page = client.get("/messages/replies")
    assert surname in page.text and "&lt;b&gt;перезвоните" in page.text and "<b>перезвоните" not in page.text
    assert client.post(f"/messages/replies/{number}/handled").status_code == 302
    assert f"/messages/replies/{number}/handled" not in client.get("/messages/replies").text
    assert surname in client.get("/messages/replies?all=1").text
    assert client.post("/messages/replies/999999/handled").status_code == 404


def test_a_failed_message_is_sent_again_from_the_page(client_of: Any, visit: Any) -> None:
    row = sent(visit, status="failed", error="The phone cannot be reached.")
    client, number = client_of("administrator"), row.id
    assert f"/messages/{number}/again" in client.get("/messages/").text
    assert client.post(f"/messages/{number}/again").status_code == 302
    session.rollback()
    session.refresh(row)
    assert (row.status, row.resends, row.attempts) == ("pending", 1, 0)  # it had been taken: a new reference
    assert "только неотправленное" in client.post(f"/messages/{number}/again", follow_redirects=True).text
    assert client.post("/messages/999999/again").status_code == 404


def test_only_a_booked_visit_is_answered_for(make: Maker, visit: Any) -> None:
    with transaction():
        operations.cancel(visit.id, _reason(), "patient", actor=None)
    with pytest.raises(WrongStatus), transaction():
        operations.confirm(visit.id, "not_reached", actor=None)


# --- races ----------------------------------------------------------------------------------------------------


@pytest.mark.servers
def test_the_same_reply_twice_at_once_is_taken_once(app: Flask, visit: Any) -> None:
    sent(visit)
    phone = session.get_one(Patient, visit.patient_id).phones[0].number
    at, pk = clock.now(), visit.id
    deeds = [lambda: operations.take_reply(f"race{pk}", phone, "да", at) is not None for _ in range(8)]
    assert sum(together(app, deeds)) == 1
    assert fresh(visit).confirmation == "confirmed"


@pytest.mark.servers
def test_a_reply_and_a_move_at_once_never_confirm_the_new_time(app: Flask, make: Maker, visit: Any) -> None:
    for n in range(6):
        one = make.appointment(make.patient(), make.doctor(), visit.starts_at)
        make.hours(one.doctor, one.starts_at.date())
        sent(one)
        phone, at, pk, moved_to = one.patient.phones[0].number, clock.now(), one.id, one.starts_at.replace(hour=15)
        together(app, [
            lambda pk=pk, to=moved_to: operations.move(pk, 1, starts_at=to, actor=None) and True,
            lambda n=n, phone=phone, pk=pk, at=at: operations.take_reply(f"m{pk}-{n}", phone, "да", at) and True,
        ])  # fmt: skip
        now = fresh(one)
        assert (now.starts_at.hour, now.confirmation) in {(15, "not_notified"), (10, "confirmed")}


@pytest.mark.servers
def test_two_workers_claim_the_two_messages_of_a_day(app: Flask, make: Maker, visit: Any) -> None:
    patient = session.get_one(Patient, visit.patient_id)
    second = make.appointment(patient, make.doctor(), visit.starts_at.replace(hour=14))
    with transaction():
        messages.plan_visit(visit, actor=None)
        messages.plan_visit(second, actor=None)
        ids = list(
            session.scalars(
                select(OutboxMessage.id).where(OutboxMessage.patient_id == patient.id, OutboxMessage.kind == "booked")
            )
        )
    later = clock.now() + timedelta(minutes=5)

    def work(pk: int) -> Any:
        with clock.at(later):
            return messages.claim(pk, timedelta(minutes=1))

    claims = [one for one in together(app, [lambda pk=pk: work(pk) for pk in ids * 3]) if one is not None]
    assert len(claims) == 1 and "10:00 и 14:00" in claims[0].body


@pytest.mark.servers
def test_a_claim_and_a_move_at_once_never_send_the_old_time_after_the_new(app: Flask, make: Maker, visit: Any) -> None:
    for _ in range(5):
        one = make.appointment(make.patient(), make.doctor(), visit.starts_at)
        other = make.appointment(one.patient, make.doctor(), visit.starts_at.replace(hour=14))
        make.hours(other.doctor, other.starts_at.date())
        with transaction():
            messages.plan_visit(one, actor=None)
            messages.plan_visit(other, actor=None)
        row = session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.appointment_id == one.id, OutboxMessage.kind == "booked")
        ).one()
        later, pk, to = clock.now() + timedelta(minutes=5), other.id, other.starts_at.replace(hour=16)

        def work(row: int = row, later: datetime = later) -> Any:
            with clock.at(later):
                return messages.claim(row, timedelta(minutes=1))

        def move(pk: int = pk, to: datetime = to, later: datetime = later) -> bool:
            with clock.at(later):
                operations.move(pk, 1, starts_at=to, actor=None)
            return True

        claim, _ = together(app, [work, move])
        assert fresh(other).starts_at.hour == 16
        told = session.scalars(
            select(OutboxMessage).where(OutboxMessage.appointment_id == pk, OutboxMessage.status == "pending")
        ).all()
        assert all("16:00" in message.body for message in told)
        if claim is not None and "14:00" in claim.body:
            assert "moved" in {message.kind for message in told}  # the old time had left: the new one follows


# --- a browser ------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_list_is_worked_off_from_the_keyboard(app: Flask, make: Maker, visit: Any) -> None:
    from tests.browser import windows

    day, doctor = clock.today() + 60 * DAY, make.doctor()
    visits = [
        make.appointment(make.patient(f"Звонок{n}"), doctor, datetime.combine(day, time(9 + n))) for n in range(3)
    ]
    address = f"/schedule/notify/?doctor_id={doctor.id}&day={day}"
    with windows(app) as screens:
        one, two = screens.sign_in("administrator"), screens.sign_in("senior")
        one.goto(screens.base + address)
        two.goto(screens.base + address)
        state = lambda page, n: page.locator(f'tr[data-visit="{visits[n].id}"]')  # noqa: E731
        one.keyboard.press("1")
        one.wait_for_selector(f'tr[data-visit="{visits[0].id}"][data-state="confirmed"]')
        two.wait_for_selector(f'tr[data-visit="{visits[0].id}"][data-state="confirmed"]', timeout=8000)
        one.keyboard.press("2")
        one.wait_for_selector(f'tr[data-visit="{visits[1].id}"][data-state="not_reached"]')
        assert "at-row" in (state(one, 2).get_attribute("class") or "")
        one.keyboard.press("Space")
        one.keyboard.press("k")
        one.keyboard.press("Space")
        one.keyboard.press("s")
        box = one.locator("[data-sms-box]")
        box.locator("[data-body]").fill("{patient}, ждём вас в {time}")
        assert box.locator("[data-preview]").inner_text().startswith("Иван Петрович, ждём вас в 1")
        assert "СМС: 1" in box.locator("[data-length]").inner_text()
        box.locator("[data-send]").click()
        box.wait_for(state="hidden")
        one.wait_for_selector(f'tr[data-visit="{visits[2].id}"] .told .fa-clock')
        assert not screens.faults
    asked = select(OutboxMessage.appointment_id).where(OutboxMessage.kind == "ask")
    session.rollback()
    assert {visits[1].id, visits[2].id} <= set(session.scalars(asked))
    assert fresh(visits[1]).notify_attempts == 1
