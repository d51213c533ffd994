"""The cards of an old index, written at once: new ones, and the empty fields of those that are there.

A few statements over all rows. The desk works meanwhile: other writers of cards are kept out only at the very end, for
the moment in which it is made sure that nobody has written one of these people since. Where next: `importing.py`.
"""

from typing import Any

from sqlalchemy import Select, String, cast, func, literal, literal_column, null, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB

from app import audit, clock
from app.db import lock, lock_word, session
from app.errors import Refusal
from app.models import CardImport, CardImportRow, PatientConsent, User
from app.patients import queries
from app.patients.operations.importing import CROWDED
from app.patients.rules import import_rows
from app.tables.patients import SEARCH_NAME
from app.vocab import N_, ConsentKind, ImportState

_TEXTS = (
    "surname", "name", "patronymic", "sex", "email", "address", *import_rows.DOCUMENT, "snils", "inn", "allergy",
    "insurance", "old_number", "comment",
)  # fmt: skip
#: What is filled on a card that is there, where it says nothing.
_FILLED = (*_TEXTS[2:], "birth_date", "source_id", "phones")
#: From this attempt on other writers are kept out from the beginning: it cannot go wrong once more.
_PATIENCE = 3


_R = CardImportRow


class Meanwhile(Refusal):
    """Somebody wrote the card of one of these people while they were being written; it is done anew."""

    code = "meanwhile"
    status = 409
    sentence = N_("Somebody was changing the same thing at this moment. Try once more.")


