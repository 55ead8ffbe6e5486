"""What the tests of sweeps and of reproduce share: they leave the same kinds of files, and are stopped the same way."""

import csv
import signal
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path

from command import PROGRAM


class Page(HTMLParser):
    """The pictures of a page, and what it would fetch from elsewhere."""

    def __init__(self, path):
        super().__init__()
        self.pictures, self.outside, self.headings = [], [], []
        self.open = []
        self.feed(Path(path).read_text())

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.open.append(tag)
        if tag == "img":
            self.pictures.append((values.get("alt"), values.get("src", "")))
        if tag in ("script", "iframe"):
            self.outside.append(tag)
        for name in ("src", "href"):
            if not values.get(name, "data:").startswith(("data:", "#")):
                self.outside.append(values[name])

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2" and data.strip():
            self.headings.append(data.strip())


def check_page(case, path):
    """A page that needs nothing else, every picture of it described."""
    page = Page(path)
    case.assertEqual(page.outside, [])
    case.assertTrue(page.pictures)
    for alt, source in page.pictures:
        case.assertTrue(alt and alt.strip())
        case.assertTrue(source.startswith("data:image/"), source[:40])
    return page


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def every_file(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def interrupt(case, words, there):
    """Starts iscp, sends SIGINT as soon as the file `there` is, and gives back its messages."""
    command = [PROGRAM, *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None and not Path(there).exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=600)
    case.assertEqual(process.returncode, 130, errors)
    return errors
