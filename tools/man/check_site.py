"""Follow every link of the manual's site: each leads to a file and, with a #, to a place in it, and each page can be
reached. Examples can be copied from it: each stands in its page letter by letter.

usage: check_site.py DIRECTORY      in the source's directory
"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.places, self.code = set(), set(), []
        self.in_code = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "pre":
            self.in_code = True
            self.code.append("")
        self.places.add(attrs.get("id"))
        for name in ("href", "src"):
            if name in attrs:
                self.links.add(attrs[name])


    def handle_endtag(self, tag):
        if tag == "pre":
            self.in_code = False

    def handle_data(self, data):
        if self.in_code:
            self.code[-1] += data


def missing_examples(pages):
    examples = sorted(Path("man/examples").rglob("*.c"))
    for example in examples:
        code = example.read_text(encoding="utf-8").partition("*/")[2].strip()
        sections = ("2uring19", "3uring19") if example.parent.name == "2019" else ("2", "3", "7")
        found = [page for name, page in pages.items() if name.rsplit(".", 2)[1] in sections]
        if not any(text.strip() == code for page in found for text in page.code):
            yield f"{example} does not stand in a page as it is"


# What a newcomer may look for, and a page that has to be among the answers.
QUESTIONS = {
    "copy": "io_uring.7.html",
    "echo": "io_uring.7.html",
    "short read": "io_uring.7.html",
    "EBUSY": "io_uring_errors.7.html",
    "SIGPIPE": "io_uring_prep_send.3.html",
    "reap": "io_uring.7.html",
}


def unanswered(rows):
    for question, page in QUESTIONS.items():
        words = question.lower().split()
        hits = [row for row in rows if all(word in f"{row[0]} {row[2]} {row[3]}".lower() for word in words)]
        if not any(link.partition("#")[0] == page for _, link, _, _ in hits):
            yield f"the search for {question!r} does not find {page}"


def main():
    site = Path(sys.argv[1])
    pages = {path.name: Page(path.read_text(encoding="utf-8")) for path in sorted(site.glob("*.html"))}
    wrong, followed = [], 0

    def follow(source, link):
        nonlocal followed
        followed += 1
        if "://" in link:
            wrong.append(f"{source} leads away, to {link}")
            return
        name, _, place = link.partition("#")
        name = name or source
        if not (site / name).is_file():
            wrong.append(f"{source} leads to {name}, which does not exist")
        elif place and place not in pages[name].places:
            wrong.append(f"{source} leads to {link}, but there is no such place")

    for name, page in pages.items():
        for link in sorted(page.links):
            follow(name, link)
    script = (site / "names.js").read_text(encoding="utf-8")
    found = [json.loads(f"[{row}]") for row in re.findall(r"^  \[(.*)\],$", script, re.M)]
    for _, link, _, _ in found:
        follow("names.js", link)

    reached, waiting = set(), ["index.html"]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in pages:
            continue
        reached.add(name)
        waiting.extend((link.partition("#")[0] or name) for link in pages[name].links)
    wrong.extend(f"no link leads to {name}" for name in sorted(set(pages) - reached))

    wrong.extend(missing_examples(pages))
    wrong.extend(unanswered(found))

    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(pages)} pages, {followed} links, {len(found)} rows to search in")
    if wrong or not found:
        sys.exit(1)


main()
