"""What Q reads in a picture, as text and as a small drawing beside what was set."""

from __future__ import annotations

from html import escape

from torch import Tensor

from infogan_core.model.latents import Categorical
from infogan_core.show.figures import Run, category_label, number

Reading = list  # Q(c|x) of one picture, as run.infer gives it: probabilities [1, K], or (mean, std) [1]
WIDTH, HEIGHT, LEFT = 200, 18, 34  # of one code's drawing, in pixels, and of the column with its symbol
REACH = 2.5  # a continuous code is drawn from -REACH to REACH
FULL, FAINT, SET = "var(--jp-brand-color1, #1976d2)", "var(--jp-layout-color3, #bdbdbd)", "#e8590c"


def in_words(run: Run, reading: Reading) -> str:
    """Q(c|x), a code after the other: "c1 = 7 (98%), c2 = 0.41 ± 1.00"."""
    spec = run.config.latents
    return ", ".join(
        f"{spec.name(i)} = {_value(code, q)}" for i, (code, q) in enumerate(zip(spec.codes, reading, strict=True))
    )


def drawn(run: Run, reading: Reading, codes: list[Tensor]) -> str:
    """Q(c|x) beside the codes that were set, one line each, as an SVG: bars of a category's probability, the one that
    was set outlined; a continuous code's mean and one standard deviation to each side, what was set as a tick."""
    spec, rows = run.config.latents, []
    for i, (code, q, c) in enumerate(zip(spec.codes, reading, codes, strict=True)):
        chart = _bars(q[0].tolist(), int(c)) if isinstance(code, Categorical) else _interval(*q, float(c))
        name = _label(run, i, code, q)
        rows.append(
            f'<g transform="translate(0 {i * (HEIGHT + 8)})"><text x="0" y="14">{escape(spec.name(i))}</text>'
            f'<g transform="translate({LEFT} 0)">{chart}</g>'
            f'<text x="{LEFT + WIDTH + 8}" y="14">{escape(name)}</text></g>'
        )
    words = escape(f"Q reads: {in_words(run, reading)}", quote=True)
    width, height = LEFT + WIDTH + 126, len(rows) * (HEIGHT + 8)
    return (
        f'<svg role="img" aria-label="{words}" viewBox="0 0 {width} {height}" width="100%" '
        f'style="max-width:{width}px" font-size="12" fill="currentColor">{"".join(rows)}</svg>'
    )


def _value(code: object, q: Tensor | tuple[Tensor, Tensor]) -> str:
    if isinstance(code, Categorical):
        return f"{q[0].argmax().item()} ({q[0].max().item():.0%})"
    mean, sigma = (part[0].item() for part in q)
    return f"{mean:z.2f} ± {sigma:.2f}"


def _label(run: Run, i: int, code: object, q: Tensor | tuple[Tensor, Tensor]) -> str:
    """The value, and what the category turned out to mean where that is known."""
    meaning = category_label(run, i, int(q[0].argmax())).partition("\n")[2] if isinstance(code, Categorical) else ""
    return " ".join([_value(code, q), *meaning.split("\n")][:2]) if meaning else _value(code, q)


def _bars(probabilities: list[float], chosen: int) -> str:
    step, parts = WIDTH / len(probabilities), []
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    for k, p in enumerate(probabilities):
        tall, colour = max(1.0, p * HEIGHT), FULL if k == best else FAINT
        gap = min(4, step / 3)
        box = f'x="{k * step + gap / 2:.1f}" width="{step - gap:.1f}"'
        kind = "read" if k == best else "rest"
        parts.append(f'<rect class="{kind}" {box} y="{HEIGHT - tall:.1f}" height="{tall:.1f}" fill="{colour}"/>')
        if k == chosen:
            outline = f'fill="none" stroke="{SET}" stroke-width="1.5"'
            parts.append(f'<rect class="set" {box} y="0" height="{HEIGHT}" {outline}/>')
    return "".join(parts)


def _interval(mean: Tensor, sigma: Tensor, chosen: float) -> str:
    def across(value: float) -> float:
        return (min(max(value, -REACH), REACH) + REACH) / (2 * REACH) * WIDTH

    mu, s, middle = mean[0].item(), sigma[0].item(), HEIGHT / 2
    low, high = across(mu - s), across(mu + s)
    return (
        f'<line x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}" stroke="{FAINT}"/>'
        f'<rect class="spread" x="{low:.1f}" width="{high - low:.1f}" y="5" height="{HEIGHT - 10}" fill="{FAINT}"/>'
        f'<circle class="read" cx="{across(mu):.1f}" cy="{middle}" r="4" fill="{FULL}"/>'
        f'<line class="set" x1="{across(chosen):.1f}" x2="{across(chosen):.1f}" y1="0" y2="{HEIGHT}" stroke="{SET}" '
        f'stroke-width="2"><title>set: {number(chosen, 2)}</title></line>'
    )
