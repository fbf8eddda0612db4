#!/usr/bin/env python3
"""Read checkpoints as doc/checkpoint-format.md says, without librepartir and,
by their offsets, without HDF5; then compare with what HDF5 reads.

  format.py DIR[/TASK]...   "right" or "wrong", a line for each checkpoint

Written from that page alone: where it cannot be, the page is to be mended.
Whole files are in memory, and a count for each byte of state.h5.
"""
import itertools
import json
import os
import re
import stat
import struct
import sys
import zlib

import h5py
import numpy as np
from xxhash import xxh3_64_intdigest, xxh3_128_hexdigest, xxh3_128_intdigest

BLOCK = 1 << 20
FILE = 2**32 - 1
NAME = re.compile(r"it-(\d{12}|[1-9]\d{12,})-([0-9a-f]{16})")
NUMPY = {"i8": "i1", "u8": "u1", "i16": "i2", "u16": "u2", "i32": "i4",
         "u32": "u4", "i64": "i8", "u64": "u8", "f16": "f2", "bf16": "V2",
         "f32": "f4", "f64": "f8", "c64": "c8", "c128": "c16"}


class Wrong(Exception):
    """Why a checkpoint does not count."""


# What else wrong bytes may lead to here.
REFUSALS = (Wrong, ValueError, LookupError, TypeError, OSError, struct.error,
            zlib.error)


def need(is_right, why):
    if not is_right:
        raise Wrong(why)


def dtype_of(name):
    if name.startswith("opaque"):
        return np.dtype("V" + name[6:])
    if name.endswith("-i32"):
        return np.dtype([("value", NUMPY[name[:-4]]), ("index", "i4")],
                        align=True)
    return np.dtype(NUMPY[name])


def digest_of(raw):
    """As it is in binary files."""
    number = xxh3_128_intdigest(raw)
    return struct.pack("<QQ", number >> 64, number & (2**64 - 1))


def read(folder, name, most=1 << 40):
    path = os.path.join(folder, name)
    for at in folder, path:
        had, above = os.lstat(at), os.stat(os.path.dirname(at))
        need(not had.st_mode & stat.S_IWOTH, f"all may write to {at}")
        need(had.st_uid in (above.st_uid, 0, os.geteuid()),
             f"{at} is somebody else's")
    need(stat.S_ISREG(had.st_mode) and had.st_size <= most, f"{name}")
    with open(path, "rb") as file:
        return file.read()


# ---- MANIFEST.json ----

def once(pairs):
    need(len(dict(pairs)) == len(pairs), "a key is there twice")
    return dict(pairs)


def is_name(name):
    return (0 < len(name.encode()) <= 255 and
            not {"", ".", ".."} & set(name.split("/")) and
            not re.search("[\0-\x1f\x7f]", name))


