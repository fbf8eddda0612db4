"""The rows `daly` and `kills` of bench-ckpt: what checkpoints cost a program,
and what they save it, seen from outside.

examples/heat2d, 10 MB, tells each hundredth step; its lines get the time of
their coming here.  It starts in what MPI needs for that, which is not counted.
"""
import json
import os
import random
import signal
import subprocess
import threading
import time

from ckpt_run import a_folder, environment, program, ranks
from measure import Failed, Spread, alternate, end

N_RANKS = 2
SIDE = 1120  # 10 MB
NEVER = 10 ** 9
STEPS_FIRST = 300  # what comes before is warming up
DALY_S = float(os.environ.get("BENCH_DALY_S") or 40)
DALY_ROUNDS = int(os.environ.get("BENCH_DALY_ROUNDS") or 5)
KILLS = int(os.environ.get("BENCH_KILLS") or 30)
KILL_MEAN_S = float(os.environ.get("BENCH_KILL_MEAN_S") or 20)
SEED = int(os.environ.get("SEED") or 1)


class Heat:
    """A run of heat2d, and when it reached which step."""

    def __init__(self, folder, steps, mtbf_s=None):
        options = {} if mtbf_s is None else {
            "RPT_IO_CHECKPOINT_DALY": "yes",
            "RPT_IO_CHECKPOINT_MTBF_S": mtbf_s}
        self.seen = []          # (step, time)
        self.goes_on_at = None  # the step it began with
        self.child = subprocess.Popen(
            ranks(N_RANKS, [program("examples", "heat2d"), "--n", SIDE,
                            "--steps", steps, "--every", NEVER, "--async",
                            "--dir", folder]),
            env=environment(**options), stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True)
        self.begun = threading.Event()
        self.threads = [threading.Thread(target=read) for read in
                        (self._read_steps, self._read_messages)]
        for thread in self.threads:
            thread.start()

    def _read_steps(self):
        for line in self.child.stdout:
            now = time.monotonic()
            if line.startswith("step "):
                self.seen.append((int(line.split()[1].rstrip(":")), now))

    def _read_messages(self):
        for line in self.child.stderr:
            if line.startswith(("heat2d: starts", "heat2d: goes on")):
                self.goes_on_at = (int(line.split()[-1])
                                   if "goes on after" in line else 0)
                self.began = time.monotonic()
                self.begun.set()
        self.begun.set()

    def wait_for_begin(self):
        self.begun.wait(60)
        if self.goes_on_at is None:
            self.stop()
            raise Failed("heat2d did not begin")
        return self.began

    def finish(self, limit=600):
        try:
            self.child.wait(limit)
        finally:
            self.stop()
        if self.child.returncode != 0:
            raise Failed(f"heat2d exited with {self.child.returncode}")
        return self

    def stop(self):
        if self.child.poll() is None:
            end(self.child)
        for thread in self.threads:
            thread.join()
        self.child.stdout.close()
        self.child.stderr.close()

    def kill_a_rank(self, which):
        """SIGKILL, as the kernel or a node that goes down would; the launcher
        ends the other ranks."""
        pids = heat_processes(self.child.pid)
        if pids:
            os.kill(pids[which % len(pids)], signal.SIGKILL)
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            pass
        self.stop()

    def step_s(self):
        """Seconds a step, between two of the lines."""
        lines = [line for line in self.seen if line[0] >= STEPS_FIRST]
        if len(lines) < 2:
            raise Failed("heat2d told too few steps: raise BENCH_DALY_S")
        (first, from_s), (last, to_s) = lines[0], lines[-1]
        return (to_s - from_s) / (last - first)


def heat_processes(pid):
    """The ranks below a launcher."""
    below, found = [pid], []
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                text = file.read()
        except OSError:
            continue
        what, rest = text.rsplit(")", 1)
        parents.setdefault(int(rest.split()[1]), []).append(
            (int(name), what.split("(", 1)[1]))
    while below:
        for child, what in parents.get(below.pop(), []):
            below.append(child)
            if what == "heat2d":
                found.append(child)
    return sorted(found)


# ---- daly ----

def commits(folder):
    """Each one's iteration, when it was committed, and the seconds since the
    call, from the log of the task."""
    found = []
    path = os.path.join(folder, "heat", "events.jsonl")
    if not os.path.exists(path):
        return found
    with open(path, encoding="utf-8") as file:
        for event in map(json.loads, file):
            if event["event"] == "commit":
                found.append((event["iteration"], event["time"],
                              event["seconds"]))
    return found


