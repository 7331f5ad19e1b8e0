/* SPDX-License-Identifier: MIT */
#include "base/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* On other machines there is none, and no filter to make. */
#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

enum {
    X32_BIT = 0x40000000, /* system calls of the x32 ABI, which have other numbers */
    NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                 CLONE_NEWPID | CLONE_NEWNET,
};

static const uint64_t GIVEN_UP = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_MKNOD | 1ULL << CAP_SETPCAP;

/* What Docker allows with SYS_ADMIN alone (moby: profiles/seccomp/default_linux.go). */
static const unsigned FORBIDDEN[] = {
    SYS_mount,          SYS_umount2,       SYS_pivot_root,  SYS_unshare,         SYS_setns,
    SYS_fsopen,         SYS_fsconfig,      SYS_fsmount,     SYS_fspick,          SYS_open_tree,
    SYS_move_mount,     SYS_mount_setattr, SYS_bpf,         SYS_perf_event_open, SYS_fanotify_init,
    SYS_lookup_dcookie, SYS_quotactl,      SYS_sethostname, SYS_setdomainname,   SYS_syslog,
};

struct sets {
    uint64_t effective, permitted, inheritable;
};

static int get(struct sets *s)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &head, data) < 0)
        return -1;
    s->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    s->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    s->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

bool confine_can_mount(void)
{
    struct sets s;

    return get(&s) == 0 && (s.permitted & 1ULL << CAP_SYS_ADMIN);
}

/* The bounding set first, as that needs SETPCAP. Without it the rest holds all the same: with
 * no_new_privs an execve never adds to the permitted set, whatever the bounding set has. */
int confine_keep(uint64_t mask)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    struct sets s;

    if (get(&s) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    for (unsigned long cap = 0; cap < 64; cap++)
        if (!(mask & 1ULL << cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            break; /* not allowed, or the last one that the kernel knows */
    data[0].effective = (uint32_t)(s.effective & mask);
    data[1].effective = (uint32_t)((s.effective & mask) >> 32);
    data[0].permitted = (uint32_t)(s.permitted & mask);
    data[1].permitted = (uint32_t)((s.permitted & mask) >> 32);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return (int)syscall(SYS_capset, &head, data);
}

static struct sock_filter load(size_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static struct sock_filter refuse(int number)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                        SECCOMP_RET_ERRNO | ((uint32_t)number & SECCOMP_RET_DATA));
}

/* Jumps over the next instruction unless the comparison holds. */
static struct sock_filter unless(uint16_t comparison, uint32_t value)
{
    return (struct sock_filter)BPF_JUMP(BPF_JMP | comparison | BPF_K, value, 0, 1);
}

static int forbid_calls(void)
{
    struct sock_filter code[2 * ARRAY_LEN(FORBIDDEN) + 16];
    struct sock_fprog program = {.filter = code};
    unsigned short n = 0;

    code[n++] = load(offsetof(struct seccomp_data, arch));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    code[n++] = refuse(EPERM);
    code[n++] = load(offsetof(struct seccomp_data, nr));
    code[n++] = unless(BPF_JGE, X32_BIT);
    code[n++] = refuse(EPERM);
    for (size_t i = 0; i < ARRAY_LEN(FORBIDDEN); i++) {
        code[n++] = unless(BPF_JEQ, FORBIDDEN[i]);
        code[n++] = refuse(EPERM);
    }
    /* Its flags are in memory, where a filter cannot look; libc then takes clone. */
    code[n++] = unless(BPF_JEQ, SYS_clone3);
    code[n++] = refuse(ENOSYS);
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
    code[n++] = load(offsetof(struct seccomp_data, args[0]));
    code[n++] = unless(BPF_JSET, NAMESPACES);
    code[n++] = refuse(EPERM);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program.len = n;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int confine(void)
{
    if (confine_keep(~GIVEN_UP) < 0)
        return -1;
    return forbid_calls();
}
