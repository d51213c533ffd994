"""A real server for a real browser: the application on a port, and Chromium to look at it with."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: What must appear may take its time on a busy machine; how fast things are is measured in bench/.
expect.set_options(timeout=15_000)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application behind a threaded server; the address to open."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


class Windows:
    """Browser windows of several people; anything asked of another host or failing in a script is noted."""

    def __init__(self, browser: Any, base: str) -> None:
        self.browser, self.base = browser, base
        self.faults: list[str] = []

    def sign_in(self, username: str, password: str = "demo") -> Page:
        """A window of its own where this person has signed in."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 800}, locale="ru-RU")
        page: Page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._note(request.url))
        page.goto(f"{self.base}/login/")
        page.fill("#username", username)
        page.fill("#password", password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
        return page

    def _note(self, url: str) -> None:
        if not url.startswith((self.base, "data:", "blob:", "about:")):
            self.faults.append(f"asked another host: {url}")


@contextmanager
def windows(app: Flask) -> Iterator[Windows]:
    """Chromium in front of the served application; without Chromium the test is skipped, but not in CI."""
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with served(app) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield Windows(browser, base)
        finally:
            browser.close()


@contextmanager
def torn(page: Page, pattern: str, probe: str) -> Iterator[None]:
    """The line is torn for addresses like the pattern; `probe` is one of them, and asked until it really fails.

    Chromium says that it intercepts before its renderer does: a request sent at once may still pass.
    """
    page.route(pattern, lambda route: route.abort())
    page.wait_for_function("(probe) => fetch(probe).then(() => false, () => true)", arg=probe)
    yield
    page.unroute(pattern)
