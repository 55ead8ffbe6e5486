#!/bin/sh
# Installs what the tests need, builds, and runs every suite: sh test/run.sh [--oracle] [--onednn3] [--all]
#   --oracle   also installs PyTorch, so that the suite `oracle` runs instead of being skipped
#   --onednn3  also a second build, against oneDNN 3.x, with the tests that its numbers reach
#   --all      also that with all tests, the other builds (without oneDNN, clang, sanitizers, valgrind), and the long form of
#              tests that have one
# What each takes is in docs/testing.md.
set -eu
cd "$(dirname "$0")/.."
oracle=no onednn3=no all=no
for argument in "$@"; do
  case $argument in
  --oracle) oracle=yes ;;
  --onednn3) onednn3=yes ;;
  --all)
    onednn3=yes all=yes
    export ISCP_TEST_ALL=1
    ;;
  *)
    echo "test/run.sh: unknown option $argument, expected --oracle, --onednn3 or --all" >&2
    exit 2
    ;;
  esac
done

. test/support/packages.sh
need_packages gcc g++ clang libclang-rt-dev libomp-dev meson ninja-build pkg-config libdnnl-dev libopenblas-openmp-dev libpng-dev \
  libjpeg62-turbo-dev zlib1g-dev libarchive-dev libjansson-dev nettle-dev libcairo2-dev chromium check python3 python3-venv \
  python3-numpy python3-pil valgrind binutils abigail-tools dataset-fashion-mnist

# The Python of the tests: with PyTorch in an environment of its own, so that nothing of the machine's changes.
python=python3
if [ $oracle = yes ]; then
  [ -x build-venv/bin/python ] || python3 -m venv build-venv
  build-venv/bin/python -c 'import torch, numpy, safetensors, PIL' 2>/dev/null ||
    build-venv/bin/python -m pip install -q torch==2.13.0 numpy safetensors pillow
  # Without what it draws with: test_gradcam.py says what of it is used.
  build-venv/bin/python -c 'import cv2, ttach, tqdm' 2>/dev/null ||
    build-venv/bin/python -m pip install -q --no-deps grad-cam==1.5.5 ttach opencv-python-headless tqdm
  python=$PWD/build-venv/bin/python
fi

# Debian 12 has 2.6.3. This is 3.2, the newest that comes built for the OpenMP of gcc: later wheels run on SYCL and TBB, whose
# threads a context does not govern (lib/nn/conv/onednn/shim.h refuses them).
if [ $onednn3 = yes ] && [ ! -f build-venv-onednn3/include/oneapi/dnnl/dnnl.h ]; then
  python3 -m venv build-venv-onednn3
  build-venv-onednn3/bin/python -m pip install -q onednn-devel-cpu-gomp==2023.2.0
fi

# run_suites DIR SETUP-OPTIONS -- TEST-OPTIONS
run_suites() {
  dir=$1
  shift
  options=""
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  shift
  echo "== $dir:$options $* =="
  [ -f "$dir/build.ninja" ] || meson setup "$dir" -Dpython="$python" $options >"$dir.log" 2>&1 || { cat "$dir.log"; exit 1; }
  rm -f "$dir.log"
  meson compile -C "$dir" >"$dir/compile.log" 2>&1 || { cat "$dir/compile.log"; exit 1; }
  ! grep -q 'warning:' "$dir/compile.log" || { grep -A3 'warning:' "$dir/compile.log"; exit 1; }
  meson test -C "$dir" --print-errorlogs --num-processes "$processes" "$@" >"$dir/test.log" 2>&1 || status=1
  grep -aE '^ *[0-9]+/[0-9]+ ' "$dir/test.log" | grep -avE ' OK ' || true
  sed -n '/--- .* ---/,$p' "$dir/test.log" | head -200
  passed=$((passed + $(sed -n 's/^Ok: *//p' "$dir/test.log")))
  failed=$((failed + $(sed -n 's/^Fail: *//p' "$dir/test.log" | head -1 | grep . || echo 0)))
  timeouts=$(sed -n 's/^Timeout: *//p' "$dir/test.log")
  failed=$((failed + ${timeouts:-0}))
  skips=$(sed -n 's/^Skipped: *//p' "$dir/test.log")
  skipped=$((skipped + ${skips:-0}))
}

# On a busy machine a thread that spins keeps the processor from the one that it waits for.
export OMP_WAIT_POLICY=passive

# Most tests have networks so small that one thread is busy at a time: several of them side by side, each with as many threads as
# it likes.
processes=$(nproc)
[ "$processes" -le 4 ] || processes=4

status=0 passed=0 failed=0 skipped=0
run_suites build-test -Dbuildtype=debugoptimized --
if [ $onednn3 = yes ]; then # what oneDNN does not compute is the same in both builds
  if [ $all = yes ]; then
    suites="--no-suite oracle --no-suite formats --no-suite fuzz --no-suite lint"
  else
    suites="--suite unit --suite differential --suite golden --suite failure --suite abi --suite engine"
  fi
  run_suites build-onednn3 -Dbuildtype=debugoptimized -Donednn_dir=build-venv-onednn3 -- $suites
fi
if [ $all = yes ]; then
  run_suites build-blas -Dbuildtype=debugoptimized -Donednn=disabled -- --no-suite oracle
  CC=clang run_suites build-clang -Dbuildtype=debugoptimized -- --no-suite oracle
  run_suites build-sanitize -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -- --setup sanitize \
    --no-suite oracle --no-suite python
  run_suites build-test -- --setup valgrind --suite unit --suite formats
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && exit $status
exit 1
