/* SPDX-License-Identifier: MIT */
/* The steps file as tables of keys. Only for the files of steps.h. */
#ifndef MODEL_STEPS_TABLE_H
#define MODEL_STEPS_TABLE_H

#include "conf/schema.h"
#include "model/steps.h"

struct steps_raw {
    int version;
    struct node *vars, *steps;
};

extern const struct schema steps_table;
/* By kind. */
extern const struct schema steps_tables[STEP_KINDS];

#endif
