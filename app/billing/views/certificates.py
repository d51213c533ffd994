"""Gift certificates: the list, one with its history, selling, what is left on a number."""

from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask_babel import gettext

from app import clock, money
from app.billing import forms, operations, queries
from app.billing.views.form import filled
from app.db import transaction
from app.errors import CertificateUnknown, Refusal
from app.models import Certificate, Patient
from app.schemas import load
from app.vocab import PaymentMethod
from app.web import DeskView, actor, expose, fetched, guarded, say

PAGE = 50
#: How a certificate is paid; what no way covers is taken from the buyer's advance.
METHODS = (PaymentMethod.CASH, PaymentMethod.CARD, PaymentMethod.TRANSFER)


class CertificatesView(DeskView):
    route_base = "/settlement/certificates"

    @expose("/")
    @guarded("payment.see")
    def index(self) -> Any:
        """The certificates sold, the newest first."""
        q = request.args.get("q", "").strip()[:100].replace("\x00", "")
        page = max(0, min(request.args.get("page", 0, type=int), 10_000))
        left = request.args.get("left") == "1"
        count, rows = queries.certificates(q, left=left, today=clock.today(), limit=PAGE, offset=page * PAGE)
        return self.page(
            "billing/certificates.html", title=gettext("Certificates"), count=count, rows=rows, q=q, left=left,
            page=page, size=PAGE, total=queries.certificates_left(), today=clock.today(),
        )  # fmt: skip

    @expose("/<int:pk>")
    @guarded("payment.see")
    def certificate(self, pk: int) -> Any:
        """One certificate: who bought it, what was paid with it, what is left."""
        return self._certificate(fetched(Certificate, pk))

    def _certificate(self, row: Certificate, status: int = 200) -> Any:
        return self.page(
            "billing/certificate.html", status, title=gettext("Certificate № %(number)s", number=row.number), row=row,
            buyer=fetched(Patient, row.buyer_id), moves=queries.moves_of_certificate(row.id), today=clock.today(),
            typed=request.form,
        )  # fmt: skip

    @expose("/find")
    @guarded("payment.see")
    def find(self) -> Any:
        """What is left on the certificate with a number, for the settlement form."""
        number = request.args.get("number", "").strip()[:20].replace("\x00", "")
        row = queries.certificate_numbered(number) if number else None
        if row is None:
            raise CertificateUnknown(number=number)
        until = row.valid_until
        over = until is not None and until < clock.today()
        said = gettext("left: %(sum)s ₽", sum=money.shown(row.balance))
        if until is not None:
            day = f"{until:%d.%m.%Y}"
            said += ", " + (gettext("expired on %(day)s", day=day) if over else gettext("until %(day)s", day=day))
        return jsonify(left=str(0 if over else row.balance), said=said)

    @expose("/sell/<int:pk>", methods=["GET", "POST"])
    @guarded("payment.take")
    def sell(self, pk: int) -> Any:
        """Sell a certificate to a patient; refused, the form comes back with what was typed."""
        buyer = fetched(Patient, pk)
        if request.method == "GET":
            return self._form(buyer)
        try:
            with transaction():
                typed = filled(*map(str, METHODS))
                parts = [{"method": method, "amount": amount} for method, amount in typed.items()]
                form = load(
                    forms.NewCertificate,
                    {"parts": parts, **filled("amount", "number", "valid_until", "tendered")},
                )
                row = operations.sell_certificate(
                    pk, form["amount"], form["parts"], number=form["number"], valid_until=form["valid_until"],
                    tendered=form["tendered"], actor=actor(),
                )  # fmt: skip
                done, number = row.id, row.number
        except Refusal as refusal:
            say(refusal)
            return self._form(fetched(Patient, pk), refusal.status, refusal.facts.get("fields", {}))
        flash(gettext("Certificate № %(number)s is sold.", number=number), "success")
        return redirect(url_for(".certificate", pk=done), 303)

    def _form(self, buyer: Patient, status: int = 200, wrong: dict[str, str] | None = None) -> Any:
        placed = {f"parts.{n}.amount": method for n, method in enumerate(filled(*map(str, METHODS)))}
        return self.page(
            "billing/certificate_sell.html", status, title=gettext("Sell a certificate"), patient=buyer,
            balance=queries.balance_of(buyer.id), methods=METHODS, typed=request.form,
            wrong={placed.get(name, name): said for name, said in (wrong or {}).items()}, today=clock.today(),
        )  # fmt: skip

    @expose("/<int:pk>/take-back", methods=["POST"])
    @guarded("payment.return_advance")
    def take_back(self, pk: int) -> Any:
        """What is left becomes the buyer's advance again."""
        fetched(Certificate, pk)
        try:
            with transaction():
                reason = load(forms.Why, filled("reason"))["reason"]
                buyer_id = operations.take_certificate_back(pk, reason, actor=actor()).buyer_id
        except Refusal as refusal:
            say(refusal)
            return self._certificate(fetched(Certificate, pk), refusal.status)
        flash(
            gettext("What was left of the certificate is the buyer's advance again: it can be returned here."),
            "success",
        )
        return redirect(url_for("SettlementView.index", pk=buyer_id), 303)
