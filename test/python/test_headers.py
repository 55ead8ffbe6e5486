"""The package's structs, prototypes and words against include/iscp/*.h."""

import ctypes
import subprocess
import unittest

import numpy as np
import support

from iscp import _abi, _errors, _library
from iscp._abi import PROTOTYPES

SCALARS = {
    "double": ctypes.c_double,
    "int32_t": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "iscp_status": _abi.iscp_status,
    "iscp_progress_fn": _abi.iscp_progress_fn,
    "void": None,
    "void *": ctypes.c_void_p,
    "char *": ctypes.c_char_p,
    "float *": ctypes.POINTER(ctypes.c_float),
    "uint8_t *": ctypes.POINTER(ctypes.c_uint8),
}


def ctype(c):
    """The ctypes type of a C type; const says nothing to ctypes."""
    c = c.replace("const ", "").strip()
    if c in SCALARS:
        return SCALARS[c]
    if c.endswith("*"):
        return ctypes.POINTER(ctype(c[:-1].strip()))
    return getattr(_abi, c)


class Headers(unittest.TestCase):
    def test_the_parser_sees_the_headers(self):
        self.assertIn("iscp_search_next", support.functions())
        declared = sum(path.read_text().count("\nISCP_API ") for path in support.HEADERS)
        self.assertEqual(len(support.functions()), declared)
        self.assertIn("iscp_search_options", support.structs())

    def test_every_function_has_its_prototype(self):
        self.assertEqual(sorted(support.functions()), sorted(PROTOTYPES))
        for name, (result, arguments) in support.functions().items():
            with self.subTest(function=name):
                self.assertEqual(PROTOTYPES[name][0], ctype(result))
                self.assertEqual(list(PROTOTYPES[name][1]), [ctype(a) for a in arguments])

    def test_every_struct_has_its_fields(self):
        ours = {struct.__name__: [name for name, _ in struct._fields_] for struct in _abi.STRUCTS}
        self.assertEqual(support.structs(), ours)

    def test_layout_is_the_compilers(self):
        lines, expected = [], []
        for struct in _abi.STRUCTS:
            name = struct.__name__
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            expected.append(f"{name} {ctypes.sizeof(struct)}")
            for field, _ in struct._fields_:
                lines.append(
                    f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));'
                )
                place = getattr(struct, field)
                expected.append(f"{name}.{field} {place.offset} {place.size}")
        source = "#include <stddef.h>\n#include <stdio.h>\n#include <iscp/iscp.h>\nint main(void) {\n%s\n}\n"
        program = support.compile_c(self, source % "\n".join(lines))
        printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        self.assertEqual(printed.splitlines(), expected)

    def test_sizes_are_the_librarys(self):
        for struct in _abi.STRUCTS:
            size = _library.library.iscp_abi_sizeof(struct.__name__.encode())
            self.assertEqual(size, ctypes.sizeof(struct), struct.__name__)

    def test_a_number_that_does_not_fit_is_refused(self):
        """ctypes would cut it: 2^32 + 3 epochs would be 3."""
        checked = 0
        for struct in _abi.STRUCTS:
            for name, ctype in struct._fields_:
                if ctype not in (ctypes.c_int32, ctypes.c_uint32, ctypes.c_int64, ctypes.c_uint64, ctypes.c_uint8):
                    continue
                signed, bits = ctype(-1).value < 0, 8 * ctypes.sizeof(ctype)
                low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
                options = struct()
                for fits in (low, high):
                    setattr(options, name, fits)
                    self.assertEqual(getattr(options, name), fits)
                for wide in (low - 1, high + 1, 2**70, *([np.int64(high + 1)] if bits < 64 else [])):
                    with self.assertRaisesRegex(ValueError, f"^{name} is {wide}, expected {low} to {high}$"):
                        setattr(options, name, wide)
                self.assertEqual(getattr(options, name), high)
                checked += 1
        self.assertGreater(checked, 100)

    def test_words_are_the_enumerators(self):
        prefixes = {
            "ISCP_BACKEND_": _abi.BACKENDS,
            "ISCP_CONVOLUTIONS_": _abi.CONVOLUTIONS,
            "ISCP_PRECISION_": _abi.PRECISIONS,
            "ISCP_LOG_": _abi.LOG_LEVELS,
            "ISCP_FILTER_": _abi.FILTERS,
            "ISCP_CROP_": _abi.CROPS,
            "ISCP_ORDER_": _abi.ORDERS,
            "ISCP_STEM_": _abi.STEMS,
            "ISCP_STRIDE_": _abi.STRIDES,
            "ISCP_STORE_": _abi.STORES,
            "ISCP_SESSION_": _abi.SESSIONS,
            "ISCP_TIES_": _abi.TIES,
            "ISCP_CUT_": _abi.CUTS,
            "ISCP_PATTERN_": _abi.PATTERNS,
            "ISCP_NORM_": _abi.NORMS,
            "ISCP_UAP_": _abi.UAPS,
            "ISCP_INVERT_": _abi.INVERSIONS,
            "ISCP_LAYOUT_": _abi.LAYOUTS,
            "ISCP_CANVAS_": _abi.CANVASES,
            "ISCP_PRESET_": _abi.PRESETS,
            "ISCP_ALPHA_": _abi.ALPHAS,
            "ISCP_SELECT_": _abi.SELECTS,
            "ISCP_IMAGES_": _abi.IMAGES,
            "ISCP_MEASURE_": _abi.MEASURES,
            "ISCP_STAGE_": _abi.STAGES,
            "ISCP_SCHEDULE_": _abi.SCHEDULES,
            "ISCP_TYPE_": _abi.TYPES,
            "ISCP_RULE_": _abi.RULES,
            "ISCP_POISON_": _abi.POISONS,
            "ISCP_CORNER_": _abi.CORNERS,
            "ISCP_CAUSES_": _abi.CAUSES,
            "ISCP_CAUSE_": _abi.CAUSE_KINDS,
        }
        ours = {prefix + word.upper(): number for prefix, table in prefixes.items() for word, number in table.items()}
        theirs = {
            name: n for name, n in support.enumerators().items() if not name.startswith(("ISCP_ERROR_", "ISCP_OK"))
        }
        self.assertEqual(theirs, ours)

    def test_every_status_has_its_exception(self):
        statuses = {n for name, n in support.enumerators().items() if name.startswith("ISCP_ERROR_")}
        self.assertEqual(statuses, set(_errors.BY_STATUS))
