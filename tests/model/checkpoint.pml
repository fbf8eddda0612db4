/*
 * checkpoint.pml - how a checkpoint is committed, lost and found again
 *
 * Ranks that save, one after another, on the disk of disk.pml; a disaster that
 * ends them between any two steps; the job that begins again.  README.md says
 * what is claimed and what is left out.
 *
 * A comment "= FILE FUNCTION CALL" names the call of io/checkpoint that does
 * the step.  commit-and-restart looks whether that function still makes these
 * calls in the order in which they stand here.
 *
 * WITHOUT_... and LIKE_... are the mutations of that script: a sync that is
 * left out, a step that is done in another way.
 */
#ifndef RANKS
#define RANKS 2
#endif
#ifndef SAVES
#define SAVES 3
#endif
#ifndef KEEP
#define KEEP 1 /* io.checkpoint.keep */
#endif
/* How often these happen at most: the job ends without a word; a write or a
 * sync fails; rank 0 waits no longer; a checkpoint cannot be read. */
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef ERRORS
#define ERRORS 1
#endif
#ifndef LATES
#define LATES 1
#endif
#ifndef UNREADS
#define UNREADS 1
#endif

/* How often somebody removes an old one beside the job. */
#ifndef PRUNES
#define PRUNES 0
#endif

#define NOBODY 255

#include "disk.pml"

/* ---- the job ---- */

#define OK 0
#define PENDING 1
#define FAILED 2

chan go[RANKS] = [1] of { byte };            /* the new folder     */
chan down = [RANKS] of { byte, byte, byte }; /* save, rank, status */
chan over[RANKS] = [1] of { byte, byte };    /* save, status       */

byte crashes = CRASHES, errors = ERRORS, lates = LATES, unreads = UNREADS;
byte dead;          /* bits of ranks that have to begin anew            */
byte next;          /* folder of the next save                          */
byte iteration;     /* the program's                                    */
byte unread;        /* bits of checkpoints that this job cannot read    */
byte n_idle = RANKS - 1;
/* rank 0 */
byte st;
byte stamp = NOBODY; /* of the save that it hears messages of            */
byte is_down;        /* bits of ranks                                    */
byte failure;        /* of the first rank that had one                   */
byte at = NOBODY;    /* the folder that it works on                      */
byte verified = NOBODY, victim = NOBODY;
byte m_save, m_rank, m_st; /* a message */
bit is_help;
#if PRUNES
byte prunes = PRUNES, p_step, p_victim;
#endif

#define STEP(what)                                                             \
    if                                                                         \
    :: atomic { st == OK -> what }                                             \
    :: else                                                                    \
    fi
#define RISKY(what)                                                            \
    if                                                                         \
    :: atomic { st == OK -> what }                                             \
    :: atomic { st == OK && errors > 0 -> errors--; st = FAILED }              \
    :: else                                                                    \
    fi

#ifdef CHECK_ORDER
#define ORDER(what) assert(what)
#else
#define ORDER(what) skip
#endif

#include "commit.pml"

/* ---- begin.c ---- */

/* A message of the save before may still come. */
inline hear(i, rank, status)
{
    if
    :: i == stamp && !((is_down >> rank) & 1) ->
        is_down = is_down | (1 << rank);
        if
        :: status == FAILED -> failure = FAILED
        :: else
        fi
    :: else
    fi
}

inline begin()
{
    /* rpt__save_finish() */
    atomic {
        at = next;
        next++;
        iteration++;
        f[at].iteration = iteration;
        f[at].fate = SAVING;
        st = OK;
#ifndef LIKE_LATE_MESSAGES_COUNT
        stamp = NOBODY
#endif
    }
    n_idle == RANKS - 1;
    do
    :: atomic { down?m_save, m_rank, m_st -> hear(m_save, m_rank, m_st) }
    :: empty(down) -> break
    od;
    m_save = 0;
    m_rank = 0;
    m_st = 0;
    stamp = at;
    /* The new folder; neither it nor the names in it are synced here. */
    RISKY(set_name(at, TMP));
    RISKY(create(at, STATE | BLOCKS); f[at].seal = HEAD);
    if
    :: st != OK -> f[at].fate = FAILED_SAVE; remove(at)
    :: else
    fi
}

/* ---- save.c and stream.c: a rank's part ---- */

