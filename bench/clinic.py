"""The large clinic: 200,000 patients, 1,000,000 appointments, ten years, always the same for the same size.

Rows are written by PostgreSQL itself, triggers asleep and the heavy indexes away, and the promises are put
back and proved afterwards: every EXCLUDE, CHECK and sum holds for what was generated.
"""

import re
import time
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, text

DOCTORS_PER_BRANCH, VISITS_PER_DOCTOR_DAY, BRANCHES = 12, 13, 2
SLOT_MINUTES, FIRST_HOUR = 45, 8

#: Tables whose triggers sleep while rows are poured in.
POURED = (
    "patient_account", "cash_desk", "work_order", "work_order_line", "payment", "payment_part", "ledger_entry",
    "cash_movement", "cash_shift", "receipt",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How many cards, and how many days behind today; about 312 visits a day."""

    patients: int
    days: int

    @classmethod
    def large(cls) -> "Size":
        return cls(200_000, 3_205)

    @classmethod
    def small(cls) -> "Size":
        """One fiftieth of the large one."""
        return cls(4_000, 64)


PEOPLE = """
INSERT INTO patient (surname, name, patronymic, status, birth_date, sex, created_at)
SELECT (ARRAY['Иванов','Смирнов','Кузнецов','Попов','Васильев','Петров','Соколов','Михайлов','Новиков','Фёдоров',
              'Морозов','Волков','Алексеев','Лебедев','Семёнов','Егоров','Павлов','Козлов','Степанов','Николаев'])[1 + n % 20]
         || (ARRAY['','ский','енко','чук','ян','ич','айте','оглу','ин','юк'])[1 + (n / 20) % 10]
         || CASE WHEN n % 2 = 0 THEN 'а' ELSE '' END,
       (ARRAY['Анна','Иван','Мария','Пётр','Елена','Сергей','Ольга','Алексей','Ирина','Дмитрий','Юлия'])[1 + (n * 7) % 11],
       (ARRAY['Сергеевна','Петрович','Ивановна','Ильич','Юрьевна','Олегович','Павловна'])[1 + (n * 3) % 7],
       'active', DATE '1940-01-01' + (n * 37) % 28000, CASE WHEN n % 2 = 0 THEN 'female' ELSE 'male' END, now()
FROM generate_series(1, :patients) n
"""
PHONES = "INSERT INTO patient_phone (patient_id, number) SELECT id, '+79' || lpad(((id * 7919) % 1000000000)::text, 9, '0') FROM patient"
#: Every child of fewer than eighteen years has an adult who answers for it.
GUARDIANS = """
UPDATE patient child SET guardian_id = adult.id
FROM (SELECT min(id) low FROM patient) p, patient adult
WHERE child.birth_date > CAST(:today AS date) - interval '18 years'
  AND adult.id = p.low + ((child.id - p.low) * 31 + 1) % :patients AND adult.birth_date < CAST(:today AS date) - interval '20 years'
"""

HOURS = """
INSERT INTO working_hours (doctor_id, branch_id, chair_id, starts_at, ends_at)
SELECT d.id, d.branch_id, c.id, day + interval '8 hours', day + interval '18 hours'
FROM (SELECT id, branch_id, row_number() OVER (PARTITION BY branch_id ORDER BY id) n FROM employee WHERE is_doctor) d
JOIN (SELECT id, branch_id, row_number() OVER (PARTITION BY branch_id ORDER BY id) n FROM chair) c USING (branch_id, n),
     generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') day
"""

VISITS = """
INSERT INTO appointment (patient_id, doctor_id, branch_id, chair_id, starts_at, ends_at, status, confirmation, first_visit,
                         comment, overbooked, overbook_reason, outside_hours_reason, completed_at, created_at)
SELECT p.low + ((d.k * :visits + v + (day.n * 104729)) % :patients), d.id, d.branch_id, c.id,
       day.d + (:first_hour * 60 + v * :slot) * interval '1 minute',
       day.d + (:first_hour * 60 + (v + 1) * :slot) * interval '1 minute',
       CASE WHEN day.d >= CAST(:today AS date) THEN 'booked' WHEN (v + day.n) % 17 = 0 THEN 'no_show' ELSE 'completed' END,
       'confirmed', false, '', false, '', '',
       CASE WHEN day.d < CAST(:today AS date) THEN day.d + interval '18 hours' END, now()
FROM (SELECT min(id) low FROM patient) p,
     (SELECT id, branch_id, row_number() OVER (PARTITION BY branch_id ORDER BY id) n, row_number() OVER (ORDER BY id) - 1 k
      FROM employee WHERE is_doctor) d
JOIN (SELECT id, branch_id, row_number() OVER (PARTITION BY branch_id ORDER BY id) n FROM chair) c USING (branch_id, n),
     (SELECT d, row_number() OVER (ORDER BY d) n
      FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') d) day,
     generate_series(0, :visits - 1) v
WHERE day.d <= CAST(:today AS date) OR (v + day.n) % 3 = 0
"""

ORDERS = """
INSERT INTO work_order (legal_entity_id, branch_id, year, number, patient_id, doctor_id, appointment_id, status, total, due,
                        issued_at, issued_day, created_at)
SELECT e.id, a.branch_id, extract(year FROM a.starts_at), row_number() OVER (PARTITION BY extract(year FROM a.starts_at) ORDER BY a.id),
       a.patient_id, a.doctor_id, a.id, CASE WHEN a.id % 40 = 0 THEN 'issued' ELSE 'paid' END, 4500,
       CASE WHEN a.id % 40 = 0 THEN 4500 ELSE 0 END, a.ends_at, a.starts_at::date, a.ends_at
FROM appointment a, (SELECT min(id) id FROM legal_entity) e
WHERE a.status = 'completed' AND a.id % 5 < 3
"""
LINES = """
INSERT INTO work_order_line (work_order_id, position, service_id, tooth, quantity, price, discount, total)
SELECT o.id, l, s.low + (o.id * l) % s.many, '36', 1, CASE l WHEN 1 THEN 3000 ELSE 1500 END, 0, CASE l WHEN 1 THEN 3000 ELSE 1500 END
FROM work_order o, generate_series(1, 2) l, (SELECT min(id) low, count(*) many FROM service) s
"""
#: A drawer is opened each day with nothing and gives in the evening what it took to the bank; today's is open.
SHIFTS = """
INSERT INTO cash_shift (desk_id, number, opened_at, business_day, opening, opened_with, closed_at, expected, counted)
SELECT k.id, row_number() OVER (PARTITION BY k.id ORDER BY day), day + interval '8 hours', day::date, 0, 0,
       CASE WHEN day < CAST(:today AS date) THEN day + interval '20 hours' END,
       CASE WHEN day < CAST(:today AS date) THEN 0 END, CASE WHEN day < CAST(:today AS date) THEN 0 END
FROM cash_desk k, generate_series(CAST(:first AS date), CAST(:today AS date), interval '1 day') day WHERE k.kind = 'main'
"""
PAYMENTS = """
INSERT INTO payment (legal_entity_id, branch_id, year, number, patient_id, amount, change, business_day, paid_at)
SELECT legal_entity_id, branch_id, year, row_number() OVER (PARTITION BY year ORDER BY number), patient_id, total, 0,
       issued_day, issued_at
FROM work_order WHERE status = 'paid'
"""
#: A patient is in one place at a time: patient and moment find what belongs to a payment, here and below.
MOVEMENTS = """
INSERT INTO cash_movement (desk_id, shift_id, series, year, number, legal_entity_id, kind, delta, moved_at, business_day, patient_id)
SELECT k.id, s.id, CASE k.kind WHEN 'main' THEN 'in' ELSE 'bank_in' END, p.year,
       row_number() OVER (PARTITION BY p.year, k.kind ORDER BY p.id), p.legal_entity_id, 'payment', p.amount, p.paid_at,
       p.business_day, p.patient_id
FROM payment p
JOIN cash_desk k ON k.branch_id = p.branch_id AND k.kind = CASE WHEN p.id % 3 = 0 THEN 'main' ELSE 'non_cash' END
LEFT JOIN cash_shift s ON s.desk_id = k.id AND s.business_day = p.business_day
"""
COLLECTIONS = """
INSERT INTO cash_movement (desk_id, shift_id, series, year, number, legal_entity_id, kind, delta, moved_at, business_day)
SELECT k.id, s.id, 'out', m.year, row_number() OVER (PARTITION BY m.year ORDER BY s.closed_at, k.id), k.legal_entity_id,
       'collection', -sum(m.delta), s.closed_at, s.business_day
FROM cash_shift s JOIN cash_desk k ON k.id = s.desk_id JOIN cash_movement m ON m.shift_id = s.id
WHERE s.closed_at IS NOT NULL GROUP BY k.id, s.id, m.year
"""
PARTS = """
INSERT INTO payment_part (payment_id, method, amount, desk_id, movement_id)
SELECT p.id, CASE WHEN p.id % 3 = 0 THEN 'cash' ELSE 'card' END, p.amount, m.desk_id, m.id
FROM payment p JOIN cash_movement m ON (m.patient_id, m.moved_at) = (p.patient_id, p.paid_at)
"""
LEDGER = """
INSERT INTO ledger_entry (kind, business_day, branch_id, patient_id, work_order_id, payment_id, debt_change, advance_change)
SELECT 'bill', issued_day, branch_id, patient_id, id, NULL, total, 0 FROM work_order
UNION ALL
SELECT 'payment', p.business_day, p.branch_id, p.patient_id, o.id, p.id, -p.amount, 0
FROM payment p JOIN work_order o ON (o.patient_id, o.issued_at) = (p.patient_id, p.paid_at)
"""
RECEIPTS = """
INSERT INTO receipt (kind, legal_entity_id, year, number, patient_id, payment_id, business_day, snapshot, created_at)
SELECT 'sale', p.legal_entity_id, p.year, p.number, p.patient_id, p.id, p.business_day, jsonb_build_object(
       'number', p.number, 'kind', 'sale', 'legal_entity', jsonb_build_object('name', e.name, 'inn', e.inn, 'address', e.address),
       'branch', b.name, 'day', p.business_day, 'time', to_char(p.paid_at, 'HH24\\:MI'),
       'patient', concat_ws(' ', c.surname, c.name, c.patronymic), 'card_number', c.card_number, 'cashier', 'Алина Смирнова',
       'lines', l.lines, 'parts', jsonb_build_array(jsonb_build_object('method', t.method, 'amount', t.amount::text)),
       'amount', p.amount::text, 'tendered', NULL, 'change', '0.00', 'to_advance', '0.00', 'debt_left', '0.00'), p.paid_at
FROM payment p JOIN payment_part t ON t.payment_id = p.id JOIN legal_entity e ON e.id = p.legal_entity_id
JOIN branch b ON b.id = p.branch_id JOIN patient c ON c.id = p.patient_id
JOIN work_order o ON (o.patient_id, o.issued_at) = (p.patient_id, p.paid_at)
JOIN (SELECT work_order_id, jsonb_agg(jsonb_build_object('name', s.name, 'tooth', tooth, 'quantity', quantity,
             'price', price::text, 'discount', discount::text, 'total', total::text) ORDER BY position) AS lines
      FROM work_order_line JOIN service s ON s.id = service_id GROUP BY 1) l ON l.work_order_id = o.id
"""
ACCOUNTS = """
INSERT INTO patient_account (patient_id, debt, advance)
SELECT patient_id, sum(debt_change), sum(advance_change) FROM ledger_entry GROUP BY patient_id
"""
DESKS = "UPDATE cash_desk SET balance = COALESCE((SELECT sum(delta) FROM cash_movement m WHERE m.desk_id = cash_desk.id), 0)"
#: 5,000 patients wait, whatever the size of the clinic: a third for one doctor only, windows, weekdays and days mixed.
WAITING = """
INSERT INTO waiting_entry (kind, patient_id, wanted_doctors, doctor_ids, minutes, weekdays, windows, first_day, last_day,
                           notice_hours, urgency, comment, status, created_at)
SELECT 'no_time', p.low + (n * 7919) % :patients, CASE n % 3 WHEN 0 THEN 'any' WHEN 1 THEN 'preferred' ELSE 'only' END,
       CASE WHEN n % 3 = 0 THEN '{}' ELSE ARRAY[d.low + n % d.many, d.low + (n * 7) % d.many] END, 15 + n % 4 * 15,
       CASE WHEN n % 2 = 0 THEN ARRAY[1,2,3,4,5,6,7] ELSE ARRAY[1 + n % 7, 1 + (n / 7) % 7] END,
       CASE n % 4 WHEN 0 THEN '{[0,1440)}' WHEN 1 THEN '{[480,720)}' WHEN 2 THEN '{[480,660),[1020,1200)}' ELSE '{[720,1020)}' END::int4multirange,
       CAST(:today AS date) - n % 30, CASE WHEN n % 2 = 0 THEN CAST(:today AS date) + 10 + n % 80 END, n % 5 * 12,
       (ARRAY['usual','usual','usual','soon','acute'])[1 + n % 5], '', 'waiting', now() - n * interval '10 minutes'
FROM generate_series(1, 5000) n, (SELECT min(id) low FROM patient) p,
     (SELECT min(id) low, count(*)::int many FROM employee WHERE is_doctor) d
"""
SERIES = """
INSERT INTO number_series (legal_entity_id, series, year, last_number)
SELECT legal_entity_id, series, year, max(number)
FROM (SELECT legal_entity_id, 'work_order' AS series, year, number FROM work_order
      UNION ALL SELECT legal_entity_id, 'payment', year, number FROM payment
      UNION ALL SELECT legal_entity_id, 'receipt', year, number FROM receipt
      UNION ALL SELECT legal_entity_id, series, year, number FROM cash_movement) numbered
GROUP BY 1, 2, 3
"""


def _heavy(connection: Connection) -> list[tuple[str, str, str]]:
    """Exclusion constraints and plain indexes of the poured tables: name, how to drop, how to make again."""
    found = []
    tables = "'appointment','working_hours','work_order','work_order_line','ledger_entry','cash_movement','payment','payment_part','receipt'"
    for table, name, definition in connection.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            f" WHERE contype = 'x' AND conrelid::regclass::text IN ({tables})"
        )
    ):
        found.append(
            (
                name,
                f"ALTER TABLE {table} DROP CONSTRAINT {name}",
                f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}",
            )
        )
    for name, definition in connection.execute(
        text(
            f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({tables}, 'patient', 'patient_phone') AND indexname LIKE 'ix_%'"
        )
    ):
        found.append((name, f"DROP INDEX {name}", definition))
    return found


def pour(connection: Connection, size: Size, today: date, say: object = print) -> None:
    """Fill a migrated, empty database with the clinic of this size."""
    values = {
        "patients": size.patients, "visits": VISITS_PER_DOCTOR_DAY, "slot": SLOT_MINUTES, "first_hour": FIRST_HOUR, "today": today,
        "first": today - timedelta(days=size.days), "last": today + timedelta(days=60),
    }  # fmt: skip
    connection.execute(text("SET maintenance_work_mem = '1GB'"))
    connection.execute(text("SET work_mem = '256MB'"))
    heavy = _heavy(connection)
    for _, drop, _make in heavy:
        connection.execute(text(drop))
    for table in POURED:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    steps = {
        "patients": PEOPLE, "phones": PHONES, "guardians": GUARDIANS, "hours": HOURS, "visits": VISITS,
        "work orders": ORDERS, "lines": LINES,
        "shifts": SHIFTS, "payments": PAYMENTS, "movements": MOVEMENTS, "collections": COLLECTIONS, "parts": PARTS,
        "ledger": LEDGER, "receipts": RECEIPTS, "accounts": ACCOUNTS, "desks": DESKS, "numbers": SERIES,
        "waiting": WAITING,
    }  # fmt: skip
    for name, statement in steps.items():
        started = time.monotonic()
        used = {key: value for key, value in values.items() if re.search(rf":{key}\b", statement)}
        rows = connection.execute(text(statement), used).rowcount
        say(f"  {name:<12} {rows:>9,} rows  {time.monotonic() - started:6.1f} s")  # type: ignore[operator]
    for table in POURED:
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    started = time.monotonic()
    for _, _drop, make in heavy:
        connection.execute(text(make))
    connection.commit()
    _settle(connection)
    say(f"  indexes and constraints back, all promises hold  {time.monotonic() - started:6.1f} s")  # type: ignore[operator]


def _settle(connection: Connection) -> None:
    """What a clinic's database has done long ago, so that it is not done while somebody measures."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.autocommit = True
    driver.execute("VACUUM (ANALYZE)")
    driver.autocommit = False


def furnish() -> None:
    """What the clinic needs before patients come: branches, chairs, doctors, services, desks, an administrator."""
    from decimal import Decimal

    from sqlalchemy import select
    from werkzeug.security import generate_password_hash

    from app.db import session, transaction
    from app.models import (
        Branch,
        CancelReason,
        CashDesk,
        Chair,
        Employee,
        FiscalDevice,
        LegalEntity,
        Role,
        Service,
        ServiceCategory,
        ServicePrice,
        User,
    )

    with transaction():
        entity = LegalEntity(
            name="ООО «Большая клиника»", short_name="Большая клиника", inn="7701234567", kpp="770101001",
            ogrn="1027700132195", address="г. Москва, ул. Большая, д. 1", licence_number="Л041-01137-77/00368421",
        )  # fmt: skip
        session.add_all([entity, CancelReason(name="Заболел")])
        session.flush()
        for number in range(BRANCHES):
            branch = Branch(name=f"Филиал {number + 1}", legal_entity_id=entity.id)
            session.add(branch)
            session.flush()
            for n in range(DOCTORS_PER_BRANCH):
                session.add(Chair(name=f"Кресло {n + 1}", branch_id=branch.id))
                session.add(Employee(surname=f"Врачев{n}", name="Олег", is_doctor=True, branch_id=branch.id))
            for name, kind in (("Касса", "main"), ("Безналичная", "non_cash")):
                session.add(CashDesk(name=name, kind=kind, branch_id=branch.id, legal_entity_id=entity.id))
        category = ServiceCategory(name="Терапия")
        session.add(category)
        session.flush()
        for n in range(200):
            service = Service(code=f"A16.07.{n:03d}", name=f"Услуга {n}", category_id=category.id)
            session.add(service)
            session.flush()
            session.add(ServicePrice(service_id=service.id, valid_from=date(2010, 1, 1), price=Decimal(1500)))
        branch_id = session.scalar(select(Branch.id).order_by(Branch.id).limit(1))
        for role in ("administrator", "director"):
            user = User(
                username=role, first_name="Имя", last_name="Фамилия", email=f"{role}@clinic.invalid", active=True,
                password=generate_password_hash("demo"),
                roles=[session.scalars(select(Role).where(Role.name == role)).one()],
            )  # fmt: skip
            session.add(user)
            session.flush()
            session.add(Employee(surname="Смирнова", name="Алина", user_id=user.id, branch_id=branch_id))
        session.add(FiscalDevice(name="ККТ", legal_entity_id=entity.id, branch_id=branch_id, taxation="usnIncome"))
