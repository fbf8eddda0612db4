#!/usr/bin/env python3
"""Read what an export has written, and compare it with formulas.

  read.py CHECK ARGUMENTS [+ CHECK ARGUMENTS]...

Exit code 0, 1, or 77: a reader is missing.

The formulas are those of tests/export/made.c, said once more.
"""
import glob
import os
import sys
import traceback

sys.dont_write_bytecode = True


def need(name):
    """A module, or the end of this check."""
    try:
        return __import__(name, fromlist=["x"])
    except ImportError as error:
        print(f"missing: {sys.executable} has no {name} ({error})")
        sys.exit(77)


np = need("numpy")
pq = need("pyarrow.parquet")
pa = need("pyarrow")

INTEGERS = {"i8": 7, "u8": 7, "i16": 4099, "u16": 4099, "i32": 2654435761,
            "u32": 2654435761, "i64": 0x9e3779b97f4a7c15,
            "u64": 0x9e3779b97f4a7c15}
DIMS = {1: (3001,), 2: (13, 64), 3: (8, 9, 10), 4: (1, 5, 3, 40),
        5: (2, 3, 2, 3, 2), 6: (3, 1, 2, 3, 2, 4), 7: (2, 1, 2, 1, 2, 3, 5),
        8: (2, 1, 3, 2, 2, 1, 2, 3)}


def column_of(type_, n):
    """Columns of an array of n elements: suffix and values."""
    i = np.arange(n)
    small = (i % 65536).astype(np.uint16)
    pair = {"_index": (i + 1).astype(np.int32)}
    if type_ in INTEGERS:
        bits = int(type_[1:])
        raw = [k * INTEGERS[type_] % 2**bits for k in range(n)]
        signed = type_[0] == "i"
        return {"": np.array([v - 2**bits if signed and v >= 2**(bits - 1)
                              else v for v in raw],
                             dtype=("int" if signed else "uint") + str(bits))}
    return {
        "f16": lambda: {"": small.view(np.float16).astype(np.float32)},
        "bf16": lambda: {"": (small.astype(np.uint32) << 16)
                         .view(np.float32)},
        "f32": lambda: {"": i.astype(np.float32) / np.float32(3)},
        "f64": lambda: {"": i / 3.0},
        "c64": lambda: {"_re": (i * 0.25).astype(np.float32),
                        "_im": (-i).astype(np.float32)},
        "c128": lambda: {"_re": i * 0.125, "_im": -i.astype(np.float64)},
        "f32-i32": lambda: {"_value": (i * 0.5).astype(np.float32), **pair},
        "f64-i32": lambda: {"_value": i * 0.5, **pair},
        "i16-i32": lambda: {"_value": (i % 1000).astype(np.int16), **pair},
        "i32-i32": lambda: {"_value": (-i).astype(np.int32), **pair},
        "i64-i32": lambda: {"_value": -i * 1000003, **pair},
        "opaque": lambda: {"": [bytes((k + b) % 256 for b in range(5))
                                for k in range(n)]},
    }[type_]()


def arrays():
    """Folder: name, type, extents, columns of values."""
    table = {}
    for type_ in [*INTEGERS, "f16", "bf16", "f32", "f64", "c64", "c128",
                  "f32-i32", "f64-i32", "i16-i32", "i32-i32", "i64-i32",
                  "opaque"]:
        name = "types/" + type_
        table[name.replace("/", ".")] = (
            name, "opaque5" if type_ == "opaque" else type_, (1003,),
            column_of(type_, 1003))
    for n, dims in DIMS.items():
        table[f"dims.{n}"] = (f"dims/{n}", "f64", dims,
                              column_of("f64", int(np.prod(dims))))
    table["i0"] = ("i0", "f64", DIMS[2], column_of("f64", 13 * 64))
    table["big"] = ("big", "f64", (401, 1511), column_of("f64", 401 * 1511))
    table["none"] = ("none", "f64", (0, 5), {"": np.zeros(0)})
    gaps = column_of("i16", 40 * 41)[""].reshape(40, 41).copy()
    gaps[:, :3] = gaps[:, 33:] = 0
    table["gaps"] = ("gaps", "i16", (40, 41), {"": gaps.reshape(-1)})
    table["values-2"] = ("values", "f64", (7,), column_of("f64", 7))
    return table


def index_columns(name, dims):
    """i0, i1, ...; an array of that name makes them i_0."""
    grid = np.indices(dims).reshape(len(dims), -1)
    return {("i_0" if name == "i0" and d == 0 else f"i{d}"):
            grid[d].astype(np.int32) for d in range(len(dims))}


def expected(entry, with_index=True):
    name, _, dims, values = entry
    table = index_columns(name, dims) if with_index else {}
    table.update({name + suffix: v for suffix, v in values.items()})
    return table


# Readers: all columns of a table, by name, in the order of its rows.

def files_of(folder):
    return sorted(glob.glob(os.path.join(folder, "*.parquet")))


