"""Takes docs/demo.png: the demonstration application after a login, as the README shows it.

Run by hand when the look has changed: ``PYTHONPATH=tests .venv/bin/python docs/tools/screenshot.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from peers.browser import chromium, expect_whoami, log_in, visitor
from peers.program import PASSWORD, Program

DOCS = Path(__file__).parents[1]
FRAME = """
<!doctype html><meta charset=utf-8>
<style>
  body {{ margin: 0; background: #e8ebf1; font: 13px system-ui, sans-serif }}
  main {{ display: flex; gap: 20px; padding: 24px; align-items: center }}
  figure {{ margin: 0; flex: 1; min-width: 0; border-radius: 10px; overflow: hidden; box-shadow: 0 6px 24px #0003 }}
  figcaption {{ background: #2b3245; color: #e9ecf5; padding: 8px 12px; overflow: hidden; white-space: nowrap;
                text-overflow: ellipsis }}
  img {{ display: block; width: 100% }}
  b {{ font-size: 28px; color: #2b3245 }}
</style>
<main><figure><figcaption>{login_url}</figcaption><img src="{login}"></figure><b>→</b>
<figure><figcaption>{whoami_url}</figcaption><img src="{whoami}"></figure></main>
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = Program(Path(folder) / "demo", https_port=8443)
        try:
            program.start()
            _take(program, Path(folder))
            program.stop()
        finally:
            program.end()
    print(f"{DOCS / 'demo.png'} is new")


def _take(program: Program, folder: Path) -> None:
    with (
        sync_playwright() as playwright,
        chromium(playwright, folder / "home", program.ca.parent) as browser,
        visitor(browser, viewport={"width": 640, "height": 560}, device_scale_factor=1.5) as page,
    ):
        page.goto(program.whoami)
        page.screenshot(path=folder / "login.png")
        log_in(page, "akadmin", PASSWORD)
        page.wait_for_url(f"{program.whoami}/")
        expect_whoami(page, "akadmin")
        _make_readable(page)
        page.screenshot(path=folder / "whoami.png")
        (folder / "frame.html").write_text(
            FRAME.format(
                login_url=f"{program.identity}/if/flow/default-authentication-flow/",
                whoami_url=f"{program.whoami}/",
                login="login.png",
                whoami="whoami.png",
            )
        )
        page.set_viewport_size({"width": 1360, "height": 640})
        page.goto((folder / "frame.html").as_uri())
        page.locator("main").screenshot(path=DOCS / "demo.png")


def _make_readable(page: Page) -> None:
    """Long values shortened, what browsers say about themselves left out, the identity headers marked."""
    page.evaluate(
        """() => {
            const lines = document.body.innerText.split("\\n")
                .filter(line => !/^(sec-|upgrade-|accept-|priority)/i.test(line))
                .map(line => line.length > 74 ? line.slice(0, 73) + "…" : line);
            document.body.replaceChildren(...lines.map(line => {
                const row = document.createElement("div");
                row.textContent = line || "\\u00a0";
                if (/^x-authentik/i.test(line)) row.style.cssText = "background:#fff1b8;font-weight:600";
                return row;
            }));
            document.body.style.cssText = "font:13px/1.45 monospace;margin:14px;white-space:pre";
        }"""
    )


if __name__ == "__main__":
    main()
