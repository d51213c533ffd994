"""The demo clinic: believable, made around today by the desk's own operations. Where next: `app/demo/clinic.py`."""
