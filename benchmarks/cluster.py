#!/usr/bin/env python3
"""All-reduce over four hosts at 1 Gbit/s, against the MPI.

The hosts are namespaces of this machine (tests/cluster/hosts).  In each launch
`repartir bench` calls ours and the MPI's by turns, and MPI_Sendrecv round a
ring beside the large ones.  With N hosts and D bytes, 2 (N-1)/N D bytes must leave
each of them: divided by the rate of that ring this is the bound.  A ratio is
MPI time divided by ours; a point is the median over the launches.
"""
import json
import math
import os
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from coll import MAX_BYTES, Peer, launch  # noqa: E402
from measure import show  # noqa: E402

LARGE = 64 << 20
# Ranks of the hosts; what is asked: least ratio up to 16 MiB, geometric mean of
# these, ratio at 64 MiB, share of the bound at 64 MiB; None: nothing.
ROWS = (("1,1,1,1", 1.0, 1.2, 1.45, 0.97),
        ("2,2,2,2", None, 1.5, 1.5, None))


def median(points, value):
    return statistics.median(value(point) for point in points)


def ratio(point):
    return point["mpi_us"] / point["ours_us"]


def share(point):
    """Of the bound; 0 where no ring was measured."""
    return point.get("bound_us", 0) / point["ours_us"]


def ring(point):
    return point.get("ring_bytes_per_s", 0) / 1e6


def verdict(what, value, wanted):
    met = "" if wanted is None else \
        f"   wanted {wanted:.2f}: {'met' if value >= wanted else 'NOT MET'}"
    print(f"  {what:36} {value:8.2f}{met}")


def table(hosts, points, least, mean, large, bound):
    print(f"\nall-reduce f32, ranks of the hosts: {hosts}")
    print(f"  {'bytes':>10} {'MPI us':>12} {'ours us':>12} {'ratio':>8} "
          f"{'of the bound':>13} {'ring MB/s':>10}")
    for size, found in sorted(points.items()):
        print(f"  {size:10} {median(found, lambda p: p['mpi_us']):12.1f} "
              f"{median(found, lambda p: p['ours_us']):12.1f} "
              f"{median(found, ratio):8.2f} "
              f"{median(found, share):13.2f} "
              f"{median(found, ring):10.1f}")
    small = {size: median(found, ratio) for size, found in points.items()
             if size < LARGE // 2}
    if small:
        at = min(small, key=small.get)
        verdict(f"least up to 16 MiB (at {at} B)", small[at], least)
        verdict("geometric mean up to 16 MiB", math.exp(statistics.mean(
            math.log(value) for value in small.values())), mean)
    if LARGE in points:
        verdict("at 64 MiB", median(points[LARGE], ratio), large)
        verdict("of the bound at 64 MiB", median(points[LARGE], share), bound)


def main():
    build, top = os.environ["BUILD"], os.environ["SRC"]
    maker = os.path.join(top, "tests", "cluster", "hosts")
    can = subprocess.run([maker, "1,1", "true"], stdout=subprocess.PIPE,
                         check=False)
    if can.returncode != 0:
        sys.stdout.write(can.stdout.decode())
        sys.exit(can.returncode)
    os.makedirs(os.path.join(build, "bench"), exist_ok=True)
    path = os.path.join(build, "bench", "cluster.jsonl")
    launches = int(os.environ.get("BENCH_LAUNCHES") or 3)
    for row in ROWS:
        peer = Peer(build, [maker, row[0], os.environ.get("MPIRUN", "mpirun")])
        points = {}  # {bytes: [point of each launch]}
        for number in range(launches):
            for point in launch(peer, None, ["coll", "allreduce",
                                             f"--max-bytes={MAX_BYTES}"]):
                points.setdefault(point["bytes"], []).append(point)
            show(f"ranks {row[0]}: launch {number + 1} of {launches}")
        table(row[0], points, *row[1:])
        with open(path, "a", encoding="utf-8") as file:
            for found in points.values():
                for point in found:
                    file.write(json.dumps(dict(point, hosts=row[0])) + "\n")


main()
