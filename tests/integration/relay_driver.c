/* SPDX-License-Identifier: MIT */
/* For relay.sh: host/relay.h from the command line.
 *   relay_driver serve PORTS KEY PIN COMMAND   runs COMMAND, a shell's line, with the relay's
 *                                              path in RELAY; the targets are called h1, h2, ...;
 *                                              its folder is in $TMP
 *   relay_driver call PATH NAME WORD...        what rsync runs in the place of ssh
 * `serve` prints a line with the bytes of each target on standard error. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "host/relay.h"

enum { DEADLINE_MS = 120000, KEY_MAX = 65536 };

static int fail(const struct err *e)
{
    fprintf(stderr, "relay_driver: %s\n", e->msg);
    return 1;
}

static pid_t start(const char *path, const char *command)
{
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        setenv("RELAY", path, 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static int serve(char **argv, struct err *e)
{
    auto_strv struct strv ports = {0};
    auto_free char *key = NULL, *pin = NULL;
    struct hosts *h = hosts_new(NULL);
    struct host_target *targets;
    struct relay *r;
    int status;
    pid_t pid;

    strv_split(&ports, argv[0], ",");
    targets = mem_array(ports.count, sizeof(*targets));
    if (fs_read(&key, NULL, argv[1], KEY_MAX, e) < 0 ||
        fs_read(&pin, NULL, argv[2], KEY_MAX, e) < 0 || relay_open(&r, h, getenv("TMP"), e) < 0)
        return -1;
    for (size_t i = 0; i < ports.count; i++) {
        targets[i] = (struct host_target){.name = mem_printf("h%zu", i + 1),
                                          .address = "127.0.0.1",
                                          .port = (int)strtol(ports.items[i], NULL, 10),
                                          .host_key = pin,
                                          .private_key = key};
        relay_allow(r, targets[i].name, &targets[i], until_in(DEADLINE_MS, NULL));
    }
    pid = start(relay_path(r), argv[3]);
    while (waitpid(pid, &status, WNOHANG) == 0)
        relay_turn(r, until_in(20, NULL));
    for (size_t i = 0; i < ports.count; i++) {
        struct relay_bytes b = relay_bytes(r, targets[i].name);

        fprintf(stderr, "%s sent=%llu received=%llu\n", targets[i].name, (unsigned long long)b.sent,
                (unsigned long long)b.received);
        free((char *)(uintptr_t)targets[i].name);
    }
    relay_close(r);
    hosts_free(h);
    free(targets);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    struct err e;
    int status = 1, r = 0;

    fs_open_standard();
    signal(SIGPIPE, SIG_IGN);
    if (argc == 6 && strcmp(argv[1], "serve") == 0)
        r = status = serve(argv + 2, &e);
    else if (argc > 4 && strcmp(argv[1], "call") == 0)
        r = relay_call(&status, argv[2], argv[3], (const char *const *)argv + 4, &e);
    else
        r = err_set(&e, ERR_USAGE, "serve PORTS KEY PIN COMMAND or call PATH NAME WORD...");
    return r < 0 ? fail(&e) : status;
}
