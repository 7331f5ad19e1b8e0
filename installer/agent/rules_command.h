/* SPDX-License-Identifier: MIT */
/*
 * `slipway-agent volume-rules`: what base/volume_rules.h and conf/units.h say of volumes, as JSON,
 * for the components' own programs, so that none repeats it. Hook `prepare` of a component that
 * makes or serves volumes keeps it as $SLIPWAY_RUN/volume-rules.json (slipway_rules.py reads it).
 *
 * {"name": {"first": CHARACTERS, "further": CHARACTERS, "length_max": N, "rule": SENTENCE},
 *  "size": {"min": BYTES, "max": BYTES, "step": BYTES, "rule": SENTENCE, "step_rule": SENTENCE,
 *           "units": {"TiB": BYTES, ... "": 1}},
 *  "pool": NAME, "template": SNAPSHOT, "create_options": [WORD...]}
 */
#ifndef AGENT_RULES_COMMAND_H
#define AGENT_RULES_COMMAND_H

#include "base/err.h"
#include "conf/node.h"

struct node *rules_build(void); /* owned */
/* Prints them to standard output. ERR_SYS when not all of it could be written. */
int rules_command(struct err *e);

#endif
