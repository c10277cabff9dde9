"""Issues to import: the real ones, or made ones of the same shape."""

import csv
import io
import random
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ["id", "title", "status", "type", "owner", "reporter", "created_at", "comment_times"]


@dataclass(frozen=True)
class Issues:
    """A CSV file of issues, and its rows as the csv module reads them."""

    file: Path
    rows: list[dict[str, str]]
    real: bool


def made_issues() -> str:
    """4,000 issues: commas, quotes, non-ASCII text, empty cells, equal ids, CR LF."""
    random.seed(4000)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for n in range(1, 4001):
        title = random.choice(
            ['Crash, "again"', "Größe falsch", "日本語の問題", "Plain", "Ünï; tab"]
        )
        minute, second = divmod(n, 60)
        time = f"2008-{1 + n % 12:02}-{1 + n % 28:02}T{n % 24:02}:{minute % 60:02}:{second:02}Z"
        writer.writerow(
            [
                n - (n % 1999 == 0),
                f"{title} {n}",
                random.choice(["Released", "Question", "New", "Declined", "Spam"]),
                random.choice(["Defect", "Enhancement"]),
                random.choice(["", f"engineer-{n % 90:03}"]),
                f"reporter-{n % 2500:04}",
                time if n % 90 else "",
                ";".join([time] * (n % 4)),
            ]
        )
    return text.getvalue()