#: The words of the new names, written before the cards and by themselves: a desk that saves a card with one of them
#: need not wait until all cards are written.
_WORDS = f"""
INSERT INTO name_word (word)
SELECT DISTINCT word FROM (
    SELECT {SEARCH_NAME} AS search_name
    FROM card_import_row r CROSS JOIN jsonb_to_record(r.card) AS c(surname text, name text, patronymic text)
    WHERE r.import_id = :import_id AND r.verdict IN ('new', 'maybe')) n,
    regexp_split_to_table(n.search_name, '\\s+') AS word
WHERE word <> '' ORDER BY word
ON CONFLICT DO NOTHING
"""
_CARDS = f"""
WITH numbered AS MATERIALIZED (
    SELECT r.line, nextval(pg_get_serial_sequence('patient', 'id')) AS id FROM card_import_row r
    WHERE r.import_id = :import_id AND (r.verdict = 'new' OR r.verdict = 'maybe' AND :with_maybe) ORDER BY r.line),
made AS (
    INSERT INTO patient (id, created_by_id, status, birth_date, source_id, {", ".join(_TEXTS)})
    SELECT n.id, :actor_id, c.status, c.birth_date, s.id, {", ".join(f"c.{name}" for name in _TEXTS)}
    FROM numbered n JOIN card_import_row r ON r.import_id = :import_id AND r.line = n.line
    CROSS JOIN jsonb_to_record(r.card)
        AS c(status text, birth_date date, source_id int, {", ".join(f"{name} text" for name in _TEXTS)})
    LEFT JOIN referral_source s ON s.id = c.source_id ORDER BY n.line)
UPDATE card_import_row r SET patient_id = n.id FROM numbered n WHERE r.import_id = :import_id AND r.line = n.line
"""
_PHONES = """
INSERT INTO patient_phone (patient_id, number, owner)
SELECT r.patient_id, t.phone ->> 'number', t.phone ->> 'owner'
FROM card_import_row r
CROSS JOIN jsonb_array_elements(CASE WHEN r.verdict = 'there' THEN r.facts ELSE r.card END -> 'phones')
    WITH ORDINALITY AS t(phone, place)
WHERE r.import_id = :import_id AND r.patient_id IS NOT NULL ORDER BY r.line, t.place
"""
_TAGS = """
INSERT INTO patient_tagged (patient_id, tag_id)
SELECT r.patient_id, t.id FROM card_import_row r
CROSS JOIN jsonb_array_elements_text(CASE WHEN r.verdict = 'there' THEN r.facts ELSE r.card END -> 'tags') AS said
JOIN patient_tag t ON t.id = CAST(said AS int)
WHERE r.import_id = :import_id AND r.patient_id IS NOT NULL
"""
_CONSENTS = """
INSERT INTO patient_consent (patient_id, kind, given_on, created_by_id)
SELECT r.patient_id, :kind, CAST(said ->> 'consent_on' AS date), :actor_id FROM card_import_row r
CROSS JOIN LATERAL (SELECT CASE WHEN r.verdict = 'there' THEN r.facts ELSE r.card END AS said) AS of
WHERE r.import_id = :import_id AND r.patient_id IS NOT NULL AND said ->> 'consent_on' IS NOT NULL
"""
#: The cards that are filled, each from the first of its rows, locked in their order.
_HELD = """
SELECT p.id FROM patient p
WHERE p.status <> 'archived' AND p.id IN (
    SELECT twin_id FROM card_import_row WHERE import_id = :import_id AND verdict = 'there')
ORDER BY p.id FOR UPDATE
"""
#: A tag that a card has not is one more; a consent that it ever had, in force or taken back, is not asked again.
_WHAT_IS_FILLED = """
WITH w AS (
    SELECT f.line, f.card, p.* FROM (
        SELECT DISTINCT ON (twin_id) line, twin_id, card FROM card_import_row
        WHERE import_id = :import_id AND verdict = 'there' ORDER BY twin_id, line) f
    JOIN patient p ON p.id = f.twin_id AND p.status <> 'archived')
UPDATE card_import_row r SET patient_id = f.id, facts = f.said
FROM (
    SELECT line, id, jsonb_object_agg(field, value) AS said FROM (
    SELECT w.line, w.id, field, w.card -> field AS value
    FROM w
    CROSS JOIN to_jsonb(w) AS now CROSS JOIN unnest(CAST(:fields AS text[])) AS field
    WHERE coalesce(now ->> field, '') = '' AND coalesce(w.card ->> field, '') NOT IN ('', '[]')
      -- the parts of a document are one whole: none of them joins another document
      AND (field NOT LIKE 'identity_%' OR coalesce(now ->> 'identity_type', '') || (now ->> 'identity_text') = '')
      AND (field <> 'phones' OR NOT EXISTS (SELECT FROM patient_phone t WHERE t.patient_id = w.id))
    UNION ALL
    SELECT w.line, w.id, 'tags', jsonb_agg(tag)
    FROM w CROSS JOIN jsonb_array_elements(w.card -> 'tags') AS tag
    WHERE NOT EXISTS (SELECT FROM patient_tagged t WHERE t.patient_id = w.id AND t.tag_id = CAST(tag AS int))
    GROUP BY w.line, w.id
    UNION ALL
    SELECT w.line, w.id, 'consent_on', w.card -> 'consent_on' FROM w
    WHERE CAST(w.card ->> 'consent_on' AS date) >= coalesce(w.birth_date, '-infinity')
      AND NOT EXISTS (SELECT FROM patient_consent c WHERE c.patient_id = w.id AND c.kind = :consent)
    ) AS news GROUP BY line, id) f
WHERE r.import_id = :import_id AND r.line = f.line
"""
_FILL = f"""
UPDATE patient p
SET {", ".join(f"{name} = coalesce(r.facts ->> '{name}', p.{name})" for name in _TEXTS[2:])},
    birth_date = coalesce(CAST(r.facts ->> 'birth_date' AS date), p.birth_date),
    source_id = coalesce((SELECT s.id FROM referral_source s WHERE s.id = CAST(r.facts ->> 'source_id' AS int)),
                         p.source_id),
    status = CASE WHEN coalesce(CAST(r.facts ->> 'birth_date' AS date), p.birth_date) IS NOT NULL
                   AND EXISTS (SELECT FROM patient_phone t WHERE t.patient_id = p.id) THEN 'active' ELSE 'draft' END,
    version = p.version + 1
FROM card_import_row r WHERE r.import_id = :import_id AND r.verdict = 'there' AND r.patient_id = p.id
"""


def keep_words(import_id: int) -> None:
    """The words of the names that are going to be written."""
    session.execute(text(_WORDS), {"import_id": import_id})


