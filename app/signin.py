"""Signing in: accounts, passwords, tokens, and the brake on guessing.

The framework's own pages for roles and permissions are not registered: roles are the table of
`app/roles.py`, employees and their logins are the staff room's. Where next: `app/access.py`.
"""

import hashlib
import hmac
import logging
from typing import Any

from flask import current_app, flash, g, redirect, request, session
from flask_appbuilder import AppBuilder
from flask_appbuilder.const import AUTH_DB
from flask_appbuilder.security.api import SecurityApi
from flask_appbuilder.security.decorators import no_cache
from flask_appbuilder.security.forms import LoginForm_db
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_appbuilder.security.views import AuthDBView
from flask_appbuilder.utils.base import get_safe_redirect
from flask_appbuilder.views import UtilView, expose
from flask_babel import gettext
from flask_jwt_extended import create_access_token
from flask_login import login_user, logout_user
from limits import RateLimitItem
from marshmallow import Schema, ValidationError, fields
from werkzeug.wrappers import Response

from app import access, brakes
from app.errors import Refusal
from app.models import User
from app.roles import BY_PERMISSION
from app.vocab import N_

log = logging.getLogger(__name__)

#: Open to whoever writes a program against the contract.
API_DESCRIPTION = {("can_get", "OpenApi"), ("can_show", "SwaggerView")}


class TooManyRequests(Refusal):
    code = "too_many_requests"
    status = 429
    sentence = N_("Too many wrong passwords. Wait a minute and try again.")


class Unauthenticated(Refusal):
    code = "unauthenticated"
    status = 401
    sentence = N_("Sign in first.")


class WrongPassword(Unauthenticated):
    sentence = N_("Wrong login or password.")


def pass_of(user: User) -> str:
    """What a session or a token carries: whose it is, and a mark of the password that opened it.

    A new password has another mark, so everything that the old one opened is closed on its next request.
    """
    key = str(current_app.secret_key).encode()[:64]
    return f"{user.id}.{hashlib.blake2b(str(user.password).encode(), digest_size=12, key=key).hexdigest()}"


def renew_session(user: User) -> None:
    """Keep this browser signed in after its own person changed the password; all others are closed."""
    session["_user_id"] = pass_of(user)


def _guesses(username: str) -> list[tuple[RateLimitItem, str, str]]:
    """What a wrong password is counted by: the place it came from, and the login it was tried for from there."""
    place = request.remote_addr or ""
    return [(brakes.GUESSES_OF_PLACE, "sign-in", place), (brakes.GUESSES, username[:64], place)]


class SignInView(AuthDBView):
    """The sign-in page. A new session starts with every sign-in."""

    login_template = "signin/login.html"

    @expose("/login/", methods=["GET", "POST"])
    @no_cache
    def login(self) -> Any:
        if g.user is not None and g.user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_index)
        form = LoginForm_db()
        status = 200
        if form.validate_on_submit():
            try:
                user = self.appbuilder.sm.authenticate(form.username.data, form.password.data)
            except Refusal as refusal:
                flash(gettext(refusal.sentence), "danger")
                status = refusal.status
            else:
                locale = session.get("locale")
                session.clear()
                current_app.session_interface.regenerate(session)  # type: ignore[attr-defined]  # Flask-Session's
                if locale:
                    session["locale"] = locale
                login_user(user)
                session["_user_id"] = pass_of(user)
                wanted = request.args.get("next")
                return redirect(get_safe_redirect(wanted) if wanted else self.appbuilder.get_url_for_index)
        page = self.render_template(self.login_template, title=gettext("Sign in"), form=form)
        return page, status

    @expose("/logout/", methods=["GET"])
    def logout(self) -> Response:
        locale = session.get("locale")
        logout_user()
        session.clear()
        if locale:
            session["locale"] = locale
        return redirect(self.appbuilder.get_url_for_login)


class LoginBody(Schema):
    username = fields.String(required=True)
    password = fields.String(required=True)
    provider = fields.String(load_default="db")
    refresh = fields.Boolean(load_default=False)


class SignInApi(SecurityApi):
    """`POST /api/v1/security/login`: a token for a program."""

    @expose("/login", methods=["POST"])
    def login(self) -> Response:
        """A token for a login and password
        ---
        post:
          security: []
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [username, password]
                  properties:
                    username: {type: string}
                    password: {type: string}
                    provider: {type: string, enum: [db]}
          responses:
            200:
              description: the token
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
        """
        from app.errors import Invalid

        try:
            body = LoginBody().load(request.get_json(silent=True) or {})
        except ValidationError as error:
            raise Invalid(fields={key: N_("Fill in this field.") for key in error.messages_dict}) from error
        if body["provider"] != "db":
            raise Invalid(fields={"provider": N_("Unknown value.")})
        user = self.appbuilder.sm.authenticate(body["username"], body["password"])
        return self.response(200, access_token=create_access_token(identity=pass_of(user), fresh=True))

    def refresh(self) -> Response:
        raise NotImplementedError  # not exposed: a program signs in again


class DeskSecurityManager(SecurityManager):
    """The framework's security, with rights from `app/access.py` and only the pages the desk needs."""

    authdbview = SignInView
    security_api = SignInApi
    userstatschartview = None

    def register_views(self) -> None:
        self.appbuilder.add_api(self.security_api)
        self.auth_view = self.authdbview()
        self.appbuilder.add_view_no_menu(self.auth_view)

    @property
    def auth_type(self) -> int:
        return int(AUTH_DB)

    def load_user(self, pk: Any) -> User | None:
        """The account with its rights, in one statement; None once it is switched off or has another password."""
        number, _, _ = str(pk).partition(".")
        user = access.load(int(number)) if number.isascii() and number.isdigit() else None
        return user if user is not None and hmac.compare_digest(pass_of(user), str(pk)) else None

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """The description of the API tells nothing about patients; everything else has a right."""
        return (permission_name, view_name) in API_DESCRIPTION

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """The framework's question, answered by the table of rights."""
        if self.is_item_public(permission_name, view_name):
            return True
        user = g.get("user")
        right = BY_PERMISSION.get((permission_name, view_name))
        if right is None or user is None or not user.is_authenticated:
            return False
        return access.account(user).may(right.code)

    def authenticate(self, username: str, password: str) -> User:
        """The account of this login and password.

        Raises:
            WrongPassword: nobody, or switched off.
            TooManyRequests: after ten wrong guesses a minute for one login from one address, thirty for all logins.
        """
        guesses = _guesses(username)
        if not all(brakes.may_try(*guess) for guess in guesses) or not all(brakes.take(*guess) for guess in guesses):
            raise TooManyRequests()
        clean = "\x00" not in username and "\x00" not in password and len(username) <= 64 and len(password) <= 200
        user = self.auth_user_db(username, password) if clean else None
        if user is None:
            log.info("sign-in refused for a login from %s", request.remote_addr)
            raise WrongPassword()
        for guess in guesses:
            brakes.give_back(*guess)
        return user


class DeskBuilder(AppBuilder):
    """The framework's builder without its own pages for languages and menus, which the desk has its own of."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.add_view_no_menu(UtilView)
        self.sm.register_views()
        self.openapi_manager.register_views()


def appbuilder() -> DeskBuilder:
    """A fresh builder for one application; permissions come from `app/roles.py`, never from the framework's tables."""
    return DeskBuilder(security_manager_class=DeskSecurityManager, update_perms=False)
