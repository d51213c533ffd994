"""Finding a card: one statement when it was typed right, three when it was typed in another layout or with a mistake.

Where next: `../rules/typed.py` for how a search is read; `cards.py` for what is known of one card.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    extract,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.models import Appointment, Patient, PatientAccount, PatientPhone, WorkOrder
from app.money import ZERO
from app.patients import rules
from app.vocab import AppointmentStatus, CardStatus

#: Past so many found cards nobody counts.
MOST = 1000

Found = dict[str, Any]
Choices = Sequence[Sequence[str]]


def of_doctor(doctor_id: int) -> ColumnElement[bool]:
    """The patients of a doctor: who has a visit or a work order with them, or whom they treat."""
    return or_(
        Patient.doctor_id == doctor_id,
        exists().where(Appointment.patient_id == Patient.id, Appointment.doctor_id == doctor_id),
        exists().where(WorkOrder.patient_id == Patient.id, WorkOrder.doctor_id == doctor_id),
    )


def _begins(word: str, *, surname: bool = False) -> ColumnElement[bool]:
    """Some word of the name begins so, or the surname does; two initials begin two words, one after the other."""
    return Patient.search_name.like(("" if surname else "%") + _beginning(word))


def _beginning(word: str) -> str:
    return f" {rules.like(word).replace(' ', '% ')}%"


def _fit(words: Choices) -> ColumnElement[int]:
    """How well a name fits: whole words, the order of the card, the longest word as the surname, the surname alone.

    Of several meanings the likeliest one.
    """
    typed = [meanings[0] for meanings in words]
    longest = max(typed, key=len)
    turned = [longest, *(word for at, word in enumerate(typed) if at != typed.index(longest))]
    written = ["".join(map(_beginning, order)) for order in (typed, turned)]
    ended = Patient.search_name + " "
    return case(
        (and_(true() if len(typed) > 1 else false(), *(ended.like(f"% {rules.like(word)} %") for word in typed)), 0),
        (Patient.search_name.like(written[0]), 1),
        (Patient.search_name.like(written[1]), 2),
        (_begins(turned[0], surname=True), 3),
        else_=4,
    )


def _of_phone(tail: str) -> Select[int]:
    """Whose phone ends so: of the patient, or of the guardian."""
    own = select(PatientPhone.patient_id).where(PatientPhone.reversed_number.like(rules.like(tail[::-1]) + "%"))
    child = aliased(Patient)
    guarded = select(child.id).where(child.guardian_id.in_(own))
    return select(union(own, guarded).subquery().c.patient_id)


def _of_digits(asked: rules.Wanted) -> list[ColumnElement[bool]]:
    """The cards that digits may mean: looks into several indexes, for an OR between them would read every card."""
    card = aliased(Patient)
    looks: list[Any] = []
    if asked.card_number is not None:
        looks.append(select(card.id).where(card.card_number == asked.card_number))
        # a card that was merged is found by its old number as the card that it became
        looks.append(select(card.merged_into_id).where(card.card_number == asked.card_number, card.merged_into_id > 0))
        looks.append(_of_old_card(str(asked.card_number), asked.old_number))
    if asked.phone_tail:
        looks.append(_of_phone(asked.phone_tail))
    if asked.born and asked.phone_tail:
        looks.append(select(card.id).where(card.birth_date == asked.born))
    if len(looks) > 1:
        return [Patient.id.in_(union(*looks))]
    return [Patient.id.in_(look) for look in looks]


def _of_old_card(*keys: str) -> Select[int]:
    """The cards that had this number before, on paper or in another program; of a merged one, what it became."""
    card = aliased(Patient)
    return select(func.coalesce(card.merged_into_id, card.id)).where(
        card.old_key.in_(filter(None, keys)), card.old_key != ""
    )


def _matching(asked: rules.Wanted, words: Choices, doctor_id: int | None, archived: bool) -> Select[int, int]:
    """The ids of the cards that a search finds, with how well each fits (smaller is better)."""
    rank: ColumnElement[int] = literal(1)
    conditions: list[ColumnElement[bool]] = []
    if words:
        conditions += [or_(*(_begins(meaning) for meaning in meanings)) for meanings in words]
        rank = _fit(words)
        if asked.phone_tail:
            of_digits: list[ColumnElement[bool]] = [Patient.id.in_(_of_phone(asked.phone_tail))]
            if asked.card_number is not None:
                of_digits.append(Patient.card_number == asked.card_number)
            if _is_year(asked.phone_tail):
                of_digits.append(extract("year", Patient.birth_date) == int(asked.phone_tail))
            conditions.append(or_(*of_digits))
    else:
        conditions += _of_digits(asked)
        if asked.card_number is not None:
            old = Patient.old_key.in_((str(asked.card_number), asked.old_number))
            rank = case((Patient.card_number == asked.card_number, 0), (old, 1), else_=2)
    if asked.born and not asked.phone_tail:
        conditions.append(Patient.birth_date == asked.born)
    return _ranked(rank, conditions, doctor_id, archived)


def _ranked(
    rank: ColumnElement[int], conditions: Sequence[ColumnElement[bool]], doctor_id: int | None, archived: bool
) -> Select[int, int]:
    own = [] if doctor_id is None else [of_doctor(doctor_id)]
    shown = Patient.merged_into_id.is_(None) if archived else Patient.status != CardStatus.ARCHIVED
    return select(Patient.id.label("id"), rank.label("rank")).where(*conditions, *own, shown)


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and 1900 <= int(digits) <= clock.today().year


def _meanings(asked: rules.Wanted) -> Choices:
    """What the typed words may mean among the words that the cards have; nothing when that is what was typed."""
    words = rules.doubtful(asked)
    if not words:
        return ()
    # a word that may be wrong in several spellings is several rows
    looks = [(word, guess) for word in words for guess in word.guesses or ("",)]
    known = session.execute(
        text(
            """
            SELECT DISTINCT n.word, n.latin
            FROM unnest(CAST(:typed AS text[]), CAST(:layout AS text[]), CAST(:sound AS text[]),
                        CAST(:spelled AS text[]), CAST(:guess AS text[])) AS w(typed, layout, sound, spelled, guess)
            JOIN name_word n ON n.word LIKE w.typed || '%' OR n.word LIKE w.layout || '%'
                 OR w.sound <> '' AND n.latin LIKE w.sound || '%'
                 OR w.spelled <> '' AND n.word LIKE w.spelled || '%'
                 OR w.guess <> '' AND levenshtein_less_equal(left(n.word, length(w.guess)), w.guess, 2) <= 2
            LIMIT 2000
            """
        ),
        {
            **{name: [getattr(word, name) for word, _ in looks] for name in ("typed", "layout", "sound", "spelled")},
            "guess": [guess for _, guess in looks],
        },
    )
    found = rules.choices(words, [(word, latin) for word, latin in known])
    return found if found != tuple((word,) for word in asked.words) else ()


def find(
    q: str, *, limit: int = 25, offset: int = 0, doctor_id: int | None = None, archived: bool = False
) -> tuple[int, list[Found]]:
    """The cards that a search finds, best first, and how many there are (counted up to 1,000).

    Name parts in any order, initials, the end of a phone (a guardian's finds the child), a card's number or that of the
    old card, a birth date;
    an empty search is the whole index by name. Nobody found: the same keys in the other layout, Latin letters by their
    sound, words with one wrong letter.
    Rows: id, card_number, status, full_name, birth_date, phones, last_visit, balance {debt, advance}.
    """
    asked = rules.wanted(q, clock.today())
    if q.strip() and asked.nothing and not asked.as_typed:
        return 0, []
    words: Choices = tuple((word,) for word in asked.words)
    total, found = 0, list[Found]()
    if asked.old_number and asked.words:
        old = [Patient.id.in_(_of_old_card(asked.old_number))]
        total, found = _page(_ranked(literal(0), old, doctor_id, archived), limit, offset)
        if total:
            return total, found
    if not (q.strip() and asked.nothing):
        matching = _matching(asked, words, doctor_id, archived)
        total, found = _page(matching, limit, offset, whole_index=asked.nothing and doctor_id is None)
    if not total and asked.as_typed and (words := _meanings(asked)):
        total, found = _page(_matching(asked, words, doctor_id, archived), limit, offset)
    return total, found


def _page(
    matching: Select[int, int], limit: int, offset: int, *, whole_index: bool = False
) -> tuple[int, list[Found]]:  # fmt: skip
    """A page of what was found, best first, and how many there are: one statement."""
    order = (Patient.search_name, Patient.id) if whole_index else ("rank", Patient.search_name, Patient.id)
    page = matching.order_by(*order).limit(limit).offset(offset).subquery()
    count = select(func.count()).select_from(matching.limit(MOST).subquery()).scalar_subquery()
    shown = _shown(literal(0) if whole_index else count).join(page, page.c.id == Patient.id)
    found = session.execute(shown.order_by(page.c.rank, Patient.search_name, Patient.id)).all()
    if whole_index:
        return _size_of_index(), [_found(row) for row in found]
    if not found and offset:
        return session.execute(select(count)).scalar_one(), []
    return (found[0].total if found else 0), [_found(row) for row in found]


def matching(q: str) -> Select[int]:
    """The numbers of the cards that a typed search finds, archived ones too, to choose rows of another list by."""
    asked = rules.wanted(q, clock.today())
    if asked.nothing:
        return select(Patient.id).where(false())
    words = tuple((word,) for word in asked.words)
    return select(_matching(asked, words, None, archived=True).subquery().c.id)


def _size_of_index() -> int:
    """How many cards there are, as the planner knows it; exact while the index is small."""
    estimate = session.execute(text("SELECT reltuples FROM pg_class WHERE oid = 'patient'::regclass")).scalar_one()
    if estimate > 20_000:
        return int(estimate)
    return session.execute(select(func.count(Patient.id)).where(Patient.status != CardStatus.ARCHIVED)).scalar_one()


def rows(ids: Sequence[int]) -> list[Found]:
    """The cards of these ids, in their order, as search results show them: one statement."""
    if not ids:
        return []
    by_id = {row.id: row for row in session.execute(_shown(literal(0)).where(Patient.id.in_(ids)))}
    return [_found(by_id[pk]) for pk in ids if pk in by_id]


def _shown(total: Any) -> Select[Any]:
    """What a search result shows of a card, and how many there are in all."""
    phones = (
        select(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_object("number", PatientPhone.number, "owner", PatientPhone.owner), PatientPhone.id
                )
            )
        )
        .where(PatientPhone.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )
    last_visit = (
        select(func.max(Appointment.starts_at))
        .where(and_(Appointment.patient_id == Patient.id, Appointment.status == AppointmentStatus.COMPLETED))
        .correlate(Patient)
        .scalar_subquery()
    )
    return select(
        Patient.id, Patient.card_number, Patient.status, Patient.surname, Patient.name, Patient.patronymic,
        Patient.birth_date, Patient.allergy, Patient.old_number, phones.label("phones"), last_visit.label("last_visit"),
        PatientAccount.debt, PatientAccount.advance, total.label("total"),
    ).outerjoin(PatientAccount, PatientAccount.patient_id == Patient.id)  # fmt: skip


def _found(row: Any) -> Found:
    last: datetime | None = row.last_visit
    return {
        "id": row.id,
        "card_number": row.card_number,
        "status": row.status,
        "full_name": " ".join(filter(None, (row.surname, row.name, row.patronymic))),
        "birth_date": row.birth_date,
        "phones": row.phones or [],
        "last_visit": last.date() if last else None,
        "balance": {"debt": row.debt or ZERO, "advance": row.advance or ZERO},
        "allergy": row.allergy,
        "old_number": row.old_number,
    }
