"""Managing visits over JSON: the last actions and their undoing, the shelf, series."""

from typing import Any

from app import access
from app.answers import sentence
from app.db import transaction
from app.deeds import deed
from app.errors import Refusal
from app.schedule import forms, operations, queries
from app.schedule.api.visits import own_doctor, visit_answer
from app.web import DeskApi, actor, asks, expose, guarded, may, takes


class ScheduleActionsApi(DeskApi):
    resource_name = "schedule"
    openapi_spec_tag = "Schedule"

    @expose("/actions", methods=["GET"])
    @guarded("schedule.see")
    def actions(self) -> Any:
        """What the account did in the schedule last, and what of it can be undone"""
        done = queries.last_actions(actor().id)
        refusals = queries.why_not(done, may_look_back=may("schedule.outside_hours"))
        rows = [
            {
                **row,
                "what": deed(row["action"]),
                "undoable": refusal is None,
                "why": sentence(refusal) if refusal else None,
            }
            for row, refusal in zip(queries.action_rows(done), refusals, strict=True)
        ]
        return self.listed(len(rows), rows)

    @expose("/actions/<int:pk>/undo", methods=["POST"])
    @guarded("schedule.see")
    @takes(forms.Nothing)
    def undo_one(self, pk: int, body: dict[str, Any]) -> Any:
        """Undo one of the last actions of the account"""
        with transaction():
            answer = _undone(operations.undo_action(min(pk, 2**31 - 1), actor=actor()))
        return self.answer(answer)

    @expose("/undo", methods=["POST"])
    @guarded("schedule.see")
    @takes(forms.Undoing)
    def undo_last(self, body: dict[str, Any]) -> Any:
        """Undo the last action of the account, or the one that made this version of a visit"""
        with transaction():
            answer = _undone(operations.undo_last(**body, actor=actor()))
        return self.answer(answer)

    @expose("/shelf", methods=["GET"])
    @guarded("schedule.see")
    def shelf(self) -> Any:
        """The visits on the shelf of the account"""
        rows = queries.shelf_of(actor().id, with_money=may("payment.see"))
        return self.listed(len(rows), rows)


def _undone(undone: operations.Undone) -> dict[str, Any]:
    [row] = queries.action_rows([undone.action])
    gone = undone.removed and undone.action.last.after.get("starts_at")
    return {
        "id": undone.action.id,
        "action": row["action"],
        "what": deed(row["action"]),
        "who": row["who"],
        "starts_at": gone or row["starts_at"],
        "count": row["count"],
        "removed": undone.removed,
        "appointments": list(undone.visits),
        "blocks": list(undone.blocks),
        "visit": queries.visit(undone.visits[0], with_money=may("payment.see")) if undone.visits else None,
    }


class CarriedApi(DeskApi):
    resource_name = "appointments"
    openapi_spec_tag = "Schedule"

    @expose("/<int:pk>/shelf", methods=["POST"])
    @guarded("schedule.move")
    @takes(forms.Nothing)
    def put_on_shelf(self, pk: int, body: dict[str, Any]) -> Any:
        """Take a visit onto one's shelf; it keeps its place"""
        visit_answer(pk)
        with transaction():
            operations.put_on_shelf(pk, actor=actor())
            answer = visit_answer(pk)
        return self.answer(answer)

    @expose("/<int:pk>/shelf", methods=["DELETE"])
    @guarded("schedule.move")
    def take_off_shelf(self, pk: int) -> Any:
        """Let a visit of one's shelf stay where it is"""
        visit_answer(pk)
        with transaction():
            operations.take_off_shelf(pk, actor=actor())
            answer = visit_answer(pk)
        return self.answer(answer)

    @expose("/<int:pk>/series", methods=["GET"])
    @guarded("schedule.see")
    def series(self, pk: int) -> Any:
        """The visits that were booked as one series with this one"""
        rows = queries.series_of(visit_answer(pk)["series_id"], doctor_id=own_doctor())
        return self.listed(len(rows), rows)

    @expose("/<int:pk>/series/preview", methods=["GET"])
    @guarded("schedule.book")
    @asks(forms.SeriesQuery)
    def preview_series(self, pk: int, query: dict[str, Any]) -> Any:
        """What a series would meet on each day: free, or why not and the nearest free time"""
        visit_answer(pk)
        rows = operations.preview_series(pk, **query, actor=actor())
        return self.listed(len(rows), [{**_told(row.pop("refusal")), **row} for row in rows])

    @expose("/<int:pk>/series", methods=["POST"])
    @guarded("schedule.book")
    @takes(forms.Series)
    def book_series(self, pk: int, body: dict[str, Any]) -> Any:
        """Book copies of a visit at these times, all or none"""
        visit_answer(pk)
        for slot in body["slots"]:
            access.require_own(actor(), "schedule.see", slot.get("doctor_id") or visit_answer(pk)["doctor_id"])
        with transaction():
            made = operations.book_series(
                pk, body["slots"], outside_hours_reason=body["outside_hours_reason"], actor=actor()
            )
            rows = queries.series_of(made[0].series_id)
            answer = {"series_id": made[0].series_id, "made": [visit.id for visit in made], "result": rows}
        return self.created(answer)


def _told(refusal: Refusal | None) -> dict[str, Any]:
    if refusal is None:
        return {"free": True, "error": None, "why": None}
    return {"free": False, "error": refusal.code, "why": sentence(refusal)}
