"""`python -m bench.imports`: how long an old card index of 50,000 cards takes, from the file to the search.

A file as clinics have them, always the same, goes through the jobs that the worker runs, on a clinic of its own (`--on
N` cards there before). `--csv` instead of XLSX, `--rows N` for another size.
"""

import argparse
import csv
import io
import os
import random
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any
from xml.sax.saxutils import escape

import psutil
from faker import Faker

from app.local.postgres import Postgres
from bench.programs import ROOT

HEAD = (
    "№ карты", "Фамилия", "Имя", "Отчество", "Дата рождения", "Пол", "Телефоны", "E-mail", "Адрес", "Паспорт", "СНИЛС", "ИНН",
    "Аллергия", "Откуда узнали", "Примечание",
)  # fmt: skip


def people(many: int) -> Iterator[list[Any]]:
    """Patients of an old card index: every fiftieth row has some mistake, every hundredth is there twice."""
    fake, luck = Faker("ru_RU"), random.Random(1)
    fake.seed_instance(1)
    names = {
        sex: [
            (
                getattr(fake, f"last_name_{sex}")(),
                getattr(fake, f"first_name_{sex}")(),
                getattr(fake, f"middle_name_{sex}")(),
            )
            for _ in range(4000)
        ]
        for sex in ("male", "female")
    }
    addresses = [fake.address() for _ in range(2000)]
    before: list[Any] = []
    for n in range(many):
        sex = luck.choice(("male", "female"))
        surname, name, patronymic = (luck.choice(names[sex])[part] for part in range(3))
        born = date(1940, 1, 1) + timedelta(days=luck.randrange(29_000))
        number = luck.randrange(2_000_000, 999_999_999)
        check = sum(int(digit) * (9 - place) for place, digit in enumerate(f"{number:09d}")) % 101 % 100
        row = [
            n + 1, surname, name, patronymic, f"{born:%d.%m.%Y}", "мж"[sex == "female"],
            f"8 (9{luck.randrange(100):02d}) {luck.randrange(1000):03d}-{luck.randrange(100):02d}-{luck.randrange(100):02d}"
            + (", 8 495 123-45-67 раб." if n % 7 == 0 else ""),
            f"p{n}@mail.ru" if n % 3 == 0 else "", luck.choice(addresses), f"45 {luck.randrange(100):02d} {luck.randrange(10**6):06d}",
            f"{number:09d} {check:02d}", "500100732259" if n % 5 == 0 else "", "пенициллин" if n % 40 == 0 else "",
            "интернет" if n % 2 else "", "звонить после 18" if n % 10 == 0 else "",
        ]  # fmt: skip
        if n % 50 == 0:
            row[luck.choice((1, 4, 6, 10))] = ""
        yield before if n % 100 == 99 else row
        before = row


def file_of(many: int, *, xlsx: bool) -> bytes:
    """The file; a workbook keeps its texts as Excel does, all together."""
    rows = [list(HEAD), *people(many)]
    if xlsx:
        return workbook(rows)
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(rows)
    return text.getvalue().encode("cp1251", "replace")


def workbook(rows: list[list[Any]]) -> bytes:
    texts: dict[str, int] = {}
    lines = []
    for n, row in enumerate(rows, 1):
        cells = (
            f'<c r="{chr(65 + at)}{n}"><v>{value}</v></c>' if isinstance(value, int)
            else f'<c r="{chr(65 + at)}{n}" t="s"><v>{texts.setdefault(value, len(texts))}</v></c>'
            for at, value in enumerate(row) if value != ""
        )  # fmt: skip
        lines.append(f'<row r="{n}">{"".join(cells)}</row>')
    schema = "http://schemas.openxmlformats.org/"
    main = f'xmlns="{schema}spreadsheetml/2006/main"'
    kinds = f"{schema}officeDocument/2006/relationships"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{kinds}"><sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{schema}package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{kinds}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="rId2" Type="{kinds}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {main}><sheetData>{''.join(lines)}</sheetData></worksheet>"
        )
        archive.writestr(
            "xl/sharedStrings.xml", f"<sst {main}>{''.join(f'<si><t>{escape(text)}</t></si>' for text in texts)}</sst>"
        )
    return out.getvalue()


