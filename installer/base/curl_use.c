/* SPDX-License-Identifier: MIT */
#include "base/curl_use.h"

#include <string.h>

#include "base/mem.h"

void curl_use_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *grown = curl_slist_append(*list, line);

    if (!grown)
        mem_die("libcurl");
    *list = grown;
}

void curl_use_free_headers(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        explicit_bzero(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

bool curl_use_ended(CURLcode *code, CURLM *multi)
{
    bool ended = false;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left)))
        if (message->msg == CURLMSG_DONE) {
            *code = message->data.result;
            ended = true;
        }
    return ended;
}
