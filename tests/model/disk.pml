/*
 * disk.pml - a disk that keeps what was synced, and of the rest what it likes
 *
 * Each save has its folder f[i], in the folder of the task.  What calls see is
 * in the page cache; what a power failure cannot take away is safe.  Of all
 * that is in the cache only, a power failure keeps some, each name and each
 * rank's bytes by itself, in no order: POSIX promises none.  Two things it does
 * not do: a rename leaves the old name or the new one, and what a sync has
 * made safe stays.
 */
#define ALL ((1 << RANKS) - 1) /* a bit for each rank's part ... */
#define HEAD (1 << RANKS)      /* ... and one for the head of blocks.xxh */
#define SEALED (ALL | HEAD)

#define STATE 1
#define BLOCKS 2
#define DRAFT 4
#define MANIFEST 8
#define COUNTED (STATE | BLOCKS | MANIFEST)

#define NONE 0
#define TMP 1
#define IT 2
#define OLD 3
#define BAD 4
#define ONLY(n) (1 << (n))

/* What was promised: that all data are down, that it is committed. */
#define FREE 0
#define SAVING 1
#define DOWN 2
#define TOLD 3
#define FAILED_SAVE 4
#define RETIRED 5

typedef folder {
    byte name;      /* in the folder of the task                          */
    byte names;     /* bits of those that a power failure may leave       */
    byte has;       /* bits of its files                                  */
    byte unsure;    /* of those that a power failure may leave or take    */
    bit replaced;   /* MANIFEST may lead to a file that was removed       */
    byte data;      /* state.h5: bits of ranks                            */
    byte safe_data;
    byte seal;      /* blocks.xxh: sections with seal, and the head       */
    byte safe_seal;
    byte text;      /* bits of DRAFT and MANIFEST: they have their text   */
    byte safe_text;
    byte iteration;
    byte fate
};

folder f[SAVES];
byte home, home_unsure; /* bits: the directory, the task's folder in it */
hidden byte k, b, n, w; /* within a d_step */
byte i_lost, b_lost;    /* within power_failure() */

#define IS_WHOLE(i)                                                            \
    ((f[i].has & COUNTED) == COUNTED && (f[i].text & MANIFEST) &&              \
     f[i].seal == SEALED && f[i].data == ALL)
#define IS_SAFE(i)                                                             \
    (IS_WHOLE(i) && f[i].names == ONLY(IT) && !f[i].replaced &&                \
     !(f[i].unsure & COUNTED) &&                                               \
     (f[i].safe_text & MANIFEST) && f[i].safe_seal == SEALED &&                \
     f[i].safe_data == ALL && home == 3 && home_unsure == 0)
#define IS_NEWER(i, j)                                                         \
    (f[i].iteration > f[j].iteration ||                                        \
     (f[i].iteration == f[j].iteration && i > j))

inline clear(i)
{
    f[i].has = 0;
    f[i].unsure = 0;
    f[i].replaced = 0;
    f[i].data = 0;
    f[i].safe_data = 0;
    f[i].seal = 0;
    f[i].safe_seal = 0;
    f[i].text = 0;
    f[i].safe_text = 0
}

inline set_name(i, to)
{
    f[i].name = to;
    f[i].names = f[i].names | ONLY(to)
}

inline create(i, file)
{
    f[i].has = f[i].has | file;
    f[i].unsure = f[i].unsure | file
}

inline unlink(i, file)
{
    f[i].unsure = f[i].unsure | (f[i].has & file);
    f[i].has = f[i].has & ~file
}

inline sync_folder(i)
{
    f[i].unsure = 0;
    f[i].replaced = 0
}

inline sync_task()
{
    d_step {
        for (k : 0 .. SAVES - 1) {
            f[k].names = ONLY(f[k].name);
            if
            :: f[k].name == NONE -> clear(k)
            :: else
            fi
        }
    }
}

/* Some of the bits that are not safe survive. */
inline survive(bits, kept)
{
    for (b_lost : 0 .. RANKS) {
        if
        :: ((bits & ~kept) >> b_lost) & 1 ->
            if
            :: bits = bits & ~(1 << b_lost)
            :: skip
            fi
        :: else
        fi
    }
    kept = bits
}

inline survive_in(i)
{
    for (b_lost : 0 .. 3) {
        if
        :: (f[i].unsure >> b_lost) & 1 ->
            if
            :: f[i].has = f[i].has | (1 << b_lost)
            :: f[i].has = f[i].has & ~(1 << b_lost)
            fi
        :: else
        fi
    }
    if
    :: f[i].replaced -> f[i].text = f[i].text & ~MANIFEST
    :: (f[i].text & ~f[i].safe_text) & MANIFEST ->
        f[i].text = f[i].text & ~MANIFEST
    :: (f[i].text & ~f[i].safe_text) & DRAFT -> f[i].text = f[i].text & ~DRAFT
    :: (f[i].text & ~f[i].safe_text) == (DRAFT | MANIFEST) -> f[i].text = 0
    :: skip
    fi;
    f[i].text = f[i].text & f[i].has;
    survive(f[i].data, f[i].safe_data);
    survive(f[i].seal, f[i].safe_seal);
    if
    :: !(f[i].has & STATE) -> f[i].data = 0
    :: else
    fi;
    if
    :: !(f[i].has & BLOCKS) -> f[i].seal = 0
    :: else
    fi;
    f[i].unsure = 0;
    f[i].replaced = 0;
    f[i].safe_text = f[i].text;
    f[i].safe_data = f[i].data;
    f[i].safe_seal = f[i].seal
}

inline power_failure()
{
    if
    :: home_unsure -> home = home & ~home_unsure
    :: skip
    fi;
    home_unsure = 0;
    for (i_lost : 0 .. SAVES - 1) {
        if
        :: home != 3 -> f[i_lost].name = NONE
        :: else ->
            if
            :: f[i_lost].names & ONLY(NONE) -> f[i_lost].name = NONE
            :: f[i_lost].names & ONLY(TMP) -> f[i_lost].name = TMP
            :: f[i_lost].names & ONLY(IT) -> f[i_lost].name = IT
            :: f[i_lost].names & ONLY(OLD) -> f[i_lost].name = OLD
            :: f[i_lost].names & ONLY(BAD) -> f[i_lost].name = BAD
            fi
        fi;
        f[i_lost].names = ONLY(f[i_lost].name);
        if
        :: f[i_lost].name == NONE -> clear(i_lost)
        :: else -> survive_in(i_lost)
        fi
    };
    i_lost = 0;
    b_lost = 0
}
