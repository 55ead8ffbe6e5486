#!/usr/bin/env python3
"""Makes the files that the readers must refuse, one fault each, and expected.txt: file, status, a word of the message.

    make_must_fail.py FOLDER

Needs nothing beyond Python's own library: checkpoints are put together by hand."""
import gzip
import io
import json
import os
import struct
import sys
import warnings
import zipfile
import zlib

from make_fixtures import png_bytes, png_chunk

FORMAT, UNSUPPORTED = "ISCP_ERROR_FORMAT", "ISCP_ERROR_UNSUPPORTED"
FOLDER = sys.argv[1]
LINES = []


def put(name, data, word, status=FORMAT):
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(data)
    LINES.append(f"{name}\t{status}\t{word}")


# ---- PyTorch ----

def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value):
    if -2 ** 31 <= value < 2 ** 31:
        return b"J" + struct.pack("<i", value)
    return b"\x8a\x08" + struct.pack("<q", value)


def sizes(values):
    return b"(" + b"".join(integer(value) for value in values) + b"t"


def storage(key="0", count=4, kind=b"FloatStorage"):
    return b"(" + text("storage") + b"ctorch\n" + kind + b"\n" + text(key) + text("cpu") + integer(count) + b"tQ"


def tensor(shape=(2, 2), stride=(2, 1), offset=0, saved=None):
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + (saved or storage()) + integer(offset)
            + sizes(shape) + sizes(stride) + b"\x89" + b"ccollections\nOrderedDict\n)R" + b"tR")


def state(*items):
    return b"\x80\x02}(" + b"".join(text(name) + value for name, value in items) + b"u."


GOOD = state(("weight", tensor()))
NUMBERS = struct.pack("<4f", 1, 2, 3, 4)


