"""A card is emptied on the patient's demand: what the law does not keep goes, and does not come back.

Where next: `../rules/erasing.py` for what becomes of each table and why.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext
from sqlalchemy import Table, Text, and_, cast, delete, exists, or_, select, text, update
from sqlalchemy.orm import aliased

from app import access, audit, clock, money
from app.db import lock, session
from app.errors import CardErased, Invalid, NotErasable, NotFound, ReasonNeeded
from app.models import (
    AuditEvent,
    CardErasure,
    CardImportRow,
    Family,
    Patient,
    PatientPhone,
    RequestKey,
    User,
)
from app.patients import queries, rules
from app.tables.base import Model
from app.vocab import N_, CardStatus

#: The reason in the archive, and what a card is called that has no name any more.
REASON = N_("Emptied on the patient's demand.")
NAME = ("Обезличенная", "карта")


def erase_card(
    patient_id: int, card_number: str, asked_on: date | None, reason: str, *, actor: User | None
) -> CardErasure:
    """Empty a card, and those that were merged into it, of all that no law makes the clinic keep.

    `card_number` is typed by hand, for this is not undone. Rows are found by the foreign keys; a table without a rule
    stops the erasure. Locks the accounts and the cards. Records `card.erased`, without what was erased.

    Raises:
        NotAllowed, NotFound, ReasonNeeded, CardErased
        Invalid: another number; a day that has not come.
        NotErasable: visits to come, money to settle, papers on their way; with the sentences.
    """
    access.require(actor, "card.erase")
    cards = _locked(patient_id)
    patient = session.get_one(Patient, patient_id)
    if patient.merged_into_id is not None:
        raise NotErasable({"why": gettext("This card was merged: empty the card that stayed.")})
    if patient.erased_at is not None:
        raise CardErased()
    _check_typed(patient, card_number, asked_on, reason)
    if why := obstacles(cards):
        raise NotErasable({"why": " ".join(why)})
    last = queries.last_days(cards)
    told = {name: audit.plain(getattr(patient, name)) for name in (*rules.PERSON, *rules.MEDICAL)}
    row = CardErasure(
        patient_id=patient_id, cards=cards, asked_on=asked_on, reason=reason.strip()[:400],
        kept=rules.put_away(told, set(last)), kept_until=rules.kept_until(last), created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    names = set(session.scalars(select(Patient.search_name).where(Patient.id.in_(cards))))
    said = {card.full_name for card in session.scalars(select(Patient).where(Patient.id.in_(cards)))}
    session.add(row)
    session.flush()
    _empty_log(cards, said)
    _forget_answers(cards)
    _forget_files(cards)
    for name in reversed([table.name for table in Model.metadata.sorted_tables if table.name in queries.reach()]):
        _apply(Model.metadata.tables[name], cards, actor)
    _empty_cards(cards)
    _forget_words(names)
    session.expire_all()
    after = {"number": f"{patient.card_number}", "asked_on": audit.plain(asked_on)}
    audit.record("card.erased", patient, after=after, patient_id=patient_id, actor=actor)
    session.flush()
    return row


def obstacles(cards: Sequence[int]) -> list[str]:
    """Why the card cannot be emptied yet, in sentences that say what to do."""
    why = []
    if visits := queries.visits_to_come(cards):
        when = ", ".join(f"{visit.starts_at:%d.%m.%Y %H:%M}" for visit in visits)
        why.append(
            gettext("The patient has visits that are not over: %(when)s. Cancel or finish them first.", when=when)
        )
    debt, advance = queries.money_of(cards)
    if debt:
        why.append(gettext("The patient owes %(sum)s ₽: settle the debt first.", sum=money.shown(debt)))
    if advance:
        why.append(gettext("The patient has paid %(sum)s ₽ ahead: return the advance first.", sum=money.shown(advance)))
    drafts, receipts = queries.unfinished(cards)
    if drafts:
        why.append(gettext("There is a work order that was not issued: issue or annul it first."))
    if receipts:
        why.append(gettext("A fiscal receipt has not been printed yet: wait for it."))
    return why


def _locked(patient_id: int) -> list[int]:
    """The card and those merged into it, locked by number after their accounts: nobody pays or books meanwhile."""
    cards = queries.cards_of(patient_id)
    queries.lock_account(*cards)
    if any(lock(Patient, pk) is None for pk in cards):
        raise NotFound()
    if queries.cards_of(patient_id) != cards:
        raise NotErasable({"why": gettext("Somebody merged these cards at this moment. Look again.")})
    return cards


def _check_typed(patient: Patient, card_number: str, asked_on: date | None, reason: str) -> None:
    if card_number.strip().removeprefix("№").strip() != str(patient.card_number):
        raise Invalid(fields={"number": N_("Type the number of this card.")})
    if asked_on is None or asked_on > clock.today():
        raise Invalid(fields={"asked_on": N_("Write the day of the demand; it cannot be in the future.")})
    if not reason.strip():
        raise ReasonNeeded()


def _apply(table: Table, cards: Sequence[int], actor: User | None) -> None:
    """Do to the rows of a table what its rule says."""
    rule, whose = rules.RULES[table.name], queries.rows_of(table, cards)
    if rule.fate == rules.Fate.REMOVED:
        session.execute(delete(table).where(whose))
        return
    if rule.ends and rule.going_on:
        column, values = rule.going_on
        open_ = or_(*(table.c[column].is_(None) if value is None else table.c[column] == value for value in values))
        ends = {name: clock.now() if value is rules.Now else value for name, value in rule.ends.items()}
        if "closed_by_id" in table.c:
            ends["closed_by_id"] = actor.id if actor else None
        session.execute(update(table).where(whose, open_).values(ends))
    if rule.clears:
        session.execute(update(table).where(whose).values(dict(rule.clears)))


def _empty_log(cards: Sequence[int], names: set[str]) -> None:
    """The log keeps who did what and when; what it says of the patient goes, and the name in the relatives' log."""
    for event in session.execute(
        select(AuditEvent.id, AuditEvent.before, AuditEvent.after).where(AuditEvent.patient_id.in_(cards))
    ):
        _rewrite(event, {"before": rules.forgotten(event.before), "after": rules.forgotten(event.after)})
    told = AuditEvent.after
    relatives = select(AuditEvent.id, told).where(
        AuditEvent.action.in_(("family.joined", "family.payer")),
        or_(told["relative"].astext.in_(names), told["payer"].astext.in_(names)),
    )
    for event in session.execute(relatives):
        _rewrite(event, {"after": {key: None if value in names else value for key, value in event.after.items()}})


