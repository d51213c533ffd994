"""The framework's parts, made once and hung on the application by `create_app`."""

from flask_migrate import Migrate
from flask_session import Session
from flask_talisman import Talisman
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
migrate = Migrate()
sessions = Session()
talisman = Talisman()


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
