"""The lists «Debtors» and «Advances»: found, sorted, exported, called."""

from datetime import date, datetime
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from app import clock, money, spreadsheets
from app.billing import operations, queries
from app.db import transaction
from app.errors import NotFound, Refusal
from app.looks import shown_day
from app.models import Patient
from app.web import DeskView, actor, expose, fetched, guarded, say

PAGE = 50
_LISTS = {
    "debtors": (queries.debtors, queries.debtors_total), "advances": (queries.advances, queries.advances_total),
}  # fmt: skip


class MoneyListsView(DeskView):
    route_base = "/settlement/lists"

    @expose("/debtors")
    @guarded("payment.see")
    def debtors(self) -> Any:
        """Who owes the clinic, the largest debt first."""
        return self._list("debtors", gettext("Debtors"))

    @expose("/advances")
    @guarded("payment.see")
    def advances(self) -> Any:
        """Who has paid ahead."""
        return self._list("advances", gettext("Advances"))

    @expose("/<which>/total")
    @guarded("payment.see")
    def total(self, which: str) -> Any:
        """What the whole list adds up to: a part of the page that comes after it, for it looks at every account."""
        if which not in _LISTS:
            raise NotFound()
        count, total = _LISTS[which][1](_sought())
        return self.page("billing/_money_total.html", count=count, total=total)

    def _list(self, which: str, title: str) -> Any:
        q, sort, after = _sought(), _sort(), _after()
        rows = _LISTS[which][0](q, sort=sort, after=after, stood=_stood(sort), limit=PAGE + 1)
        further = {"after": rows[PAGE - 1].id, "stood": queries.stood_at(rows[PAGE - 1], sort)} if rows[PAGE:] else None
        return self.page(
            "billing/money_list.html", title=title, which=which, rows=rows[:PAGE], further=further, q=q,
            sort=sort, after=after, stood=_stood(sort), today=clock.today(),
        )  # fmt: skip

    @expose("/<which>.xlsx")
    @guarded("payment.export")
    def export(self, which: str) -> Any:
        """The whole list as a table for Excel, in the order it was looked at."""
        if which not in _LISTS:
            raise NotFound()
        rows = _LISTS[which][0](_sought(), sort=_sort(), limit=spreadsheets.MOST_ROWS)
        answer = Response(_xlsx(which, rows), mimetype=spreadsheets.XLSX)
        answer.headers["Content-Disposition"] = f'attachment; filename="{which}-{clock.today().isoformat()}.xlsx"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/debtors/<int:pk>/call", methods=["POST"])
    @guarded("task.work")
    def call(self, pk: int) -> Any:
        """Let a debtor be called: a task of today. The list stays where it was."""
        patient = fetched(Patient, pk)
        try:
            with transaction():
                flash(*_said(patient.full_name, operations.ask_to_pay(pk, actor=actor())))
        except Refusal as refusal:
            say(refusal)
        sort = _sort()
        here = url_for("MoneyListsView.debtors", q=_sought() or None, sort=sort, after=_after(), stood=_stood(sort))
        return redirect(here, 303)


def _said(name: str, asked: operations.AskedToPay | None) -> tuple[str, str]:
    """What came of asking for a call, and how it is shown."""
    if asked is None:
        return gettext("No call task: the card is in the archive, or call tasks are switched off."), "warning"
    words = {"name": name, "day": shown_day(asked.task.due_at)}
    if asked.known:
        return gettext("%(name)s is to be called about the debt already, on %(day)s.", **words), "info"
    if asked.joined:
        return gettext("The debt is added to the call task that %(name)s had: on %(day)s.", **words), "success"
    return gettext("%(name)s is among the call tasks of today.", name=name), "success"


def _sought() -> str:
    """Whom the list is narrowed to, as it was typed."""
    return request.values.get("q", "").strip()[:100].replace("\x00", "")


def _sort() -> str:
    sort = request.values.get("sort", "sum")
    return sort if sort in queries.SORTS else "sum"


def _after() -> int | None:
    """The patient whom the page before ended with."""
    after = request.values.get("after", type=int)
    return after if after is not None and 0 < after < 2**31 else None


def _stood(sort: str) -> queries.Stood:
    """Where that patient stood, as the address says it."""
    said = request.values.get("stood", "")
    if sort == "sum":
        return money.parse(said)
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _xlsx(which: str, rows: Any) -> bytes:
    """The list as a workbook."""
    since = gettext("Oldest unpaid bill") if which == "debtors" else gettext("Last payment")
    heads = (gettext("Patient"), gettext("Card"), gettext("Phone"), since, gettext("Last visit"), gettext("Sum, ₽"))
    return spreadsheets.workbook(
        gettext("Debtors") if which == "debtors" else gettext("Advances"),
        heads,
        (
            [row.full_name, row.card_number, row.phone or "", row.since, _day(row.last_visit), row.amount]
            for row in rows
        ),
    )


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
