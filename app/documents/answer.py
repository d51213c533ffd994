"""A paper as the answer to a browser. Where next: `views.py`, `panel.py`."""

from flask import Response


def as_pdf(made: bytes, name: str) -> Response:
    """A PDF shown in the browser; papers of patients stay out of shared caches."""
    answer = Response(made, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
