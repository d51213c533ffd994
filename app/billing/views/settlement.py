"""Settlement of a patient, the queue «To be paid», what goes back."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from app import access, clock, money
from app.billing import forms, operations, queries, rules
from app.billing.rules import Due
from app.billing.views.form import filled
from app.db import transaction
from app.errors import BillsChanged, Invalid, NotFound, Refusal
from app.fiscal import queries as fiscal
from app.models import Patient, Payment, Refund
from app.money import ZERO
from app.schemas import load
from app.vocab import N_, FiscalStatus, PaymentMethod, WorkOrderStatus
from app.web import DeskView, actor, expose, fetched, guarded, may, say

#: The ways to pay, as the form lists them.
METHODS = (PaymentMethod.CASH, PaymentMethod.CARD, PaymentMethod.TRANSFER, PaymentMethod.ADVANCE)
PAGE = 50
#: How much of a patient's past is shown at once, and how much when all of it is asked for.
NEWEST = {"payments": 30, "orders": 50, "transfers": 30}
MOST = 2000


class SettlementView(DeskView):
    route_base = "/settlement"

    @expose("/")
    @expose("/<int:pk>")
    @guarded("payment.see")
    def index(self, pk: int | None = None) -> Any:
        """«To be paid»; with a number, the settlement of that patient."""
        if pk is not None:
            return self._patient(pk)
        page = max(0, min(request.args.get("page", 0, type=int), 10_000))
        count, rows = queries.to_be_paid(limit=PAGE, offset=page * PAGE)
        if count and not rows:  # it has become shorter, or the link is old: the last page
            page = (count - 1) // PAGE
            count, rows = queries.to_be_paid(limit=PAGE, offset=page * PAGE)
        seen = hashlib.sha256(repr((count, [(order.id, order.due) for order, *_ in rows])).encode()).hexdigest()[:16]
        if request.headers.get("HX-Request") and request.args.get("seen") == seen:
            return Response(status=204)  # the page asks every few seconds; nothing has changed
        return self.page(
            "billing/queue.html", title=gettext("Settlement"), count=count, rows=rows, page=page, size=PAGE, seen=seen
        )  # fmt: skip

    def _patient(
        self, pk: int, status: int = 200, wrong: dict[str, str] | None = None,
        paying: Mapping[str, str] | None = None, about: int | None = None,
    ) -> Any:  # fmt: skip
        """The settlement; `paying` is what stays typed in the payment form, without it the form begins anew.

        `about` is a payment that must be on the page, however old: something is said beside it.
        """
        patient = queries.settling(pk, access.account(actor()).branch_id) if 0 < pk < 2**31 else None
        if patient is None:
            raise NotFound()
        if patient.merged_into_id:  # a window left open, an old link: nothing is due or taken here any more
            flash(gettext("Card № %(number)s was merged into this one.", number=patient.card_number), "info")
            return redirect(url_for("SettlementView.index", pk=patient.merged_into_id), 303)
        balance = patient.balance
        asked = patient.related and (may("payment.relatives") or may("payment.take"))
        relatives = queries.relatives_of(pk) if asked else {}
        lenders = [lender for lender, one in relatives.items() if one.advance] if patient.bills else []
        cards = queries.living_cards(lenders) if lenders and may("payment.relatives") else {}
        transfers, more_transfers = (
            _newest("transfers", partial(queries.transfers_of, pk)) if patient.passed else ([], False)
        )
        payments, more = _newest("payments", partial(queries.payments_of, pk))
        if about is not None and about not in {line.id for line in payments}:
            payments, more = queries.payments_of(pk, limit=MOST), False
        return self.page(
            "billing/settle.html", status, title=gettext("Settlement"), patient=patient, bills=patient.bills,
            drafts=patient.drafts, balance=balance, sources=queries.advance_sources(pk) if balance.advance else [],
            payments=payments, more_payments=more, methods=METHODS,
            family=relatives if may("payment.relatives") else {},
            payers=rules.offered_payers(patient.card, patient.full_name, relatives, clock.today()),
            payer_id=rules.usual_payer(patient.card, clock.today()),
            pays_advance={lender: rules.payer_of_advance(card, clock.today()) for lender, card in cards.items()},
            transfers=transfers, more_transfers=more_transfers,
            method_names=PaymentMethod, paying=paying or {}, typed=request.form, wrong=wrong or {},
        )  # fmt: skip

    @expose("/<int:pk>/pay", methods=["POST"])
    @guarded("payment.take")
    def pay(self, pk: int) -> Any:
        """Take the money; refused, the form comes back with what was typed.

        Not when the bills changed meanwhile: sums counted for other bills would be taken as an advance.
        """
        fetched(Patient, pk)
        try:
            with transaction():
                form = self._typed_payment(pk)
                payment = operations.take_payment(
                    pk, form["parts"], bills=form["bills"], seen=form["seen"], tendered=form["tendered"],
                    payer_id=form["payer_id"], receipt_to=form["receipt_to"], actor=actor(),
                )  # fmt: skip
                done = payment.id
        except BillsChanged as refusal:
            say(refusal)
            return self._patient(pk, refusal.status)
        except Refusal as refusal:
            say(refusal)
            return self._patient(pk, refusal.status, _by_method(refusal), request.form)
        return redirect(url_for("SettlementView.paid", pk=done), 303)

    def _typed_payment(self, patient_id: int) -> dict[str, Any]:
        """The form as the contract's body: one part for each way that has a sum.

        What was typed beside a bill goes to that bill; otherwise the ticked ones are paid, the oldest first; with none
        ticked all is paid ahead. The page says what was due when it was looked at; a form that does not pays all bills.
        """
        parts = list(_typed_parts().values())
        shares = _typed_shares()
        bills = [{"work_order_id": int(pk), "amount": amount} for pk, amount in shares.items()]
        typed = {"patient_id": patient_id, "parts": parts, "bills": bills or None}
        form = load(forms.NewPayment, {**typed, **filled("tendered", "payer_id", "receipt_to")})
        if not parts:
            raise Invalid(fields={"cash": N_("Write what is paid.")})
        if any(part["certificate"] == "" for part in form["parts"]):
            raise Invalid(fields={"certificate": N_("Write the number of the certificate.")})
        form["seen"] = _seen()
        if form["tendered"] is not None and not any(part["method"] == PaymentMethod.CASH for part in parts):
            form["tendered"] = None  # left over from a sum that was then put on the card
        if shares:
            form["bills"] = [Due(**bill) for bill in form["bills"]]
            return form
        ticked = set(request.form.getlist("bill"))
        dues = queries.unpaid_bills(patient_id) if form["seen"] is None else form["seen"]
        known = {str(bill.work_order_id) for bill in dues}
        if not ticked <= known:
            raise BillsChanged()
        if ticked != known and (ticked or form["seen"] is not None):
            chosen = [bill for bill in dues if str(bill.work_order_id) in ticked]
            form["bills"] = list(rules.spread(chosen, sum((part["amount"] for part in form["parts"]), ZERO)))
        return form

    @expose("/payments/<int:pk>")
    @guarded("payment.see")
    def paid(self, pk: int) -> Any:
        """What was done: the receipt, the change, and what is next for the patient."""
        payment = fetched(Payment, pk)
        bills = queries.allocated(payment)
        printed = fiscal.of_payment(payment.id)
        return self.page(
            "billing/paid.html", fiscal=printed, fiscal_statuses=FiscalStatus,
            slip_printer=fiscal.slip_printer_of(access.account(actor()).branch_id),
            square=Markup(fiscal.square_of(printed)) if printed else "",
            title=gettext("Payment accepted"), payment=payment, parts=queries.parts_of(payment.id),
            patient=fetched(Patient, payment.patient_id),
            payer=payment.payer if payment.payer_id != payment.patient_id else None, receipt_id=payment.receipt.id,
            orders={row.id: row for row in queries.orders_by_id([bill.work_order_id for bill in bills])}, bills=bills,
            to_advance=payment.amount - sum((bill.amount for bill in bills), ZERO),
            balance=queries.balance_of(payment.patient_id), method_names=PaymentMethod,
            refunds=[(row, _ways(row)) for row in queries.refunds_of(payment.id)],
        )  # fmt: skip

    @expose("/payments/<int:pk>/refund", methods=["POST"])
    @guarded("payment.refund")
    def refund(self, pk: int) -> Any:
        """Return money of a payment."""

        def work() -> str:
            form = load(forms.NewRefund, filled("amount", "reason"))
            row = operations.refund(pk, form["amount"], form["reason"], actor=actor())
            return gettext("Refund № %(number)s: %(ways)s.", number=row.number, ways=_ways(row)) + _lent_again(row)

        return self._back(pk, "refund", work)

    @expose("/payments/<int:pk>/return-advance", methods=["POST"])
    @guarded("payment.return_advance")
    def return_advance(self, pk: int) -> Any:
        """Return of the advance what this payment brought."""

        def work() -> str:
            form = load(forms.NewRefund, filled("amount", "reason"))
            row = operations.return_advance(pk, form["amount"], form["reason"], actor=actor())
            return gettext(
                "The advance is returned, refund № %(number)s: %(ways)s.", number=row.number, ways=_ways(row)
            )

        return self._back(pk, "return_advance", work)

    @expose("/payments/<int:pk>/cancel", methods=["POST"])
    @guarded("payment.cancel")
    def cancel(self, pk: int) -> Any:
        """Cancel a payment of today that was taken by mistake."""

        def work() -> str:
            row = operations.cancel_payment(pk, load(forms.Why, filled("reason"))["reason"], actor=actor())
            said = gettext(
                "The payment is cancelled, refund № %(number)s: %(ways)s.", number=row.number, ways=_ways(row)
            )
            return said + _lent_again(row)

        return self._back(pk, "cancel", work)

    @expose("/<int:pk>/pass-advance", methods=["POST"])
    @guarded("payment.relatives")
    def pass_advance(self, pk: int) -> Any:
        """Pass the patient's advance to a relative."""
        fetched(Patient, pk)
        try:
            with transaction():
                form = load(forms.PassedAdvance, filled("to_id", "amount", "reason"))
                operations.pass_advance(pk, form["to_id"], form["amount"], form["reason"], actor=actor())
        except Refusal as refusal:
            say(refusal)
            wrong = {f"pass_{name}": said for name, said in refusal.facts.get("fields", {}).items()}
            return self._patient(pk, refusal.status, {"pass": "", **wrong})
        flash(gettext("The advance is passed to the relative."), "success")
        return redirect(url_for("SettlementView.index", pk=pk), 303)

    def _back(self, pk: int, what: str, work: Callable[[], str]) -> Any:
        """Money goes back; refused, the settlement comes again with what was typed."""
        patient_id = fetched(Payment, pk).patient_id
        try:
            with transaction():
                said = work()
        except Refusal as refusal:
            say(refusal)
            wrong = {f"{what}_{pk}": " ".join(map(gettext, refusal.facts.get("fields", {}).values()))}
            return self._patient(patient_id, refusal.status, wrong, about=pk)
        flash(said, "success")
        return redirect(url_for("SettlementView.index", pk=patient_id), 303)

    @expose("/patient/<int:pk>/money")
    @guarded("payment.see")
    def patient_money(self, pk: int) -> Any:
        """The tab «Money» of the card."""
        patient, balance = fetched(Patient, pk), queries.balance_of(pk)
        orders, more_orders = _newest("orders", partial(queries.orders_of, pk))
        payments, more_payments = _newest("payments", partial(queries.payments_of, pk))
        transfers, more_transfers = _newest("transfers", partial(queries.transfers_of, pk))
        return self.page(
            "billing/patient_money.html", patient=patient, balance=balance,
            sources=queries.advance_sources(pk) if balance.advance else [], orders=orders, more_orders=more_orders,
            transfers=transfers, more_transfers=more_transfers, payments=payments, more_payments=more_payments,
            statuses=WorkOrderStatus, method_names=PaymentMethod,
        )  # fmt: skip


