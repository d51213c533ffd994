"""The generated tables: list, show, add and edit pages of a table, with the framework's traps closed once.

Nothing of a request is kept in a view, whole tables never reach a page, constraint names become sentences, every
change is audited. A room's `panel.py` only configures. Where next: `app/panel_fields.py`, any `panel.py`.
"""

import copy
import functools
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from flask import flash, g, has_request_context, redirect, request, url_for
from flask_appbuilder import ModelView
from flask_appbuilder.fields import QuerySelectField
from flask_appbuilder.models.sqla.filters import BaseFilter
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Boolean, Date, DateTime, Integer, Numeric, SmallInteger, String, false, or_
from sqlalchemy import inspect as describe
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from app import access, audit, clock, money
from app.answers import sentence
from app.db import holds, refusal_of, session, transaction
from app.errors import Invalid, NotFound, Refusal
from app.looks import label, shown_day, shown_moment
from app.panel_fields import PlainSelect, RemoteSelectField, is_box, tidy
from app.roles import RIGHTS
from app.vocab import Labelled
from app.web import actor, expose, guarded, may

__all__ = ["DayPanel", "DeskInterface", "OpenDays", "PanelView", "ReadOnlyPanel", "RemoteSelectField"]

#: A page of a generated list never holds more rows than this, whatever the address says.
LARGEST_PAGE = 100
#: Rows beyond this are not counted and not paged to: who looks further searches.
COUNTED = 10_000
#: A relation with more rows than this is not offered as a drop-down in the search.
OFFERED = 200


