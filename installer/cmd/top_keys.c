/* SPDX-License-Identifier: MIT */
#include "cmd/top_keys.h"

#include <curses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/foreground.h"

enum {
    KEY_CTRL_C = 3,
    KEY_CTRL_H = 8,
    KEY_CTRL_L = 12,
    KEY_CTRL_Z = 26,
    KEY_ESCAPE = 27,
    KEY_DELETE = 127,
    NOTICE_MS = 8000,
    QUICK_MS = 5000,
};

void top_notice(struct top *t, char *text)
{
    free(t->view.notice);
    t->view.notice = text;
    t->view.notice_until = clock_deadline(NOTICE_MS);
}

static void fill(struct top *t)
{
    top_model_fill(&t->view.model, t->view.news.status, t->view.news.usage);
}

/* ---- the log ---- */

void top_leave_log(struct top *t)
{
    top_logs_stop(t->logs);
    t->logs = NULL;
    strv_clear(&t->view.log);
    free(steal(t->view.log_name));
    t->view.mode = TOP_LIST;
}

static void begin_log(struct top *t, const char *instance)
{
    struct err e;

    t->view.log_back = 0;
    t->view.log_name = mem_strdup(instance);
    t->view.mode = TOP_LOG;
    if (top_logs_start(&t->logs, t->x->env, instance, &e) == 0)
        return;
    top_leave_log(t);
    top_notice(t, mem_strdup(e.msg));
}

static void scroll_log(struct top *t, size_t by, bool back)
{
    struct top_view *v = &t->view;
    size_t page = top_draw_page(t->screen, v);
    size_t most = v->log.count > page ? v->log.count - page : 0;

    if (back)
        v->log_back = by > most || v->log_back + by > most ? most : v->log_back + by;
    else
        v->log_back = by > v->log_back ? 0 : v->log_back - by;
}

static void key_log(struct top *t, int key)
{
    size_t page = top_draw_page(t->screen, &t->view);

    switch (key) {
    case 'q':
    case 'l':
    case KEY_ESCAPE:
    case KEY_LEFT:
        top_leave_log(t);
        break;
    case 'k':
    case KEY_UP:
    case KEY_PPAGE:
    case KEY_HOME:
    case 'g':
        scroll_log(t,
                   key == KEY_PPAGE              ? page
                   : key == KEY_UP || key == 'k' ? 1
                                                 : SIZE_MAX / 2,
                   true);
        break;
    case 'j':
    case KEY_DOWN:
    case KEY_NPAGE:
    case KEY_END:
    case 'G':
        scroll_log(t,
                   key == KEY_NPAGE                ? page
                   : key == KEY_DOWN || key == 'j' ? 1
                                                   : SIZE_MAX / 2,
                   false);
        break;
    default:
        break;
    }
}

/* ---- a shell ---- */

static void ignore(int number)
{
    (void)number;
}

/* Ctrl-C in there is the shell's; we get it too, as one of the terminal's programs. */
static int run_shell(int *status, const struct strv *argv, struct err *e)
{
    struct sigaction quiet = {.sa_handler = ignore, .sa_flags = SA_RESTART}, before;
    int r;

    sigemptyset(&quiet.sa_mask);
    sigaction(SIGINT, &quiet, &before);
    r = foreground_run(status, argv, e);
    sigaction(SIGINT, &before, NULL);
    return r;
}

/* What it said stands on a screen that is drawn over at once: an error must be read first. */
static void shell(struct top *t, const struct top_row *row)
{
    const char *instance = node_get_text(row->status, "instance");
    const char *way = node_text_is(row->status, "via", "ssh") ? "ssh" : "exec";
    auto_strv struct strv argv = strv_of("/proc/self/exe", "-e", t->x->env->name, way, instance);
    int64_t began = clock_now_ms();
    int status = 0;
    struct err e;
    char line[16];

    /* Whether it runs the command knows: what is shown may be older. */
    top_screen_pause(t->screen);
    putchar('\n');
    out_line(stdout, "%s: the end of this shell goes back to `slipway top`", instance);
    fflush(stdout);
    if (run_shell(&status, &argv, &e) < 0)
        top_notice(t, mem_strdup(e.msg));
    else if (status != 0 && clock_now_ms() - began < QUICK_MS) {
        out_line(stdout, "%s of %s ended with status %d. Enter goes back.", way, instance, status);
        fflush(stdout);
        out_ask(line, sizeof(line));
    }
    top_screen_resume(t->screen);
    top_feed_hurry(t->feed);
}

