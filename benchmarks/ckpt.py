#!/usr/bin/env python3
"""Measure checkpoints against what they are compared with; see README.md here.

  benchmarks/ckpt.py        (as `make bench-ckpt` does, with SRC, BUILD and
                             MPIRUN in the environment)

  BENCH_ROWS="save naive"   some rows only: save naive restore rows peers
                            daly kills
  BENCH_LAUNCHES=5          of each
  BENCH_ROUNDS=21           in each
  BENCH_DIR=DIR             on the disk that is measured (the build tree)
  PEER_FTI, PEER_VELOC      where these are installed: row `peers`
  BENCH_DALY_S=40           seconds of a run of row `daly`,
  BENCH_DALY_ROUNDS=5       and how often each
  BENCH_KILLS=30            runs of row `kills`,
  BENCH_KILL_MEAN_S=20      and the mean time until the kill; SEED draws others

Everything is written by turns; a time is that of the slowest rank, a launch
gives medians, the table those of launches.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ckpt_life import daly, kills  # noqa: E402
from ckpt_peers import peers  # noqa: E402
from ckpt_run import (BUILD, LAUNCHES, MB, ROUNDS, SRC, a_folder,  # noqa: E402
                      launch, ratios, values)
from measure import (Failed, Points, Spread, Table, machine,  # noqa: E402
                     show)


class Bench:
    """What the rows share."""

    def __init__(self):
        os.makedirs(os.path.join(BUILD, "bench"), exist_ok=True)
        self.points = Points(os.path.join(BUILD, "bench", "ckpt.jsonl"),
                             machine(SRC))
        self.table = Table()

    def say(self, text):
        show(text)

    def launches(self, row, n_ranks, measure):
        """The results of all launches, each a dictionary of medians."""
        results = []
        for number in range(LAUNCHES):
            with a_folder() as folder:
                found = measure(folder)
            results.append(found)
            self.points.add(row, f"{n_ranks} ranks", number, found)
            show(f"  {row}, {n_ranks} ranks, {number + 1}/{LAUNCHES}: " +
                 ", ".join(f"{key[:-2]} {value * 1000:.2f} ms"
                           for key, value in found.items()
                           if key.endswith("_s")))
        return results


def save(bench):
    """10 MB, against a copy and plain writes."""
    for n in (2, 4):
        got = bench.launches("10 MB", n, lambda folder, n=n: launch(
            n, "ckpt", folder, 10 * MB, 1, ROUNDS))
        at, table = f"{n} ranks, 10 MB: ", bench.table
        table.at_most(at + "asynchronous call - 1 ms, to a copy", 2,
                      Spread([(r["async_call_s"] - 0.001) / r["copy_s"]
                              for r in got]))
        table.at_most(at + "durable save", 100,
                      Spread([r["save_s"] * 1000 for r in got]), " ms")
        for key, what in (("save_s", "save"),
                          ("async_total_s", "asynchronous save")):
            table.at_most(at + what + ", to plain pwrite and fsync", 1.5,
                          ratios(values(got, key), values(got, "plain_s")))
        table.at_most(at + "checksums, to the save", 0.05,
                      ratios(values(got, "hash_s"), values(got, "save_s")),
                      "")
        table.tell(at + "save without syncs",
                   Spread([r["unsynced_s"] * 1000 for r in got]), " ms")
        table.tell(at + "restore",
                   Spread([r["restore_s"] * 1000 for r in got]), " ms")


def naive(bench):
    """100 datasets, against a plain HDF5 writer."""
    for n in (2, 4):
        got = bench.launches("100 datasets", n, lambda folder, n=n: launch(
            n, "ckpt", folder, 10 * MB, 100, ROUNDS, "naive"))
        at = f"{n} ranks, 100 datasets: a plain HDF5 writer, "
        bench.table.at_least(at + "both synced", 3,
                             ratios(values(got, "naive_s"),
                                    values(got, "save_s")))
        bench.table.at_least(at + "none synced", 3,
                             ratios(values(got, "naive_unsynced_s"),
                                    values(got, "unsynced_s")))


def restore(bench):
    """64 MB saved by M ranks, restored by N; against N and N."""
    options = {"RPT_IO_CHECKPOINT_TRIES": 0}

    def measure(folder, m, n):
        for ranks in (m, n):
            launch(ranks, "ckpt_restore", folder, 64 * MB,
                   f"by{ranks}")
        return launch(n, "ckpt_restore", folder, 64 * MB, f"by{m}", f"by{n}",
                      max(3, ROUNDS // 3), **options)

    for m, n in ((2, 4), (4, 2), (3, 2), (1, 2)):
        got = bench.launches(f"restore {m} -> {n}", n,
                             lambda folder, m=m, n=n: measure(folder, m, n))
        for where in ("memory", "disk"):
            bench.table.at_most(
                f"restore from {where}, {m} -> {n}, to {n} -> {n}", 1.5,
                ratios(values(got, f"a_{where}_s"),
                       values(got, f"b_{where}_s")))


def rows(bench):
    """Short rows: gathered, one by one, or a block a rank (virtual dataset)."""
    for n in (2, 4):
        for row_bytes in (128, 4096):
            got = bench.launches(f"rows of {row_bytes} B", n,
                                 lambda folder, n=n, row_bytes=row_bytes:
                                 launch(n, "ckpt_rows", folder, 16 * MB,
                                        row_bytes, max(3, ROUNDS // 3)))
            at = f"{n} ranks, 16 MB, rows of {row_bytes} B: "
            for way in ("rows", "blocks"):
                for what in ("save", "unsynced", "restore"):
                    bench.table.tell(
                        f"{at}{way}, {what}, to gathered",
                        ratios(values(got, f"{way}_{what}_s"),
                               values(got, f"gathered_{what}_s")), "")
            for what in ("read", "part"):
                bench.table.tell(
                    f"{at}HDF5 reads a virtual dataset ({what}), to a plain "
                    "one", ratios(values(got, f"virtual_{what}_s"),
                                  values(got, f"plain_{what}_s")), "")


ROWS = (save, naive, restore, rows, peers, daly, kills)


def main():
    known = {row.__name__: row for row in ROWS}
    names = (os.environ.get("BENCH_ROWS") or " ".join(known)).split()
    for name in names:
        if name not in known:
            sys.exit(f"ckpt.py: no row {name}; there are {' '.join(known)}")
    bench, failed = Bench(), 0
    load = os.getloadavg()[0]
    if load > 0.5:
        show(f"bench-ckpt: the machine is not quiet (load {load:.1f}): "
             "trust ratios only, and those little")
    for name in names:
        show(f"{name}: {known[name].__doc__}")
        try:
            known[name](bench)
        except Failed as error:
            failed += 1
            bench.table.missing(name, "", str(error))
    show("\n" + bench.table.text())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
