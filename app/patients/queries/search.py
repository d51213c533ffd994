"""Finding a card: one statement when it was typed right, three when it was typed in another layout or with a mistake.

Where next: `../rules/typed.py` for how a search is read; `cards.py` for what is known of one card.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Date,
    Integer,
    Select,
    Text,
    and_,
    any_,
    case,
    cast,
    exists,
    extract,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app import clock
from app.db import Fixed, given, session
from app.models import Appointment, Patient, PatientAccount, PatientPhone, WorkOrder
from app.money import ZERO
from app.patients import rules
from app.vocab import AppointmentStatus, CardStatus

#: Past so many found cards nobody counts.
MOST = 1000

Found = dict[str, Any]
Choices = Sequence[Sequence[str]]


def of_doctor(doctor_id: int | ColumnElement[int]) -> ColumnElement[bool]:
    """The patients of a doctor: who has a visit or a work order with them, or whom they treat."""
    return or_(
        Patient.doctor_id == doctor_id,
        exists().where(Appointment.patient_id == Patient.id, Appointment.doctor_id == doctor_id),
        exists().where(WorkOrder.patient_id == Patient.id, WorkOrder.doctor_id == doctor_id),
    )


class _Shape(NamedTuple):
    """What kind of search it is; searches of one shape differ by values only and share their statements."""

    #: Of each typed word, how many beginnings of name words it may mean.
    meanings: tuple[int, ...] = ()
    phone_tail: bool = False
    year: bool = False
    card_number: bool = False
    born: bool = False
    #: By the number of an old card alone.
    old_card: bool = False
    of_doctor: bool = False
    archived: bool = False

    @property
    def whole_index(self) -> bool:
        return self._replace(archived=False) == _Shape()

    @property
    def one_word(self) -> bool:
        """Nothing but one word: by far the most usual search, and the one that finds most."""
        return len(self.meanings) == 1 and not (self.phone_tail or self.born or self.of_doctor)


def _beginning(word: str) -> str:
    """Some word of a name begins so; two initials begin two words, one after the other."""
    return f" {rules.like(word).replace(' ', '% ')}%"


def _read(
    asked: rules.Wanted, words: Choices, doctor_id: int | None = None, archived: bool = False
) -> tuple[_Shape, dict[str, Any]]:
    """The shape of a search, and its values."""
    values: dict[str, Any] = {}
    for at, meanings in enumerate(words):
        values[f"whole{at}"] = f"% {rules.like(meanings[0])} %"
        values |= {f"begins{at}_{n}": "%" + _beginning(meaning) for n, meaning in enumerate(meanings)}
    if words:
        typed = [meanings[0] for meanings in words]
        longest = max(typed, key=len)
        turned = [longest, *(word for at, word in enumerate(typed) if at != typed.index(longest))]
        values["written"], values["turned"] = ("".join(map(_beginning, order)) for order in (typed, turned))
        values["surname"] = _beginning(longest)
    tail = asked.phone_tail
    if tail:
        values["tail"] = rules.like(tail[::-1]) + "%"
    year = bool(words and tail and _is_year(tail))
    if year:
        values["year"] = int(tail or 0)
    if asked.card_number is not None:
        values["card_number"] = asked.card_number
        values["old_keys"] = [key for key in (str(asked.card_number), asked.old_number) if key]
    if asked.born:
        values["born"] = asked.born
    if doctor_id is not None:
        values["doctor_id"] = doctor_id
    shape = _Shape(
        tuple(len(meanings) for meanings in words), tail is not None, year, "card_number" in values,
        asked.born is not None, of_doctor=doctor_id is not None, archived=archived,
    )  # fmt: skip
    return shape, values


def _like(name: str) -> ColumnElement[bool]:
    return Patient.search_name.like(given(name, Text))


def _fit(many: int) -> ColumnElement[int]:
    """How well a name fits: whole words, the order of the card, the longest word as the surname, the surname alone.

    Of several meanings the likeliest one.
    """
    fits: list[tuple[ColumnElement[bool], int]] = [(_like("written"), 1), (_like("turned"), 2), (_like("surname"), 3)]
    if many > 1:
        ended = Patient.search_name + " "
        fits.insert(0, (and_(*(ended.like(given(f"whole{at}", Text)) for at in range(many))), 0))
    return case(*fits, else_=4)


def _of_phone() -> Select[int]:
    """Whose phone ends so: of the patient, or of the guardian."""
    own = select(PatientPhone.patient_id.label("id")).where(PatientPhone.reversed_number.like(given("tail", Text)))
    called = own.cte("called")
    child = aliased(Patient)
    guarded = select(child.id).join(called, called.c.id == child.guardian_id)
    return select(union_all(select(called.c.id), guarded).subquery().c.id)


def _of_digits(shape: _Shape) -> list[ColumnElement[bool]]:
    """The cards that digits may mean: looks into several indexes, for an OR between them would read every card."""
    card = aliased(Patient)
    looks: list[Any] = []
    if shape.card_number:
        looks.append(_of_card_number())
        looks.append(_of_old_card())
    if shape.phone_tail:
        looks.append(_of_phone())
    if shape.born and shape.phone_tail:
        looks.append(select(card.id).where(card.birth_date == given("born", Date)))
    if len(looks) > 1:
        return [Patient.id.in_(union(*looks))]
    return [Patient.id.in_(look) for look in looks]


def _of_card_number() -> Select[int]:
    """The card of this number; of a merged one, what it became."""
    card = aliased(Patient)
    return select(func.coalesce(card.merged_into_id, card.id)).where(card.card_number == given("card_number", Integer))


def _of_old_card() -> Select[int]:
    """The cards that had this number before, on paper or in another program; of a merged one, what it became."""
    card = aliased(Patient)
    keyed = card.old_key == any_(given("old_keys", ARRAY(Text)))
    return select(func.coalesce(card.merged_into_id, card.id)).where(keyed, card.old_key != "")


def _begins(shape: _Shape) -> list[ColumnElement[bool]]:
    """Each typed word, in one of its meanings, begins some word of the name."""
    return [or_(*(_like(f"begins{at}_{n}") for n in range(many))) for at, many in enumerate(shape.meanings)]


def _visible(shape: _Shape) -> ColumnElement[bool]:
    return Patient.merged_into_id.is_(None) if shape.archived else Patient.status != CardStatus.ARCHIVED


def _matching(shape: _Shape) -> Select[int, int, str]:
    """The cards that a search finds: id, how well it fits (`rank`, smaller is better), name."""
    rank: ColumnElement[int] = literal(1)
    conditions: list[ColumnElement[bool]] = []
    if shape.meanings:
        conditions += _begins(shape)
        rank = _fit(len(shape.meanings))
        if shape.phone_tail:
            of_digits: list[ColumnElement[bool]] = [Patient.id.in_(_of_phone())]
            if shape.card_number:
                of_digits.append(Patient.card_number == given("card_number", Integer))
            if shape.year:
                of_digits.append(extract("year", Patient.birth_date) == given("year", Integer))
            conditions.append(or_(*of_digits))
    elif shape.old_card:
        conditions.append(Patient.id.in_(_of_old_card()))
    else:
        conditions += _of_digits(shape)
        if shape.card_number:
            old = Patient.old_key == any_(given("old_keys", ARRAY(Text)))
            # also the card that one of this number became: before those whose phone happens to end so
            rank = case((Patient.id == _of_card_number().scalar_subquery(), 0), (old, 1), else_=2)
    if shape.born and not shape.phone_tail:
        conditions.append(Patient.birth_date == given("born", Date))
    if shape.of_doctor:
        conditions.append(of_doctor(given("doctor_id", Integer)))
    return select(Patient.id, rank.label("rank"), Patient.search_name).where(*conditions, _visible(shape))


def _of_one_word(shape: _Shape) -> CTE:
    """Those whom one word finds, up to `most`.

    Who has it as the surname stands in the index by name, one after the other; the others, perhaps a tenth of the
    clinic, are looked for when these are fewer.
    """
    cards = select(Patient.id, literal(1).label("rank"), Patient.search_name).where(_visible(shape))
    in_order, most = (Patient.search_name, Patient.id), given("most", Integer)
    surnames = cards.where(_like("surname")).order_by(*in_order).limit(most).cte("surnames")
    many = select(func.count()).select_from(surnames).scalar_subquery()
    others = (
        cards.with_only_columns(Patient.id, literal(4).label("rank"), Patient.search_name)
        .where(*_begins(shape), Patient.search_name.not_like(given("surname", Text)), many < most)
        .order_by(*in_order)
        .limit(most)
    )
    return union_all(select(surnames), select(others.subquery())).cte("found")


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and 1900 <= int(digits) <= clock.today().year


_MEANINGS = Fixed(
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
    )
)


def _meanings(asked: rules.Wanted) -> Choices:
    """What the typed words may mean among the words that the cards have; nothing when that is what was typed."""
    words = rules.doubtful(asked)
    if not words:
        return ()
    # a word that may be wrong in several spellings is several rows
    looks = [(word, guess) for word in words for guess in word.guesses or ("",)]
    readings = {name: [getattr(word, name) for word, _ in looks] for name in ("typed", "layout", "sound", "spelled")}
    known = _MEANINGS(**readings, guess=[guess for _, guess in looks])
    found = rules.choices(words, [(row.word, row.latin) for row in known])
    return found if found != tuple((word,) for word in asked.words) else ()


def find(
    q: str, *, limit: int = 25, offset: int = 0, doctor_id: int | None = None, archived: bool = False
) -> tuple[int, list[Found]]:
    """The cards that a search finds, best first, and how many there are (counted up to 1,000).

    Name parts in any order, initials, the end of a phone (a guardian's finds the child), a card's number or that of the
    old card, a birth date; an empty search is the whole index by name. Nobody found: the same keys in the other layout,
    Latin letters by their sound, words with one wrong letter.
    Rows: id, card_number, status, full_name, birth_date, phones, last_visit, balance {debt, advance}.
    """
    asked = rules.wanted(q, clock.today())
    if q.strip() and asked.nothing and not asked.as_typed:
        return 0, []
    total, found = 0, list[Found]()
    page = {"limit": limit, "offset": offset, "most": max(MOST, limit + offset)}
    typed: Choices = tuple((word,) for word in asked.words)
    if asked.old_number and asked.words:
        shape = _Shape(old_card=True, of_doctor=doctor_id is not None, archived=archived)
        values = {"old_keys": [asked.old_number]} | ({"doctor_id": doctor_id} if shape.of_doctor else {})
        total, found = _page(shape, values, page)
        # no such old card: read at once as what else it may mean, for three statements are enough for anybody
        return (total, found) if total else _page(*_read(asked, _meanings(asked) or typed, doctor_id, archived), page)
    if not (q.strip() and asked.nothing):
        total, found = _page(*_read(asked, typed, doctor_id, archived), page)
    if not total and asked.as_typed and (words := _meanings(asked)):
        total, found = _page(*_read(asked, words, doctor_id, archived), page)
    return total, found


def archived_of_number(q: str, doctor_id: int | None = None) -> list[Found]:
    """The card in the archive whose number was typed, and nothing else: whoever has the number looks for this card."""
    wanted = rules.wanted(q, clock.today())
    if wanted.card_number is None or wanted.words:
        return []
    asked = select(Patient.id).where(
        Patient.card_number == wanted.card_number,
        Patient.status == CardStatus.ARCHIVED,
        Patient.merged_into_id.is_(None),
    )
    if doctor_id is not None:
        asked = asked.where(of_doctor(doctor_id))
    return rows(list(session.scalars(asked)))


def _page(shape: _Shape, values: dict[str, Any], page: dict[str, int]) -> tuple[int, list[Found]]:
    """A page of what was found, best first, and how many there are: one statement."""
    rows = _statement(shape)(**values, **page).all()
    return rows[0].total, [as_found(row) for row in rows if row.id]


@lru_cache(maxsize=500)
def _statement(shape: _Shape) -> Fixed:
    """What asks for a page of such a search. How many there are stands in each row, and alone past the last page."""
    order: tuple[Any, ...]
    if shape.whole_index:
        found, order = _matching(shape), (Patient.search_name, Patient.id)
        total = _size_of_index()
    else:
        every = _of_one_word(shape) if shape.one_word else _matching(shape).cte("found")
        found, order = select(every), (every.c.rank, every.c.search_name, every.c.id)
        total = select(func.least(MOST, func.count())).select_from(every).scalar_subquery()
    page = found.order_by(*order).limit(given("limit", Integer)).offset(given("offset", Integer)).subquery()
    counted = select(total.label("total")).subquery()
    asked = select(*_columns(), counted.c.total).select_from(counted).outerjoin(page, true())
    asked = asked.outerjoin(Patient, Patient.id == page.c.id).outerjoin(*_ACCOUNT)
    return Fixed(asked.order_by(page.c.rank, page.c.search_name, page.c.id), anew=bool(shape.meanings))


def _size_of_index() -> ColumnElement[int]:
    """How many cards there are, as the planner knows it; exact while the index is small."""
    estimate = literal_column("(SELECT reltuples FROM pg_class WHERE oid = 'patient'::regclass)", Integer)
    exact = select(func.count(Patient.id)).where(Patient.status != CardStatus.ARCHIVED).scalar_subquery()
    return case((estimate > 20_000, cast(estimate, Integer)), else_=exact)


def matching(q: str) -> Select[int]:
    """The numbers of the cards that a typed search finds, archived ones too, to choose rows of another list by."""
    asked = rules.wanted(q, clock.today())
    if asked.nothing:
        return select(Patient.id).where(false())
    shape, values = _read(asked, tuple((word,) for word in asked.words), archived=True)
    return select(_matching(shape).subquery().c.id).params(**values)


def rows(ids: Sequence[int]) -> list[Found]:
    """The cards of these ids, in their order, as search results show them: one statement."""
    if not ids:
        return []
    by_id = {row.id: row for row in _ROWS(ids=list(ids))}
    return [as_found(by_id[pk]) for pk in ids if pk in by_id]


def shown() -> Select[Any]:
    """What a search result shows of a card."""
    return select(*_columns()).outerjoin(*_ACCOUNT)


_ACCOUNT = (PatientAccount, PatientAccount.patient_id == Patient.id)


def _columns() -> list[Any]:
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
    return [
        Patient.id, Patient.card_number, Patient.status, Patient.surname, Patient.name, Patient.patronymic,
        Patient.birth_date, Patient.allergy, Patient.old_number, phones.label("phones"), last_visit.label("last_visit"),
        PatientAccount.debt, PatientAccount.advance,
    ]  # fmt: skip


def as_found(row: Any) -> Found:
    """A row of what `shown` asks for."""
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


_ROWS = Fixed(shown().where(Patient.id == any_(given("ids", ARRAY(Integer)))))
