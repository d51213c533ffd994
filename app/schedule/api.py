"""The schedule over JSON: the day, free times, visits and their steps, closed time."""

from typing import Any

from flask import request

from app import access, clock
from app.db import transaction
from app.errors import NotFound
from app.models import Appointment, Branch, Patient, TimeBlock
from app.schedule import forms, operations, queries
from app.web import DeskApi, actor, asks, expose, fetched, guarded, may, takes


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


class ScheduleApi(DeskApi):
    resource_name = "schedule"
    openapi_spec_tag = "Schedule"

    @expose("/day", methods=["GET"])
    @guarded("schedule.see")
    @asks(forms.DayQuery)
    def day(self, query: dict[str, Any]) -> Any:
        """A day of the schedule; 304 when nothing has changed since the ETag"""
        if query["branch_id"] is not None:
            fetched(Branch, query["branch_id"])
        sheet = queries.day_sheet(
            query["day"] or clock.today(),
            branch_id=query["branch_id"],
            doctor_id=own_doctor(),
            with_money=may("payment.see"),
        )
        if request.if_none_match.contains_weak(sheet.version):
            response = self.answer(None, 304)
            response.set_data(b"")
        else:
            response = self.answer(sheet.as_json())
        response.set_etag(sheet.version)
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["X-Wall-Clock"] = clock.wall_now().isoformat(timespec="seconds")
        return response

    @expose("/free", methods=["GET"])
    @guarded("schedule.see")
    @asks(forms.FreeQuery)
    def free(self, query: dict[str, Any]) -> Any:
        """The first free times, the earliest first"""
        own = own_doctor()
        query["first"] = query["first"] or clock.today()
        if own is not None:
            if query["doctor_id"] is not None:
                access.require_own(actor(), "schedule.see", query["doctor_id"])
            query["doctor_id"] = own
        return self.answer({"result": queries.free_slots(query.pop("minutes"), **query)})

    @expose("/of-patient/<int:pk>", methods=["GET"])
    @guarded("schedule.see")
    def of_patient(self, pk: int) -> Any:
        """The visits of a patient that are still to come"""
        fetched(Patient, pk)
        rows = queries.visits_of(pk, doctor_id=own_doctor(), since=clock.wall_now(), with_money=may("payment.see"))
        return self.listed(len(rows), rows)

    @expose("/blocks/", methods=["POST"])
    @guarded("schedule.block")
    @takes(forms.Blocking)
    def block(self, body: dict[str, Any]) -> Any:
        """Close or hold time of a doctor or a chair"""
        with transaction():
            if body["branch_id"] is not None:
                fetched(Branch, body["branch_id"])
            block = operations.block_time(
                body.pop("kind"), body.pop("starts_at"), body.pop("ends_at"), body.pop("reason"), **body, actor=actor()
            )
            answer = block_answer(block)
        return self.created(answer)

    @expose("/blocks/<int:pk>/lift", methods=["POST"])
    @guarded("schedule.block")
    @takes(forms.Nothing)
    def lift(self, pk: int, body: dict[str, Any]) -> Any:
        """Open closed or held time again"""
        fetched(TimeBlock, pk)
        with transaction():
            answer = block_answer(operations.lift_block(pk, actor=actor()))
        return self.answer(answer)


def block_answer(block: TimeBlock) -> dict[str, Any]:
    return {
        "id": block.id,
        "kind": block.kind,
        "doctor_id": block.doctor_id,
        "chair_id": block.chair_id,
        "branch_id": block.branch_id,
        "starts_at": block.starts_at,
        "ends_at": block.ends_at,
        "reason": block.reason,
        "lifted_at": block.lifted_at,
    }


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
        return self._step(operations.confirm, pk, body["confirmation"])

    @expose("/<int:pk>/cancel", methods=["POST"])
    @guarded("schedule.cancel")
    @takes(forms.Cancelling)
    def cancel(self, pk: int, body: dict[str, Any]) -> Any:
        """Cancel a visit before the patient's arrival"""
        return self._step(operations.cancel, pk, body["reason_id"], body["by"], body["comment"])

    @expose("/<int:pk>/restore", methods=["POST"])
    @guarded("schedule.cancel")
    @takes(forms.Nothing)
    def restore(self, pk: int, body: dict[str, Any]) -> Any:
        """Bring a cancelled visit back"""
        return self._step(operations.restore, pk)

    def _step(self, operation: Any, pk: int, *values: Any) -> Any:
        if pk >= 2**31:
            raise NotFound()
        with transaction():
            visit = operation(pk, *values, actor=actor())
            answer = self._done(visit)
        return answer
