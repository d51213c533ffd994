"""`python -m app init` founds a clinic of one's own; any other command is `flask --app app …`.

Without DATABASE_URL the local server of this machine is started for the time of the command.
"""

import os
import sys
from contextlib import ExitStack

from flask.cli import FlaskGroup

from app import create_app
from app.local import LocalServiceError, Postgres
from config import var_dir


def main() -> None:
    """Run one command with a database to talk to."""
    with ExitStack() as stack:
        if not os.environ.get("DATABASE_URL"):
            try:
                postgres = stack.enter_context(Postgres(var_dir() / "postgres"))
            except LocalServiceError as error:
                sys.exit(str(error))
            os.environ["DATABASE_URL"] = postgres.url
        FlaskGroup(create_app=create_app).main(prog_name="app")


if __name__ == "__main__":
    main()
