"""Money over JSON: the price list, work orders, payments, refunds."""

from typing import Any

from app import access
from app.billing import forms, operations, queries
from app.db import transaction
from app.models import Payment, Refund, WorkOrder
from app.web import DeskApi, actor, asks, expose, fetched, guarded, takes


class ServiceApi(DeskApi):
    resource_name = "services"
    openapi_spec_tag = "Money"

    @expose("/", methods=["GET"])
    @guarded("directory.see")
    @asks(forms.ServiceQuery)
    def index(self, query: dict[str, Any]) -> Any:
        """The price list as of today"""
        count, found = queries.price_list(
            query["q"], limit=query["page_size"], offset=query["page"] * query["page_size"]
        )
        rows = [
            {"id": pk, "code": code, "name": name, "price": price, "category": category, "minutes": minutes}
            for pk, code, name, category, minutes, price in found
        ]
        return self.listed(count, rows)


def order_answer(order: WorkOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "version": order.version,
        "status": order.status,
        "patient_id": order.patient_id,
        "doctor_id": order.doctor_id,
        "appointment_id": order.appointment_id,
        "branch_id": order.branch_id,
        "total": order.total,
        "due": order.due,
        "issued_day": order.issued_day,
        "lines": [
            {
                "id": line.id,
                "service_id": line.service_id,
                "code": line.called[0],
                "name": line.called[1],
                "tooth": line.tooth,
                "quantity": line.quantity,
                "price": line.price,
                "discount_percent": line.discount_percent,
                "discount": line.discount,
                "discount_reason": line.discount_reason,
                "assistant_id": line.assistant_id,
                "total": line.total,
            }
            for line in order.lines
        ],
    }


class WorkOrderApi(DeskApi):
    resource_name = "work-orders"
    openapi_spec_tag = "Money"

    @expose("/", methods=["POST"])
    @guarded("work_order.fill")
    @takes(forms.NewWorkOrder)
    def add(self, body: dict[str, Any]) -> Any:
        """Write a draft of a work order"""
        with transaction():
            order = operations.create_work_order(
                body.pop("patient_id"), body.pop("doctor_id"), body.pop("lines"), **body, actor=actor()
            )
        return self.created(order_answer(order))

    @expose("/<int:pk>", methods=["GET"])
    @guarded("work_order.see")
    def show(self, pk: int) -> Any:
        """One work order"""
        order = fetched(WorkOrder, pk)
        access.require_own(actor(), "work_order.see", order.doctor_id)
        return self.answer(order_answer(order))

    @expose("/<int:pk>", methods=["PATCH"])
    @guarded("work_order.fill")
    @takes(forms.ChangedWorkOrder)
    def change(self, pk: int, body: dict[str, Any]) -> Any:
        """Write the lines of a draft anew"""
        fetched(WorkOrder, pk)
        with transaction():
            order = operations.change_work_order(pk, body["version"], body["lines"], actor=actor())
        return self.answer(order_answer(order))

    @expose("/<int:pk>/issue", methods=["POST"])
    @guarded("work_order.fill")
    @takes(forms.Empty)
    def issue(self, pk: int, body: dict[str, Any]) -> Any:
        """Issue a draft: it becomes a bill"""
        fetched(WorkOrder, pk)
        with transaction():
            order = operations.issue(pk, actor=actor())
        return self.answer(order_answer(order))

    @expose("/<int:pk>/reopen", methods=["POST"])
    @guarded("work_order.fill")
    @takes(forms.Empty)
    def reopen(self, pk: int, body: dict[str, Any]) -> Any:
        """Take a bill back to a draft, before any payment"""
        fetched(WorkOrder, pk)
        with transaction():
            order = operations.reopen(pk, actor=actor())
        return self.answer(order_answer(order))

    @expose("/<int:pk>/annul", methods=["POST"])
    @guarded("work_order.fill")
    @takes(forms.Empty)
    def annul(self, pk: int, body: dict[str, Any]) -> Any:
        """Annul a draft that was made by mistake; its number stays"""
        fetched(WorkOrder, pk)
        with transaction():
            order = operations.annul(pk, actor=actor())
        return self.answer(order_answer(order))

    @expose("/<int:pk>/reverse", methods=["POST"])
    @guarded("work_order.reverse")
    @takes(forms.Reversal)
    def reverse(self, pk: int, body: dict[str, Any]) -> Any:
        """Take back lines of a bill, or all of it: a reversing order"""
        order = fetched(WorkOrder, pk)
        access.require_own(actor(), "work_order.see", order.doctor_id)
        lines = None if body["lines"] is None else {line["line_id"]: line["quantity"] for line in body["lines"]}
        with transaction():
            order = operations.reverse_order(pk, body["reason"], lines=lines, actor=actor())
        return self.created({**order_answer(order), "reverses_id": order.reverses_id, "reason": order.reason})


