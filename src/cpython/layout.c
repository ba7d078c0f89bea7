#include "cpython/layout.h"

#include "cpython/words.h"

#include <string.h>

#define OLDEST_MINOR 11
#define NEWEST_MINOR 15
#define FINAL 0xF

/* What is the same in all versions from 3.11 to 3.15, or told by none of them. */
static const struct sl_layout common = {
    .gil_holder = 8,
    .gil_locked = 16,
#if defined(__aarch64__)
    .gil_size = 224, /* a pthread_mutex_t has 48 bytes there, 40 on x86-64 */
#else
    .gil_size = 208,
#endif
    .thread_previous = 0,
    .thread_next = 8,
    .thread_interpreter = 16,
    .code_size = 16,
    .code_flags = 48,
    .code_file = 112,
    .code_qualified_name = 128,
    .code_line_table = 136,
    .object_type = 8,
    .type_name = 24,
    .type_flags = 168,
    .bytes_size = 16,
    .bytes_data = 32,
    .text_length = 16,
    .text_state = 32,
    .list_size = 16,
    .list_items = 24,
    .dict_keys = 32,
    .pointer_mask = UINT64_MAX,
    .owner_hidden = 3,
    .owner_max = 3,
    .bottom_is_hidden = true,
};

static void use_3_11(struct sl_layout *layout)
{
    layout->runtime_interpreters = 40;
    layout->runtime_gil = 360;
    layout->interpreter_next = 0;
    layout->interpreter_threads = 16;
    layout->interpreter_id = 48;
    layout->interpreter_collecting = 848;
    layout->interpreter_sys_dict = 904;
    layout->thread_frame = 56;
    layout->thread_native_id = 160;
    layout->thread_context = 224;
    layout->thread_chunk = 296;
    layout->c_frame_frame = 8;
    layout->c_frame_previous = 16;
    layout->frame_code = 32;
    layout->frame_previous = 48;
    layout->frame_instruction = 56;
    layout->frame_owner = 69;
    layout->frame_stack_top = 64;
    layout->frame_entry = 68;
    layout->frame_header = 72;
    layout->frame_locals = 72;
    layout->frame_awaited = 8;
    layout->generator_state = 75;
    layout->generator_frame = 80;
    layout->generator_suspended_first = -1;
    layout->generator_suspended_last = -1;
    layout->generator_awaits = -1;
    layout->task_coroutine = 136;
    layout->code_first_line = 72;
    layout->code_locals = 76;
    layout->code_stack = 68;
    layout->code_first_traceable = 168;
    layout->code_instructions = 184;
    layout->text_ascii = 48;
    layout->text_compact = 72;
    layout->owner_max = 2;
    layout->bottom_is_hidden = false;
    layout->c_frames = true;
    layout->instruction_is_past = true;
}

static void use_3_12(struct sl_layout *layout)
{
    layout->runtime_interpreters = 40;
    layout->interpreter_next = 0;
    layout->interpreter_id = 8;
    layout->interpreter_threads = 72;
    layout->interpreter_collecting = 312;
    layout->interpreter_sys_dict = 352;
    layout->interpreter_gil = 384;
    layout->thread_frame = 56;
    layout->thread_native_id = 144;
    layout->thread_context = 208;
    layout->thread_chunk = 232;
    layout->c_frame_frame = 0;
    layout->c_frame_previous = 8;
    layout->frame_code = 0;
    layout->frame_previous = 8;
    layout->frame_instruction = 56;
    layout->frame_owner = 70;
    layout->frame_stack_top = 64;
    layout->frame_header = 72;
    layout->frame_locals = 72;
    layout->frame_awaited = 8;
    layout->generator_state = 67;
    layout->generator_frame = 72;
    layout->generator_suspended_first = -1;
    layout->generator_suspended_last = -1;
    layout->generator_awaits = -1;
    layout->task_coroutine = 136;
    layout->code_first_line = 68;
    layout->code_first_traceable = 176;
    layout->code_instructions = 192;
    layout->text_ascii = 40;
    layout->text_compact = 56;
    layout->c_frames = true;
    layout->instruction_is_past = true;
}

/* A number that _Py_DebugOffsets tells: the how-manieth 64-bit word of it in each version, and into which field of the
 * layout it goes. Word 0 is the cookie, 1 the version, 2 says whether it is free-threaded. The structure of 3.14 is
 * not that of 3.13 with something appended, and that of 3.15 is another again. */
struct told {
    uint16_t word[3]; /* in 3.13, 3.14, 3.15; 0: not told */
    uint16_t size;    /* the word before it that holds the structure's size, counted back; 0: it is a size itself */
    uint16_t width;   /* of the field, in bytes */
    size_t field;
};

#define FIELD(name) offsetof(struct sl_layout, name)

