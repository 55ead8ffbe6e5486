#!/bin/sh
# Installs what is missing, builds, and searches both shipped models: sh examples/quickstart.sh [options of iscp search]
set -eu
cd "$(dirname "$0")/.."
build=build
result=result

packages="gcc meson ninja-build pkg-config libdnnl-dev libopenblas-openmp-dev libpng-dev libjpeg62-turbo-dev zlib1g-dev libarchive-dev libjansson-dev nettle-dev libcairo2-dev"
. test/support/packages.sh
need_packages $packages

echo "Building ($build/)"
[ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release -Dtests=false >"$build.log" 2>&1 ||
  { cat "$build.log"; exit 1; }
meson compile -C "$build" >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
rm -f "$build.log"

iscp="$build/examples/iscp"
images=examples/data/t10k-2000-images-idx3-ubyte.gz
# Two canvases a class: its most confident image, and white, on which a bright trigger can be shown. The better one at 1 %, about the
# size of a trigger, is selected. A tenth of the images is searched on and three sizes are measured, for speed.
search() {
  model=$1
  shift
  echo
  echo "== examples/models/fashion-$model.safetensors =="
  "$iscp" search "examples/models/fashion-$model.safetensors" "$images" -o "$result/$model" --overwrite \
    --canvas positive,white --canvases 1 --select power --select-size 1 --fraction 0.1 --sizes 1,5,10 "$@"
}
search natural "$@"
search backdoor --picture-size 2 "$@"

cat <<END

Look at $result/natural/sheet.png and $result/backdoor/sheet.png: one row a class, canvas, mask and pattern.
At 1 % of the pixels the clean model's patterns predict little (mPW 0.03). The class of the other model that stands out there
(Sandal) is the one its backdoor answers with, and its pattern shows the trigger: a white square near the corner.
Next: $iscp search --help
END
