"""All-reduce of float sums by torch.distributed with Gloo, on this machine.

  python3 gloo_allreduce.py RANKS MAX_BYTES

One JSON line a size, from 4 bytes in steps of 2: the median of its samples,
each as long as on the slowest rank.  Before each call one element of each cache
line is changed.  Ranks are processes, each with one thread and a core of its
own while there are enough.
"""
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time

import torch
import torch.distributed as dist

LINE = 16  # elements


def sample(vector, n_calls):
    """Seconds of a call, of the slowest rank."""
    dist.barrier()
    start = time.perf_counter()
    for _ in range(n_calls):
        vector[::LINE] += 1
        dist.all_reduce(vector)
    seconds = torch.tensor((time.perf_counter() - start) / n_calls,
                           dtype=torch.float64)
    vector.zero_()
    dist.all_reduce(seconds, op=dist.ReduceOp.MAX)
    return seconds.item()


def measure(size):
    vector = torch.zeros(size // 4, dtype=torch.float32)
    n_calls = 50 if size <= 4096 else 10 if size <= 1 << 20 else 1
    n_samples = 15 if size <= 1 << 20 else 9
    sample(vector, n_calls)
    return statistics.median(sample(vector, n_calls)
                             for _ in range(n_samples))


def check(ranks):
    vector = torch.full((1000,), float(dist.get_rank() + 1))
    dist.all_reduce(vector)
    if not torch.all(vector == ranks * (ranks + 1) / 2):
        sys.exit("gloo_allreduce: a wrong sum")


def work(rank, ranks, max_bytes, folder):
    cores = sorted(os.sched_getaffinity(0))
    if ranks <= len(cores):
        os.sched_setaffinity(0, {cores[rank]})
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet",
                            rank=rank, world_size=ranks)
    check(ranks)
    size = 4
    while size <= max_bytes:
        seconds = measure(size)
        if rank == 0:
            print(json.dumps({"operation": "allreduce", "ranks": ranks,
                              "bytes": size, "gloo_us": seconds * 1e6,
                              "torch": torch.__version__}), flush=True)
        size *= 2
    dist.destroy_process_group()


def main():
    ranks, max_bytes = int(sys.argv[1]), int(sys.argv[2])
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory() as folder:
        processes = [multiprocessing.Process(
            target=work, args=(rank, ranks, max_bytes, folder))
            for rank in range(ranks)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    sys.exit(max(abs(process.exitcode) for process in processes))


if __name__ == "__main__":
    main()
