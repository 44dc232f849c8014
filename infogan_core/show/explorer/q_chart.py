"""Q(c|x) of one picture, as text and as small charts beside the codes that were set."""

from html import escape

from torch import Tensor

from infogan_core.runs import Run
from infogan_core.show.figures import category_name, number

Reading = list[Tensor | tuple[Tensor, Tensor]]  # as run.infer gives it: probabilities [1, K], or (mean, std) [1]
WIDTH, HEIGHT = 200, 18  # of one code's chart, in pixels
REACH = 2.5  # a continuous code's axis goes from -REACH to REACH
FULL, FAINT, SET = "var(--jp-brand-color1, #1976d2)", "var(--jp-layout-color3, #bdbdbd)", "#e8590c"


def in_words(run: Run, reading: Reading) -> str:
    """Q(c|x), a code after the other: "c1 = 7 (98%) digit 3, c2 = 0.41 ± 1.00"."""
    return ", ".join(f"{run.config.latents.name(i)} = {_value(run, i, q)}" for i, q in enumerate(reading))


def chart(run: Run, reading: Reading, codes: list[Tensor]) -> str:
    """Q(c|x) as HTML, one row per code: its symbol, a small chart, and what Q reads in words.

    A categorical code: a bar per category, the one that was set outlined. A continuous code: the mean, one standard
    deviation to each side, and a tick at what was set.
    """
    rows = []
    for i, (q, c) in enumerate(zip(reading, codes, strict=True)):
        is_categorical = isinstance(q, Tensor)
        marks = _bars(q[0].tolist(), int(c)) if is_categorical else _interval(*(part.item() for part in q), float(c))
        picture = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}">{marks}</svg>'
        rows.append(f"<span>{run.config.latents.name(i)}</span>{picture}<span>{escape(_value(run, i, q))}</span>")
    words = escape(in_words(run, reading))
    return f'<div class="reading" role="img" aria-label="Q reads: {words}">{"".join(rows)}</div>'


def _value(run: Run, code: int, q: Tensor | tuple[Tensor, Tensor]) -> str:
    if isinstance(q, Tensor):
        best = int(q[0].argmax())
        return f"{best} ({q[0, best].item():.0%}) {category_name(run, code, best)}".rstrip()
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
