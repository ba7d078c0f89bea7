/* What the interpreter says of itself, from sys.__dict__ of the main interpreter. */
#include "cpython/dictionary.h"
#include "cpython/runtime.h"
#include "cpython/text.h"
#include "cpython/words.h"
#include "target/plain_path.h"

#include <stdlib.h>
#include <string.h>

/* More entries of sys.path than this are left out. */
#define PATH_ENTRIES_MAX 1024u

enum { PREFIX, BASE_PREFIX, EXEC_PREFIX, BASE_EXEC_PREFIX, STDLIB, PATH, EXECUTABLE, FACT_COUNT };

/* Whether `lines` has `line` as one of its lines. */
static bool has_line(const struct sl_buffer *lines, const struct sl_buffer *line)
{
    size_t at = 0;
    while (at < lines->size) {
        const char *end = memchr(lines->bytes + at, '\n', lines->size - at);
        size_t size = end == NULL ? lines->size - at : (size_t)(end - (lines->bytes + at));
        if (size == line->size && memcmp(lines->bytes + at, line->bytes, size) == 0) {
            return true;
        }
        at += size + 1;
    }
    return false;
}

/* Py_TPFLAGS_LIST_SUBCLASS and Py_TPFLAGS_UNICODE_SUBCLASS (Include/object.h): an object of the type has their layout. */
#define IS_LIST (UINT64_C(1) << 25)
#define IS_TEXT (UINT64_C(1) << 28)

static bool is_of(struct sl_python *python, uint64_t object, uint64_t flag)
{
    uint64_t type = 0;
    uint64_t flags = 0;
    return object != 0 &&
           sl_process_read(python->process, object + python->layout.object_type, &type, 8) == SL_READ_OK &&
           sl_process_read(python->process, type + python->layout.type_flags, &flags, 8) == SL_READ_OK &&
           (flags & flag) != 0;
}

static void make_plain(const struct sl_process *process, struct sl_buffer *line)
{
    char *plain = sl_plain_path(process, line->bytes);
    if (plain != NULL) {
        sl_buffer_clear(line);
        sl_buffer_text(line, plain);
        free(plain);
    }
}

/* Appends the path in the str at `address` as a line; what is no str, or empty, is left out. */
static void append_line(struct sl_python *python, uint64_t address, struct sl_buffer *lines, bool distinct)
{
    struct sl_buffer line;
    sl_buffer_init(&line);
    if (is_of(python, address, IS_TEXT) &&
        sl_text_read(python->process, &python->layout, address, &line) == SL_READ_OK && line.size > 0 &&
        memchr(line.bytes, '\n', line.size) == NULL) {
        make_plain(python->process, &line);
        if (!distinct || !has_line(lines, &line)) {
            if (lines->size > 0) {
                sl_buffer_byte(lines, '\n');
            }
            sl_buffer_append(lines, line.bytes, line.size);
        }
    }
    sl_buffer_destroy(&line);
}

/* What a list holds, as far as it is looked at. */
struct list {
    uint64_t size, items; /* as they are in memory */
    uint64_t entries[PATH_ENTRIES_MAX];
    size_t count;
};

/* False when it cannot be read, or is no list: an interpreter that ends puts None in the place of sys.path. */
static bool read_list(struct sl_python *python, uint64_t address, struct list *list)
{
    const struct sl_layout *layout = &python->layout;
    struct sl_read_piece pieces[] = {{address + layout->list_size, &list->size, 8},
                                     {address + layout->list_items, &list->items, 8}};
    if (!is_of(python, address, IS_LIST) || sl_process_read_pieces(python->process, pieces, 2) != SL_READ_OK) {
        return false;
    }
    list->count = list->size < PATH_ENTRIES_MAX ? (size_t)list->size : PATH_ENTRIES_MAX;
    return list->count == 0 ||
           sl_process_read(python->process, list->items, list->entries, list->count * 8) == SL_READ_OK;
}

static bool same_list(const struct list *a, const struct list *b)
{
    return a->size == b->size && a->items == b->items && memcmp(a->entries, b->entries, a->count * 8) == 0;
}

/* Appends what the list at `address` holds. False when it changed meanwhile: what it held may have been freed. */
static bool append_path(struct sl_python *python, uint64_t address, struct sl_buffer *lines)
{
    struct list list;
    struct list after;
    if (!read_list(python, address, &list)) {
        return true;
    }
    for (size_t i = 0; i < list.count; i++) {
        append_line(python, list.entries[i], lines, false);
    }
    return read_list(python, address, &after) && same_list(&list, &after);
}

