"""Where the parts of the Explorer's page are: selectors, and JavaScript that reads a value."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = ROOT / "outputs" / "published" / "mnist"
PICTURES = ROOT / "outputs" / "browser"  # screenshots, for a person to look at

SLIDER, SAID, CATEGORIES = ".infogan .trained input:visible", ".infogan .said:visible", ".infogan .code-0 label:visible"
HERE = "[...document.querySelectorAll('.infogan')].find(e => e.offsetParent)"
PICTURE = f"{HERE}.querySelector('.picture').toDataURL()"
READOUT = f"{HERE}.querySelector('.trained + output').textContent"
BAR = f"[...{HERE}.querySelector('.chart').children].findIndex(b => b.classList.contains('set'))"
STRIP = f"{HERE}.querySelector('.code-0 canvas').toDataURL()"
DRAWN = f"{HERE}?.dataset.strips"


def button(page, text):
    return page.locator(f".infogan button:visible:text-is('{text}')")


def unfold(page, title):
    part = page.locator(f".infogan details:visible:has(summary:text-is('{title}'))")
    if part.get_attribute("open") is None:
        part.locator("summary").click()
    return part


def bring(page, file):
    unfold(page, "bring a picture").locator("input[type=file]").set_input_files(file)


def wait_for_change(page, before):
    page.wait_for_function(f"{PICTURE} !== {before!r}")
