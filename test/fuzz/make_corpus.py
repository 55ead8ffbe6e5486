#!/usr/bin/env python3
"""Takes the pickles out of test/formats/fixtures: what the pickle target starts from.

    make_corpus.py FIXTURES CORPUS"""
import os
import sys
import zipfile

FIXTURES, CORPUS = sys.argv[1:3]
for name in ("types", "views", "protocol4", "checkpoint", "parameters", "net"):
    with zipfile.ZipFile(os.path.join(FIXTURES, name + ".pth")) as archive:
        entry = next(entry for entry in archive.namelist() if entry.endswith("/data.pkl"))
        with open(os.path.join(CORPUS, "pickle", name + ".pkl"), "wb") as file:
            file.write(archive.read(entry))
