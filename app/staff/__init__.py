"""Employees, their logins and rights, and everybody's own password and language.

Here too: the clinic's own directories (legal entities, branches, chairs, specialities), its settings and the log of
actions, which belong to the same people. Who may do what is decided in `app/access.py`.
"""
