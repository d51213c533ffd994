"""Work orders: drafts to fill in, bills to look at and to reverse."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask_babel import gettext

from app import access, clock, money
from app.billing import forms, operations, queries, rules
from app.billing.views.form import filled
from app.db import transaction
from app.errors import NotAllowed, PriceChanged, Refusal, Stale
from app.models import Appointment, Employee, Patient, Service, WorkOrder
from app.patients import operations as cards
from app.schemas import load
from app.vocab import FREES_TIME, TEETH, AppointmentStatus, LedgerKind, WorkOrderStatus
from app.web import DeskView, actor, expose, fetched, guarded, may, say


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
                form = load(forms.NewWorkOrder, {**filled("doctor_id"), **known, "lines": _typed_lines()})
                order = operations.create_work_order(
                    form.pop("patient_id"), form.pop("doctor_id"), form.pop("lines"), **form, actor=actor()
                )
                return self._issued(order.id)

            return self._save(work, lambda: self._whose())
        cards.check_open(patient)
        if visit:
            rules.check_held(visit.status)
        booked = queries.booked_service(visit) if visit else None
        return self._form(patient=patient, visit=visit, lines=[_fresh_line(patient, *booked)] if booked else [])

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
            form = load(forms.ChangedWorkOrder, {**filled("version"), "lines": _typed_lines()})
            operations.change_work_order(pk, form["version"], form["lines"], actor=actor())
            return self._issued(pk)

        def whose() -> tuple[Patient, Appointment | None]:
            seen = self._seen(pk)
            return fetched(Patient, seen.patient_id), seen.appointment

        return self._save(work, whose, pk)

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
                    "service_id": line.service_id, "name": " ".join(line.called),
                    "price": line.price, "tooth": line.tooth, "quantity": line.quantity,
                    "discount": (
                        f"{line.discount_percent.normalize():f}" if line.discount_percent is not None
                        else money.shown(line.discount) if line.discount else ""
                    ),
                    "unit": "percent" if line.discount_percent is not None or not line.discount else "rouble",
                    "discount_reason": line.discount_reason, "assistant_id": line.assistant_id,
                }
                for line in order.lines
            ]  # fmt: skip
            return self._form(patient=patient, visit=order.appointment, order=order, lines=lines)
        return self._bill_page(order)

    def _bill_page(
        self, order: WorkOrder, status: int = 200, wrong: dict[str, str] | None = None, typed: Any = None
    ) -> Any:
        """A bill or a reversing order, as it stands for ever. `typed`: what was to be reversed of it."""
        reverses = fetched(WorkOrder, order.reverses_id) if order.reverses_id else None
        can = may("work_order.reverse") and order.status in (WorkOrderStatus.ISSUED, WorkOrderStatus.PAID)
        helping = {line.assistant_id for line in order.lines if line.assistant_id}
        title = (
            gettext("Reversing order № %(number)s", number=order.number)
            if reverses
            else gettext("Work order № %(number)s", number=order.number)
        )
        return self.page(
            "billing/order.html", status, title=title, order=order, reverses=reverses, wrong=wrong or {},
            patient=fetched(Patient, order.patient_id), doctor=fetched(Employee, order.doctor_id),
            statuses=WorkOrderStatus, kinds=LedgerKind, was_paid=queries.was_paid(order.id), typed=typed or {},
            reversals=queries.reversals_of(order.id),
            left={line.line_id: line.left for line in queries.left_to_reverse(order)} if can else {},
            assistants={row.id: row for row in queries.employees(helping)},
        )  # fmt: skip

    @expose("/<int:pk>/reverse", methods=["POST"])
    @guarded("work_order.reverse")
    def reverse(self, pk: int) -> Any:
        """Take back the lines whose quantity was typed."""
        order = self._seen(pk)
        typed = [
            {"line_id": line.id, "quantity": request.form[f"line_{line.id}"]}
            for line in order.lines
            if request.form.get(f"line_{line.id}", "").strip() not in ("", "0")
        ]
        try:
            with transaction():
                form = load(forms.Reversal, {**filled("reason"), "lines": typed})
                done = operations.reverse_order(
                    pk, form["reason"], lines={line["line_id"]: line["quantity"] for line in form["lines"]},
                    actor=actor(),
                ).id  # fmt: skip
        except Refusal as refusal:
            say(refusal)
            wrong = dict(refusal.facts.get("fields", {}))
            for place, line in enumerate(typed):  # a complaint stands at the line it is about
                if said := wrong.pop(f"lines.{place}.quantity", None):
                    wrong[f"line_{line['line_id']}"] = said
            return self._bill_page(self._seen(pk), refusal.status, wrong, request.form)
        flash(gettext("The reversing order is written."), "success")
        return redirect(url_for("WorkOrdersView.order", pk=done), 303)

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
            if order is not None and order.status != WorkOrderStatus.DRAFT:
                return self._bill_page(order, refusal.status)  # issued or annulled in another window
            return self._form(
                refusal.status, patient=patient, visit=visit, order=order,
                lines=_lines_again(refusal.facts["prices"] if isinstance(refusal, PriceChanged) else {}),
                wrong=refusal.facts.get("fields", {}), newer=isinstance(refusal, Stale),
            )  # fmt: skip
        flash(
            gettext("The work order is issued.") if request.form.get("do") == "issue" else gettext("Saved."), "success"
        )
        return redirect(url_for("WorkOrdersView.order", pk=done), 303)

    def _form(
        self, status: int = 200, *, patient: Patient, visit: Appointment | None, order: WorkOrder | None = None,
        lines: list[dict[str, Any]] | None = None, wrong: dict[str, str] | None = None, newer: bool = False,
    ) -> Any:  # fmt: skip
        """The form of a draft. `newer`: it was saved elsewhere meanwhile; to save again is then on purpose."""
        own = access.account(actor()).own_only("work_order.fill")
        doctors = [doctor for doctor in queries.doctors() if own is None or doctor.id == own]
        helpers = queries.assistants()
        if order:  # who was named in it stays in it, though archived since
            doctors += queries.employees({order.doctor_id} - {one.id for one in doctors})
            named = {line.assistant_id for line in order.lines if line.assistant_id}
            helpers += queries.employees(named - {one.id for one in helpers})
        chosen = order.doctor_id if order else visit.doctor_id if visit else None
        kept = {str(line.service_id): line.price for line in order.lines} if order else {}
        lines = [{**line, "price": kept.get(str(line["service_id"]), line["price"])} for line in lines or []]
        return self.page(
            "billing/order_form.html", status, patient=patient, visit=visit, order=order, lines=lines,
            others=queries.orders_of_visit(visit.id, but=order.id if order else None) if visit else [],
            statuses=WorkOrderStatus, visit_statuses=AppointmentStatus,
            not_held=visit is not None and visit.status in FREES_TIME,
            saved=_saved_lines(order) if order else [],
            title=gettext("Work order № %(number)s", number=order.number) if order else gettext("New work order"),
            wrong=wrong or {}, newer=newer, doctors=doctors, doctor_id=request.form.get("doctor_id", chosen, type=int),
            limit=max(access.discount_limit(actor()), patient.discount_percent or 0), typed=request.form,
            helpers=helpers, teeth=TEETH, fresh=_fresh_line(patient),
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

    @expose("/<int:pk>/annul", methods=["POST"])
    @guarded("work_order.fill")
    def annul(self, pk: int) -> Any:
        """Annul a draft that was made by mistake."""
        self._seen(pk)
        return self._step(pk, operations.annul, gettext("The work order is annulled."))

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


def _saved_lines(order: WorkOrder) -> list[dict[str, Any]]:
    """What stands in a draft, for the page that counts: its prices and discounts stay when they are saved again."""
    return [
        {
            "service": str(line.service_id), "quantity": line.quantity, "price": str(line.price),
            "percent": None if line.discount_percent is None else str(line.discount_percent),
            "discount": str(line.discount),
        }
        for line in order.lines
    ]  # fmt: skip


def _fresh_line(patient: Patient, service: Service | None = None, price: Decimal | None = None) -> dict[str, Any]:
    """A row of the form as it is added: the discount of the patient's card stands in it."""
    percent = patient.discount_percent
    return {
        "service_id": service.id if service else "", "name": f"{service.code} {service.name}" if service else "",
        "price": "" if price is None else price, "tooth": "", "quantity": 1,
        "discount": f"{percent.normalize():f}" if percent else "", "unit": "percent",
        "discount_reason": patient.discount_reason if percent else "", "assistant_id": "",
    }  # fmt: skip


def _typed_lines() -> list[dict[str, Any]]:
    """The rows of the form as the contract's lines."""
    lines = []
    for line in _lines_again():
        names = ("service_id", "tooth", "discount_reason", "assistant_id")
        row = {name: line[name] for name in names if line[name].strip()}
        if line["price"].strip():
            row["seen_price"] = line["price"]
        row["quantity"] = line["quantity"]  # an empty one is a mistake: the page counted it as nothing
        if line["discount"].strip():
            row["discount_percent" if line["unit"] == "percent" else "discount_amount"] = line["discount"]
        lines.append(row)
    return lines


def _lines_again(prices: Mapping[int, str] | None = None) -> list[dict[str, Any]]:
    """The rows of the form as they were typed; `prices` are those that have changed since, by the place of the row."""
    names = ("service_id", "name", "price", "tooth", "quantity", "discount", "unit", "discount_reason", "assistant_id")
    columns = [request.form.getlist(f"line_{name}")[: rules.MOST_LINES + 1] for name in names]
    return [
        {name: column[place] if place < len(column) else "" for name, column in zip(names, columns, strict=True)}
        | ({"price": prices[place]} if prices and place in prices else {})
        for place in range(len(columns[0]))
    ]
