"""Pages about people: one's own password and language, logins, rights, access to other days, settings.

Where next: `operations.py`, `app/access.py`, and `panel.py` for the generated directories.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, flash, redirect, request, url_for
from flask import session as browser_session
from flask_babel import gettext, refresh
from werkzeug.datastructures import MultiDict

from app import access, web
from app.db import session, transaction
from app.errors import Invalid, NotFound, Refusal
from app.models import AccessGrant, ClinicSetting, Employee, User
from app.roles import DIRECTOR, ROLES
from app.signin import renew_session
from app.staff import forms, operations, queries
from app.vocab import N_, ReportKind
from app.web import DeskView, actor, expose, fetched, guarded


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
        renew_session(actor())

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


class LoginView(DeskView):
    """The login of an employee: given, changed, switched off."""

    route_base = "/staff"

    @expose("/<int:pk>/login")
    @guarded("staff.edit")
    def login(self, pk: int) -> Any:
        """The login of an employee, or the form for a new one."""
        return self._page(pk)

    def _page(self, pk: int, status: int = 200, errors: dict[str, str] | None = None) -> Any:
        employee = fetched(Employee, pk)
        user = session.get(User, employee.user_id) if employee.user_id else None
        held = {role.name for role in user.roles} if user else set()
        mine = access.account(actor()).roles
        return self.page(
            "staff/login.html", status, title=gettext("Login: %(name)s", name=employee.short_name),
            employee=employee, user=user, held=held, errors=errors or {}, typed=request.form,
            roles=[(code, gettext(title)) for code, title in ROLES.items() if code != DIRECTOR or DIRECTOR in mine],
            may_touch=DIRECTOR not in held or DIRECTOR in mine, own=user is not None and user.id == actor().id,
        )  # fmt: skip

    def _do(self, pk: int, done: str, work: Callable[[], Any]) -> Any:
        """Do it and come back to the login; refused, the form comes back with what was typed."""
        try:
            with transaction():
                work()
        except Refusal as refusal:
            errors = complaints(refusal)
            return self._page(pk, refusal.status, errors)
        flash(done, "success")
        return redirect(url_for("LoginView.login", pk=pk))

    @expose("/<int:pk>/login/give", methods=["POST"])
    @guarded("staff.edit")
    def give(self, pk: int) -> Any:
        """Give an employee a login."""

        def work() -> None:
            form = forms.typed(forms.NewLogin, request.form)
            operations.give_login(pk, form["username"], roles=form["roles"], password=form["password"], actor=actor())

        return self._do(pk, gettext("The login is ready."), work)

    @expose("/<int:pk>/login/roles", methods=["POST"])
    @guarded("staff.edit")
    def roles(self, pk: int) -> Any:
        """Change the roles of a login."""

        def work() -> None:
            operations.set_roles(pk, forms.typed(forms.Roles, request.form)["roles"], actor=actor())

        return self._do(pk, gettext("The roles are changed."), work)

    @expose("/<int:pk>/login/password", methods=["POST"])
    @guarded("staff.edit")
    def reset_password(self, pk: int) -> Any:
        """Set a new password for who forgot his."""

        def work() -> None:
            password = forms.typed(forms.NewPassword, request.form)["password"]
            operations.reset_password(pk, password, actor=actor())

        return self._do(pk, gettext("The password is changed."), work)

    @expose("/<int:pk>/login/off", methods=["POST"])
    @guarded("staff.edit")
    def off(self, pk: int) -> Any:
        """Switch a login off."""
        done = gettext("The login is switched off.")
        return self._do(pk, done, lambda: operations.switch_login(pk, False, actor=actor()))

    @expose("/<int:pk>/login/on", methods=["POST"])
    @guarded("staff.edit")
    def on(self, pk: int) -> Any:
        """Switch a login on again."""
        done = gettext("The login is switched on.")
        return self._do(pk, done, lambda: operations.switch_login(pk, True, actor=actor()))


def _reports(form: MultiDict[str, str]) -> Any:
    """The reports of a grant as the page sends them: all, or those ticked."""
    return "all" if form.get("which") == "all" else form.getlist("reports")


def _employee_or_role(form: MultiDict[str, str]) -> tuple[str | None, str | None]:
    """To whom a grant goes: `user:ivanova` or `role:administrator`."""
    kind, _, name = form.get("to", "").partition(":")
    return (name if kind == "user" else None), (name if kind == "role" else None)


class AccessView(DeskView):
    """What each employee may do, and who may look at reports of other days. The director's."""

    route_base = "/access"
    default_view = "rights"

    # --- rights ---------------------------------------------------------------------------------------

    @expose("/rights/")
    @guarded("access.manage")
    def rights(self) -> Any:
        """Choose an employee."""
        return self.page("staff/rights.html", title=gettext("Rights"), logins=queries.logins(), roles=ROLES)

    @expose("/rights/<int:pk>", methods=["GET", "POST"])
    @guarded("access.manage")
    def rights_of(self, pk: int) -> Any:
        """Every right of one employee in plain words; give, take, or as the role says."""
        user = fetched(User, pk)
        if not user.active:
            raise NotFound()
        errors: dict[str, str] = {}
        status = 200
        if request.method == "POST":
            try:
                self._change_right(user)
            except Refusal as refusal:
                errors, status = complaints(refusal), refusal.status
            else:
                flash(gettext("The right is changed; it works from the next click on."), "success")
                return redirect(url_for("AccessView.rights_of", pk=pk, _anchor=request.form.get("right", "")))
        login = next(line for line in queries.logins() if line.user_id == pk)
        user = access.load(pk)
        if user is None:
            raise NotFound()
        return self.page(
            "staff/rights_of.html", status, title=gettext("Rights: %(name)s", name=login.name), login=login,
            rooms=queries.rights_of(user), history=queries.history_of(user), roles=ROLES, errors=errors,
            typed=request.form,
        )  # fmt: skip

    def _change_right(self, user: User) -> None:
        form = forms.typed(forms.RightChange, request.form)
        allowed = {"give": True, "take": False, "role": None}[form["allowed"]]
        with transaction():
            access.change_right(user, form["right"], allowed=allowed, reason=form["reason"], actor=actor())

    # --- other days -----------------------------------------------------------------------------------

    @expose("/days/", methods=["GET", "POST"])
    @guarded("access.manage")
    def days(self) -> Any:
        """Who may look at reports of other days; grant it to one or to all of a role."""
        errors: dict[str, str] = {}
        status = 200
        if request.method == "POST":
            try:
                self._grant()
            except Refusal as refusal:
                errors, status = complaints(refusal), refusal.status
            else:
                flash(gettext("Access is granted; it works from the next click on."), "success")
                return redirect(url_for("AccessView.days"))
        _, lines = queries.grants(limit=200)
        people = [
            (f"user:{login.username}", f"{login.name} ({', '.join(gettext(ROLES[role]) for role in login.roles)})")
            for login in queries.logins(active_only=True)
            if set(login.roles) & set(access.ROLES_WITH_WINDOW)
        ]
        groups = [
            (f"role:{role}", gettext("All: %(role)s", role=gettext(ROLES[role]))) for role in access.ROLES_WITH_WINDOW
        ]
        return self.page(
            "staff/days.html", status, title=gettext("Access to other days"), lines=lines, to=groups + people,
            reports=[(str(kind), gettext(kind.label)) for kind in ReportKind], kinds=ReportKind, errors=errors,
            typed=request.form, ticked=request.form.getlist("reports"),
        )  # fmt: skip

    def _grant(self) -> None:
        form = forms.typed(
            forms.Grant, request.form, reports=_reports,
            username=lambda form: _employee_or_role(form)[0], role=lambda form: _employee_or_role(form)[1],
        )  # fmt: skip
        with transaction():
            access.grant(**{"username": None, "role": None, **form}, actor=actor())

    @expose("/days/<int:pk>/revoke", methods=["POST"])
    @guarded("access.manage")
    def revoke(self, pk: int) -> Any:
        """End a grant at once."""
        fetched(AccessGrant, pk)
        with transaction():
            access.revoke(pk, actor=actor())
        flash(gettext("Access is revoked."), "success")
        return redirect(url_for("AccessView.days"))


class SettingsView(DeskView):
    """The clinic's own choices, on one page."""

    route_base = "/settings"

    @expose("/", methods=["GET", "POST"])
    @guarded("settings.edit")
    def index(self) -> Any:
        """Look at the settings and change them."""
        errors: dict[str, str] = {}
        row = session.get_one(ClinicSetting, 1)
        typed: Any = {name: getattr(row, name) for name in operations.SETTINGS}
        status = 200
        if request.method == "POST":
            try:
                values = forms.typed(forms.Settings, request.form)
                with transaction():
                    operations.change_settings(values, actor=actor())
            except Refusal as refusal:
                errors, status, typed = complaints(refusal), refusal.status, request.form
            else:
                flash(gettext("Saved."), "success")
                return redirect(url_for("SettingsView.index"))
        return self.page("staff/settings.html", status, title=gettext("Clinic's settings"), typed=typed, errors=errors)
