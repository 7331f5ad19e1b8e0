/* SPDX-License-Identifier: MIT */
#include "env/release_item.h"

#include <stdlib.h>

void release_step(struct release_work *w)
{
    pthread_mutex_lock(&w->stepping);
    fault_point(&w->fault);
    pthread_mutex_unlock(&w->stepping);
}

void release_item_clear(struct release_item *it)
{
    ssh_login_clear(&it->login);
    buf_clear(&it->said);
    buf_clear(&it->errors);
    free(it->command);
    free(it->name);
}
