"""What was typed into a form of billing."""

from flask import request


def filled(*names: str) -> dict[str, str]:
    """What was typed into these fields of a form; empty ones are as if they had not come."""
    return {name: request.form[name] for name in names if request.form.get(name, "").strip()}