def timed(steps, mtbf_s):
    with a_folder() as folder:
        heat = Heat(folder, steps, mtbf_s).finish()
        last, step_s = heat.seen[-1][0], heat.step_s()
        inside = [save for save in commits(folder)
                  if STEPS_FIRST <= save[0] < last]
    run_s = step_s * (last - STEPS_FIRST)
    return {"step_s": step_s, "run_s": run_s, "saves": len(inside),
            "interval_s": run_s / len(inside) if inside else 0.0,
            "saving_s": sum(took for _, _, took in inside)}


def daly(bench):
    """The run time of heat2d with checkpoints at Daly's interval."""
    steps = int(DALY_S / timed(3000, None)["step_s"]) + STEPS_FIRST
    found, _ = alternate(bench.points, "daly", {
        "none": lambda: timed(steps, None),
        "MTBF 1 h": lambda: timed(steps, 3600),
        "MTBF 36 s": lambda: timed(steps, 36),
    }, DALY_ROUNDS)
    none, hour, often = found.values()
    table = bench.table
    if not all(run["saves"] for run in hour + often):
        raise Failed("a run of heat2d had no save: raise BENCH_DALY_S")
    at = "heat2d, MTBF 1 h: "
    table.at_most(at + "longer than without checkpoints", 2,
                  Spread([100 * (b["step_s"] / a["step_s"] - 1)
                          for a, b in zip(none, hour)]), " %")
    table.at_most(at + "time between call and commit", 2,
                  Spread([100 * run["saving_s"] / run["run_s"]
                          for run in hour]), " %")
    table.tell(at + "interval",
               Spread([run["interval_s"] for run in hour]), " s")
    at = "heat2d, MTBF 36 s: "
    table.tell(at + "longer than without checkpoints",
               Spread([100 * (b["step_s"] / a["step_s"] - 1)
                       for a, b in zip(none, often)]), " %")
    costs = [(b["run_s"] - a["run_s"]) / b["saves"]
             for a, b in zip(none, often)]
    table.tell(at + "a save makes the run longer by",
               Spread([1000 * cost for cost in costs]), " ms")
    interval_s = Spread([run["interval_s"] for run in hour]).median
    table.tell(at + "that, to the interval for 1 h",
               Spread([100 * cost / interval_s for cost in costs]), " %")


# ---- kills ----

def killed(after_s, which):
    """Killed so long after it began; started again, to see what is left."""
    with a_folder() as folder:
        heat = Heat(folder, NEVER, KILL_MEAN_S)
        began = heat.wait_for_begin()
        time.sleep(max(0, began + after_s - time.monotonic()))
        killed_at, ran_s = time.time(), time.monotonic() - began
        heat.kill_a_rank(which)
        saves = [save for save in commits(folder) if save[1] <= killed_at]
        again = Heat(folder, NEVER, KILL_MEAN_S)
        again.wait_for_begin()
        again.stop()
    # When what it goes on with was copied.  One that was committed only now is
    # not in the log: what is told then is too much.
    kept = [at - took for step, at, took in saves
            if step <= again.goes_on_at]
    return {"ran_s": ran_s, "step": again.goes_on_at, "saves": len(saves),
            "lost_s": killed_at - kept[-1] if kept else ran_s,
            "saving_s": sum(took for _, _, took in saves)}


def kills(bench):
    """Work lost when a rank is killed at a random moment."""
    draw = random.Random(SEED)
    points = []
    for number in range(KILLS):
        after_s = min(1 + draw.expovariate(1 / KILL_MEAN_S), 6 * KILL_MEAN_S)
        point = killed(after_s, draw.randrange(N_RANKS))
        points.append(point)
        bench.points.add("kills", "random kill", number, point)
        bench.say(f"  kills {number + 1}/{KILLS}: ran {point['ran_s']:.2f} s, "
                  f"goes on after step {point['step']}, lost "
                  f"{point['lost_s']:.3f} s; {point['saves']} saves took "
                  f"{point['saving_s']:.3f} s")
    ran, lost, saving = (sum(point[key] for point in points)
                         for key in ("ran_s", "lost_s", "saving_s"))
    what = f"{KILLS} random kills, {KILL_MEAN_S:g} s: "
    bench.table.at_least(what + "less lost than without checkpoints", 90,
                         Spread([100 * (1 - lost / ran)]), " %")
    bench.table.at_least(what + "all saves counted as lost, too", 90,
                         Spread([100 * (1 - (lost + saving) / ran)]), " %")
    bench.table.tell(what + "lost by a kill",
                     Spread([point["lost_s"] for point in points]), " s")
