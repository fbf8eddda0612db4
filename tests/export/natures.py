"""How values of several natures are encoded, and how small they become.

Used by read.py; the formulas are those of encodings.c, said once more.
"""
import glob
import os
import tempfile

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

N = 240000
GROUP_ROWS = 30000
ROOM = 128  # what a row group has besides: their number is not the same
SPLIT, DELTA = {"BYTE_STREAM_SPLIT"}, {"DELTA_BINARY_PACKED"}
DICTIONARY, PLAIN = {"PLAIN", "RLE_DICTIONARY"}, {"PLAIN"}


def mix(i):
    i = (i + np.uint64(1)) * np.uint64(0x9e3779b97f4a7c15)
    i = (i ^ i >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
    i = (i ^ i >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
    return i ^ i >> np.uint64(31)


def formulas():
    i = np.arange(N, dtype=np.uint64)
    few = 0.1 * (mix(i // np.uint64(16)) % np.uint64(16)).astype(np.float64)
    noise = (mix(i) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return {"constant": np.full(N, 1.5), "few": few,
            "smooth": np.sqrt(np.arange(N)), "noise": noise,
            "mixed": np.where(np.arange(N) < N // 2, few, noise),
            "sorted": np.arange(N) ** 2,
            "random": (mix(i) >> np.uint64(1)).astype(np.int64)}


def wanted(name, first, end):
    """Encodings of these rows; of one value, and of half and half, any."""
    if name == "mixed":
        name = "few" if end <= N // 2 else "noise" if first >= N // 2 else ""
    return {"few": [DICTIONARY], "smooth": [SPLIT], "noise": [SPLIT],
            "sorted": [DELTA], "random": [DELTA, PLAIN]}.get(
                name, [SPLIT, DICTIONARY, PLAIN])


def files_of(out, name):
    return sorted(glob.glob(os.path.join(out, name, "*.parquet")))


def groups_of(out, name):
    """First row, rows, the index and the values of each row group."""
    first = 0
    for path in files_of(out, name):
        meta = pq.ParquetFile(path).metadata
        for g in range(meta.num_row_groups):
            group = meta.row_group(g)
            yield first, group.num_rows, group.column(0), group.column(1)
            first += group.num_rows


def by_pyarrow(values, **settings):
    """Bytes of the values as pyarrow writes them."""
    with tempfile.NamedTemporaryFile() as file:
        pq.write_table(pa.table({"x": values}), file.name, compression="zstd",
                       compression_level=3, row_group_size=GROUP_ROWS,
                       **settings)
        meta = pq.ParquetFile(file.name).metadata
        return sum(meta.row_group(g).column(0).total_compressed_size
                   for g in range(meta.num_row_groups))


def sizes(values):
    other = SPLIT if values.dtype.kind == "f" else DELTA
    return {"other": by_pyarrow(values, use_dictionary=False,
                                column_encoding=min(other)),
            "dictionary": by_pyarrow(values),
            "plain": by_pyarrow(values, use_dictionary=False)}


def same_bits(out, name, values):
    table = pa.concat_tables(map(pq.read_table, files_of(out, name)))
    found = table.column(name).to_numpy()
    assert found.tobytes() == values.tobytes(), name
    try:
        import duckdb
    except ImportError:
        return
    found = duckdb.sql(f"select i0, \"{name}\" as x from "
                       f"'{out}/{name}/*.parquet' order by i0").fetchnumpy()
    assert np.array_equal(found["i0"], np.arange(N)), name
    assert np.asarray(found["x"]).tobytes() == values.tobytes(), name


def natures(out):
    for name, values in formulas().items():
        same_bits(out, name, values)
        ours = n_groups = 0
        for first, n, index, column in groups_of(out, name):
            used = set(column.encodings) - {"RLE"}
            assert used in wanted(name, first, first + n), (name, first, used)
            assert set(index.encodings) - {"RLE"} == DELTA, index.encodings
            ours += column.total_compressed_size
            n_groups += 1
        theirs = sizes(values)
        assert ours <= 1.02 * min(theirs.values()) + ROOM * n_groups, \
            (name, ours, theirs)
        if name == "few":
            assert ours * 3 < theirs["other"], (name, ours, theirs)
        if name == "mixed":  # no single way is as good
            assert ours < min(theirs.values()), (ours, theirs)


def rounded(out, keep):
    """The bits that stay are judged, not those of before."""
    table = pa.concat_tables(map(pq.read_table, files_of(out, "noise")))
    found, noise = table.column("noise").to_numpy(), formulas()["noise"]
    assert np.all(np.abs(found - noise) <= noise * 2.0**-(keep + 1))
    ours = [column.total_compressed_size
            for _, _, _, column in groups_of(out, "noise")]
    assert sum(ours) <= 1.02 * min(sizes(found).values()) + ROOM * len(ours), \
        (ours, sizes(found))
