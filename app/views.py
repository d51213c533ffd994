"""Every page and table of the product, and the whole menu on one screen.

A room's pages are registered here and nowhere else. Where next: the room's own `views.py`.
"""

from dataclasses import dataclass
from typing import Any

from flask import redirect, url_for
from flask_appbuilder import AppBuilder, IndexView, expose
from flask_babel import gettext

from app.documents.panel import DocumentTemplatePanel, IssuedDocumentPanel
from app.documents.views import DocumentsView
from app.staff.views import MyView
from app.vocab import N_
from app.web import guarded, may


class Home(IndexView):
    """`/`: the schedule for who may see it, else the first page of the menu that is open."""

    @expose("/")
    @guarded(None)
    def index(self) -> object:
        for group in menu():
            return redirect(group["items"][0]["url"])
        return self.render_template("desk/empty.html", title=gettext("Front desk"))


@dataclass(frozen=True)
class Item:
    """A line of the menu: shown to who holds the right."""

    title: str
    endpoint: str
    right: str


MENU: list[tuple[str, list[Item]]] = [
    (
        N_("Directories"),
        [
            Item(N_("Document templates"), "DocumentTemplatePanel.list", "directory.see"),
            Item(N_("Issued documents"), "IssuedDocumentPanel.list", "document.print"),
        ],
    ),
]

PAGES: list[type] = [
    MyView,
    DocumentsView,
    DocumentTemplatePanel,
    IssuedDocumentPanel,
]


def menu() -> list[dict[str, Any]]:
    """The menu of this account: groups with at least one open page; a group of one is a plain link."""
    groups = []
    for title, items in MENU:
        open_items = [
            {"title": gettext(item.title), "url": url_for(item.endpoint)} for item in items if may(item.right)
        ]
        if open_items:
            groups.append({"title": gettext(title) if title else open_items[0]["title"], "items": open_items})
    return groups


def register_views(builder: AppBuilder) -> None:
    """Hang every page, table and address of every room on the application."""
    from flask import current_app

    for page in PAGES:
        builder.add_view_no_menu(page)
    current_app.jinja_env.globals["menu"] = menu