def archive(pickle=GOOD, numbers=NUMBERS, extra=(), method=zipfile.ZIP_STORED, leave_out=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as new:
        warnings.simplefilter("ignore")  # of an entry that stands twice
        for name, data in (("m/data.pkl", pickle), ("m/data/0", numbers), ("m/version", b"3\n"), *extra):
            if name not in leave_out:
                new.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def overwrite(data, at, value):
    return data[:at] + value + data[at + len(value):]


def patch_directory(data, name, at, value):
    """Writes bytes at a position of an entry's record in the central directory."""
    return overwrite(data, data.rindex(b"PK\1\2", 0, data.rindex(name)) + at, value)


def patch_local(data, name, at, value):
    """The same in the record before the entry's bytes."""
    return overwrite(data, data.index(name) - 30 + at, value)


def checkpoints():
    good = archive()
    put("truncated.pth", good[:len(good) * 6 // 10], "truncated")
    put("truncated-tail.pth", good[:-10], "truncated")
    put("truncated-head.pth", good[40:], "not a known checkpoint")
    put("no-pickle.pth", archive(leave_out=("m/data.pkl",)), "data.pkl")
    put("two-pickles.pth", archive(extra=[("n/data.pkl", GOOD)]), "two entries data.pkl")
    put("duplicate-entry.pth", archive(extra=[("m/data/0", NUMBERS)]), "stands twice")
    put("script.pth", archive(extra=[("m/constants.pkl", b"\x80\x02).")]), "TorchScript", UNSUPPORTED)
    put("byteorder.pth", archive(extra=[("m/byteorder", b"middle")]), 'expected "little" or "big"')
    put("byteorder-long.pth", archive(extra=[("m/byteorder", b"little-endian")]), 'expected "little" or "big"')
    put("bad-checksum.pth", good.replace(NUMBERS, NUMBERS[:-1] + b"\0"), "CRC")
    encrypted = patch_directory(good, b"m/data/0", 8, b"\1\0")
    put("encrypted.pth", patch_local(encrypted, b"m/data/0", 6, b"\1\0"), "encrypted", UNSUPPORTED)
    put("storage-missing.pth", archive(leave_out=("m/data/0",)), 'no storage "0"')
    put("storage-short.pth", archive(numbers=NUMBERS[:12]), "12 bytes, expected 16")
    put("storage-long.pth", archive(numbers=NUMBERS + b"\0\0\0\0"), "20 bytes, expected 16")
    lies = patch_directory(archive(numbers=NUMBERS[:12]), b"m/data/0", 24, struct.pack("<I", 16))
    put("storage-lies.pth", lies, "damaged")
    two = state(("a", tensor()), ("b", tensor(saved=storage("1"))))
    pair = archive(two, extra=[("m/data/1", NUMBERS)])
    overlap = patch_directory(pair, b"m/data/1", 42, struct.pack("<I", pair.index(b"m/data/0") - 30))
    put("overlap.pth", overlap, 'no storage "1"')
    promise = state(("weight", tensor((2 ** 20, 2560), (2560, 1), saved=storage(count=2560 * 2 ** 20))))
    put("promise.pth", archive(promise), "more than the file can hold")
    huge = struct.pack("<I", 2 ** 31 - 1)
    large = patch_local(patch_directory(good, b"m/data.pkl", 24, huge), b"m/data.pkl", 22, huge)
    put("pickle-large.pth", large, "expected at most 16777216")
    zeros = state(("weight", tensor((2 ** 20,), (1,), saved=storage(count=2 ** 20))))
    put("deflate-bomb.pth", archive(zeros, bytes(2 ** 22), method=zipfile.ZIP_DEFLATED), "more than the file can hold")
    put("tar.pth", b"storages".ljust(257, b"\0") + b"ustar".ljust(255, b"\0"), "tar", UNSUPPORTED)
    put("empty.pth", b"", "empty")
    put("text.pth", b"<!DOCTYPE html>", "not a known checkpoint")
    put("picture.pth", png_bytes(1, 1, 8, 0, [b"\0"]), "is a PNG file")


def stream(object_=GOOD, keys=b"\x80\x02](" + text("0") + b"e.", version=b"\x80\x02M\xe9\x03.",
           machine=b"\x80\x02}" + text("little_endian") + b"\x88s.", numbers=struct.pack("<Q", 4) + NUMBERS):
    """A legacy stream."""
    return b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + version + machine + object_ + keys + numbers


def legacy():
    good = stream()
    put("legacy-magic.pth", good[:30], "truncated")
    put("legacy-version.pth", stream(version=b"\x80\x02M\xe8\x03."), "another version", UNSUPPORTED)
    put("legacy-big-endian.pth", stream(machine=b"\x80\x02}" + text("little_endian") + b"\x89s."), "big-endian", UNSUPPORTED)
    put("legacy-machine.pth", stream(machine=b"\x80\x02u."), "a mark")
    put("legacy-object.pth", stream(object_=GOOD[:-1] + b"a"), "pickle is damaged")
    put("legacy-keys.pth", stream(keys=b"\x80\x02}."), "list of the keys")
    put("legacy-key-number.pth", stream(keys=b"\x80\x02]K\0a."), "lists a storage that its object does not have")
    put("legacy-key-negative.pth", stream(keys=b"\x80\x02]" + integer(-2 ** 62) + b"a."), "does not have")
    put("legacy-key-twice.pth", stream(keys=b"\x80\x02](" + 2 * text("0") + b"e.", numbers=2 * (struct.pack("<Q", 4) + NUMBERS)),
        'storage "0" stands twice')
    put("legacy-key-other.pth", stream(keys=b"\x80\x02](" + text("1") + b"e."), "does not have")
    put("legacy-no-storage.pth", stream(keys=b"\x80\x02].", numbers=b""), 'no storage "0"')
    put("legacy-short.pth", good[:-1], "truncated")
    put("legacy-count.pth", stream(numbers=struct.pack("<Q", 2 ** 61 + 4) + NUMBERS), "truncated")
    put("legacy-count-other.pth", stream(numbers=struct.pack("<Q", 3) + NUMBERS[:12]), "12 bytes, expected 16")
    put("legacy-after.pth", good + b"\0", "bytes after its last storage")
    put("legacy-huge.pth", stream(state(("weight", tensor(saved=storage(count=10 * 2 ** 30))))), "more than the file can hold")
    foreign = state(("weight", tensor()), ("other", tensor(saved=storage("1", kind=b"StrangeStorage"))))
    put("legacy-type.pth", stream(foreign), "torch.StrangeStorage", UNSUPPORTED)
    put("legacy-storage-key.pth", stream(state(("weight", tensor(saved=storage().replace(text("0"), b"K\0"))))), "without a key")
    put("legacy-reach.pth", stream(state(("weight", tensor(stride=(2 ** 40, 1))))), "beyond its storage")


def tensors():
    def one(name, value, word, status=FORMAT):
        put(name, archive(state(("weight", value))), word, status)

    one("reach-stride.pth", tensor(stride=(3, 1)), "beyond its storage")
    one("reach-offset.pth", tensor(offset=1), "beyond its storage")
    one("reach-empty.pth", tensor(shape=(0, 2), offset=5), "beyond its storage")
    one("reach-overflow.pth", tensor(stride=(2 ** 62, 2 ** 62)), "beyond its storage")
    one("negative-stride.pth", tensor(stride=(-2, 1)), "stride")
    one("negative-offset.pth", tensor(offset=-1), "offset")
    one("negative-size.pth", tensor(shape=(2, -2)), "shape")
    one("stride-count.pth", tensor(stride=(1,)), "1 strides")
    one("shape-number.pth", tensor().replace(sizes((2, 2)), integer(4)), "not a tuple")
    one("many-dims.pth", tensor((1,) * 9, (1,) * 9), "9 dimensions")
    one("expanded-bomb.pth", tensor((2 ** 20, 2 ** 20), (0, 0)), "more than the file can hold")
    one("size-overflow.pth", tensor((2 ** 40, 2 ** 40), (0, 0)), "2^48")
    one("storage-huge.pth", tensor(saved=storage(count=2 ** 60)), "more than the file can hold")
    one("storage-type.pth", tensor(saved=storage(kind=b"ComplexFloatStorage")), "torch.ComplexFloatStorage",
        UNSUPPORTED)
    one("storage-kind.pth", tensor(saved=storage(kind=b"Size")), "it is a torch.Size", UNSUPPORTED)
    one("storage-text.pth", tensor(saved=storage().replace(b"ctorch\nFloatStorage\n", text("f"))), "number type")
    one("storage-key.pth", tensor(saved=storage(key="")), "key")
    one("no-storage.pth", tensor(saved=b"K\0"), "no storage")
    one("new-type.pth", b"ctorch._utils\n_rebuild_tensor_v3\n(" + b"N" * 6 + b"ctorch\nfloat8_e4m3fn\ntR",
        "it is of torch.float8_e4m3fn", UNSUPPORTED)
    one("new-type-empty.pth", b"ctorch._utils\n_rebuild_tensor_v3\n)R", "_rebuild_tensor_v3", UNSUPPORTED)
    one("quantized.pth", b"ctorch._utils\n_rebuild_qtensor\n)R", "_rebuild_qtensor", UNSUPPORTED)
    one("parameter-empty.pth", b"ctorch._utils\n_rebuild_parameter\n)R", "_rebuild_parameter", UNSUPPORTED)
    one("subclass-empty.pth", b"ctorch._tensor\n_rebuild_from_type_v2\n)R", "_rebuild_from_type_v2", UNSUPPORTED)
    one("tensor-empty.pth", b"ctorch._utils\n_rebuild_tensor_v2\n)R", "no storage")
    part = tensor(saved=storage()[:-2] + text("1") + integer(2) + integer(3) + b"\x87tQ")
    one("part.pth", part, "its part of a storage reaches beyond")
    one("offset-overflow.pth", tensor(saved=storage(count=2 ** 62)[:-2] + text("1") + integer(2 ** 61) + integer(1)
                                      + b"\x87tQ", offset=2 ** 63 - 1), "beyond its storage")
    put("name-bytes.pth", archive(state((b"a\xff", tensor()))), "readable name")
    put("name-zero.pth", archive(state((b"a\0b", tensor()))), "readable name")
    put("name-number.pth", archive(b"\x80\x02}K\1" + tensor() + b"s."), "readable name")
    put("duplicate-tensor.pth", archive(state(("weight", tensor()), ("weight", tensor()))), "stands twice")
    put("no-tensor.pth", archive(state(("epoch", b"K\3"))), "no tensor")
    put("one-tensor.pth", archive(b"\x80\x02" + tensor() + b"."), "no dict")
    put("list.pth", archive(b"\x80\x02]" + tensor() + b"a."), "no dict")


def pickles():
    def one(name, pickle, word, status=FORMAT):
        put(name, archive(pickle), word, status)

    system = b"cos\nsystem\n" + text("true") + b"\x85R"
    one("foreign.pth", b"\x80\x02" + system + b".", "whole object of os.system", UNSUPPORTED)
    one("foreign-model.pth", state(("model", system), ("epoch", b"K\3")), 'in "model" an object of os.system', UNSUPPORTED)
    one("numpy-scalar.pth", state(("best", b"cnumpy.core.multiarray\nscalar\n)R")), "no tensor")
    one("object.pth", b"\x80\x02ctorchvision.models.resnet\nResNet\n)\x81}b.", "whole object", UNSUPPORTED)
    one("object-protocol4.pth", b"\x80\x04\x95" + bytes(8) + b"\x8c\x08__main__\x94\x8c\x03Net\x94\x93)\x81.",
        "__main__.Net", UNSUPPORTED)
    # A module that is its own part; one whose part has no name.
    empty = b"cm\nNet\n)\x81q\1}" + text("_modules") + b"}%ssb."
    one("module-cyclic.pth", b"\x80\x02" + empty % (b"(" + b"".join(text(name) + b"h\1" for name in "abcdefgh") + b"u")
        + b"", "nested deeper than 32")
    one("module-name.pth", b"\x80\x02" + empty % b"K\1h\1s", "readable name")
    # A kilobyte of deflate that asks for 10^10 looks: one large value that stands in many places.
    def shared(name, head, value, end, word):
        pickle = b"\x80\x02" + head + b"(" + text("a") + value + 90000 * (b"U\1ah\1") + b"u" + end
        put(name, archive(pickle, method=zipfile.ZIP_DEFLATED), word)

    large, net = b"(" + 120000 * b"NN" + b"u", b"cm\nNet\n)\x81"
    modules = net + b"}" + text("_modules") + b"}"
    shared("shared-dict.pth", b"}", b"}q\1" + large, b".", "no tensor")
    shared("shared-object.pth", modules, net + b"q\1}" + large + b"b", b"sb.", "same parts in too many places")
    shared("shared-module.pth", modules, net + b"q\1}(" + text("_modules") + b"}" + text("_parameters") + b"}" + large
           + b"ub", b"sb.", "same parts in too many places")
    one("dict-cyclic.pth", b"\x80\x02}q\1(" + b"".join(
        text(name) + b"h\1" for name in ("state_dict", "model", "net", "network", "module", "ema")) + b"u.", "no tensor")
    one("protocol-0.pth", b"(dp0\nVconv\np1\ns.", "protocol 0", UNSUPPORTED)
    one("protocol-9.pth", b"\x80\x09}.", "protocol 9", UNSUPPORTED)
    one("pickle-truncated.pth", GOOD[:50], "truncated")
    one("pickle-no-stop.pth", GOOD[:-1], "truncated")
    one("pickle-name-open.pth", b"\x80\x02ctorch._utils", "truncated")
    one("pickle-trailing.pth", GOOD + b"N", "nothing after it")
    one("pickle-empty.pth", b"", "truncated")
    one("opcode.pth", b"\x80\x022.", "opcode 0x32")
    one("decimal.pth", b"Ix1\n.", "decimal")
    one("object-empty.pth", b"\x80\x02(o.", "class above the mark")
    one("depth.pth", b"\x80\x02" + b"(" * 300 + b"t" * 300 + b".", "deeper than 256")
    one("stack-low.pth", b"\x80\x02s.", "container")
    one("stack-high.pth", b"\x80\x02NN.", "one value")
    one("mark-missing.pth", b"\x80\x02}u.", "mark")
    one("mark-crossed.pth", b"\x80\x02}(Q.", "on the stack")
    one("dict-odd.pth", b"\x80\x02}(Nu.", "pairs")
    one("append-dict.pth", b"\x80\x02}Na.", "list")
    one("memo-missing.pth", b"\x80\x02h\x05.", "memo")
    one("memo-huge.pth", b"\x80\x02}r\xff\xff\xff\xff.", "memo")
    one("call-text.pth", b"\x80\x02" + text("os") + b")R.", "tuple of arguments")
    one("call-storage.pth", b"\x80\x02ctorch\nFloatStorage\n)R.", "whole object of torch.FloatStorage", UNSUPPORTED)
    one("build-list.pth", b"\x80\x02]Nb.", "to build")
    one("persistent-list.pth", b"\x80\x02]Q.", "storage")
    one("tuple-short.pth", b"\x80\x02N\x86.", "on the stack")
    one("name-of-numbers.pth", b"\x80\x04K\1K\2\x93.", "a module and a name")
    one("dict-arguments.pth", b"\x80\x02ccollections\nOrderedDict\n]NaN\x86R.", "of pairs")
    one("size-arguments.pth", b"\x80\x02ctorch\nSize\n)R.", "one argument")
    one("text-long.pth", b"\x80\x04\x8d" + b"\xff" * 8 + b".", "truncated")


# ---- safetensors ----

def safe(header, data=b"", size=None):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(head) if size is None else size) + head + data


def entry(begin=0, end=16, shape=(2, 2), dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors():
    def one(name, value, word, status=FORMAT, data=bytes(16)):
        put(name + ".safetensors", safe({"w": value} if isinstance(value, dict) else value, data), word, status)

    put("header-huge.safetensors", safe({}, size=2 ** 40), "header of 1099511627776 bytes")
    put("header-long.safetensors", safe({"w": entry()}, size=2000), "truncated")
    put("header-cut.safetensors", safe({"w": entry()})[:20], "truncated")
    put("short.safetensors", b"\x10\0\0", "not a known checkpoint")
    one("header-text", b"{not json", "JSON")
    one("header-list", b" []", "not a known checkpoint")
    one("header-after", b"{} {}", "JSON")
    one("header-zero", b"{}\0\0", "JSON")
    one("header-bytes", b'{"\xff": 1}', "JSON")
    one("name-zero", b'{"a\\u0000b": 1}', "JSON")
    one("nested", b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}", "JSON")
    one("key-twice", b'{"w":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},'
        b'"w":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}', "duplicate")
    one("overlap", json.dumps({"a": entry(0, 12, (3,)), "b": entry(8, 16, (2,))}).encode(), "overlap")
    one("hole", json.dumps({"a": entry(0, 4, (1,)), "b": entry(8, 16, (2,))}).encode(), "hole")
    one("late", entry(4, 16, (3,)), "hole")
    one("beyond", entry(0, 20, (5,)), "within the file's 16")
    one("backwards", entry(16, 0), "within the file's 16")
    one("cut", entry(), "within the file's 15", data=bytes(15))
    one("trailing", entry(), "end of the file", data=bytes(17))
    one("bytes", entry(0, 16, (3,)), "expected 12")
    one("overflow", entry(shape=(2 ** 40, 2 ** 40)), "2^48")
    one("integer", b'{"w":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,0]}}', "JSON")
    one("negative", entry(shape=(-2, -2)), "integer of 0 or more")
    one("fraction", entry(shape=(2.0, 2)), "integer of 0 or more")
    one("offset-text", {"dtype": "F32", "shape": [2, 2], "data_offsets": ["0", 16]}, "integer of 0 or more")
    one("offset-one", {"dtype": "F32", "shape": [2, 2], "data_offsets": [16]}, "data_offsets")
    one("shape-missing", {"dtype": "F32", "data_offsets": [0, 16]}, "no shape")
    one("shape-deep", entry(shape=(1,) * 9), "at most 8 sizes")
    one("dtype-float8", entry(dtype="F8_E4M3", shape=(16,)), "F8_E4M3", UNSUPPORTED)
    one("dtype-missing", {"shape": [2, 2], "data_offsets": [0, 16]}, "dtype")
    one("entry-number", b'{"w":1}', "dtype")
    one("metadata-list", b'{"__metadata__":[]}', "not an object", data=b"")
    one("metadata-number", b'{"__metadata__":{"epoch":3}}', "not a string", data=b"")


# ---- Arrays ----

def npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", data=NUMBERS, version=(1, 0), size=None):
    head = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(head) if size is None else size) + head + data


def arrays():
    def one(name, word, status=FORMAT, **what):
        put(name + ".npy", npy(**what), word, status)

    def header(descr="'<f4'", order="False", shape="(2, 2)"):
        return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"

    put("magic.npy", b"\x93NUMPY\1", "truncated")
    put("header-cut.npy", npy()[:30], "truncated")
    one("cut", "15 bytes of numbers, expected 16", data=NUMBERS[:-1])
    one("trailing", "17 bytes of numbers, expected 16", data=NUMBERS + b"\0")
    one("version", "version 4.0", UNSUPPORTED, version=(4, 0))
    one("header-huge", "at most 10000", size=60000)
    one("object", "|O", UNSUPPORTED, header=header("'|O'"))
    one("big-endian", ">f4", UNSUPPORTED, header=header("'>f4'"))
    one("unsigned", "<u2", UNSUPPORTED, header=header("'<u2'"), data=NUMBERS[:8])
    one("records", "records", UNSUPPORTED, header=header("[('a', '<f4')]"))
    one("negative", "size of 0 or more", header=header(shape="(-2, 2)"))
    one("overflow", "2^48", header=header(shape="(9000000000000, 9000000000000)"))
    one("number", "below 2^63", header=header(shape="(99999999999999999999,)"))
    one("dims", "at most 8", header=header(shape="(1, 1, 1, 1, 1, 1, 1, 1, 1)"))
    one("no-comma", "comma", header=header(shape="(4)"))
    one("order", "True or False", header=header(order="0"))
    one("key-twice", "once each", header="{'descr': '<f4', 'descr': '<f4', 'shape': (4,), }")
    one("key-extra", "once each", header="{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'more': 1}")
    one("key-missing", "lacks", header="{'descr': '<f4', 'shape': (4,), }")
    one("open", "quote", header="{'descr': '<f4")
    one("after", "nothing after", header=header() + "{}")
    one("empty-header", "dict", header="")
    one("no-colon", "colon", header="{'descr' '<f4'}")
    one("no-quote", "quoted text", header="{descr: '<f4'}")
    one("no-brace", "closing brace", header="{'fortran_order': False 'descr': '<f4'}")
    one("no-tuple", "a shape as", header=header(shape="[2, 2]"))
    put("empty.npy", b"", "empty")

    idx = b"\0\0\x08\1\0\0\0\4abcd"
    put("cut.idx", idx[:-1], "3 bytes of numbers, expected 4")
    put("trailing.idx", idx + b"e", "5 bytes of numbers, expected 4")
    put("header-cut.idx", idx[:6], "truncated")
    put("type.idx", b"\0\0\x0a\1\0\0\0\4abcd", "not a known array")
    put("dims.idx", b"\0\0\x08\0abcd", "not a known array")
    put("overflow.idx", b"\0\0\x08\3" + b"\xff" * 12, "2^48")
    packed = gzip.compress(idx, mtime=0)
    put("cut.gz", packed[:-9], "truncated")
    put("no-end.gz", packed[:-4], "truncated")
    put("trailing.gz", packed + b"e", "bytes after")
    put("checksum.gz", packed[:-8] + b"\0\0\0\0" + packed[-4:], "damaged")
    put("damaged.gz", packed[:10] + b"\xff" + packed[11:], "damaged")
    put("short.gz", gzip.compress(idx[:-1], mtime=0), "truncated")
    put("long.gz", gzip.compress(idx + b"e", mtime=0), "bytes after")
    put("other.gz", gzip.compress(b"text", mtime=0), "IDX")
    put("twice.gz", gzip.compress(b"\x1f\x8b\x08\xda" + b"\xda" * 1020, mtime=0), "IDX")
    put("bomb.gz", gzip.compress(b"\0\0\x08\2\0\1\0\0\0\1\0\0", mtime=0), "gzipped bytes hold")


# ---- Pictures ----

def pictures():
    good = png_bytes(4, 4, 8, 0, [bytes(range(4))] * 4)
    data = good.index(b"IDAT")
    put("cut.png", good[:data + 8], "truncated")
    put("no-end.png", good[:-12], "truncated")
    put("checksum.png", good[:data + 6] + b"\xff" + good[data + 7:], "PNG is damaged")
    put("header-checksum.png", good[:16] + b"\1" + good[17:], "PNG is damaged")
    put("few-rows.png", png_bytes(4, 9, 8, 0, [bytes(4)] * 4), "PNG is damaged")
    put("filter.png", good.replace(png_bytes(4, 4, 8, 0, [bytes(range(4))] * 4)[data - 4:-12],
                                   png_chunk(b"IDAT", zlib.compress(b"\x07abcd" * 4))), "PNG is damaged")
    put("no-palette.png", png_bytes(4, 4, 8, 3, [bytes(4)] * 4), "PNG is damaged")
    put("palette-short.png", png_bytes(4, 1, 8, 3, [bytes(range(4))], png_chunk(b"PLTE", bytes(9))),
        "colour 3 of a palette of 3")
    put("promise.png", png_bytes(9000, 9000, 16, 6, [b""]), "cannot hold the 9000x9000 pixels")
    put("pixels.png", png_bytes(10000, 10000, 8, 2, [b""]), "100000000 pixels", UNSUPPORTED)
    put("wide.png", png_bytes(2000000, 1, 1, 0, [b""]), "PNG is damaged")
    put("zero.png", png_bytes(0, 4, 8, 0, [b""]), "PNG is damaged")
    put("text.png", b"not a picture", "not a known picture")
    put("array.png", npy(), "is a npy file")
    put("empty.png", b"", "empty")


def jpeg(width, height, components=(0x11,), frame=0xc0, depth=8, data=b"", scans=1):
    """Every block is the single code 0 of both tables: no change of the mean, nothing else."""
    def marker(code, body):
        return bytes((0xff, code)) + struct.pack(">H", len(body) + 2) + body

    parts = b"".join(bytes((i + 1, sampling, 0)) for i, sampling in enumerate(components))
    count = bytes((len(components),))
    one_code = bytes((1,)) + bytes(15) + bytes(1)
    spectrum = b"\0\0\0" if frame == 0xc2 else b"\0\x3f\0"
    scan = marker(0xda, count + b"".join(bytes((i + 1, 0)) for i in range(len(components))) + spectrum)
    return (b"\xff\xd8" + marker(0xdb, bytes(1) + bytes([1]) * 64)
            + marker(frame, struct.pack(">BHH", depth, height, width) + count + parts)
            + marker(0xc4, bytes(1) + one_code) + marker(0xc4, b"\x10" + one_code) + (scan + data) * scans + b"\xff\xd9")


def jpegs():
    good = jpeg(64, 64, data=bytes(16))
    put("cut.jpg", good[:-10], "truncated")
    put("cut-head.jpg", good[:60], "truncated")
    put("skipped.jpg", good[:2] + b"\xff\xe5\xff\xff" + good[2:], "truncated")
    put("promise.jpg", jpeg(9000, 9000, data=bytes(16)), "cannot hold the 9000x9000 pixels")
    put("pixels.jpg", jpeg(60000, 60000, data=bytes(16)), "3600000000 pixels", UNSUPPORTED)
    put("arithmetic.jpg", jpeg(8, 8, frame=0xc9, data=bytes(16)), "arithmetic", UNSUPPORTED)
    put("components.jpg", jpeg(8, 8, (0x11, 0x11), data=bytes(16)), "2 components", UNSUPPORTED)
    put("deep.jpg", jpeg(8, 8, depth=12, data=bytes(16)), "JPEG is damaged: Unsupported JPEG data precision 12")
    put("scans.jpg", jpeg(8, 8, frame=0xc2, data=b"\x7f", scans=200), "more than 100 scans", UNSUPPORTED)
    put("no-scan.jpg", b"\xff\xd8\xff\xd9", "JPEG is damaged")
    put("no-table.jpg", good.replace(b"\xff\xdb", b"\xff\xe4"), "JPEG is damaged")
    put("flat.jpg", jpeg(8, 0, data=bytes(16)), "JPEG is damaged")


for make in (checkpoints, legacy, tensors, pickles, safetensors, arrays, pictures, jpegs):
    make()
with open(os.path.join(FOLDER, "expected.txt"), "w", encoding="utf-8") as out:
    out.write("\n".join(LINES) + "\n")
