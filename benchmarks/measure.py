"""How the benchmarks measure: run commands, keep every point, judge ratios.

A contestant is a function that runs something once and returns a dictionary;
`alternate` calls all contestants of a row in turn, round after round, in an
order that reverses each time, so that a slow minute of the machine falls on
all of them.  Only values of the same round are divided by each other; a row's
figure is the median of these ratios, and its spread their least and greatest.
"""
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time

LIMIT_S = 300  # no command may take longer, unless it is told so


class NotMeasured(Exception):
    """A peer is missing, or failed; says why in words."""


class Failed(Exception):
    """A program of ours failed."""


def run(command, env=None, output=None, cwd=None, stdin=None, limit=LIMIT_S):
    """Run a command; returns (wall seconds, what it wrote to `output`).

    output: None (discard), "stdout" or "stderr" (keep that one).
    """
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    if output:
        streams[output] = subprocess.PIPE
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    start = time.monotonic()
    try:
        child = subprocess.Popen(command, env=env, cwd=cwd, stdin=source,
                                 start_new_session=True, **streams)
    except FileNotFoundError as error:
        raise NotMeasured(f"{command[0]} is not installed") from error
    finally:
        if stdin:
            source.close()
    try:
        kept = dict(zip(("stdout", "stderr"), child.communicate(None, limit)))
    except BaseException as error:
        end(child)
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failed(f"{command[0]} ran for {limit} s") from error
        raise
    seconds = time.monotonic() - start
    if child.returncode != 0:
        text = (kept["stderr"] or b"").decode(errors="replace").strip()
        last = text.splitlines()[-1] if text else "no message"
        sys.stderr.write(text + "\n")
        raise Failed(f"{os.path.basename(command[0])} exited with "
                     f"{child.returncode}: {last}")
    return seconds, kept[output].decode(errors="replace") if output else ""


def end(child):
    """End a command and what it started: a launcher first ends its ranks."""
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def last_object(text):
    """The last line of a text that is a JSON object."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    raise Failed("a benchmark printed no result")


def python_with(peers, module):
    """A Python that has a module: of the folder of peers, or the system's."""
    for python in (os.path.join(peers, "bin", "python"), "python3"):
        if shutil.which(python) and subprocess.run(
                [python, "-c", f"import importlib.util as u, sys; "
                 f"sys.exit(u.find_spec('{module}') is None)"],
                check=False).returncode == 0:
            return python
    raise NotMeasured(f"no {module}: make bench-peers")


def said(command):
    """Lines that a command prints, none when it cannot run."""
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return []
    lines = done.stdout.decode(errors="replace").splitlines()
    return lines if done.returncode == 0 else []


def commit(source):
    name = said(["git", "-C", source, "rev-parse", "--short=12", "HEAD"])
    changed = said(["git", "-C", source, "status", "--porcelain",
                    "--untracked-files=no"])
    return name[0] + ("+changes" if changed else "") if name else "no git"


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def machine(source):
    """What every point says of this machine, and of the source tree."""
    return {"commit": commit(source), "host": platform.node(),
            "processor": processor(), "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release()}


class Points:
    """One JSON line for every measured point."""

    def __init__(self, path, common):
        self.file = open(path, "a", encoding="utf-8")
        self.common = common

    def add(self, row, who, number, values):
        point = dict(self.common, row=row, who=who, round=number,
                     time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                     load=round(os.getloadavg()[0], 2), **values)
        self.file.write(json.dumps(point) + "\n")
        self.file.flush()


def alternate(points, row, contestants, rounds):
    """Run contestants {name: function} in turn.

    Returns ({name: [result of each round]}, {name: why it was not measured}).
    """
    results = {name: [] for name in contestants}
    missing = {}
    for number in range(rounds):
        names = list(contestants)
        for name in names if number % 2 == 0 else reversed(names):
            if name in missing:
                continue
            try:
                values = contestants[name]()
            except NotMeasured as error:
                missing[name] = str(error)
                continue
            results[name].append(values)
            points.add(row, name, number, values)
            show(f"  {row} {number + 1}/{rounds} {name}: {brief(values)}")
    return results, missing


def brief(values):
    return ", ".join(f"{key} {number(value)}" for key, value in values.items()
                     if isinstance(value, (int, float)))


def show(text):
    print(text, flush=True)


def number(value):
    """A number as a person writes it: three digits that count."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


class Spread:
    """Median, least and greatest of some values."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)

    def __str__(self):
        text = number(self.median)
        if len(self.values) > 1:
            text += f" ({number(min(self.values))}-{number(max(self.values))})"
        return text


def spread(results, key):
    return Spread([values[key] for values in results])


def ratio(over, under, key):
    """Ratios of two contestants, round by round."""
    return Spread([a[key] / b[key] for a, b in zip(over, under)])


class Table:
    """The rows of the end: what, target, measured, verdict."""

    def __init__(self, head=("what", "target", "median (least-greatest)",
                             "verdict")):
        self.head = head
        self.rows = []

    def at_least(self, what, target, found, unit="x"):
        self._judge(what, f">= {number(target)}{unit}", found, unit,
                    found.median >= target)

    def at_most(self, what, target, found, unit="x", strict=False):
        self._judge(what, f"{'<' if strict else '<='} {number(target)}{unit}",
                    found, unit, found.median < target or
                    (found.median == target and not strict))

    def _judge(self, what, target, found, unit, good):
        self.rows.append((what, target, f"{found}{unit}",
                          "met" if good else "not met"))

    def tell(self, what, found, unit=""):
        self.rows.append((what, "", f"{found}{unit}", ""))

    def missing(self, what, target, why):
        self.rows.append((what, target, why, "not measured"))

    def text(self):
        rows = [self.head] + self.rows
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = ["  ".join(cell.ljust(width) for cell, width in
                           zip(row, widths + [0])).rstrip() for row in rows]
        lines.insert(1, "-" * max(len(line) for line in lines))
        return "\n".join(lines)

    def count(self, verdict):
        return sum(1 for row in self.rows if row[3] == verdict)