#define WRITE_SEAL(i, rank)                                                    \
    f[i].seal = f[i].seal | (1 << rank);                                       \
    f[i].fate = (f[i].fate == SAVING && f[i].seal == SEALED -> DOWN :          \
                                                              f[i].fate)

inline write_part(i, rank, st)
{
    /* state.h5, and its files with the folders above them */
#ifdef LIKE_SEALS_WITH_DATA
    RISKY(f[i].data = f[i].data | (1 << rank));
    RISKY(WRITE_SEAL(i, rank));
    RISKY(f[i].safe_seal = f[i].safe_seal | (f[i].seal & (1 << rank)) |
                           (rank == 0 -> HEAD : 0));
    RISKY(f[i].safe_data = f[i].safe_data | (1 << rank))
#else
    RISKY(f[i].data = f[i].data | (1 << rank));
#ifndef WITHOUT_DATA_SYNC
    RISKY(f[i].safe_data = f[i].safe_data | (1 << rank));
#endif
    /* its section of blocks.xxh */
    RISKY(WRITE_SEAL(i, rank));
#ifndef WITHOUT_SEAL_SYNC
    RISKY(f[i].safe_seal = f[i].safe_seal | (1 << rank) |
                           (rank == 0 -> HEAD : 0))
#endif
#endif
}

/* Its text is for who finds the folder after a kill; it is not synced. */
inline write_draft()
{
    put_text(at, DRAFT)
}

/* Rank 0 hears who is down, or waits no longer. */
inline gather()
{
    atomic {
        hear(at, 0, st);
        do
        :: down?m_save, m_rank, m_st -> hear(m_save, m_rank, m_st)
        :: is_down == ALL -> break
        :: is_down != ALL && lates > 0 ->
            /* it gives up */
            lates--;
            failure = FAILED;
            break
        od;
        m_save = 0;
        m_rank = 0;
        m_st = 0;
        st = OK
    }
}

inline decide()
{
    if
    :: failure != OK ->
        f[at].fate = FAILED_SAVE;
        /* rpt__dir_remove() */
        remove(at);
        st = FAILED
    :: else ->
        assert(f[at].fate == DOWN);
        /* rpt__commit() */
        commit(at);
        assert(st != PENDING);
        if
        :: st != OK ->
            f[at].fate = FAILED_SAVE;
            /* rpt__save_undo() */
#ifndef LIKE_FAILED_COMMITS_STAY
            if
            :: f[at].name == TMP -> remove(at)
            :: else
            fi
#endif
        :: else ->
            /* rpt__retain() */
            retain(at)
        fi
    fi
}

inline announce()
{
    atomic {
        if
        :: st == OK ->
            assert(f[at].name == IT && IS_WHOLE(at));
            ORDER(IS_SAFE(at));
            f[at].fate = TOLD
        :: else -> assert(f[at].name != TMP) /* it takes space no longer */
        fi;
        d_step {
            for (k : 1 .. RANKS - 1) {
                over[k]!at, st
            }
        }
        is_down = 0;
        failure = OK;
        at = NOBODY;
        st = OK
    }
}

inline save()
{
    begin();
    if
    :: st == OK ->
        d_step {
            for (k : 1 .. RANKS - 1) {
                go[k]!at;
                n_idle--
            }
        }
#ifdef LIKE_DRAFT_COMES_LATE
        write_part(at, 0, st);
        write_draft();
#else
        write_draft();
        write_part(at, 0, st);
#endif
        gather();
        decide();
        announce()
    :: else -> atomic { at = NOBODY; st = OK }
    fi
}

/* ---- who acts ---- */

proctype rank_0() provided (dead <= 1)
{
again:
    {
        dead == 0;
        open_task();
        claim_all();
        restore();
        do
        :: next < SAVES -> save()
        :: else -> break
        od;
end:
        false
    } unless { dead == 1 };
    atomic {
        dead = dead & ~1;
        m_save = 0;
        m_rank = 0;
        m_st = 0
    }
    goto again
}

/* The others' processes are told the same as rank 0. */
inline hear_over(i, own)
{
    atomic {
        over[me]?save_of, told ->
        assert(save_of == i && !(own == FAILED && told == OK));
        assert((told == OK) == (f[i].fate == TOLD || f[i].fate == RETIRED));
        save_of = 0;
        told = 0;
        n_idle++
    }
}

