"""Pages of billing: settlement of a patient, the queue «To be paid», work orders.

Where next: `operations.py`; the same over JSON is `api.py`.
"""

from collections.abc import Callable
from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask_babel import gettext

from app import access, clock, money
from app.billing import forms, operations, queries, rules
from app.billing.rules import Due
from app.db import transaction
from app.errors import Invalid, NotAllowed, Refusal
from app.models import Appointment, Employee, Patient, Payment, WorkOrder
from app.money import ZERO
from app.schemas import load
from app.vocab import N_, LedgerKind, PaymentMethod, WorkOrderStatus
from app.web import DeskView, actor, expose, fetched, guarded, may, say

#: The ways to pay, as the form lists them.
METHODS = (PaymentMethod.CASH, PaymentMethod.CARD, PaymentMethod.TRANSFER, PaymentMethod.ADVANCE)
PAGE = 50


def _filled(*names: str) -> dict[str, str]:
    """What was typed into these fields of a form; empty ones are as if they had not come."""
    return {name: request.form[name] for name in names if request.form.get(name, "").strip()}


class SettlementView(DeskView):
    route_base = "/settlement"

    @expose("/")
    @expose("/<int:pk>")
    @guarded("payment.see")
    def index(self, pk: int | None = None) -> Any:
        """«To be paid» and the debtors; with a number, the settlement of that patient."""
        if pk is not None:
            return self._patient(fetched(Patient, pk))
        page = max(0, min(request.args.get("page", 0, type=int), 10_000))
        debts = request.args.get("list") == "debtors"
        count, rows = (
            queries.debtors(limit=PAGE, offset=page * PAGE)
            if debts
            else queries.to_be_paid(limit=PAGE, offset=page * PAGE)
        )
        return self.page(
            "billing/queue.html", title=gettext("Settlement"), debts=debts, count=count, rows=rows, page=page, size=PAGE
        )

    def _patient(self, patient: Patient, status: int = 200, wrong: dict[str, str] | None = None) -> Any:
        bills, balance = queries.unpaid_bills(patient.id), queries.balance_of(patient.id)
        doctors = {row.id: row for row in queries.employees({bill.doctor_id for bill in bills})}
        return self.page(
            "billing/settle.html", status, title=gettext("Settlement"), patient=patient, bills=bills, doctors=doctors,
            balance=balance, sources=queries.advance_sources(patient.id) if balance.advance else [],
            payments=queries.payments_of(patient.id), methods=METHODS,
            method_names=PaymentMethod, typed=request.form, wrong=wrong or {}, drafts=queries.drafts_of(patient.id),
        )  # fmt: skip

    @expose("/<int:pk>/pay", methods=["POST"])
    @guarded("payment.take")
    def pay(self, pk: int) -> Any:
        """Take the money; refused, the form comes back with what was typed."""
        fetched(Patient, pk)
        try:
            with transaction():
                form = self._typed_payment(pk)
                payment = operations.take_payment(
                    pk, form["parts"], bills=form["bills"], tendered=form["tendered"], actor=actor()
                )
                done = payment.id
        except Refusal as refusal:
            say(refusal)
            return self._patient(fetched(Patient, pk), refusal.status, _by_method(refusal))
        return redirect(url_for("SettlementView.paid", pk=done), 303)

    def _typed_payment(self, patient_id: int) -> dict[str, Any]:
        """The form as the contract's body: one part for each way that has a sum; ticked bills, the oldest first."""
        parts = [{"method": str(method), "amount": request.form[method]} for method in METHODS if _filled(method)]
        parts = [part for part in parts if money.parse(part["amount"]) != 0]
        form = load(forms.NewPayment, {"patient_id": patient_id, "parts": parts, **_filled("tendered")})
        if not parts:
            raise Invalid(fields={"cash": N_("Write what is paid.")})
        if form["tendered"] is not None and not any(part["method"] == PaymentMethod.CASH for part in parts):
            form["tendered"] = None  # left over from a sum that was then put on the card
        ticked = set(request.form.getlist("bill"))
        dues = queries.unpaid_bills(patient_id)
        if ticked and ticked != {str(bill.id) for bill in dues}:
            chosen = [Due(bill.id, bill.due) for bill in dues if str(bill.id) in ticked]
            form["bills"] = list(rules.spread(chosen, sum((part["amount"] for part in form["parts"]), ZERO)))
        return form

    @expose("/payments/<int:pk>")
    @guarded("payment.see")
    def paid(self, pk: int) -> Any:
        """What was done: the receipt, the change, and what is next for the patient."""
        payment = fetched(Payment, pk)
        bills = queries.allocated(payment)
        return self.page(
            "billing/paid.html", title=gettext("Payment accepted"), payment=payment,
            patient=fetched(Patient, payment.patient_id), receipt_id=payment.receipt.id,
            orders={row.id: row for row in queries.orders_by_id([bill.work_order_id for bill in bills])}, bills=bills,
            to_advance=payment.amount - sum((bill.amount for bill in bills), ZERO),
            balance=queries.balance_of(payment.patient_id), method_names=PaymentMethod,
        )  # fmt: skip

    @expose("/payments/<int:pk>/refund", methods=["POST"])
    @guarded("payment.refund")
    def refund(self, pk: int) -> Any:
        """Return money of a payment."""

        def work() -> str:
            form = load(forms.NewRefund, _filled("amount", "reason"))
            row = operations.refund(pk, form["amount"], form["reason"], actor=actor())
            return gettext(
                "Returned %(amount)s ₽: refund № %(number)s.", amount=money.shown(row.amount), number=row.number
            )

        return self._back(pk, "refund", work)

    @expose("/payments/<int:pk>/return-advance", methods=["POST"])
    @guarded("payment.return_advance")
    def return_advance(self, pk: int) -> Any:
        """Return of the advance what this payment brought."""

        def work() -> str:
            form = load(forms.NewRefund, _filled("amount", "reason"))
            row = operations.return_advance(pk, form["amount"], form["reason"], actor=actor())
            return gettext(
                "Advance returned, %(amount)s ₽: refund № %(number)s.",
                amount=money.shown(row.amount), number=row.number,
            )  # fmt: skip

        return self._back(pk, "return_advance", work)

    @expose("/payments/<int:pk>/cancel", methods=["POST"])
    @guarded("payment.cancel")
    def cancel(self, pk: int) -> Any:
        """Cancel a payment of today that was taken by mistake."""

        def work() -> str:
            row = operations.cancel_payment(pk, load(forms.Why, _filled("reason"))["reason"], actor=actor())
            return gettext(
                "The payment is cancelled, %(amount)s ₽ is returned: refund № %(number)s.",
                amount=money.shown(row.amount), number=row.number,
            )  # fmt: skip

        return self._back(pk, "cancel", work)

    def _back(self, pk: int, what: str, work: Callable[[], str]) -> Any:
        """Money goes back; refused, the settlement comes again with what was typed."""
        patient_id = fetched(Payment, pk).patient_id
        try:
            with transaction():
                said = work()
        except Refusal as refusal:
            say(refusal)
            wrong = {f"{what}_{pk}": " ".join(map(gettext, refusal.facts.get("fields", {}).values()))}
            return self._patient(fetched(Patient, patient_id), refusal.status, wrong)
        flash(said, "success")
        return redirect(url_for("SettlementView.index", pk=patient_id), 303)

    @expose("/patient/<int:pk>/money")
    @guarded("payment.see")
    def patient_money(self, pk: int) -> Any:
        """The tab «Money» of the card."""
        patient, balance = fetched(Patient, pk), queries.balance_of(pk)
        return self.page(
            "billing/patient_money.html", patient=patient, balance=balance,
            sources=queries.advance_sources(pk) if balance.advance else [], orders=queries.orders_of(pk),
            payments=queries.payments_of(pk), statuses=WorkOrderStatus, method_names=PaymentMethod,
        )  # fmt: skip


