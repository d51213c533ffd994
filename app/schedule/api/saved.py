"""Saved views of the schedule over JSON; everybody has and sees only own ones."""

from typing import Any

from app.db import transaction
from app.errors import NotFound
from app.models import Branch
from app.schedule import forms, operations, queries
from app.web import DeskApi, actor, expose, fetched, guarded, takes


def _checked(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    if settings and settings["branch_id"] is not None:
        fetched(Branch, settings["branch_id"])
    return settings


def _known(pk: int) -> int:
    if not 0 < pk < 2**31:
        raise NotFound()
    return pk


class SavedViewApi(DeskApi):
    resource_name = "schedule/views"
    openapi_spec_tag = "Schedule"

    @expose("/", methods=["GET"])
    @guarded("schedule.see")
    def views(self) -> Any:
        """The saved views of the account"""
        found = queries.saved_views(actor().id)
        return self.listed(len(found), found)

    @expose("/", methods=["POST"])
    @guarded("schedule.see")
    @takes(forms.NewView)
    def save(self, body: dict[str, Any]) -> Any:
        """Keep the way the schedule looks now under a name"""
        with transaction():
            view = operations.save_view(body["name"], _checked(body["settings"]) or {}, actor=actor())
            answer = queries.as_view(view)
        return self.created(answer)

    @expose("/<int:pk>", methods=["PATCH"])
    @guarded("schedule.see")
    @takes(forms.ChangedView)
    def change(self, pk: int, body: dict[str, Any]) -> Any:
        """Rename a saved view, or let it look as the schedule looks now"""
        with transaction():
            view = operations.change_view(
                _known(pk), name=body.get("name"), settings=_checked(body.get("settings")), actor=actor()
            )
            answer = queries.as_view(view)
        return self.answer(answer)

    @expose("/<int:pk>", methods=["DELETE"])
    @guarded("schedule.see")
    def remove(self, pk: int) -> Any:
        """Forget a saved view"""
        with transaction():
            operations.remove_view(_known(pk), actor=actor())
        return self.answer({})

    @expose("/last", methods=["POST"])
    @guarded("schedule.see")
    @takes(forms.LastView)
    def last(self, body: dict[str, Any]) -> Any:
        """Remember which view was used last; null: none, the ordinary schedule"""
        with transaction():
            if body["view_id"] is None:
                operations.leave_views(actor=actor())
            else:
                operations.use_view(body["view_id"], actor=actor())
        return self.answer({})
