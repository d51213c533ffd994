"""Messages to patients: their templates, the outbox, sending; and what patients answer.

A message is a row first, written with the visit that caused it; the worker sends it through the gateway of
`app/gateways/sms/`. The schedule calls `operations.plan_visit`, `replan_visit`, `call_off_visit` and `tell_missed`, and
decides what a reply means for a visit (`app/schedule/operations/notifying.py`).
"""
