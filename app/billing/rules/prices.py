"""The codes of the price list."""

import re

#: Letters that look alike, dashes and spaces as they come from the nomenclature's papers and from spreadsheets.
_ALIKE = str.maketrans("АВЕКМНОРСТУХавекмнорстух‐‑‒–—−\u00a0", "ABEKMHOPCTYXABEKMHOPCTYX------ ")


def service_code(text: str) -> str:
    """A code of the nomenclature (order 804н) as it is kept, in Latin letters: «А16. 07.002» is A16.07.002."""
    return re.sub(r"\s+", "", text.translate(_ALIKE)).upper().strip(".")
