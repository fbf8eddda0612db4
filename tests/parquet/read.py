#!/usr/bin/env python3
"""Read what tests/test_parquet has written, and compare it with formulas.

  read.py CHECK FILE [ARGUMENTS]    exit code 0, 1, or 77: a reader is missing

The formulas are those of tests/parquet/every_kind.c, said once more.
"""
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
INTEGERS = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"]
EPOCH = 1700000000000000


def wrapped(i, factor, bits, signed):
    value = i * factor % 2**bits
    return value - 2**bits if signed and value >= 2**(bits - 1) else value


def expected(n):
    """Every column of the file: a list, or a numpy array of f32 or f64."""
    rows = range(n)
    i = np.arange(n)
    table = {}
    for name in INTEGERS:
        bits = int(name[1:])
        factor = {8: 7, 16: 4099, 32: 2654435761,
                  64: 0x9e3779b97f4a7c15}[bits]
        table[name] = [wrapped(r, factor, bits, name[0] == "i") for r in rows]
    small = (i % 65536).astype(np.uint16)
    table["f16"] = small.view(np.float16).astype(np.float32)
    table["bf16"] = (small.astype(np.uint32) << 16).view(np.float32)
    table["f32"] = i.astype(np.float32) / np.float32(3)
    table["f64"] = i / 3.0
    table["c64_re"] = (i * 0.25).astype(np.float32)
    table["c64_im"] = (-i).astype(np.float32)
    table["c128_re"] = i * 0.125
    table["c128_im"] = (-i).astype(np.float64)
    table["p_f32_value"] = (i * 0.5).astype(np.float32)
    table["p_f64_value"] = i * 0.5
    table["p_i16_value"] = [r % 1000 for r in rows]
    table["p_i32_value"] = [-r for r in rows]
    table["p_i64_value"] = [-r * 1000003 for r in rows]
    for k, name in enumerate(["f32", "f64", "i16", "i32", "i64"]):
        table[f"p_{name}_index"] = [r + k for r in rows]
    table["opaque"] = [bytes((r + k) % 256 for k in range(5)) for r in rows]
    table["text"] = ["" if r % 7 == 0 else f"row {r} \u2713" for r in rows]
    table["binary"] = [bytes([r % 256]) * (r % 5) for r in rows]
    table["time"] = [EPOCH + r * 1000001 for r in rows]
    return table


# What a reader finds: a function of the file that gives columns by name, times
# in microseconds.

def by_pyarrow(path):
    pa, pq = need("pyarrow"), need("pyarrow.parquet")
    table = pq.read_table(path, page_checksum_verification=True)
    assert table.schema.field("time").type == pa.timestamp("us", "UTC")
    assert not any(field.nullable for field in table.schema)
    found = {}
    for name in table.column_names:
        column = table.column(name)
        if name == "time":
            column = column.cast(pa.int64())
        if pa.types.is_floating(column.type):
            found[name] = column.to_numpy()
        else:
            found[name] = column.to_pylist()
    return found


def by_pandas(path):
    frame = need("pandas").read_parquet(path)
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"
    frame["time"] = frame["time"].astype("int64")
    return {name: frame[name].to_numpy() if frame[name].dtype.kind == "f"
            else frame[name].tolist() for name in frame}


def by_duckdb(path):
    duckdb = need("duckdb")
    relation = duckdb.sql("select * replace (epoch_us(time) as time) "
                          f"from read_parquet('{path}')")
    kinds = dict(zip(relation.columns, map(str, relation.types)))
    assert kinds["u64"] == "UBIGINT" and kinds["i8"] == "TINYINT", kinds
    assert kinds["text"] == "VARCHAR" and kinds["binary"] == "BLOB", kinds
    assert kinds["f32"] == kinds["bf16"] == "FLOAT", kinds
    whole = duckdb.sql(f"select time from read_parquet('{path}')")
    assert str(whole.types[0]) == "TIMESTAMP WITH TIME ZONE", whole.types
    rows = relation.fetchall()
    found = {name: [row[k] for row in rows]
             for k, name in enumerate(relation.columns)}
    return {name: np.array(column, np.float64)
            if kinds[name] in ("FLOAT", "DOUBLE") else column
            for name, column in found.items()}


def by_polars(path):
    frame = need("polars").read_parquet(path)
    assert str(frame.schema["time"]) == \
        "Datetime(time_unit='us', time_zone='UTC')", frame.schema["time"]
    found = {}
    for name in frame.columns:
        column = frame[name]
        if name == "time":
            column = column.dt.epoch("us")
        found[name] = column.to_numpy() if column.dtype.is_float() \
            else column.to_list()
    return found


