"""Pages of the documents' room: issue, look at a stored paper, receipts, the print of a work order.

A POST issues; a GET gives the same bytes each time and changes nothing. Where next: `operations.py`.
"""

from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask_babel import gettext

from app import access, pdf
from app.db import transaction
from app.documents import operations, paper, queries
from app.documents.views.copies import shown
from app.errors import Invalid, NotFound, Refusal
from app.models import IssuedDocument, Receipt, TaxCertificate, WorkOrder
from app.pdf import as_pdf
from app.vocab import N_, PrintedKind, TemplateKind, WorkOrderStatus
from app.web import DeskView, actor, expose, fetched, guarded, say

#: The papers that are made of a bill, by their address.
_OF_ORDER = {"act": "Акт", "guarantee": "Гарантийный талон"}


class DocumentsView(DeskView):
    """Papers of patients, issued and looked at."""

    route_base = "/documents"

    @expose("/patient/<int:pk>")
    @guarded("document.print")
    def patient_documents(self, pk: int) -> Any:
        """The tab of the card: what was issued, and a button for each kind of paper."""
        patient = queries.card(pk) if pk < 2**31 else None
        if patient is None:
            raise NotFound()
        operations.require_patient_of(pk, "document.print", actor=actor())
        receipts = queries.receipts_of(pk) if access.account(actor()).may("payment.see") else []
        return self.page(
            "documents/patient_documents.html",
            patient=patient,
            papers=queries.issued_papers(pk),
            receipts=receipts,
            kinds=TemplateKind,
            from_card=operations.FROM_CARD,
            payers=queries.payers(patient),
            years=queries.years(),
            certificates=queries.certificates_of(pk) if access.account(actor()).may("document.tax") else [],
        )

    @expose("/issue", methods=["POST"])
    @guarded("document.print")
    def issue(self) -> Any:
        """Number and freeze a paper, then show it."""
        patient_id = _patient_of_form()
        with transaction():
            row = operations.issue(request.form.get("kind", ""), patient_id, actor=actor())
        return redirect(url_for(".paper", pk=row.id), 303)

    @expose("/tax", methods=["POST"])
    @guarded("document.tax")
    def tax_certificate(self) -> Any:
        """Number and freeze the certificate for the tax office, then show it."""
        patient_id = _patient_of_form()
        with transaction():
            row = operations.issue_certificate(
                patient_id, request.form.get("payer_id", 0, type=int), request.form.get("year", 0, type=int),
                actor=actor(),
            )  # fmt: skip
            paper_id = row.document_id
        return redirect(url_for(".paper", pk=paper_id), 303)

    @expose("/tax/<int:pk>/annul", methods=["POST"])
    @guarded("document.tax")
    def annul(self, pk: int) -> Any:
        """Annul a certificate, with the reason; back to the card."""
        patient_id = fetched(TaxCertificate, pk).patient_id
        try:
            with transaction():
                operations.annul_certificate(pk, request.form.get("reason", ""), actor=actor())
            flash(gettext("The certificate is annulled."), "success")
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("PatientsView.card", pk=patient_id, tab="documents"), 303)

    @expose("/first-visit", methods=["POST"])
    @guarded("document.print")
    def first_visit(self) -> Any:
        """Number and freeze all that a newcomer signs, then show it as one file."""
        patient_id = _patient_of_form()
        with transaction():
            rows = operations.issue_first_visit(patient_id, actor=actor())
            first, last = rows[0].id, rows[-1].id
        return redirect(url_for(".package", pk=patient_id, first=first, last=last), 303)

    @expose("/patient/<int:pk>/package-<int:first>-<int:last>.pdf")
    @guarded("document.print")
    def package(self, pk: int, first: int, last: int) -> Any:
        """Papers of a patient that were issued together, one after the other: the stored bytes, printed at once."""
        operations.require_patient_of(pk, "document.print", actor=actor())
        papers = queries.stored_papers(pk, first, last)
        if not papers:
            raise NotFound()
        return as_pdf(pdf.joined(papers), f"papers-{pk}-{first}")

    @expose("/<int:pk>.pdf")
    @guarded("document.print")
    def paper(self, pk: int) -> Any:
        """The stored bytes of an issued paper."""
        row = fetched(IssuedDocument, pk)
        operations.require_patient_of(row.patient_id, "document.print", actor=actor())
        return as_pdf(row.pdf, f"{row.kind}-{row.year}-{row.number}")

    @expose("/receipts/<int:pk>.pdf")
    @guarded("payment.see")
    def receipt(self, pk: int) -> Any:
        """A receipt as it was written down when the money was taken."""
        row = fetched(Receipt, pk)
        operations.require_patient_of(row.patient_id, "payment.see", actor=actor())
        html = paper.sheet(
            "Квитанция",
            f"Квитанция № {row.number}",
            paper.fill_in(paper.shipped("receipt"), queries.receipt_fields(row)),
            "a5",
        )
        name = f"receipt-{row.year}-{row.number}"
        return shown(pdf.render(html), name, PrintedKind.RECEIPT, pk, request.args.get("printing", type=int))

    @expose("/receipts/<int:pk>/print", methods=["POST"])
    @guarded("payment.see")
    def print_receipt(self, pk: int) -> Any:
        """Write down that a receipt is printed, then show it: the first is the original."""
        row = fetched(Receipt, pk)
        operations.require_patient_of(row.patient_id, "payment.see", actor=actor())
        with transaction():
            made = operations.print_paper(PrintedKind.RECEIPT, row, actor=actor()).id
        return redirect(url_for(".receipt", pk=pk, printing=made), 303)

    @expose("/receipts/<int:pk>/slip", methods=["POST"])
    @guarded("payment.see")
    def print_slip(self, pk: int) -> Any:
        """Print a receipt on the slip printer of the branch; back to where it was asked from."""
        row = fetched(Receipt, pk)
        operations.require_patient_of(row.patient_id, "payment.see", actor=actor())
        try:
            with transaction():
                operations.print_slip(pk, address=current_app.config["SLIP_PRINTER"], actor=actor())
            flash(gettext("The slip is printed."), "success")
        except Refusal as refusal:
            say(refusal)
        if row.payment_id is not None:
            return redirect(url_for("SettlementView.paid", pk=row.payment_id), 303)
        return redirect(url_for("PatientsView.card", pk=row.patient_id, tab="money"), 303)

    @expose("/work-orders/<int:pk>.pdf")
    @guarded("work_order.see")
    def work_order(self, pk: int) -> Any:
        """The print of a work order «наряд»."""
        order = _order_of(pk)
        word = "Сторно" if order.reverses_id else "Наряд"
        html = paper.sheet(
            word, f"{word} № {order.number}", paper.fill_in(paper.shipped("work_order"), queries.order_print(order))
        )
        return as_pdf(pdf.render(html), f"work-order-{order.year}-{order.number}")

    @expose("/work-orders/<int:pk>/<kind>.pdf")
    @guarded("work_order.see")
    def of_work_order(self, pk: int, kind: str) -> Any:
        """The act of services, or the guarantee, of an issued bill: what is left of it after reversing."""
        order = _order_of(pk)
        if kind not in _OF_ORDER or order.status not in (WorkOrderStatus.ISSUED, WorkOrderStatus.PAID):
            raise NotFound()
        title = f"{_OF_ORDER[kind]} к наряду № {order.number}"
        html = paper.sheet(
            _OF_ORDER[kind], title, paper.fill_in(paper.shipped(kind), queries.provided_print(order))
        )  # fmt: skip
        return as_pdf(pdf.render(html), f"{kind}-{order.year}-{order.number}")


def _patient_of_form() -> int:
    patient_id = request.form.get("patient_id", "")
    if not patient_id.isascii() or not patient_id.isdigit() or not 0 < int(patient_id) < 2**31:
        raise Invalid(fields={"patient_id": N_("This must be the number of a record.")})
    return int(patient_id)


def _order_of(pk: int) -> WorkOrder:
    """The order to print; of a doctor, own ones only."""
    order = queries.order_to_print(pk) if pk < 2**31 else None
    if order is None:
        raise NotFound()
    own = access.account(actor()).own_only("work_order.see")
    if own is not None and order.doctor_id != own:
        raise NotFound()
    return order
