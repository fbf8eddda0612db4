#!/usr/bin/env python3
"""Compare Parquet of checkpoints with pyarrow's; see README.md here.

  benchmarks/export.py      (as `make bench-export` does, with BUILD and PYTHON
                             in the environment)

  BENCH_ROUNDS=3            rounds; ratios are of one round
  BENCH_SIDE=2048           arrays of SIDE x SIDE doubles
  BENCH_THREADS=1           of ours; pyarrow writes a table in one

Each table that `export ... keep` has made is written again by pyarrow, with
zstd of the same level, row groups of the same length, checksums of pages and
entries as ours has, in each way of `ways()`, with its own pages (of 1 MiB, or
20000 rows) and with pages that only 1 MiB ends; its best is the smallest of
these files.  In that way it then does the same as ours: from the file of the
checkpoint (h5py) over the indices and the rounding (numpy) to a file that is
synced; what it does not do is verify the checkpoint's checksums.  Times are the best of three, as ours are.
"""
import glob
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from measure import (Failed, NotMeasured, Points, Spread,  # noqa: E402
                     Table, machine, run, show)

SRC = os.environ.get("SRC") or os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD") or os.getcwd()
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 3)
SIDE = os.environ.get("BENCH_SIDE") or "2048"
THREADS = os.environ.get("BENCH_THREADS") or "1"
LIMIT_S = 1800
TRIES = 3


def program():
    real = os.path.join(BUILD, "benchmarks", ".libs", "export")
    return real if os.path.exists(real) else os.path.join(
        BUILD, "benchmarks", "export")


def ours(folder):
    """Our points; their tables are in the folder."""
    libs = os.path.join(BUILD, ".libs")
    env = dict(os.environ)
    env["LD_LIBRARY_PATH"] = os.pathsep.join(
        filter(None, [libs, env.get("LD_LIBRARY_PATH")]))
    for name in ("hdf5", "parquet"):
        env[f"RPT_IO_{name.upper()}_LIBRARY"] = os.path.join(
            libs, f"librepartir-{name}.so")
    _, text = run([program(), folder, SIDE, THREADS, "keep"], env, "stdout",
                  limit=LIMIT_S)
    return [json.loads(line) for line in text.splitlines()
            if line.startswith("{")]


def ways(names):
    """pyarrow's settings: of the indices, of the values (the last column)."""
    split, delta = "BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED"
    indices = {"dictionary": [None, None], "delta": [delta, delta],
               "dictionary and delta": [None, delta]}
    for value, how in (("dictionary", None), ("split", split),
                       ("plain", "PLAIN")):
        for index, hows in indices.items():
            encodings = dict(zip(names, hows[:len(names) - 1] + [how]))
            yield (f"{index}; {value}" if len(names) > 1 else value), {
                "use_dictionary": [name for name, how in encodings.items()
                                   if how is None] or False,
                "column_encoding": {name: how for name, how in
                                    encodings.items() if how} or None}
            if len(names) == 1:
                break


