/*
 * test_own_hdf5.c - a program that links HDF5 itself, as simulation codes do
 *
 * Variables of HDF5 may lie in the program then (copy relocations); a library
 * that is opened later must find them there.
 */
#include "harness.h"

#include <repartir.h>
#include <repartir/checkpoint.h>

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

/* The program's own file, in memory. */
static hid_t open_own(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file;

    H5Pset_fapl_core(access, 1 << 16, 0);
    file = H5Fcreate("own.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    return file;
}

static rpt_status_t save(rpt_context_t *context, void *folder)
{
    rpt_checkpoint_t *c = NULL;
    double value = 42, before = value;
    uint64_t iteration = 0;
    rpt_status_t status = rpt_checkpoint_open(rpt_group_world(context), folder,
                                              "t", NULL, &c);

    if (status == RPT_OK) {
        status = rpt_checkpoint_add_value(c, "a/v", RPT_TYPE_F64, 1, &value);
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_save(c, 3);
    }
    value = 0;
    if (status == RPT_OK) {
        status = rpt_checkpoint_restore(c, &iteration);
    }
    rpt_checkpoint_close(c);
    if (status < 0) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    return status == RPT_OK && (iteration != 3 || value < before)
               ? RPT_ERR_INTERNAL
               : status;
}

static void both_use_the_same_hdf5(void)
{
    char folder[] = "/tmp/rpt-own.XXXXXX", line[64];
    hid_t file, space, set;
    herr_t (*print)(hid_t, void *) = NULL;
    void *data = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    file = open_own();
    CU_ASSERT_TRUE_FATAL(file >= 0);
    CU_ASSERT_EQUAL(rpt_local_run(1, NULL, save, folder), RPT_OK);
    /* It goes on as before, and still prints its errors if it did. */
    space = H5Screate(H5S_SCALAR);
    set = H5Dcreate2(file, "x", H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT,
                     H5P_DEFAULT);
    CU_ASSERT_TRUE(set >= 0);
    H5Eget_auto2(H5E_DEFAULT, &print, &data);
    CU_ASSERT_PTR_NOT_NULL(print);
    H5Dclose(set);
    H5Sclose(space);
    CU_ASSERT_TRUE(H5Fclose(file) >= 0);
    snprintf(line, sizeof line, "rm -r %s", folder);
    CU_ASSERT_EQUAL(system(line), 0);
}

static const struct rpt_test tests[] = { RPT_TEST(both_use_the_same_hdf5),
                                         RPT_TEST_END };

int main(int argc, char *argv[])
{
    return rpt_test_main("test_own_hdf5", tests, 60, argc, argv);
}
