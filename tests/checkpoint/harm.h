/*
 * harm.h - a file is changed in every possible place, and put back each time
 */
#ifndef RPT_TESTS_CHECKPOINT_HARM_H
#define RPT_TESTS_CHECKPOINT_HARM_H

#include <stdbool.h>
#include <stddef.h>

/* What must hold of a file that was changed. */
struct harm {
    const char *path;
    /* whether it is noticed */
    bool (*is_found)(void *user);
    /* what is done at some of the places, and must work; may be NULL */
    bool (*goes_on)(void *user);
    void *user;
    size_t some; /* of so many places one */
};

/* One bit of each byte is another. */
void harm_bytes(const struct harm *harm);
/* Every length below the right one, and one more. */
void harm_length(const struct harm *harm);

#endif /* RPT_TESTS_CHECKPOINT_HARM_H */
