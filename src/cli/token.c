/* token.c - `stacklapse token`: a token with which a browser may ask a web application for a profile.
 *
 * What it is stands in python/stacklapse/_web/tokens.py. It is made here and not by that module because the command
 * stands alone: the machine of whoever wants a token may have no Python with the package in it. HMAC-SHA256 comes from
 * libsodium, which is made for such things and little else, is kept, has the URL-safe base64 and the wiping of secrets
 * as well, and is packaged with a static library, of which some 10 kB are linked. OpenSSL would bring megabytes and its
 * own configuration into the command. */
#include "cli/command.h"

#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { secret_min = 16, secret_max = 65536 };

/* What a person types is not to be seen in the list of processes, so there is no option that takes the secret itself. */
static const char variable[] = "STACKLAPSE_SECRET";

struct secret {
    unsigned char bytes[secret_max + 1];
    size_t size;
};

static bool read_secret_file(struct secret *secret, const char *path, struct sl_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return sl_error_system(error, errno, "cannot read the secret in %s", path);
    }
    ssize_t size = 0;
    while (secret->size < sizeof secret->bytes &&
           (size = read(file, secret->bytes + secret->size, sizeof secret->bytes - secret->size)) != 0) {
        if (size > 0) {
            secret->size += (size_t)size;
        } else if (errno != EINTR) {
            sl_error_system(error, errno, "cannot read the secret in %s", path);
            break;
        }
    }
    close(file);
    /* The end of the line is the editor's. */
    while (secret->size > 0 && (secret->bytes[secret->size - 1] == '\n' || secret->bytes[secret->size - 1] == '\r')) {
        secret->size--;
    }
    return size >= 0;
}

static bool read_secret(struct secret *secret, const char *path, struct sl_error *error)
{
    if (path != NULL) {
        if (!read_secret_file(secret, path, error)) {
            return false;
        }
    } else {
        const char *value = getenv(variable);
        if (value == NULL) {
            return sl_error_set(error, SL_ERROR_USAGE,
                                "a token is signed with the application's secret: name the file that it is in with "
                                "--secret-file, or set %s",
                                variable);
        }
        secret->size = strnlen(value, sizeof secret->bytes);
        memcpy(secret->bytes, value, secret->size);
    }
    if (secret->size > secret_max) {
        return sl_error_set(error, SL_ERROR_USAGE, "the secret is longer than %d bytes", secret_max);
    }
    if (secret->size < secret_min) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "the secret must be at least %d bytes long, and random; this makes one: "
                            "openssl rand -hex 32",
                            secret_min);
    }
    return true;
}

static void write_token(struct sl_output *output, const struct secret *secret, uint64_t expires)
{
    char moment[24];
    snprintf(moment, sizeof moment, "%" PRIu64, expires);
    static const unsigned char purpose[] = "stacklapse token 1\n";
    unsigned char signature[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, secret->bytes, secret->size);
    crypto_auth_hmacsha256_update(&state, purpose, sizeof purpose - 1);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)moment, strlen(moment));
    crypto_auth_hmacsha256_final(&state, signature);
    char text[sodium_base64_ENCODED_LEN(sizeof signature, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    sodium_bin2base64(text, sizeof text, signature, sizeof signature, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sl_output_format(output, "sl1.%s.%s\n", moment, text);
    sodium_memzero(&state, sizeof state);
}

int sl_command_token(const struct sl_options *options)
{
    if (options->operand_count > 0) {
        sl_say("there is nothing to name here, not '%s'", options->operands[0]);
        return SL_EXIT_USAGE;
    }
    static struct secret secret;
    struct sl_error error = {0};
    if (!read_secret(&secret, options->secret_file, &error)) {
        sodium_memzero(&secret, sizeof secret);
        sl_say_error(&error);
        return error.kind == SL_ERROR_USAGE ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t end_ns = (uint64_t)now.tv_nsec + options->ttl_ns;
    uint64_t expires = (uint64_t)now.tv_sec + end_ns / 1000000000 + (end_ns % 1000000000 != 0);
    struct sl_output output;
    sl_output_descriptor(&output, STDOUT_FILENO);
    write_token(&output, &secret, expires);
    sodium_memzero(&secret, sizeof secret);
    if (!sl_output_close(&output, &error)) {
        sl_say_error(&error);
        return SL_EXIT_FAILED;
    }
    return SL_EXIT_DONE;
}
