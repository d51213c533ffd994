"""«Журнал выданных документов»: what was issued to whom, by whom, and is it signed.

Where next: `../queries/journal.py`.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from flask import Response, request
from flask_babel import gettext

from app import access, audit, clock, spreadsheets
from app.db import transaction
from app.documents import operations, queries
from app.looks import label
from app.vocab import N_, TemplateKind
from app.web import DeskView, actor, expose, guarded

PAGE = 100
#: On one page, to be printed.
MOST = 2000
#: Papers of a bill or a payment are never issued here: they are printed where the money is, an original and copies.
KINDS = tuple(kind for kind in TemplateKind if kind in (*operations.FROM_CARD, TemplateKind.TAX_CERTIFICATE))
SIGNED = {"yes": N_("Signed"), "no": N_("Not signed yet")}
STATES = {"ready": N_("printed"), "waiting": N_("being prepared"), "failed": N_("not printed")}


class JournalView(DeskView):
    """The journal of issued papers; a doctor's shows own patients' papers."""

    route_base = "/documents/journal"
    default_view = "index"

    @expose("/")
    @guarded("document.print")
    def index(self) -> Any:
        """The papers of some days: this month's, when nothing else is asked for."""
        asked = _asked("document.print")
        whole = request.args.get("all") == "1"
        page = 0 if whole else max(min(request.args.get("page", 0, type=int), 1000), 0)
        count, rows = queries.journal(asked, limit=MOST if whole else PAGE, offset=page * PAGE)
        return self.page(
            "documents/journal.html", title=gettext("Journal of issued documents"), asked=asked, rows=rows, count=count,
            page=page, pages=1 if whole else -(-count // PAGE), whole=whole, kinds=TemplateKind, offered=KINDS,
            signed=SIGNED, states=STATES, issuers=queries.issuers(asked), narrowed=asked != _days_only(asked),
            args=_args(),
        )  # fmt: skip

    @expose("/journal.xlsx")
    @guarded("card.export")
    def export(self) -> Any:
        """The whole journal of these days for Excel; who took it is written down."""
        _, rows = queries.journal(_asked("card.export"), limit=spreadsheets.MOST_ROWS)
        with transaction():
            after = {"rows": len(rows), "criteria": request.query_string.decode("ascii", "replace")[:500]}
            audit.record("documents.exported", actor(), after=after, actor=actor())
        answer = Response(_xlsx(rows), mimetype=spreadsheets.XLSX)
        answer.headers["Content-Disposition"] = f'attachment; filename="documents-{clock.today().isoformat()}.xlsx"'
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _day(name: str, otherwise: date) -> date:
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return otherwise
    return day if 1900 <= day.year <= 2200 else otherwise


def _asked(right: str) -> queries.Asked:
    """What the address asks for; nonsense asks for nothing."""
    today = clock.today()
    given = request.args
    last = _day("to", today)
    issuer_id = given.get("by", 0, type=int)
    return queries.Asked(
        first=min(_day("from", last.replace(day=1)), last),
        last=last,
        kind=given.get("kind", "") if given.get("kind") in KINDS else "",
        q=given.get("q", "").replace("\x00", "").strip()[:100],
        signed=given.get("signed", "") if given.get("signed") in SIGNED else "",
        state=given.get("state", "") if given.get("state") in STATES else "",
        issuer_id=issuer_id if 0 < issuer_id < 2**31 else None,
        doctor_id=access.account(actor()).own_only(right),
    )


def _days_only(asked: queries.Asked) -> queries.Asked:
    return replace(asked, kind="", q="", signed="", state="", issuer_id=None)


def _args() -> dict[str, str]:
    """What the address asks for, but for the page: for the links that lead further."""
    return {key: value for key, value in request.args.items() if key not in ("page", "all") and value}


def state_of(row: Any) -> str:
    """How far the paper is: a key of `STATES`."""
    return "ready" if row.sha256 else "failed" if row.error else "waiting"


def _xlsx(rows: Any) -> bytes:
    heads = (
        gettext("Day"), gettext("Time"), gettext("Document"), gettext("Number"), gettext("Year"), gettext("Patient"),
        gettext("Card"), gettext("Issued by"), gettext("Signed"), gettext("State"), gettext("Check sum (SHA-256)"),
    )  # fmt: skip
    return spreadsheets.workbook(
        gettext("Documents"),
        heads,
        (
            [
                row.day, clock.wall(row.created_at).strftime("%H:%M"), label(TemplateKind, row.kind), row.number,
                row.year, row.patient, row.card_number, row.issued_by,
                gettext("yes") if row.scan_id else gettext("no"),
                gettext("annulled") if row.annulled_at else gettext(STATES[state_of(row)]), row.sha256 or "",
            ]
            for row in rows
        ),
    )  # fmt: skip
