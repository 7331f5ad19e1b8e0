/* SPDX-License-Identifier: MIT */
/* The words of a completion that change: what there is now. Asked for by the shells' functions. */
#ifndef CMD_COMPLETION_WORDS_H
#define CMD_COMPLETION_WORDS_H

#include "cmd/cmd.h"

/* Whether `slipway completion KIND` prints words: "volumes", not "bash". */
bool completion_is_words(const char *kind);
/* Prints them, one a line. `of`: the component or instance whose keys are wanted, or NULL. */
int completion_words(struct cmd_context *x, const char *kind, const char *of, struct err *e);

#endif
