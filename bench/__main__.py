"""`make bench`: build the large and the small clinic, start the product and the bare program, ask all in turn.

`BENCH="--only book"` asks only the operations whose name has it (several: `--only day --only poll`), `--rounds N` asks
each N times, `--rebuild` pours anew, `--small` leaves the large clinic out, `--sql` prints the statements. Prints for
each operation the medians, the ratio with its quartiles, the slowest twentieth and its ratio, the growth from the small clinic to the large one, the
throughput of eight clients, the number of SQL statements, and bytes.
"""

import argparse
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from app.local.broker import Broker
from app.local.postgres import Postgres
from bench.clinic import Size, furnish, pour
from bench.programs import ROOT, Program, Question, count_statements, measure
from bench.questions import Facts, questions


class Clinic:
    """A poured clinic on a server of its own; poured anew when the tables or the pour have changed since."""

    def __init__(self, name: str, size: Size, stack: ExitStack, *, rebuild: bool) -> None:
        self.var = ROOT / "var" / name
        self.var.mkdir(parents=True, exist_ok=True)
        stamp = self.var / "poured.json"
        made_of = self._made_of(size)
        known = json.loads(stamp.read_text()) if stamp.exists() else {}
        if rebuild or known.get("made_of") != made_of:
            shutil.rmtree(self.var / "postgres", ignore_errors=True)
            stamp.unlink(missing_ok=True)
            known = {}
        self.postgres = stack.enter_context(Postgres(self.var / "postgres"))
        broker = stack.enter_context(Broker(self.var / "broker"))
        self.environ = {"VAR_DIR": str(self.var), "REDIS_URL": broker.url, "DATABASE_URL": self.postgres.url}
        if not known:
            print(f"pouring {self.var.relative_to(ROOT)}", flush=True)
            known = {"made_of": made_of, "day": self._pour(size).isoformat()}
            stamp.write_text(json.dumps(known))
        self.day = date.fromisoformat(known["day"])

    @staticmethod
    def _made_of(size: Size) -> str:
        parts = [*sorted((ROOT / "migrations" / "versions").glob("*.py")), Path(__file__).with_name("clinic.py")]
        return hashlib.sha256(b"".join([repr(size).encode(), *(part.read_bytes() for part in parts)])).hexdigest()

    def app(self) -> Any:
        from app import create_app

        os.environ |= self.environ
        return create_app()

    def _pour(self, size: Size) -> date:
        flask_app = self.app()
        from app import clock
        from app.cli import prepare_database
        from app.db import db

        prepare_database(flask_app)
        with flask_app.app_context():
            furnish()
            with db.engine.connect() as connection:
                pour(connection, size, clock.today())
            db.engine.dispose()
            return clock.today()

    @property
    def plain_url(self) -> str:
        return self.postgres.url.replace("+psycopg", "")

    def toucher(self, stack: ExitStack) -> Callable[[], None]:
        """Commits something that concerns nobody: a transaction with a number."""
        connection = stack.enter_context(psycopg.connect(self.plain_url, autocommit=True))
        return lambda: connection.execute("SELECT pg_current_xact_id()") and None


def shown(asked: list[Question]) -> str:
    """The table."""
    lines = [
        f"{'operation':<32}{'ours ms':>9}{'bare ms':>9}{'ratio':>8}{'quartiles':>15}{'p95 ms':>9}{'p95':>8}{'aim':>11}{'best peer':>11}{'growth':>8}"
        f"{'op/s':>7}{'bare':>7}{'share':>7}{'SQL':>5}{'bytes':>12}"
    ]
    for q in asked:
        f = q.found
        low, _, high = f["spread"]
        peer, aim = f"×{q.peer}" if q.peer else "–", f"≤ ×{q.aim}" if q.aim else "–"
        aim += " p95" if q.at_p95 else ""
        late = f"×{f['ours_p95'] / f['bare_p95']:.2f}"
        growth = f"×{f['ours'] / f['small']:.2f}" if "small" in f else "–"
        ratio, quartiles = f"×{f['ours'] / f['bare']:.2f}", f"{low:.2f}…{high:.2f}"
        lines.append(
            f"{q.name:<32}{f['ours']:>9.1f}{f['bare']:>9.1f}{ratio:>8}{quartiles:>15}{f['ours_p95']:>9.1f}{late:>8}{aim:>11}{peer:>11}{growth:>8}"
            f"{f['ours_rate']:>7.0f}{f['bare_rate']:>7.0f}{f['ours_rate'] / f['bare_rate']:>7.2f}"
            f"{f['statements']:>5}{f['bytes']:>12,}"
        )
    return "\n".join(lines)


def chosen(asked: list[Question], only: list[str]) -> list[Question]:
    found = [q for q in asked if not only or any(word in q.name for word in only)]
    if not found:
        raise SystemExit("no such operation; there are:\n  " + "\n  ".join(q.name for q in asked))
    return found


def main() -> None:
    """Build, start, ask, print."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rebuild", action="store_true")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--sql", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        small = Clinic("bench-small", Size.small(), stack, rebuild=options.rebuild)
        main_one = small if options.small else Clinic("bench", Size.large(), stack, rebuild=options.rebuild)
        flask_app = main_one.app()
        from app import clock
        from app.db import db

        with flask_app.app_context(), db.engine.connect() as connection:
            asked = chosen(questions(Facts(connection, main_one.day, clock.today())), options.only)
        touch = main_one.toucher(stack)
        count_statements(flask_app, asked, touch, show=options.sql)

        font = ROOT / "app" / "static" / "vendor" / "DejaVuSans.ttf"
        programs = {
            "ours": Program("app:served()", main_one.environ, stack),
            "bare": Program("bench.bare:app", {"BARE_DATABASE_URL": main_one.plain_url, "BARE_FONT": str(font)}, stack),
        }
        if small is not main_one:
            programs["small"] = Program("app:served()", small.environ, stack)
        from bench.bare import SIGNER

        programs["bare"].headers["Cookie"] = "who=" + SIGNER.sign("1").decode()
        for side, program in programs.items():
            program.wait()
            if side != "bare":
                program.sign_in("director", "demo")
        before = os.getloadavg()[0]
        for question in asked:
            if question.ours(0).follow:  # not before: a process that starts takes the machine from what is asked first
                for side in programs.keys() - {"bare"}:
                    programs[side].print_papers(stack)
            measure(programs, question, options.rounds, touch)
            print(f"  {question.name}", flush=True)
        print(shown(asked))
        print(
            f"load of the machine {before:.1f} before, {os.getloadavg()[0]:.1f} after; {os.cpu_count()} cores; medians"
        )


if __name__ == "__main__":
    main()
