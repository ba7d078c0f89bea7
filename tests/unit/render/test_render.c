#include "render/render.h"

#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_every_renderer_is_found_by_its_name_and_extensions(void **state)
{
    (void)state;
    size_t count = 0;
    for (const struct sl_renderer *renderer = sl_renderers; renderer->name != NULL; renderer++, count++) {
        assert_ptr_equal(sl_renderer_named(renderer->name), renderer);
        assert_non_null(renderer->extensions[0]);
        assert_non_null(renderer->reader);
        assert_non_null(renderer->render);
        for (const char *const *extension = renderer->extensions; *extension != NULL; extension++) {
            char path[64] = "report";
            strcat(path, *extension);
            assert_ptr_equal(sl_renderer_for_path(path), renderer);
        }
    }
    assert_true(count >= 3);
    assert_null(sl_renderer_named("xml"));
    assert_null(sl_renderer_named(""));
}

static void test_the_longest_extension_wins_in_any_case(void **state)
{
    (void)state;
    assert_string_equal(sl_renderer_for_path("a/b.JSON")->name, "json");
    assert_string_equal(sl_renderer_for_path("b.collapsedstack.txt")->name, "folded");
    assert_string_equal(sl_renderer_for_path("b.SpeedScope.json")->name, "speedscope");
    assert_null(sl_renderer_for_path("report"));
    assert_null(sl_renderer_for_path("report.xyz"));
    assert_null(sl_renderer_for_path(".json"));
    assert_null(sl_renderer_for_path(""));
}

static void test_defaults_are_the_whole_recording(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    builder_thread(builder, 0, "");
    builder_ran(builder, 0, "main:1", 0, 7);
    struct sl_render_options options = sl_render_defaults(builder_profile(builder));
    assert_int_equal(options.selection.begin_ns, 0);
    assert_int_equal(options.selection.end_ns, 7000000);
    assert_true(options.unicode);
    assert_false(options.color);
    assert_false(options.roles.show_all);
    assert_true(options.threshold > 0.004 && options.threshold < 0.006);
    builder_destroy(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_renderer_is_found_by_its_name_and_extensions),
        cmocka_unit_test(test_the_longest_extension_wins_in_any_case),
        cmocka_unit_test(test_defaults_are_the_whole_recording),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
