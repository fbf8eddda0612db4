/*
 * commit.pml - commit.c, retain.c, open.c, restore.c, choice.c: what rank 0 does
 * with the folders of a task
 *
 * Part of checkpoint.pml, which says what the comments mean.
 */

/* ---- rpt__dir_put(), rpt__dir_remove() ---- */

inline put_text(i, file)
{
    /* = dir.c put rpt__dir_create */
    RISKY(f[i].replaced = (file == MANIFEST && (f[i].unsure & file));
          create(i, file); f[i].text = f[i].text & ~file;
          f[i].safe_text = f[i].safe_text & ~file);
    /* = dir.c put rpt__write_at */
    RISKY(f[i].text = f[i].text | file)
}

inline sync_text(i, file)
{
    /* = dir.c put rpt__sync_file */
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

#ifdef LIKE_FILES_ARE_NOT_LOOKED_AT
#define FILES_OF(last) (last | BLOCKS)
#else
#define FILES_OF(last) (last | BLOCKS | STATE)
#endif
#ifdef LIKE_HALF_IS_ENOUGH
#define IS_SEALED(i) (f[i].seal & HEAD)
#else
#define IS_SEALED(i) (f[i].seal == SEALED)
#endif
#define HAS(i, last)                                                           \
    ((f[i].has & FILES_OF(last)) == FILES_OF(last) && (f[i].text & last) &&    \
     IS_SEALED(i))

inline look_for(i, last)
{
    STEP(if
         :: HAS(i, last) -> skip
         :: else -> st = PENDING
         fi)
}

inline rename_it(i)
{
    RISKY(ORDER((f[i].safe_text & MANIFEST) && !(f[i].unsure & MANIFEST) &&
                f[i].safe_data == ALL && f[i].safe_seal == SEALED);
          set_name(i, IT))
}

inline sync_parent()
{
#ifdef WITHOUT_PARENT_SYNC
    skip
#else
    RISKY(sync_task())
#endif
}

inline drop_draft(i)
{
    /* = commit.c drop_draft rpt__dir_remove */
    /* = commit.c drop_draft rpt__routes_forget */
    STEP(unlink(i, DRAFT))
}

inline sync_manifest(i)
{
#ifndef WITHOUT_MANIFEST_SYNC
    sync_text(i, MANIFEST)
#else
    skip
#endif
}

inline sync_its_folder(i)
{
#ifndef WITHOUT_FOLDER_SYNC
    RISKY(sync_folder(i))
#else
    skip
#endif
}

/* Steps 2 to 4 there.  The code has one of the two orders of the syncs. */
inline give_name(i)
{
#ifdef LIKE_NAME_BEFORE_MANIFEST
    rename_it(i);
    sync_parent();
#endif
#ifdef LIKE_DRAFT_GOES_FIRST
    drop_draft(i);
#endif
    /* = commit.c give_name put_manifest */
    /* = commit.c put_manifest rpt__dir_remove */
    STEP(unlink(i, MANIFEST));
    /* = commit.c put_manifest rpt__dir_put */
    put_text(i, MANIFEST);
#ifdef LIKE_DRAFT_GOES_BEFORE_SYNC
    sync_manifest(i);
    drop_draft(i);
    sync_its_folder(i);
#else
    /* = commit.c give_name rpt__dir_sync */
    if
    :: true ->
        sync_manifest(i);
        sync_its_folder(i)
    :: true ->
        sync_its_folder(i);
        sync_manifest(i)
    fi;
#endif
    /* = commit.c give_name drop_draft */
#if !defined(LIKE_DRAFT_GOES_FIRST) && !defined(LIKE_DRAFT_GOES_BEFORE_SYNC)
    drop_draft(i);
#endif
    /* = commit.c give_name rpt__dir_rename */
#ifndef LIKE_NAME_BEFORE_MANIFEST
    rename_it(i)
#else
    skip
#endif
}

inline commit(i)
{
    /* = commit.c rpt__commit read_draft */
    look_for(i, DRAFT);
    /* = commit.c rpt__commit give_name */
    give_name(i);
    /* = commit.c rpt__commit rpt__dir_sync */
    sync_parent()
}

inline commit_leftover(i)
{
    /* = commit.c commit_leftover read_draft */
    /* = commit.c commit_leftover look_for_files */
    look_for(i, DRAFT);
#ifdef LIKE_LEFTOVERS_ARE_VERIFIED
    STEP(if
         :: f[i].data == ALL -> f[i].safe_data = ALL
         :: else -> st = PENDING
         fi);
#endif
    /* = commit.c commit_leftover sync_seals */
#ifndef WITHOUT_SYNC_OF_SEALS_LEFT
    RISKY(f[i].safe_seal = f[i].seal);
#endif
    /* = commit.c commit_leftover give_name */
    give_name(i)
}

/* The draft has gone already. */
inline finish_leftover(i)
{
    /* = commit.c finish rpt__manifest_load */
    /* = commit.c finish read_blocks */
    /* = commit.c finish look_for_files */
    look_for(i, MANIFEST);
    /* = commit.c finish drop_draft */
    drop_draft(i);
    /* = commit.c finish rpt__dir_rename */
    rename_it(i)
}

inline settle(i)
{
    st = OK;
    /* = commit.c settle commit_leftover */
    commit_leftover(i);
#ifndef LIKE_LEFTOVERS_ARE_REMOVED
    if
    :: st == PENDING ->
        st = OK;
        /* = commit.c settle finish */
        finish_leftover(i)
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
        /* = retain.c rpt__retain rpt__retention_choose */
        find_victim(i);
        if
        :: victim == NOBODY -> break
        :: else
        fi;
        /* = retain.c rpt__retain rpt__retire */
        /* = retain.c rpt__retire rename_to */
#ifdef LIKE_OLD_ONES_GO_AS_THEY_ARE
        atomic {
            claim_newer(victim);
            f[victim].fate = RETIRED
        }
#else
        RISKY(if
              :: f[victim].name == IT ->
                  claim_newer(victim);
                  set_name(victim, OLD);
                  f[victim].fate = RETIRED
              :: else -> is_help = 1 /* prune has taken it */
              fi);
#endif
        /* = retain.c rpt__retire rpt__dir_sync */
#if defined(LIKE_HELP_NEEDS_NO_SYNC)
        if
        :: st == OK && !is_help ->
            sync_task()
        :: else
        fi;
#elif !defined(WITHOUT_SYNC_BEFORE_REMOVAL)
        RISKY(sync_task());
#endif
        is_help = 0;
        /* = retain.c rpt__retire rpt__dir_remove */
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

inline next_called(what)
{
    d_step {
        at = NOBODY;
        for (k : 0 .. SAVES - 1) {
            if
            :: f[k].name == what && at == NOBODY -> at = k
            :: else
            fi
        }
    }
}

inline open_task()
{
    do
    :: st = OK;
        /* = open.c prepare rpt__dir_make_path */
        /* = dir.c rpt__dir_make_path sync_above */
#ifdef LIKE_ONLY_NEW_ONES_ARE_SYNCED
        if
        :: !(home & 1) ->
            RISKY(home_unsure = home_unsure | 1; home = home | 1);
            RISKY(home_unsure = home_unsure & ~1)
        :: else
        fi;
#else
        RISKY(home_unsure = home_unsure | (1 & ~home); home = home | 1);
#ifndef WITHOUT_SYNC_ABOVE
        RISKY(home_unsure = home_unsure & ~1);
#endif
#endif
        /* = open.c prepare rpt__dir_make */
        RISKY(home_unsure = home_unsure | (2 & ~home); home = home | 2);
        /* = open.c prepare rpt__dir_sync */
#ifndef WITHOUT_TOP_SYNC
        RISKY(home_unsure = home_unsure & ~2);
#endif
        /* = open.c prepare look_around */
        /* = open.c look_around rpt__commit_leftovers */
        /* = commit.c rpt__commit_leftovers settle */
        do
        :: st == OK ->
            next_called(TMP);
            if
            :: at == NOBODY -> break
            :: else
            fi;
            settle(at)
        :: else -> break /* the job fails, and is started again */
        od;
        /* = commit.c rpt__commit_leftovers rpt__dir_sync */
#ifndef WITHOUT_SYNC_AT_OPENING
        RISKY(sync_task());
#endif
        /* = commit.c rpt__commit_leftovers rpt__clear_old */
        /* = retain.c rpt__clear_old rpt__dir_list */
        /* = retain.c rpt__clear_old rpt__dir_sync */
        /* = retain.c rpt__clear_old rpt__dir_remove */
        do
        :: st == OK ->
            next_called(OLD);
            if
            :: at == NOBODY -> break
            :: else
            fi;
#if PRUNES && !defined(WITHOUT_SYNC_AFTER_LIST)
            RISKY(sync_task()); /* without prune the one before is enough */
#endif
            remove(at)
        :: else -> break
        od;
        at = NOBODY;
        if
        :: st == OK -> break
        :: else
        fi
    od
}

#define IS_PROMISED(i) (f[i].fate == DOWN || f[i].fate == TOLD)

/* What was promised is there, and nothing else has the name of one.  After a
 * power failure nothing is promised of those that only were down. */
inline claim_all()
{
    d_step {
        for (k : 0 .. SAVES - 1) {
            assert(!IS_PROMISED(k) || (f[k].name == IT && IS_WHOLE(k)));
#ifndef CHECK_LOSS_ONLY
            assert(f[k].name != IT || IS_WHOLE(k))
#endif
        }
    }
}

/* ---- restore.c, choice.c ---- */

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
            /* = restore.c list rpt__choice_begin */
            /* = choice.c rpt__choice_begin rpt__find_all */
            find_newest();
            if
            :: at == NOBODY ->
                claim_newest();
                iteration = 0;
                break
            :: at != NOBODY && unreads > 0 ->
                unreads--;
                /* = restore.c choose rpt__choice_pass */
                unread = unread | (1 << at)
            :: at != NOBODY && IS_WHOLE(at) ->
                /* = restore.c try_next rpt__verify_together */
                claim_newest();
                /* = restore.c try_next fill */
                iteration = f[at].iteration;
                verified = at;
                f[at].fate = TOLD;
                break
            :: at != NOBODY && !IS_WHOLE(at) ->
                /* = choice.c rpt__choice_pass put_aside */
                /* = choice.c put_aside rpt__put_aside */
                assert(!IS_PROMISED(at));
                set_name(at, BAD)
            fi
        }
    od;
    at = NOBODY
}
