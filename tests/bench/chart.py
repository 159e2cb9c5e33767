"""Bars in SVG, small enough to be read: one group a mode, one bar a forwarder, its figure at the end."""

from html import escape

COLOURS = {"srs-relay": "#2a7f62", "postfix": "#b5651d", "exim": "#7a6c9d", "echo": "#a9a9a9"}
WIDTH, VALUES, BAR, GAP, TOP = 760, 90, 16, 14, 56
LETTER = 6.6  # width of one, about


def bars(title, unit, groups):
    """`groups`: list of (label, [(name, value), …]). The longest bar fills the width."""
    most = max(value for _, series in groups for _, value in series)
    labels = round(20 + LETTER * max(len(label) for label, _ in groups))
    scale = (WIDTH - labels - VALUES) / most
    parts, y = [], TOP
    for label, series in groups:
        middle = y + BAR * len(series) / 2
        parts.append(text(labels - 10, middle + 4, label, anchor="end"))
        for name, value in series:
            parts.append(f'<rect x="{labels}" y="{y}" width="{max(1, value * scale):.1f}" height="{BAR - 2}" '
                         f'fill="{COLOURS.get(name, "#888")}"/>')
            parts.append(text(labels + value * scale + 6, y + BAR - 5, short(value)))
            y += BAR
        y += GAP
    head = [text(10, 20, f"{title} ({unit})", weight="bold"), *legend([name for _, series in groups for name, _ in series])]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="{WIDTH}" height="{y}" fill="white"/>\n' + "\n".join(head + parts) + "\n</svg>\n")


def text(x, y, words, anchor="start", weight="normal"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def short(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def legend(names):
    x = 10
    for name in dict.fromkeys(names):
        yield f'<rect x="{x}" y="32" width="10" height="10" fill="{COLOURS.get(name, "#888")}"/>'
        yield text(x + 14, 41, name)
        x += 30 + 7 * len(name)


def rates(measured, figure):
    """A chart of modes; `measured`: list of (label, kind -> value)."""
    return bars("Messages delivered", figure, [(label, list(values.items())) for label, values in measured])
