/*
 * app.h - what the files of the program share
 */
#ifndef RPT_TESTS_PMPI_APP_H
#define RPT_TESTS_PMPI_APP_H

#include <CUnit/CUnit.h>

#include <mpi.h>

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CHECK(condition) CU_ASSERT(condition)

extern int world_rank, world_size;

/* reductions.c */
void reductions(MPI_Comm comm);
void numbers(MPI_Comm comm);
void pairs(MPI_Comm comm);
void parts(MPI_Comm comm);
void others(MPI_Comm comm);

/* moves.c */
void moves(MPI_Comm comm);
void large(MPI_Comm comm);
void blocks(MPI_Comm comm);
void nothing(MPI_Comm comm);

/* holes.c */
void holes(MPI_Comm comm);
void blocks_with_holes(MPI_Comm comm);

#endif /* RPT_TESTS_PMPI_APP_H */
