"""The brake on guessing: how often something may be tried from one place, counted by all processes together.

The broker counts; while it is away each process counts for itself, so the door stays guarded. Where next:
`app/signin.py`; the public pages of the rooms.
"""

import logging
from collections.abc import Callable

from flask import current_app
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

log = logging.getLogger(__name__)

#: Wrong passwords for one login from one address.
GUESSES: RateLimitItem = parse("10 per minute")
#: And for all logins: a clinic's desks share one address behind their router.
GUESSES_OF_PLACE: RateLimitItem = parse("30 per minute")
#: Secret addresses that nobody has, from one address.
WRONG_ADDRESSES: RateLimitItem = parse("20 per minute")
_memory = FixedWindowRateLimiter(MemoryStorage())


def _limiter() -> FixedWindowRateLimiter:
    limiter: FixedWindowRateLimiter | None = current_app.extensions.get("desk_brake")
    if limiter is None:
        config = current_app.config
        storage = storage_from_string(config["RATELIMIT_STORAGE_URI"], **config["RATELIMIT_STORAGE_OPTIONS"])
        limiter = current_app.extensions["desk_brake"] = FixedWindowRateLimiter(storage)
    return limiter


def may_try(limit: RateLimitItem, *keys: str, failed: bool = False) -> bool:
    """May it be tried once more; with `failed`, one more failure is counted."""
    return _asked(lambda limiter: limiter.hit(limit, *keys) if failed else limiter.test(limit, *keys))


def take(limit: RateLimitItem, *keys: str) -> bool:
    """Take one of the tries that are left; False: there is none.

    It is counted before it is made. Who counts a failure afterwards lets all through who come at the same moment.
    """
    return _asked(lambda limiter: limiter.test(limit, *keys) and limiter.hit(limit, *keys))


def give_back(limit: RateLimitItem, *keys: str) -> None:
    """What was taken was no guess: it does not count."""
    _asked(lambda limiter: limiter.hit(limit, *keys, cost=-1))


def _asked(ask: Callable[[FixedWindowRateLimiter], bool]) -> bool:
    try:
        return ask(_limiter())
    except Exception as error:  # the broker may be away in many ways
        log.warning("the brake's counter is unavailable: %s", type(error).__name__)
        return ask(_memory)
