"""The page «Fiscal receipts»: what waits for the device, what went wrong and what to do, its drawer and shifts.

Where next: `operations`.
"""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from app import access, clock
from app.db import transaction
from app.errors import NotFound, Refusal
from app.fiscal import forms, operations, queries, rules
from app.gateways.kkt.atol import Printed
from app.models import FiscalDevice, FiscalReceipt
from app.schemas import load
from app.vocab import FiscalKind, MovementKind, ReportKind
from app.web import DeskView, actor, expose, fetched, guarded, say

PAGE = 50


def _clock(left: timedelta) -> str:
    minutes = int(left.total_seconds()) // 60
    return gettext("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60)


class FiscalView(DeskView):
    """Fiscal receipts, as the desk sees them."""

    route_base = "/fiscal"

    @expose("/")
    @guarded("fiscal.see")
    def index(self) -> Any:
        """The devices and their shifts; the receipts that are not printed, or all that the account may look back at."""
        unfinished = request.args.get("all") != "1"
        page = max(min(request.args.get("page", 0, type=int), 10_000), 0)
        with transaction():
            since = access.look_back(actor(), ReportKind.BILLS_PAYMENTS, "page")
        count, lines = queries.receipts(unfinished=unfinished, since=since, limit=PAGE, offset=page * PAGE)
        drawers = queries.drawers()
        devices = [(drawer.device, queries.left_of_shift(drawer.device), drawer) for drawer in drawers]
        return self.page(
            "fiscal/index.html", title=gettext("Fiscal receipts"), lines=lines, count=count, page=page, since=since,
            pages=-(-count // PAGE), unfinished=unfinished, waiting=queries.waiting(),
            kinds=FiscalKind, shifts=queries.shifts(since), roubles=rules.roubles,
            devices=[(one, left, _clock(left) if left is not None else "", drawer) for one, left, drawer in devices],
            soon=rules.SHIFT_ENDS_SOON, is_receipt=rules.is_receipt, word=rules.status_word, movements=MovementKind,
        )  # fmt: skip

    @expose("/<int:pk>")
    @guarded("fiscal.see")
    def receipt(self, pk: int) -> Any:
        """One receipt: what it says, its fiscal numbers and square; a correction of one that was not printed."""
        return self._receipt(pk)

    def _receipt(self, pk: int, status: int = 200, wrong: dict[str, str] | None = None) -> Any:
        line = queries.line_of(pk)
        if line is None:
            raise NotFound()
        receipt = line.receipt
        return self.page(
            "fiscal/receipt.html", status, title=gettext("Fiscal receipt"), line=line, receipt=receipt,
            items=rules.items_of(receipt.body), payments=rules.payments_of(receipt.body), movements=MovementKind,
            fiscal=rules.is_receipt(receipt.kind), word=rules.status_word, can_be_left=operations.can_be_left(receipt),
            kinds=FiscalKind, square=Markup(queries.square_of(receipt)), ways=rules.WORDS, methods=rules.METHODS,
            roubles=rules.roubles, correctable=operations.correctable(receipt), typed=request.form, wrong=wrong or {},
            undecided=operations.undecided(receipt),
            day=clock.wall(receipt.created_at).date(),
        )  # fmt: skip

    @expose("/<int:pk>/retry", methods=["POST"])
    @guarded("fiscal.retry")
    def retry(self, pk: int) -> Any:
        """Send a receipt, or what its drawer is told of, to the device again."""
        fetched(FiscalReceipt, pk)
        try:
            with transaction():
                operations.retry(pk, actor=actor())
            flash(gettext("It is sent to the device again."), "success")
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("FiscalView.index"), 303)

    @expose("/<int:pk>/correct", methods=["POST"])
    @guarded("fiscal.correct")
    def correct(self, pk: int) -> Any:
        """Let a correction take the place of a receipt that was not printed."""
        fetched(FiscalReceipt, pk)
        try:
            with transaction():
                form = {name: request.form[name] for name in ("kind", "day", "number") if request.form.get(name)}
                new = operations.correct(pk, **load(forms.Correction, form), actor=actor()).id
        except Refusal as refusal:
            say(refusal)
            return self._receipt(pk, refusal.status, refusal.facts.get("fields"))
        flash(gettext("The correction is sent to the device."), "success")
        return redirect(url_for("FiscalView.receipt", pk=new), 303)

    @expose("/<int:pk>/decide", methods=["POST"])
    @guarded("fiscal.correct")
    def decide(self, pk: int) -> Any:
        """Say what the device does not: it is printed, with these numbers, or counted; or there is no paper."""
        asked = fetched(FiscalReceipt, pk)
        try:
            with transaction():
                if request.form.get("printed") and not rules.is_receipt(asked.kind):
                    operations.decide_counted(pk, actor=actor())
                elif request.form.get("printed"):
                    sent = {name: request.form[name] for name in ("fn", "document", "sign") if request.form.get(name)}
                    paper = load(forms.Paper, sent)
                    numbers = Printed(paper["fn"], paper["document"], paper["sign"], "", 0, 0, None, 0)
                    operations.decide_printed(pk, numbers, actor=actor())
                else:
                    operations.decide_not_printed(pk, actor=actor())
        except Refusal as refusal:
            say(refusal)
            return self._receipt(pk, refusal.status, refusal.facts.get("fields"))
        flash(gettext("Written down; the next receipts of the device go on."), "success")
        return redirect(url_for("FiscalView.receipt", pk=pk), 303)

    @expose("/<int:pk>/leave", methods=["POST"])
    @guarded("fiscal.correct")
    def leave(self, pk: int) -> Any:
        """Let the device not be told of cash that it refused to count."""
        fetched(FiscalReceipt, pk)
        try:
            with transaction():
                operations.leave(pk, actor=actor())
        except Refusal as refusal:
            say(refusal)
            return self._receipt(pk, refusal.status)
        flash(gettext("Left as it is: the device will not be told of it."), "success")
        return redirect(url_for("FiscalView.index"), 303)

    @expose("/devices/<int:pk>/level", methods=["POST"])
    @guarded("fiscal.correct")
    def level(self, pk: int) -> Any:
        """Level the drawer of a device with the desks of its branch."""
        fetched(FiscalDevice, pk)
        with transaction():
            operations.ask_to_level(pk, actor=actor())
        flash(gettext("The device is told what the desks hold as soon as it has nothing else to do."), "success")
        return redirect(url_for("FiscalView.index"), 303)

    @expose("/devices/<int:pk>/close", methods=["POST"])
    @guarded("fiscal.close")
    def close(self, pk: int) -> Any:
        """Close the shift of a device: its report «Z»."""
        fetched(FiscalDevice, pk)
        with transaction():
            operations.ask_to_close(pk, actor=actor())
        flash(gettext("The device is told to close its shift; its totals will be shown here."), "success")
        return redirect(url_for("FiscalView.index"), 303)
