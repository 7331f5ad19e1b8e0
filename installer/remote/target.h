/* SPDX-License-Identifier: MIT */
/* What a command configures, in a path of the API, where a slash divides. */
#ifndef REMOTE_TARGET_H
#define REMOTE_TARGET_H

/* "ceph-osd-1" for "ceph-osd/1" and "ceph-osd/ceph-osd-1"; other words as they are. Owned. */
char *target_name(const char *word);

#endif
