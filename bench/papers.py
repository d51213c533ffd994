"""`python -m bench.papers`: does the desk notice that a hundred papers are being printed? And how fast is one.

On the poured clinic (large; `--small` for the small one) ours runs as `run.py` runs it: two web processes, and for the
papers the printing worker. One client asks for the day of the schedule, first with nothing going on, then while the
worker prints `--papers N` issued contracts (as many more as it takes to ask); in turns, `--rounds` times. Prints the
95th percentiles, and their ratio with its aim; then from the press of the button to the bytes of a contract.
"""

import argparse
import os
import statistics
import time
from contextlib import ExitStack
from typing import Any

from bench.__main__ import Clinic
from bench.clinic import Size
from bench.programs import Asked, Program
from bench.questions import Facts

AIM = 2.0
#: Asked in a row, with nobody else at the desk: the pace of one who works fast.
ASKED = 200
PAUSE = 0.02


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1000


def ask(program: Program, asked: Asked, many: int = ASKED) -> list[float]:
    """The seconds of each answer."""
    took = []
    for _ in range(many):
        answer = program.ask(asked)
        assert answer.status == 200, answer.body[:200]
        took.append(answer.seconds)
        time.sleep(PAUSE)
    return took


class Papers:
    """Papers that this run issued; what an earlier one left behind is not waited for."""

    def __init__(self, flask_app: Any, facts: Facts) -> None:
        self.app, self.facts, self.issued, self.first = flask_app, facts, 0, 0

    def issue(self, many: int) -> None:
        """Number and freeze contracts, and hand them to the queue, as the button does."""
        from app.db import transaction
        from app.documents import jobs, operations

        with self.app.app_context():
            for _ in range(many):
                self.issued += 1
                with transaction():
                    pk = operations.issue("contract", self.facts.patient(self.issued), actor=None).id
                self.first = self.first or pk
                jobs.hand_over([pk])

    def left(self) -> int:
        """How many of them are not printed yet."""
        from sqlalchemy import func, select

        from app.db import session
        from app.models import PaperJob

        with self.app.app_context():
            found = session.scalar(select(func.count()).where(PaperJob.document_id >= self.first)) or 0
            session.remove()
        return int(found)


def busy_desk(program: Program, papers: Papers, asked: Asked, many: int) -> tuple[list[float], float]:
    """The answers' seconds while papers are printed, and the papers a second."""
    papers.issue(many)
    took: list[float] = []
    began, printed = time.perf_counter(), many
    while len(took) < ASKED or papers.left():
        took += ask(program, asked, 20)
        if len(took) < ASKED and papers.left() < 20:
            papers.issue(20)
            printed += 20
    return took, printed / (time.perf_counter() - began)


def one_paper(program: Program, patient: int) -> float:
    """Seconds from the button to the bytes."""
    form = {"kind": "contract", "patient_id": patient}
    got = program.ask(Asked("POST", "/documents/issue", form, follow=True))
    assert got.body.startswith(b"%PDF-"), got.status
    return got.seconds


def main() -> None:
    """Start, ask, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.papers")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--papers", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        name, size = ("bench-small", Size.small()) if options.small else ("bench", Size.large())
        clinic = Clinic(name, size, stack, rebuild=False)
        flask_app = clinic.app()
        from app import clock
        from app.db import db

        with flask_app.app_context(), db.engine.connect() as connection:
            facts = Facts(connection, clinic.day, clock.today())
        program = Program("app:served()", clinic.environ, stack)
        program.wait()
        program.sign_in("director", "demo")
        program.print_papers(stack)
        papers = Papers(flask_app, facts)
        papers.issue(5)
        while papers.left():
            time.sleep(0.2)
        asked = Asked("GET", f"/api/v1/schedule/day?day={facts.day}&branch_id={facts.branch}")
        ask(program, asked, 20)
        idle, busy, rates = list[float](), list[float](), list[float]()
        for _ in range(options.rounds):
            idle += ask(program, asked)
            took, rate = busy_desk(program, papers, asked, options.papers)
            busy += took
            rates.append(rate)
        one = [one_paper(program, facts.patient(n)) for n in range(25)]
        load = os.getloadavg()[0]
    ratio = p95(busy) / p95(idle)
    print(f"day of the schedule, p95: idle {p95(idle):.1f} ms, while papers are printed {p95(busy):.1f} ms:", end=" ")
    print(f"×{ratio:.2f} (aim ≤ ×{AIM:.0f}); medians {statistics.median(idle) * 1000:.1f}", end=" ")
    print(f"and {statistics.median(busy) * 1000:.1f} ms; {statistics.median(rates):.1f} papers a second")
    print(f"a contract, button to bytes: median {statistics.median(one) * 1000:.0f} ms, p95 {p95(one):.0f} ms")
    print(f"load of the machine {load:.1f}; {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
