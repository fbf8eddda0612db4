"""/bin/true through HyperQueue's LocalCluster: one server, one worker.

  python3 hyperqueue_true.py N CORES DIRECTORY

Output of the tasks is discarded.  Timed is from the submission to the return
of the wait; the client sees the end in steps of a second, so let N be large.
"""
import json
import os
import sys
import time

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig


def main():
    n, cores, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    os.chdir(directory)
    server = os.path.join(directory, "server")
    with LocalCluster(server, WorkerConfig(cores=cores)) as cluster:
        client = cluster.client()
        client.wait_for_jobs([client.submit(job_of(cores))])
        job = job_of(n)
        start = time.monotonic()
        client.wait_for_jobs([client.submit(job)])
        seconds = time.monotonic() - start
    print(json.dumps({"tasks": n, "seconds": seconds, "workers": cores}))


def job_of(n):
    job = Job()
    for _ in range(n):
        job.program(["/bin/true"], stdout=None, stderr=None)
    return job


if __name__ == "__main__":
    main()