def manifest_of(folder):
    raw = read(folder, "MANIFEST.json", 16 << 20)
    body, seal = raw[:-45], raw[-45:].decode("latin1")
    need(seal == f' "seal": "{xxh3_128_hexdigest(body)}"}}\n', "the seal")
    bare = re.sub(rb'"([^"\\]|\\.)*"', b"", raw)
    need(sum(map(bare.count, b"{[,")) <= 64 + len(raw) / 4, "too many items")
    m = json.loads(raw.decode(), object_pairs_hook=once)
    number, ident = NAME.fullmatch(os.path.basename(folder)).groups()
    need(m["format"] == "repartir-checkpoint" and m["version"] ==
         1 + any("slots" in d for d in m["datasets"]), "the version")
    need((m["iteration"], m["id"]) == (int(number), ident),
         "it is another one's manifest")
    need(m["block_bytes"] == BLOCK and m["file"] == "state.h5" and
         m["blocks"] == "blocks.xxh", "other files")
    for d in m["datasets"]:
        d["dtype"] = dtype_of(d["type"])
        need(is_name(d["name"]) and d["kind"] in ("array", "value", "blob"),
             "a dataset")
        n_bytes = int(np.prod(d["dims"], dtype=object)) * d["dtype"].itemsize
        need(d["bytes"] == n_bytes, f"bytes of {d['name']}")
        if "slots" in d:
            need(d["filters"] == ["shuffle", "deflate"] and all(
                1 <= c <= n for c, n in zip(d["chunk"], d["dims"])), "chunks")
            d["grid"] = [-(-n // c) for c, n in zip(d["chunk"], d["dims"])]
            d["slot"] = [at + i * d["slot_bytes"] for n, at in d["slots"]
                         for i in range(n)]
            need(len(d["slot"]) == np.prod(d["grid"]) and
                 d["slot"][0] == d["offset"], "the slots")
            room = int(np.prod(d["chunk"])) * d["dtype"].itemsize
            need(room <= 64 * BLOCK and d["slot_bytes"] <= 2 * room + BLOCK,
                 "a chunk is too long")
    names = [d["name"] for d in m["datasets"]]
    need(len(set(names)) == len(names), "two datasets of one name")
    return m


# ---- blocks.xxh ----

def slots_of(d, start, count):
    """The numbers of the chunks of a part, in order."""
    for s, c, n, chunk in zip(start, count, d["dims"], d["chunk"]):
        need(s % chunk == 0 and ((s + c) % chunk == 0 or s + c == n),
             "a part ends within a chunk")
    axes = [range(s // chunk, -(-(s + c) // chunk))
            for s, c, chunk in zip(start, count, d["chunk"])]
    for at in itertools.product(*axes):
        yield int(np.ravel_multi_index(at, d["grid"]))


class Section:
    """The section of a writer; its parts are looked at one after another."""

    def __init__(self, raw, ident, writer):
        self.raw, self.at = raw, 24
        head = struct.unpack_from("<QIIII", raw)
        need(head[:2] == (ident, writer) and head[4] == 0, "a section's head")
        self.n_parts, self.n_files = head[2:4]
        need(digest_of(raw[:-16]) == raw[-16:], "a section's seal")

    def take(self, n, form):
        need(self.at + n * struct.calcsize(form) <= len(self.raw) - 16,
             "a section is short")
        found = struct.unpack_from(f"<{n}{form}", self.raw, self.at)
        self.at += n * struct.calcsize(form)
        return found

    def check(self, m, state, seen):
        for _ in range(self.n_parts):
            index, n = self.take(2, "I")
            start, count = self.take(n, "Q"), self.take(n, "Q")
            whole = {"dims": [len(state)], "offset": 0, "bytes": len(state)}
            d = whole if index == FILE else m["datasets"][index]
            dims = d["dims"] or [1]
            need(n == len(dims) and all(
                s + c <= e for s, c, e in zip(start, count, dims)), "a part")
            if "slots" in d:
                for k in slots_of(d, start, count):
                    used, digest = self.take(2, "Q")
                    bytes_ = slice(d["slot"][k], d["slot"][k] + d["slot_bytes"])
                    slot = state[bytes_]
                    need(1 <= used <= len(slot) and
                         not slot[used:].strip(b"\0") and
                         xxh3_64_intdigest(slot[:used]) == digest, "a chunk")
                    seen[bytes_] += 1
                continue
            shape = list(dims) + [d["bytes"] // max(1, int(np.prod(dims)))]
            box = tuple(slice(s, s + c) for s, c in zip(start, count))
            bytes_ = slice(d["offset"], d["offset"] + d["bytes"])
            np.reshape(seen[bytes_], shape)[box] += 1
            stream = np.frombuffer(state, "u1")[bytes_].reshape(shape)[box]
            stream = stream.tobytes()
            for at in range(0, len(stream), BLOCK):
                need(self.take(1, "Q")[0] ==
                     xxh3_64_intdigest(stream[at:at + BLOCK]),
                     f"a block of {d.get('name', 'the file')}")
        need(self.at == len(self.raw) - 16, "a section is long")


def check_blocks(folder, m, state):
    raw = read(folder, "blocks.xxh", 512 << 20)
    need(len(raw) == m["blocks_bytes"] and
         xxh3_128_hexdigest(raw) == m["blocks_digest"], "blocks.xxh")
    ident = int(m["id"], 16)
    head = struct.unpack_from("<8sIIQQQQ", raw)
    table = raw[48:48 + 16 * m["ranks"]]
    need(head == (b"RPTBLKS1", m["version"], m["ranks"], ident, BLOCK,
                  len(raw), xxh3_64_intdigest(table, seed=ident)),
         "the head of blocks.xxh")
    at, seen = 48 + len(table), np.zeros(len(state), "u1")
    for rank in range(m["ranks"]):
        offset, length = struct.unpack_from("<QQ", table, 16 * rank)
        need(offset == at and length >= 40, "gaps of blocks.xxh")
        at += length
        section = Section(raw[offset:at], ident, rank)
        section.check(m, state, seen)
        need(section.n_files == sum(f["rank"] == rank for f in m["files"]),
             f"number of files of rank {rank}")
    need(at == len(raw), "bytes behind the sections")
    need((seen == 1).all(), f"{np.sum(seen != 1)} bytes of state.h5 are in no "
         "part, or in two")


# ---- state.h5 ----

def elements(d, state):
    """A dataset as an array."""
    if "slots" not in d:
        raw = state[d["offset"]:d["offset"] + d["bytes"]]
        return np.frombuffer(raw, d["dtype"]).reshape(d["dims"])
    out = np.empty(d["dims"], d["dtype"])
    for k, slot in enumerate(d["slot"]):
        unpack = zlib.decompressobj()
        raw = unpack.decompress(state[slot:slot + d["slot_bytes"]])
        need(unpack.eof, "a stream does not end")
        raw = np.frombuffer(raw, "u1").reshape(d["dtype"].itemsize, -1)
        chunk = np.ascontiguousarray(raw.T).view(d["dtype"]).reshape(d["chunk"])
        part = out[tuple(slice(i * c, i * c + c) for i, c in
                         zip(np.unravel_index(k, d["grid"]), d["chunk"]))]
        part[...] = chunk[tuple(slice(n) for n in part.shape)]
    return out


def check_hdf5(path, m, arrays):
    with h5py.File(path, "r") as file:
        found = []
        file.visititems(lambda name, item: found.append(name)
                        if isinstance(item, h5py.Dataset) else None)
        need(sorted(found) == sorted(arrays), f"HDF5 has {found}")
        for d in m["datasets"]:
            mine, other = arrays[d["name"]], file[d["name"]]
            need(other.shape == mine.shape, f"shape of {d['name']}")
            need(other.dtype == mine.dtype or d["type"] == "bf16",
                 f"type of {d['name']}: {other.dtype}")
            raw = np.empty(mine.shape, f"V{mine.itemsize}")
            other.id.read(h5py.h5s.ALL, h5py.h5s.ALL, raw, other.id.get_type())
            need(raw.tobytes() == mine.tobytes(), f"elements of {d['name']}")
            # As a user reads them; bytes between the fields of a pair go.
            if d["type"] != "bf16" and not mine.dtype.names:
                need(other[()].tobytes() == mine.tobytes(),
                     f"what h5py makes of {d['name']}")


def check(folder):
    """All that is to be checked; the arrays by name, and the manifest."""
    m = manifest_of(folder)
    state = read(folder, "state.h5")
    need(len(state) == m["file_bytes"], "length of state.h5")
    check_blocks(folder, m, state)
    need([f["rank"] for f in m["files"]] ==
         sorted(f["rank"] for f in m["files"]), "files of a rank are apart")
    for f in m["files"]:
        need(is_name(f["name"]), "the name of a file")
        raw = read(os.path.join(folder, "files"), f["name"])
        need(len(raw) == f["bytes"] and
             xxh3_128_hexdigest(raw) == f["digest"], f"file {f['name']}")
    arrays = {d["name"]: elements(d, state) for d in m["datasets"]}
    for key in "iteration", "time", "ranks":
        need(not arrays or arrays[f"repartir/{key}"] == m[key], key)
    for d in m["datasets"]:
        if d["kind"] == "blob":
            begins = arrays["repartir/begins/" + d["name"]]
            need(len(begins) == m["ranks"] + 1 and begins[0] == 0 and
                 begins[-1] == d["bytes"] and (np.diff(begins) >= 0).all(),
                 f"begins of {d['name']}")
    if arrays:
        check_hdf5(os.path.join(folder, "state.h5"), m, arrays)
    return m, arrays


def checkpoints(path):
    """The folders of a task, or of all tasks, by their names."""
    for at, folders, _ in os.walk(path):
        yield from (os.path.join(at, f) for f in folders if NAME.fullmatch(f))
        folders[:] = [f for f in folders if at == path and f[0] != "."
                      and not NAME.fullmatch(f)]


def main(paths):
    for folder in sorted(itertools.chain(*map(checkpoints, paths))):
        try:
            m, arrays = check(folder)
            n_packed = sum("slots" in d for d in m["datasets"])
            print(f"right {folder}: {m['engine']}, {m['ranks']} ranks, "
                  f"{len(arrays)} datasets, {n_packed} compressed, "
                  f"{len(m['files'])} files")
        except REFUSALS as error:
            print(f"wrong {folder}: {error!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
