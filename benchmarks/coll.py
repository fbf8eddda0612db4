#!/usr/bin/env python3
"""Several launches of benchmarks/coll, and a table of ratios.

The program compares ours with the MPI of its build inside one process. With
PEER_BUILD=DIR, the build tree of another MPI (its mpirun in PEER_MPIRUN), the
launches of both go by turns, and each row shows both. A ratio is MPI time
divided by ours; a point is the median over the launches.
"""
import json
import math
import os
import statistics
import subprocess
import sys

# What is asked of each operation: geometric mean, least.
TARGETS = {"allreduce": (2.0, 1.0)}
OTHERS = (1.5, 1.0)


def launch(build, mpirun, path, operations, number):
    """mpirun: the words in front of the program."""
    env = dict(os.environ, BENCH_JSON=path, BENCH_LAUNCH=str(number),
               BENCH_MPI=os.path.basename(build))
    command = mpirun + [os.path.join(build, "benchmarks/coll")] + operations
    out = subprocess.run(command, env=env, stdout=subprocess.PIPE,
                         universal_newlines=True)
    if out.returncode != 0:
        sys.exit("%s failed" % " ".join(command))
    print("launch %d, %s: %s" % (number, os.path.basename(build),
                                 out.stdout.splitlines()[0]), flush=True)


def points_of(path):
    """{library: {operation: {bytes: [ratio of each launch]}}}"""
    found = {}
    with open(path) as lines:
        for line in lines:
            p = json.loads(line)
            of = found.setdefault(p["library"], {})
            of = of.setdefault(p["operation"], {})
            of.setdefault(p["bytes"], []).append(p["mpi_us"] / p["ours_us"])
    return found


def table(path, ranks):
    print("\n%d ranks   %-16s %-12s %9s %7s %14s   %s" % (
        ranks, "operation", "against", "geometric", "least", "at bytes",
        "wanted"))
    for library, operations in sorted(points_of(path).items()):
        for name, sizes in operations.items():
            medians = {b: statistics.median(r) for b, r in sizes.items()}
            mean = math.exp(statistics.mean(math.log(m)
                                            for m in medians.values()))
            at = min(medians, key=medians.get)
            wanted = TARGETS.get(name, OTHERS)
            met = mean >= wanted[0] and medians[at] >= wanted[1]
            print("          %-16s %-12s %9.2f %7.2f %14d   %.1f, %.1f %s" % (
                name, library, mean, medians[at], at, wanted[0], wanted[1],
                "met" if met else "NOT MET"))


def main():
    build = os.environ["BUILD"]
    ranks = int(os.environ.get("BENCH_RANKS", "2"))
    launches = int(os.environ.get("BENCH_LAUNCHES", "5"))
    builds = [(build, os.environ.get("MPIRUN", "mpirun"))]
    if os.environ.get("PEER_BUILD"):
        builds.append((os.environ["PEER_BUILD"],
                       os.environ.get("PEER_MPIRUN", "mpirun")))
    os.makedirs(os.path.join(build, "bench"), exist_ok=True)
    path = os.path.join(build, "bench/coll.jsonl")
    fresh = path + ".new"
    if os.path.exists(fresh):
        os.remove(fresh)
    for number in range(1, launches + 1):
        for where, mpirun in builds:
            launch(where, [mpirun, "-n", str(ranks)], fresh, sys.argv[1:],
                   number)
    table(fresh, ranks)
    with open(fresh) as new, open(path, "a") as old:
        old.write(new.read())
    os.remove(fresh)


if __name__ == "__main__":
    main()
