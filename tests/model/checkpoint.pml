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

/* ---- rpt__dir_put(), rpt__dir_remove() ---- */

inline put_text(i, file)
{
    /* = dir.c rpt__dir_put rpt__dir_create */
    RISKY(f[i].replaced = (file == MANIFEST && (f[i].unsure & file));
          create(i, file); f[i].text = f[i].text & ~file;
          f[i].safe_text = f[i].safe_text & ~file);
    /* = dir.c rpt__dir_put rpt__write_at */
    RISKY(f[i].text = f[i].text | file)
}

inline sync_text(i, file)
{
    /* = dir.c rpt__dir_put rpt__sync_file */
    RISKY(f[i].safe_text = f[i].safe_text | file)
}

/* By name: MANIFEST.json, blocks.xxh, draft.json, state.h5. */
inline remove(i)
{
    /* = dir.c rpt__dir_remove remove_in */
    do
    :: f[i].has & MANIFEST -> atomic { unlink(i, MANIFEST) }
    :: !(f[i].has & MANIFEST) && (f[i].has & BLOCKS) ->
        atomic { unlink(i, BLOCKS) }
    :: f[i].has == (DRAFT | STATE) || f[i].has == DRAFT ->
        atomic { unlink(i, DRAFT) }
    :: f[i].has == STATE -> atomic { unlink(i, STATE) }
    :: f[i].has == 0 -> break
    od;
    /* = dir.c rpt__dir_remove unlinkat */
    atomic { set_name(i, NONE) }
}

/* ---- commit.c ---- */

#ifdef LIKE_STATE_IS_NOT_LOOKED_AT
#define WITH_DRAFT (DRAFT | BLOCKS)
#define WITH_MANIFEST (MANIFEST | BLOCKS)
#else
#define WITH_DRAFT (DRAFT | BLOCKS | STATE)
#define WITH_MANIFEST (MANIFEST | BLOCKS | STATE)
#endif
#ifdef LIKE_HALF_IS_ENOUGH
#define IS_SEALED(i) (f[i].seal & HEAD)
#else
#define IS_SEALED(i) (f[i].seal == SEALED)
#endif
#define HAS(i, files, last)                                                    \
    ((f[i].has & (files)) == (files) && (f[i].text & last) && IS_SEALED(i))

inline sync_parent()
{
#ifdef WITHOUT_PARENT_SYNC
    skip
#else
    RISKY(sync_task())
#endif
}

inline give_name(i)
{
    RISKY(ORDER((f[i].safe_text & MANIFEST) && !(f[i].unsure & MANIFEST) &&
                f[i].safe_data == ALL && f[i].safe_seal == SEALED);
          set_name(i, IT))
}

inline drop_draft(i)
{
    STEP(unlink(i, DRAFT))
}

inline commit(i)
{
    /* = commit.c rpt__commit read_draft */
    STEP(if
         :: HAS(i, WITH_DRAFT, DRAFT) -> skip
         :: else -> st = PENDING
         fi);
#ifdef LIKE_NAME_BEFORE_MANIFEST
    give_name(i);
    sync_parent();
#endif
#ifdef LIKE_DRAFT_GOES_FIRST
    drop_draft(i);
#endif
    /* = commit.c rpt__commit put_manifest */
    /* = commit.c put_manifest rpt__dir_remove */
    STEP(unlink(i, MANIFEST));
    /* = commit.c put_manifest rpt__dir_put */
    put_text(i, MANIFEST);
#ifndef WITHOUT_MANIFEST_SYNC
    sync_text(i, MANIFEST);
#endif
#ifdef LIKE_DRAFT_GOES_BEFORE_SYNC
    drop_draft(i);
#endif
    /* = commit.c rpt__commit rpt__dir_sync */
#ifndef WITHOUT_FOLDER_SYNC
    RISKY(sync_folder(i));
#endif
    /* = commit.c rpt__commit rpt__dir_remove */
#if !defined(LIKE_DRAFT_GOES_FIRST) && !defined(LIKE_DRAFT_GOES_BEFORE_SYNC)
    drop_draft(i);
#endif
#ifndef LIKE_NAME_BEFORE_MANIFEST
    /* = commit.c rpt__commit rpt__dir_rename */
    give_name(i);
    /* = commit.c rpt__commit rpt__dir_sync */
    sync_parent()
#else
    skip
#endif
}

