"""Finding the library, and refusing one that is not it."""

import os
import re
import subprocess
import sys
import unittest

import support

import iscp


def import_with(library):
    """The last line that `import iscp` prints with this ISCP_LIBRARY (None = unset)."""
    environment = {k: v for k, v in os.environ.items() if k not in ("ISCP_LIBRARY", "LD_LIBRARY_PATH")}
    if library is not None:
        environment["ISCP_LIBRARY"] = str(library)
    run = subprocess.run([sys.executable, "-c", "import iscp"], env=environment, capture_output=True, text=True)
    return run.stderr.strip().splitlines()[-1] if run.returncode else "imported"


class Library(unittest.TestCase):
    def fake(self, text):
        return support.compile_c(self, text, "-shared", "-fPIC")

    def test_exact_file(self):
        self.assertEqual(import_with(os.environ["ISCP_LIBRARY"]), "imported")

    def test_exact_file_has_no_fallback(self):
        message = import_with("/nowhere/libiscp.so.0")
        self.assertRegex(message, r"^ImportError: ISCP_LIBRARY .*/nowhere/libiscp\.so\.0")
        self.assertNotIn("find_library", message)
        self.assertEqual(message.count("libiscp.so.0: "), 2)  # the name tried, and the linker's word for it

    def test_nothing_found_says_what_was_tried(self):
        message = import_with(None)
        if message != "imported":  # it is where libiscp is installed
            self.assertRegex(message, r"^ImportError: there is no libiscp.*set ISCP_LIBRARY.*libiscp\.so\.0: ")

    def test_another_library(self):
        message = import_with(self.fake("int something(void) { return 0; }"))
        self.assertRegex(message, r"^ImportError: .* is not libiscp 0\.1: .*iscp_version")

    def test_another_version(self):
        for version in (99, 10100, 20000):
            message = import_with(self.fake(f"unsigned iscp_version(void) {{ return {version}; }}"))
            self.assertRegex(message, r"^ImportError: .* is libiscp \d+\.\d+, this package needs 0\.1")

    def test_other_structs(self):
        names = [name for name in support.functions() if name not in ("iscp_version", "iscp_abi_sizeof")]
        functions = "\n".join(f"void {name}(void) {{}}" for name in names)
        text = "unsigned iscp_version(void) { return %d; }\nunsigned iscp_abi_sizeof(const char *n) { return %d; }\n"
        for version, size in ((100, 8), (199, 0), (100, 4096)):
            message = import_with(self.fake(text % (version, size) + functions))
            self.assertRegex(message, rf"^ImportError: .* has {size} bytes in iscp_context_options, this package \d+")
        # A later version may have appended fields.
        self.assertEqual(import_with(self.fake(text % (200, 4096) + functions)), "imported")

    def test_versions_agree(self):
        header = (support.ROOT / "include/iscp/version.h").read_text()
        version = ".".join(re.findall(r"#define ISCP_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))
        self.assertEqual(iscp.__version__, version)
        self.assertIn(f'version = "{version}"', (support.ROOT / "bindings/python/pyproject.toml").read_text())
        self.assertIn(version, iscp.library_version())
