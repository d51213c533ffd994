"""Tables that come as files and go out as files: XLSX and CSV.

Where next: `writing.py` (what people typed never becomes a formula), `reading.py` (a file of whoever made it),
`sheets.py` (the inside of a workbook).
"""

from app.spreadsheets.reading import HEAD, Cells, FileRefused, Limits, tables
from app.spreadsheets.writing import MOST_ROWS, XLSX, safe, unsafe, workbook

__all__ = ["HEAD", "MOST_ROWS", "XLSX", "Cells", "FileRefused", "Limits", "safe", "tables", "unsafe", "workbook"]
