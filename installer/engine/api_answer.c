/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "engine/api.h"

bool api_is_success(long status)
{
    return (status >= 200 && status < 300) || status == 304;
}

int api_answer_parse(struct node **out, const struct api_request *r, long status,
                     const struct buf *body, struct err *e)
{
    if (!api_is_success(status))
        return api_error(status, buf_str(body), body->len, e);
    if (!out)
        return 0;
    auto_node struct node *answer = NULL;
    int path_len = (int)strcspn(r->path, "?");
    auto_free char *what = mem_printf("%s %.*s", r->method, path_len, r->path);
    if (body->full)
        return err_set(e, ERR_REMOTE, "Docker's answer to %s is larger than %d MiB", what,
                       API_ANSWER_MAX >> 20);
    struct err why;
    if (body->len > 0 && json_parse(&answer, "answer", body->data, body->len, &why) < 0)
        return err_set(e, ERR_REMOTE, "Docker answered %s with what is not JSON: %s", what,
                       why.msg);
    if (shape_check(answer, r->shape, what, e) < 0)
        return -1;
    *out = steal(answer);
    return 0;
}
