"""Without what of its legal entity a paper is void: whoever gets it cannot use it, and it cannot be corrected.

A contract names who performs, with ОГРН, ИНН, address and licence (Правила платных медицинских услуг); the tax office
takes a certificate by ИНН and КПП. Where next: `../operations/issuing.py`.
"""

from collections.abc import Mapping

from app.vocab import N_, TemplateKind

_WORDS = {
    "name": N_("the full name"), "inn": N_("the INN"), "kpp": N_("the KPP"), "ogrn": N_("the OGRN"),
    "address": N_("the legal address"), "licence": N_("the licence"),
}  # fmt: skip
_NEEDED = {
    TemplateKind.CONTRACT: ("name", "inn", "ogrn", "address", "licence"),
    TemplateKind.TAX_CERTIFICATE: ("name", "inn", "kpp"),
}
#: An INN of so many digits is a person's: an entrepreneur has no KPP.
_OF_A_PERSON = 12


def missing_requisites(kind: str, has: Mapping[str, str]) -> dict[str, str]:
    """What a paper of this kind needs of its legal entity and is not filled in: {part: its word}."""
    needed = _NEEDED.get(TemplateKind(kind), ())
    empty = [part for part in needed if not has[part].strip()]
    if len(has["inn"]) == _OF_A_PERSON:
        empty = [part for part in empty if part != "kpp"]
    return {part: _WORDS[part] for part in empty}
