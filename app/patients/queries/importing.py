"""What an old card index is compared with, and what became of its rows: statements over all rows, none per row.

Where next: `../operations/importing.py`; who is the same person is said in `MATCHES`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, String, cast, func, literal, select, text
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.models import CardImport, CardImportRow, Patient, PatientTag, ReferralSource
from app.vocab import IMPORT_WORKS, CardVerdict

#: Cards that a row may be, by its import: `sure` when it is the same person. As `possible_duplicates` does: the same
#: surname and first name, and no other birth date. Sure: the birth date, the old number or a phone is the same, too.
#: A card that was merged stands for the one that it became; the cards that this import has written are left out.
MATCHES = """
SELECT r.line, coalesce(p.merged_into_id, p.id) AS card_id,
       (p.birth_date IS NOT DISTINCT FROM r.born AND r.born IS NOT NULL)
       OR (r.old_key <> '' AND p.old_key = r.old_key)
       OR EXISTS (SELECT FROM patient_phone t WHERE t.patient_id = p.id AND t.number = ANY (r.numbers)) AS sure
FROM card_import_row r
JOIN patient p ON left(p.search_name, length(p.search_name) - length(p.patronymic)) = r.name_key
WHERE r.import_id = :import_id AND r.card IS NOT NULL
  AND (r.patronymic_key = '' OR p.patronymic = '' OR right(p.search_name, length(p.patronymic)) = r.patronymic_key)
  AND (p.birth_date = r.born OR p.birth_date IS NULL OR r.born IS NULL)
  AND NOT EXISTS (SELECT FROM card_import_row own WHERE own.import_id = :import_id AND own.patient_id = p.id
                  AND own.verdict IN ('new', 'maybe'))
"""
#: Rows that say what an earlier one says: the same person by the same rules, or nothing but the same name. An earlier
#: one whose card is there is no twin: who is the same is the same as that card.
_TWINS = """
SELECT b.line, min(a.line) AS first
FROM card_import_row a
JOIN card_import_row b ON b.import_id = a.import_id AND b.name_key = a.name_key AND b.line > a.line
WHERE a.import_id = :import_id AND a.card IS NOT NULL AND b.card IS NOT NULL
  AND NOT EXISTS (SELECT FROM card WHERE card.line = a.line AND card.sure)
  AND (a.patronymic_key = b.patronymic_key OR a.patronymic_key = '' OR b.patronymic_key = '')
  AND (a.born = b.born OR ((a.born IS NULL OR b.born IS NULL) AND (
       a.numbers && b.numbers OR (a.old_key <> '' AND a.old_key = b.old_key)
       OR (a.born IS NULL AND b.born IS NULL AND a.numbers = '{}' AND b.numbers = '{}' AND a.old_key = b.old_key))))
GROUP BY b.line
"""
#: So many rows of one name in a file are no people: the columns were understood wrongly.
MOST_NAMESAKES = 200
_CROWDS = """
UPDATE card_import_row r SET card = NULL, verdict = 'refused', why = :why, facts = jsonb_build_object('many', c.many)
FROM (SELECT name_key, count(*) AS many FROM card_import_row
      WHERE import_id = :import_id AND card IS NOT NULL GROUP BY name_key HAVING count(*) > :most) c
WHERE r.import_id = :import_id AND r.card IS NOT NULL AND r.name_key = c.name_key
"""
_VERDICTS = f"""
WITH matches AS ({MATCHES}),
card AS (SELECT line, bool_or(sure) AS sure, (array_agg(card_id ORDER BY sure DESC, card_id))[1] AS card_id
         FROM matches GROUP BY line),
twin AS ({_TWINS}),
phone AS (SELECT r.line, min(t.patient_id) AS card_id
          FROM card_import_row r CROSS JOIN unnest(r.numbers) AS n JOIN patient_phone t ON t.number = n
          WHERE r.import_id = :import_id GROUP BY r.line),
said AS (SELECT r.line, card.card_id, twin.first, phone.card_id AS neighbour_id,
                CASE WHEN card.sure THEN 'there' WHEN twin.first IS NOT NULL THEN 'twice'
                     WHEN card.line IS NOT NULL THEN 'maybe' ELSE 'new' END AS verdict
         FROM card_import_row r LEFT JOIN card USING (line) LEFT JOIN twin USING (line) LEFT JOIN phone USING (line)
         WHERE r.import_id = :import_id AND r.card IS NOT NULL)
UPDATE card_import_row r
SET verdict = said.verdict, twin_id = said.card_id, twin_line = said.first,
    neighbour_id = CASE WHEN said.verdict = 'new' THEN said.neighbour_id END