static const struct told told[] = {
    {{5, 5, 5}, 2, 8, FIELD(runtime_interpreters)},
    {{7, 7, 7}, 1, 8, FIELD(interpreter_id)},
    {{8, 8, 8}, 2, 8, FIELD(interpreter_next)},
    {{9, 9, 9}, 3, 8, FIELD(interpreter_threads)},
    {{12, 13, 13}, 0, 8, FIELD(interpreter_sys_dict)},
    {{14, 15, 15}, 0, 8, FIELD(interpreter_gil)},
    {{0, 20, 20}, 14, 8, FIELD(interpreter_code_generation)},
    {{20, 23, 23}, 1, 8, FIELD(thread_previous)},
    {{21, 24, 24}, 2, 8, FIELD(thread_next)},
    {{22, 25, 25}, 3, 8, FIELD(thread_interpreter)},
    {{23, 26, 26}, 4, 8, FIELD(thread_frame)},
    {{0, 0, 27}, 5, 8, FIELD(thread_base)},
    {{25, 28, 31}, 0, 8, FIELD(thread_native_id)},
    {{26, 29, 32}, 0, 8, FIELD(thread_chunk)},
    {{29, 32, 40}, 1, 8, FIELD(frame_previous)},
    {{30, 33, 41}, 2, 8, FIELD(frame_code)},
    {{31, 34, 42}, 3, 8, FIELD(frame_instruction)},
    {{33, 36, 44}, 5, 1, FIELD(frame_owner)},
    {{32, 35, 43}, 0, 0, FIELD(frame_header)},
    {{35, 40, 48}, 1, 8, FIELD(code_file)},
    {{37, 42, 50}, 3, 8, FIELD(code_qualified_name)},
    {{38, 43, 51}, 4, 8, FIELD(code_line_table)},
    {{39, 44, 52}, 5, 4, FIELD(code_first_line)},
    {{43, 48, 56}, 9, 1, FIELD(code_instructions)},
    {{45, 51, 59}, 1, 8, FIELD(object_type)},
    {{47, 53, 61}, 1, 8, FIELD(type_name)},
    {{49, 55, 63}, 3, 8, FIELD(type_flags)},
    {{54, 60, 72}, 1, 8, FIELD(list_items)},
    {{55, 61, 73}, 2, 8, FIELD(list_size)},
    {{57, 67, 79}, 1, 8, FIELD(dict_keys)},
    {{65, 75, 87}, 1, 8, FIELD(bytes_size)},
    {{66, 76, 88}, 2, 1, FIELD(bytes_data)},
    {{68, 78, 90}, 1, 4, FIELD(text_state)},
    {{69, 79, 91}, 2, 8, FIELD(text_length)},
    {{70, 80, 92}, 0, 0, FIELD(text_ascii)},
};

/* Words that are needed apart from the table. */
static const uint16_t interpreter_gc_word[] = {10, 11, 11};
static const uint16_t collecting_word[] = {72, 82, 95};

#define DESCRIPTION_WORDS (SL_DESCRIPTION_BYTES / 8)

static uint64_t word_at(const uint8_t *description, size_t word)
{
    return sl_word(description + word * 8);
}

static bool unbelievable(struct sl_error *error, const struct sl_layout *layout)
{
    return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                        "this CPython 3.%u describes its own memory in a way that cannot be (a modified build?)",
                        layout->minor);
}

static bool use_description(struct sl_layout *layout, const uint8_t *description, struct sl_error *error)
{
    size_t version = layout->minor - SL_SELF_DESCRIBED_MINOR;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        size_t word = told[i].word[version];
        if (word == 0) {
            continue;
        }
        uint64_t value = word_at(description, word);
        if (value > SL_STRUCTURE_BYTES_MAX - 8) {
            return unbelievable(error, layout);
        }
        if (told[i].size != 0) {
            uint64_t size = word_at(description, word - told[i].size);
            if (size > SL_STRUCTURE_BYTES_MAX || value + told[i].width > size) {
                return unbelievable(error, layout);
            }
        }
        *(uint32_t *)((char *)layout + told[i].field) = (uint32_t)value;
    }
    uint64_t gc = word_at(description, interpreter_gc_word[version]);
    uint64_t collecting = word_at(description, collecting_word[version]);
    if (gc > SL_STRUCTURE_BYTES_MAX || collecting > SL_STRUCTURE_BYTES_MAX) {
        return unbelievable(error, layout);
    }
    layout->interpreter_collecting = (uint32_t)(gc + collecting);
    return true;
}

/* A thread state is copied up to its chunk, or up to its native id where only the list matters: what is needed of it must
 * lie in that part, and that in a fixed buffer. */
static bool believable_thread(const struct sl_layout *layout)
{
    return layout->thread_previous <= layout->thread_native_id && layout->thread_next <= layout->thread_native_id &&
           layout->thread_interpreter <= layout->thread_native_id && layout->thread_native_id <= layout->thread_chunk &&
           layout->thread_frame <= layout->thread_chunk && layout->thread_base <= layout->thread_chunk &&
           layout->thread_context <= layout->thread_chunk && layout->thread_chunk <= SL_THREAD_BYTES_MAX - 8;
}

