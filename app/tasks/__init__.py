"""Call tasks «Задачи для обзвона»: who must be called, why, and what came of it.

A patient stands in the list once; every reason to call is a row under the task. Other rooms ask for a call with
`operations.ask`, tell that its cause is over with `reasons_gone`, and that the patient was booked with
`patient_booked`. Where next: `rules.py` for when to try again, `operations.py` for the desk's deeds.
"""
