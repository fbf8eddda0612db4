/*
 * repartir.h - everything of librepartir
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_H
#define REPARTIR_H

#include <repartir/base.h>
#include <repartir/options.h>

#endif /* REPARTIR_H */
