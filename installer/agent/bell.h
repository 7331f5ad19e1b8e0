/* SPDX-License-Identifier: MIT */
/* What one thread rings to wake another that polls. */
#ifndef AGENT_BELL_H
#define AGENT_BELL_H

/* A descriptor that is readable once it was rung; the caller closes it. -1 and errno. */
int bell_new(void);
void bell_ring(int fd);
/* Not readable any more, until it is rung again. */
void bell_hush(int fd);

#endif
