"""The operations one by one (operation.h): our processor time over libtorch's best, one thread each."""
import math, os, statistics, subprocess

import engines
import report

columns = [("large", "forward"), ("large", "backward"), ("small", "forward"), ("small", "backward")]
chunk = 12  # operations that one process measures before the next engine has its turn


def setups(options):
    """Those of engines.py that have one thread, with the program that measures operations."""
    result = [setup for setup in engines.setups(options) if setup.threads == 1]
    for setup in result:
        setup.command = [setup.command[0].replace("bench_gradus", "bench_operations")
                         .replace("bench_torch", "bench_operations_torch")]
    return result


def run(setup, arguments):
    done = subprocess.run(setup.command + arguments, env={**os.environ, **setup.environment}, capture_output=True,
                          text=True)
    if done.returncode:
        raise engines.Failure(f"{setup.engine}: exit status {done.returncode}: {done.stderr[-3000:]}")
    return done.stdout.splitlines()


def measure(found, names, options):
    """{(operation, size, direction): {engine: least nanoseconds}} and what failed."""
    times, failed = {}, {}
    for number in range(options.runs):
        for first in range(0, len(names), chunk):
            for setup in found if (number + first // chunk) % 2 == 0 else reversed(found):
                engines.progress(f"run {number + 1} of {options.runs}: {names[first]}: {setup.engine}")
                for line in run(setup, names[first:first + chunk]):
                    if "\t" not in line:  # the rest of an error's message
                        continue
                    size, direction, *rest = line.split("\t")
                    if size == "failed":
                        failed[setup.engine, direction] = rest[0]
                        continue
                    known = times.setdefault((rest[0], size, direction), {})
                    known[setup.engine] = min(float(rest[1]), known.get(setup.engine, math.inf))
    engines.progress("")
    return times, failed


def document(names, times, failed, options):
    rows = []
    for name in names:
        row = {"name": name}
        for size, direction in columns:
            known = times.get((name, size, direction), {})
            peers = {engine: t for engine, t in known.items() if engine != "Gradus"}
            if "Gradus" in known and peers:
                best = min(peers, key=peers.get)
                row[f"{size} {direction}"] = {"ours_ns": known["Gradus"], "peer_ns": peers[best], "peer": best,
                                              "ratio": known["Gradus"] / peers[best]}
        rows.append(row)
    return {"machine": engines.machine(), "runs": options.runs, "operations": rows,
            "failed": [f"{engine}: {name}: {why}" for (engine, name), why in failed.items()]}


def table(document):
    keys = [f"{size} {direction}" for size, direction in columns]
    rows = document["operations"]
    width = max(len(row["name"]) for row in rows)
    out = [f"{document['machine']}; {document['runs']} runs, one thread, least processor time; ours / the peer's best, "
           "backward with its forward", f"{'':{width}} {'10^6':>22} {'64':>22}",
           f"{'operation':{width}} {'forward':>7} {'back':>6} {'ours':>7} {'forward':>8} {'back':>6} {'ours':>7}"]
    for row in rows:
        cells = [f"{row[key]['ratio']:.2f}" if key in row else "" for key in keys]
        ours = [report.nanoseconds(row[key]["ours_ns"]) if key in row else "" for key in keys]
        worst = max((row[key]["ratio"] for key in keys if key in row), default=0)
        out.append(f"{row['name']:{width}} {cells[0]:>7} {cells[1]:>6} {ours[0]:>7} {cells[2]:>8} {cells[3]:>6} "
                   f"{ours[2]:>7}{'  SLOWER' if worst > 1 else ''}")
    out += ["== slower, the slowest first"]
    slower = [(row[key]["ratio"], row["name"], key) for row in rows for key in keys
              if key in row and row[key]["ratio"] > 1]
    out += [f"{ratio:6.2f}  {name}, {key}" for ratio, name, key in sorted(slower, reverse=True)]
    out += document["failed"]
    for key in keys:
        ratios = [row[key]["ratio"] for row in rows if key in row]
        if ratios:
            out.append(f"{key}: {len(ratios)} operations, geometric mean {report.geometric_mean(ratios):.3f}, median "
                       f"{statistics.median(ratios):.3f}, {sum(ratio > 1 for ratio in ratios)} slower than the peer")
    return "\n".join(out)
