"""All that is known of a patient, for whoever has the right to it (152-ФЗ, ст. 14): found by the foreign keys too."""

import io
import json
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import LargeBinary, Table, select

from app.db import session
from app.models import Patient, PatientAccount
from app.patients.queries.merges import references

#: What is the clinic's own: how it works, not what it knows of the patient.
_INNER = ("search_name", "reversed_number", "sha256", "version")
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}


def card_as_zip(patient_id: int) -> bytes:
    """`card.json` with every row that names the patient, by table, and the papers as files it names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        told: dict[str, list[dict[str, Any]]] = {}
        own = ((Patient.__table__, Patient.id), (PatientAccount.__table__, PatientAccount.patient_id))
        for table, column in (*own, *references()):
            assert isinstance(table, Table)
            rows = session.execute(select(table).where(column == patient_id).order_by(*table.primary_key)).mappings()
            for row in rows:
                told.setdefault(table.name, []).append(_told(archive, table, dict(row)))
        text = json.dumps(told, ensure_ascii=False, indent=1, default=_plain)
        archive.writestr("card.json", text)
    return out.getvalue()


def _told(archive: zipfile.ZipFile, table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """A row without what is the clinic's own; bytes become a file beside it."""
    for column in table.columns:
        if column.name in _INNER:
            row.pop(column.name, None)
        elif isinstance(column.type, LargeBinary) and row[column.name]:
            name = f"files/{table.name}-{row['id']}.{_ENDINGS.get(str(row.get('mimetype')), 'pdf')}"
            if name not in archive.namelist():
                archive.writestr(name, row[column.name])
            row[column.name] = name
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return str(value)