class Peer:
    """h5py, numpy and pyarrow."""

    def __init__(self):
        try:
            import h5py
            import numpy
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise NotMeasured(f"{error}: PYTHON=... names one that has h5py, "
                              "numpy and pyarrow") from error
        self.h5py, self.numpy = h5py, numpy
        self.pyarrow, self.parquet = pyarrow, parquet
        self.limits_rows = "max_rows_per_page" in inspect.signature(
            parquet.write_table).parameters
        pyarrow.set_cpu_count(1)

    def table(self, point, schema):
        """The rows of a point, from the file of its checkpoint."""
        numpy = self.numpy
        state = glob.glob(os.path.join(os.path.dirname(point["output"]),
                                       point["nature"], "it-*", "state.h5"))[0]
        with self.h5py.File(state) as file:
            field = file["u"][...]
        if point["keepbits"]:
            bits, drop = field.view(numpy.uint64), 52 - point["keepbits"]
            even = (bits >> numpy.uint64(drop)) & numpy.uint64(1)
            bits += even + numpy.uint64(2 ** (drop - 1) - 1)
            bits &= numpy.uint64(2 ** 64 - 2 ** drop)
        rows, columns = field.shape
        arrays = [field.reshape(-1)]
        if point["index"]:
            arrays = [numpy.repeat(numpy.arange(rows, dtype="int32"), columns),
                      numpy.tile(numpy.arange(columns, dtype="int32"),
                                 rows)] + arrays
        return self.pyarrow.Table.from_arrays(
            [self.pyarrow.array(array) for array in arrays], schema=schema)

    def write(self, table, path, settings):
        with open(path, "wb") as file:
            self.parquet.write_table(table, file, compression="zstd",
                                     write_page_checksum=True, **settings)
            file.flush()
            os.fsync(file.fileno())
        return os.path.getsize(path)

    def best(self, point, folder):
        """pyarrow's best for the table of a point."""
        files = sorted(glob.glob(os.path.join(point["output"], "**",
                                              "*.parquet"), recursive=True))
        ours = self.pyarrow.concat_tables(map(self.parquet.read_table, files))
        table = self.table(point, ours.schema)
        if not table.equals(ours):
            raise Failed(f"{name_of(point)}: pyarrow's table is another")
        group = self.parquet.ParquetFile(files[0]).metadata.row_group(0)
        path = os.path.join(folder, "pyarrow.parquet")
        tried = []
        for name, settings in ways(table.column_names):
            settings.update(compression_level=point["level"],
                            row_group_size=group.num_rows)
            tried.append((self.write(table, path, settings), name, settings))
            if self.limits_rows:
                settings = dict(settings, max_rows_per_page=group.num_rows)
                tried.append((self.write(table, path, settings),
                              name + "; long pages", settings))
        size, name, settings = min(tried, key=lambda one: one[0])
        whole_s = best_of(lambda: self.write(
            self.table(point, ours.schema), path, settings))
        write_s = best_of(lambda: self.write(table, path, settings))
        os.unlink(path)
        return {"way": name, "bytes": size,
                "rows_per_s": table.num_rows / whole_s,
                "write_rows_per_s": table.num_rows / write_s}


def best_of(work):
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def name_of(point):
    return point["nature"] + (f", keepbits {point['keepbits']}"
                              if point["keepbits"] else "") + \
        ("" if point["index"] else ", no indices")


def judge(table, results):
    for name, pairs in results.items():
        way = pairs[0][1]["way"]
        table.at_most(f"{name}: bytes, to pyarrow ({way})", 1.02,
                      Spread([mine["file_bytes"] / best["bytes"]
                              for mine, best in pairs]))
        table.at_least(f"{name}: rows a second, to h5py and pyarrow", 0.8,
                       Spread([mine["rows_per_s"] / best["rows_per_s"]
                               for mine, best in pairs]))
        table.tell(f"{name}: to pyarrow's writing alone, from memory",
                   Spread([mine["rows_per_s"] / best["write_rows_per_s"]
                           for mine, best in pairs]), "x")
        table.tell(f"{name}: bytes of the values, to those of the file",
                   Spread([mine["ratio"] for mine, _ in pairs]), "x")


def main():
    peer = Peer()
    bench = os.path.join(BUILD, "bench")
    os.makedirs(bench, exist_ok=True)
    points = Points(os.path.join(bench, "export.jsonl"),
                    dict(machine(SRC), pyarrow=peer.pyarrow.__version__))
    results = {}
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=bench) as folder:
            for mine in ours(folder):
                best = peer.best(mine, folder)
                del mine["output"]
                points.add("export", name_of(mine), number,
                           dict(mine, pyarrow=best))
                show(f"  {number + 1}/{ROUNDS} {name_of(mine)}: "
                     f"{mine['file_bytes']} B, {mine['rows_per_s']:.3g} "
                     f"rows/s; pyarrow ({best['way']}) {best['bytes']} B, "
                     f"{best['rows_per_s']:.3g} rows/s")
                results.setdefault(name_of(mine), []).append((mine, best))
    table = Table()
    judge(table, results)
    show("\n" + table.text())


if __name__ == "__main__":
    try:
        main()
    except NotMeasured as error:
        print(f"export.py: not measured: {error}")
    except (Failed, subprocess.SubprocessError) as error:
        sys.exit(f"export.py: {error}")
