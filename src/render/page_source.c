#include "render/page_source.h"

#include "analysis/load_times.h"
#include "analysis/roles.h"
#include "analysis/sort.h"
#include "base/buffer.h"
#include "render/deflated.h"
#include "render/source_file.h"
#include "render/source_places.h"

#include <stdlib.h>
#include <string.h>

/* Lines before and after what is taken. */
static const uint32_t context_lines = 2;

/* A function that goes on for longer is cut: its lines that were seen are taken with some lines around each. */
static const uint32_t function_lines_max = 400;

/* A file whose text was asked for. Files stay in memory until the page is written, because functions come by weight
 * and not by file. */
struct source_file {
    struct sl_source_lines lines;
    uint8_t *taken; /* one byte for each line; NULL: there is no text */
    bool read;
};

static bool ends_in(const char *path, const char *extension)
{
    size_t size = strlen(path);
    size_t extension_size = strlen(extension);
    return size > extension_size && memcmp(path + size - extension_size, extension, extension_size) == 0;
}

static void forget_file(struct source_file *file)
{
    sl_source_forget(&file->lines);
    free(file->taken);
    file->taken = NULL;
}

static void read_file(struct source_file *file, const struct sl_source_file *wanted)
{
    file->read = true;
    bool script = ends_in(wanted->path, ".py") || ends_in(wanted->path, ".pyw");
    if ((script || wanted->text != NULL) && sl_source_read(wanted, &file->lines)) {
        file->taken = calloc(file->lines.count, 1);
    }
}

/* The column at which a line's text begins (a tab counts as 8), UINT32_MAX for a line that is empty, a comment, or only
 * closes a bracket, as the signature of a long definition does. */
static uint32_t indentation(const struct source_file *file, uint32_t line)
{
    uint32_t column = 0;
    for (size_t i = file->lines.starts[line - 1]; i < file->lines.starts[line]; i++) {
        switch (file->lines.text[i]) {
        case ' ':
            column++;
            break;
        case '\t':
            column += 8;
            break;
        case '\n':
        case '#':
        case ')':
        case ']':
        case '}':
            return UINT32_MAX;
        default:
            return column;
        }
    }
    return UINT32_MAX;
}

static bool is_decorator(const struct source_file *file, uint32_t line)
{
    size_t at = file->lines.starts[line - 1];
    size_t end = file->lines.starts[line];
    while (at < end && (file->lines.text[at] == ' ' || file->lines.text[at] == '\t')) {
        at++;
    }
    return at < end && file->lines.text[at] == '@';
}

/* The last line of the definition that begins at `first`: the one before the next that is indented as little as it is.
 * A text in a string of several lines may end it too early; the lines that were seen are taken all the same. */
static uint32_t last_line_of(const struct source_file *file, uint32_t first)
{
    uint32_t outer = indentation(file, first);
    uint32_t line = first;
    /* Decorators stand before the line that the definition begins with. */
    while (line < file->lines.count && is_decorator(file, line)) {
        line++;
    }
    uint32_t last = line;
    while (++line <= file->lines.count && line - first < function_lines_max) {
        uint32_t column = indentation(file, line);
        if (column == UINT32_MAX) {
            continue;
        }
        if (column <= outer) {
            break;
        }
        last = line;
    }
    return last;
}

/* Marks lines as wanted: 2 in `taken` until they are written, 1 from then on. */
static void want(struct source_file *file, uint32_t first, uint32_t last)
{
    uint32_t begin = first > context_lines ? first - context_lines : 1;
    for (uint32_t line = begin; line <= last + context_lines && line <= file->lines.count; line++) {
        if (file->taken[line - 1] == 0) {
            file->taken[line - 1] = 2;
        }
    }
}

/* The wanted lines as pieces. */
static void put_pieces(struct sl_buffer *buffer, struct source_file *file, sl_string name)
{
    for (uint32_t line = 1; line <= file->lines.count; line++) {
        if (file->taken[line - 1] != 2) {
            continue;
        }
        uint32_t first = line;
        while (line <= file->lines.count && file->taken[line - 1] == 2) {
            file->taken[line - 1] = 1;
            line++;
        }
        size_t size = file->lines.starts[line - 1] - file->lines.starts[first - 1];
        sl_buffer_varint(buffer, name);
        sl_buffer_varint(buffer, first);
        sl_buffer_varint(buffer, size);
        sl_buffer_append(buffer, file->lines.text + file->lines.starts[first - 1], size);
    }
}

/* What the collecting needs all the time. */
struct collection {
    const struct sl_profile *profile;
    const struct sl_render_options *options;
    struct sl_groups stacks;    /* by function */
    struct source_file *files;  /* one for each string */
    const int *places;          /* the same */
    const uint64_t *load_times; /* the same */
    struct sl_buffer piece;
    struct sl_deflated *deflated;
    bool any;
};

