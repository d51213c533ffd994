"""What each merge field means, in the words of the desk: the list beside the text of a paper.

Where next: `../queries/samples.py`, an example of each.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app import money
from app.vocab import N_

_PERSON = {
    "fio": N_("full name"),
    "fio_gen": N_("full name in the genitive (whose?)"),
    "fio_dat": N_("full name in the dative (to whom?)"),
    "fio_short": N_("surname and initials"),
    "last_name": N_("surname"),
    "first_name": N_("first name"),
    "middle_name": N_("patronymic"),
    "birth_date": N_("birth date"),
    "age": N_("age in words"),
    "sex": N_("sex"),
    "phone": N_("phone"),
    "email": N_("e-mail"),
    "address_reg": N_("address"),
    "address_live": N_("another address of living: a line to write it"),
    "inn": N_("INN"),
    "snils": N_("SNILS"),
    "insurance": N_("insurance policy"),
    "oms_insurer": N_("insurer of the policy"),
    "oms_policy": N_("number of the policy"),
    "card_number": N_("card number"),
    "card_opened": N_("day the card was opened"),
    "allergy": N_("allergy"),
    "relation": N_("who the representative is to the patient: a line to write it"),
    "basis_document": N_("document of the representative: a line to write it"),
    "passport.text": N_("identity document in one line"),
    "passport.type": N_("kind of the identity document"),
    "passport.code": N_("code of its kind"),
    "passport.series": N_("its series"),
    "passport.number": N_("its number"),
    "passport.issued_by": N_("who issued it"),
    "passport.issued_date": N_("day when it was issued"),
    "passport.dept_code": N_("its department code"),
}

_EMPLOYEE = {
    "fio": N_("full name"),
    "fio_gen": N_("full name in the genitive (whose?)"),
    "fio_short": N_("surname and initials"),
    "post": N_("post"),
    "post_gen": N_("post in the genitive"),
    "basis": N_("acts on the ground of"),
}

#: The first word of a field: the title of its group, the fields of the group by the rest of the name.
GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "clinic": (
        N_("Clinic"),
        {
            "legal_name": N_("full name of the legal entity"),
            "short_name": N_("short name"),
            "brand": N_("trade name"),
            "address": N_("legal address"),
            "actual_address": N_("address of the branch"),
            "branch": N_("branch"),
            "phone": N_("phone"),
            "email": N_("e-mail"),
            "site": N_("web site"),
            "inn": N_("INN"),
            "kpp": N_("KPP"),
            "ogrn": N_("OGRN"),
            "okpo": N_("OKPO"),
            "bank_name": N_("bank"),
            "bik": N_("BIK of the bank"),
            "account": N_("account"),
            "corr_account": N_("correspondent account"),
            "bank_details": N_("bank details in one line"),
            "director_fio": N_("name of the head"),
            "director_fio_gen": N_("name of the head in the genitive"),
            "director_fio_short": N_("surname and initials of the head"),
            "director_post": N_("post of the head"),
            "director_post_gen": N_("post of the head in the genitive"),
            "acting_on": N_("the head acts on the ground of"),
            "license.text": N_("licence in one line"),
            "license.number": N_("number of the licence"),
            "license.date": N_("day of the licence"),
            "license.issuer": N_("who issued the licence"),
            "license.issuer_address": N_("address of who issued it"),
            "license.issuer_phone": N_("phone of who issued it"),
            "license.works": N_("works and services of the licence"),
        },
    ),
    "legal": (
        N_("Law"),
        {
            "paid_services_act": N_("rules of paid medical services in force"),
        },
    ),
    "patient": (N_("Patient"), _PERSON),
    "rep": (
        N_("Legal representative"),
        {"signs": N_("does a representative sign this document? For a condition"), **_PERSON},
    ),
    "signer": (N_("Who signs"), _PERSON),
    "payer": (
        N_("Who pays"),
        {
            **_PERSON,
            "name": N_("name of who pays: of a company too"),
            "address": N_("address of who pays: of a company too"),
            "ogrn": N_("OGRN of a company that pays: a line to write it"),
        },
    ),
    "trusted": (
        N_("Who may be told of the patient's health: relatives, owners of other phones"),
        {
            "fio": N_("full name"),
            "phone": N_("phone"),
        },
    ),
    "contract": (
        N_("This document"),
        {
            "number": N_("number of this document; on an act, of the contract"),
            "date": N_("day of this document; on an act, of the contract"),
            "place": N_("town"),
            "valid_until": N_("valid until: a line to write it"),
        },
    ),
    "agreement": (
        N_("Contract of the patient"),
        {
            "number": N_("number of the newest contract"),
            "date": N_("day of the newest contract"),
        },
    ),
    "plan": (
        N_("Treatment plan"),
        {
            "number": N_("number of the plan"),
            "date": N_("day of the plan"),
            "variant": N_("variant: a line to write it"),
            "stage": N_("the services by kinds of work: no, name, services, sum, sum_words"),
        },
    ),
    "doctor": (N_("Doctor"), _EMPLOYEE),
    "staff": (N_("Who issues the document"), _EMPLOYEE),
    "visit": (
        N_("Visit: today's or the next"),
        {
            "date": N_("day of the visit"),
            "time": N_("time of the visit"),
            "doctor": N_("doctor of the visit"),
            "number": N_("number of the visit"),
        },
    ),
    "order": (
        N_("Work order"),
        {
            "number": N_("number of the work order"),
            "day": N_("day of the work order"),
            "date": N_("day of the work order"),
            "draft": N_("is it a draft? For a condition"),
            "reverses": N_("number of the order it reverses"),
            "reason": N_("reason of the reversal"),
            "assistants": N_("assistants"),
            "methods": N_("how it was paid"),
            "cashier": N_("who took the money"),
        },
    ),
    "act": (
        N_("Act of services"),
        {
            "number": N_("number of the act; it gets one when it is printed"),
            "date": N_("day of the act; until it is printed, of the bill or of what was reversed of it last"),
            "period": N_("days when the services were provided"),
        },
    ),
    "tax": (
        N_("Certificate for the tax office"),
        {
            "number": N_("number of the certificate"),
            "year": N_("year"),
            "correction": N_("number of the correction"),
            "same": N_("are taxpayer and patient one person? For a condition"),
            "usual": N_("paid for usual treatment, code 1"),
            "expensive": N_("paid for expensive treatment, code 2"),
        },
    ),
    "taxpayer": (N_("Taxpayer"), _PERSON),
    "services": (
        N_("Services"),
        {
            "no": N_("number of the line"),
            "code": N_("code of the service"),
            "name": N_("name of the service"),
            "tooth": N_("tooth"),
            "qty": N_("quantity"),
            "price": N_("price"),
            "discount": N_("discount"),
            "sum": N_("sum"),
        },
    ),
    "totals": (
        N_("Totals"),
        {
            "gross": N_("without discount"),
            "discount": N_("discount"),
            "net": N_("to pay"),
            "net_words": N_("to pay, in words"),
            "vat": N_("VAT inside it, or that there is none"),
            "paid": N_("paid"),
            "debt": N_("left to pay"),
            "reversed": N_("reversed"),
            "order": N_("number of the work order"),
        },
    ),
    "today": (
        N_("Today"),
        {
            "date": N_("day, 23.11.2026"),
            "long": N_("day in words, «23» ноября 2026 г."),
        },
    ),
    "pd": (
        N_("Personal data"),
        {
            "purposes": N_("purposes"),
            "categories": N_("which data"),
            "actions": N_("what is done with them"),
            "third_parties": N_("who processes data for the clinic, as the settings say"),
            "term": N_("how long the consent is in force"),
            "revocation_channel": N_("how the consent is taken back"),
        },
    ),
    "survey": (
        N_("Health questionnaire"),
        {
            "questions": N_("the questions: text, yes, no, unknown (boxes), comment, red"),
            "day": N_("day of the answers"),
            "last_dentist": N_("when the patient was at a dentist last"),
            "complaints": N_("complaints"),
        },
    ),
    "medical": (
        N_("Medical card 043/у"),
        {
            "occupation": N_("occupation"),
            "diagnosis": N_("diagnosis"),
            "icd": N_("code of the diagnosis"),
            "complaints": N_("complaints"),
            "past_illnesses": N_("past and present illnesses"),
            "anamnesis": N_("course of the present illness"),
            "examination": N_("examination"),
            "upper": N_("upper teeth: tooth, marks"),
            "lower": N_("lower teeth: tooth, marks"),
            "milk_upper": N_("upper milk teeth: tooth, marks"),
            "milk_lower": N_("lower milk teeth: tooth, marks"),
            "legend": N_("what the marks mean"),
            "bite": N_("bite"),
            "mucosa": N_("mucosa, gums, palate"),
            "findings": N_("X-rays and analyses"),
            "shade": N_("shade by Vita"),
            "hygiene_taught_on": N_("day when hygiene was taught"),
            "hygiene_checks": N_("days when hygiene was checked"),
            "examination_plan": N_("plan of the examination"),
            "treatment_plan": N_("plan of the treatment"),
            "consultations": N_("consultations"),
            "epicrisis": N_("epicrisis"),
            "diary": N_("the diary: day, complaints, objective, diagnosis, treatment, doctor, corrects"),
        },
    ),
    "lines": (
        N_("Lines of the receipt"),
        {
            "name": N_("name of the service"),
            "tooth": N_("tooth"),
            "quantity": N_("quantity"),
            "price": N_("price"),
            "discount": N_("discount"),
            "total": N_("sum"),
        },
    ),
    "parts": (
        N_("Ways of payment"),
        {
            "label": N_("way of payment"),
            "amount": N_("sum"),
        },
    ),
}

#: Groups whose fields have no first word, by the field that tells that a paper has them.
BARE: dict[str, tuple[str, dict[str, str]]] = {
    "anesthetic": (
        N_("Consent to a treatment"),
        {
            "tooth": N_("teeth of the services that were agreed"),
            "diagnosis": N_("diagnosis of the medical card, for who may print it"),
            "method": N_("services that were agreed"),
            "alternatives": N_("other ways of treatment: a line to write them"),
            "risks": N_("risks: a line to write them"),
            "anesthetic": N_("anaesthetic: a line to write it"),
        },
    ),
    "amount_words": (
        N_("Receipt"),
        {
            "number": N_("number of the receipt"),
            "kind": N_("kind: sale or return"),
            "legal_entity.name": N_("full name of the legal entity"),
            "legal_entity.inn": N_("INN"),
            "legal_entity.address": N_("legal address"),
            "branch": N_("branch"),
            "day": N_("day"),
            "time": N_("time"),
            "patient": N_("full name of the patient"),
            "card_number": N_("card number"),
            "payer": N_("who paid, or gets money back, when it is not the patient"),
            "cashier": N_("cashier"),
            "reason": N_("reason of the return"),
            "amount": N_("sum"),
            "amount_words": N_("sum in words"),
            "vat": N_("VAT inside it, or that there is none"),
            "returned.number": N_("of a return: number of the receipt of the payment"),
            "returned.day": N_("of a return: day of the payment"),
            "returned.amount": N_("of a return: sum of the payment"),
            "tendered": N_("cash received"),
            "change": N_("change"),
            "has_change": N_("is there change? For a condition"),
            "for_lines": N_("how much of it pays the services in the table"),
            "has_part": N_("does it pay only a part of the table? For a condition"),
            "to_advance": N_("put into advance"),
            "has_advance": N_("was anything put into advance? For a condition"),
            "certificate": N_("number of the gift certificate"),
            "debt_left": N_("debt that is left"),
            "has_debt": N_("is any debt left? For a condition"),
        },
    ),
}

#: The lists, and the name of one of their rows in a repetition.
ROWS = {"services": "service", "lines": "line", "parts": "part", "trusted": "one"}


def grouped(values: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """The fields of a paper by their groups: name, meaning, an example, what is put into the text.

    A list is offered whole, as a repetition, and then by the fields of a row.
    """
    found = []
    for key, (title, words) in GROUPS.items():
        if key in ROWS and key in values:
            found.append((title, _of_list(key, words, values[key])))
        elif isinstance(values.get(key), Mapping):
            found.append((title, _of_group(f"{key}.", words, values[key])))
    return found + [(title, _of_group("", words, values)) for key, (title, words) in BARE.items() if key in values]


def _of_group(before: str, words: Mapping[str, str], values: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    rows = []
    for rest, meaning in words.items():
        value: Any = values
        for part in rest.split("."):
            value = value.get(part, _MISSING) if isinstance(value, Mapping) else _MISSING
        name = f"{before}{rest}"
        if isinstance(value, list):
            first = next(iter(value[0])) if value else "day"
            rows.append((name, meaning, "", _repeated("one", name, first)))
        elif value is not _MISSING:
            rows.append((name, meaning, _example(value), _put(name, value)))
    return rows


def _of_list(key: str, words: Mapping[str, str], values: list[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    row = ROWS[key]
    whole = _repeated(row, key, next(iter(words)))
    rows = [(key, N_("the whole list: repeats what stands inside"), "", whole)]
    return rows + _of_group(f"{row}.", words, values[0] if values else {})


def _repeated(row: str, of_list: str, shown: str) -> str:
    return f"{{% for {row} in {of_list} %}}\n{{{{ {row}.{shown} }}}}\n{{% endfor %}}"


_MISSING = object()


def _example(value: Any) -> str:
    if isinstance(value, Decimal):
        return money.shown(value).replace("\u202f", "\u00a0")
    return "" if isinstance(value, bool) else str(value)


def _put(name: str, value: Any) -> str:
    """What stands in the text: sums as sums, a condition as a condition, the rest by its name."""
    if isinstance(value, bool):
        return f"{{% if {name} %}}\n\n{{% endif %}}"
    return f"{{{{ {name} | money }}}}" if isinstance(value, Decimal) else f"{{{{ {name} }}}}"