def _rewrite(event: Any, told: Mapping[str, Any]) -> None:
    changed = {name: value for name, value in told.items() if value != getattr(event, name)}
    if changed:
        session.execute(update(AuditEvent).where(AuditEvent.id == event.id).values(changed))


def _forget_answers(cards: Sequence[int]) -> None:
    """What programs were answered about the patient, kept in case they ask the same again; a namesake's goes too."""
    told = cast(RequestKey.answer, Text)
    named = select(Patient.surname, Patient.name).where(Patient.id.in_(cards))
    whom = [and_(told.contains(surname), told.contains(name)) for surname, name in session.execute(named)]
    phones = select(PatientPhone.number).where(PatientPhone.patient_id.in_(cards))
    whom += [told.contains(number) for number in session.scalars(phones)]
    session.execute(update(RequestKey).where(or_(*whom)).values(answer={}))


def _forget_files(cards: Sequence[int]) -> None:
    """Rows of a file that say the same person again, and were not written for that; their guesses have no keys."""
    row, written = CardImportRow, aliased(CardImportRow)
    again = exists().where(
        written.import_id == row.import_id, written.line == row.twin_line, written.patient_id.in_(cards)
    )
    session.execute(delete(row).where(or_(row.twin_id.in_(cards), again)).execution_options(synchronize_session=False))
    session.execute(
        update(row)
        .where(row.neighbour_id.in_(cards))
        .values(neighbour_id=None)
        .execution_options(synchronize_session=False)
    )


def _empty_cards(cards: Sequence[int]) -> None:
    """The cards themselves, and the cards that name them as guardian or payer."""
    for name in ("guardian_id", "payer_id"):
        column = Patient.__table__.c[name]
        session.execute(
            update(Patient.__table__).where(column.in_(cards), Patient.id.not_in(cards)).values({name: None})
        )
    families = set(session.scalars(select(Patient.family_id).where(Patient.id.in_(cards), Patient.family_id > 0)))
    blank = {
        column.name: None if column.nullable else ""
        for column in Patient.__table__.columns
        if column.name not in rules.STAYS_ON_CARD and column.computed is None
    }
    surname, name = NAME
    session.execute(
        update(Patient.__table__)
        .where(Patient.id.in_(cards))
        .values({
            **blank, "surname": surname, "name": name, "status": CardStatus.ARCHIVED, "archive_reason": gettext(REASON),
            "erased_at": clock.now(), "version": Patient.version + 1,
        })
    )  # fmt: skip
    members = select(Patient.id).where(Patient.family_id == Family.id)
    session.execute(update(Family).where(Family.id.in_(families), ~members.exists()).values(name="—"))


def _forget_words(names: set[str]) -> None:
    """Words of names that no card has any more are not looked for either."""
    words = sorted({word for name in names for word in name.split()})
    session.execute(
        text(
            """
            DELETE FROM name_word WHERE word = ANY(CAST(:words AS text[])) AND NOT EXISTS (
                SELECT FROM patient WHERE search_name LIKE '% ' || word || '%'
                    AND search_name || ' ' LIKE '% ' || word || ' %')
            """
        ),
        {"words": words},
    )
