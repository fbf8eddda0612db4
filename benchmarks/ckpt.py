#!/usr/bin/env python3
"""Measure checkpoints against what they are compared with; see README.md here.

  benchmarks/ckpt.py        (as `make bench-ckpt` does, with SRC, BUILD and
                             MPIRUN in the environment)

  BENCH_ROWS="call save"    some rows only: call save naive hash restore
  BENCH_LAUNCHES=5          of each
  BENCH_ROUNDS=21           in each
  BENCH_DIR=DIR             on the disk that is measured; default: the build tree

Everything is written by turns in one process (benchmarks/ckpt.c); a time is
that of the slowest rank, a launch gives medians, the table those of launches.
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from measure import (Failed, Points, Spread, Table,  # noqa: E402
                     last_object, machine, run, show)

SRC = os.environ.get("SRC") or os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD") or os.getcwd()
MPIRUN = (os.environ.get("MPIRUN") or "mpirun").split()
LAUNCHES = int(os.environ.get("BENCH_LAUNCHES") or 5)
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 21)
ROWS = (os.environ.get("BENCH_ROWS") or
        "call save naive hash restore").split()
MB = 1000 * 1000


def environment():
    """The programs of the build tree find its libraries."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("RPT_")}
    libs = os.path.join(BUILD, ".libs")
    env["LD_LIBRARY_PATH"] = os.pathsep.join(
        filter(None, [libs, env.get("LD_LIBRARY_PATH")]))
    env["RPT_IO_HDF5_LIBRARY"] = os.path.join(libs, "librepartir-hdf5.so")
    return env


def launches(points, row, ranks, size, arrays, with_naive):
    """The results of all launches, each a dictionary of medians."""
    program = os.path.join(BUILD, "benchmarks", "ckpt")
    results = []
    for number in range(LAUNCHES):
        with tempfile.TemporaryDirectory(
                dir=os.environ.get("BENCH_DIR") or BUILD) as folder:
            command = MPIRUN + ["-n", str(ranks), program, folder, str(size),
                                str(arrays), str(ROUNDS)]
            _, output = run(command + (["naive"] if with_naive else []),
                            env=environment(), output="stdout")
        values = last_object(output)
        results.append(values)
        points.add(row, f"{ranks} ranks", number, values)
        show(f"  {row}, {ranks} ranks, {number + 1}/{LAUNCHES}: " + ", ".join(
            f"{key[:-2]} {value * 1000:.2f} ms"
            for key, value in values.items() if key.endswith("_s")))
    return results


def main():
    os.makedirs(os.path.join(BUILD, "bench"), exist_ok=True)
    points = Points(os.path.join(BUILD, "bench", "ckpt.jsonl"), machine(SRC))
    table = Table()
    for ranks in (2, 4):
        got = launches(points, "10 MB", ranks, 10 * MB, 1, False)
        if "call" in ROWS:
            table.at_most(
                f"{ranks} ranks, 10 MB: asynchronous call - 1 ms, to a copy", 2,
                Spread([(r["async_call_s"] - 0.001) / r["copy_s"]
                        for r in got]))
        if "save" in ROWS:
            table.at_most(f"{ranks} ranks, 10 MB: durable save", 100,
                          Spread([r["save_s"] * 1000 for r in got]), " ms")
            table.at_most(
                f"{ranks} ranks, 10 MB: save, to plain pwrite and fsync", 1.5,
                Spread([r["save_s"] / r["plain_s"] for r in got]))
        if "hash" in ROWS:
            table.at_most(f"{ranks} ranks, 10 MB: checksums, to the save", 0.05,
                          Spread([r["hash_s"] / r["save_s"] for r in got]), "")
        if "restore" in ROWS:
            table.tell(f"{ranks} ranks, 10 MB: restore",
                       Spread([r["restore_s"] * 1000 for r in got]), " ms")
    if "naive" in ROWS:
        for ranks in (2, 4):
            got = launches(points, "100 datasets", ranks, 10 * MB, 100, True)
            table.at_least(
                f"{ranks} ranks, 100 datasets: to a plain HDF5 writer", 3,
                Spread([r["naive_s"] / r["save_s"] for r in got]))
    show("\n" + table.text())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as error:
        sys.exit(f"ckpt.py: {error}")