def payment_answer(payment: Payment) -> dict[str, Any]:
    bills = queries.allocated(payment)
    used = sum((bill.amount for bill in bills), start=payment.amount - payment.amount)
    return {
        "id": payment.id,
        "number": payment.number,
        "patient_id": payment.patient_id,
        "payer_id": payment.payer_id,
        "amount": payment.amount,
        "parts": [{"method": part.method, "amount": part.amount, "desk_id": part.desk_id} for part in payment.parts],
        "allocated": [{"work_order_id": bill.work_order_id, "amount": bill.amount} for bill in bills],
        "to_advance": payment.amount - used,
        "tendered": payment.tendered,
        "change": payment.change,
        "receipt_ids": [payment.receipt.id],
    }


def refund_answer(row: Refund) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "kind": row.kind,
        "payment_id": row.payment_id,
        "amount": row.amount,
        "parts": [{"method": part.payment_part.method, "amount": part.amount} for part in row.parts],
        "receipt_ids": [queries.receipt_of_refund(row.id)],
    }


class PaymentApi(DeskApi):
    resource_name = "payments"
    openapi_spec_tag = "Money"

    @expose("/", methods=["POST"])
    @guarded("payment.take")
    @takes(forms.NewPayment)
    def take(self, body: dict[str, Any]) -> Any:
        """Take a payment in one or several ways"""
        with transaction():
            payment = operations.take_payment(
                body["patient_id"],
                body["parts"],
                bills=body["bills"],
                tendered=body["tendered"],
                receipt_to=body["receipt_to"],
                payer_id=body["payer_id"],
                branch_id=body["branch_id"],
                actor=actor(),
            )
            answer = payment_answer(payment)
        return self.created(answer)

    @expose("/<int:pk>", methods=["GET"])
    @guarded("payment.see")
    def show(self, pk: int) -> Any:
        """One payment"""
        payment = fetched(Payment, pk)
        left = queries.returnable(payment.id).amount
        return self.answer({**payment_answer(payment), "refundable": left})

    @expose("/<int:pk>/refund", methods=["POST"])
    @guarded("payment.refund")
    @takes(forms.NewRefund)
    def refund(self, pk: int, body: dict[str, Any]) -> Any:
        """Return money of a payment"""
        fetched(Payment, pk)
        with transaction():
            answer = refund_answer(operations.refund(pk, body["amount"], body["reason"], actor=actor()))
        return self.created(answer)

    @expose("/<int:pk>/return-advance", methods=["POST"])
    @guarded("payment.return_advance")
    @takes(forms.NewRefund)
    def return_advance(self, pk: int, body: dict[str, Any]) -> Any:
        """Return of the patient's advance what this payment brought"""
        fetched(Payment, pk)
        with transaction():
            answer = refund_answer(operations.return_advance(pk, body["amount"], body["reason"], actor=actor()))
        return self.created(answer)

    @expose("/<int:pk>/cancel", methods=["POST"])
    @guarded("payment.cancel")
    @takes(forms.Why)
    def cancel(self, pk: int, body: dict[str, Any]) -> Any:
        """Cancel a payment of today that was taken by mistake"""
        fetched(Payment, pk)
        with transaction():
            answer = refund_answer(operations.cancel_payment(pk, body["reason"], actor=actor()))
        return self.created(answer)
