"""The jobs that both programs run, and the images that they need beside the shipped ones.

A job is a list of commands without "iscp", run in a folder of its own; what they leave there and print is compared. In a
command stand {natural}, {backdoor}, {data}: the shipped models and images; {small}, {grey}, {cifar}: networks of few
channels that the program before has trained; {inputs}: the folder of write_inputs(). The backend and the number of threads
are added. Most jobs take the small network, a twentieth of the shipped ones' work, and as many kinds of layers."""

import gzip
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DATA = EXAMPLES / "data" / "t10k-2000-images-idx3-ubyte.gz"
PLACES = {"natural": EXAMPLES / "models" / "fashion-natural.safetensors",
          "backdoor": EXAMPLES / "models" / "fashion-backdoor.safetensors", "data": DATA}

# Options that are called otherwise afterwards: {"command --old": "--new"}.
RENAMED_OPTIONS = {}


@dataclass
class Job:
    name: str
    commands: list
    quick: bool = False
    threads: int = 1
    codes: tuple = (0,)  # that are right; any other one fails the job
    optional: bool = False  # not every CPU can
    stop: dict = field(default_factory=dict)  # {number of a command: the file at whose sight it gets Ctrl-C}


# ---- What is trained before, by the program before ----

CONTRACT = "--size 28x28 --mean 0.286 --std 0.353"
GREY = CONTRACT + " --channels 1"
SMALL = "--depth 18 --width 8 --batch 20 --limit 400"
MODELS = {
    "small": f"train {{data}} -o small {CONTRACT} {SMALL} --epochs 2",
    "grey": f"train {{data}} -o grey {GREY} {SMALL} --epochs 1",
    "cifar": f"train {{data}} -o cifar {CONTRACT} --depth 50 --width 4 --stem cifar --batch 20 --limit 200 --epochs 2",
}

# ---- Searches ----

FEW = "--limit 300 --epochs 1 --canvases 2 --classes 1,7 --sizes 1,5 --min-accuracy none"


def search(name, words, model="{small}", few=FEW, **more):
    return Job("search " + name, [f"search {model} {{data}} -o out {few} {words}"], **more)


SHIPPED = "--limit 80 --fraction 20% --epochs 1 --canvases 1 --classes 0,5 --sizes 5 --images heldout --min-accuracy none"
SEARCHES = [
    search("shipped model", "", model="{backdoor}", few=SHIPPED, quick=True),
    search("shipped model, threads", "--lanes 2", model="{natural}", few=SHIPPED, threads=2),
    search("small network", "", quick=True),
    search("cifar stem, bottlenecks", "", model="{cifar}", quick=True),
    search("one channel", "", model="{grey}"),
    search("preset paper", "--preset paper", quick=True),
    search("preset authors", "--preset authors", quick=True),
    search("tv", "--tv 0.2 --alpha 1", quick=True),
    search("alpha auto", "--alpha auto"),
    search("learned canvas", "--learn-canvas --canvas-step 3 --turns 4,3", quick=True),
    search("learned canvas, paper, tv", "--learn-canvas --preset paper --tv 0.1 --canvas positive,white --epochs 2"),
    search("all canvases", "--canvas positive,negative,random,white,{inputs}/canvas.png --power all", quick=True),
    search("select loss", "--select loss --ties index"),
    search("select power", "--select power --select-size 2 --ties evidence --preset paper"),
    search("step, fraction, seed", "--step 0.05 --fraction 40% --seed 7 --epochs 3"),
    search("batch", "--batch 7"),
    search("one lane", "--lanes 1"),
    search("three lanes", "--lanes 3 --batch 5 --classes 0-4"),
    search("all images, pictures", "--images all --picture-size 10 --scale 3 --sizes 1,2,3,5,10"),
    search("memory", "--memory 4M --classes 0-9 --canvases 1"),
    search("threads", "--canvas positive,random --classes 0-3", threads=2, quick=True),
    search("json", "--json"),
    search("bf16", "--precision bf16", optional=True),
    Job("search resumed, other classes", [f"search {{small}} {{data}} -o out {FEW}",
                                          f"search {{small}} {{data}} -o out {FEW} --classes 3,1 --resume"]),
    Job("search stopped and resumed", [f"search {{small}} {{data}} -o out {FEW} --classes 0-9 --epochs 6",
                                       f"search {{small}} {{data}} -o out {FEW} --classes 0-9 --epochs 6 --resume"],
        stop={0: "out/result.json"}),
]

# ---- What is done with patterns ----

