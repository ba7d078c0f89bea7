#include "sampler/translation.h"

#include "base/array.h"
#include "sampler/profiler_files.h"
#include "target/plain_path.h"

#include <stdlib.h>
#include <string.h>

void sl_translation_init(struct sl_translation *translation, struct sl_recorder *recorder)
{
    *translation = (struct sl_translation){.recorder = recorder};
}

void sl_translation_destroy(struct sl_translation *translation)
{
    free(translation->functions);
    free(translation->folders);
    translation->functions = NULL;
    translation->folders = NULL;
    translation->function_count = 0;
}

void sl_translation_turn(struct sl_translation *translation, struct sl_recorder *recorder)
{
    translation->recorder = recorder;
    free(translation->functions);
    translation->functions = NULL;
    translation->function_count = 0;
}

void sl_translation_know_folders(struct sl_translation *translation, const char *folders)
{
    free(translation->folders);
    translation->folders = strdup(folders);
    translation->elsewhere = false;
}

/* Whether a file is in none of the folders. What is made by exec, or frozen into the interpreter, has no file. */
static bool lies_elsewhere(const struct sl_translation *translation, const char *file)
{
    const char *folder = translation->folders != NULL ? translation->folders : "";
    while (*folder != '\0' && file[0] != '<') {
        size_t size = strcspn(folder, "\n");
        if (size > 0 && strncmp(file, folder, size) == 0 && file[size] == '/') {
            return false;
        }
        folder += size + (folder[size] == '\n');
    }
    return file[0] != '<';
}

void sl_strand_init(struct sl_strand *strand)
{
    *strand = (struct sl_strand){0};
}

void sl_strand_destroy(struct sl_strand *strand)
{
    free(strand->stacks);
    sl_strand_init(strand);
}

/* The name of the code's file: the plain one, by which it is seen to lie in a folder of sys.path. */
static sl_string file_of(struct sl_translation *translation, const struct sl_python *python, const struct sl_code *code)
{
    char *plain = sl_plain_path(sl_python_process(python), code->file);
    const char *file = plain != NULL ? plain : code->file;
    size_t size = plain != NULL ? strlen(plain) : code->file_size;
    translation->elsewhere = translation->elsewhere || lies_elsewhere(translation, file);
    sl_string string = sl_recorder_string(translation->recorder, file, size);
    free(plain);
    return string;
}

static sl_function nameless(struct sl_translation *translation)
{
    static const char name[] = "[unknown function]";
    struct sl_function_record record = {
        .name = sl_recorder_string(translation->recorder, name, sizeof name - 1),
        .kind = SL_FUNCTION_MARK,
    };
    return record.name == SL_NONE ? SL_NONE : sl_recorder_function(translation->recorder, record);
}

sl_function sl_translate_function(struct sl_translation *translation, const struct sl_python *python, uint32_t number)
{
    if (number == SL_CODE_NAMELESS) {
        return nameless(translation);
    }
    if (number < translation->function_count && translation->functions[number] != SL_NONE) {
        return translation->functions[number];
    }
    const struct sl_code *code = sl_python_code(python, number);
    if (code == NULL) {
        return SL_NONE;
    }
    uint32_t known = translation->function_count;
    if (!sl_array_room(&translation->functions, &translation->function_count, number, sizeof(sl_function))) {
        return SL_NONE;
    }
    for (; known < translation->function_count; known++) {
        translation->functions[known] = SL_NONE;
    }
    struct sl_function_record record = {
        .name = sl_recorder_string(translation->recorder, code->name, code->name_size),
        .file = file_of(translation, python, code),
        .first_line = code->first_line,
        .kind = SL_FUNCTION_PYTHON,
    };
    if (record.name == SL_NONE || record.file == SL_NONE) {
        return SL_NONE;
    }
    sl_function function = sl_recorder_function(translation->recorder, record);
    translation->functions[number] = function;
    return function;
}

static bool leaves_out(const struct sl_translation *translation, const struct sl_python *python, uint32_t number)
{
    const struct sl_code *code =
        translation->without_profiler && number != SL_CODE_NAMELESS ? sl_python_code(python, number) : NULL;
    return code != NULL && sl_profiler_files_have(code->file, code->file_size);
}

sl_stack sl_translate_frame(struct sl_translation *translation, const struct sl_python *python, sl_stack caller,
                            const struct sl_frame *frame)
{
    if (leaves_out(translation, python, frame->code)) {
        return caller;
    }
    sl_function function = sl_translate_function(translation, python, frame->code);
    return function != SL_NONE ? sl_recorder_stack(translation->recorder, caller, function, frame->line) : SL_NONE;
}

sl_stack sl_translate(struct sl_translation *translation, const struct sl_python *python, struct sl_strand *strand,
                      sl_stack root, size_t outside, const struct sl_walk *walk)
{
    size_t same = walk->unchanged < walk->count ? (size_t)walk->unchanged : walk->count;
    same = same < strand->count ? same : strand->count;
    if (root != strand->root || outside != strand->outside) {
        same = 0;
    }
    strand->root = root;
    strand->outside = outside;
    strand->count = same;
    if (!sl_array_reserve(&strand->stacks, &strand->capacity, (uint32_t)walk->count, sizeof(sl_stack))) {
        return SL_NONE;
    }
    sl_stack stack = same > 0 ? strand->stacks[same - 1] : root;
    for (size_t i = same; i < walk->count; i++) {
        if (i < outside) {
            strand->stacks[strand->count++] = root;
            continue;
        }
        stack = sl_translate_frame(translation, python, stack, &walk->frames[walk->count - 1 - i]);
        if (stack == SL_NONE) {
            return SL_NONE;
        }
        strand->stacks[strand->count++] = stack;
    }
    return stack;
}

void sl_strand_pass(struct sl_strand *strand, const struct sl_walk *walk)
{
    if (walk->unchanged < strand->count) {
        strand->count = (size_t)walk->unchanged;
    }
}
