"""Access to other days over JSON: list, grant, revoke."""

from typing import Any

from app import access
from app.db import transaction
from app.models import AccessGrant
from app.staff import forms, queries
from app.web import DeskApi, actor, asks, expose, fetched, guarded, takes


def grant_answer(line: queries.GrantLine) -> dict[str, Any]:
    """A grant as the contract shows it."""
    grant = line.grant
    return {
        "id": grant.id,
        "username": line.username,
        "role": grant.role,
        "reports": grant.reports if grant.reports is not None else "all",
        "days_from": grant.days_from,
        "days_to": grant.days_to,
        "expires_at": grant.expires_at,
        "reason": grant.reason,
        "status": line.status,
        "granted_at": grant.created_at,
        "granted_by": line.made_by,
        "revoked_at": grant.revoked_at,
    }


class AccessGrantApi(DeskApi):
    resource_name = "access-grants"
    openapi_spec_tag = "Reports and access"

    @expose("/", methods=["GET"])
    @guarded("access.manage")
    @asks(forms.GrantsQuery)
    def grants(self, query: dict[str, Any]) -> Any:
        """Who may look at reports of other days"""
        count, lines = queries.grants(limit=query["page_size"], offset=query["page"] * query["page_size"])
        return self.listed(count, [grant_answer(line) for line in lines])

    @expose("/", methods=["POST"])
    @guarded("access.manage")
    @takes(forms.Grant)
    def grant(self, body: dict[str, Any]) -> Any:
        """Let one account, or all of a role, look at reports of other days"""
        with transaction():
            row = access.grant(**{"username": None, "role": None, **body}, actor=actor())
            answer = grant_answer(queries.grant_line(row))
        return self.created(answer)

    @expose("/<int:pk>/revoke", methods=["POST"])
    @guarded("access.manage")
    def revoke(self, pk: int) -> Any:
        """End a grant at once"""
        fetched(AccessGrant, pk)
        with transaction():
            row = access.revoke(pk, actor=actor())
            answer = grant_answer(queries.grant_line(row))
        return self.answer(answer)
