"""What may be attached as the scan of a signed paper: a PDF or a picture, told by its bytes and not by its name.

It is really read: what is called «signed» opens ten years later, or is not taken.
"""

import io

from PIL import Image
from pypdf import PdfReader
from pypdf.errors import DependencyError

from app import deadline
from app.errors import Invalid
from app.vocab import N_

#: A request takes four megabytes; a page scanned at 200 dpi is about one.
LARGEST = 3_670_016
TOO_LARGE = N_("The file is larger than 3.5 MB: scan it with 200 dpi.")
#: A sheet at 600 dpi; more is not a sheet.
MOST_PIXELS = 40_000_000
#: How long a file may be read (seconds); a real one takes a part of one.
LONGEST = 10.0
#: A phone's JPEG may hold a second, smaller picture, and is then called MPO.
_PICTURES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}


def mimetype_of(content: bytes) -> str:
    """What the file is: application/pdf, image/jpeg or image/png.

    Raises:
        Invalid: empty, too large, something else, broken.
    """
    if not content:
        raise Invalid(fields={"scan": N_("Choose the file with the scan.")})
    if len(content) > LARGEST:
        raise Invalid(fields={"scan": TOO_LARGE})
    try:
        with deadline.within(LONGEST):
            return _pdf(content) if content.startswith(b"%PDF-") else _picture(content)
    except Invalid:
        raise
    except (Exception, deadline.OutOfTime) as error:  # a broken file leads the libraries to raise whatever there is
        raise Invalid(fields={"scan": N_("Attach a PDF or a picture (JPEG, PNG).")}) from error


def _pdf(content: bytes) -> str:
    """A PDF that has a page; what else is in it is neither judged nor run."""
    try:
        if PdfReader(io.BytesIO(content)).get_num_pages() < 1:
            raise ValueError
    except DependencyError:
        pass  # locked against changes, as some machines do: whoever opens it sees it, its pages are not counted here
    return "application/pdf"


def _picture(content: bytes) -> str:
    """A picture that can be decoded to its last line."""
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
        kind, (width, height) = str(picture.format), picture.size
        if width * height > MOST_PIXELS:
            raise Invalid(fields={"scan": N_("The picture has too many dots: scan it with 200 dpi.")})
        picture.draft("L", (width // 8, height // 8))  # a JPEG is read whole, and takes a part of the memory
        picture.load()
    return _PICTURES[kind]
