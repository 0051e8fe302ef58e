"""The browser of the distribution, for tests of what people look at."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

#: As root, in a container, Chromium has no sandbox to offer; it draws maps without a graphics card.
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@pytest.fixture(scope="session")
def chromium():
    """Chromium, without a window."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "chromium is missing: `make test` installs it."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def remembering(page):
    """Return `page`, which remembers what went wrong in it (`heard`) and what it asked for."""
    page.heard, page.asked = [], []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.on("requestfailed", lambda failed: page.heard.append(failed.url))
    return page
