"""A table, for a terminal and as Markdown, and how a figure is written: its median, and its lowest and highest round."""

import statistics


def number(value):
    """Three digits that count."""
    if value is None:
        return "-"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def spread(values):
    """The median of all rounds, and between what they lie."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    middle = number(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))}-{number(max(values))})"


class Table:
    """`head`: the columns' names, the first one's row names apart."""

    def __init__(self, title, head):
        self.title = title
        self.head = ["", *head]
        self.rows = []

    def row(self, name, cells):
        self.rows.append([name, *cells])

    def text(self):
        widths = [max(len(line[place]) for line in [self.head, *self.rows]) for place in range(len(self.head))]
        lines = ["", self.title]
        for line in [self.head, *self.rows]:
            lines.append("  " + line[0].ljust(widths[0]) + "".join(
                "  " + cell.rjust(width) for cell, width in zip(line[1:], widths[1:])))
        return "\n".join(lines)

    def markdown(self):
        lines = [f"**{self.title}**", "", "| " + " | ".join(self.head) + " |", "|---" * len(self.head) + "|"]
        lines += ["| " + " | ".join(line) + " |" for line in self.rows]
        return "\n".join(lines) + "\n"
