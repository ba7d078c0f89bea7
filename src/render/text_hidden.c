/* What is said of the library frames that are folded into one node. */
#include "analysis/roles.h"
#include "render/text_parts.h"

#include <stdio.h>
#include <string.h>

enum {
    packages_max = 3,    /* that are named */
    looked_at_max = 200, /* functions, heaviest first: what comes later is no package that mattered */
    package_columns = 24,
};

/* Adds the package to the list unless it is there. */
static void add_package(const struct sl_text *text, sl_function function, const char **names, size_t *sizes,
                        uint32_t *count)
{
    size_t size = 0;
    const char *name = sl_package(text->profile, function, &size);
    if (size == 0) {
        return;
    }
    for (uint32_t i = 0; i < *count && i < packages_max; i++) {
        if (sizes[i] == size && memcmp(names[i], name, size) == 0) {
            return;
        }
    }
    if (*count < packages_max) {
        names[*count] = name;
        sizes[*count] = size;
    }
    (*count)++;
}

const char *const *sl_text_hidden_note(struct sl_text *text, const struct sl_call_tree *tree,
                                       const struct sl_node *node, struct sl_text_hidden_note *note)
{
    const char *sign = text->style.signs->folded;
    char count[SL_TEXT_NUMBER_SIZE];
    sl_text_count(node->hidden_frames, count);
    const char *frames = node->hidden_frames == 1 ? "frame" : "frames";

    const char *names[packages_max];
    size_t sizes[packages_max];
    uint32_t packages = 0;
    for (uint32_t i = 0; i < node->hidden_count && i < looked_at_max && packages <= packages_max; i++) {
        add_package(text, tree->hidden[node->first_hidden + i], names, sizes, &packages);
    }
    const char *more = text->style.unicode ? ", …" : ", ...";
    uint32_t way = 0;
    for (uint32_t named = packages < packages_max ? packages : packages_max; named > 0; named = named > 1 ? 1 : 0) {
        struct sl_buffer list;
        sl_buffer_init(&list);
        for (uint32_t i = 0; i < named; i++) {
            sl_buffer_text(&list, i > 0 ? ", " : "");
            sl_text_fit(&list, names[i], sizes[i], package_columns, SL_TEXT_CUT_MIDDLE, text->style.unicode);
        }
        sl_buffer_text(&list, packages > named ? more : "");
        if (!list.failed) {
            snprintf(note->text[way++], sizeof note->text[0], "%s%s %s hidden (%s)", sign, count, frames, list.bytes);
        }
        sl_buffer_destroy(&list);
    }
    snprintf(note->text[way++], sizeof note->text[0], "%s%s %s hidden", sign, count, frames);
    snprintf(note->text[way++], sizeof note->text[0], "%s%s hidden", sign, count);
    snprintf(note->text[way++], sizeof note->text[0], "%s%s", sign, count);
    for (uint32_t i = 0; i < way; i++) {
        note->ways[i] = note->text[i];
    }
    note->ways[way] = NULL;
    return note->ways;
}