/* finish(): the draft has gone already. */
inline finish(i)
{
    /* = commit.c finish read_manifest */
    /* = commit.c finish read_blocks */
    STEP(if
         :: HAS(i, WITH_MANIFEST, MANIFEST) -> skip
         :: else -> st = PENDING
         fi);
    /* = commit.c finish rpt__dir_rename */
    give_name(i);
    /* = commit.c finish rpt__dir_sync */
    sync_parent()
}

inline settle(i)
{
    st = OK;
    if
    :: f[i].name == OLD -> remove(i)
    :: f[i].name == TMP ->
        /* = commit.c settle sync_blocks */
#ifndef WITHOUT_SYNC_OF_SEALS_LEFT
        RISKY(f[i].safe_seal = f[i].seal);
#endif
        /* = commit.c settle rpt__commit */
        commit(i);
#ifndef LIKE_LEFTOVERS_ARE_REMOVED
        if
        :: st == PENDING ->
            st = OK;
            /* = commit.c settle finish */
            finish(i)
        :: else
        fi;
#endif
        if
        :: st == PENDING ->
            st = OK;
            /* = commit.c settle rpt__dir_remove */
            remove(i)
        :: else
        fi
    fi
}

/* ---- retain.c: keep the newest KEEP, the verified one and this one ---- */

#ifdef LIKE_THIS_ONE_MAY_GO
#define MAY_GO(j, i) true
#else
#define MAY_GO(j, i) (j != i)
#endif

inline find_victim(i)
{
    d_step {
        w = NOBODY;
        for (k : 0 .. SAVES - 1) {
            n = 0;
            for (b : 0 .. SAVES - 1) {
                if
                :: f[b].name == IT && IS_NEWER(b, k) -> n++
                :: else
                fi
            }
            if
            :: f[k].name == IT && n >= KEEP && k != verified && MAY_GO(k, i) &&
                    (w == NOBODY || IS_NEWER(w, k)) ->
                w = k
            :: else
            fi
        }
        victim = w;
        w = 0;
        n = 0
    }
}

/* One that this job can read, newer than folder i; also after a power
 * failure? */
inline claim_newer(i)
{
    d_step {
        n = 0;
        w = 0;
        for (k : 0 .. SAVES - 1) {
            if
            :: f[k].name == IT && IS_WHOLE(k) && IS_NEWER(k, i) &&
                    !((unread >> k) & 1) ->
                n++;
                w = w + (IS_SAFE(k) -> 1 : 0)
            :: else
            fi
        }
        assert(n > 0);
        ORDER(w > 0);
        n = 0;
        w = 0
    }
}

inline retain(i)
{
    do
    :: st == OK ->
        /* = retain.c rpt__retain rpt__find_all */
        find_victim(i);
        if
        :: victim == NOBODY -> break
        :: else
        fi;
        /* = retain.c rpt__retain rpt__retire */
        /* = commit.c rpt__retire rename_to */
        /* = commit.c rename_to rpt__dir_rename */
#ifdef LIKE_OLD_ONES_GO_AS_THEY_ARE
        atomic {
            claim_newer(victim);
            f[victim].fate = RETIRED
        }
#else
        RISKY(claim_newer(victim); set_name(victim, OLD);
              f[victim].fate = RETIRED);
#endif
        /* = commit.c rename_to rpt__dir_sync */
#ifndef WITHOUT_SYNC_BEFORE_REMOVAL
        RISKY(sync_task());
#endif
        /* = commit.c rpt__retire rpt__dir_remove */
        if
        :: st == OK -> remove(victim)
        :: else
        fi
    :: else -> break
    od;
    atomic {
        st = OK; /* is a warning only */
        victim = NOBODY
    }
}

