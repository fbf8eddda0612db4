/*
 * tags.h - every kind of message there is; the enum is the only place
 */
#ifndef RPT_COMM_TAGS_H
#define RPT_COMM_TAGS_H

enum rpt_tag {
    RPT_TAG_GROUP,       /* barriers and exchanges of groups (group.c)       */
    RPT_TAG_POOL_NUDGE,  /* owner -> rank: I have work                       */
    RPT_TAG_POOL_ASK,    /* rank -> owner: give me work; or: no, thanks      */
    RPT_TAG_POOL_GIVE,   /* owner -> rank: tasks, possibly none              */
    RPT_TAG_POOL_BACK,   /* rank -> owner: tasks that were not started       */
    RPT_TAG_POOL_RESULT, /* rank -> owner: results, starts, output           */
    RPT_TAG_POOL_CANCEL, /* owner -> rank: end a task                        */
    RPT_TAG_POOL_GANG,   /* reservation of ranks for gangs                   */
    RPT_TAG_POOL_END,    /* waves of termination detection, shutdown         */
    RPT_TAG_COLLECTIVE,  /* steps of collectives                              */
    RPT_TAG_POOL_FAIL,   /* a rank's pool cannot go on: status and text      */
    RPT_TAG_CHECKPOINT,  /* a rank's part is down; a save is over            */
    RPT_TAG_LEVEL,       /* bytes of a checkpoint that another node keeps    */
    RPT_TAG_GONE,        /* the sender has destroyed a group (gone.c)         */
    RPT_N_TAGS
};

/* The same for what goes through MPI. */
enum rpt_mpi_tag {
    RPT_MPI_TAG_PACKET = 1, /* packets of messages                            */
    RPT_MPI_TAG_MACHINE,    /* start-up: the machine of a host as XML         */
    RPT_MPI_TAG_NOBODY,     /* never sent: probing for it drives the library  */
    RPT_MPI_TAG_COMM = 16   /* and all above: making communicators of groups  */
};

#endif /* RPT_COMM_TAGS_H */
