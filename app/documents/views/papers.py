"""Pages of the documents' room: issue, look at a stored paper, receipts, the print of a work order.

A POST issues; a GET gives the same bytes each time, and notes who looked. A window that is too early for the bytes
shows how far they are and turns into the paper. Where next: `journal.py`, `../jobs.py`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import Response, current_app, flash, redirect, request, url_for
from flask_babel import gettext

from app import access, clock, pdf
from app.db import after_commit, lock, transaction
from app.documents import jobs, operations, paper, queries, rules
from app.documents.views.copies import shown
from app.errors import Invalid, NotFound, Refusal
from app.extensions import talisman
from app.looks import label
from app.models import IssuedDocument, Patient, Receipt, SignedScan, TaxCertificate, WorkOrder
from app.patients import operations as patients
from app.pdf import as_pdf
from app.vocab import N_, OpenedKind, PrintedKind, ReceiptKind, TemplateKind, WorkOrderStatus
from app.web import DeskView, actor, expose, fetched, guarded, say, say_wrong

#: The papers that are made of a bill, by their address.
_OF_ORDER = (PrintedKind.ACT, PrintedKind.GUARANTEE)
#: What somebody attached may be anything: it runs nothing and reaches nothing, whatever it holds.
STRANGER_S = {"default-src": "'none'", "style-src": "'unsafe-inline'", "frame-ancestors": "'self'", "sandbox": ""}
#: A work order that is no bill is no paper of money; what its print says across.
_NO_PAPER = {WorkOrderStatus.DRAFT: "ЧЕРНОВИК", WorkOrderStatus.ANNULLED: "АННУЛИРОВАН"}
#: After this nobody should only wait.
LONG = timedelta(seconds=10)


class NothingProvided(Refusal):
    """An act or a guarantee of a bill that was taken back whole."""

    code = "nothing_provided"
    status = 409
    sentence = N_("This work order was reversed whole: there is nothing to accept or to guarantee.")


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
        account = access.account(actor())
        may_issue = [
            kind
            for kind in operations.issuable(patient, operations.FROM_CARD)
            if account.may(operations.SECRET.get(kind, "document.print"))
        ]
        return self.page(
            "documents/patient_documents.html",
            patient=patient,
            papers=queries.issued_papers(pk),
            scans=queries.scans_of(pk, mistaken=account.may("document.take_back")),
            may_take_back=_may_take_back,
            largest=(rules.LARGEST, gettext(rules.TOO_LARGE)),
            receipts=receipts,
            kinds=TemplateKind,
            from_card=[kind for kind in may_issue if kind not in operations.OF_TREATMENT],
            of_treatment=operations.issuable(patient, operations.OF_TREATMENT),
            first_visit=", ".join(
                label(TemplateKind, kind) for kind in operations.issuable(patient, queries.first_visit_kinds())
            ),
            **_of_tax(patient),
        )

    @expose("/issue", methods=["POST"])
    @guarded("document.print")
    def issue(self) -> Any:
        """Number and freeze a paper, then show it."""
        patient_id = _patient_of_form()
        with transaction():
            paper_id = operations.issue(request.form.get("kind", ""), patient_id, actor=actor()).id
            after_commit(lambda: jobs.hand_over([paper_id]))
        return redirect(url_for(".paper", pk=paper_id), 303)

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
            after_commit(lambda: jobs.hand_over([paper_id]))
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
            ids = [row.id for row in operations.issue_first_visit(patient_id, actor=actor())]
            after_commit(lambda: jobs.hand_over(ids))
        return redirect(url_for(".package", pk=ids[0]), 303)

    @expose("/<int:pk>.pdf")
    @guarded("document.print")
    def paper(self, pk: int) -> Any:
        """The stored bytes of an issued paper."""
        return self._stored(pk, together=False)

    @expose("/<int:pk>-all.pdf")
    @guarded("document.print")
    def package(self, pk: int) -> Any:
        """Papers that were issued together, one after the other: the stored bytes, printed at once."""
        return self._stored(pk, together=True)

    def _stored(self, pk: int, *, together: bool) -> Any:
        papers = _papers_of(pk, together=together)
        if not all(row.ready for row in papers):
            return self._preparing(papers, together=together)
        made = queries.stored_bytes([row.id for row in papers])
        for row in papers:
            patients.note_opening(row.patient_id, OpenedKind.DOCUMENT, row.id, actor=actor())
        first = papers[0]
        if len(made) == 1:
            return as_pdf(made[0], f"{first.kind}-{first.year}-{first.number}")
        return as_pdf(pdf.joined(made), f"papers-{first.year}-{first.number}")

    def _preparing(self, papers: Sequence[Any], *, together: bool) -> Any:
        """How far the papers are; the window asks again until they are there."""
        answer = current_app.make_response(
            self.page(
                "documents/preparing.html", 202, papers=papers, kinds=TemplateKind, together=together,
                ready=sum(row.ready for row in papers), failed=next((row.error for row in papers if row.error), ""),
                long=clock.now() - papers[0].created_at > LONG, part=bool(request.headers.get("HX-Request")),
            )
        )  # fmt: skip
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/<int:pk>/preparing")
    @guarded("document.print")
    def preparing(self, pk: int) -> Any:
        """The same for the window that waits: when all is there, it is told to load the paper."""
        together = bool(request.args.get("together"))
        papers = _papers_of(pk, together=together)
        if all(row.ready for row in papers):
            return Response(status=204, headers={"HX-Refresh": "true", "Cache-Control": "no-store"})
        return self._preparing(papers, together=together)

    @expose("/<int:pk>/prepare", methods=["POST"])
    @guarded("document.print")
    def prepare(self, pk: int) -> Any:
        """Print here and now what waits too long or failed, then show it."""
        together = bool(request.form.get("together"))
        for row in _papers_of(pk, together=together):
            if not row.ready:
                jobs.render(row.id, again=True)
        return redirect(url_for(".package" if together else ".paper", pk=pk), 303)

    @expose("/<int:pk>/scan", methods=["POST"])
    @guarded("document.print")
    def attach(self, pk: int) -> Any:
        """Attach the scan of a signed paper; back to the card."""
        patient_id = fetched(IssuedDocument, pk).patient_id
        sent = request.files.get("scan")
        try:
            with transaction():
                operations.attach_scan(pk, sent.read() if sent else b"", actor=actor())
            flash(gettext("The scan is attached."), "success")
        except Invalid as wrong:
            say_wrong(wrong)
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("PatientsView.card", pk=patient_id, tab="documents"), 303)

    @expose("/scans/<int:pk>")
    @guarded("document.print")
    @talisman(content_security_policy=STRANGER_S, content_security_policy_nonce_in=[])
    def scan(self, pk: int) -> Any:
        """A scan as it was attached."""
        row = fetched(SignedScan, pk)
        operations.require_paper(fetched(IssuedDocument, row.document_id).kind, row.patient_id, actor=actor())
        if queries.is_mistaken(pk) and not access.account(actor()).may("document.take_back"):
            raise NotFound()
        patients.note_opening(row.patient_id, OpenedKind.SCAN, pk, actor=actor())
        answer = Response(row.content, mimetype=row.mimetype)
        answer.headers["Content-Disposition"] = f'inline; filename="scan-{pk}.{row.mimetype.split("/")[1]}"'
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    @expose("/scans/<int:pk>/mistake", methods=["POST"])
    @guarded("document.print")
    def take_back(self, pk: int) -> Any:
        """Put a scan out of sight that was attached by mistake, with the reason; back to the card."""
        patient_id = fetched(SignedScan, pk).patient_id
        try:
            with transaction():
                operations.take_back_scan(pk, request.form.get("reason", ""), actor=actor())
            flash(gettext("The scan is taken back: only the director sees it."), "success")
        except NotFound:
            raise
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("PatientsView.card", pk=patient_id, tab="documents"), 303)

    @expose("/receipts/<int:pk>.pdf")
    @guarded("payment.see")
    def receipt(self, pk: int) -> Any:
        """A receipt as it was written down when the money was taken."""
        row = fetched(Receipt, pk)
        operations.require_patient_of(row.patient_id, "payment.see", actor=actor())
        operations.require_person(row.patient_id, actor=actor())

        def draw() -> bytes:
            return _drawn_receipt(row)

        wanted = request.args.get("printing", type=int)
        return shown(draw, f"receipt-{row.year}-{row.number}", PrintedKind.RECEIPT, pk, wanted)

    @expose("/receipts/<int:pk>/print", methods=["POST"])
    @guarded("payment.see")
    def print_receipt(self, pk: int) -> Any:
        """Write down that a receipt is printed, then show it: the first is the original."""
        row = fetched(Receipt, pk)
        operations.require_patient_of(row.patient_id, "payment.see", actor=actor())
        operations.require_person(row.patient_id, actor=actor())
        with transaction():
            made = operations.print_paper(PrintedKind.RECEIPT, row, lambda: _drawn_receipt(row), actor=actor()).id
        return redirect(url_for(".receipt", pk=pk, printing=made), 303)

    @expose("/receipts/<int:pk>/slip", methods=["POST"])
    @guarded("payment.see")
    def print_slip(self, pk: int) -> Any:
        """Print a receipt on the slip printer of the branch; back to where it was asked from."""
        row = fetched(Receipt, pk)
        operations.require_patient_of(row.patient_id, "payment.see", actor=actor())
        operations.require_person(row.patient_id, actor=actor())
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
        """A work order «наряд» on paper; a draft is no paper of money yet, says so, and is never a copy."""
        order = _order_of(pk)
        if order.status in _NO_PAPER:
            made = pdf.stamped(_drawn_order(order), _NO_PAPER[WorkOrderStatus(order.status)])
            return as_pdf(made, f"work-order-{order.year}-{order.number}")
        return self._of_order(order, PrintedKind.WORK_ORDER)

    @expose("/work-orders/<int:pk>/<kind>.pdf")
    @guarded("work_order.see")
    def of_work_order(self, pk: int, kind: str) -> Any:
        """The act of services, or the guarantee, of an issued bill: what is left of it after reversing."""
        return self._of_order(_order_of(pk), _kind_of(kind))

    def _of_order(self, order: WorkOrder, kind: PrintedKind) -> Any:
        subject = _subject(order, kind)
        name = f"{kind.value.replace('_', '-')}-{order.year}-{order.number}"
        wanted, state = request.args.get("printing", type=int), queries.state_of(order, kind)
        return shown(lambda: _drawn_of(order, subject, kind), name, kind, subject.id, wanted, state)

    @expose("/work-orders/<int:pk>/<kind>/print", methods=["POST"])
    @guarded("work_order.see")
    def print_of_order(self, pk: int, kind: str) -> Any:
        """Write down that a work order, its act or guarantee is printed, then show it; the first is the original."""
        order, chosen = _order_of(pk), PrintedKind.WORK_ORDER if kind == "order" else _kind_of(kind)
        if order.status in _NO_PAPER:
            return redirect(url_for(".work_order", pk=pk), 303)
        with transaction():
            lock(WorkOrder, order.id)  # nobody pays or reverses it while it is drawn
            subject, state = _subject(order, chosen), queries.state_of(order, chosen)

            def draw() -> bytes:
                if chosen == PrintedKind.ACT:  # only an original: what was printed without a number has none
                    operations.number_act(subject, actor=actor())
                return _drawn_of(order, subject, chosen)

            made = operations.print_paper(chosen, subject, draw, state=state, actor=actor()).id
        if chosen == PrintedKind.WORK_ORDER:
            return redirect(url_for(".work_order", pk=pk, printing=made), 303)
        return redirect(url_for(".of_work_order", pk=pk, kind=kind, printing=made), 303)


def _may_take_back(scan: Any) -> bool:
    return not scan.mistake and operations.may_take_back(scan.created_by_id, scan.created_at, actor=actor())


def _papers_of(pk: int, *, together: bool) -> Sequence[Any]:
    """How far an issued paper is, or all of the file that it is the first of; of a doctor, own patients' only."""
    papers = queries.printed_state(pk, together=together)
    if not papers:
        raise NotFound()
    for row in papers:
        operations.require_paper(row.kind, row.patient_id, actor=actor())
    return papers


