"""Pictures of a page, taken once the browser has drawn it."""

from playwright.sync_api import Error, FloatRect, Page

_DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_TRIES = 5


def picture(page: Page, *, full_page: bool = False, clip: FloatRect | None = None) -> bytes:
    """A PNG of `page`, or of its part `clip` (in CSS pixels).

    Chromium refuses ("Unable to capture screenshot") while a new page has no frame yet, which on a busy machine lasts
    past the load event: wait for a frame, and ask again.
    """
    for _ in range(_TRIES - 1):
        try:
            page.evaluate(_DRAWN)
            return page.screenshot(full_page=full_page, clip=clip)
        except Error as refused:
            if "Unable to capture" not in refused.message:
                raise
            page.wait_for_timeout(500)
    return page.screenshot(full_page=full_page, clip=clip)
