#include "cpython/context.h"

#include "cpython/look.h"
#include "cpython/runtime.h"
#include "cpython/types.h"
#include "cpython/words.h"

/* The same in 3.11 to 3.15: PyContext.ctx_vars, PyContextVar.var_hash (pycore_context.h), PyHamtObject.h_root
 * (pycore_hamt.h), and the nodes of Python/hamt.c: a bitmap node has its bitmap and pairs, an array node 32 children, a
 * collision node its number of words and pairs. */
#define CONTEXT_VARIABLES 24
#define VARIABLE_HASH 56
#define HAMT_ROOT 16
#define NODE_WORDS 16
#define NODE_BITMAP 24
#define NODE_PAIRS 32
#define NODE_CHILDREN 16

/* A hash of 32 bits, 5 at a level; below that, what has all of them in common lies in a collision node. */
#define BITS_PER_LEVEL 5
#define LEVELS_MAX 8

/* As many variables as can have one hash in common and still be told apart. */
#define COLLISION_WORDS_MAX 64

struct search {
    struct sl_trail *trail;
    struct sl_python *python;
    const struct sl_context_variable *variable;
};

static enum sl_look read_word(const struct search *search, uint64_t address, uint64_t *word)
{
    return sl_trail_word(search->trail, search->python->process, address, word);
}

/* What is there of any of these objects. */
#define OBJECT_BYTES_NEEDED 32

/* Opens the object at `address` and tells its type. */
static enum sl_look open_object(const struct search *search, uint64_t address, enum sl_type *type)
{
    uint64_t type_address = 0;
    enum sl_look look = sl_trail_open(search->trail, search->python->process, address, OBJECT_BYTES_NEEDED);
    if (look == SL_LOOK_OK) {
        look = read_word(search, address + search->python->layout.object_type, &type_address);
    }
    return look == SL_LOOK_OK ? sl_type_of(search->python, type_address, type) : look;
}

static enum sl_look expect_type(const struct search *search, uint64_t address, enum sl_type expected)
{
    enum sl_type type = SL_TYPE_OTHER;
    enum sl_look look = open_object(search, address, &type);
    return look == SL_LOOK_OK && type != expected ? SL_LOOK_TORN : look;
}

/* One pair of a bitmap or collision node: a child node where there is no key. */
struct pair {
    uint64_t key, value;
};

static enum sl_look read_pair(const struct search *search, uint64_t address, struct pair *pair)
{
    const uint8_t *copy;
    enum sl_look look = sl_trail_read(search->trail, search->python->process, address, 16, &copy);
    if (look == SL_LOOK_OK) {
        *pair = (struct pair){sl_word(copy), sl_word(copy + 8)};
    }
    return look;
}

static enum sl_look search_bitmap(const struct search *search, uint64_t node, unsigned shift, uint64_t *child,
                                  uint64_t *value)
{
    const uint8_t *copy;
    enum sl_look look = sl_trail_read(search->trail, search->python->process, node + NODE_BITMAP, 4, &copy);
    if (look != SL_LOOK_OK) {
        return look;
    }
    uint32_t bitmap = sl_half_word(copy);
    uint32_t bit = UINT32_C(1) << (search->variable->hash >> shift & 31);
    if ((bitmap & bit) == 0) {
        return SL_LOOK_OK;
    }
    struct pair pair = {0};
    unsigned index = (unsigned)__builtin_popcount(bitmap & (bit - 1));
    look = read_pair(search, node + NODE_PAIRS + index * sizeof pair, &pair);
    if (look == SL_LOOK_OK && pair.key == 0) {
        *child = pair.value;
    } else if (look == SL_LOOK_OK && pair.key == search->variable->address) {
        *value = pair.value;
    }
    return look;
}

static enum sl_look search_collision(const struct search *search, uint64_t node, uint64_t *value)
{
    uint64_t words;
    enum sl_look look = read_word(search, node + NODE_WORDS, &words);
    if (look == SL_LOOK_OK && words > COLLISION_WORDS_MAX) {
        look = SL_LOOK_TORN;
    }
    for (uint64_t i = 0; look == SL_LOOK_OK && i + 1 < words && *value == 0; i += 2) {
        struct pair pair = {0};
        look = read_pair(search, node + NODE_PAIRS + i * 8, &pair);
        *value = pair.key == search->variable->address ? pair.value : 0;
    }
    return look;
}

