# ranks.sh - the part of disk-faults about jobs; read by it

# job N PLAN ACTION...: the ranks of a job are faulty, the launcher too
job() {
    n=$1
    plan=$2
    shift 2
    fresh
    faulty "$plan" "$MPIRUN" -n "$n" "$writer" "$@"
}

# What the calls of a rank have done, in the trace; every rank with "".
sum() { # CALLS RANK
    awk -v rank="$2" -v calls="^($1)\$" '
        (rank == "" || $5 == rank) && $6 ~ calls && $11 !~ /^-/ { n += $11 }
        END { print n + 0 }' "$scratch/trace"
}

job 3 'fail=EIO,call=write,n=2,rank=1' fill f 900
is "a rule of rank 1 is for rank 1 only" \
    [ "$(sum write 0) $(sum write 1) $(sum write 2)" = "900 300 900" ]
is "each rank counts for itself" \
    [ "$(awk '$3 == "write" { print $1 ":" $4 }' "$scratch/count" |
        sort | tr '\n' ' ')" = "0:3 1:2 2:3 " ]
job 3 'budget=1000,job' fill f 900
is "a disk of a job is full for all" [ "$(sum write '')" = 1000 ]
job 3 'fail=EIO,job,call=write,n=5' fill f 900
is "n of a job counts in all ranks" lines 1 ' write .* -EIO rule1$'

job 3 'kill-all,call=open,path=end' linger
is "kill-all: the launcher lives, and says so" grep -q 'signal 9' "$out"
is "kill-all: by one call" lines 1 ' 1 open end .* killed rule1,'
is "kill-all: nobody was left to be asked to end" \
    [ "$(echo "$scratch/d/"*)" = \
        "$scratch/d/here.0 $scratch/d/here.1 $scratch/d/here.2" ]
left=$(grep -la "DISK_DIR=$scratch/d" /proc/[0-9]*/environ 2>/dev/null)
is "kill-all: no child of theirs is left" [ -z "$left" ]

# What MPI-IO writes, by each of the ways that the MPI has.  OMPIO opens no file
# whose name is not absolute.
parallel() { # WAY SETTING
    [ -z "$2" ] || export "${2?}"
    job 2 '' mpi "$scratch/d/f"
    is "MPI-IO ($1): all bytes are seen" \
        [ "$(sum 'p?writev?2?' '')" = 2000 ]
    is "MPI-IO ($1): they are there" size_is f 2000
    is "MPI-IO ($1): its sync is seen" \
        grep -q ' fsync f .* 0 -$' "$scratch/trace"
    job 2 'fail=EIO,call=@write' mpi "$scratch/d/f"
    is "MPI-IO ($1): its writes fail" lines 2 ' p?writev?2? f .* -EIO rule1$'
    # What OMPIO does not do: it says that all went well.
    [ "$1" = OMPIO ] || is "MPI-IO ($1): and the program is told" \
        [ "$(grep -c '^rank [01]: bad' "$out")" = 2 ]
    [ -z "$2" ] || unset "${2%%=*}"
}
case ${MPI:-} in
openmpi)
    parallel OMPIO OMPI_MCA_io=ompio
    parallel ROMIO OMPI_MCA_io=romio321
    ;;
*) parallel ROMIO '' ;;
esac