def _kind_of(word: str) -> PrintedKind:
    if word not in _OF_ORDER:
        raise NotFound()
    return PrintedKind(word)


def _subject(order: WorkOrder, kind: PrintedKind) -> WorkOrder:
    """What a paper of a bill is of: after a reversal the act and the guarantee are papers of the reversing order."""
    if kind == PrintedKind.WORK_ORDER:
        return order
    if order.status not in (WorkOrderStatus.ISSUED, WorkOrderStatus.PAID):
        raise NotFound()
    back = queries.last_reversal(order.id)
    if back is not None and not queries.is_left(order):
        raise NothingProvided()
    return back or order


def _drawn_receipt(row: Receipt) -> bytes:
    body = paper.fill_in(operations.text_of(TemplateKind.RECEIPT), queries.receipt_fields(row))
    title = "Квитанция" if row.kind != ReceiptKind.RETURN else "Квитанция на возврат"
    return pdf.render(paper.sheet(title, f"{title} № {row.number}", body, "a5"))


def _drawn_order(order: WorkOrder) -> bytes:
    word = "Сторно" if order.reverses_id else "Наряд"
    body = paper.fill_in(operations.text_of(TemplateKind.WORK_ORDER), queries.order_print(order))
    return pdf.render(paper.sheet(word, f"{word} № {order.number}", body))


