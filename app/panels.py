"""The generated tables: the framework's list, show, add and edit pages, with its traps closed once.

Per-request filters, remote selects, native date inputs, clamped pages, constraint names as sentences,
audit of every change. A room's `panel.py` only configures. Where next: any `panel.py`.
"""

import copy
from typing import Any, ClassVar

from flask import flash, g, has_request_context, request, url_for
from flask_appbuilder import ModelView
from flask_appbuilder.fields import AJAXSelectField
from flask_appbuilder.forms import FieldConverter
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy import inspect as describe
from wtforms import DateField, DateTimeLocalField, ValidationError
from wtforms.validators import DataRequired, Optional
from wtforms.widgets import DateInput, DateTimeLocalInput, html_params

from app import audit
from app.db import session, transaction
from app.errors import NotFound, Refusal
from app.web import actor, sentence


class _Date(DateInput):
    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        return super().__call__(field, **{**kwargs, "class": "form-control"})


class _DateTime(DateTimeLocalInput):
    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        return super().__call__(field, **{"step": "300", **kwargs, "class": "form-control"})


class _DateTimeField(DateTimeLocalField):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("format", ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"])
        super().__init__(*args, **kwargs)


#: The framework's picker drops the time of day and breaks filters; the browser's own does not.
FieldConverter.conversion_table = tuple(
    ("is_date", DateField, _Date) if row[0] == "is_date"
    else ("is_datetime", _DateTimeField, _DateTime) if row[0] == "is_datetime"
    else row
    for row in FieldConverter.conversion_table
)  # fmt: skip


class _RemoteSelect:
    """A select that holds only the chosen row and asks the server while one types."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        kwargs = {"id": field.id, "name": field.name, **kwargs, "class": "form-control", "data-remote": url_for(self.endpoint)}
        option = Markup('<option value="{}" selected>{}</option>').format(field.pk, field.text) if field.pk else ""
        return Markup("<select {}>{}</select>").format(Markup(html_params(**kwargs)), option)


class RemoteSelectField(AJAXSelectField):
    """A relation to a large table: the whole table never reaches the page."""

    pk: int | None = None
    text = ""

    def __init__(self, label: Any, *, datamodel: Any, col_name: str, endpoint: str, required: bool = False) -> None:
        checks = [DataRequired() if required else Optional()]
        super().__init__(
            label, validators=checks, datamodel=datamodel, col_name=col_name, widget=_RemoteSelect(endpoint)
        )

    def process_data(self, value: Any) -> None:
        self.data = value
        if value is not None:
            self.pk, self.text = value.id, str(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0]:
            chosen = self.datamodel.get_related_interface(self.col_name).get(valuelist[0]) if valuelist[0].isdigit() else None
            if chosen is None:
                raise ValidationError(gettext("Choose a row from the list."))
            self.process_data(chosen)


class DeskInterface(SQLAInterface):
    """Counts without joins; a refused write is a sentence, never SQL on the screen."""

    def query_count(self, query: Any, filters: Any = None, select_columns: Any = None) -> Any:
        return super().query_count(query, filters, None)

    def get(self, id: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(id, str) and not (id.isdigit() and int(id) < 2**31):
            return None
        return super().get(id, *args, **kwargs)


class SafeFilters:
    """The framework keeps one mutable filter per view for all requests; here each request has its own."""

    @property
    def _filters(self) -> Any:
        base = self.__dict__.get("_shared_filters")
        if base is None or not has_request_context():
            return base
        mine = g.setdefault("_panel_filters", {})
        if id(self) not in mine:
            fresh = copy.copy(base)
            fresh.clear_filters()
            mine[id(self)] = fresh
        return mine[id(self)]

    @_filters.setter
    def _filters(self, value: Any) -> None:
        self.__dict__["_shared_filters"] = value


#: A page of a generated list never holds more rows than this, whatever the address says.
LARGEST_PAGE = 100


class PanelView(SafeFilters, ModelView):
    """A generated table of a directory: list, show, add, edit, remove what nobody uses.

    Everybody who may see directories reads it; `directory.edit` changes it. Every change is audited.
    """

    class_permission_name = "directory"
    method_permission_name: ClassVar[dict[str, str]] = {
        "list": "see", "show": "see", "add": "edit", "edit": "edit", "delete": "edit",
    }  # fmt: skip
    include_route_methods: ClassVar[set[str]] = {"list", "show", "add", "edit", "delete"}
    page_size = 25
    add_template = "panel/form.html"
    edit_template = "panel/form.html"
    list_template = "panel/list.html"
    show_template = "panel/show.html"
    #: Which values the log of actions keeps; all plain columns unless a room says otherwise.
    audited: ClassVar[tuple[str, ...]] = ()

    def _list(self, **kwargs: Any) -> Any:
        self._sane_arguments()
        return super()._list(**kwargs)

    def _show(self, pk: Any) -> Any:
        self._sane_arguments()
        return super()._show(pk)

    def _sane_arguments(self) -> None:
        """The framework turns `?page_X=abc` and unknown order columns into an error; here they are dropped."""
        from werkzeug.datastructures import ImmutableMultiDict

        kept = []
        for key, value in request.args.items(multi=True):
            if key.startswith(("page_", "psize_")) and not (value.isdigit() and int(value) < 10_000):
                continue
            if key.startswith("psize_") and int(value) not in range(1, LARGEST_PAGE + 1):
                value = str(LARGEST_PAGE)
            if key.startswith("_oc_") and value not in self.order_columns:
                continue
            if key.startswith("_flt_") and "\x00" in value:
                continue
            kept.append((key, value))
        request.args = ImmutableMultiDict(kept)

    def _facts(self, item: Any) -> dict[str, Any]:
        names = self.audited or tuple(column.key for column in describe(type(item)).column_attrs)
        return audit.facts(item, names)

    def _change(self, item: Any, deed: str, work: Any, before: dict[str, Any] | None, done: Any) -> bool:
        """Write in one transaction with the log; a refusal is shown and nothing is written."""
        try:
            with transaction():
                work()
                session.flush()
                after = self._facts(item) if deed != "removed" else None
                audit.record(f"directory.{deed}", item, before=before, after=after, actor=actor())
        except Refusal as refusal:
            flash(sentence(refusal), "danger")
            return False
        flash(str(done), "success")
        return True

    def _add(self) -> Any:
        form = self.add_form.refresh()
        if request.method == "POST" and form.validate():
            item = self.datamodel.obj()

            def work() -> None:
                form.populate_obj(item)
                self.pre_add(item)
                session.add(item)

            if self._change(item, "added", work, None, self.add_row_message):
                return None
        elif request.method == "GET":
            self.update_redirect()
        return self._get_add_widget(form=form, exclude_cols=[])

    def _edit(self, pk: Any) -> Any:
        item = self.datamodel.get(pk, self._base_filters)
        if item is None:
            raise NotFound()
        form = self.edit_form.refresh(request.form if request.method == "POST" else None, obj=item)
        form._id = self.datamodel.get_pk_value(item)
        if request.method == "POST" and form.validate():
            before = self._facts(item)

            def work() -> None:
                form.populate_obj(item)
                self.pre_update(item)

            if self._change(item, "changed", work, before, self.edit_row_message):
                return None
        elif request.method == "GET":
            self.update_redirect()
        return self._get_edit_widget(form=form, exclude_cols=[])

    def _delete(self, pk: Any) -> None:
        item = self.datamodel.get(pk, self._base_filters)
        if item is None:
            raise NotFound()

        def work() -> None:
            self.pre_delete(item)
            session.delete(item)

        self._change(item, "removed", work, self._facts(item), self.delete_row_message)
        self.update_redirect()


class ReadOnlyPanel(PanelView):
    """A generated list of what only operations may write: money, visits, papers, the log."""

    include_route_methods: ClassVar[set[str]] = {"list", "show"}
    base_permissions: ClassVar[list[str]] = ["can_see"]
