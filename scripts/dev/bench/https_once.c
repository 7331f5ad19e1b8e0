/* SPDX-License-Identifier: MIT */
/* One HTTPS request by libcurl and nothing else: the least memory a program with it can have.
 * Usage: https_once [URL]      without it libcurl is made ready, and that is all */
#include <curl/curl.h>

/* As Slipway has it, see etcd/http.c: GnuTLS, which comes with Debian's libcurl, is not made ready.
 */
__attribute__((visibility("default"))) int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void)
{
    return 1;
}

static size_t drop(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

int main(int argc, char **argv)
{
    CURL *easy;

    if (curl_global_init(CURL_GLOBAL_SSL) != CURLE_OK || !(easy = curl_easy_init()))
        return 2;
    if (argc != 2)
        return 0;
    /* No list of authorities is read, as with Slipway's pins. */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    return curl_easy_perform(easy) == CURLE_OK ? 0 : 1;
}
