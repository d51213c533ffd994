"""The list of calls over JSON: who is to be called, claiming, attempts, results."""

from typing import Any

from app.db import transaction
from app.models import CallTask
from app.tasks import forms, operations, queries
from app.tasks.asked import add_task, wanted
from app.web import DeskApi, actor, asks, expose, fetched, guarded, may, takes


def answer(row: queries.Row) -> queries.Row:
    """A row as this account may see it: money only with the right to it."""
    shown = {key: value for key, value in row.items() if key != "balance" or may("payment.see")}
    if shown["claimed"]:
        shown["claimed"] = {key: value for key, value in shown["claimed"].items() if key != "at"}
    return shown


class CallTaskApi(DeskApi):
    resource_name = "call-tasks"
    openapi_spec_tag = "Calls"

    def _done(self, task: CallTask, status: int = 200) -> Any:
        row = queries.one(task.id, me=actor().id)
        assert row is not None
        return self.answer(answer(row), status)

    @expose("/", methods=["GET"])
    @guarded("task.see")
    @asks(forms.ListQuery)
    def index(self, query: dict[str, Any]) -> Any:
        """Who is to be called, the most urgent first"""
        count, rows = queries.page(
            wanted(query), me=actor().id, limit=query["page_size"], offset=query["page"] * query["page_size"]
        )
        return self.listed(count, [answer(row) for row in rows])

    @expose("/", methods=["POST"])
    @guarded("task.add")
    @takes(forms.NewTask)
    def add(self, body: dict[str, Any]) -> Any:
        """Ask for a patient to be called"""
        with transaction():
            task = add_task(body)
            done = self._done(task, 201) if may("task.see") else self.answer({"id": task.id}, 201)
        return done

    @expose("/<int:pk>", methods=["GET"])
    @guarded("task.see")
    def get(self, pk: int) -> Any:
        """One task with its attempts"""
        task = fetched(CallTask, pk)
        row = queries.one(task.id, me=actor().id)
        assert row is not None
        return self.answer({**answer(row), "history": queries.attempts(pk)})

    @expose("/<int:pk>", methods=["PATCH"])
    @guarded("task.work")
    @takes(forms.Changing)
    def change(self, pk: int, body: dict[str, Any]) -> Any:
        """Write a comment, or who is to call"""
        return self._step(operations.change, pk, body.pop("version"), **body)

    @expose("/<int:pk>/claim", methods=["POST"])
    @guarded("task.work")
    @takes(forms.Nothing)
    def claim(self, pk: int, body: dict[str, Any]) -> Any:
        """Call this patient: nobody else does meanwhile"""
        return self._step(operations.claim, pk)

    @expose("/<int:pk>/give_up", methods=["POST"])
    @guarded("task.work")
    @takes(forms.Nothing)
    def give_up(self, pk: int, body: dict[str, Any]) -> Any:
        """Let others call the patient"""
        return self._step(operations.give_up, pk)

    @expose("/<int:pk>/not_reached", methods=["POST"])
    @guarded("task.work")
    @takes(forms.NotReached)
    def not_reached(self, pk: int, body: dict[str, Any]) -> Any:
        """The patient did not answer"""
        return self._step(operations.not_reached, pk, body.pop("version"), **body)

    @expose("/<int:pk>/postpone", methods=["POST"])
    @guarded("task.work")
    @takes(forms.Postponing)
    def postpone(self, pk: int, body: dict[str, Any]) -> Any:
        """Call at another time"""
        return self._step(operations.postpone, pk, body.pop("version"), **body)

    @expose("/<int:pk>/close", methods=["POST"])
    @guarded("task.work")
    @takes(forms.Closing)
    def close(self, pk: int, body: dict[str, Any]) -> Any:
        """Write down what came of the call"""
        return self._step(operations.close, pk, body.pop("version"), body.pop("result"), **body)

    def _step(self, operation: Any, pk: int, *values: Any, **more: Any) -> Any:
        fetched(CallTask, pk)
        with transaction():
            task = operation(pk, *values, **more, actor=actor())
            done = self._done(task)
        return done
