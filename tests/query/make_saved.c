/*
 * make_saved.c - writes the checkpoints of saved.h into a folder, or saves in a
 * loop: make_saved FOLDER [TASK FIRST LAST KEEP]
 */
#include "saved.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[])
{
    bool good;

    if (argc != 2 && argc != 6) {
        fprintf(stderr, "make_saved FOLDER [TASK FIRST LAST KEEP]\n");
        return 64;
    }
    good = argc == 2 ? saved_make(argv[1])
                     : saved_more(argv[1], argv[2], strtoull(argv[3], NULL, 10),
                                  strtoull(argv[4], NULL, 10), argv[5]);
    return good ? 0 : 1;
}
