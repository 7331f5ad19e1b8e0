/* SPDX-License-Identifier: MIT */
/* Lists as every route gives them: filtered, sorted, and a page of that. Pure. */
#ifndef CONTROLLER_LISTING_H
#define CONTROLLER_LISTING_H

#include "conf/node.h"
#include "controller/query.h"

enum { LISTING_LIMIT = 1000 };

/*
 * {"items","total","limit","offset"} of the rows, owned. A parameter of another name than q, sort,
 * limit and offset filters: it must be one of `filters` (words with spaces between) and equal to
 * the row's field. `q` is any part of any text of the row, in any case of letters; `sort` a field,
 * with "-" in front the other way round, numbers as numbers. ERR_USAGE.
 */
int listing_make(struct node **out, const struct node *rows, const struct query *q,
                 const char *filters, struct err *e);

#endif