FROM said
WHERE r.import_id = :import_id AND r.line = said.line
  AND (r.verdict, r.twin_id, r.twin_line, r.neighbour_id) IS DISTINCT FROM
      (said.verdict, said.card_id, said.first, CASE WHEN said.verdict = 'new' THEN said.neighbour_id END)
"""


def compare(import_id: int, crowded: str) -> None:
    """Write to each row whether the card is there, the file says it twice, or it is new. `crowded`: a sentence."""
    session.execute(text("ANALYZE card_import_row"))
    session.execute(text(_CROWDS), {"import_id": import_id, "most": MOST_NAMESAKES, "why": crowded})
    session.execute(text(_VERDICTS), {"import_id": import_id})


def appeared_meanwhile(import_id: int) -> bool:
    """Is any row that became a new card the same as a card that somebody else has written since it was compared?"""
    found = session.execute(
        text(
            f"SELECT EXISTS (SELECT FROM ({MATCHES}) m JOIN card_import_row r ON r.line = m.line"
            " WHERE r.import_id = :import_id AND r.patient_id IS NOT NULL AND r.verdict IN ('new', 'maybe')"
            " AND (m.sure OR r.verdict = 'new'))"
        ),
        {"import_id": import_id},
    )
    return bool(found.scalar_one())


def import_counts(import_id: int) -> dict[str, int]:
    """How many rows there are of each verdict, and how many of those that will be cards were read with warnings."""
    warned = func.count().filter(CardImportRow.warnings != [], CardImportRow.verdict.in_(("new", "maybe")))
    found = session.execute(
        select(CardImportRow.verdict, func.count().label("many"), warned.label("warned"))
        .where(CardImportRow.import_id == import_id)
        .group_by(CardImportRow.verdict)
    ).all()
    many = {str(row.verdict): int(row.many) for row in found}
    return {**{str(kind): many.get(kind, 0) for kind in CardVerdict}, "warned": sum(int(row.warned) for row in found)}


def _of(import_id: int, show: str) -> Select[Any]:
    asked = select(CardImportRow).where(CardImportRow.import_id == import_id)
    if show == "warned":
        return asked.where(CardImportRow.warnings != [], CardImportRow.verdict.in_(("new", "maybe")))
    return asked.where(CardImportRow.verdict == show) if show else asked


def import_rows(import_id: int, show: str, *, limit: int, offset: int) -> Sequence[Row[Any]]:
    """A page of rows of a verdict (all when empty), each with the cards it is about: row, card, twin, neighbour."""
    page = aliased(
        CardImportRow, _of(import_id, show).order_by(CardImportRow.line).limit(limit).offset(offset).subquery()
    )
    card, twin, neighbour = aliased(Patient), aliased(Patient), aliased(Patient)
    return session.execute(
        select(page, _name_of(card).label("card"), _name_of(twin).label("twin"), _name_of(neighbour).label("neighbour"))
        .outerjoin(card, card.id == page.patient_id)
        .outerjoin(twin, twin.id == page.twin_id)
        .outerjoin(neighbour, neighbour.id == page.neighbour_id)
        .order_by(page.line)
    ).all()


def _name_of(card: Any) -> Any:
    """«Иванов Иван Иванович, № 1001»; nothing where there is no card."""
    return func.concat_ws(" ", card.surname, card.name, func.nullif(card.patronymic, "")) + (
        literal(", № ") + cast(card.card_number, String)
    )


def cells_of(import_id: int, verdict: str) -> list[tuple[int, list[str], str, dict[str, Any]]]:
    """The rows of a verdict as they came: line, cells, why, facts."""
    found = session.execute(
        select(CardImportRow.line, CardImportRow.cells, CardImportRow.why, CardImportRow.facts)
        .where(CardImportRow.import_id == import_id, CardImportRow.verdict == verdict, CardImportRow.cells.is_not(None))
        .order_by(CardImportRow.line)
    )
    return [(line, cells, why, facts or {}) for line, cells, why, facts in found]


def card_imports(limit: int = 20) -> Sequence[CardImport]:
    """The files of card indexes, the newest first."""
    return session.scalars(select(CardImport).order_by(CardImport.id.desc()).limit(limit)).all()


def left_imports(stale: timedelta) -> Sequence[int]:
    """What the worker has not moved for so long: it was killed, or the broker lost the job."""
    before = clock.now() - stale
    return session.scalars(
        select(CardImport.id).where(CardImport.state.in_(IMPORT_WORKS), CardImport.moved_at < before)
    ).all()


def import_directories() -> tuple[dict[str, int], dict[str, int]]:
    """The sources and the tags that a file may name."""

    def of(model: type[ReferralSource | PatientTag]) -> dict[str, int]:
        found = session.execute(select(model.name, model.id).where(model.archived.is_(False)))
        return {row.name: row.id for row in found}

    return of(ReferralSource), of(PatientTag)
