"""What is measured: the engines with their set-ups, how they are built, and taking them in turn."""
import dataclasses, glob, json, os, platform, subprocess, sys, tempfile

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
binaries = os.path.join(root, "build", "bench", "tests", "bench")
torch_header = "/usr/include/torch/csrc/api/include/torch/torch.h"
forms = ["read", "map", "combine", "update"]  # as case.h's Form and limits.cpp number them
packages = "libtorch-dev libopenblas0-pthread libopenblas0-openmp"


class Failure(Exception):
    pass


@dataclasses.dataclass
class Setup:
    engine: str
    label: str
    threads: int
    command: list
    environment: dict
    ours: bool = False


def thread_counts():
    return [1, 2] if len(os.sched_getaffinity(0)) > 1 else [1]


def cpu_flags():
    try:
        with open("/proc/cpuinfo") as file:
            return next((set(line.split()) for line in file if line.startswith("flags")), set())
    except OSError:
        return set()


def openblas_core():
    """Debian's OpenBLAS takes its oldest kernels for a processor newer than itself; a user can name the right ones."""
    flags = cpu_flags()
    if {"avx512f", "avx512vl", "avx512bw", "avx512dq"} <= flags:
        return {"OPENBLAS_CORETYPE": "SkylakeX"}
    with open("/proc/cpuinfo") as file:
        amd = "AuthenticAMD" in file.read()
    return {"OPENBLAS_CORETYPE": "Zen" if amd else "Haswell"} if {"avx2", "fma"} <= flags else {}


def openblas_folders(more):
    """The folders of OpenBLAS built for threads of its own and for OpenMP, by these two names."""
    found = {}
    places = glob.glob("/usr/lib/*/openblas-*") + [entry[0] for place in more for entry in os.walk(place)]
    for place in places:
        kind = os.path.basename(place).removeprefix("openblas-")
        if kind in ("pthread", "openmp") and os.path.exists(os.path.join(place, "libblas.so.3")):
            found[kind] = os.path.abspath(place)
    return found


def threads_environment(threads, policy):
    count = str(threads)
    return {"OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count, "MKL_NUM_THREADS": count,
            "OMP_WAIT_POLICY": policy}


def our_setups(program):
    return [Setup("Gradus", f"{threads} threads"[: 8 if threads == 1 else None], threads,
                  [os.path.join(binaries, program), f"--threads={threads}"], {}, ours=True)
            for threads in thread_counts()]


def variants(quick, kinds):
    """(threads, policy, kind of OpenBLAS): with one thread nobody waits, and one kind is as good as the other."""
    kinds = sorted(kinds) or [""]  # openmp before pthread
    for threads in thread_counts():
        for policy in ("passive",) if threads == 1 else ("active",) if quick else ("active", "passive"):
            for kind in kinds[:1] if threads == 1 or quick else kinds:
                yield threads, policy, kind


def peer_setup(engine, threads, policy, kind, command, environment):
    label = "1 thread" if threads == 1 else f"{threads} threads, {policy}"
    return Setup(engine, label + (f", OpenBLAS {kind}" if kind else ""), threads, command,
                 {**threads_environment(threads, policy), **environment})


def setups(options):
    installed = os.path.exists(torch_header)
    if not installed and not options.python:
        raise Failure(f"no libtorch to compare with: apt-get install {packages}, or name by --python a Python with "
                      "PyTorch (pip install torch)")
    result = our_setups("bench_gradus")
    if installed:
        folders = openblas_folders(options.openblas)
        if not folders:
            raise Failure("Debian's libtorch needs OpenBLAS to be a peer, with the reference BLAS it is many times "
                          f"slower: apt-get install {packages}, or name by --openblas where it lies")
        for threads, policy, kind in variants(options.quick, folders):
            result.append(peer_setup("libtorch, installed", threads, policy, kind,
                                     [os.path.join(binaries, "bench_torch"), f"--threads={threads}"],
                                     {"LD_LIBRARY_PATH": folders[kind], **openblas_core()}))
    if options.python:
        for threads, policy, kind in variants(options.quick, []):
            result.append(peer_setup("libtorch, of --python", threads, policy, kind,
                                     [os.path.join(binaries, "bench_torch_python"), f"--threads={threads}"],
                                     {"CUDA_VISIBLE_DEVICES": ""}))
    return result


