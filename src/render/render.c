#include "render/render.h"

#include "render/renderers.h"

#include <string.h>
#include <strings.h>

#define ENTRY(renderer, is_binary, comparing, reader_text, ...)                                                        \
    {.name = #renderer,                                                                                                \
     .extensions = (const char *const[]){__VA_ARGS__, NULL},                                                           \
     .reader = reader_text,                                                                                            \
     .binary = is_binary,                                                                                              \
     .render = sl_render_##renderer,                                                                                   \
     .compare = comparing},

const struct sl_renderer sl_renderers[] = {SL_RENDERERS(ENTRY){.name = NULL}};

const char *const sl_source_policy_words[] = {
    [SL_SOURCE_APP] = "app", [SL_SOURCE_ALL] = "all", [SL_SOURCE_NONE] = "none", NULL};

struct sl_render_options sl_render_defaults(const struct sl_profile *profile)
{
    return (struct sl_render_options){
        .selection = sl_selection_all(profile), .unicode = true, .threshold = 0.005, .source = SL_SOURCE_APP};
}

const struct sl_renderer *sl_renderer_named(const char *name)
{
    for (const struct sl_renderer *renderer = sl_renderers; renderer->name != NULL; renderer++) {
        if (strcmp(renderer->name, name) == 0) {
            return renderer;
        }
    }
    return NULL;
}

/* KCachegrind looks for files named as Valgrind names them, whose end is a number. */
static bool named_for_callgrind(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strncmp(slash != NULL ? slash + 1 : path, "callgrind.out.", strlen("callgrind.out.")) == 0;
}

const struct sl_renderer *sl_renderer_for_path(const char *path)
{
    if (named_for_callgrind(path)) {
        return sl_renderer_named("callgrind");
    }
    const struct sl_renderer *found = NULL;
    size_t longest = 0;
    size_t size = strlen(path);
    for (const struct sl_renderer *renderer = sl_renderers; renderer->name != NULL; renderer++) {
        for (const char *const *extension = renderer->extensions; *extension != NULL; extension++) {
            size_t length = strlen(*extension);
            if (length > longest && length < size && strcasecmp(path + size - length, *extension) == 0) {
                found = renderer;
                longest = length;
            }
        }
    }
    return found;
}
