"""The page «Fiscal receipts»: what waits for the device, what went wrong and what to do, the device's shift."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app.db import transaction
from app.errors import Refusal
from app.fiscal import operations, queries
from app.models import FiscalReceipt
from app.vocab import FiscalKind, FiscalStatus
from app.web import DeskView, actor, expose, fetched, guarded, say

PAGE = 50
#: When the desk is told to close the shift: so much before the device stops by itself.
SOON = timedelta(hours=2)


def _clock(left: timedelta) -> str:
    minutes = int(left.total_seconds()) // 60
    return gettext("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60)


class FiscalView(DeskView):
    """Fiscal receipts, as the desk sees them."""

    route_base = "/fiscal"

    @expose("/")
    @guarded("fiscal.see")
    def index(self) -> Any:
        """The devices and their shifts; the receipts that are not printed, or all."""
        unfinished = request.args.get("all") != "1"
        page = max(min(request.args.get("page", 0, type=int), 10_000), 0)
        count, lines = queries.receipts(unfinished=unfinished, limit=PAGE, offset=page * PAGE)
        devices = [(device, queries.left_of_shift(device)) for device in queries.devices()]
        return self.page(
            "fiscal/index.html", title=gettext("Fiscal receipts"), lines=lines, count=count, page=page,
            pages=-(-count // PAGE), unfinished=unfinished, waiting=queries.waiting(), statuses=FiscalStatus,
            kinds=FiscalKind,
            devices=[(device, left, _clock(left) if left is not None else "") for device, left in devices], soon=SOON,
        )  # fmt: skip

    @expose("/<int:pk>/retry", methods=["POST"])
    @guarded("fiscal.retry")
    def retry(self, pk: int) -> Any:
        """Send a receipt to the device again."""
        fetched(FiscalReceipt, pk)
        try:
            with transaction():
                operations.retry(pk, actor=actor())
            flash(gettext("The receipt is sent to the device again."), "success")
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("FiscalView.index"), 303)