def product_setups(options):
    folders = openblas_folders(options.openblas)
    if not folders:
        raise Failure("no OpenBLAS to compare with: apt-get install libopenblas0-pthread libopenblas0-openmp, or name "
                      "by --openblas where it lies")
    result = our_setups("bench_products")
    for threads, policy, kind in variants(False, folders):
        library = glob.glob(os.path.join(folders[kind], "libopenblas*.so*"))[0]
        result.append(peer_setup("OpenBLAS", threads, policy, kind,
                                 [os.path.join(binaries, "bench_products"), f"--openblas={library}"], openblas_core()))
    return result


def build(python):
    """The release and the benchmarks, in build/bench; what that takes is installed as tests/run does it."""
    script = """
        . "$1/examples/setup.sh"
        cd "$1"
        ensure_packages "$packages_build$packages_bench"
        cmake --preset bench -DGRADUS_BENCH_PYTHON="$2"
        cmake --build --preset bench
    """
    print("building the benchmarks: minutes, the first time", file=sys.stderr)
    python = os.path.abspath(python) if python else ""
    done = subprocess.run(["bash", "-euc", script, "bash", root, python], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failure("the benchmarks cannot be built:\n" + done.stdout[-6000:])


def run(setup, cases, folder, options):
    """(engine's version, {name: {"median", "least" in ns, "flops", "bytes", "form"}}) of one set-up's run of some cases."""
    path = os.path.join(folder, "cases")
    with open(path, "w") as file:
        file.writelines(case.line for case in cases)
    repetitions, seconds = (7, 0.005) if options.quick else (15, 0.01)
    kind = "products" if options.products else "cases"
    command = setup.command + [f"--{kind}={path}", f"--benchmark_repetitions={repetitions}",
                               f"--benchmark_min_time={seconds}", "--benchmark_format=json"]
    done = subprocess.run(command, env={**os.environ, **setup.environment}, capture_output=True, text=True)
    what = f"{setup.engine}, {setup.label}"
    if done.returncode:
        raise Failure(f"{what}: exit status {done.returncode}:\n{' '.join(command)}\n{done.stderr[-3000:]}")
    out = json.loads(done.stdout)
    times, work = {}, {}
    for each in out["benchmarks"]:
        name = each["run_name"].removesuffix("/real_time")
        if each.get("error_occurred"):
            raise Failure(f"{what}: {name}: {each['error_message']}")
        if each["run_type"] == "iteration":
            times.setdefault(name, []).append(each["real_time"])
            work[name] = {key: each[key] for key in ("flops", "bytes", "form") if key in each}  # products have no form
    names = [case.name for case in cases]
    if set(times) != set(names):
        raise Failure(f"{what} ran other cases than it was told: missing {sorted(set(names) - set(times))}, "
                      f"unknown {sorted(set(times) - set(names))}")
    return out["context"]["engine"], {
        name: {"median": sorted(t)[len(t) // 2], "least": min(t), **work[name]} for name, t in times.items()}


def measure_limits():
    done = subprocess.run([os.path.join(binaries, "bench_limits")], capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"bench_limits: exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def best_limits(runs):
    def best(tables):
        return {key: max(table[key] for table in tables) for key in tables[0]}

    return {"flops_per_second": best([run["flops_per_second"] for run in runs]),
            "bytes_per_second": {form: [best(tables) for tables in zip(*(run["bytes_per_second"][form] for run in runs))]
                                 for form in forms}}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def measure(setups, cases, options):
    """Family by family, the set-ups one after the other, and back in the next run: drift meets all of them alike."""
    for setup in setups:
        if not os.path.exists(setup.command[0]):
            raise Failure(f"{setup.command[0]} was not built")
    families = list(dict.fromkeys(case.family for case in cases))
    versions, runs, limits = {}, [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.runs):
            limits.append(measure_limits())
            times = {}  # by set-up's place
            for family in families:
                some = [case for case in cases if case.family == family]
                order = range(len(setups)) if number % 2 == 0 else reversed(range(len(setups)))
                for place in order:
                    progress(f"run {number + 1} of {options.runs}: {family}: {setups[place].engine}, "
                             f"{setups[place].label}")
                    versions[setups[place].engine], new = run(setups[place], some, folder, options)
                    times.setdefault(place, {}).update(new)
            runs.append(times)
    progress("")
    return {"versions": versions, "runs": runs, "limits": best_limits(limits)}


def machine():
    name = platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            name = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {len(os.sched_getaffinity(0))} cores"
