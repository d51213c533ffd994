"""Lines of text on the paper of an ESC/POS printer, in the code page CP866.

The library would pick a page for each letter by the printer's profile, and many printers lie about theirs; the number
of the page is the clinic's setting, and what CP866 lacks is written with what it has.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from app.vocab import N_

#: Seconds to reach the printer and to hand it a line; to wait for what it says of its paper.
TIMEOUT, STATUS_TIMEOUT = 3, 1
#: DLE EOT 4, and the bits of the answer that say that the roll has ended.
RT_STATUS_PAPER, NO_PAPER_BITS = b"\x10\x04\x04", 0x60
SILENT = N_("The slip printer cannot be reached: is it switched on, is its address right?")
NO_PAPER = N_("There is no paper in the slip printer: put in a new roll and print again.")
_SAID_OTHERWISE = str.maketrans({
    "«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "—": "-", "–": "-", "−": "-", "…": "...", "₽": "руб.", "×": "x",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2010": "-", "\u2011": "-", "\u00ad": "",
    "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "І": "I", "і": "i", "Ґ": "Г", "ґ": "г",
})  # fmt: skip


class NotPrinted(Exception):
    """Nothing was printed; `why` is a sentence (message id)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Row:
    """A line of a slip; `big` is double height."""

    text: str
    centre: bool = False
    big: bool = False


def encoded(text: str) -> bytes:
    """Text in CP866: «Müller» is «Muller» there; what has no letter of the kind becomes a question mark."""
    said = unicodedata.normalize("NFC", text).translate(_SAID_OTHERWISE)
    return b"".join(_letter(one) for one in said)


def _letter(letter: str) -> bytes:
    """A letter as CP866 has it, else without its marks; «ё» and «й» are letters of their own there."""
    try:
        return letter.encode("cp866")
    except UnicodeEncodeError:
        plain = "".join(one for one in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(one))
        return plain.encode("cp866", "replace")


def send(host: str, port: int, rows: Iterable[Row], *, code_page: int) -> None:
    """Print rows and cut the paper. `code_page`: the number under which this printer knows CP866 (mostly 17).

    Raises:
        NotPrinted: not reached, no paper.
    """
    from escpos.exceptions import Error as EscposError  # imports pictures and barcodes: a third of a second
    from escpos.printer import Network

    printer = Network(host, port=port, timeout=TIMEOUT)
    try:
        printer.open()
        if not _has_paper(printer):
            raise NotPrinted(NO_PAPER)
        printer.hw("INIT")
        printer._raw(b"\x1bt" + bytes([code_page]))
        for row in rows:
            printer.set(align="center" if row.centre else "left", double_height=row.big, normal_textsize=not row.big)
            printer._raw(encoded(row.text) + b"\n")
        printer.cut()
    except (OSError, EscposError) as error:
        raise NotPrinted(SILENT) from error
    finally:
        printer.close()


def _has_paper(printer: "Network") -> bool:  # type: ignore[name-defined]  # noqa: F821
    """What the printer says; one that does not speak is believed to have some, one that hangs up is not there."""
    printer.device.settimeout(STATUS_TIMEOUT)
    try:
        said = printer.query_status(RT_STATUS_PAPER)
        if not said:
            raise NotPrinted(SILENT)
        return bool(said[0] & NO_PAPER_BITS != NO_PAPER_BITS)
    except TimeoutError:
        return True
    finally:
        printer.device.settimeout(TIMEOUT)