/* ---- open.c, commit.c: what was left ---- */

inline open_task()
{
    do
    :: st = OK;
        /* = open.c prepare rpt__dir_make_path */
        RISKY(home_unsure = home_unsure | (1 & ~home); home = home | 1);
        /* = dir.c rpt__dir_make_path sync_above */
#ifndef WITHOUT_SYNC_ABOVE
        RISKY(home_unsure = home_unsure & ~1);
#endif
        /* = open.c prepare rpt__dir_make */
        RISKY(home_unsure = home_unsure | (2 & ~home); home = home | 2);
        /* = open.c prepare rpt__dir_sync */
#ifndef WITHOUT_TOP_SYNC
        RISKY(home_unsure = home_unsure & ~2);
#endif
        /* = open.c prepare look_around */
        /* = open.c look_around rpt__commit_leftovers */
        /* = commit.c rpt__commit_leftovers rpt__dir_sync */
#ifndef WITHOUT_SYNC_AT_OPENING
        RISKY(sync_task());
#endif
        /* = commit.c rpt__commit_leftovers settle */
        do
        :: st == OK ->
            if
            :: atomic { f[0].name == TMP || f[0].name == OLD -> at = 0 }
            :: atomic { f[1].name == TMP || f[1].name == OLD -> at = 1 }
#if SAVES > 2
            :: atomic { f[2].name == TMP || f[2].name == OLD -> at = 2 }
#endif
#if SAVES > 3
            :: atomic { f[3].name == TMP || f[3].name == OLD -> at = 3 }
#endif
            :: else -> break
            fi;
            settle(at)
        :: else -> break /* the job fails, and is started again */
        od;
        at = NOBODY;
        if
        :: st == OK -> break
        :: else
        fi
    od
}

#define IS_PROMISED(i) (f[i].fate == DOWN || f[i].fate == TOLD)

/* What was promised is there, and nothing else has the name of one. */
inline claim_all()
{
    d_step {
        for (k : 0 .. SAVES - 1) {
            assert(!IS_PROMISED(k) || f[k].name == IT);
            assert(f[k].name != IT || IS_WHOLE(k))
        }
    }
}

/* ---- restore.c ---- */

inline find_newest()
{
    d_step {
        w = NOBODY;
        for (k : 0 .. SAVES - 1) {
            if
            :: f[k].name == IT && !((unread >> k) & 1) &&
                    (w == NOBODY || IS_NEWER(k, w)) ->
                w = k
            :: else
            fi
        }
        at = w;
        w = 0
    }
}

/* None that was promised is newer than what is restored. */
inline claim_newest()
{
    d_step {
        for (k : 0 .. SAVES - 1) {
            assert(!IS_PROMISED(k) ||
                   ((unread >> k) & 1) ||
                   (at != NOBODY && (k == at || IS_NEWER(at, k))))
        }
    }
}

inline restore()
{
    do
    :: atomic {
            /* = restore.c list rpt__find_all */
            find_newest();
            if
            :: at == NOBODY ->
                claim_newest();
                iteration = 0;
                break
            :: at != NOBODY && unreads > 0 ->
                unreads--;
                /* = restore.c choose pass_over */
                unread = unread | (1 << at)
            :: at != NOBODY && IS_WHOLE(at) ->
                /* = restore.c try_next verify_together */
                claim_newest();
                /* = restore.c try_next fill */
                iteration = f[at].iteration;
                verified = at;
                f[at].fate = TOLD;
                break
            :: at != NOBODY && !IS_WHOLE(at) ->
                /* = restore.c put_aside rpt__put_aside */
                assert(!IS_PROMISED(at));
                set_name(at, BAD)
            fi
        }
    od;
    at = NOBODY
}

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
    /* = begin.c finish_last rpt__save_finish */
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
    /* = begin.c agree greet */
    n_idle == RANKS - 1;
    do
    :: atomic { down?m_save, m_rank, m_st -> hear(m_save, m_rank, m_st) }
    :: empty(down) -> break
    od;
    m_save = 0;
    m_rank = 0;
    m_st = 0;
    stamp = at;
    /* = begin.c agree name_folder */
    /* = begin.c name_folder make_folder */
    /* = begin.c make_folder rpt__dir_make */
    RISKY(set_name(at, TMP));
    /* = begin.c make_folder create_file */
    /* = begin.c make_folder create_file */
    /* = begin.c make_folder write_head */
    RISKY(create(at, STATE | BLOCKS); f[at].seal = HEAD);
    /* = begin.c name_folder rpt__dir_remove */
    if
    :: st != OK -> f[at].fate = FAILED_SAVE; remove(at)
    :: else
    fi
    /* = begin.c name_folder rpt__talk_one */
}

