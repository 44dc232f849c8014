"""Q(c|x) of one picture, as text and as a small chart beside the codes that were set."""

from html import escape

from torch import Tensor

from infogan_core.runs import Run
from infogan_core.show.figures import category_label, number

Reading = list[Tensor | tuple[Tensor, Tensor]]  # as run.infer gives it: probabilities [1, K], or (mean, std) [1]
WIDTH, HEIGHT, LEFT = 200, 18, 34  # of one code's chart, in pixels, and of the column with its symbol
REACH = 2.5  # a continuous code's axis goes from -REACH to REACH
FULL, FAINT, SET = "var(--jp-brand-color1, #1976d2)", "var(--jp-layout-color3, #bdbdbd)", "#e8590c"


def in_words(run: Run, reading: Reading) -> str:
    """Q(c|x), a code after the other: "c1 = 7 (98%), c2 = 0.41 ± 1.00"."""
    return ", ".join(f"{run.config.latents.name(i)} = {_value(q)}" for i, q in enumerate(reading))


def chart(run: Run, reading: Reading, codes: list[Tensor]) -> str:
    """Q(c|x) as an SVG, one line per code.

    A categorical code: a bar per category, the one that was set outlined, and the name that Q reads, as far as it fits.
    A continuous code: the mean, one standard deviation to each side, and a tick at what was set.
    """
    rows = []
    for i, (q, c) in enumerate(zip(reading, codes, strict=True)):
        if isinstance(q, Tensor):
            marks, name = _bars(q[0].tolist(), int(c)), category_label(run, i, int(q[0].argmax())).split()[1:-1]
        else:
            marks, name = _interval(*(part.item() for part in q), float(c)), []
        words = f"{_value(q)} {' '.join(name):.14}".rstrip()
        rows.append(
            f'<g transform="translate(0 {i * (HEIGHT + 8)})"><text x="0" y="14">{run.config.latents.name(i)}</text>'
            f'<g transform="translate({LEFT} 0)">{marks}</g>'
            f'<text x="{LEFT + WIDTH + 8}" y="14">{escape(words)}</text></g>'
        )
    width, height = LEFT + WIDTH + 126, len(rows) * (HEIGHT + 8)
    return (
        f'<svg role="img" aria-label="Q reads: {in_words(run, reading)}" viewBox="0 0 {width} {height}" width="100%" '
        f'style="max-width:{width}px" font-size="12" fill="currentColor">{"".join(rows)}</svg>'
    )


def _value(q: Tensor | tuple[Tensor, Tensor]) -> str:
    if isinstance(q, Tensor):
        return f"{q[0].argmax().item()} ({q[0].max().item():.0%})"
    mean, sigma = (part.item() for part in q)
    return f"{mean:z.2f} ± {sigma:.2f}"


def _bars(probabilities: list[float], chosen: int) -> str:
    step, best, parts = WIDTH / len(probabilities), max(probabilities), []
    gap = min(4, step / 3)
    for k, p in enumerate(probabilities):
        kind, colour = ("read", FULL) if k == probabilities.index(best) else ("rest", FAINT)
        box, tall = f'x="{k * step + gap / 2:.1f}" width="{step - gap:.1f}"', max(1.0, p * HEIGHT)
        parts.append(f'<rect class="{kind}" {box} y="{HEIGHT - tall:.1f}" height="{tall:.1f}" fill="{colour}"/>')
        if k == chosen:
            look = f'fill="none" stroke="{SET}" stroke-width="1.5"'
            parts.append(f'<rect class="set" {box} y="0" height="{HEIGHT}" {look}/>')
    return "".join(parts)


def _interval(mean: float, sigma: float, chosen: float) -> str:
    ends = (min(max(value, -REACH), REACH) for value in (mean, mean - sigma, mean + sigma, chosen))
    at, low, high, put = ((value + REACH) / (2 * REACH) * WIDTH for value in ends)
    middle = HEIGHT / 2
    return (
        f'<line x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}" stroke="{FAINT}"/>'
        f'<rect class="spread" x="{low:.1f}" width="{high - low:.1f}" y="5" height="{HEIGHT - 10}" fill="{FAINT}"/>'
        f'<circle class="read" cx="{at:.1f}" cy="{middle}" r="4" fill="{FULL}"/>'
        f'<line class="set" x1="{put:.1f}" x2="{put:.1f}" y1="0" y2="{HEIGHT}" stroke="{SET}" stroke-width="2">'
        f"<title>set: {number(chosen, 2)}</title></line>"
    )
