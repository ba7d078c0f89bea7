#include "push/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#define OLDEST_VERSION 0x073c00u /* 7.60.0 */

/* Debian has it with OpenSSL or with GnuTLS; elsewhere there is one, by the first name. */
static const char *const usual_names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define ROW(name) {"curl_" #name, offsetof(struct sl_libcurl, name)},
    SL_LIBCURL_FUNCTIONS(ROW)
#undef ROW
};

static bool find_functions(struct sl_libcurl *curl, void *library, struct sl_error *error)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *function = dlsym(library, functions[i].name);
        if (function == NULL) {
            return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                                "what is installed as libcurl lacks %s: sending needs libcurl 7.60", functions[i].name);
        }
        memcpy((char *)curl + functions[i].offset, &function, sizeof function);
    }
    return true;
}

/* libcurl says of the function itself that only 7.84 and later may be told so by several threads at once. */
static bool make_ready(const struct sl_libcurl *curl)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    CURLcode code = curl->global_init(CURL_GLOBAL_DEFAULT);
    pthread_mutex_unlock(&lock);
    return code == CURLE_OK;
}

bool sl_libcurl_load(struct sl_libcurl *curl, const char *const *names, struct sl_error *error)
{
    names = names == NULL ? usual_names : names;
    void *library = NULL;
    for (; *names != NULL && library == NULL; names++) {
        library = dlopen(*names, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    }
    if (library == NULL) {
        return sl_error_set(
            error, SL_ERROR_UNSUPPORTED,
            "sending needs the library libcurl, which is not installed here: install the package libcurl4 "
            "(Debian, Ubuntu) or libcurl (Alpine, Fedora, RHEL)");
    }
    if (!find_functions(curl, library, error)) {
        return false;
    }
    const curl_version_info_data *version = curl->version_info(CURLVERSION_NOW);
    if (version->version_num < OLDEST_VERSION) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED, "sending needs libcurl 7.60 or later; installed is %s",
                            version->version);
    }
    if (!make_ready(curl)) {
        return sl_error_set(error, SL_ERROR_SYSTEM, "libcurl cannot be made ready");
    }
    return true;
}
