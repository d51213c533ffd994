"""The bare program: a WSGI function and psycopg, one good statement for each question, a signed cookie as login.

It checks no rights, keeps no history and knows one clinic; it is the measure, not an example.
"""

import json
import os
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import psycopg
from itsdangerous import BadSignature, Signer
from psycopg.rows import dict_row

SIGNER = Signer("bench")
_connection: psycopg.Connection[Any] | None = None

DAY = """
SELECT json_agg(json_build_object('id', a.id, 'version', a.version, 'patient', json_build_object('id', p.id, 'name', p.surname || ' ' || p.name,
       'phone', (SELECT number FROM patient_phone f WHERE f.patient_id = p.id ORDER BY f.id LIMIT 1),
       'debt', c.debt, 'advance', c.advance), 'doctor_id', a.doctor_id, 'chair_id', a.chair_id, 'starts_at', a.starts_at,
       'ends_at', a.ends_at, 'status', a.status, 'confirmation', a.confirmation, 'first_visit', a.first_visit, 'comment', a.comment)
       ORDER BY a.starts_at)
FROM appointment a JOIN patient p ON p.id = a.patient_id LEFT JOIN patient_account c ON c.patient_id = p.id
WHERE a.branch_id = %(branch)s AND a.starts_at >= %(day)s AND a.starts_at < %(day)s::date + 1
"""
BY_NAME = """
SELECT p.id, p.card_number, p.surname, p.name, p.patronymic, p.birth_date, c.debt, c.advance,
       (SELECT number FROM patient_phone f WHERE f.patient_id = p.id ORDER BY f.id LIMIT 1) phone,
       (SELECT max(starts_at) FROM appointment a WHERE a.patient_id = p.id AND a.status = 'completed') last_visit
FROM patient p LEFT JOIN patient_account c ON c.patient_id = p.id
WHERE p.search_name >= lower(translate(' ' || %(q)s, 'ёЁ', 'ее')) AND p.search_name < lower(translate(' ' || %(q)s, 'ёЁ', 'ее')) || 'я'
ORDER BY p.search_name, p.id LIMIT 25
"""
BY_PHONE = """
SELECT p.id, p.card_number, p.surname, p.name, p.patronymic, p.birth_date, c.debt, c.advance, f.number phone
FROM patient_phone f JOIN patient p ON p.id = f.patient_id LEFT JOIN patient_account c ON c.patient_id = p.id
WHERE f.reversed_number LIKE reverse(%(q)s) || '%%' LIMIT 25
"""
FIRST_PAGE = """
SELECT id, card_number, surname, name, patronymic, birth_date FROM patient ORDER BY surname, name, patronymic, id LIMIT 25
"""
CARD = """
SELECT row_to_json(p) patient, row_to_json(c) account,
  (SELECT json_agg(row_to_json(v)) FROM (SELECT id, starts_at, ends_at, status, doctor_id FROM appointment
     WHERE patient_id = p.id ORDER BY starts_at DESC LIMIT 50) v) visits,
  (SELECT json_agg(row_to_json(o)) FROM (SELECT id, number, total, due, status, issued_day FROM work_order
     WHERE patient_id = p.id ORDER BY id DESC LIMIT 50) o) orders,
  (SELECT json_agg(row_to_json(y)) FROM (SELECT id, number, amount, paid_at FROM payment
     WHERE patient_id = p.id ORDER BY id DESC LIMIT 50) y) payments
FROM patient p LEFT JOIN patient_account c ON c.patient_id = p.id WHERE p.id = %(id)s
"""
TWINS = """
SELECT p.id, p.card_number, p.surname, p.name, p.patronymic, p.birth_date,
       (SELECT number FROM patient_phone f WHERE f.patient_id = p.id ORDER BY f.id LIMIT 1) phone,
       (SELECT max(starts_at) FROM appointment a WHERE a.patient_id = p.id AND a.status = 'completed') last_visit
FROM (SELECT id, min(rank) rank FROM
       (SELECT id, 0 rank FROM patient
        WHERE search_name >= lower(' ' || %(surname)s || ' ' || %(name)s || ' ') AND search_name < lower(' ' || %(surname)s || ' ' || %(name)s || '!')
          AND (%(birth_date)s = '' OR birth_date = nullif(%(birth_date)s, '')::date OR birth_date IS NULL)
        UNION ALL SELECT patient_id, 1 FROM patient_phone WHERE number = %(phone)s) s
      GROUP BY id ORDER BY 2, 1 DESC LIMIT 5) t
JOIN patient p ON p.id = t.id ORDER BY t.rank, p.id DESC
"""
PAGE = "<!DOCTYPE html>" + "<p>Картотека</p>" * 800
DEBTORS = """
SELECT p.id, p.card_number, p.surname, p.name, p.patronymic, p.birth_date, c.debt,
       (SELECT number FROM patient_phone f WHERE f.patient_id = p.id ORDER BY f.id LIMIT 1) phone,
       (SELECT min(issued_day) FROM work_order o WHERE o.patient_id = p.id AND o.status = 'issued') since,
       (SELECT max(starts_at) FROM appointment a WHERE a.patient_id = p.id AND a.status = 'completed') last_visit
FROM (SELECT patient_id, debt FROM patient_account WHERE debt > 0 ORDER BY debt DESC, patient_id DESC LIMIT 50) c
JOIN patient p ON p.id = c.patient_id ORDER BY c.debt DESC, p.id DESC
"""
FREE = """
WITH open AS (
  SELECT h.doctor_id, h.chair_id, unnest(tsmultirange(tsrange(h.starts_at, h.ends_at)) - COALESCE(
     (SELECT range_agg(tsrange(a.starts_at, a.ends_at)) FROM appointment a
      WHERE a.doctor_id = h.doctor_id AND a.starts_at >= h.starts_at AND a.starts_at < h.ends_at
        AND a.status NOT IN ('cancelled', 'no_show')), '{}')) r
  FROM working_hours h WHERE h.branch_id = %(branch)s AND h.starts_at >= %(first)s AND h.starts_at < %(first)s::date + 60)
SELECT doctor_id, chair_id, lower(r) starts_at FROM open
WHERE upper(r) - lower(r) >= interval '30 minutes' ORDER BY lower(r), doctor_id LIMIT 10
"""
FITS = """
SELECT w.id, w.version, w.kind, w.urgency, w.minutes, w.windows::text, w.first_day, w.last_day, w.comment, w.created_at,
       p.id patient_id, p.surname, p.name, p.patronymic, p.card_number,
       (SELECT number FROM patient_phone f WHERE f.patient_id = p.id ORDER BY f.id LIMIT 1) phone
FROM waiting_entry w JOIN patient p ON p.id = w.patient_id
WHERE w.status = 'waiting' AND w.first_day <= %(day)s AND (w.last_day IS NULL OR w.last_day >= %(day)s)
  AND w.minutes <= 45 AND extract(isodow FROM %(day)s::date) = ANY (w.weekdays)
  AND (w.wanted_doctors <> 'only' OR %(doctor)s = ANY (w.doctor_ids)) AND w.windows && int4range(%(from)s::int, %(to)s::int)
ORDER BY array_position(ARRAY['acute', 'soon', 'usual'], w.urgency::text), NOT %(doctor)s = ANY (w.doctor_ids), w.created_at LIMIT 20
"""
BOOK = """
INSERT INTO appointment (patient_id, doctor_id, branch_id, starts_at, ends_at, status, confirmation, first_visit, comment,
                         overbooked, overbook_reason, outside_hours_reason)
VALUES (%(patient)s, %(doctor)s, %(branch)s, %(at)s, %(to)s, 'booked', 'not_notified', false, '', false, '', '') RETURNING id
"""
PAY = """
WITH number AS (SELECT nextval(pg_get_serial_sequence('payment', 'id')) id),
desk AS (SELECT id, branch_id, legal_entity_id FROM cash_desk WHERE branch_id = %(branch)s AND kind = 'non_cash' LIMIT 1),
money AS (
  INSERT INTO cash_movement (desk_id, series, year, number, legal_entity_id, kind, delta, moved_at, business_day, patient_id)
  SELECT desk.id, 'bank_in', 9999, number.id, legal_entity_id, 'payment', %(amount)s::numeric, now(), current_date, %(patient)s::int
    FROM desk, number RETURNING id, desk_id),
paid AS (
  INSERT INTO payment (id, legal_entity_id, branch_id, year, number, patient_id, amount, change, business_day, paid_at)
  SELECT number.id, legal_entity_id, branch_id, 9999, number.id, %(patient)s::int, %(amount)s::numeric, 0, current_date, now()
    FROM desk, number RETURNING id),
part AS (
  INSERT INTO payment_part (payment_id, method, amount, desk_id, movement_id)
  SELECT paid.id, 'card', %(amount)s::numeric, desk_id, money.id FROM paid, money),
entry AS (
  INSERT INTO ledger_entry (kind, business_day, branch_id, patient_id, payment_id, debt_change, advance_change)
  SELECT 'advance_in', current_date, %(branch)s::int, %(patient)s::int, id, 0, %(amount)s::numeric FROM paid RETURNING id)
SELECT id, (SELECT advance + %(amount)s::numeric FROM patient_account WHERE patient_id = %(patient)s::int) advance FROM entry
"""
REPORTS = (
    """SELECT doctor_id, status, count(*) FROM appointment WHERE branch_id = %(branch)s AND starts_at >= %(first)s
       AND starts_at < %(last)s::date + 1 GROUP BY 1, 2""",
    """SELECT kind, sum(debt_change) debt, sum(advance_change) advance FROM ledger_entry WHERE branch_id = %(branch)s
       AND business_day BETWEEN %(first)s AND %(last)s GROUP BY 1""",
    """SELECT l.service_id, o.doctor_id, sum(l.quantity) quantity, sum(l.total) net FROM work_order o
       JOIN work_order_line l ON l.work_order_id = o.id WHERE o.branch_id = %(branch)s
       AND o.issued_day BETWEEN %(first)s AND %(last)s GROUP BY 1, 2""",
    """SELECT m.desk_id, m.kind, sum(m.delta) FROM cash_movement m JOIN cash_desk k ON k.id = m.desk_id
       WHERE k.branch_id = %(branch)s AND m.business_day BETWEEN %(first)s AND %(last)s GROUP BY 1, 2""",
)