proctype rank(byte me) provided ((dead >> (_pid - 2)) <= 1)
{
    byte mine = NOBODY, own, save_of, told;
end:
    {
        go[me]?mine;
        write_part(mine, me, own);
        if
        :: hear_over(mine, own) /* rank 0 has given up */
        :: down!mine, me, own ->
            hear_over(mine, own)
        fi;
        goto ended
    } unless { (dead >> me) == 1 };
ended:
    atomic {
        dead = dead & ~(1 << me);
        mine = NOBODY;
        own = OK;
        save_of = 0;
        told = 0
    }
    goto end
}

#if PRUNES
inline find_prey()
{
    d_step {
        p_victim = NOBODY;
        for (k : 0 .. SAVES - 1) {
            for (b : 0 .. SAVES - 1) {
                if
                :: f[k].name == IT && f[b].name == IT && IS_NEWER(b, k) &&
                        k != verified ->
                    p_victim = k
                :: else
                fi
            }
        }
    }
}

/* tidy.c: rpt__retire() of any but the newest, without the lock.  It may be
 * killed, too. */
proctype pruner()
{
end:
    do
    :: atomic {
            p_step == 0 && prunes > 0 ->
            find_prey();
            if
            :: p_victim != NOBODY -> prunes--; p_step = 1
            :: else
            fi
        }
    :: atomic {
            p_step == 1 ->
            if
            :: f[p_victim].name == IT ->
                set_name(p_victim, OLD);
                f[p_victim].fate = RETIRED
            :: else
            fi;
            p_step = 2
        }
    :: atomic { p_step == 2 -> sync_task(); p_step = 3 }
    :: atomic {
            p_step == 3 ->
            if
            :: f[p_victim].name != OLD -> p_step = 0
            :: f[p_victim].name == OLD && f[p_victim].has != 0 ->
                if
                :: f[p_victim].has & MANIFEST -> unlink(p_victim, MANIFEST)
                :: !(f[p_victim].has & MANIFEST) &&
                        (f[p_victim].has & BLOCKS) ->
                    unlink(p_victim, BLOCKS)
                :: !(f[p_victim].has & (MANIFEST | BLOCKS)) ->
                    unlink(p_victim, DRAFT);
                    unlink(p_victim, STATE)
                fi
            :: f[p_victim].name == OLD && f[p_victim].has == 0 ->
                set_name(p_victim, NONE);
                p_step = 0
            fi
        }
    :: atomic { p_step > 0 -> p_step = 0 }
    od
}
#endif

/* All processes of the job end at once; the page cache stays, or goes too. */
proctype disaster()
{
end:
    do
    :: atomic {
            dead == 0 && crashes > 0 ->
            crashes--;
            if
            :: power_failure();
#if PRUNES
                p_step = 0;
#endif
                d_step {
                    for (k : 0 .. SAVES - 1) {
                        if
                        :: f[k].fate == DOWN -> f[k].fate = FREE
                        :: else
                        fi
                    }
                }
            :: skip
            fi;
            skip;
            d_step {
                do
                :: down?_, _, _
                :: empty(down) -> break
                od;
                for (k : 1 .. RANKS - 1) {
                    if
                    :: go[k]?_
                    :: empty(go[k])
                    fi;
                    if
                    :: over[k]?_, _
                    :: empty(over[k])
                    fi
                }
                for (k : 0 .. SAVES - 1) {
                    if
                    :: IS_PROMISED(k)
                    :: else ->
                        f[k].fate = FREE;
                        f[k].iteration =
                            (f[k].name == NONE -> 0 : f[k].iteration)
                    fi
                }
            }
            dead = ALL;
            n_idle = RANKS - 1;
            unread = 0;
            iteration = 0;
            st = OK;
            stamp = NOBODY;
            is_down = 0;
            failure = OK;
            at = NOBODY;
            victim = NOBODY;
            is_help = 0;
            verified = NOBODY
        }
    od
}

init
{
    atomic {
        for (i_lost : 0 .. SAVES - 1) {
            f[i_lost].names = ONLY(NONE)
        }
        run rank_0();
        run disaster();
        for (i_lost : 1 .. RANKS - 1) {
            run rank(i_lost) /* _pid is 2 more */
        };
#if PRUNES
        run pruner();
#endif
        i_lost = 0
    }
}
