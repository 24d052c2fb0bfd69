"""The finder of texts from outside the catalogue finds them, in words and in a real page."""

from __future__ import annotations

import pytest
from playwright.async_api import async_playwright

from tests.browser.pseudo import outside_brackets, unmarked

PAGE = """<title>⟦Ṽíšíţ⟧</title><h1>⟦Ĥéĺĺó Ann⟧</h1><p>Ann Smith, 14:00</p><p>Forgotten</p>
<p hidden>Not shown</p><p style="display:none">Nor this</p><script>const hidden = "no";</script>
<button aria-label="Close it">×</button> <kbd>Esc</kbd> <p aria-live="polite">⟦Šóóñ⟧</p>"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("⟦Ĥéĺĺó Ann⟧", []),
        ("⟦Ĥéĺĺó⟧ there", ["⟦Ĥéĺĺó⟧ there"]),
        ("14:05 – 15:00", []),
        ("Ann Smith", []),
        ("Ann Smith waits", ["Ann Smith waits"]),
        ("⟦Óñé⟧ ⟦ţŵó⟧", []),
        ("⟦Áţ ⟦ţŵó⟧ ñóŵ⟧", []),
        ("⟦Áţ ⟦ţŵó⟧⟧ now", ["⟦Áţ ⟦ţŵó⟧⟧ now"]),
        ("  ", []),
    ],
)
def test_a_word_outside_the_brackets_is_found(text, found):
    assert outside_brackets([text], data=["Ann Smith"]) == found


@pytest.mark.browser
async def test_a_page_shows_where_its_texts_come_from(chromium_path):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.set_content(PAGE)
        found = await unmarked(page, data=["Ann Smith"])
        await browser.close()

    assert found == ["Forgotten", "Close it"]
