"""The schedule over JSON: the day, free times, what is still to come, closed time."""

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import get_locale

from app import access, clock
from app.db import transaction
from app.errors import Invalid
from app.models import Branch, Employee, Patient, TimeBlock
from app.schedule import forms, operations, queries
from app.schedule.api.visits import own_doctor
from app.vocab import N_
from app.web import DeskApi, actor, asks, expose, fetched, guarded, may, takes


class ScheduleApi(DeskApi):
    resource_name = "schedule"
    openapi_spec_tag = "Schedule"

    @expose("/day", methods=["GET"])
    @guarded("schedule.see")
    @asks(forms.DayQuery)
    def day(self, query: dict[str, Any]) -> Any:
        """A day of the schedule; 304 when nothing has changed since the ETag"""
        day, branch_id = query["day"] or clock.today(), query["branch_id"]
        doctor_id, with_money = own_doctor(), may("payment.see")

        def look() -> queries.DaySheet:
            sheet = queries.day_sheet(day, branch_id=branch_id, doctor_id=doctor_id, with_money=with_money)
            if branch_id is not None and not (sheet.chairs or sheet.columns):
                fetched(Branch, branch_id)
            return sheet

        return self._told(("day", day, branch_id, doctor_id, with_money), look)

    @expose("/week", methods=["GET"])
    @guarded("schedule.see")
    @asks(forms.WeekQuery)
    def week(self, query: dict[str, Any]) -> Any:
        """A week of one doctor; 304 when nothing has changed since the ETag"""
        day, doctor_id = query["day"] or clock.today(), self._whose(query["doctor_id"])
        with_money = may("payment.see")

        def look() -> queries.WeekSheet:
            if doctor_id is None:
                raise Invalid(fields={"doctor_id": N_("Choose the doctor.")})
            fetched(Employee, doctor_id)
            return queries.week_sheet(day, doctor_id, with_money=with_money)

        return self._told(("week", day, doctor_id, with_money), look)

    @expose("/month", methods=["GET"])
    @guarded("schedule.see")
    @asks(forms.MonthQuery)
    def month(self, query: dict[str, Any]) -> Any:
        """How full each day of a month is: hours, booked, closed and free minutes, visits; 304 as the day"""
        if query["branch_id"] is not None:
            fetched(Branch, query["branch_id"])
        doctor_id = self._whose(query["doctor_id"])
        if doctor_id is not None:
            fetched(Employee, doctor_id)
        sheet = queries.month_load(
            query["day"] or clock.today(),
            branch_id=query["branch_id"],
            doctor_id=doctor_id,
            language=get_locale().language,
        )
        return self._unless_known(sheet.version, sheet.as_json)

    def _whose(self, doctor_id: int | None) -> int | None:
        """The doctor to show: a doctor sees the own schedule only."""
        own = own_doctor()
        if own is not None and doctor_id is not None:
            access.require_own(actor(), "schedule.see", doctor_id)
        return doctor_id if own is None else own

    def _told(self, what: Hashable, look: Callable[[], queries.DaySheet]) -> Any:
        """The sheet, or 304 when the caller has it already: without a look when it cannot have changed."""
        as_of = access.account(actor()).as_of
        known = queries.known_version(what, as_of)
        if known is not None and request.if_none_match.contains_weak(known):
            return self._unless_known(known, dict)
        sheet = look()
        queries.keep_version(what, as_of, sheet)
        return self._unless_known(sheet.version, sheet.as_json)

    def _unless_known(self, version: str, told: Callable[[], Any]) -> Any:
        """The sheet, or 304 when the caller has this version already."""
        if request.if_none_match.contains_weak(version):
            response = self.answer(None, 304)
            response.set_data(b"")
        else:
            response = self.answer(told())
        response.set_etag(version)
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
            body["expires_at"] = _instant(body["expires_at"])
            block = operations.block_time(
                body.pop("kind"), body.pop("starts_at"), body.pop("ends_at"), body.pop("reason"), **body, actor=actor()
            )
            answer = block_answer(block)
        return self.created(answer)

    @expose("/blocks/<int:pk>", methods=["PATCH"])
    @guarded("schedule.block")
    @takes(forms.BlockChange)
    def change_block(self, pk: int, body: dict[str, Any]) -> Any:
        """Move closed or held time, change its boundaries, whose it is, what for, until when"""
        fetched(TimeBlock, pk)
        if "expires_at" in body:
            body["expires_at"] = _instant(body["expires_at"])
        with transaction():
            block = operations.change_block(pk, body.pop("version"), **body, actor=actor())
            answer = block_answer(block)
        return self.answer(answer)

    @expose("/blocks/<int:pk>/lift", methods=["POST"])
    @guarded("schedule.block")
    @takes(forms.Nothing)
    def lift(self, pk: int, body: dict[str, Any]) -> Any:
        """Open closed or held time again"""
        fetched(TimeBlock, pk)
        with transaction():
            answer = block_answer(operations.lift_block(pk, actor=actor()))
        return self.answer(answer)


def _instant(wall: datetime | None) -> datetime | None:
    """The moment that the clinic's clock will show so."""
    return wall.replace(tzinfo=clock.zone()) if wall else None


def block_answer(block: TimeBlock) -> dict[str, Any]:
    return {
        "id": block.id,
        "version": block.version,
        "kind": block.kind,
        "doctor_id": block.doctor_id,
        "chair_id": block.chair_id,
        "branch_id": block.branch_id,
        "starts_at": block.starts_at,
        "ends_at": block.ends_at,
        "reason": block.reason,
        "expires_at": block.expires_at,
        "lifted_at": block.lifted_at,
    }
