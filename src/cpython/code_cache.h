/* code_cache.h - code objects that were met in stacks: what they are called, and the lines of their instructions.
 *
 * A code object is known by its address, and an address comes to mean another one when the first was freed. So each
 * entry keeps an identity that the object's memory is compared with (code_check.h): co_version, which no
 * two code objects share from 3.12 on, with everything else that is at hand; on 3.11, which has no such number, its
 * pointers, first line, the head of its qualified name with its hash and length, and its file. Who uses an entry sees to
 * it that its identity was compared recently enough (stack_plan.c, stack_resolve.c). */
#ifndef SL_CPYTHON_CODE_CACHE_H
#define SL_CPYTHON_CODE_CACHE_H

#include "cpython/calls.h"
#include "cpython/code_identity.h"
#include "cpython/layout.h"
#include "cpython/line_table.h"
#include "cpython/python.h"
#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One code object. */
struct sl_known_code {
    uint64_t address;
    struct sl_code_identity identity;
    uint32_t number; /* for sl_python_code */
    uint32_t serial; /* differs from that of every other code object that was ever known, also at this address */
    uint32_t first_traceable; /* code unit that it begins to run at, for a person */
    uint32_t frame_bytes;     /* size of its frames */
    bool coroutine;           /* made by `async def` without a yield */
    struct sl_line_table lines;
    struct sl_calls calls;
    uint64_t interpreter;   /* the one in which, */
    uint64_t generation;    /* and the count of code objects it had freed when, this one was last known to be itself */
    uint64_t compared_walk; /* the walk in which its identity was last compared */
    uint32_t matches;       /* how often it was, and matched, while the program went on */
    uint64_t met_ns;        /* when it first did, of CLOCK_MONOTONIC, */
    uint64_t lived_ns;      /* and how much later it last did */
    bool short_lived;       /* its file is no file: made by exec or eval, likely to go again */
};

struct sl_code_cache {
    struct sl_known_code *items; /* in order of first sight; replaced in place */
    uint32_t count, capacity;
    uint32_t limit;                        /* see sl_code_cache_bound */
    uint32_t line_spans, line_spans_limit; /* of all line tables together, and how many these may be */
    uint32_t *slots;                       /* hash table of index + 1, by address; a power of two */
    uint32_t slot_count;
    uint32_t serial;  /* the last one given */
    uint64_t changes; /* how often an entry was replaced */
    uint32_t churn;   /* of what was learned lately, how much lay where other code lay before */

    struct sl_code **codes; /* by number, in blocks that never move */
    uint32_t code_count, block_capacity;
    uint64_t *homes; /* by number: the address at which it was met; 0: it was made more than once */
    uint32_t home_capacity;
    uint32_t *code_slots; /* hash table of number + 1, by content */
    uint32_t code_slot_count;

    uint64_t code_type; /* address of PyCode_Type, 0 until one was met */
};

/* When so many code objects are known the table is emptied, and filled again as they are met. */
#define SL_KNOWN_CODES_MAX ((uint32_t)1 << 20)

/* Their line tables take 128 MiB at most: 16 spans for each of so many. Of a code object that is met when that is used up,
 * only the first line is known. So one large table that many code objects share, whatever they say of their own size,
 * does not become large many times. */
#define SL_LINE_SPANS_MAX ((uint32_t)1 << 24)

void sl_code_cache_init(struct sl_code_cache *cache);
void sl_code_cache_destroy(struct sl_code_cache *cache);

/* Empties the table if it has come to its limit. Only where a walk begins: what one has found must stay until its end. */
void sl_code_cache_bound(struct sl_code_cache *cache);

/* The entry for an address, NULL when there is none. Valid until the next sl_code_cache_learn or sl_code_cache_bound. */
struct sl_known_code *sl_code_cache_find(const struct sl_code_cache *cache, uint64_t address);

/* Whether code is made in the place of other code all the time: of what was learned lately, every eighth or more. */
bool sl_code_cache_churns(const struct sl_code_cache *cache);

/* Whether this is the only code object of its content that was met, at an address where nothing else was. One that was
 * made twice may be made again, and then lie where another one lies now. */
bool sl_code_cache_made_once(const struct sl_code_cache *cache, const struct sl_known_code *known);

const struct sl_code *sl_code_cache_code(const struct sl_code_cache *cache, uint32_t number);

/* Reads the code objects at `addresses` (distinct) and puts them into the cache, in place of what was known at these
 * addresses. Each was read twice, before and after what it points to, and was the same; `headers`, if not NULL, are what
 * was read of each before (code_object.h). SL_LOOK_TORN when one is no code object or changed meanwhile. */
enum sl_look sl_code_cache_learn(struct sl_code_cache *cache, struct sl_process *process,
                                 const struct sl_layout *layout, const uint64_t *addresses,
                                 const uint8_t *const *headers, size_t count);

#endif