def same(found, wanted):
    if isinstance(wanted, np.ndarray):
        return np.array_equal(np.asarray(found, wanted.dtype), wanted,
                              equal_nan=True) and \
            np.array_equal(np.signbit(found), np.signbit(wanted))
    return list(found) == wanted


def every_kind(path, reader, n):
    found, wanted = globals()[f"by_{reader}"](path), expected(int(n))
    assert sorted(found) == sorted(wanted), sorted(found)
    bad = [name for name in wanted if not same(found[name], wanted[name])]
    for name in bad:
        print(f"{name}: {list(found[name][:5])} for {list(wanted[name][:5])}")
    assert not bad, f"{reader} reads something else in {', '.join(bad)}"


def encodings(path, *group_rows):
    file = need("pyarrow.parquet").ParquetFile(path)
    meta = file.metadata
    assert meta.format_version == "2.6", meta.format_version
    assert b"ARROW:schema" in meta.metadata
    groups = [meta.row_group(g) for g in range(meta.num_row_groups)]
    assert [g.num_rows for g in groups] == list(map(int, group_rows)), \
        [g.num_rows for g in groups]
    for group in groups:
        for c in range(group.num_columns):
            chunk = group.column(c)
            name, used = chunk.path_in_schema, set(chunk.encodings)
            others = ({"PLAIN"}, {"PLAIN", "RLE_DICTIONARY"})
            if chunk.physical_type in ("FLOAT", "DOUBLE"):
                right = used - {"RLE"} in ({"BYTE_STREAM_SPLIT"}, *others)
            elif chunk.physical_type in ("INT32", "INT64"):
                right = used - {"RLE"} in ({"DELTA_BINARY_PACKED"}, *others)
            else:
                right = name in ("text", "binary", "opaque")
            assert right, f"{name}, {chunk.physical_type}: {used}"
            assert chunk.compression == "ZSTD", chunk.compression
            if name == "binary":  # copies of long values: none is wanted
                assert used - {"RLE"} == {"PLAIN"}, used
                assert chunk.statistics is None
            else:
                assert chunk.statistics.null_count == 0
    assert file.schema.max_definition_level(0) == 0 \
        if hasattr(file.schema, "max_definition_level") else True
    assert all(file.schema.column(c).max_definition_level == 0
               for c in range(len(file.schema)))


def dictionaries(path, n):
    file = need("pyarrow.parquet").ParquetFile(path)
    group = file.metadata.row_group(0)
    few, many, index = (set(group.column(c).encodings) for c in range(3))
    assert "RLE_DICTIONARY" in few and "DELTA_BINARY_PACKED" not in few, few
    assert many - {"RLE"} == {"BYTE_STREAM_SPLIT"}, many
    assert index - {"RLE"} == {"DELTA_BINARY_PACKED"}, index
    i = np.arange(int(n))
    table = file.read()
    mixed = (i.astype(np.uint64) * np.uint64(0x9e3779b97f4a7c15)
             >> np.uint64(17)) * np.uint64(0xbf58476d1ce4e5b9) >> np.uint64(40)
    for name in ("few", "index"):
        assert np.array_equal(table[name].to_numpy(), mixed % np.uint64(11))
    assert np.array_equal(table["many"].to_numpy(), i / 3.0)


def compression(path, wanted):
    group = need("pyarrow.parquet").ParquetFile(path).metadata.row_group(0)
    found = {group.column(c).compression for c in range(group.num_columns)}
    assert found == {wanted}, found


def entries(path, reader):
    if reader == "pyarrow":
        pq = need("pyarrow.parquet")
        found = pq.ParquetFile(path).metadata.metadata
    else:
        rows = need("duckdb").sql(
            f"select key, value from parquet_kv_metadata('{path}')").fetchall()
        found = dict(rows)
    for key, value in [("job", "42"), ("Gr\u00fc\u00dfe", "Welt \u2713"),
                       ("empty", "")]:
        assert found[key.encode()] == value.encode(), (key, found)


def numbers(path, *values):
    """Column x is these numbers."""
    pq = need("pyarrow.parquet")
    found = pq.read_table(path, page_checksum_verification=True)["x"]
    assert found.to_pylist() == list(map(float, values)), found


def groups(path, *rows):
    meta = need("pyarrow.parquet").ParquetFile(path).metadata
    found = [meta.row_group(g).num_rows for g in range(meta.num_row_groups)]
    assert found == list(map(int, rows)), found


