/* SPDX-License-Identifier: MIT */
/* What every user of libcurl does in the same way. */
#ifndef BASE_CURL_USE_H
#define BASE_CURL_USE_H

#include <curl/curl.h>
#include <stdbool.h>

/* Adds a header, copied, to a list that may be NULL. The process ends when memory is out. */
void curl_use_header(struct curl_slist **list, const char *line);
/* Wipes what it holds, tokens among it. `list` may be NULL. */
void curl_use_free_headers(struct curl_slist *list);
/* Whether the one transfer of `multi` has ended, and how. *code stays when it has not. */
bool curl_use_ended(CURLcode *code, CURLM *multi);

#endif
