#!/usr/bin/env python3
"""Measure the collectives against the MPI; see README.md here.

  benchmarks/coll.py        (as `make bench-coll` does, with SRC, BUILD and
                             MPIRUN in the environment)

  BENCH_ROWS="private plan" some rows only: private shared plan first others
                             four gloo
  BENCH_LAUNCHES=5          of each row
  BENCH_RANKS=2             of all rows but `four`
  BENCH_MAX_BYTES=67108864  largest vector
  BENCH_SAMPLES=N           of a point, as option --samples of repartir bench
  BENCH_OPERATIONS="scan"   these of the row `others`
  BENCH_TUNED=1             also the algorithms of Open MPI's tuned component
  PEER_BUILD=DIR            the build tree of another MPI, in which
                             `make benchmarks/repartir` was run
  PEER_MPIRUN="mpirun.mpich -bind-to core"
                            its mpirun

Each launch of `repartir bench` calls ours and the MPI by turns in one process.
A ratio is the MPI's time over ours; a size has the median of the launches.
Launches of several builds take turns.  The better peer is, size by size, the
one with the smallest ratio.
"""
import json
import math
import os
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from measure import (Failed, NotMeasured, Points, Spread,  # noqa: E402
                     Table, machine, python_with, run, show)

SRC = os.environ.get("SRC") or os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD") or os.getcwd()
MPIRUN = (os.environ.get("MPIRUN") or "mpirun").split()
RANKS = int(os.environ.get("BENCH_RANKS") or 2)
LAUNCHES = int(os.environ.get("BENCH_LAUNCHES") or 5)
MAX_BYTES = int(os.environ.get("BENCH_MAX_BYTES") or 64 << 20)
PEERS = os.path.join(BUILD, "bench", "peers")

TUNED = ", tuned "  # and a number, behind the name of the MPI
KIB, MIB = 1 << 10, 1 << 20
# Sizes from and to, the least ratio that is wanted there, and their name.
ALLREDUCE = ((4, 64, 1.0, "up to 64 B"),
             (65, 16 * MIB - 1, 1.2, "above 64 B"),
             (16 * MIB, 64 * MIB - 1, 1.5, "16 MiB and above"),
             (64 * MIB, math.inf, 2.5, "64 MiB and above"))
PLAN = {"Open MPI": ((4, 4 * KIB, 2.0, "up to 4 KiB"),),
        "MPICH": ((4, 256, 2.0, "up to 256 B"),
                  (257, 4 * KIB, 1.5, "256 B to 4 KiB"))}
FOUR = {"Open MPI": 1.0, "MPICH": 5.0}
GLOO = ((4, 4 * KIB, 100.0, "up to 4 KiB"),
        (MIB, 64 * MIB, 4.0, "1 to 64 MiB"))
OTHERS = ("reduce", "broadcast", "barrier", "allgather", "gather", "scatter",
          "reduce-scatter", "alltoall", "scan", "exscan")


# ---- launches ----

class Peer:
    """A build of ours over some MPI, and how its ranks are started."""

    def __init__(self, build, mpirun, env=None, suffix=""):
        self.build = build
        self.mpirun = mpirun  # the words in front of -n
        self.env = env or {}
        self.suffix = suffix  # of the name of the MPI


def launch(peer, ranks, arguments):
    """`repartir bench ARGUMENTS`: its points, as it writes them.

    ranks: None, where peer.mpirun says how many.
    """
    command = peer.mpirun + (["-n", str(ranks)] if ranks else [])
    command += [os.path.join(peer.build, "benchmarks", "repartir"), "bench"]
    command += arguments
    if os.environ.get("BENCH_SAMPLES"):
        command.append("--samples=" + os.environ["BENCH_SAMPLES"])
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as file:
        run(command + ["--json=" + file.name], dict(os.environ, **peer.env),
            limit=3600)
        points = [json.loads(line) for line in file]
    for point in points:
        point["mpi"] += peer.suffix
    return points


def peers_of(tuned):
    """This build, the other MPI's, and what Open MPI can be told to do."""
    peers = [Peer(BUILD, MPIRUN)]
    if os.environ.get("PEER_BUILD"):
        peers.append(Peer(
            os.environ["PEER_BUILD"],
            (os.environ.get("PEER_MPIRUN") or "mpirun").split()))
    if tuned and os.environ.get("BENCH_TUNED"):
        peers += [Peer(BUILD, MPIRUN, {
            "OMPI_MCA_coll_tuned_use_dynamic_rules": "1",
            "OMPI_MCA_coll_tuned_allreduce_algorithm": str(algorithm),
        }, f"{TUNED}{algorithm}") for algorithm in range(1, 7)]
    return peers