def clinic(stack: ExitStack, cards: int) -> Any:
    """An application on an empty clinic of its own, with so many cards in it."""
    var = ROOT / "var" / "bench-imports"
    shutil.rmtree(var / "postgres", ignore_errors=True)
    var.mkdir(parents=True, exist_ok=True)
    postgres = stack.enter_context(Postgres(var / "postgres"))
    os.environ |= {"VAR_DIR": str(var), "DATABASE_URL": postgres.url, "REDIS_URL": ""}
    from app import create_app
    from app.cli import prepare_database

    app = create_app()
    prepare_database(app)
    stack.enter_context(app.app_context())
    from sqlalchemy import text

    from app.db import session, transaction
    from bench.clinic import PEOPLE, PHONES

    with transaction():
        session.execute(text(PEOPLE), {"patients": cards})
        session.execute(text(PHONES))
        session.execute(text("ANALYZE"))
    return app


def main() -> None:
    """Make the file, load it, find somebody, print."""
    parser = argparse.ArgumentParser(prog="bench.imports")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--on", type=int, default=10_000)
    parser.add_argument("--csv", action="store_true")
    options = parser.parse_args()
    content = file_of(options.rows, xlsx=not options.csv)
    print(
        f"{options.rows:,} rows, {len(content) / 1e6:.1f} MB, a clinic of {options.on:,} cards, load {os.getloadavg()[0]:.1f}"
    )
    with ExitStack() as stack:
        clinic(stack, options.on)
        load(content, options.rows)


def spent() -> tuple[float, float, float]:
    """Seconds by the clock, of our processor, of the database's."""
    server = psutil.Process(
        int((ROOT / "var" / "bench-imports" / "postgres" / "postmaster.pid").read_text().split()[0])
    )
    database = sum(sum(process.cpu_times()[:2]) for process in server.children())
    return time.monotonic(), time.process_time(), database


def load(content: bytes, many: int) -> None:
    """From the file to the cards, by the same functions that the page and the worker call."""
    from app.db import session, transaction
    from app.models import CardImport
    from app.patients import jobs, operations, queries
    from app.patients.operations import importing
    from app.vocab import IMPORT_WORKS

    jobs.enqueue = importing.enqueue = lambda *_, **__: True  # we are the worker
    took: dict[str, list[float]] = {}
    longest = 0.0

    def timed(name: str, before: tuple[float, ...]) -> float:
        spans = [after - then for after, then in zip(spent(), before, strict=True)]
        took[name] = [have + more for have, more in zip(took.get(name, (0.0, 0.0, 0.0)), spans, strict=True)]
        return spans[0]

    before = spent()
    with transaction():
        row = operations.take_file("картотека", content, actor=None)
        pk, mapping = row.id, row.mapping
    timed("upload", before)
    with transaction():
        operations.say_columns(pk, mapping, day_order="dmy", area_code="", headless=False, actor=None)
    for _ in range(2):
        while True:
            session.rollback()
            state = session.get_one(CardImport, pk, populate_existing=True).state
            session.rollback()
            if state not in IMPORT_WORKS:
                break
            before = spent()
            jobs.carry(pk)
            span = timed(state, before)
            longest = max(longest, span) if state == "judging" else longest
        if state == "judged":
            with transaction():
                operations.apply_import(pk, fill=False, with_maybe=True, actor=None)
    row = session.get_one(CardImport, pk, populate_existing=True)
    took["together"] = [sum(column) for column in zip(*took.values(), strict=True)]
    print(f"{'':<10}{'by the clock':>14}{'our processor':>15}{'the database':>14}  seconds")
    for name, (clock, ours, database) in took.items():
        print(f"{name:<10}{clock:>14.1f}{ours:>15.1f}{database:>14.1f}")
    print(f"aim about 60 together; the longest piece of the judging {longest:.1f}; {row.state}: {row.counts}")
    before = spent()
    count, _ = queries.find(f"{many // 2}")
    print(
        f"by the old number: {count} found in {(time.monotonic() - before[0]) * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
