"""What the rows of bench-ckpt share: where things are, how they are run."""
import os
import tempfile

from measure import Failed, NotMeasured, Spread, last_object, run

SRC = os.environ.get("SRC") or os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD") or os.getcwd()
MPIRUN = (os.environ.get("MPIRUN") or "mpirun").split()
LAUNCHES = int(os.environ.get("BENCH_LAUNCHES") or 5)
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 21)
MB = 1000 * 1000


def environment(**options):
    """The programs of the build tree find its libraries."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("RPT_")}
    libs = os.path.join(BUILD, ".libs")
    peers = [os.path.join(env[name], "lib") for name in
             ("PEER_FTI", "PEER_VELOC") if env.get(name)]
    env["LD_LIBRARY_PATH"] = os.pathsep.join(
        filter(None, [libs] + peers + [env.get("LD_LIBRARY_PATH")]))
    env["RPT_IO_HDF5_LIBRARY"] = os.path.join(libs, "librepartir-hdf5.so")
    env.update({name: str(value) for name, value in options.items()})
    return env


def program(folder, name):
    """A built program itself, not the script that libtool lays over it."""
    real = os.path.join(BUILD, folder, ".libs", name)
    return real if os.path.exists(real) else os.path.join(BUILD, folder, name)


def ranks(n_ranks, command):
    return MPIRUN + ["-n", str(n_ranks)] + [str(part) for part in command]


def a_folder(above=None):
    """A folder for a while, on the disk that is measured."""
    return tempfile.TemporaryDirectory(
        dir=above or os.environ.get("BENCH_DIR") or BUILD)


def launch(n_ranks, name, *args, **options):
    """What a program of ours prints."""
    command = [program("benchmarks", name)] + list(args)
    _, text = run(ranks(n_ranks, command), environment(**options), "stdout")
    return last_object(text)


def launch_peer(n_ranks, name, *args):
    try:
        return launch(n_ranks, name, *args)
    except Failed as error:
        raise NotMeasured("it failed; what it said is above") from error


def ratios(over, under):
    """Of two lists of numbers, one by one."""
    return Spread([a / b for a, b in zip(over, under)])


def values(results, key):
    return [result[key] for result in results]
