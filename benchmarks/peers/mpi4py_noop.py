"""No-op calls through mpi4py.futures: MPIPoolExecutor.map, results received.

  mpirun -n 3 python3 -m mpi4py.futures mpi4py_noop.py N CHUNKSIZE

Rank 0 is the master, the others are the workers.  Timed as in tasks.c: from
the first submission to the last result, after some calls to warm up.
"""
import json
import sys
import time

from mpi4py.futures import MPIPoolExecutor


def noop(number):
    return None


def main():
    n, chunk = int(sys.argv[1]), int(sys.argv[2])
    with MPIPoolExecutor() as pool:
        for _ in pool.map(noop, range(100)):
            pass
        start = time.monotonic()
        got = sum(1 for _ in pool.map(noop, range(n), chunksize=chunk))
        seconds = time.monotonic() - start
        assert got == n
        workers = pool.num_workers
    print(json.dumps({"tasks": n, "seconds": seconds, "workers": workers}))


if __name__ == "__main__":
    main()
