"""Every table of the product, declared once, a file per room or subject.

Who needs a table imports it from `app.models`, the contents page.
"""
