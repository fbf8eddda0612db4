"""The row `peers` of bench-ckpt: FTI and VeloC, which save the same bytes.

Launches by turns.  A peer is measured in several ways, and the one that is
best for it counts, in each round anew: the shortest call, the shortest time
until it is on the disk.  What is set, and what a peer syncs:
doc/design/checkpoint.md.
"""
import os

from ckpt_run import (LAUNCHES, MB, ROUNDS, a_folder, launch, launch_peer,
                      ratios, values)
from measure import NotMeasured, Spread, alternate

MEMORY = "/dev/shm"


def ours(n_ranks):
    with a_folder() as folder:
        return launch(n_ranks, "ckpt", folder, 10 * MB, 1, ROUNDS)


def theirs(name, n_ranks, mode, near_above, n_more=0):
    """near_above: where the folder of the first copy is made."""
    variable = "PEER_" + name.split("_")[1].upper()
    if not os.environ.get(variable):
        raise NotMeasured(f"{variable} is not set")
    with a_folder() as folder, a_folder(near_above) as near:
        return launch_peer(n_ranks + n_more, name, folder, near, 10 * MB,
                           ROUNDS, mode)


def contestants(n_ranks):
    return {
        "ours": lambda: ours(n_ranks),
        "FTI inline": lambda: theirs("ckpt_fti", n_ranks, "inline", None),
        "FTI head, memory": lambda: theirs("ckpt_fti", n_ranks, "head",
                                           MEMORY, 1),
        "VeloC, memory": lambda: theirs("ckpt_veloc", n_ranks, "async",
                                        MEMORY),
        "VeloC, disk": lambda: theirs("ckpt_veloc", n_ranks, "async", None),
    }


def best(found, peer, key):
    """Of the ways of a peer, in each round."""
    lists = [values(results, key) for name, results in found.items()
             if name.startswith(peer) and len(results) == LAUNCHES]
    return [min(round_) for round_ in zip(*lists)]


def judge(table, found, n_ranks, peer):
    at = f"{n_ranks} ranks, 10 MB: "
    mine = found["ours"]
    table.at_least(at + f"on the disk, {peer} to ours", 2,
                   ratios(best(found, peer, "durable_s"),
                          values(mine, "async_total_s")))
    table.at_most(at + f"the call, ours to {peer}", 1 / 3,
                  ratios(values(mine, "async_call_s"),
                         best(found, peer, "call_s")))
    table.tell(at + f"without syncs, {peer} says it is done, to ours",
               ratios(best(found, peer, "done_s"),
                      values(mine, "unsynced_s")), "x")


def peers(bench):
    """FTI and VeloC."""
    for n_ranks in (2, 4):
        at = f"{n_ranks} ranks, 10 MB: "
        found, missing = alternate(bench.points, f"peers {n_ranks} ranks",
                                   contestants(n_ranks), LAUNCHES)
        for name, results in found.items():
            if name in missing:
                bench.table.missing(at + name, "", missing[name])
            elif name != "ours":
                for key in ("call_s", "done_s", "durable_s"):
                    bench.table.tell(at + f"{name}, {key[:-2]}", Spread(
                        [1000 * value for value in values(results, key)]),
                        " ms")
        for peer in ("FTI", "VeloC"):
            if any(name not in missing for name in found
                   if name.startswith(peer)):
                judge(bench.table, found, n_ranks, peer)
