# Sourced by run and full: steps that are named, timed and counted, and what both scripts need.
#
# A step is a function. It runs in a shell of its own with errexit on, its output goes into
# build/ci/NAME.log, and the end of that is shown when it fails. The others still run. Call step on
# a line of its own or in the body of an if: after && or || bash ignores errexit, within it as well.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
WORK=$ROOT/build/ci
SITE=$ROOT/build/debug/site # the package with the module of the preset "debug"
CHECKS=$ROOT/../shared/checks
JOBS=${JOBS:-$(nproc 2>/dev/null || sysctl -n hw.ncpu)}
passed=0
failed=0
failures=()
started=$SECONDS
only=" $* " # the script's arguments: the names of the steps to run; none: all
mkdir -p "$WORK"

step() { # NAME FUNCTION [ARGUMENTS]
  local name=$1 begin=$SECONDS status=0
  shift
  [[ $only =~ ^\ *$ || $only == *" $name "* ]] || return 0
  printf '%-24s ' "$name"
  # In the background, because errexit is off wherever a status is being looked at.
  (
    set -euo pipefail
    "$@"
  ) >"$WORK/$name.log" 2>&1 </dev/null &
  wait $! || status=$?
  if [ $status = 0 ]; then
    passed=$((passed + 1))
    echo "ok     $((SECONDS - begin)) s"
  else
    failed=$((failed + 1))
    failures+=("$name")
    echo "FAILED $((SECONDS - begin)) s, status $status, $WORK/$name.log:"
    tail -n 40 "$WORK/$name.log" | sed 's/^/    /'
  fi
}

finish() {
  echo "$((SECONDS - started)) s in all"
  [ $failed = 0 ] || echo "failed: ${failures[*]}"
  echo "$passed passed, $failed failed"
  exit $((failed != 0))
}

# A virtual environment in build/ci, made anew; the rest is what pip installs into it.
fresh_venv() { # NAME [PACKAGES]
  local dir=$WORK/$1
  shift
  rm -rf "$dir"
  python3 -m venv "$dir"
  "$dir/bin/python" -m pip install -q --upgrade pip
  [ $# = 0 ] || "$dir/bin/python" -m pip install -q "$@"
}

# The n-th set-up command of the README: the fenced sh blocks that begin with "pip install".
readme_command() {
  awk '/^```/ { inside = ($0 == "```sh"); next } inside && /^pip install/' README.md | sed -n "$1p"
}

# The instruction sets that this processor has.
instruction_sets() {
  local flags=" $(sed -n 's/^flags[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1) "
  local sets=baseline flag
  has_all() { for flag; do [[ $flags == *" $flag "* ]] || return 1; done; }
  if has_all avx2 fma bmi1 bmi2 f16c movbe; then sets+=" avx2"; fi
  if has_all avx512f avx512bw avx512cd avx512dq avx512vl; then sets+=" avx512"; fi
  echo "$sets"
}

install_system_packages() {
  local missing=()
  command -v g++ >/dev/null || command -v clang++ >/dev/null || missing+=(g++)
  command -v ccache >/dev/null || missing+=(ccache)
  command -v git >/dev/null || missing+=(git)
  [ -e /usr/include/doctest/doctest.h ] || missing+=(doctest-dev)
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  python3 -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")' \
    2>/dev/null || missing+=(python3-dev)
  if [ ${#missing[@]} != 0 ]; then
    echo "installing ${missing[*]}"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
  fi
}

build_tools() { # CMake, ninja, pybind11 and the linters, in the versions of pyproject.toml
  fresh_venv tools
  "$WORK/tools/bin/python" -m pip install -q --group build --group lint numpy pytest tqdm \
    matplotlib auditwheel
}

preset() { # PRESET TARGETS...: configures and builds
  local preset=$1
  shift
  export PATH=$WORK/tools/bin:$PATH
  local python=$WORK/tools/bin/python
  cmake --preset "$preset" -DPython_EXECUTABLE="$python" \
    -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)"
  cmake --build --preset "$preset" -j "$JOBS" --target "$@"
}

native_release() {
  preset release d2l_tests
  local isa
  for isa in $(instruction_sets); do
    echo "== $isa"
    D2LCORE_ISA=$isa "$WORK/tools/bin/ctest" --preset release
  done
}

# The Python files beside the module of the debug preset; the module finds the library by its path.
stage_debug() {
  rm -rf "$SITE"
  mkdir -p "$SITE/d2lcore"
  ln -s "$ROOT"/python/d2lcore/* "$SITE/d2lcore/"
  rm -f "$SITE"/d2lcore/_C.*.so
  ln -s "$ROOT"/build/debug/_C.*.so "$SITE/d2lcore/"
}

sanitized() { # COMMAND: Python with the sanitizers' run-time libraries loaded first
  local compiler=${CXX:-g++}
  env LD_PRELOAD="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libubsan.so)" \
    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 PYTHONMALLOC=malloc \
    PYTHONPATH="$SITE" "$@"
}
