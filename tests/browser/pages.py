"""Where the parts of a page are: selectors, and JavaScript that reads a value."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = ROOT / "outputs" / "published" / "mnist"
PICTURES = ROOT / "outputs" / "browser"  # screenshots, for a person to look at


class WidgetPage:
    """The Explorer as ipywidgets draws it."""

    slider, categories, play = ".infogan [role=slider]", ".infogan .code-0 button", ".infogan .widget-play button"
    said = ".infogan .widget-html-content"
    picture = """(() => {
      const image = document.querySelector('.infogan img'), canvas = document.createElement('canvas')
      canvas.width = image.naturalWidth; canvas.height = image.naturalHeight
      canvas.getContext('2d').drawImage(image, 0, 0)
      return canvas.toDataURL() })()"""
    readout = "document.querySelector('.infogan .widget-readout').textContent"
    bar = """(() => { const set = document.querySelector('.infogan svg .set').getAttribute('x')
      return [...document.querySelectorAll('.infogan svg g g')[0].querySelectorAll('rect:not(.set)')]
        .findIndex(r => r.getAttribute('x') === set) })()"""

    @staticmethod
    def bring(page, file):
        with page.expect_file_chooser() as chooser:
            page.click(".infogan .jupyter-button:has-text('bring a picture')")
        chooser.value.set_files(file)


class SharedPage:
    """The page of share.html."""

    slider, categories, play, said = "input[type=range]", "label.category", "#play", "#said"
    picture = "document.querySelector('#picture').toDataURL()"
    readout = "document.querySelector('output').textContent"
    bar = "[...document.querySelector('.chart').children].findIndex(b => b.classList.contains('set'))"

    @staticmethod
    def bring(page, file):
        page.set_input_files("#file", file)