/* Whether the dictionary still has the values that were found: else what was read of them may be of other objects. */
static bool still_has(struct sl_python *python, const struct sl_dictionary_entry entries[static FACT_COUNT])
{
    uint64_t values[FACT_COUNT];
    struct sl_read_piece pieces[FACT_COUNT];
    size_t count = 0;
    for (int i = 0; i < FACT_COUNT; i++) {
        if (entries[i].place != 0) {
            pieces[count] = (struct sl_read_piece){entries[i].place, &values[i], 8};
            count++;
        }
    }
    bool same = count == 0 || sl_process_read_pieces(python->process, pieces, count) == SL_READ_OK;
    for (int i = 0; i < FACT_COUNT && same; i++) {
        same = entries[i].place == 0 || values[i] == entries[i].value;
    }
    return same;
}

/* The main interpreter is the one with the number 0. */
static uint64_t main_interpreter(struct sl_python *python)
{
    const struct sl_layout *layout = &python->layout;
    uint64_t interpreter = 0;
    sl_process_read(python->process, python->runtime + layout->runtime_interpreters, &interpreter, 8);
    for (size_t seen = 0; interpreter != 0 && seen < SL_INTERPRETERS_MAX; seen++) {
        uint64_t next = 0;
        int64_t id = -1;
        struct sl_read_piece pieces[] = {{interpreter + layout->interpreter_next, &next, 8},
                                         {interpreter + layout->interpreter_id, &id, 8}};
        if (sl_process_read_pieces(python->process, pieces, 2) != SL_READ_OK) {
            return 0;
        }
        if (id == 0) {
            return interpreter;
        }
        interpreter = next;
    }
    return 0;
}

static char *take(struct sl_buffer *buffer)
{
    char *text = buffer->failed || buffer->bytes == NULL ? NULL : strndup(buffer->bytes, buffer->size);
    if (text == NULL && !buffer->failed) {
        text = strdup("");
    }
    sl_buffer_destroy(buffer);
    return text;
}

bool sl_python_facts(struct sl_python *python, struct sl_python_facts *facts)
{
    const struct sl_layout *layout = &python->layout;
    *facts = (struct sl_python_facts){0};
    struct sl_dictionary_entry entries[FACT_COUNT] = {
        [PREFIX] = {.name = "prefix"},           [BASE_PREFIX] = {.name = "base_prefix"},
        [EXEC_PREFIX] = {.name = "exec_prefix"}, [BASE_EXEC_PREFIX] = {.name = "base_exec_prefix"},
        [STDLIB] = {.name = "_stdlib_dir"},      [PATH] = {.name = "path"},
        [EXECUTABLE] = {.name = "executable"},
    };
    uint64_t interpreter = main_interpreter(python);
    uint64_t dictionary = 0;
    if (interpreter == 0 ||
        sl_process_read(python->process, interpreter + layout->interpreter_sys_dict, &dictionary, 8) != SL_READ_OK ||
        dictionary == 0 || sl_dictionary_find(python->process, layout, dictionary, entries, FACT_COUNT) != SL_READ_OK) {
        return false;
    }
    struct sl_buffer prefixes;
    struct sl_buffer path;
    struct sl_buffer executable;
    sl_buffer_init(&prefixes);
    sl_buffer_init(&path);
    sl_buffer_init(&executable);
    for (int i = PREFIX; i <= STDLIB; i++) {
        append_line(python, entries[i].value, &prefixes, true);
    }
    bool whole = append_path(python, entries[PATH].value, &path);
    append_line(python, entries[EXECUTABLE].value, &executable, false);
    whole = still_has(python, entries) && whole;
    facts->prefixes = take(&prefixes);
    facts->path = take(&path);
    facts->executable = take(&executable);
    if (!whole || facts->prefixes == NULL || facts->path == NULL || facts->executable == NULL) {
        sl_python_facts_destroy(facts);
        return false;
    }
    return true;
}

void sl_python_facts_destroy(struct sl_python_facts *facts)
{
    free(facts->prefixes);
    free(facts->path);
    free(facts->executable);
    *facts = (struct sl_python_facts){0};
}
