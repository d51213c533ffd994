"""Background jobs: how they are put in the queue, which run by the clock, and the process that runs them.

The database owns the work (a row first, committed); a job only carries ids, as JSON. So nothing here may fail a
request: when the broker is away the sweep finds the row later. Where next: the rooms' jobs.py; run.py starts the
processes.
"""

import logging
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from flask import Flask, current_app, has_app_context
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.cron import CronJob, CronScheduler
from rq.job import Job
from rq.serializers import JSONSerializer

log = logging.getLogger(__name__)

NAME = "desk"
#: Papers are printed by a process of their own: a contract does not wait for a fiscal device, a receipt not for papers.
PAPERS = "papers"
#: In the order in which a worker that serves all of them looks for work.
QUEUES = (NAME, PAPERS)
JOB_TIMEOUT = 180  # seconds
FAILED_KEPT = 24 * 3600  # seconds; rq's default is a year


class TimedJob(NamedTuple):
    """A job that the clock starts: the function's dotted path and the seconds between two starts."""

    function: str
    seconds: int


#: What happens by itself. A job is safe to run twice and asks the database what is due.
TIMED_JOBS = [
    TimedJob("app.once.forget_keys", 24 * 3600),
    TimedJob("app.messages.jobs.sweep", 10),
    TimedJob("app.messages.jobs.ask_delivery", 60),
    TimedJob("app.fiscal.jobs.sweep", 10),
    TimedJob("app.fiscal.jobs.look", 60),
    TimedJob("app.documents.jobs.sweep", 10),
    TimedJob("app.schedule.jobs.take_replies", 20),
    TimedJob("app.schedule.jobs.note_notified", 10),
    TimedJob("app.tasks.jobs.tidy", 60),
    TimedJob("app.patients.jobs.sweep", 20),
    TimedJob("app.patients.jobs.forget", 24 * 3600),
    TimedJob("app.schedule.jobs.extend_hours", 24 * 3600),
    TimedJob("app.schedule.jobs.end_offers", 30),
    TimedJob("app.schedule.jobs.call_planned", 600),
    TimedJob("app.schedule.jobs.lift_ended_holds", 60),
    TimedJob("app.schedule.jobs.keep_spare_sheets", 120),
]


def broker_url() -> str:
    """Address of the broker; empty where there is none."""
    if has_app_context():
        return str(current_app.config.get("REDIS_URL") or "")
    return os.environ.get("REDIS_URL", "")


@lru_cache(maxsize=8)
def _connection(url: str) -> Redis:
    # No retries and short limits: a person waits at the page that enqueues.
    return Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 0))


def queue(name: str = NAME) -> Queue:
    """A queue of the running application's broker.

    Raises:
        RuntimeError: no broker is configured.
    """
    url = broker_url()
    if not url:
        raise RuntimeError("REDIS_URL is not set")
    return Queue(name, connection=_connection(url), serializer=JSONSerializer, default_timeout=JOB_TIMEOUT)


def enqueue(function: str, *args: Any, job_id: str | None = None, name: str = NAME) -> bool:
    """Ask the worker to call `function(*args)`; call it after the commit that made the row.

    `function` is a dotted path, `args` are JSON values. The same `job_id` (letters, digits, - and _) twice before the
    worker comes is run once. Never raises for a dead broker: says False, and the sweep finds the row.
    """
    try:
        target = queue(name)
        with target.connection.pipeline() as together:  # one way to the broker: a person waits
            target.enqueue(function, args=args, job_id=job_id, result_ttl=0, failure_ttl=FAILED_KEPT, pipeline=together)
            together.execute()
    except (RedisError, OSError, RuntimeError) as error:
        log.warning("not enqueued, left for the sweep: %s (%s)", function, type(error).__name__)
        return False
    return True


class _Tick(CronJob):
    """A timed job in our queue. rq's own would go through pickle, which our worker refuses to read."""

    def enqueue(self, connection: Redis) -> Job:
        # A tick that nobody took before the next one is due is dropped: a dead worker finds no pile of them.
        target = Queue(self.queue_name, connection=connection, serializer=JSONSerializer, default_timeout=JOB_TIMEOUT)
        return target.enqueue(self.func_name, ttl=self.interval, result_ttl=0, failure_ttl=FAILED_KEPT)


def schedule(connection: Redis) -> CronScheduler:
    """The clock: puts each of TIMED_JOBS in the queue when its time comes. Run exactly one."""
    clock = CronScheduler(connection=connection, logging_level=logging.WARNING)
    for job in TIMED_JOBS:
        clock.get_jobs().append(_Tick(NAME, func_name=job.function, interval=job.seconds))
    return clock


class DeskWorker(SimpleWorker):
    """Runs jobs one after another in its own process, each in a fresh application context.

    It does not fork: the application is made once, and a job costs milliseconds. A job that hangs is interrupted after
    its timeout; a process that dies is started again by whoever started it.
    """

    app: Flask

    def perform_job(self, *args: Any, **kwargs: Any) -> bool:
        with self.app.app_context():
            return super().perform_job(*args, **kwargs)


def worker(app: Flask, names: Sequence[str] = QUEUES) -> DeskWorker:
    """A worker for this application's queues; `.work()` runs until a signal, `.work(burst=True)` until they are empty.

    What waits in the first is done before anything of the next.
    """
    url = app.config["REDIS_URL"]
    if not url:
        raise RuntimeError("REDIS_URL is not set")
    connection = Redis.from_url(url, socket_connect_timeout=5)
    queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in names]
    made = DeskWorker(queues, serializer=JSONSerializer)
    made.app = app
    made.log_job_description = False  # arguments stay out of the log
    return made