def write_cards(import_id: int, attempt: int) -> bool:
    """Write all cards of an import. False: there was nothing to write any more.

    Compares anew first: what was written at the desk since is there now. One import at a time. Records `card.imported`
    or `card.filled` with each card, `cards.imported` with the file.

    Raises:
        Meanwhile: do it again.
    """
    lock_word("card-import")
    row = lock(CardImport, import_id)
    if row is None or row.state != ImportState.APPLYING:
        return False
    session.execute(text("SET LOCAL lock_timeout = '10s'"))
    if attempt >= _PATIENCE:
        _keep_others_out()
    queries.compare(import_id, CROWDED)
    actor = session.get(User, row.applied_by_id) if row.applied_by_id else None
    known = {"import_id": import_id, "actor_id": row.applied_by_id}
    written = _rows(_CARDS, known | {"with_maybe": row.with_maybe})
    filled = _choose_filled(import_id) if row.fill else 0
    for statement in (_PHONES, _TAGS):
        _rows(statement, {"import_id": import_id})
    _rows(_CONSENTS, known | {"kind": str(ConsentKind.PERSONAL_DATA)})
    if filled:
        _rows(_FILL, {"import_id": import_id})
    _record(row, actor)
    session.execute(text("ANALYZE patient, patient_phone"))
    _keep_others_out()
    if queries.appeared_meanwhile(import_id):
        raise Meanwhile()
    _finish(row, written, filled, actor)
    return True


def _rows(statement: str, values: dict[str, Any]) -> int:
    return session.execute(text(statement), values).rowcount  # type: ignore[attr-defined, no-any-return]


def _keep_others_out() -> None:
    """Nobody else writes cards until the end of the transaction; everybody reads them."""
    session.execute(text("LOCK TABLE patient IN SHARE ROW EXCLUSIVE MODE"))


def _choose_filled(import_id: int) -> int:
    session.execute(text(_HELD), {"import_id": import_id})
    return _rows(_WHAT_IS_FILLED, {
        "import_id": import_id, "fields": list(_FILLED), "consent": str(ConsentKind.PERSONAL_DATA),
    })  # fmt: skip


def _record(row: CardImport, actor: User | None) -> None:
    """The deeds, as if each card had been written by hand."""
    audit.record_all("card.imported", "patient", _told(row, "card").where(_R.verdict != "there"), actor=actor)
    audit.record_all("card.filled", "patient", _told(row, "facts").where(_R.verdict == "there"), actor=actor)
    given = (
        select(
            PatientConsent.id.label("object_id"), PatientConsent.patient_id,
            null().cast(JSONB).label("before"),
            func.jsonb_build_object("kind", PatientConsent.kind, "given_on", PatientConsent.given_on).label("after"),
        )
        .join(_R, _R.patient_id == PatientConsent.patient_id)
        .where(
            _R.import_id == row.id, PatientConsent.kind == ConsentKind.PERSONAL_DATA,
            or_(_R.verdict != "there", _R.facts.has_key("consent_on")),
        )
    )  # fmt: skip
    audit.record_all("consent.given", "patient_consent", given, actor=actor)


def _told(row: CardImport, said: str) -> Select[Any]:
    """What a card says, or what was filled in, as the log keeps it; with the file and the row."""
    plain = literal_column(
        f"(card_import_row.{said} - CAST('{{phones,tags,consent_on}}' AS text[])) || jsonb_build_object("
        " 'phone', (SELECT string_agg(concat_ws(' ', t ->> 'number', nullif(t ->> 'owner', '')), ', ')"
        f" FROM jsonb_array_elements(card_import_row.{said} -> 'phones') AS t),"
        " 'tags', (SELECT string_agg(name, ', ') FROM patient_tag WHERE id IN ("
        f" SELECT CAST(t AS int) FROM jsonb_array_elements_text(card_import_row.{said} -> 'tags') AS t)))",
        JSONB,
    )
    source = func.jsonb_build_object("file_name", cast(literal(row.file_name), String), "row", _R.line)
    return select(
        _R.patient_id.label("object_id"), _R.patient_id, null().cast(JSONB).label("before"),
        func.jsonb_strip_nulls(plain.op("||")(source)).label("after"),
    ).where(_R.import_id == row.id, _R.patient_id.is_not(None))  # fmt: skip


def _finish(row: CardImport, written: int, filled: int, actor: User | None) -> None:
    row.counts = {**queries.import_counts(row.id), "written": written, "filled": filled}
    row.state, row.done, row.attempts = ImportState.APPLIED, row.total or 0, 0
    row.applied_at = row.moved_at = clock.now()
    session.flush()
    after = {"file_name": row.file_name, "written": written, "filled": filled}
    audit.record("cards.imported", row, after=after, actor=actor)