def _newest(what: str, read: Callable[..., Any]) -> tuple[list[Any], bool]:
    """The newest rows of a patient and whether there are more; all of them when the address asks for `what=all`."""
    if request.args.get(what) == "all":
        return read(limit=MOST), False
    rows = read(limit=NEWEST[what] + 1)
    return rows[: NEWEST[what]], len(rows) > NEWEST[what]


#: How money goes back: what the cashier hands out, and what never leaves the drawer.
_WAY_BACK = {
    PaymentMethod.CASH: N_("in cash %(sum)s ₽"), PaymentMethod.CARD: N_("to the card %(sum)s ₽"),
    PaymentMethod.TRANSFER: N_("by transfer %(sum)s ₽"), PaymentMethod.ADVANCE: N_("to the advance %(sum)s ₽"),
}  # fmt: skip


def _ways(row: Refund) -> str:
    """What of a refund went which way: «наличными 300,00 ₽, в аванс 500,00 ₽»."""
    sums = {
        method: sum((part.amount for part in row.parts if part.payment_part.method == method), ZERO)
        for method in PaymentMethod
    }
    return ", ".join(gettext(_WAY_BACK[method], sum=money.shown(whole)) for method, whole in sums.items() if whole)


def _lent_again(row: Refund) -> str:
    """Whose advance it is that something went back to, when it is not the patient's."""
    if not queries.lenders_of(row.payment_id).keys() & {part.payment_part_id for part in row.parts}:
        return ""
    return " " + gettext("What a relative's advance had paid is in that advance again.")