PATTERNS = f"search {{small}} {{data}} -o patterns {FEW} --power none"
JUDGES = [
    Job("power", [PATTERNS, "power {small} {data} patterns --limit 300 --json",
                  "power {cifar} {data} patterns --limit 300 --sizes 2,20 --images all --canvases all --batch 9",
                  "power {small} {data} patterns --limit 300 --images searched --trigger white:3x3 --json"], quick=True),
    Job("power of a shipped model", [PATTERNS, "power {backdoor} {data} patterns --limit 60 --sizes 5 --json"]),
    Job("gradcam", [f"gradcam {{small}} {{data}} -o out --limit 200 --classes 0,5 {words}" for words in
                    ("--json", "--overwrite --index 3,17 --stage 3 --sizes 5,10 --images all",
                     "--overwrite --stage 2 --opacity 0.3 --scale 2 --power none")], quick=True),
    Job("gradcam of a shipped model", ["gradcam {natural} {data} -o out --limit 60 --classes 0,5 --json"]),
    Job("gradcam of patterns", [PATTERNS, "gradcam {small} {data} -o out --limit 300 --patterns patterns --json"]),
    Job("uap by sgd", ["uap {small} {data} -o out --limit 200 --classes 0,5 --eps 8,32 --epochs 2 --json"], quick=True),
    Job("uap by sgd, a share", ["uap {small} {data} -o out --limit 200 --classes 3 --eps 16 --epochs 3 --fraction 20% "
                                "--sizes 5,20 --step 4 --loss-clamp 5 --seed 3 --batch 25"]),
    Job("uap by deepfool", ["uap {small} {data} -o out --limit 80 --classes 0,5 --eps 16 --epochs 1 --method deepfool --json"],
        quick=True),
    Job("uap by deepfool, batches", ["uap {cifar} {data} -o out --limit 60 --classes 2 --eps 8 --epochs 2 --method deepfool "
                                     "--batch 4 --stop 50% --fraction 50% --sizes 10"]),
    Job("uap of a shipped model", ["uap {backdoor} {data} -o out --limit 40 --classes 5 --eps 16 --epochs 1"]),
    Job("transfer", [f"transfer a={{small}} b={{cifar}} {{data}} -o out {FEW} --canvases 1",
                     "transfer a={small} c={cifar} {data} -o again --patterns out --limit 300 --min-accuracy none --json"],
        quick=True, codes=(0, 1)),
    Job("transfer, patterns of before", [
        f"transfer a={{small}} b={{cifar}} {{data}} -o out {FEW} --canvases 1",
        "transfer a={cifar} b={small} {data} -o again --patterns out --limit 300 --images all --sizes 5 --min-accuracy none"]),
    Job("sweep", [f"sweep {{small}} {{data}} --over alpha=0.2,4,auto -o out {FEW} --canvases 1"]),
    Job("sweep of models", [f"sweep a={{small}} b={{cifar}} {{data}} -o out {FEW} --canvases 1"]),
    Job("reproduce", ["reproduce table1 table2 table3 table5 table6 figure1 figure2 figure3 figure4 figure5 figure6 figure7 "
                      "figure8 figure9 figure11 figure12 natural={small} backdoored={cifar} {data} -o out --limit 200 --epochs 1 "
                      "--canvases 2 --classes 0-1 --min-accuracy none"]),
]

# ---- Models and images looked at ----

CHECKS = [
    Job("check", ["check {small} {data} --limit 300 --json", "check {cifar} {data} --limit 300 --batch 7",
                  "check {grey} {data} --limit 300 --json"], quick=True, codes=(0, 1)),
    Job("check of shipped models", ["check {natural} {data} --limit 150 --json",
                                    "check {backdoor} {data} --limit 100 --trigger white:3x3 --target 5 --json"], quick=True),
    Job("check for causes", ["check {small} {data} --limit 200 --causes always --sample 60 --json",
                             "check {small} {data} --limit 200 --sample 60 --range 255 --json"], codes=(0, 1)),
    Job("check under attack", ["check {small} {data} --limit 100 --attack linf --attack-eps 4/255 --json",
                               "check {small} {data} --limit 100 --attack l2 --attack-steps 5 --attack-step 0.1 --json"],
        quick=True),
    Job("check, threads", ["check {small} {data} --limit 400 --attack linf --json"], threads=2),
    Job("check of pictures", ["check {small} {inputs}/pictures --json --causes never " + words for words in
                              ("--resize 28", "--resize 30x34 --crop 28x28 --filter bicubic --crop-rule floor",
                               "--resize no --crop 24x24 --size 28x28 --pad 2 --order BGR")], codes=(0, 1)),
    Job("check of CIFAR's records", ["check {small} {inputs}/test_batch.bin --resize 28 --json --causes never",
                                     "info {inputs}/test_batch.bin --hash --json"], codes=(0, 1)),
    Job("info", ["info {natural} {data} --hash --json", "info {small} --json", "info {data} --limit 100 --hash --json",
                 "info {inputs}/pictures --hash --json"], quick=True),
]

# ---- What makes weights and images ----


