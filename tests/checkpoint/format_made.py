#!/usr/bin/env python3
"""Checkpoints that librepartir has not written: made, or harmed.

  format_made.py write DIR TASK N             one of iteration N, by two ranks
  format_made.py harm CHECKPOINT COMMAND...   flips bytes, one after another:
                      each is refused by format.py and by COMMAND CHECKPOINT

As format.py is, the writer is made from doc/checkpoint-format.md alone.
"""
import fcntl
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import h5py
import numpy as np
from xxhash import xxh3_64_intdigest, xxh3_128_hexdigest

from format import (BLOCK, FILE, REFUSALS, check, digest_of, manifest_of, read)


# ---- writing ----

def sync(path, raw=None):
    """A folder, or a file with these bytes."""
    if raw is not None:
        with open(path, "wb") as file:
            file.write(raw)
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def arrays_of(iteration, began):
    """Those that the program of tests/catalog restores, and the page's own."""
    return {
        "flow/u": np.arange(4 * 10, dtype="f8").reshape(4, 10) + iteration,
        "time": np.array(iteration / 4),
        "z": np.array([1 + 2j, 3 + 4j], "c8"),
        "empty": np.array([], "i4"),
        "bytes": np.frombuffer(b"b" * 10, "u1"),
        "repartir/begins/bytes": np.array([0, 5, 10], "u8"),
        "repartir/iteration": np.array(iteration, "u8"),
        "repartir/time": np.array(began),
        "repartir/ranks": np.array(2, "i4")}


def write_hdf5(path, arrays):
    """The entries of the manifest."""
    kinds = {"flow/u": "array", "bytes": "blob"}
    with h5py.File(path, "w", libver=("v108", "v108")) as file:
        for name, a in arrays.items():
            file[name] = a
        file.flush()
        return [{"name": name, "kind": kinds.get(name, "value"),
                 "type": f"{a.dtype.kind}{a.dtype.itemsize * 8}",
                 "dims": a.shape, "offset": file[name].id.get_offset() or 0,
                 "bytes": a.nbytes} for name, a in arrays.items()]


def part(index, start, count, stream):
    n = len(start)
    return struct.pack(f"<II{2 * n}Q", index, n, *start, *count) + b"".join(
        struct.pack("<Q", xxh3_64_intdigest(stream[at:at + BLOCK]))
        for at in range(0, len(stream), BLOCK))


def parts_of(entries, arrays, state):
    """Those of each rank: rank 1 has half of the array and of the blob."""
    its = [], []
    for index, (d, a) in enumerate(zip(entries, arrays.values())):
        if d["kind"] == "value":
            if a.size > 0:
                its[0].append(part(index, [0], [a.size], a.tobytes()))
            continue
        for rank, half in enumerate(np.split(a, 2)):
            start = [rank * len(half)] + [0] * (a.ndim - 1)
            its[rank].append(part(index, start, half.shape, half.tobytes()))
    at = 0
    for begin, n in sorted((d["offset"], d["bytes"]) for d in entries
                           if d["bytes"] > 0) + [(len(state), 0)]:
        if at < begin:
            its[0].append(part(FILE, [at], [begin - at], state[at:begin]))
        at = begin + n
    return its


def blocks_of(ident, parts):
    sections, table, at = b"", b"", 48 + 16 * len(parts)
    for rank, its in enumerate(parts):
        body = struct.pack("<QIIII", ident, rank, len(its), 0, 0)
        body += b"".join(its)
        body += digest_of(body)
        table += struct.pack("<QQ", at + len(sections), len(body))
        sections += body
    return struct.pack("<8sIIQQQQ", b"RPTBLKS1", 1, len(parts), ident, BLOCK,
                       at + len(sections),
                       xxh3_64_intdigest(table, seed=ident)) + table + sections


