"""Messages to patients: their templates, the outbox, and sending.

A message is a row first, written with the visit that caused it; the worker sends it through the gateway of
`app/gateways/sms/`. The schedule calls `operations.plan_visit`, `replan_visit` and `call_off_visit`.
"""