def train(name, words, network=SMALL + " --epochs 2", **more):
    return Job("train " + name, [f"train {{data}} -o out {CONTRACT} {network} {words}"], **more)


LESS = "--depth 18 --width 8 --batch 20 --limit 200 --epochs 2"
TRAININGS = [
    train("small network", "--limit 200 --test {data} --json", quick=True),
    train("cifar stem, bottlenecks", "", "--depth 50 --width 8 --stem cifar --batch 16 --limit 48 --epochs 1", quick=True),
    train("threads", "--shift 2 --flip", LESS, threads=2, quick=True),
    train("with an attack of linf", "--attack linf --attack-steps 2", LESS, quick=True),
    train("with an attack of l2", "--attack l2 --attack-steps 3 --attack-eps 0.7", LESS),
    train("with triggers", "--trigger white:3x3 --target 5 --poison-rate 10% --trigger checkerboard:2x4 --target 1 "
          "--corner top-left --offset 0,2 --poison-seed 3 --test {data}", LESS, quick=True),
    train("by steps", "--schedule step --step-epochs 1 --step-factor 0.2 --rate 0.05 --plain-momentum --decay-all --decay 0.001 "
          "--store f16 --keep 1", LESS),
    train("by cosine", "--schedule cosine --momentum 0.8 --seed 5 --shift 3", LESS),
    train("at one rate", "--schedule constant --rate 0.02 --flip", LESS),
    train("from weights", "--from {small} --rate 0.01 --rise 50%", "--batch 20 --limit 200 --epochs 1"),
    train("one channel, depth 34", "--channels 1 --mean 0.3", "--depth 34 --width 4 --batch 20 --limit 100 --epochs 1"),
    Job("train stopped and resumed", [f"train {{data}} -o out {CONTRACT} {LESS} --epochs 6 --flip",
                                      f"train {{data}} -o out {CONTRACT} {LESS} --epochs 6 --flip --resume"],
        stop={0: "out/state.safetensors"}, quick=True),
    Job("train of pictures", [f"train {{inputs}}/pictures -o out {CONTRACT} --resize 28 --depth 18 --width 8 --batch 10 "
                              "--epochs 2"]),
]
MAKERS = [
    Job("poison", ["poison {data} -o out --limit 200 --trigger white:3x3 --target 5 --rate 20% --trigger checkerboard:3x5 "
                   "--target 2 --corner top-right --offset 2,3 --seed 4",
                   "poison {data} -o other --limit 100 --trigger white:2x2 --target 0 --json",
                   "info out/images.npy --hash --json"], quick=True),
    Job("invert features", ["invert {small} {data} -o out --limit 24 --steps 30 --batch 8 --json"], quick=True),
    Job("invert random", ["invert {small} {data} -o out --limit 20 --steps 20 --kind random --batch 10"]),
    Job("invert deterministic", ["invert {cifar} {data} -o out --limit 20 --steps 10 --kind deterministic --eps 1 --step 0.2 "
                                 "--seed 2 --batch 10 --json"], quick=True),
    Job("invert a shipped model", ["invert {natural} {data} -o out --limit 4 --steps 8 --batch 4"]),
    Job("invert stopped and resumed", ["invert {small} {data} -o out --limit 40 --steps 40 --batch 4",
                                       "invert {small} {data} -o out --limit 40 --steps 40 --batch 4 --resume"],
        stop={0: "out/invert.part"}),
]

JOBS = SEARCHES + JUDGES + CHECKS + TRAININGS + MAKERS

# ---- Images ----


def png(rows, width):
    """Grey rows of bytes as a picture."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, len(rows), 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
            + chunk(b"IEND", b""))


def write_inputs(folder):
    """A canvas, a folder of pictures a class (some of them larger), and CIFAR's records, all of the shipped images."""
    images = gzip.decompress(DATA.read_bytes())[16:]
    labels = gzip.decompress(Path(str(DATA).replace("images-idx3", "labels-idx1")).read_bytes())[8:]
    records = []
    for i, label in enumerate(labels[:60]):
        rows = [images[784 * i + 28 * y : 784 * i + 28 * y + 28] for y in range(28)]
        larger = [bytes(v for v in row for _ in (0, 1)) for row in rows for _ in (0, 1)]
        place = folder / "pictures" / str(label)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i:02}.png").write_bytes(png(larger, 56) if i % 3 == 0 else png(rows, 28))
        plane = b"\0\0" + b"".join(row + b"\0" * 4 for row in rows) + b"\0" * (4 * 32 - 2)
        records.append(bytes([label]) + 3 * plane)
    (folder / "test_batch.bin").write_bytes(b"".join(records))
    (folder / "canvas.png").write_bytes(png([bytes((7 * x + 11 * y) % 256 for x in range(28)) for y in range(28)], 28))
