"""The schedule «Расписание»: doctors' hours, visits, closed and held time.

Words: visit (`Appointment`), slot (who, where, from, to), block (`TimeBlock`), hours (`WorkingHours`). A move keeps
the row. Every change first takes the day's words of its doctor, chair and patient, then looks, then writes; the
EXCLUDE constraints have the last word. Where next: `operations.py`.
"""
