"""What a card says after another one of the same person was merged into it."""

from collections.abc import Mapping
from typing import Any

from app.patients.rules.identity import IDENTITY, identity_line

#: The fields of a card that may differ; what belongs to it is moved, not chosen.
MERGED_FIELDS = (
    "surname", "name", "patronymic", "birth_date", "sex", "email", "address", *IDENTITY, "snils", "inn", "allergy",
    "comment", "source_id", "insurance", "guardian_id", "payer_id", "family_id", "doctor_id", "discount_percent",
    "discount_reason",
)  # fmt: skip
#: What follows the name that was chosen.
NAME, CASES = ("surname", "name", "patronymic"), ("name_genitive", "name_dative")
#: Texts of which both may be kept.
BOTH = ("address", "identity", "allergy", "comment")
#: What must not be lost by a choice that nobody made: both are kept.
_DANGEROUS = ("allergy",)


def merged(
    winner: Mapping[str, Any], loser: Mapping[str, Any], chosen: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    """The fields of the winner that change: {field: new value}.

    `chosen`: {field: "loser", "both" or "winner"}. Not named: what is empty is filled, allergies are kept both. The
    identity document is one unit, chosen as `identity`: parts of two documents are never put together.
    """
    changed = _document(winner, loser, chosen.get("identity", ""))
    for name in MERGED_FIELDS:
        if name in IDENTITY:
            continue
        mine, other = winner[name], loser[name]
        value = _one(name, mine, other, chosen.get(name, ""))
        if value != mine:
            changed[name] = value
    return changed


def _document(winner: Mapping[str, Any], loser: Mapping[str, Any], choice: str) -> dict[str, Any]:
    mine, other = ({name: card[name] for name in IDENTITY} for card in (winner, loser))
    if not any(other.values()) or other == mine:
        return {}
    if choice == "loser" or not any(mine.values()):
        return {name: value for name, value in other.items() if value != mine[name]}
    line = identity_line(other)
    if choice == "both" and line not in mine["identity_text"]:
        return {"identity_text": "; ".join(filter(None, (mine["identity_text"], line)))}
    return {}


def merged_cases(
    winner: Mapping[str, Any], loser: Mapping[str, Any], changed: Mapping[str, Any]
) -> dict[str, str]:  # fmt: skip
    """The name in its cases as the merged card has it: of the card whose name was chosen; of neither, by the rules."""
    final = [changed.get(part, winner[part]) for part in NAME]
    same = [card for card in (winner, loser) if [card[part] for part in NAME] == final]
    cases = {case: next((card[case] for card in same if card[case]), "") for case in CASES}
    return {case: value for case, value in cases.items() if value != winner[case]}


def _one(name: str, mine: Any, other: Any, choice: str) -> Any:
    if other in (None, "") or other == mine:
        return mine
    if choice == "loser" or mine in (None, ""):
        return other
    if name in BOTH and (choice == "both" or (not choice and name in _DANGEROUS)):
        return mine if other in mine else f"{mine}; {other}"
    return mine
