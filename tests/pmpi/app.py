"""A Python program that knows MPI only; run by others_under_mpirun.

Objects (pickled, of different sizes), buffers in and out of place, and a call
that does not block.  Every result is compared with what is computed here.
"""
import array

from mpi4py import MPI

comm = MPI.COMM_WORLD
rank, size = comm.Get_rank(), comm.Get_size()
failed = 0


def check(ok, what):
    global failed
    if not ok:
        failed += 1
        print(f"rank {rank}: {what}", flush=True)


check(comm.bcast({"a": [1, 2]} if rank == 0 else None) == {"a": [1, 2]}, "bcast")
check(comm.allgather("x" * rank) == ["x" * r for r in range(size)], "allgather")
check(comm.allreduce(rank) == size * (size - 1) // 2, "allreduce")

numbers = array.array("d", [rank, 1])
sums = array.array("d", [-1, -1])
expected = array.array("d", [size * (size - 1) / 2, size])
comm.Allreduce(numbers, sums)
check(sums == expected, "Allreduce")
sums = array.array("d", [-1, -1])
comm.Iallreduce(numbers, sums).Wait()
check(sums == expected, "Iallreduce")
comm.Allreduce(MPI.IN_PLACE, numbers)
check(numbers == expected, "Allreduce in place")
comm.Barrier()

all_failed = comm.reduce(failed)
if rank == 0:
    print(f"failed checks: {all_failed}", flush=True)
