"""`python -m app init` founds a clinic of one's own; any other command is `flask --app app …`.

Without DATABASE_URL the local server of this machine is joined, or started for the time of the command.
"""

import os
import sys

from flask.cli import FlaskGroup

from app import create_app
from app.local.postgres import database
from app.local.processes import LocalServiceError
from config import var_dir


def main() -> None:
    """Run one command with a database to talk to."""
    try:
        with database(var_dir(), os.environ):
            FlaskGroup(create_app=create_app).main(prog_name="app")
    except LocalServiceError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