def _drawn_guarantee(order: WorkOrder) -> bytes:
    body = paper.fill_in(operations.text_of(TemplateKind.GUARANTEE), queries.provided_print(order))
    return pdf.render(paper.sheet("Гарантийный талон", f"Гарантийный талон к наряду № {order.number}", body))


def _drawn_act(order: WorkOrder, subject: WorkOrder) -> bytes:
    values = queries.act_print(order, subject.id)
    body = paper.fill_in(operations.text_of(TemplateKind.ACT), values)
    numbered = f"Акт № {values['act']['number']}" if values["act"]["number"] else "Акт"
    return pdf.render(paper.sheet("Акт", f"{numbered} к наряду № {order.number}", body))


def _drawn_of(order: WorkOrder, subject: WorkOrder, kind: PrintedKind) -> bytes:
    """A paper of a bill."""
    if kind == PrintedKind.ACT:
        return _drawn_act(order, subject)
    return _drawn_order(order) if kind == PrintedKind.WORK_ORDER else _drawn_guarantee(order)


def _of_tax(patient: Patient) -> dict[str, Any]:
    """Who paid in the years that can be certified, who may be the taxpayer, and what was certified."""
    if not access.account(actor()).may("document.tax"):
        return {"payers": [], "paid": [], "certificates": []}
    years, signing = queries.years(), queries.legal_entity_for(actor())
    certificates = queries.certificates_of(patient.id)
    rows = queries.paid_by_year(patient, signing[0].id) if signing else []
    standing: dict[tuple[int, int | None], IssuedDocument] = {
        (row.tax_year, row.payer_id): paper
        for row, paper, _ in certificates
        if signing and row.legal_entity_id == signing[0].id and row.annulled_at is None
    }
    return {
        "payers": queries.payers(patient), "certificates": certificates, "years": years,
        "paid": [(row, standing.get((row.year, row.payer_id))) for row in rows if row.year in years],
    }  # fmt: skip


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
    operations.require_person(order.patient_id, actor=actor())
    return order