/* ---- save.c and stream.c: a rank's part ---- */

inline write_part(i, rank, st)
{
    /* = stream.c rpt__stream_write do_part */
#ifdef LIKE_SEAL_BEFORE_DATA
    RISKY(f[i].seal = f[i].seal | (1 << rank));
    RISKY(f[i].safe_seal = f[i].safe_seal | (f[i].seal & (1 << rank)));
#endif
    RISKY(f[i].data = f[i].data | (1 << rank));
    /* = stream.c rpt__stream_write sync_file */
#ifndef WITHOUT_DATA_SYNC
    RISKY(f[i].safe_data = f[i].safe_data | (1 << rank));
#endif
    /* = stream.c rpt__stream_write write_section */
    /* = stream.c write_section rpt__write_at */
#ifndef LIKE_SEAL_BEFORE_DATA
    RISKY(f[i].seal = f[i].seal | (1 << rank));
#endif
    /* = stream.c write_section sync_file */
#ifndef WITHOUT_SEAL_SYNC
    RISKY(f[i].safe_seal = f[i].safe_seal | (1 << rank) |
                           (rank == 0 -> HEAD : 0))
#endif
}

inline write_draft()
{
    /* = save.c write_job rpt__dir_put */
    put_text(at, DRAFT);
#ifndef WITHOUT_DRAFT_SYNC
    sync_text(at, DRAFT);
#endif
    /* = save.c write_job rpt__dir_sync */
#ifndef WITHOUT_FIRST_FOLDER_SYNC
    RISKY(sync_folder(at));
#endif
    /* = save.c write_job rpt__dir_sync */
#ifndef WITHOUT_FIRST_PARENT_SYNC
    RISKY(sync_task())
#endif
}

/* Rank 0 hears who is down, or waits no longer. */
inline gather()
{
    /* = save.c report is_down */
    atomic {
        hear(at, 0, st);
        do
        :: down?m_save, m_rank, m_st -> hear(m_save, m_rank, m_st)
        :: is_down == ALL -> break
        :: is_down != ALL && lates > 0 ->
            /* = save.c rpt__save_poll give_up */
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
        /* = save.c remove_job drop_folder */
        /* = save.c drop_folder rpt__dir_remove */
        remove(at);
        st = FAILED
    :: else ->
        f[at].fate = DOWN;
        /* = save.c commit_job rpt__commit */
        commit(at);
        assert(st != PENDING);
        if
        :: st != OK ->
            f[at].fate = FAILED_SAVE;
            /* = save.c commit_job drop_folder */
#ifndef LIKE_FAILED_COMMITS_STAY
            if
            :: f[at].name == TMP -> remove(at)
            :: else
            fi
#endif
        :: else ->
            /* = save.c commit_job retain */
            /* = save.c retain rpt__retain */
            retain(at)
        fi
    fi
}

/* = save.c announce send */
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
        /* = save.c rpt__save_go write_job */
        write_draft();
        /* = save.c write_job rpt__stream_write */
        write_part(at, 0, st);
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

/* All processes of the job end at once; the page cache stays, or goes too. */
proctype disaster()
{
end:
    do
    :: atomic {
            dead == 0 && crashes > 0 ->
            crashes--;
            if
            :: power_failure()
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
        }
        i_lost = 0
    }
}
