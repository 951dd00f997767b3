"""What is measured: the engines with their set-ups, how they are built, and taking them in turn, a process each."""
import contextlib, dataclasses, glob, json, os, platform, signal, statistics, subprocess, sys, tempfile, time

bench = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(bench))
binaries = os.path.join(root, "build", "bench", "tests", "bench")
torch_header = "/usr/include/torch/csrc/api/include/torch/torch.h"
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


def our_setups(program, more=()):
    return [Setup("Gradus", f"{threads} threads"[: 8 if threads == 1 else None], threads,
                  [os.path.join(binaries, program), f"--threads={threads}", *more], {}, ours=True)
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
    result = our_setups("bench_gradus", [f"--simd={options.simd}"] if options.simd else [])
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
        if not options.growth:
            result += compiled_setups(options.python)
    return result


def compiled_setups(python):
    """What that Python has beside libtorch, with all processors: it is asked at sizes at which they help."""
    threads = thread_counts()[-1]
    for engine, framework in (("PyTorch compiled or fused", "torch"), ("JAX's jit", "jax")):
        if subprocess.run([python, "-c", f"import {framework}"], capture_output=True).returncode == 0:
            command = [python, os.path.join(bench, "compiled.py"), framework, f"--threads={threads}"]
            # Workers that compile would not be stopped with the process that keeps them.
            environment = {"CUDA_VISIBLE_DEVICES": "", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
            yield peer_setup(engine, threads, "active", "", command, environment)


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


class Process:
    """A set-up's program, which lives as long as the measuring and sleeps while others have their turn: it is stopped, for
    a peer that waits actively would take a processor from them."""

    def __init__(self, setup):
        self.what = f"{setup.engine}, {setup.label}"
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(setup.command + ["--serve"], env={**os.environ, **setup.environment}, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.version = self.answer("its start")
        self.process.send_signal(signal.SIGSTOP)

    def answer(self, question):
        line = self.process.stdout.readline().rstrip("\n")
        if not line:
            self.errors.seek(0)
            raise Failure(f"{self.what}: ended at {question} with exit status {self.process.wait()}:\n"
                          f"{self.errors.read()[-3000:]}")
        return line

    def run(self, case, seconds, repetitions):
        """Times of a call in ns, and the case's work; or None, where the set-up has nothing for that case."""
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{seconds} {repetitions} {case.line.rstrip()}\n")
        self.process.stdin.flush()
        line = self.answer(case.name)
        self.process.send_signal(signal.SIGSTOP)
        if line.startswith("error "):
            raise Failure(f"{self.what}: {case.name}: {line.removeprefix('error ')}")
        if line == "none":
            return None
        flops, moved, written, in_place, *times = map(float, line.split())
        return times, {"flops": flops, "bytes": moved, "written": written, "in_place": bool(in_place)}

    def processor_seconds(self):
        try:
            with open(f"/proc/{self.process.pid}/stat") as file:
                words = file.read().rpartition(")")[2].split()
            return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            return 0

    def close(self):
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def processes(setups, stack):
    """One for each set-up, until the stack is left."""
    for setup in setups:
        if not os.path.exists(setup.command[0]):
            raise Failure(f"{setup.command[0]} was not built")
        process = Process(setup)
        stack.callback(process.close)
        yield process


def processor_times():
    """(seconds that all processors have worked, of them taken by the hypervisor for others) since the system's start."""
    try:
        with open("/proc/stat") as file:
            words = list(map(int, file.readline().split()[1:9]))
    except OSError:
        return 0, 0
    tick = os.sysconf("SC_CLK_TCK")
    return (sum(words) - words[3] - words[4]) / tick, words[7] / tick


class Watch:
    """How much of the machine others took between two moments."""

    def __init__(self, served):
        self.served, self.start = served, time.monotonic()
        self.before = (*processor_times(), self.own())

    def own(self):
        return sum(os.times()[:4]) + sum(process.processor_seconds() for process in self.served)

    def parts(self):
        worked, stolen = processor_times()
        all_of_it = max((time.monotonic() - self.start) * len(os.sched_getaffinity(0)), 1e-9)
        stolen -= self.before[1]
        others = worked - self.before[0] - stolen - (self.own() - self.before[2])
        # The system counts in ticks: of a short time they may be more than there was.
        return {"others": min(max(others, 0) / all_of_it, 1), "stolen": min(max(stolen, 0) / all_of_it, 1)}


def measure_limits():
    done = subprocess.run([os.path.join(binaries, "bench_limits")], capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"bench_limits: exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def best_limits(runs):
    def best(tables):
        return {key: value if key in ("bytes", "written", "in_place") else max(table[key] for table in tables)
                for key, value in tables[0].items()}

    return {"flops_per_second": best([run["flops_per_second"] for run in runs]),
            "bytes_per_second": [best(tables) for tables in zip(*(run["bytes_per_second"] for run in runs))]}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def measure(setups, cases, options):
    """Case by case, the set-ups one after the other, and all cases again in the next run: what disturbs the machine for a
    while meets one run of some cases, of all set-ups alike. Who begins differs from case to case and from run to run."""
    repetitions, seconds = (5, 0.005) if options.quick else (7, 0.01)
    runs, work, limits = [], {}, []
    with contextlib.ExitStack() as stack:
        served = list(processes(setups, stack))
        watch = Watch(served)
        for number in range(options.runs):
            limits.append(measure_limits())
            times = [{} for _ in setups]
            for place, case in enumerate(cases):
                progress(f"run {number + 1} of {options.runs}: {case.name}")
                for turn in range(len(setups)):
                    who = (number + place + turn) % len(setups)
                    if number % 2 == 1:
                        who = len(setups) - 1 - who
                    answer = served[who].run(case, seconds, repetitions)
                    if answer is not None:
                        each, of_case = answer
                        times[who][case.name] = {"median": statistics.median(each), "least": min(each)}
                        work[case.name] = of_case if setups[who].ours else work.get(case.name)
            runs.append(times)
        disturbed = watch.parts()
    progress("")
    return {"versions": {setup.engine: process.version for setup, process in zip(setups, served)}, "runs": runs,
            "work": work, "limits": best_limits(limits), "disturbed": disturbed}


def machine():
    name = platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            name = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {len(os.sched_getaffinity(0))} cores"
