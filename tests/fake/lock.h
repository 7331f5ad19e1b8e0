/* SPDX-License-Identifier: MIT */
/*
 * An etcd that knows of one lock and answers what the test says, and time that passes at once. A
 * test that uses it has these lines:
 *   // fake: lock
 *   // wrap: etcd_open etcd_close etcd_get etcd_lock_take_behind etcd_lock_release
 *   // wrap: etcd_lease_keepalive etcd_lease_revoke etcd_txn_run etcd_set_until
 *   // wrap: clock_now_ms clock_lease_ms until_sleep_ms pthread_cond_timedwait
 */
#ifndef FAKE_LOCK_H
#define FAKE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/until.h"

struct fake_lock {
    const char *owner;        /* of the key; NULL: there is none */
    enum err_code take;       /* what taking it says; ERR_NONE: it is ours */
    enum err_code put_aside;  /* what the transaction that deletes the key says */
    atomic_int keepalive;     /* an err_code */
    atomic_int kept, release; /* how often */
    int taken, deleted, open;
    int64_t revoked; /* the lease */
    int64_t fence;   /* that the last taking had */
    bool refuse_open;
    atomic_bool held_up; /* the thread that keeps the lease gets no turn */
    _Atomic int64_t now;
    _Atomic int64_t asleep;       /* ms that the machine slept */
    int sleeps, interrupts_after; /* 0: never */
    struct cancel cancel;
};
extern struct fake_lock fake_lock;

void fake_lock_reset(void);

#endif