def connection() -> psycopg.Connection[Any]:
    """This process's connection."""
    global _connection
    if _connection is None or _connection.closed:
        _connection = psycopg.connect(os.environ["BARE_DATABASE_URL"], row_factory=dict_row, autocommit=True)
    return _connection


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


@cache
def _contract_words() -> list[str]:
    """The words of the contract that ours prints, paragraph by paragraph, with a place for the name."""
    html = (Path(__file__).parent.parent / "app/documents/shipped/contract.html").read_text(encoding="utf-8")
    chosen = re.sub(r"{%.*?%}", "", re.sub(r"{% else %}.*?(?={% endif %})", "", html, flags=re.DOTALL))
    plain = re.sub(r"<(?!/?b>)[^>]*>", " ", re.sub(r"{{.*?}}", "{name}", chosen))
    return [line.strip() for line in plain.splitlines() if line.strip()]


def _contract(name: str) -> bytes:
    """The same words by reportlab: paragraphs in one style, two sheets as ours, no template and no tables."""
    from io import BytesIO

    from reportlab.lib.fonts import addMapping
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    if "Doc" not in pdfmetrics.getRegisteredFontNames():
        font = Path(os.environ["BARE_FONT"])
        pdfmetrics.registerFont(TTFont("Doc", str(font)))
        pdfmetrics.registerFont(TTFont("Doc-Bold", str(font.with_name("DejaVuSans-Bold.ttf"))))
        addMapping("Doc", 0, 0, "Doc")
        addMapping("Doc", 1, 0, "Doc-Bold")
    style = ParagraphStyle("contract", fontName="Doc", fontSize=9, leading=11)
    out = BytesIO()
    SimpleDocTemplate(out).build([Paragraph(words.replace("{name}", name), style) for words in _contract_words()])
    return out.getvalue()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one question."""
    asked = {key: values[0] for key, values in parse_qs(environ.get("QUERY_STRING", ""), True).items()}
    try:
        SIGNER.unsign(environ.get("HTTP_COOKIE", "").removeprefix("who="))
    except BadSignature:
        start_response("401 Unauthorized", [])
        return [b""]
    path, rows = environ["PATH_INFO"], connection()
    if path == "/contract":
        body = _contract(rows.execute("SELECT surname FROM patient WHERE id = %(id)s", asked).fetchone()["surname"])
        start_response("200 OK", [("Content-Type", "application/pdf"), ("Content-Length", str(len(body)))])
        return [body]
    if path == "/page":
        body = PAGE.encode()
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]
    if path == "/reports":
        answer: Any = [rows.execute(statement, asked).fetchall() for statement in REPORTS]
    else:
        statements = {
            "/day": DAY, "/name": BY_NAME, "/phone": BY_PHONE, "/patients": FIRST_PAGE, "/card": CARD, "/free": FREE,
            "/book": BOOK, "/pay": PAY, "/fits": FITS, "/debtors": DEBTORS,
            "/twins": TWINS,
        }  # fmt: skip
        if path not in statements:
            start_response("404 Not Found", [])
            return [b""]
        answer = rows.execute(statements[path], asked).fetchall()
    body = json.dumps(answer, default=_plain, ensure_ascii=False).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
