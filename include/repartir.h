/*
 * repartir.h - everything of librepartir but what needs mpi.h, which is in
 * <repartir/mpi.h>
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_H
#define REPARTIR_H

#include <repartir/base.h>
#include <repartir/options.h>
#include <repartir/context.h>
#include <repartir/group.h>
#include <repartir/buffer.h>
#include <repartir/catalog.h>
#include <repartir/checkpoint.h>
#include <repartir/coll.h>
#include <repartir/export.h>
#include <repartir/pool.h>
#include <repartir/query.h>
#include <repartir/reducer.h>
#include <repartir/state.h>
#include <repartir/types.h>

#endif /* REPARTIR_H */
