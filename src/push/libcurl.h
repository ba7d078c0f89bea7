/* libcurl.h - the functions of libcurl, found when they are needed: stacklapse is not linked to it (meson.build says why). */
#ifndef SL_PUSH_LIBCURL_H
#define SL_PUSH_LIBCURL_H

#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>

/* What is used of it, each there since 7.60 (May 2018) at the latest; without the prefix curl_. */
#define SL_LIBCURL_FUNCTIONS(ONE)                                                                                      \
    ONE(global_init)                                                                                                   \
    ONE(version_info)                                                                                                  \
    ONE(slist_append)                                                                                                  \
    ONE(slist_free_all)                                                                                                \
    ONE(easy_init)                                                                                                     \
    ONE(easy_setopt)                                                                                                   \
    ONE(easy_getinfo)                                                                                                  \
    ONE(easy_strerror)                                                                                                 \
    ONE(easy_cleanup)                                                                                                  \
    ONE(multi_init)                                                                                                    \
    ONE(multi_add_handle)                                                                                              \
    ONE(multi_remove_handle)                                                                                           \
    ONE(multi_perform)                                                                                                 \
    ONE(multi_wait)                                                                                                    \
    ONE(multi_info_read)                                                                                               \
    ONE(multi_cleanup)

/* The types are those of the headers. */
#define SL_LIBCURL_FIELD(name) typeof (&curl_##name)(name);
struct sl_libcurl {
    SL_LIBCURL_FUNCTIONS(SL_LIBCURL_FIELD)
};
#undef SL_LIBCURL_FIELD

/* Loads the first of `names` that there is (up to a NULL; NULL: the names that libcurl has), and makes it ready. It stays
 * loaded to the end of the process, since neither it nor what it loads can be taken out again while threads run. From
 * any thread. False with SL_ERROR_UNSUPPORTED and what to install. */
bool sl_libcurl_load(struct sl_libcurl *curl, const char *const *names, struct sl_error *error);

#endif