def _by_method(refusal: Refusal) -> dict[str, str]:
    """Complaints about parts, put under the fields of the form."""
    typed_methods = [str(method) for method in METHODS if _filled(method) and money.parse(request.form[method]) != 0]
    wrong = {}
    for name, said in refusal.facts.get("fields", {}).items():
        head, _, rest = name.partition(".")
        place = rest.partition(".")[0]
        wrong[typed_methods[int(place)] if head == "parts" and place.isdigit() else name] = said
    return wrong


class WorkOrdersView(DeskView):
    route_base = "/work-orders"

    @expose("/")
    @guarded("work_order.see")
    def index(self) -> Any:
        """Drafts to be issued, and what was issued today."""
        own = access.account(actor()).own_only("work_order.see")
        return self.page(
            "billing/orders.html", title=gettext("Work orders"), statuses=WorkOrderStatus,
            rows=queries.orders_of_day(clock.today(), doctor_id=own),
        )  # fmt: skip

    @expose("/new", methods=["GET", "POST"])
    @guarded("work_order.fill")
    def new(self) -> Any:
        """A new order for a visit (`?appointment=`) or a patient (`?patient=`)."""
        patient, visit = self._whose()
        if request.method == "POST":
            known = {"patient_id": patient.id, "appointment_id": visit.id if visit else None}

            def work() -> int:
                form = load(forms.NewWorkOrder, {**_filled("doctor_id"), **known, "lines": _typed_lines()})
                order = operations.create_work_order(
                    form.pop("patient_id"), form.pop("doctor_id"), form.pop("lines"), **form, actor=actor()
                )
                return self._issued(order.id)

            return self._save(work, lambda: self._whose())
        return self._form(patient=patient, visit=visit)

    def _whose(self) -> tuple[Patient, Appointment | None]:
        """The patient, and the visit if the order is for one; a doctor's own patients only."""
        visit_id = request.values.get("appointment", type=int)
        visit = fetched(Appointment, visit_id) if visit_id is not None else None
        patient = fetched(Patient, visit.patient_id if visit else request.values.get("patient", 0, type=int))
        own = access.account(actor()).own_only("work_order.fill")
        if own is not None and not queries.is_patient_of(patient.id, own):
            raise NotAllowed(right="work_order.fill")
        return patient, visit

    @expose("/<int:pk>", methods=["GET", "POST"])
    @guarded("work_order.see")
    def order(self, pk: int) -> Any:
        """One order: a draft to fill in, a bill to look at."""
        order = self._seen(pk)
        if request.method != "POST":
            return self._order_page(order)
        if not may("work_order.fill"):
            raise NotAllowed(right="work_order.fill")

        def work() -> int:
            form = load(forms.ChangedWorkOrder, {**_filled("version"), "lines": _typed_lines()})
            operations.change_work_order(pk, form["version"], form["lines"], actor=actor())
            return self._issued(pk)

        return self._save(work, lambda: (fetched(Patient, self._seen(pk).patient_id), None), pk)

    def _issued(self, order_id: int) -> int:
        """Saved and issued in one step, when the button said so."""
        if request.form.get("do") == "issue":
            operations.issue(order_id, actor=actor())
        return order_id

    def _seen(self, pk: int) -> WorkOrder:
        order: WorkOrder = fetched(WorkOrder, pk)
        access.require_own(actor(), "work_order.see", order.doctor_id)
        return order

    def _order_page(self, order: WorkOrder) -> Any:
        patient = fetched(Patient, order.patient_id)
        if order.status == WorkOrderStatus.DRAFT and may("work_order.fill"):
            lines = [
                {
                    "service_id": line.service_id, "name": f"{line.service.code} {line.service.name}",
                    "price": line.price, "tooth": line.tooth, "quantity": line.quantity,
                    "discount": (
                        f"{line.discount_percent.normalize():f}" if line.discount_percent is not None
                        else money.shown(line.discount) if line.discount else ""
                    ),
                    "unit": "percent" if line.discount_percent is not None or not line.discount else "rouble",
                    "discount_reason": line.discount_reason,
                }
                for line in order.lines
            ]  # fmt: skip
            return self._form(patient=patient, visit=order.appointment, order=order, lines=lines)
        return self.page(
            "billing/order.html", title=gettext("Work order № %(number)s", number=order.number), order=order,
            patient=patient, doctor=fetched(Employee, order.doctor_id), statuses=WorkOrderStatus, kinds=LedgerKind,
            was_paid=queries.was_paid(order.id),
        )  # fmt: skip

    def _save(
        self, work: Callable[[], int], whose: Callable[[], tuple[Patient, Appointment | None]], pk: int | None = None
    ) -> Any:
        try:
            with transaction():
                done = work()
        except Refusal as refusal:
            say(refusal)
            patient, visit = whose()
            order = fetched(WorkOrder, pk) if pk is not None else None
            return self._form(
                refusal.status, patient=patient, visit=visit, order=order, lines=_lines_again(),
                wrong=refusal.facts.get("fields", {}),
            )  # fmt: skip
        flash(
            gettext("The work order is issued.") if request.form.get("do") == "issue" else gettext("Saved."), "success"
        )
        return redirect(url_for("WorkOrdersView.order", pk=done), 303)

    def _form(
        self, status: int = 200, *, patient: Patient, visit: Appointment | None, order: WorkOrder | None = None,
        lines: list[dict[str, Any]] | None = None, wrong: dict[str, str] | None = None,
    ) -> Any:  # fmt: skip
        own = access.account(actor()).own_only("work_order.fill")
        doctors = [doctor for doctor in queries.doctors() if own is None or doctor.id == own]
        chosen = order.doctor_id if order else visit.doctor_id if visit else None
        return self.page(
            "billing/order_form.html", status, patient=patient, visit=visit, order=order, lines=lines or [],
            title=gettext("Work order № %(number)s", number=order.number) if order else gettext("New work order"),
            wrong=wrong or {}, doctors=doctors, doctor_id=request.form.get("doctor_id", chosen, type=int),
            limit=access.discount_limit(actor()), typed=request.form,
        )  # fmt: skip

    @expose("/<int:pk>/issue", methods=["POST"])
    @guarded("work_order.fill")
    def issue(self, pk: int) -> Any:
        """Issue a draft as it was saved."""
        self._seen(pk)
        return self._step(pk, operations.issue, gettext("The work order is issued."))

    @expose("/<int:pk>/reopen", methods=["POST"])
    @guarded("work_order.fill")
    def reopen(self, pk: int) -> Any:
        """Take a bill back to a draft."""
        self._seen(pk)
        return self._step(pk, operations.reopen, gettext("The work order is a draft again."))

    def _step(self, pk: int, operation: Callable[..., WorkOrder], done: str) -> Any:
        try:
            with transaction():
                operation(pk, actor=actor())
            flash(done, "success")
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("WorkOrdersView.order", pk=pk), 303)

    @expose("/services")
    @guarded("directory.see")
    def services(self) -> Any:
        """The services for a select that asks while one types; those without a price too."""
        page = max(1, min(request.args.get("page", 1, type=int), 10_000))
        rows = queries.services_named(
            request.args.get("q", "")[:100].replace("\x00", ""), limit=21, offset=(page - 1) * 20
        )
        return jsonify(
            results=[{"id": row.id, "text": str(row)} for row in rows[:20]], pagination={"more": len(rows) > 20}
        )


def _typed_lines() -> list[dict[str, Any]]:
    """The rows of the form as the contract's lines."""
    lines = []
    for line in _lines_again():
        row = {
            name: line[name] for name in ("service_id", "tooth", "quantity", "discount_reason") if line[name].strip()
        }
        if line["discount"].strip():
            row["discount_percent" if line["unit"] == "percent" else "discount_amount"] = line["discount"]
        lines.append(row)
    return lines


def _lines_again() -> list[dict[str, Any]]:
    """The rows of the form as they were typed."""
    names = ("service_id", "name", "price", "tooth", "quantity", "discount", "unit", "discount_reason")
    columns = [request.form.getlist(f"line_{name}")[: rules.MOST_LINES + 1] for name in names]
    return [
        {name: column[place] if place < len(column) else "" for name, column in zip(names, columns, strict=True)}
        for place in range(len(columns[0]))
    ]