class Result:
    """The points of a row: {MPI: [points of each launch]}."""

    def __init__(self):
        self.launches = {}

    def add(self, points):
        self.launches.setdefault(points[0]["mpi"], []).append(points)

    def mpis(self):
        return list(self.launches)

    def medians(self, mpi, value):
        """{bytes: median over the launches}"""
        found = {}
        for points in self.launches[mpi]:
            for point in points:
                found.setdefault(point["bytes"], []).append(value(point))
        return {size: statistics.median(values)
                for size, values in found.items()}

    def against_better(self, value, mpis=None):
        """The same, against that of some MPIs which is the better at a size."""
        found = {}
        for mpi in mpis or self.launches:
            for size, ratio in self.medians(mpi, value).items():
                found[size] = min(ratio, found.get(size, math.inf))
        return found

    def only(self, operation):
        result = Result()
        for launches in self.launches.values():
            for points in launches:
                result.add([p for p in points if p["operation"] == operation])
        return result


def measure(bench, row, arguments, ranks=RANKS, tuned=False):
    """Launch all peers by turns, every second round in the reverse order."""
    result = Result()
    for number in range(LAUNCHES):
        peers = peers_of(tuned)
        for peer in peers if number % 2 == 0 else reversed(peers):
            points = launch(peer, ranks, arguments + [
                f"--max-bytes={MAX_BYTES}"])
            result.add(points)
            for point in points:
                bench.keep(row, number, point)
            ratios = [against_mpi(point) for point in points]
            show(f"  {row} {number + 1}/{LAUNCHES} {points[0]['mpi']}: "
                 f"{mean(ratios):.2f}, least {min(ratios):.2f}; ranks copy "
                 f"{points[0]['copy_bytes_per_s'] / 1e9:.1f} and read "
                 f"{points[0]['pull_bytes_per_s'] / 1e9:.1f} GB/s")
    return result


# ---- judging ----

def against_mpi(point):
    return point["mpi_us"] / point["ours_us"]


def against_blocking(point):
    return point["blocking_us"] / point["ours_us"]


def against_bound(point):
    return point["bound_us"] / point["ours_us"]


def mean(values):
    """Geometric."""
    return math.exp(statistics.mean(math.log(value) for value in values))


class At(Spread):
    """The worst of several sizes, and which it is."""

    def __init__(self, medians, worst=min):
        self.size = worst(medians, key=medians.get)
        super().__init__([medians[self.size]])

    def __str__(self):
        return f"{super().__str__()}x at {size_text(self.size)}"


def size_text(size):
    for factor, unit in ((MIB, "MiB"), (KIB, "KiB")):
        if size >= factor and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} B"


def judge_sizes(table, what, medians, targets):
    """The least ratio of each range of sizes that was measured."""
    for least, most, wanted, name in targets:
        inside = {size: ratio for size, ratio in medians.items()
                  if least <= size <= most}
        if inside:
            table.at_least(f"{what}, {name}", wanted, At(inside), "")


def judge_mean(table, what, medians, wanted):
    table.at_least(f"{what}, geometric mean", wanted,
                   Spread([mean(medians.values())]))


def tell_peers(table, what, result):
    """Where there are several: each by itself, tuned algorithms together."""
    families = {}
    for mpi in result.mpis():
        name, tuned, _ = mpi.partition(TUNED)
        families.setdefault(name + (", best tuned" if tuned else ""),
                            []).append(mpi)
    for name, mpis in families.items() if len(families) > 1 else ():
        medians = result.against_better(against_mpi, mpis)
        table.tell(f"{what}, {name}: geometric mean",
                   Spread([mean(medians.values())]), "x")
        table.tell(f"{what}, {name}: least", At(medians))


def judge_bound(table, what, result, wanted):
    medians = {}
    for mpi in result.mpis():
        try:
            found = result.medians(mpi, against_bound)
        except KeyError:  # one rank
            continue
        for size, share in found.items():
            if size >= MIB:
                medians[size] = min(share, medians.get(size, math.inf))
    if medians:
        table.at_least(f"{what}, of the bound from 1 MiB on", wanted,
                       At(medians), "")


# ---- rows ----

def private(bench):
    """All-reduce, buffers of the ranks' own."""
    result = measure(bench, "private", ["coll", "allreduce"], tuned=True)
    medians = result.against_better(against_mpi)
    judge_sizes(bench.table, "all-reduce", medians, ALLREDUCE)
    judge_mean(bench.table, "all-reduce", medians, 2.0)
    judge_bound(bench.table, "all-reduce", result, 0.5)
    tell_peers(bench.table, "all-reduce", result)


def shared(bench):
    """All-reduce, ours in buffers of rpt_buffer_alloc."""
    result = measure(bench, "shared", ["coll", "allreduce",
                                       "--buffers=shared"], tuned=True)
    medians = result.against_better(against_mpi)
    judge_mean(bench.table, "all-reduce, shared buffers", medians, 2.5)
    judge_bound(bench.table, "all-reduce, shared buffers", result, 0.8)
    tell_peers(bench.table, "all-reduce, shared buffers", result)


