/* SPDX-License-Identifier: MIT */
#include "cmd/foreground.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int foreground_run(int *status, const struct strv *argv, struct err *e)
{
    pid_t pid = fork();
    int w;

    if (pid < 0)
        return err_sys(e, "fork");
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        execvp(argv->items[0], argv->items);
        _exit(errno == ENOENT ? 127 : 126);
    }
    /* Ctrl-C goes to both; it is the program's business what it means. */
    while (waitpid(pid, &w, 0) < 0)
        if (errno != EINTR)
            return err_sys(e, "waiting for %s", argv->items[0]);
    *status = WIFSIGNALED(w) ? 128 + WTERMSIG(w) : WEXITSTATUS(w);
    if (*status == 127)
        return err_set(e, ERR_NOTFOUND, "there is no program %s", argv->items[0]);
    return 0;
}
