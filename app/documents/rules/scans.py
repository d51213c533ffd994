"""What may be attached as the scan of a signed paper: a PDF or a picture, told by its bytes and not by its name."""

import io

from PIL import Image, UnidentifiedImageError

from app.errors import Invalid
from app.vocab import N_

#: A request takes four megabytes; a page scanned at 200 dpi is about one.
LARGEST = 3_670_016
#: A sheet at 600 dpi; more is not a sheet.
MOST_PIXELS = 40_000_000
_PICTURES = {"JPEG": "image/jpeg", "PNG": "image/png"}


def mimetype_of(content: bytes) -> str:
    """What the file is: application/pdf, image/jpeg or image/png.

    Raises:
        Invalid: empty, too large, something else, broken.
    """
    if not content:
        raise Invalid(fields={"scan": N_("Choose the file with the scan.")})
    if len(content) > LARGEST:
        raise Invalid(fields={"scan": N_("The file is larger than 3.5 MB: scan it with 200 dpi.")})
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_PICTURES)) as picture:
            kind, (width, height) = str(picture.format), picture.size
            if width * height > MOST_PIXELS:
                raise Invalid(fields={"scan": N_("The picture has too many dots: scan it with 200 dpi.")})
            picture.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid(fields={"scan": N_("Attach a PDF or a picture (JPEG, PNG).")}) from error
    return _PICTURES[kind]