def by_pyarrow(folder):
    table = pa.concat_tables([pq.read_table(
        path, page_checksum_verification=True) for path in files_of(folder)])
    assert pq.read_table(folder).num_rows == table.num_rows
    return {name: table.column(name).to_numpy()
            if pa.types.is_primitive(table.column(name).type)
            else table.column(name).to_pylist()
            for name in table.column_names}


def by_pandas(folder):
    frame = need("pandas").read_parquet(folder)
    return {name: frame[name].to_numpy() for name in frame}


def by_duckdb(folder):
    found = need("duckdb").sql(
        f"select * from read_parquet('{folder}/*.parquet')")
    rows = found.fetchall()
    return {name: [row[k] for row in rows]
            for k, name in enumerate(found.columns)}


def by_polars(folder):
    frame = need("polars").read_parquet(folder)
    return {name: frame[name].to_list() for name in frame.columns}


READERS = {"pyarrow": by_pyarrow, "pandas": by_pandas, "duckdb": by_duckdb,
           "polars": by_polars}


def same(found, wanted):
    if isinstance(wanted, np.ndarray):
        found = np.asarray(list(found), dtype=wanted.dtype)
        kwargs = {"equal_nan": True} if wanted.dtype.kind == "f" else {}
        return np.array_equal(found, wanted, **kwargs)
    return list(found) == list(wanted)


def compare(found, wanted, what):
    assert list(found) == list(wanted), f"{what}: columns {list(found)}"
    for name in wanted:
        assert same(found[name], wanted[name]), \
            f"{what}, {name}: {list(found[name])[:9]}, not " \
            f"{list(wanted[name])[:9]}"


def values_of(iteration):
    time = 0.1 * iteration
    rows = [("time", 0, "", "f64", time, "%.17g" % time)]
    rows += [("t/able", k, "", "i32", float(v), str(v))
             for k, v in enumerate([1, -2, 3, -4, 5])]
    rows += [("huge", 0, "", "u64", float(2**64 - 1), str(2**64 - 1))]
    rows += [("two", k, part, "c128", v, "%.17g" % v)
             for k, pair in enumerate([(1.5, -2.5), (3.0, 4.0)])
             for part, v in zip(["re", "im"], pair)]
    return rows + [("bytes", 0, "", "opaque3", None, "00abff")]


def blobs_of(ranks):
    rows = [("rng", r, 0, bytes((i * 7 + r) % 256
                                for i in range(r * 1000 + 500)))
            for r in range(ranks)]
    return rows + [("no", r, 0, b"") for r in range(ranks)]


def rows_of(found, names):
    assert list(found) == names, list(found)
    rows = [tuple(map(lambda v: v.item() if isinstance(v, np.generic) else v,
                      row)) for row in zip(*[found[n] for n in names])]
    return [tuple(None if isinstance(v, float) and v != v else v for v in row)
            for row in rows]


def everything(out, ranks, iteration, *readers):
    """All arrays, values and blobs of a checkpoint, by each reader."""
    wanted = arrays()
    assert sorted(os.listdir(out)) == sorted([*wanted, "values", "blobs"]), \
        sorted(os.listdir(out))
    for reader in readers or READERS:
        read = READERS[reader]
        for folder, entry in wanted.items():
            if folder == "big" and reader != "pyarrow":
                continue
            compare(read(os.path.join(out, folder)), expected(entry),
                    f"{reader}: {folder}")
        found = rows_of(read(os.path.join(out, "values")),
                        ["name", "index", "part", "type", "value", "text"])
        assert found == values_of(int(iteration)), (reader, found)
        found = rows_of(read(os.path.join(out, "blobs")),
                        ["name", "rank", "offset", "data"])
        assert found == blobs_of(int(ranks)), (reader, found)


def metadata(out, task, ranks, iteration, id_, version):
    """What each file says of itself."""
    for folder, (name, type_, dims, _) in arrays().items():
        for path in files_of(os.path.join(out, folder)):
            check_entries(path, "array", task, ranks, iteration, id_, version,
                          {"repartir.dims": "x".join(map(str, dims)),
                           "repartir.type." + name: type_})
    for table in ["values", "blobs"]:
        for path in files_of(os.path.join(out, table)):
            check_entries(path, table, task, ranks, iteration, id_, version,
                          {})


def check_entries(path, table, task, ranks, iteration, id_, version, more):
    found = {k.decode(): v.decode()
             for k, v in pq.ParquetFile(path).metadata.metadata.items()
             if k.startswith(b"repartir.")}
    time = float(found.pop("repartir.time"))
    assert 1.6e9 < time < 1e10, time
    wanted = {"repartir.version": version, "repartir.library": version,
              "repartir.table": table, "repartir.task": task,
              "repartir.checkpoint": id_, "repartir.iteration": iteration,
              "repartir.ranks": ranks, **more}
    assert found == wanted, (path, found, wanted)


def same_rows(*outs):
    """Several exports have the same rows in the same order."""
    for folder in os.listdir(outs[0]):
        first, *others = [pa.concat_tables(
            [pq.read_table(p) for p in files_of(os.path.join(out, folder))])
            .replace_schema_metadata() for out in outs]
        for out, table in zip(outs[1:], others):
            assert table.schema == first.schema, (out, folder)
            for name in first.column_names:
                a, b = first.column(name), table.column(name)
                if pa.types.is_floating(a.type):  # NaN
                    a, b = [x.to_numpy() for x in (a, b)]
                    assert a.tobytes() == b.tobytes(), (out, folder, name)
                else:
                    assert a.equals(b), (out, folder, name)