/* ---- questions ---- */

static void key_confirm(struct top *t, int key)
{
    const char *name = t->view.asked;

    t->view.mode = TOP_LIST;
    if (key != 'y' && key != 'Y')
        top_notice(t, mem_printf("%s is not restarted", name));
    else if (top_feed_restart(t->feed, name))
        top_notice(t, mem_printf("restarting %s ...", name));
    else
        top_notice(t, mem_strdup("another restart is under way"));
}

static void key_filter(struct top *t, int key)
{
    struct top_model *m = &t->view.model;
    char c = (char)key;

    if (key == '\n' || key == '\r' || key == KEY_ENTER) {
        t->view.mode = TOP_LIST;
    } else if (key == KEY_ESCAPE) {
        m->filter[0] = '\0';
        t->view.mode = TOP_LIST;
    } else if (key == KEY_BACKSPACE || key == KEY_DELETE || key == KEY_CTRL_H) {
        top_model_type(m, NULL, 0);
    } else if (key > ' ' && key < KEY_DELETE) { /* names, states and addresses are ASCII */
        top_model_type(m, &c, 1);
    }
    fill(t);
}

/* ---- the list ---- */

static bool move_choice(struct top *t, int key)
{
    long page = (long)top_draw_page(t->screen, &t->view), most = (long)t->view.model.count;

    switch (key) {
    case 'k':
    case KEY_UP:
        top_model_move(&t->view.model, -1);
        return true;
    case 'j':
    case KEY_DOWN:
        top_model_move(&t->view.model, 1);
        return true;
    case KEY_PPAGE:
        top_model_move(&t->view.model, -page);
        return true;
    case KEY_NPAGE:
        top_model_move(&t->view.model, page);
        return true;
    case KEY_HOME:
    case 'g':
        top_model_move(&t->view.model, -most);
        return true;
    case KEY_END:
    case 'G':
        top_model_move(&t->view.model, most);
        return true;
    default:
        return false;
    }
}

/* The list may choose another one before the answer. */
static void ask_restart(struct top_view *v)
{
    free(v->asked);
    v->asked = mem_strdup(v->model.name);
    v->mode = TOP_CONFIRM;
}

/* What is done with the chosen instance; false: another key. */
static bool act(struct top *t, int key)
{
    const struct top_row *row = top_model_row(&t->view.model);

    if (!strchr("lrs\r\n", key) && key != KEY_ENTER)
        return false;
    if (!row)
        top_notice(t, mem_strdup("no instance is chosen"));
    else if (key == 'r')
        ask_restart(&t->view);
    else if (key == 's')
        shell(t, row);
    else if (node_text_is(row->status, "container", "missing"))
        top_notice(t, mem_printf("%s has no container", t->view.model.name));
    else
        begin_log(t, t->view.model.name);
    return true;
}

static void key_list(struct top *t, int key)
{
    struct top_model *m = &t->view.model;

    if (move_choice(t, key) || (key > 0 && act(t, key)))
        return;
    switch (key) {
    case 'q':
        t->leave = true;
        break;
    case '?':
    case 'h':
        t->view.mode = TOP_HELP;
        break;
    case 'f':
        m->only_unhealthy = !m->only_unhealthy;
        break;
    case 'o':
        m->sort = (m->sort + 1) % TOP_SORTS;
        break;
    case '/':
        t->view.mode = TOP_FILTER;
        break;
    case KEY_ESCAPE:
        m->filter[0] = '\0';
        m->only_unhealthy = false;
        break;
    case 'v':
        t->view.volumes = !t->view.volumes;
        top_feed_want_volumes(t->feed, t->view.volumes);
        break;
    default:
        break;
    }
    fill(t);
}

void top_key(struct top *t, int key)
{
    if (key == KEY_RESIZE)
        return;
    if (key == KEY_CTRL_C) {
        t->leave = true;
    } else if (key == KEY_CTRL_Z || key == KEY_SUSPEND) {
        top_screen_stop(t->screen);
    } else if (key == KEY_CTRL_L) {
        top_screen_pause(t->screen);
        top_screen_resume(t->screen);
    } else if (t->view.mode == TOP_LOG) {
        key_log(t, key);
    } else if (t->view.mode == TOP_HELP) {
        t->view.mode = TOP_LIST;
    } else if (t->view.mode == TOP_CONFIRM) {
        key_confirm(t, key);
    } else if (t->view.mode == TOP_FILTER) {
        key_filter(t, key);
    } else {
        key_list(t, key);
    }
}
