"""Pages and plots of the program: well-formed, whole without a network, described for those who do not see them."""

import os
import re
import shutil
import subprocess
import unittest
from html.parser import HTMLParser
from xml.etree import ElementTree

from command import Case, read_png

DRAW = os.environ["ISCP_DRAW"]
VOID = {"meta", "link", "img", "br"}


class Reader(HTMLParser):
    """Tags close in the order in which they were opened; headings, pictures and cells are kept."""

    def __init__(self):
        super().__init__()
        self.open, self.images, self.headings, self.cells, self.seen = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in ("th", "td"):
            self.cells.append([tag, dict(attributes), ""])

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] in ("th", "td"):
            self.cells[-1][2] += data


def read_page(path):
    text = path.read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open, reader.open
    return text, reader


def check_page(case, path):
    text, page = read_page(path)
    case.assertTrue(text.startswith('<!DOCTYPE html>\n<html lang="en">'))
    case.assertNotRegex(text, "https?://|<script|javascript:")
    case.assertIn("<title>", text)
    case.assertEqual(page.headings[0], 1)
    case.assertEqual(page.headings.count(1), 1)
    case.assertTrue(all(b <= a + 1 for a, b in zip(page.headings, page.headings[1:])))
    for image in page.images:
        case.assertTrue(image["alt"].strip())
        case.assertRegex(image["src"][:40], r"^data:image/(png|svg\+xml);base64,[A-Za-z0-9+/=]+$")
    return text, page


class Page(Case):
    def draw(self, *words, code=0):
        done = subprocess.run([DRAW, str(self.folder), *words], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_what_is_written(self):
        plots = "plots" in self.draw().stdout
        text, page = check_page(self, self.folder / "page.html")
        self.assertEqual(len(page.images), 4 if plots else 2)
        self.assertIn("&lt;b&gt; &amp; &quot;c&quot;", text)
        self.assertIn("\ufffd", text)  # a byte that is not UTF-8
        cells = {value: (tag, attributes.get("class", ""), attributes.get("scope")) for tag, attributes, value in page.cells}
        self.assertEqual(cells["natural"], ("th", "", "row"))
        self.assertEqual(cells["PW"], ("th", "number", "col"))  # over a column of numbers
        self.assertEqual(cells["0.41 ± 0.03"], ("td", "number", None))
        self.assertEqual(cells["0.45"], ("td", "number paper", None))
        self.assertEqual(cells["a word"], ("td", "", None))
        self.assertEqual(sorted(p.suffix for p in self.folder.iterdir() if ".part" in p.name), [])

    def test_the_picture_is_the_file(self):
        import base64

        self.draw()
        _, page = read_page(self.folder / "page.html")
        kept = [base64.b64decode(image["src"].split(",")[1]) for image in page.images]
        self.assertIn((self.folder / "dot.png").read_bytes(), kept)

    def test_plots(self):
        if "plots" not in self.draw().stdout:
            self.skipTest("built without cairo")
        for name in "bars", "lines":
            width, height, channels, rows = read_png(self.folder / f"{name}.png")
            self.assertEqual((width, height, channels), (1200, 800, 3))
            self.assertEqual(rows[0][:3], b"\xff\xff\xff")  # a ground of its own
            svg = ElementTree.parse(self.folder / f"{name}.svg").getroot()
            self.assertEqual(svg.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertEqual(svg.attrib["viewBox"], "0 0 600 400")
        # The bars of 0.5 and 1 in the first colour of the palette, on an axis from 0 to 1.
        _, _, _, rows = read_png(self.folder / "bars.png")
        colour = bytes.fromhex("12436d")
        columns = {}
        for row in rows[130:]:  # below the legend
            for x in range(0, 1200):
                if row[3 * x : 3 * x + 3] == colour:
                    columns[x] = columns.get(x, 0) + 1
        heights = sorted(set(columns.values()))
        tall, short = max(heights), columns[min(columns) + 20]
        self.assertAlmostEqual(short / tall, 0.5, delta=0.01)  # edges of two pixels in some 500

    def test_a_page_that_is_not_whole_is_not_left(self):
        for word, message in (("no-alt", "has no description"), ("no-file", "missing.png cannot be read")):
            done = self.draw(word, code=1)
            self.assertIn(message, done.stderr)
            self.assertEqual([p.name for p in self.folder.iterdir() if "page" in p.name], [])

    @unittest.skipUnless(shutil.which("chromium"), "needs chromium")
    def test_in_a_browser(self):
        """It fits a phone and a desktop: nothing is wider than the window, and the console stays silent."""
        self.draw()
        page = self.folder / "page.html"
        for width in 390, 1280:
            picture = self.folder / f"{width}.png"
            done = subprocess.run(
                ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
                 f"--user-data-dir={self.folder / 'profile'}", f"--window-size={width},2400", f"--screenshot={picture}",
                 page.as_uri()],
                capture_output=True, text=True, timeout=240,
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("CONSOLE", done.stderr)
            self.assertGreater(picture.stat().st_size, 5000)


if __name__ == "__main__":
    unittest.main()