def files(out, *counts):
    """FOLDER=N: so many files are in a table."""
    for count in counts:
        folder, n = count.split("=")
        found = files_of(os.path.join(out, folder))
        assert len(found) == int(n), (count, found)


def only(out, *folders):
    assert sorted(os.listdir(out)) == sorted(folders), os.listdir(out)


def plain(out):
    """Without indices."""
    for folder, entry in arrays().items():
        compare(by_pyarrow(os.path.join(out, folder)),
                expected(entry, with_index=False), folder)


def together(out):
    """Arrays of the same extents in one table."""
    found = by_pyarrow(os.path.join(out, "13x64"))
    f64 = column_of("f64", 13 * 64)[""]
    assert list(found) == ["i_0", "i1", "dims/2", "i0"], list(found)
    compare(found, {**index_columns("i0", (13, 64)), "dims/2": f64, "i0": f64},
            "13x64")
    found = by_pyarrow(os.path.join(out, "1003"))
    wanted = {"i0": np.arange(1003, dtype=np.int32)}
    for entry in arrays().values():
        if entry[2] == (1003,):
            wanted.update({entry[0] + suffix: values
                           for suffix, values in entry[3].items()})
    assert sorted(found) == sorted(wanted), sorted(found)
    for name, values in wanted.items():
        assert same(found[name], values), name


def rounded(out, keep):
    """Values are near, have no bits below, and the file says so."""
    keep = int(keep)
    found = by_pyarrow(os.path.join(out, "dims.1"))["dims/1"]
    wanted = column_of("f64", 3001)[""]
    assert np.all(np.abs(found - wanted) <= wanted * 2.0**-(keep + 1))
    assert not np.array_equal(found, wanted)
    assert not np.any(found.view(np.uint64) & np.uint64(2**(52 - keep) - 1))
    path = files_of(os.path.join(out, "dims.1"))[0]
    entries = pq.ParquetFile(path).metadata.metadata
    assert entries[b"repartir.keepbits.dims/1"] == str(keep).encode(), entries
    value = dict((row[0], row[4]) for row in rows_of(
        by_pyarrow(os.path.join(out, "values")),
        ["name", "index", "part", "type", "value", "text"]))
    assert value["time"] == 0.1 * 3, value  # values stay as they are


def groups(out, rows):
    for path in files_of(os.path.join(out, "dims.1")):
        meta = pq.ParquetFile(path).metadata
        sizes = [meta.row_group(g).num_rows for g in range(meta.num_row_groups)]
        assert len(sizes) > 1 and set(sizes[:-1]) == {int(rows)}, sizes


def checkpoints(out, directory, task, with_data, *iterations):
    """A row for each committed checkpoint, with the bytes of its file."""
    table = pa.concat_tables(
        [pq.read_table(p) for p in files_of(os.path.join(out, "checkpoints"))])
    assert table.schema.field("timestamp").type == pa.timestamp("us", "UTC")
    rows = table.to_pylist()
    assert [r["iteration"] for r in rows] == list(map(int, iterations)), rows
    for row in rows:
        folder = f"it-{row['iteration']:012d}-{row['checkpoint_id']}"
        with open(os.path.join(directory, task, folder, "state.h5"),
                  "rb") as file:
            data = file.read()
        with open(os.path.join(directory, task, folder, "MANIFEST.json"),
                  encoding="utf-8") as file:
            time = __import__("json").load(file)["time"]
        assert row["task_id"] == task
        assert abs(row["timestamp"].timestamp() - time) < 2e-6
        assert row["data_bytes"] == len(data)
        assert row["data"] == (data if with_data == "yes" else b"")
    by_id = need("duckdb").sql(
        f"select count(*) from read_parquet('{out}/checkpoints/*.parquet') "
        f"where task_id = '{task}' and iteration > 0 and timestamp > "
        "timestamptz '2020-01-01'").fetchall()
    assert by_id == [(len(rows),)], by_id


def natures(out):
    need("natures").natures(out)


def rounded_natures(out, keep):
    need("natures").rounded(out, int(keep))


def same_files(*outs):
    """Byte by byte."""
    paths = [sorted(glob.glob(os.path.join(out, "*", "*"))) for out in outs]
    for names in zip(*paths, strict=True):
        contents = []
        for name in names:
            with open(name, "rb") as file:
                contents.append(file.read())
        assert contents.count(contents[0]) == len(outs), names


def main():
    checks = [[]]
    for word in sys.argv[1:]:
        if word == "+":
            checks.append([])
        else:
            checks[-1].append(word)
    try:
        for check, *arguments in checks:
            globals()[check](*arguments)
        code = 0
    except AssertionError:
        traceback.print_exc()
        code = 1
    except SystemExit as end:
        code = end.code
    # Threads of pyarrow may abort a process at its end.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


main()
