"""Where the parts of a page are: selectors, and JavaScript that reads a value."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = ROOT / "outputs" / "published" / "mnist"
PICTURES = ROOT / "outputs" / "browser"  # screenshots, for a person to look at


class WidgetPage:
    """The Explorer as ipywidgets draws it."""

    slider, said = ".infogan [role=slider]:visible", ".infogan .widget-html-content:visible"
    controls = ".infogan > :last-child"
    categories, play = ".infogan .code-0 button:visible", ".infogan .widget-play button:visible"
    picture = """(() => {
      const image = [...document.querySelectorAll('.infogan img')].find(i => i.offsetParent)
      if (!image) return ''
      const canvas = document.createElement('canvas')
      canvas.width = image.naturalWidth; canvas.height = image.naturalHeight
      canvas.getContext('2d').drawImage(image, 0, 0)
      return canvas.toDataURL() })()"""
    readout = "[...document.querySelectorAll('.infogan .widget-readout')].find(i => i.offsetParent).textContent"
    bar = """(() => { const svg = [...document.querySelectorAll('.infogan svg')].find(s => s.getClientRects().length)
      const set = svg.querySelector('.set').getAttribute('x')
      return [...svg.querySelectorAll('rect:not(.set)')].findIndex(r => r.getAttribute('x') === set) })()"""

    @staticmethod
    def bring(page, file):
        with page.expect_file_chooser() as chooser:
            page.click(".infogan .jupyter-button:visible:has-text('bring a picture')")
        chooser.value.set_files(file)


class SharedPage:
    """The page of share.html."""

    slider, categories, play, said = "input[type=range]", "label.category", "#play", "#said"
    controls = "#turn"
    picture = "document.querySelector('#picture').toDataURL()"
    readout = "document.querySelector('output').textContent"
    bar = "[...document.querySelector('.chart').children].findIndex(b => b.classList.contains('set'))"

    @staticmethod
    def bring(page, file):
        page.set_input_files("#file", file)
