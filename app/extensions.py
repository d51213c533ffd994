"""The framework's parts, made once and hung on the application by `create_app`."""

from flask_appbuilder import AppBuilder
from flask_appbuilder.views import UtilView
from flask_migrate import Migrate
from flask_session import Session
from flask_talisman import Talisman
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
migrate = Migrate()
sessions = Session()
talisman = Talisman()


class DeskBuilder(AppBuilder):
    """The framework's builder without its own pages for languages and menus, which the desk has its own of."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.add_view_no_menu(UtilView)
        self.sm.register_views()
        self.openapi_manager.register_views()


def appbuilder() -> AppBuilder:
    """A fresh builder for one application; permissions come from `app/roles.py`, never from the framework's tables."""
    from app.signin import DeskSecurityManager

    return DeskBuilder(security_manager_class=DeskSecurityManager, update_perms=False)


#: Nothing is loaded from another host; scripts carry a nonce. The framework's widgets set style attributes.
CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