def plan(bench):
    """Start and wait of a plan, against persistent calls and our plain ones."""
    result = measure(bench, "plan", ["plan"])
    for mpi in result.mpis():
        judge_sizes(bench.table, f"plan against {mpi}",
                    result.medians(mpi, against_mpi), target_of(PLAN, mpi))
        bench.table.at_least(f"plan against our blocking call, over {mpi}", 1.0,
                             At(result.medians(mpi, against_blocking)), "")


def target_of(targets, mpi):
    """MPIs of other families are held to what Open MPI is."""
    for family, target in targets.items():
        if mpi.startswith(family):
            return target
    return targets["Open MPI"]


def first(bench):
    """The first all-reduce on a new group, against a new communicator."""
    result = measure(bench, "first", ["group"])
    for mpi in result.mpis():
        medians = result.medians(mpi, lambda point: 1 / against_mpi(point))
        bench.table.at_most(f"first call: time against {mpi}", 2.0,
                            At(medians, max), "")


def others(bench):
    """Every other operation."""
    names = (os.environ.get("BENCH_OPERATIONS") or "").split() or list(OTHERS)
    result = measure(bench, "others", ["coll"] + names)
    for name in names:
        medians = result.only(name).against_better(against_mpi)
        bench.table.at_least(f"{name}, least", 1.0, At(medians), "")
        judge_mean(bench.table, name, medians, 1.5)
        tell_peers(bench.table, name, result.only(name))


def four(bench):
    """All-reduce on 4 ranks (made for 2 cores)."""
    result = measure(bench, "four", ["coll", "allreduce"], ranks=4)
    for mpi in result.mpis():
        bench.table.at_least(f"all-reduce, 4 ranks, against {mpi}",
                             target_of(FOUR, mpi),
                             At(result.medians(mpi, against_mpi)), "")


def gloo(bench):
    """All-reduce of torch.distributed, by turns with launches of ours."""
    python = python_with(PEERS, "torch")
    script = os.path.join(SRC, "benchmarks", "peers", "gloo_allreduce.py")
    ratios = {}
    for number in range(LAUNCHES):
        times = {}
        for who in ("gloo", "ours") if number % 2 == 0 else ("ours", "gloo"):
            if who == "gloo":
                times[who] = gloo_points(python, script)
            else:
                times[who] = launch(peers_of(False)[0], RANKS, [
                    "coll", "allreduce", f"--max-bytes={MAX_BYTES}"])
            for point in times[who]:
                bench.keep("gloo", number, point, who)
        theirs = {point["bytes"]: point["gloo_us"] for point in times["gloo"]}
        for point in times["ours"]:
            ratios.setdefault(point["bytes"], []).append(
                theirs[point["bytes"]] / point["ours_us"])
        show(f"  gloo {number + 1}/{LAUNCHES}: "
             f"{mean([values[-1] for values in ratios.values()]):.1f}")
    judge_sizes(bench.table, "all-reduce against Gloo", {
        size: statistics.median(values) for size, values in ratios.items()
    }, GLOO)


def gloo_points(python, script):
    try:
        _, text = run([python, "-B", script, str(RANKS), str(MAX_BYTES)],
                      output="stdout")
    except Failed as error:
        raise NotMeasured(f"Gloo: {error}") from error
    return [json.loads(line) for line in text.splitlines()
            if line.startswith("{")]


ROWS = (private, shared, plan, first, others, four, gloo)


# ---- the run ----

class Bench:
    """What the rows share."""

    def __init__(self, points):
        self.points = points
        self.table = Table(("what", "wanted", "seen", "verdict"))

    def keep(self, row, number, point, who="ours"):
        values = {key: value for key, value in point.items() if key != "row"}
        self.points.add(row, who, number, values)


def main():
    known = {row.__name__: row for row in ROWS}
    names = (os.environ.get("BENCH_ROWS") or "").split() or list(known)
    for name in names:
        if name not in known:
            sys.exit(f"benchmarks/coll.py: no row {name}; there are "
                     f"{' '.join(known)}")
    os.makedirs(os.path.join(BUILD, "bench"), exist_ok=True)
    path = os.path.join(BUILD, "bench", "coll.jsonl")
    common = dict(machine(SRC), bench="coll", launches=LAUNCHES)
    show(f"bench-coll: commit {common['commit']}, {common['host']}, "
         f"{common['cores']} cores of {common['processor']}, {RANKS} ranks, "
         f"{LAUNCHES} launches, f32")
    bench = Bench(Points(path, common))
    failed = 0
    for name in names:
        show(f"{name}: {known[name].__doc__}")
        try:
            known[name](bench)
        except NotMeasured as error:
            bench.table.missing(name, "", str(error))
        except Failed as error:
            failed += 1
            bench.table.missing(name, "", str(error))
    show("\n" + bench.table.text())
    show(f"\n{bench.table.count('met')} met, "
         f"{bench.table.count('not met')} not met, "
         f"{bench.table.count('not measured')} not measured; "
         f"every point is in {path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
