/* SPDX-License-Identifier: MIT */
/*
 * A failpoint for the tests, like etcd's gofail: "kill-after:N" ends the process by SIGKILL behind
 * the Nth journal entry, or the Nth step of a deployment of agents, so that a test can interrupt a
 * run between any two operations; "stop-after:N" holds it there by SIGSTOP, once. Who has a main
 * reads SLIPWAY_FAULT.
 */
#ifndef PLAN_FAULT_H
#define PLAN_FAULT_H

struct fault {
    long after; /* points to come; 0: never */
    int signal;
};

/* Anything else, and NULL, is not a fault. */
struct fault fault_parse(const char *text);
/* One point has come. */
void fault_point(struct fault *f);

#endif