class DeskInterface(SQLAInterface):
    """How a generated page reads its table: bounded counts, stable order, named relations in the same statement."""

    def __init__(self, obj: Any, session: Any = None, *, eager: tuple[str, ...] = ()) -> None:
        super().__init__(obj, session)
        self.eager = eager

    def query_count(self, query: Any, filters: Any = None, select_columns: Any = None) -> int:
        found = self.apply_filters(query, filters).with_entities(self.get_pk()).limit(COUNTED + 1)
        return int(found.count())

    def apply_all(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        query = query.options(*(joinedload(getattr(self.obj, name)) for name in self.eager))
        return super().apply_all(query, *args, **kwargs)

    def apply_order_by(self, query: Any, order_column: str, *args: Any, **kwargs: Any) -> Any:
        if not order_column:  # a drop-down: by the name, as people look for it
            order_column = next((name for name in ("surname", "name") if name in self.list_columns), self.get_pk_name())
            args = ("asc",)
        return super().apply_order_by(query, order_column, *args, **{**kwargs, "add_pk": True})

    def get(self, id: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(id, str) and not (id.isascii() and id.isdigit() and int(id) < 2**31):
            return None
        return super().get(id, *args, **kwargs)

    def is_nullable(self, col_name: str) -> bool:
        """May a form leave it empty? A text that is empty by default may, and a box need not be ticked."""
        column = self.list_columns.get(col_name)
        if column is None:
            return bool(super().is_nullable(col_name))
        empty = column.default is not None and column.default.is_scalar and column.default.arg == ""
        return bool(column.nullable or empty or isinstance(column.type, Boolean))


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


class _Sought(BaseFilter):
    """A condition made from what somebody is looking for."""

    def apply(self, query: Any, value: Any) -> Any:
        return query.where(value)


def _sought(interface: DeskInterface, name: str, text: str, *, whole: bool) -> Any:
    """The condition that a search field means; nonsense finds nothing. `whole`: the text is the value."""
    column: Any
    kind: Any
    if interface.is_relation_many_to_one(name):
        column, kind = interface.get_relation_fk(name), Integer()
    else:
        column, kind = getattr(interface.obj, name), interface.list_columns[name].type
    match kind:
        case Boolean():
            return column.is_(text == "y")
        case String() if whole:
            return column == text
        case String():
            return holds(column, text[:200])
        case Integer():
            return column == int(text) if re.fullmatch(r"[0-9]{1,9}", text) else false()
        case Numeric():
            amount = money.parse(text)
            return column == amount if amount is not None else false()
        case Date() | DateTime():
            try:
                day = date.fromisoformat(text)
            except ValueError:
                return false()
            if isinstance(kind, Date):
                return column == day
            start = datetime.combine(day, time(), clock.zone() if kind.timezone else None)
            return (column >= start) & (column < start + timedelta(days=1)) if day < date.max else false()
    return None


def shown(value: Any) -> Any:
    """A value as people write it: yes and no, dates, moments, sums; nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return shown_moment(value)
    if isinstance(value, date):
        return shown_day(value, "d MMMM")
    if isinstance(value, Decimal):
        return money.shown(value)
    return value


def _by_right(method: Callable[..., Any]) -> Callable[..., Any]:
    """`@guarded` with the right that the panel's class names for this page."""

    @functools.wraps(method)
    def with_right(self: "PanelView", *args: Any, **kwargs: Any) -> Any:
        return guarded(self.right_of(method.__name__))(method)(self, *args, **kwargs)

    with_right.by_class = True  # type: ignore[attr-defined]  # for whoever checks that every page is guarded
    return with_right


class PanelView(SafeFilters, ModelView):
    """A generated table of a directory: list, show, add, edit, remove what nobody uses.

    Everybody who may see directories reads it; `directory.edit` changes it. Every change is audited.
    A class names its `one` (the title of a single row), `list_title`, labels, columns, `search_columns`.
    """

    class_permission_name = "directory"
    method_permission_name: ClassVar[dict[str, str]] = {
        "list": "see", "show": "see", "add": "edit", "edit": "edit", "delete": "edit",
    }  # fmt: skip
    include_route_methods: ClassVar[set[str]] = {"list", "show", "add", "edit", "delete"}
    page_size = 25
    base_order: tuple[str, str] = ("id", "desc")
    add_template = "panel/form.html"
    edit_template = "panel/form.html"
    list_template = "panel/list.html"
    show_template = "panel/show.html"
    #: What one row is called.
    one: Any = ""
    #: Columns that hold a value of a closed list: {"status": MessageStatus}.
    words: ClassVar[dict[str, type[Labelled]]] = {}
    #: Columns with a list of stored values and their words that is no `Labelled`: only for the search.
    choices: ClassVar[dict[str, dict[str, str]]] = {}
    #: What stands in place of an empty list: where its rows come from.
    nothing: Any = lazy_gettext("There is nothing here yet.")
    #: A sentence under the title of the list.
    hint: Any = ""
    #: Which values the log of actions keeps; all plain columns unless a room says otherwise.
    audited: ClassVar[tuple[str, ...]] = ()

    add_row_message = lazy_gettext("Added.")
    edit_row_message = lazy_gettext("Saved.")
    delete_row_message = lazy_gettext("Removed.")

    def _init_titles(self) -> None:
        titles = {
            "show_title": self.one,
            "add_title": lazy_gettext("%(what)s: new", what=self.one),
            "edit_title": lazy_gettext("%(what)s: change", what=self.one),
        }
        for name, title in titles.items():
            if self.one and not getattr(self, name):
                setattr(self, name, title)
        super()._init_titles()

    def _init_forms(self) -> None:
        super()._init_forms()
        for form in (self.add_form, self.edit_form):
            for name in dir(form):
                field: Any = getattr(form, name, None)
                if getattr(field, "field_class", None) is QuerySelectField:
                    field.kwargs["widget"], field.kwargs["blank_text"] = PlainSelect(), "—"

    @classmethod
    def right_of(cls, method: str) -> str:
        """The right that a page of this panel needs."""
        right = f"{cls.class_permission_name}.{cls.method_permission_name[method]}"
        if right not in RIGHTS:
            raise ValueError(f"no such right: {right}")
        return right

    def can(self, method: str) -> bool:
        """Is there such a page, and may the account open it? For buttons."""
        return method in self.include_route_methods and may(self.right_of(method))

    def shown(self, name: str, value: Any) -> Any:
        """A value of a column as it stands on the page."""
        if name in self.formatters_columns:
            return self.formatters_columns[name](value)
        if name in self.words and value is not None:
            return label(self.words[name], value)
        return shown(value)

    def is_number(self, name: str) -> bool:
        """Is the column aligned to the right?"""
        column = self.datamodel.list_columns.get(name)
        return column is not None and isinstance(column.type, Numeric | Integer | SmallInteger)

    def is_box(self, field: Any) -> bool:
        return is_box(field)

    # --- pages ----------------------------------------------------------------------------------------

    @expose("/list/")
    @_by_right
    def list(self) -> Any:
        """The table, searched and paged."""
        return self.render_template(self.list_template, title=self.list_title, panel=self, **self._list())

    @expose("/show/<pk>")
    @_by_right
    def show(self, pk: str) -> Any:
        """One row."""
        return self.render_template(self.show_template, title=self.show_title, panel=self, **self._show(pk))

    @expose("/add", methods=["GET", "POST"])
    @_by_right
    def add(self) -> Any:
        """A new row."""
        return self._form_page(self.add_form, self.add_columns, None)

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @_by_right
    def edit(self, pk: str) -> Any:
        """Change a row."""
        return self._form_page(self.edit_form, self.edit_columns, self._item(pk))

    @expose("/delete/<pk>", methods=["POST"])
    @_by_right
    def delete(self, pk: str) -> Any:
        """Remove a row that nothing refers to."""
        item = self._item(pk)

        def work() -> None:
            self.pre_delete(item)
            session.delete(item)

        if self._change(item, "removed", work, self._facts(item)) is None:
            return redirect(url_for(".list"))
        return redirect(url_for(".edit", pk=pk) if self.can("edit") else url_for(".list"))

    # --- reading --------------------------------------------------------------------------------------

    def _item(self, pk: str) -> Any:
        item = self.datamodel.get(pk, self._base_filters)
        if item is None:
            raise NotFound()
        return item

    def _argument(self, name: str, most: int) -> int:
        """A number from the address; 0 when it is missing or nonsense."""
        text = request.args.get(f"{name}_{type(self).__name__}", "")
        return min(int(text), most) if re.fullmatch(r"[0-9]{1,9}", text) else 0

    def _order(self) -> tuple[str, str]:
        name = type(self).__name__
        column, direction = request.args.get(f"_oc_{name}", ""), request.args.get(f"_od_{name}", "asc")
        if column not in self.order_columns:
            return self.base_order
        return column, "desc" if direction == "desc" else "asc"

    def _wanted(self) -> dict[str, str]:
        """What is looked for, by column: `?_flt_0_name=…`, whatever the digit."""
        wanted = {}
        for key, text in request.args.items():
            found = re.fullmatch(r"_flt_[0-9]+_(.+)", key)
            if found and found[1] in self.search_columns and text.strip():
                wanted[found[1]] = text.strip().replace("\x00", "")
        return wanted

    def _list(self, **_: Any) -> dict[str, Any]:
        """What the list page shows. A room's panel may look at the request first and then call this."""
        wanted = self._wanted()
        filters = self.datamodel.get_filters()
        for name, text in wanted.items():
            condition = _sought(self.datamodel, name, text, whole=name in self.words or name in self.choices)
            if condition is not None:
                filters.filters.append(_Sought(name, self.datamodel))
                filters.values.append(condition)
        size = self._argument("psize", LARGEST_PAGE) or self.page_size
        page = self._argument("page", COUNTED // size)
        order, direction = self._order()
        count, rows = self.datamodel.query(
            filters.get_joined_filters(self._base_filters), order, direction, page=page, page_size=size
        )
        pages = -(-min(count, COUNTED) // size)
        return {
            "rows": rows, "count": count, "many": count > COUNTED, "page": page, "pages": pages,
            "order": order, "direction": direction, "wanted": wanted, "searches": self._searches(),
        }  # fmt: skip

    def value(self, row: Any, name: str) -> Any:
        """The value of a column, or of a property, of a row."""
        return self.datamodel._get_attr_value(row, name)

    def address(self, **changes: Any) -> str:
        """This list with another page or order; what is looked for stays."""
        name, args = type(self).__name__, request.args.to_dict()
        keys = {"page": f"page_{name}", "order": f"_oc_{name}", "direction": f"_od_{name}"}
        args.update({keys[key]: str(value) for key, value in changes.items()})
        if "page" not in changes:
            args.pop(keys["page"], None)
        return url_for(".list", **args)  # type: ignore[arg-type]

    def _searches(self) -> "list[dict[str, Any]]":  # type: ignore[valid-type]
        """The search fields: name, label, and either choices or the type of the input."""
        fields = []
        for name in self.search_columns:
            choices, kind = None, "text"
            if self.datamodel.is_relation_many_to_one(name):
                related = self.datamodel.get_related_interface(name)
                _, rows = related.query(page_size=OFFERED + 1)
                if len(rows) > OFFERED:
                    continue
                choices = [(str(row.id), str(row)) for row in rows]
            elif name in self.words:
                choices = [(str(word), gettext(word.label)) for word in self.words[name]]
            elif name in self.choices:
                choices = [(value, gettext(word)) for value, word in self.choices[name].items()]
            elif name in self.datamodel.list_columns:
                column_type = self.datamodel.list_columns[name].type
                if isinstance(column_type, Boolean):
                    choices = [("y", gettext("yes")), ("n", gettext("no"))]
                elif isinstance(column_type, Date | DateTime):
                    kind = "date"
            fields.append({"name": name, "label": self.label_columns[name], "choices": choices, "kind": kind})
        return fields

    def _show(self, pk: Any) -> dict[str, Any]:
        """What the page of one row shows."""
        return {"row": self._item(pk), "pk": pk}

    # --- changing -------------------------------------------------------------------------------------

    def _facts(self, item: Any) -> dict[str, Any]:
        names = self.audited or tuple(column.key for column in describe(type(item)).column_attrs)
        return audit.facts(item, names)

    def _change(self, item: Any, deed: str, work: Any, before: dict[str, Any] | None) -> Refusal | None:
        """Write in one transaction with the log; a refusal is shown, given back, and nothing is written."""
        try:
            with transaction():
                work()
                session.flush()
                after = self._facts(item) if deed != "removed" else None
                audit.record(f"directory.{deed}", item, before=before, after=after, actor=actor())
        except (Refusal, DBAPIError) as error:
            refusal = error if isinstance(error, Refusal) else refusal_of(error)
            if refusal is None:
                raise
            flash(sentence(refusal), "danger")
            return refusal
        done = {"added": self.add_row_message, "changed": self.edit_row_message, "removed": self.delete_row_message}
        flash(str(done[deed]), "success")
        return None

    def _form_page(self, form_class: Any, columns: Any, item: Any) -> Any:
        """The form of a new row (item None) or of this one; what was typed stays when it is refused."""
        form = form_class.refresh(obj=item)
        form._id = item.id if item is not None else None
        if item is None and request.method == "GET":
            self.begin(form)
        if request.method == "POST" and self._is_right(form):
            refusal = self._save(form, item)
            if refusal is None:
                return redirect(url_for(".list") if self.can("list") else url_for(".show", pk=item.id))
            fields = refusal.facts.get("fields", {}) if isinstance(refusal, Invalid) else {}
            for name, text in fields.items():
                if name in form:
                    form[name].errors = [*form[name].errors, gettext(str(text))]
        title = self.add_title if item is None else self.edit_title
        pk = form._id
        page = self.render_template(
            self.add_template if item is None else self.edit_template,
            title=title, form=form, columns=columns, panel=self, pk=pk,
        )  # fmt: skip
        return page, 422 if request.method == "POST" else 200

    def begin(self, form: Any) -> None:
        """What the form of a new row starts with; a room's panel fills in what the page that led here knows."""

    def _is_right(self, form: Any) -> bool:
        form.validate()
        for field in form:
            tidy(field)
        wrong = any(field.errors for field in form)
        if wrong:
            flash(sentence(Invalid()), "danger")
        return not wrong

    def _save(self, form: Any, item: Any) -> Refusal | None:
        row = self.datamodel.obj() if item is None else item
        before = None if item is None else self._facts(item)

        def work() -> None:
            form.populate_obj(row)
            if item is None:
                self.pre_add(row)
                session.add(row)
            else:
                self.pre_update(row)

        with session.no_autoflush:
            return self._change(row, "added" if item is None else "changed", work, before)


class ReadOnlyPanel(PanelView):
    """A generated list of what only operations may write: money, visits, papers, the log."""

    include_route_methods: ClassVar[set[str]] = {"list", "show"}
    base_permissions: ClassVar[list[str]] = ["can_see"]  # type: ignore[valid-type]


class OpenDays(BaseFilter):
    """A list that tells what a report tells shows today, and the days that the account may look at.

    `base_filters = [["business_day", OpenDays, "cash"]]`. A row without a day belongs to none and is shown.
    """

    def apply(self, query: Any, value: Any) -> Any:
        column = getattr(self.model, self.column_name)
        if access.account(actor()).may("report.any_day"):
            return query
        seen = [column.is_(None), column == clock.today()]
        for grant in access.open_grants(actor(), value):
            seen.append(column.between(grant.days_from or date.min, grant.days_to or clock.today()))
        return query.where(or_(*seen))


class DayPanel(ReadOnlyPanel):
    """A read-only list bound to the days of a report; what a grant opened is written down."""

    report = ""

    def _list(self, **kwargs: Any) -> Any:
        self._record_opening()
        return super()._list(**kwargs)

    def _show(self, pk: Any) -> Any:
        self._record_opening()
        return super()._show(pk)

    def _record_opening(self) -> None:
        user = actor()
        if access.account(user).may("report.any_day"):
            return
        with transaction():
            for grant in access.open_grants(user, self.report):
                window = access.Window(grant.days_from or date.min, grant.days_to or clock.today(), grant.id)
                access.record_opening(user, self.report, window, "list")