static enum sl_look search_trie(const struct search *search, uint64_t node, uint64_t *value)
{
    enum sl_look look = SL_LOOK_OK;
    for (unsigned level = 0; node != 0 && look == SL_LOOK_OK; level++) {
        uint64_t child = 0;
        enum sl_type type = SL_TYPE_OTHER;
        unsigned shift = level * BITS_PER_LEVEL;
        look = level == LEVELS_MAX ? SL_LOOK_TORN : open_object(search, node, &type);
        if (look != SL_LOOK_OK) {
            break;
        }
        if (type == SL_TYPE_HAMT_COLLISION) {
            return search_collision(search, node, value);
        }
        if (shift >= 32) {
            return SL_LOOK_TORN;
        }
        if (type == SL_TYPE_HAMT_BITMAP) {
            look = search_bitmap(search, node, shift, &child, value);
        } else if (type == SL_TYPE_HAMT_ARRAY) {
            look =
                read_word(search, node + NODE_CHILDREN + (search->variable->hash >> shift & 31) * UINT64_C(8), &child);
        } else {
            look = SL_LOOK_TORN;
        }
        node = child;
    }
    return look;
}

enum sl_look sl_context_variable(struct sl_context_variable *variable, struct sl_python *python, uint64_t address)
{
    uint64_t type_address;
    uint64_t hash;
    enum sl_type type = SL_TYPE_OTHER;
    struct sl_read_piece pieces[] = {{address + python->layout.object_type, &type_address, 8},
                                     {address + VARIABLE_HASH, &hash, 8}};
    enum sl_look look = sl_look_from_read(sl_process_read_pieces(python->process, pieces, 2));
    if (look == SL_LOOK_OK) {
        look = sl_type_of(python, type_address, &type);
    }
    if (look == SL_LOOK_OK && type != SL_TYPE_CONTEXT_VARIABLE) {
        look = SL_LOOK_TORN;
    }
    if (look == SL_LOOK_OK) {
        /* hamt_hash: the halves of the hash folded together; -1 means an error there. */
        uint32_t folded = (uint32_t)hash ^ (uint32_t)(hash >> 32);
        python->follows_contexts = true;
        *variable = (struct sl_context_variable){address, folded == UINT32_MAX ? UINT32_MAX - 1 : folded};
    }
    return look;
}

uint64_t sl_context_place(const struct sl_python *python, const struct sl_python_thread *thread)
{
    return thread->address + python->layout.thread_context;
}

enum sl_look sl_context_find(struct sl_trail *trail, struct sl_python *python, uint64_t context,
                             const struct sl_context_variable *variable, uint64_t *value)
{
    const struct search search = {.trail = trail, .python = python, .variable = variable};
    sl_trail_clear(trail);
    *value = 0;
    uint64_t variables = 0;
    uint64_t root = 0;
    enum sl_look look = expect_type(&search, context, SL_TYPE_CONTEXT);
    if (look == SL_LOOK_OK) {
        look =
            sl_trail_part(trail); /* next is ctx_prev, which is another each time that the context is entered or left */
    }
    if (look == SL_LOOK_OK) {
        look = read_word(&search, context + CONTEXT_VARIABLES, &variables);
    }
    if (look == SL_LOOK_OK) {
        look = expect_type(&search, variables, SL_TYPE_HAMT);
    }
    if (look == SL_LOOK_OK) {
        look = read_word(&search, variables + HAMT_ROOT, &root);
    }
    if (look == SL_LOOK_OK) {
        look = search_trie(&search, root, value);
    }
    return look;
}

bool sl_context_locate(struct sl_python *python, uint64_t native_id, uint64_t context)
{
    const struct sl_python_thread *threads;
    size_t count;
    enum sl_look look = sl_python_threads(python, &threads, &count);
    /* Who looks at the threads does not have this list, and is not to be told that it still is the same. */
    python->list_known = false;
    if (look != SL_LOOK_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t state[SL_THREAD_BYTES_MAX];
        uint32_t size = python->layout.thread_chunk + 8;
        if (threads[i].native_id != native_id ||
            sl_process_read(python->process, threads[i].address, state, size) != SL_READ_OK) {
            continue;
        }
        if (sl_word(state + python->layout.thread_context) == context) {
            return true;
        }
        uint32_t found = 0;
        for (uint32_t at = 8; at + 8 <= size; at += 8) {
            found = sl_word(state + at) != context ? found : found == 0 ? at : UINT32_MAX;
        }
        if (found != 0 && found != UINT32_MAX) {
            python->layout.thread_context = found;
            return true;
        }
    }
    return false;
}