def lock(folder):
    """Until the file is closed; OSError: somebody else writes."""
    file = open(os.path.join(folder, "lock"), "a", encoding="utf-8")
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack(
        "hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    file.truncate(0)
    file.write(f"host {socket.gethostname()}\npid {os.getpid()}\n")
    file.flush()
    return file


def write(directory, task, iteration):
    os.umask(0o022)
    ident, began = secrets.token_hex(8), time.time()
    folder = os.path.join(directory, task)
    os.makedirs(folder, exist_ok=True)
    held = lock(folder)
    tmp = os.path.join(folder, f".tmp-{ident}")
    os.mkdir(tmp)
    arrays = arrays_of(iteration, began)
    entries = write_hdf5(os.path.join(tmp, "state.h5"), arrays)
    sync(os.path.join(tmp, "state.h5"))
    state = read(tmp, "state.h5")
    blocks = blocks_of(int(ident, 16), parts_of(entries, arrays, state))
    sync(os.path.join(tmp, "blocks.xxh"), blocks)
    text = json.dumps({
        "format": "repartir-checkpoint", "version": 1, "id": ident,
        "task": task, "iteration": iteration, "time": began, "ranks": 2,
        "host": socket.gethostname(), "engine": "python", "library": "none",
        "file": "state.h5", "file_bytes": len(state), "block_bytes": BLOCK,
        "blocks": "blocks.xxh", "blocks_bytes": len(blocks),
        "blocks_digest": xxh3_128_hexdigest(blocks), "datasets": entries,
        "files": []})[:-1].encode() + b",\n"
    text += f' "seal": "{xxh3_128_hexdigest(text)}"}}\n'.encode()
    sync(os.path.join(tmp, "MANIFEST.json"), text)
    sync(tmp)
    os.rename(tmp, os.path.join(folder, f"it-{iteration:012d}-{ident}"))
    sync(folder)
    held.close()


# ---- harm ----

def places(folder):
    """Bytes that a checkpoint cannot do without: (file, offset, what)."""
    m = manifest_of(folder)
    text = read(folder, "MANIFEST.json")
    for what in b'{"format', b'"id"', b'"datasets"', b'"seal"', b"}\n":
        yield "MANIFEST.json", text.rindex(what), what.decode().strip()
    yield "MANIFEST.json", len(text) - 10, "the seal"
    for at, what in ((0, "magic"), (8, "version"), (12, "writers"), (16, "id"),
                     (24, "block"), (32, "bytes"), (40, "digest"),
                     (48, "table")):
        yield "blocks.xxh", at, what
    section = 48 + 16 * m["ranks"]
    for at, what in ((0, "id"), (8, "writer"), (12, "parts"), (16, "files"),
                     (20, "zero")):
        yield "blocks.xxh", section + at, f"{what} of a section"
    yield "blocks.xxh", m["blocks_bytes"] - 17, "the last byte before a seal"
    yield "blocks.xxh", m["blocks_bytes"] - 1, "the seal of a section"
    if m["file_bytes"] > 0:
        yield "state.h5", 0, "the superblock"
        yield "state.h5", m["file_bytes"] - 1, "the last byte"
    for d in sorted(m["datasets"], key=lambda d: -d["bytes"])[:2]:
        n = d.get("slot_bytes", d["bytes"])
        yield "state.h5", d["offset"], f"the first byte of {d['name']}"
        yield "state.h5", d["offset"] + n - 1, f"the last one of {d['name']}"
    for f in m["files"][-1:]:
        yield "files/" + f["name"], f["bytes"] - 1, "the last byte of a file"


def is_refused(folder):
    try:
        check(folder)
    except REFUSALS:
        return True
    return False


def harm(folder, *command):
    tried = list(places(folder))
    for name, at, what in tried:
        with open(os.path.join(folder, name), "r+b", 0) as file:
            byte = os.pread(file.fileno(), 1, at)[0]
            os.pwrite(file.fileno(), bytes([byte ^ 1]), at)
            if not is_refused(folder):
                print(f"read: {what}, byte {at} of {name}")
            if subprocess.run([*command, folder], check=False,
                              capture_output=True).returncode != 1:
                print(f"{command[0]} reads: {what}, byte {at} of {name}")
            os.pwrite(file.fileno(), bytes([byte]), at)
    check(folder)
    print(f"tried {len(tried)}")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        harm(*sys.argv[2:])
