"""Visits over JSON: booking, moving, cancelling, the steps of the day, history."""

from typing import Any

from app import access
from app.db import transaction
from app.errors import NotFound
from app.models import Appointment, Branch
from app.schedule import forms, operations, queries
from app.web import DeskApi, actor, expose, fetched, guarded, may, takes


def own_doctor() -> int | None:
    """The doctor whose visits alone this account sees; None when everybody's."""
    return access.account(actor()).own_only("schedule.see")


def visit_answer(appointment_id: int) -> dict[str, Any]:
    """A visit as it is now, if the account may see it.

    Raises:
        NotFound, NotAllowed
    """
    visit = queries.visit(appointment_id, with_money=may("payment.see")) if appointment_id < 2**31 else None
    if visit is None:
        raise NotFound()
    access.require_own(actor(), "schedule.see", visit["doctor_id"])
    return visit


def one_or_more(body: dict[str, Any]) -> None:
    """What a booking fulfils may be said as one number or as several."""
    for kind in ("planned_visit", "waiting_entry"):
        one = body.pop(f"{kind}_id")
        if one is not None:
            body[f"{kind}_ids"].append(one)


class AppointmentApi(DeskApi):
    resource_name = "appointments"
    openapi_spec_tag = "Schedule"

    def _done(self, visit: Appointment, status: int = 200) -> Any:
        answer = queries.visit(visit.id, with_money=may("payment.see"))
        return self.answer(answer, status)

    @expose("/", methods=["POST"])
    @guarded("schedule.book")
    @takes(forms.Booking)
    def book(self, body: dict[str, Any]) -> Any:
        """Book a visit"""
        with transaction():
            if body["branch_id"] is not None:
                fetched(Branch, body["branch_id"])
            one_or_more(body)
            visit = operations.book(
                body.pop("patient_id"),
                body.pop("doctor_id"),
                body.pop("starts_at"),
                body.pop("ends_at"),
                **body,
                actor=actor(),
            )
            answer = self._done(visit, 201)
        return answer

    @expose("/<int:pk>", methods=["GET"])
    @guarded("schedule.see")
    def get(self, pk: int) -> Any:
        """One visit"""
        return self.answer(visit_answer(pk))

    @expose("/<int:pk>", methods=["PATCH"])
    @guarded("schedule.move")
    @takes(forms.Moving)
    def move(self, pk: int, body: dict[str, Any]) -> Any:
        """Move a visit, change its boundaries, doctor, chair or comment"""
        visit_answer(pk)
        with transaction():
            visit = operations.move(pk, body.pop("version"), **body, actor=actor())
            answer = self._done(visit)
        return answer

    @expose("/<int:pk>/history", methods=["GET"])
    @guarded("schedule.see")
    def history(self, pk: int) -> Any:
        """Who did what with a visit, when, from what to what"""
        visit_answer(pk)
        rows = queries.history(pk)
        return self.listed(len(rows), rows)

    @expose("/<int:pk>/arrive", methods=["POST"])
    @guarded("schedule.attend")
    @takes(forms.Nothing)
    def arrive(self, pk: int, body: dict[str, Any]) -> Any:
        """The patient has come"""
        return self._step(operations.arrive, pk)

    @expose("/<int:pk>/start", methods=["POST"])
    @guarded("schedule.attend")
    @takes(forms.Nothing)
    def start(self, pk: int, body: dict[str, Any]) -> Any:
        """The patient sits down in the chair"""
        return self._step(operations.start, pk)

    @expose("/<int:pk>/complete", methods=["POST"])
    @guarded("schedule.attend")
    @takes(forms.Nothing)
    def complete(self, pk: int, body: dict[str, Any]) -> Any:
        """The doctor has finished"""
        return self._step(operations.complete, pk)

    @expose("/<int:pk>/no_show", methods=["POST"])
    @guarded("schedule.attend")
    @takes(forms.Nothing)
    def no_show(self, pk: int, body: dict[str, Any]) -> Any:
        """The patient has not come"""
        return self._step(operations.no_show, pk)

    @expose("/<int:pk>/undo", methods=["POST"])
    @guarded("schedule.attend")
    @takes(forms.Nothing)
    def undo(self, pk: int, body: dict[str, Any]) -> Any:
        """Take back the last step of today"""
        return self._step(operations.undo, pk)

    @expose("/<int:pk>/confirm", methods=["POST"])
    @guarded("schedule.book")
    @takes(forms.Answering)
    def confirm(self, pk: int, body: dict[str, Any]) -> Any:
        """Write down what the patient answered"""
        return self._step(operations.confirm, pk, body["confirmation"], version=body["version"])

    @expose("/<int:pk>/cancel", methods=["POST"])
    @guarded("schedule.cancel")
    @takes(forms.Cancelling)
    def cancel(self, pk: int, body: dict[str, Any]) -> Any:
        """Cancel a visit before the patient's arrival"""
        return self._step(operations.cancel, pk, body["reason_id"], body["by"], body["comment"], call=body["call"])

    @expose("/<int:pk>/restore", methods=["POST"])
    @guarded("schedule.cancel")
    @takes(forms.Restoring)
    def restore(self, pk: int, body: dict[str, Any]) -> Any:
        """Bring a cancelled visit back, to its time or to another one"""
        return self._step(operations.restore, pk, **body)

    def _step(self, operation: Any, pk: int, *values: Any, **more: Any) -> Any:
        if pk >= 2**31:
            raise NotFound()
        with transaction():
            visit = operation(pk, *values, **more, actor=actor())
            answer = self._done(visit)
        return answer