def _typed_parts() -> dict[str, dict[str, Any]]:
    """The ways that have a sum, by the field it was typed into: of the desk, relatives' advances, a certificate."""
    parts: dict[str, dict[str, Any]] = {
        str(method): {"method": str(method), "amount": request.form[method]} for method in METHODS if filled(method)
    }
    for name in sorted(request.form):
        word, _, pk = name.partition("_")
        if word == "relative" and pk.isascii() and pk.isdigit() and filled(name):
            parts[name] = {"method": "advance", "amount": request.form[name], "from_patient_id": int(pk[:12])}
    if filled("certificate"):
        number = request.form.get("certificate_number", "").strip()
        parts["certificate"] = {"method": "advance", "amount": request.form["certificate"], "certificate": number}
    return {name: part for name, part in parts.items() if money.parse(part["amount"]) != 0}


def _typed_shares() -> dict[str, str]:
    """What was typed beside the bills: how much goes to which."""
    fields = (name.partition("_") for name in request.form)
    return {
        pk[:12]: request.form[f"share_{pk}"]
        for word, _, pk in fields
        if word == "share" and pk.isascii() and pk.isdigit() and filled(f"share_{pk}")
    }


def _seen() -> list[Due] | None:
    """What was due on each bill when the page was made: `12:1500.00 13:20.00`; None when the form does not say."""
    if "seen" not in request.form:
        return None
    pairs = [pair.partition(":") for pair in request.form["seen"].split()]
    bills = [{"work_order_id": pk, "amount": due} for pk, _, due in pairs]
    return [Due(**load(forms.PaidBill, bill)) for bill in bills]


def _by_method(refusal: Refusal) -> dict[str, str]:
    """Complaints about parts, put under the fields of the form."""
    typed = list(_typed_parts())
    wrong = {}
    for name, said in refusal.facts.get("fields", {}).items():
        head, _, rest = name.partition(".")
        place = rest.partition(".")[0]
        if place.isdigit() and head in ("parts", "bills"):
            name = typed[int(place)] if head == "parts" else f"share_{list(_typed_shares())[int(place)]}"
        wrong[name] = said
    return wrong
