"""A card as one file for the patient: a page to read, the papers with names of people, and all rows for programs.

Where next: `../queries/exporting.py` for what is in it and what is not.
"""

import json
import re
import tempfile
import zipfile
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from flask import render_template
from flask_babel import get_locale, gettext

from app import clock, vocab
from app.looks import label
from app.models import Patient
from app.patients import queries
from app.vocab import TemplateKind

#: So much of the file is kept in memory; the rest goes to the disk.
_IN_MEMORY = 4 * 1024 * 1024
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


def file_name(text: str) -> str:
    """A name that every system takes: no signs of paths, no dot or space at the ends, not too long."""
    return _FORBIDDEN.sub(" ", text)[:120].strip(" .") or "—"


def card_zip(patient: Patient) -> IO[bytes]:
    """The file, ready to be read from its beginning; papers are read and written one at a time."""
    out = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        files, taken = [], Counter[str]()
        for paper in queries.papers(patient.id):
            name = _paper_name(paper, taken)
            archive.writestr(name, queries.content_of(paper))
            files.append((name, paper))
        rows = dict(queries.told(patient.id))
        page = render_template(
            "patients/card_file.html", patient=patient, rows=rows, files=files, day=clock.today(),
            phones=rows.get("patient_phone", ()), label_of=_label_of, lang=str(get_locale() or "ru"),
        )  # fmt: skip
        archive.writestr(f"{file_name(_card_name(patient))}.html", page)
        rows["files"] = [{"name": name, "kind": paper.kind, "number": paper.number} for name, paper in files]
        archive.writestr("card.json", json.dumps(rows, ensure_ascii=False, indent=1, default=_plain))
    out.seek(0)
    return out


def _card_name(patient: Patient) -> str:
    return gettext("Card № %(number)s", number=patient.card_number)


def answer_name(patient: Patient) -> str:
    """«Карта № 1043 Иванова М. С. 2026-11-29.zip»."""
    return file_name(f"{_card_name(patient)} {patient.short_name} {clock.today()}") + ".zip"


def _label_of(kind: str, value: str) -> str:
    return label(getattr(vocab, kind), value)


def _paper_name(paper: queries.Paper, taken: Counter[str]) -> str:
    """«Бумаги/Договор № 12 от 23.11.2026.pdf»; two of one name are counted."""
    name = gettext(
        "%(what)s № %(number)s of %(day)s", what=label(TemplateKind, paper.kind), number=paper.number,
        day=f"{paper.day:%d.%m.%Y}",
    )  # fmt: skip
    if paper.scan:
        name = " ".join((name, "—", gettext("signed copy"), str(paper.scan)))
    name = file_name(name)
    taken[name] += 1
    if taken[name] > 1:
        name = f"{name} ({taken[name]})"
    folder = file_name(gettext("Papers"))
    return f"{folder}/{name}.{_ENDINGS.get(paper.mimetype, 'pdf')}"


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return str(value)