def equal(path, other):
    pq = need("pyarrow.parquet")
    assert pq.read_table(path).equals(pq.read_table(other)), "they differ"


def flipped(path, verdict):
    """A bit of the values is not what was written: noticed, or silent."""
    pa, pq = need("pyarrow"), need("pyarrow.parquet")
    with open(path, "rb") as file:
        content = bytearray(file.read())
    at = content.index(bytes(range(200, 210)))
    content[at] ^= 1
    try:
        pq.read_table(pa.BufferReader(bytes(content)),
                      page_checksum_verification=True)
        found = "silent"
    except OSError as error:
        assert "CRC" in str(error), error
        found = "noticed"
    assert found == verdict, found


def rounded(x, keep):
    """To the nearest of the numbers with so many bits, ties to the even one,
    by arithmetic: nothing here looks at bits but to take an exponent."""
    x = np.asarray(x)
    all_bits = {4: 23, 8: 52}[x.dtype.itemsize]
    least = {4: -126, 8: -1022}[x.dtype.itemsize]
    with np.errstate(invalid="ignore", over="ignore"):
        _, exponent = np.frexp(x)
        exponent = np.maximum(exponent.astype(np.int64) - 1, least)
        # x in units of the last bit that stays.  ldexp() in two steps, as the
        # factor may be no number of this type.
        shift = keep - exponent
        half = shift // 2
        units = np.rint(np.ldexp(np.ldexp(x, half), shift - half))
        y = np.ldexp(np.ldexp(units, -half), half - shift)
        cut = np.trunc(np.ldexp(np.ldexp(x, half), shift - half))
        low = np.ldexp(np.ldexp(cut, -half), half - shift)
    y = np.where(np.isinf(y), low, y).astype(x.dtype)
    return np.where(np.isfinite(x), y, x) if keep < all_bits else x


def keepbits_raw(path, kind, keep):
    """Two arrays in one file: before, and after."""
    kind, keep = np.dtype(kind), int(keep)
    both = np.fromfile(path, kind)
    before, after = both[:len(both) // 2], both[len(both) // 2:]
    wanted = rounded(before, keep)
    unsigned = f"u{kind.itemsize}"
    bad = ~(np.isnan(before) & np.isnan(after)) & \
        (wanted.view(unsigned) != after.view(unsigned))
    for k in np.flatnonzero(bad)[:5]:
        print(f"{before[k]!r} -> {after[k]!r}, not {wanted[k]!r}")
    # A NaN keeps its bits.
    nan = np.isnan(before)
    assert np.array_equal(before[nan].view(unsigned), after[nan].view(unsigned))
    assert len(before) > 1000 and nan.any() and not bad.any()


def keepbits_file(path, n):
    pq = need("pyarrow.parquet")
    file = pq.ParquetFile(path)
    table = file.read()
    i = np.arange(int(n))
    for name, values, keep in [
            ("a", i.astype(np.float32) / np.float32(3), 10),
            ("b", i / 7.0, 10), ("c", i / 7.0, 30), ("d", i / 7.0, 52),
            ("e_re", (i / 3.0).astype(np.float32), 10),
            ("e_im", (i / 9.0).astype(np.float32), 10)]:
        found = table[name].to_numpy()
        assert np.array_equal(found, rounded(values, keep)), name
        assert (keep == 52) == np.array_equal(found, values), name
        said = file.metadata.metadata.get(f"repartir.keepbits.{name}".encode())
        assert said == (None if keep == 52 else str(keep).encode()), said
    assert table["f"].to_pylist() == list(range(int(n)))
    assert b"repartir.keepbits.f" not in file.metadata.metadata


def large(path, n_numbers, n_texts, bytes_each):
    pq = need("pyarrow.parquet")
    file = pq.ParquetFile(path)
    if int(n_texts):
        lengths = [len(value.as_py()) for batch in file.iter_batches(64)
                   for value in batch.column(0)]
        assert lengths == [int(bytes_each)] * int(n_texts), len(lengths)
    else:
        assert file.metadata.num_rows == int(n_numbers)
        n = sum(len(batch) for batch in file.iter_batches(1 << 20))
        assert n == int(n_numbers), n


def main(check, *arguments):
    try:
        globals()[check](*arguments)
        return 0
    except AssertionError as error:
        print(f"{check}: {error}")
    except Exception:
        traceback.print_exc()
    return 1


if __name__ == "__main__":
    try:
        code = main(*sys.argv[1:])
    except SystemExit as end:
        code = end.code
    # Threads of pyarrow may abort a Python that ends after an error.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
