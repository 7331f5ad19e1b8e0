/* SPDX-License-Identifier: MIT */
/* What is done at certain times. */
#include "controller/api.h"
#include "controller/jobs.h"

int api_job_list(struct controller *c, struct request *q, struct err *e)
{
    struct node *rows = NULL;

    return jobs_rows(&rows, &c->jobs, e) < 0 ? -1 : api_list(q, rows, "", e);
}

int api_job_run(struct controller *c, struct request *q, struct err *e)
{
    struct node *task = NULL;

    if (jobs_run(&task, &c->jobs, q->args[0], q->who.user, e) < 0)
        return -1;
    return api_answer_task(q, task);
}