/* Structures that are read whole must be of a size that a fixed buffer holds. */
static bool believable(const struct sl_layout *layout)
{
    return layout->frame_header >= 64 && layout->frame_header <= SL_FRAME_HEADER_MAX &&
           layout->frame_code + 8 <= layout->frame_header && layout->frame_previous + 8 <= layout->frame_header &&
           layout->frame_instruction + 8 <= layout->frame_header && layout->frame_owner < layout->frame_header &&
           layout->frame_stack_top + 4 <= layout->frame_header && layout->code_instructions >= 160 &&
           layout->code_instructions <= SL_CODE_HEADER_MAX && layout->code_file + 8 <= layout->code_instructions &&
           layout->code_qualified_name + 8 <= layout->code_instructions &&
           layout->code_line_table + 8 <= layout->code_instructions &&
           layout->code_first_line + 4 <= layout->code_instructions &&
           layout->code_first_traceable + 4 <= layout->code_instructions && layout->object_type == 8 &&
           layout->text_ascii >= 40 && layout->text_ascii <= 64 && layout->text_state + 4 <= layout->text_ascii &&
           layout->text_length + 8 <= layout->text_ascii && layout->bytes_data >= 24 && layout->bytes_data <= 64 &&
           layout->bytes_size + 8 <= layout->bytes_data && believable_thread(layout);
}

/* What awaits: 3.13 tells a generator that awaits from one that yields, 3.15 has renumbered the states. */
static void use_generators(struct sl_layout *layout)
{
    layout->generator_state = 67;
    layout->generator_frame = 72;
    layout->frame_locals = layout->minor == 13 ? 72 : 80;
    layout->frame_stack_end = layout->minor == 13 ? 0 : 64;
    layout->frame_awaited = layout->minor < 15 ? 8 : 16;
    layout->task_coroutine = layout->minor == 13 ? 120 : 128;
    if (layout->minor < 15) {
        layout->generator_suspended_first = -2;
        layout->generator_suspended_last = -1;
        layout->generator_awaits = -1;
        layout->generator_runs = 0;
    } else {
        layout->generator_suspended_first = 1;
        layout->generator_suspended_last = 3;
        layout->generator_awaits = 2;
        layout->generator_runs = 4;
    }
}

static bool use_3_13_or_later(struct sl_layout *layout, const uint8_t *description, struct sl_error *error)
{
    layout->code_version = 92;
    layout->code_frame_size = 76;
    layout->code_first_traceable = layout->minor == 13 ? 184 : 192;
    layout->text_compact = 56;
    layout->thread_context = layout->minor < 15 ? 208 : 232;
    use_generators(layout);
    if (layout->minor >= 14) {
        layout->pointer_mask = ~(uint64_t)7;
        layout->wipes_code = true;
        layout->owner_max = layout->minor == 14 ? 4 : 3;
    }
    if (!use_description(layout, description, error)) {
        return false;
    }
    if (layout->minor == 13) {
        layout->frame_stack_top = 64;
    }
    layout->frame_header = (layout->frame_header + 7) & ~7u;
    return true;
}

struct sl_version sl_version_split(uint64_t hex)
{
    return (struct sl_version){
        .major = (uint32_t)(hex >> 24) & 0xff,
        .minor = (uint32_t)(hex >> 16) & 0xff,
        .patch = (uint32_t)(hex >> 8) & 0xff,
        .level = (uint32_t)(hex >> 4) & 0xf,
    };
}

bool sl_layout_described(const uint8_t *description, uint64_t *version_hex)
{
    if (memcmp(description, "xdebugpy", 8) != 0) {
        return false;
    }
    *version_hex = word_at(description, 1);
    return true;
}

bool sl_layout_choose(struct sl_layout *layout, uint64_t version_hex, const uint8_t *description,
                      struct sl_error *error)
{
    struct sl_version version = sl_version_split(version_hex);
    if (version.major != 3 || version_hex > UINT32_MAX) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "the process runs a Python of an unknown version; stacklapse reads CPython 3.11 to 3.15");
    }
    if (version.minor < OLDEST_MINOR || version.minor > NEWEST_MINOR) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "the process runs Python 3.%u.%u; stacklapse reads CPython 3.11 to 3.15", version.minor,
                            version.patch);
    }
    if (version.level != FINAL) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "the process runs a pre-release of Python 3.%u; stacklapse reads final releases only, "
                            "because memory layouts still change before them",
                            version.minor);
    }
    *layout = common;
    layout->minor = version.minor;
    if (version.minor == 11) {
        use_3_11(layout);
    } else if (version.minor == 12) {
        use_3_12(layout);
        layout->code_version = 92;
        layout->code_frame_size = 76;
    } else {
        uint64_t described;
        if (!sl_layout_described(description, &described) || described != version_hex) {
            return unbelievable(error, layout);
        }
        if (word_at(description, 2) != 0) {
            return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                                "the process runs a free-threaded build of Python 3.%u.%u; stacklapse reads builds "
                                "with the GIL only",
                                version.minor, version.patch);
        }
        if (!use_3_13_or_later(layout, description, error)) {
            return false;
        }
    }
    return believable(layout) ? true : unbelievable(error, layout);
}