/* Puts the stacks together by function: their lines are those that were seen. False when memory is exhausted. */
static bool group_stacks(struct collection *collection, struct sl_arena *arena)
{
    const struct sl_profile *profile = collection->profile;
    uint32_t *functions = SL_ARENA_NEW(arena, uint32_t, profile->stack_count);
    if (functions == NULL) {
        return false;
    }
    for (sl_stack stack = 0; stack < profile->stack_count; stack++) {
        functions[stack] = profile->stacks[stack].function;
    }
    return sl_group(arena, functions, profile->stack_count, profile->function_count, &collection->stacks);
}

/* False when nothing more fits. */
static bool add_function(struct collection *collection, sl_function function)
{
    const struct sl_function_record *record = &collection->profile->functions[function];
    struct source_file *file = &collection->files[record->file];
    if (!file->read) {
        const char *path = sl_profile_text(collection->profile, record->file);
        const struct sl_source_file wanted = {
            .path = path,
            .text = sl_source_given_text(collection->options, path),
            .place = collection->places[record->file],
            .newest_ns = collection->load_times[record->file],
            .size_max = SL_PAGE_SOURCE_FILE_MAX,
            .harmless = true,
        };
        read_file(file, &wanted);
    }
    if (file->taken == NULL) {
        return true;
    }
    const char *name = sl_profile_text(collection->profile, record->name);
    if (strcmp(name, "<module>") != 0 && record->first_line > 0 && record->first_line <= file->lines.count) {
        want(file, record->first_line, last_line_of(file, record->first_line));
    }
    for (uint32_t i = collection->stacks.starts[function]; i < collection->stacks.starts[function + 1]; i++) {
        uint32_t line = collection->profile->stacks[collection->stacks.items[i]].line;
        if (line > 0 && line <= file->lines.count) {
            want(file, line, line);
        }
    }
    sl_buffer_clear(&collection->piece);
    put_pieces(&collection->piece, file, record->file);
    if (collection->piece.size == 0) {
        return true;
    }
    if (!sl_deflated_add(collection->deflated, collection->piece.bytes, collection->piece.size)) {
        return false;
    }
    collection->any = true;
    return true;
}

/* All functions of one role, heaviest first. */
static bool add_functions(struct collection *collection, const struct sl_function_total *totals, uint32_t count,
                          const uint8_t *roles, bool own, uint32_t limit)
{
    for (uint32_t i = 0; i < count && limit > 0; i++) {
        sl_function function = totals[i].function;
        if (collection->profile->functions[function].kind != SL_FUNCTION_PYTHON ||
            (roles[function] == SL_ROLE_OWN) != own) {
            continue;
        }
        limit--;
        if (!add_function(collection, function)) {
            return false;
        }
    }
    return true;
}

bool sl_page_source_write(const struct sl_profile *profile, const struct sl_render_options *options,
                          const struct sl_function_total *totals, uint32_t total_count, struct sl_output *output,
                          struct sl_error *error)
{
    if (options->source == SL_SOURCE_NONE) {
        return true;
    }
    bool all = options->source == SL_SOURCE_ALL;
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct collection collection = {.profile = profile, .options = options};
    sl_buffer_init(&collection.piece);
    bool grouped = group_stacks(&collection, &arena);
    const uint8_t *roles = sl_roles(&arena, profile, &options->roles);
    collection.places = sl_source_places(&arena, profile, options);
    collection.load_times = sl_load_times(&arena, profile);
    collection.files = calloc(profile->string_count, sizeof *collection.files);
    collection.deflated = sl_deflated_create(all ? SL_SOURCE_ALL_LIMIT : SL_PAGE_SOURCE_LIMIT);
    bool done = false;
    if (!grouped || roles == NULL || collection.places == NULL || collection.load_times == NULL ||
        collection.files == NULL || collection.deflated == NULL) {
        sl_error_memory(error);
        goto cleanup;
    }
    if (add_functions(&collection, totals, total_count, roles, true, UINT32_MAX)) {
        (void)add_functions(&collection, totals, total_count, roles, false,
                            all ? UINT32_MAX : SL_SOURCE_LIBRARY_FUNCTIONS);
    }
    if (collection.any) {
        const struct sl_buffer *bytes = sl_deflated_finish(collection.deflated);
        if (bytes == NULL) {
            sl_error_memory(error);
            goto cleanup;
        }
        sl_base64_write(output, bytes->bytes, bytes->size);
    }
    done = true;
cleanup:
    for (uint32_t i = 0; collection.files != NULL && i < profile->string_count; i++) {
        forget_file(&collection.files[i]);
    }
    free(collection.files);
    sl_deflated_destroy(collection.deflated);
    sl_buffer_destroy(&collection.piece);
    sl_arena_reset(&arena);
    return done;
}
