"""What the programs are asked: the operations of the comparison, ours and the bare program's."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text

from bench.cards import People, card_questions
from bench.programs import Asked, Question


class Facts:
    """Where in the poured clinic the questions look. `day`: the one that was full when it was poured."""

    def __init__(self, connection: Any, day: date, today: date) -> None:
        one = lambda statement: connection.execute(text(statement)).scalar()  # noqa: E731
        self.day, self.today = day, today
        self.branch = one("SELECT min(id) FROM branch")
        self.doctors = list(
            connection.scalars(
                text("SELECT id FROM employee WHERE is_doctor AND branch_id = (SELECT min(id) FROM branch) ORDER BY id")
            )
        )
        self.low, self.many = one("SELECT min(id) FROM patient"), one("SELECT count(*) FROM patient")
        self.names = list(
            connection.scalars(text("SELECT DISTINCT surname FROM patient WHERE id % 977 = 0 ORDER BY 1 LIMIT 50"))
        )
        self.tails = list(
            connection.scalars(
                text("SELECT right(number, 4) FROM patient_phone WHERE id % 997 = 0 ORDER BY id LIMIT 50")
            )
        )

        self.people = People(connection)

    def patient(self, n: int) -> int:
        return int(self.low) + (n * 7919) % int(self.many)

    def slot(self, n: int) -> tuple[int, str, str]:
        """A doctor's slot that is free: a year ahead and more."""
        day = self.today + timedelta(days=400 + n // (12 * 40))
        minute = 8 * 60 + (n // 12) % 40 * 15
        at = lambda m: f"{day}T{m // 60:02d}:{m % 60:02d}"  # noqa: E731
        return self.doctors[n % 12], at(minute), at(minute + 15)


def questions(large: Facts) -> list[Question]:
    """The operations of the comparison. The small clinic has the same branch, doctors and days."""
    f = large
    get = lambda path, **q: Asked("GET", path + ("?" + urlencode(q) if q else ""))  # noqa: E731
    year = {"from": f.day - timedelta(days=364), "to": f.day}
    day, tomorrow = {"from": f.day, "to": f.day}, f.today + timedelta(days=1)
    kinds = ("patients", "bills-payments", "services", "cash")

    def book(n: int) -> Asked:
        doctor, at, to = f.slot(n)
        body = {
            "patient_id": f.patient(n) % 4_000 + f.low,
            "doctor_id": doctor,
            "starts_at": at,
            "ends_at": to,
            "outside_hours_reason": "замер",
        }
        return Asked("POST", "/api/v1/appointments/", body)

    def bare_book(n: int) -> Asked:
        doctor, at, to = f.slot(n + 500_000)
        return get("/book", patient=f.patient(n) % 4_000 + f.low, doctor=doctor, branch=f.branch, at=at, to=to)

    def pay(n: int, method: str = "card") -> Asked:
        parts = [{"method": method, "amount": "100.00"}]
        return Asked("POST", "/api/v1/payments/", {"patient_id": f.patient(n) % 4_000 + f.low, "parts": parts})

    bare_pay = lambda n: get("/pay", patient=f.patient(n) % 4_000 + f.low, branch=f.branch, amount="100.00")  # noqa: E731

    def freed(n: int) -> tuple[int, date, str, str]:
        """An hour and a half of a doctor some days ahead; at least three quarters of an hour of it are free."""
        day = f.day + timedelta(days=2 + n % 40)
        return f.doctors[n % 12], day, f"{day}T10:15", f"{day}T11:45"

    def fits(n: int) -> Asked:
        doctor, _, at, to = freed(n)
        return get("/api/v1/schedule/fits", doctor_id=doctor, starts_at=at, ends_at=to)

    def bare_fits(n: int) -> Asked:
        doctor, day, _, _ = freed(n)
        return get("/fits", doctor=doctor, day=day, **{"from": 615, "to": 705})

    the_day = lambda n: get("/api/v1/schedule/day", day=f.day, branch_id=f.branch)  # noqa: E731
    bare_day = lambda n: get("/day", day=f.day, branch=f.branch)  # noqa: E731
    return [
        Question("schedule of a day", the_day, bare_day, 7.7, 2),
        Question("poll: nothing was written", the_day, bare_day, None, 0.7, (304,), known=True),
        Question("poll: others wrote elsewhere", the_day, bare_day, None, None, (304,), known=True, touch=True),
        Question("first free 30 min, 60 days", lambda n: get("/api/v1/schedule/free", minutes=30, days=60, limit=10, branch_id=f.branch, **{"from": tomorrow}),
                 lambda n: get("/free", branch=f.branch, first=tomorrow), 22, 2),
        Question("who fits a freed time, of 5,000", fits, bare_fits, None, 3),
        Question("book", book, bare_book, 7.7, 6, (201,)),
        Question("25 patients by name", lambda n: get("/api/v1/patients/", q=f.names[n % len(f.names)][:4]),
                 lambda n: get("/name", q=f.names[n % len(f.names)][:4]), 55, 3),
        Question("25 patients by phone tail", lambda n: get("/api/v1/patients/", q=f.tails[n % len(f.tails)]),
                 lambda n: get("/phone", q=f.tails[n % len(f.tails)]), 37, 3),
        *card_questions(f.people, f.names, lambda n: f.patient(n) % 4_000 + f.low),
        Question("settlement page", lambda n: get(f"/settlement/{f.patient(n) % 4_000 + f.low}"), lambda n: get("/card", id=f.patient(n) % 4_000 + f.low), None, 4),
        Question("first page of debtors", lambda n: get("/settlement/lists/debtors"), lambda n: get("/debtors"), None, 2),
        Question("first page of patients", lambda n: get("/api/v1/patients/"), lambda n: get("/patients"), None, 0.3),
        Question("take a payment", pay, bare_pay, 5.9, 5, (201,)),
        # cash goes into the drawer of the branch, whose shift is open: all clients wait for the same desk
        Question("take cash at one desk", lambda n: pay(n, "cash"), bare_pay, 5.9, 5, (201,)),
        *(Question(f"report of a day: {kind}", lambda n, kind=kind: get(f"/api/v1/reports/{kind}", **day),
                   lambda n: get("/reports", branch=f.branch, first=f.day, last=f.day), None) for kind in kinds),
        *(Question(f"report of a year: {kind}", lambda n, kind=kind: get(f"/api/v1/reports/{kind}", **year),
                   lambda n: get("/reports", branch=f.branch, first=year["from"], last=f.day), None, rounds=3) for kind in kinds),
        Question("contract PDF", lambda n: Asked("POST", "/documents/issue", {"kind": "contract", "patient_id": f.patient(n) % 4_000 + f.low}, follow=True),
                 lambda n: get("/contract", id=f.patient(n) % 4_000 + f.low), None, 8),
    ]  # fmt: skip
