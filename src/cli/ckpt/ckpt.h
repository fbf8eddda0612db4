/*
 * ckpt.h - the verbs of `repartir ckpt`
 */
#ifndef CLI_CKPT_CKPT_H
#define CLI_CKPT_CKPT_H

struct ckpt_verb {
    const char *name;
    const char *summary;
    /* argv[0] is "repartir ckpt NAME".  Gives the exit code. */
    int (*run)(int argc, char *argv[]);
};

int ckpt_list(int argc, char *argv[]);
int ckpt_show(int argc, char *argv[]);
int ckpt_path(int argc, char *argv[]);
int ckpt_verify(int argc, char *argv[]);
int ckpt_diff(int argc, char *argv[]);
int ckpt_prune(int argc, char *argv[]);
int ckpt_rm(int argc, char *argv[]);
int ckpt_halt(int argc, char *argv[]);
int ckpt_interval(int argc, char *argv[]);
int ckpt_export(int argc, char *argv[]);

#endif /* CLI_CKPT_CKPT_H */
