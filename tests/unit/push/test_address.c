#include "push/address.h"

#include "push/reason.h"
#include "push/secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void expect(const char *url, const char *bare, const char *name, const char *user, const char *password)
{
    struct sl_address address;
    struct sl_error error = {0};
    assert_true(sl_address_parse(&address, url, &error));
    assert_string_equal(address.url, bare);
    assert_string_equal(address.name, name);
    if (user == NULL) {
        assert_null(address.user);
        assert_null(address.password);
    } else {
        assert_string_equal(address.user, user);
        assert_string_equal(address.password, password);
    }
    sl_address_destroy(&address);
}

static void test_a_url_comes_apart(void **state)
{
    (void)state;
    expect("http://host", "http://host", "http://host", NULL, NULL);
    expect("HTTPS://Host:4040/a/b?c=d", "HTTPS://Host:4040/a/b?c=d", "HTTPS://Host:4040/a/b", NULL, NULL);
    expect("http://host?key=1", "http://host?key=1", "http://host", NULL, NULL);
    expect("http://[::1]:4040/", "http://[::1]:4040/", "http://[::1]:4040/", NULL, NULL);
    expect("http://me:hunter2@host/x", "http://host/x", "http://host/x", "me", "hunter2");
    expect("http://me@host", "http://host", "http://host", "me", "");
    expect("http://:key@host", "http://host", "http://host", "", "key");
    expect("http://me:p@ss:w@host", "http://host", "http://host", "me", "p@ss:w");
    expect("http://m%65:%2F%3f%25%zz%4@host", "http://host", "http://host", "me", "/?%%zz%4");
}

static void test_a_long_path_is_cut_in_sentences_only(void **state)
{
    (void)state;
    char url[1000];
    memset(url, 'x', sizeof url);
    memcpy(url, "http://host/", 12);
    url[sizeof url - 1] = '\0';
    struct sl_address address;
    assert_true(sl_address_parse(&address, url, NULL));
    assert_string_equal(address.url, url);
    assert_true(strlen(address.name) < 200);
    sl_address_destroy(&address);
}

static void test_what_is_no_address_is_refused_without_being_repeated(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "hunter2",
        "ftp://me:hunter2@host/",
        "file:///hunter2",
        "http://",
        "http:///hunter2",
        "http://me:hunter2@",
        "http://me:hunter2@/path",
        "http://host:hunter2/",
        "http://host:0/hunter2",
        "http://host:65536/hunter2",
        "http://host:123456789012/hunter2",
        "http://[::1/hunter2",
        "http://[::1]x/hunter2",
        "http://me:hunter2@host name/",
        "http://me:hunter2@host/\r\nX: y",
        "http://me:hunter2@host/\x7f",
        "http://me:hunter2#@host/",
        "http://me:hun%00ter2@host/",
        "http://me:hunter2/@host/",
        "http://me:12/hunter2@host/",
        "http://me:12?hunter2@host/",
        "http://me:p@12/hunter2@host/",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sl_address address;
        struct sl_error error = {0};
        if (sl_address_parse(&address, wrong[i], &error)) {
            fail_msg("taken for an address: %s", wrong[i]);
        }
        assert_int_equal(error.kind, SL_ERROR_USAGE);
        assert_null(strstr(error.sentence, "hunter2"));
        assert_null(address.url);
    }
}

static void test_secrets_are_found(void **state)
{
    (void)state;
    struct sl_secrets secrets = {0};
    assert_false(sl_secrets_in(&secrets, "hunter2", 7));
    assert_true(sl_secrets_add(&secrets, ""));
    assert_false(sl_secrets_in(&secrets, "anything", 8));
    assert_true(sl_secrets_add_login(&secrets, "me", "hunter2"));
    assert_true(sl_secrets_in(&secrets, "it is hunter2.", 14));
    assert_true(sl_secrets_in(&secrets, "Basic bWU6aHVudGVyMg==", 22));
    assert_true(sl_secrets_add_header(&secrets, "authorization:  Bearer abc.def"));
    assert_true(sl_secrets_in(&secrets, "token abc.def", 13));
    assert_true(sl_secrets_add_header(&secrets, "X-API-Key: 4711"));
    assert_true(sl_secrets_in(&secrets, "4711", 4));
    assert_true(sl_secrets_add_header(&secrets, "Content-Type: text/plain"));
    assert_false(sl_secrets_in(&secrets, "text/plain", 10));
    sl_secrets_destroy(&secrets);
}

static void test_what_is_shown_can_be_printed(void **state)
{
    (void)state;
    char text[32];
    const char answer[] = "\x1b[31mno\r\n\n\t way\x7f \xc2\x9b\xe2\x80\xae\xff caf\xc3\xa9 ";
    sl_reason_clean(text, sizeof text, answer, sizeof answer - 1);
    assert_string_equal(text, "[31mno way ? caf?");
    sl_reason_clean(text, 4, "abcdef", 6);
    assert_string_equal(text, "abc");
    sl_reason_clean(text, sizeof text, "a\0b", 3);
    assert_string_equal(text, "a b");
    sl_reason_clean(text, sizeof text, "", 0);
    assert_string_equal(text, "");
}

static void test_a_status_has_its_reason(void **state)
{
    (void)state;
    struct sl_secrets secrets = {0};
    char text[320];
    sl_reason_of_status(text, sizeof text, 422, "too old\n", 8, &secrets);
    assert_string_equal(text, "HTTP 422 Unprocessable Content: too old");
    sl_reason_of_status(text, sizeof text, 502, "\n<html><head>", 13, &secrets);
    assert_string_equal(text, "HTTP 502 Bad Gateway");
    sl_reason_of_status(text, sizeof text, 599, "", 0, &secrets);
    assert_string_equal(text, "HTTP 599");
    assert_true(sl_secrets_add(&secrets, "gr\xc3\xbc\xc3\x9f"));
    sl_reason_of_status(text, sizeof text, 400, "gr\xc3\xbc\xc3\x9f", 6, &secrets);
    assert_string_equal(text, "HTTP 400 Bad Request: (what it says repeats a password or a key)");
    assert_true(sl_secrets_add(&secrets, "hun ter"));
    sl_reason_of_status(text, sizeof text, 400, "hun\n\nter", 8, &secrets);
    assert_string_equal(text, "HTTP 400 Bad Request: (what it says repeats a password or a key)");
    sl_secrets_destroy(&secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_url_comes_apart),
        cmocka_unit_test(test_a_long_path_is_cut_in_sentences_only),
        cmocka_unit_test(test_what_is_no_address_is_refused_without_being_repeated),
        cmocka_unit_test(test_secrets_are_found),
        cmocka_unit_test(test_what_is_shown_can_be_printed),
        cmocka_unit_test(test_a_status_has_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
