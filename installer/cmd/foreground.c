/* SPDX-License-Identifier: MIT */
#include "cmd/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

/* Only why it could not be executed goes through the pipe: 127 may be the program's own word. */
static _Noreturn void become(const struct strv *argv, int report)
{
    int why;

    signal(SIGPIPE, SIG_DFL);
    execvp(argv->items[0], argv->items);
    why = errno;
    if (write(report, &why, sizeof(why)) < 0)
        _exit(126);
    _exit(127);
}

int foreground_run(int *status, const struct strv *argv, struct err *e)
{
    int report[2], why = 0, w;
    ssize_t n;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return err_sys(e, "starting %s", argv->items[0]);
    pid = fork();
    if (pid == 0)
        become(argv, report[1]);
    close(report[1]);
    auto_close int reason = report[0];
    if (pid < 0)
        return err_sys(e, "starting %s", argv->items[0]);
    do
        n = read(reason, &why, sizeof(why));
    while (n < 0 && errno == EINTR);
    /* Ctrl-C goes to both; it is the program's business what it means. */
    while (waitpid(pid, &w, 0) < 0)
        if (errno != EINTR)
            return err_sys(e, "waiting for %s", argv->items[0]);
    if (n == (ssize_t)sizeof(why)) {
        errno = why;
        return why == ENOENT ? err_set(e, ERR_NOTFOUND, "there is no program %s", argv->items[0])
                             : err_sys(e, "starting %s", argv->items[0]);
    }
    *status = WIFSIGNALED(w) ? 128 + WTERMSIG(w) : WEXITSTATUS(w);
    return 0;
}

bool foreground_wants_input(bool asked, bool refused, bool is_command)
{
    return !refused && (asked || !is_command || isatty(STDIN_FILENO));
}
