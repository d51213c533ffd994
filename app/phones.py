"""How a phone is shown to people."""

from functools import lru_cache

import phonenumbers


@lru_cache(maxsize=4096)
def shown(number: str) -> str:
    """+7 916 123-45-67; what is no number stays as it was written."""
    try:
        parsed = phonenumbers.parse(number, "RU")
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_possible_number(parsed) or parsed.extension:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
