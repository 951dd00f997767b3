# Sourced by examples/run, tests/run and tests/bench/compare: makes sure that the tools and libraries are there, and
# that all build alike.

# Each line: the Debian 12 package, and what it is recognised by, a command, a header, or a library's folder and name.
packages_build="
g++              command g++
cmake            command cmake
ninja-build      command ninja
libtbb-dev       header  oneapi/tbb/task_arena.h
libfmt-dev       header  fmt/format.h
libhwy-dev       header  hwy/highway.h
zlib1g-dev       header  zlib.h
nlohmann-json3-dev header nlohmann/json.hpp
libopenblas0-pthread library openblas-pthread/libopenblas.so.0
libcli11-dev     header  CLI/CLI.hpp
"
packages_test="
libpng-dev       header  png.h
libjpeg62-turbo-dev header jpeglib.h
libboost-test-dev header boost/test/unit_test.hpp
pkg-config       command pkg-config
"
packages_full="
clang            command clang++
doxygen          command doxygen
valgrind         command valgrind
chromium         command chromium
chromium-driver  command chromedriver
python3-selenium python  selenium
"
packages_bench="
libbenchmark-dev header  benchmark/benchmark.h
"

# Whether this system has it. The compiler knows where headers lie; without one, the usual places are looked at.
have() {
  if [ "$1" = command ]; then
    command -v "$2" >/dev/null
  elif [ "$1" = library ]; then
    compgen -G "/usr/lib/*/$2" >/dev/null || [ -e "/usr/lib/$2" ]
  elif [ "$1" = python ]; then  # the system's own Python has what packages bring
    /usr/bin/python3 -c "import $2" 2>/dev/null || python3 -c "import $2" 2>/dev/null
  elif command -v g++ >/dev/null; then
    echo "#include <$2>" | g++ -std=c++20 -E -x c++ - -o /dev/null 2>/dev/null
  else
    [ -e "/usr/include/$2" ] || [ -e "/usr/local/include/$2" ]
  fi
}

# ensure_packages LIST: prints the command that installs what LIST names; runs it when something is missing and this is
# root on Debian or a relative; stops otherwise, saying what is missing.
ensure_packages() {
  local package kind name
  local all=() missing=() described=()
  while read -r package kind name; do
    [ -n "$package" ] || continue
    all+=("$package")
    if ! have "$kind" "$name"; then
      missing+=("$package")
      described+=("$kind $name")
    fi
  done <<<"$1"

  local install=(apt-get install -y --no-install-recommends "${all[@]}")
  echo "Needed, on Debian 12: ${install[*]}"
  if [ ${#missing[@]} -eq 0 ]; then
    return 0
  fi
  printf 'Missing: %s\n' "${described[@]}"
  if ! command -v apt-get >/dev/null || ! grep -qsE '^ID(_LIKE)?=.*debian' /etc/os-release; then
    echo "This is not a Debian system: please install these by its own means, then run this again." >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    echo "Installing takes root's rights: please run the command above as root, then run this again." >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update || echo "The lists of packages could not be renewed; going on with those that are there."
  "${install[@]}"
}

# A launcher chosen by only one of the scripts would make the other compile everything again.
if [ -z "${CMAKE_CXX_COMPILER_LAUNCHER+set}" ] && command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
