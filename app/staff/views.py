"""Pages about people: one's own password and language, logins, rights, access to other days, settings.

Where next: `operations.py`, `app/access.py`, and `panel.py` for the generated directories.
"""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app, flash, redirect, request, url_for
from flask import session as browser_session
from flask_babel import gettext, refresh

from app import web
from app.db import transaction
from app.errors import Invalid, NotFound, Refusal
from app.staff import operations
from app.vocab import N_
from app.web import DeskView, actor, expose, guarded


def complaints(refusal: Refusal) -> dict[str, str]:
    """The sentence for each field of a form that comes back; also shows the refusal above the form."""
    web.say(refusal)
    fields = refusal.facts.get("fields", {}) if isinstance(refusal, Invalid) else {}
    return {name: gettext(str(text)) for name, text in fields.items()}


class MyView(DeskView):
    """What everybody changes for himself: the password and the language."""

    route_base = "/me"
    default_view = "password"

    @expose("/password", methods=["GET", "POST"])
    @guarded(None)
    def password(self) -> Any:
        """Change one's own password: the old one, and a new one twice."""
        errors: dict[str, str] = {}
        if request.method == "POST":
            try:
                self._change_password()
            except Refusal as refusal:
                errors = complaints(refusal)
            else:
                flash(gettext("The password is changed."), "success")
                return redirect(url_for("MyView.password"))
        title = gettext("Change password")
        return self.page("staff/password.html", 422 if errors else 200, title=title, errors=errors)

    def _change_password(self) -> None:
        # Not trimmed: a password is what was typed.
        typed = {name: request.form.get(name, "") for name in ("old", "new", "again")}
        if missing := {name: N_("Fill in this field.") for name, text in typed.items() if not text}:
            raise Invalid(fields=missing)
        if typed["new"] != typed["again"]:
            raise Invalid(fields={"again": N_("The two new passwords differ.")})
        with transaction():
            operations.change_password(typed["old"], typed["new"], actor=actor())

    @expose("/language/<locale>")
    @guarded(None)
    def language(self, locale: str) -> Any:
        """Speak another language from now on, and go back to where one was."""
        if locale not in current_app.config["LANGUAGES"]:
            raise NotFound()
        browser_session["locale"] = locale
        refresh()
        came_from = urlsplit(request.referrer or "")
        inside = (
            came_from.netloc == request.host and came_from.path.startswith("/") and came_from.path[1:2] not in "/\\"
        )
        if not inside or not came_from.path[1:]:
            return redirect(url_for("Home.index"))
        return redirect(came_from.path + (f"?{came_from.query}" if came_from.query else ""))
