#include "shapes.h"

#include "profile/folded_reader.h"
#include "profile/recorder.h"
#include "profile/trace_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t interval_ns = 1000000;

/* Numbers that look random and are the same each time. */
static uint64_t seed;

static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "shapes: %s failed\n", what);
        exit(1);
    }
}

static sl_string string(struct sl_recorder *recorder, const char *text)
{
    return sl_recorder_string(recorder, text, strlen(text));
}

static sl_function function(struct sl_recorder *recorder, const char *name, const char *file, uint32_t first_line)
{
    struct sl_function_record record = {
        .name = string(recorder, name), .file = string(recorder, file), .first_line = first_line};
    return sl_recorder_function(recorder, record);
}

static struct sl_recorder *begin(void)
{
    seed = 1;
    struct sl_recorder_options options = {
        .start_time_ns = 1795381457000000000, .interval_ns = interval_ns, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    must(recorder != NULL, "create");
    return recorder;
}

static uint32_t process(struct sl_recorder *recorder, uint32_t pid, const char *command)
{
    struct sl_process_record record = {
        .pid = pid,
        .command = string(recorder, command),
        .python = string(recorder, "3.12.1"),
        .executable = string(recorder, "/usr/bin/python3.12"),
        .prefixes = string(recorder, "/usr\n/usr/lib/python3.12"),
        .path = string(recorder, "/srv/app\n/usr/lib/python3.12\n/usr/lib/python3/dist-packages"),
    };
    return sl_recorder_process(recorder, &record);
}

static uint32_t thread(struct sl_recorder *recorder, uint32_t of_process, uint64_t id, const char *name, bool main)
{
    struct sl_thread_record record = {.process = of_process, .id = id, .name = string(recorder, name), .main = main};
    return sl_recorder_thread(recorder, &record);
}

static void look(struct sl_recorder *recorder, uint64_t slot)
{
    sl_recorder_look(recorder, slot * interval_ns, (slot + 1) * interval_ns, slot * interval_ns + interval_ns / 3);
}

static struct sl_profile *end(struct sl_recorder *recorder, uint64_t slots)
{
    struct sl_facts *facts = sl_recorder_facts(recorder);
    facts->cpu_ns = slots * interval_ns * 4 / 5;
    facts->sampler_cpu_ns = slots * interval_ns / 500;
    facts->late = slots / 1000;
    facts->broken = slots / 100000;
    must(sl_recorder_close(recorder, slots * interval_ns, NULL), "close");
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_error error = {0};
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, &error);
    if (profile == NULL) {
        fprintf(stderr, "shapes: %s\n", error.sentence);
        exit(1);
    }
    sl_recorder_destroy(recorder);
    return profile;
}

static struct sl_profile *empty(void)
{
    struct sl_recorder *recorder = begin();
    process(recorder, 4711, "nothing.py");
    return end(recorder, 0);
}

static struct sl_profile *tiny(void)
{
    struct sl_recorder *recorder = begin();
    uint32_t main_thread = thread(recorder, process(recorder, 4711, "app.py"), 4711, "", true);
    sl_function module = function(recorder, "<module>", "/srv/app/app.py", 1);
    sl_stack stack = sl_recorder_stack(recorder, 0, module, 12);
    sl_function work = function(recorder, "Kitchen.cook", "/srv/app/kitchen.py", 40);
    for (uint64_t slot = 0; slot < 3; slot++) {
        look(recorder, slot);
        sl_stack top = slot == 1 ? stack : sl_recorder_stack(recorder, stack, work, 41);
        sl_recorder_sample(recorder, main_thread, top, SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL);
    }
    return end(recorder, 3);
}

/* A program of four hundred functions, each of which calls a few others; a walk goes down and up in them as calls do. */
enum { app_functions = 400, callees = 4, app_depth_max = 60 };

struct program {
    sl_function functions[app_functions];
    uint32_t calls[app_functions][callees];
    uint32_t lines[app_functions];
};

static void make_program(struct sl_recorder *recorder, struct program *program)
{
    static const char *const packages[] = {"/srv/app/shop",
                                           "/srv/app/shop/orders",
                                           "/usr/lib/python3.12/json",
                                           "/usr/lib/python3.12",
                                           "/usr/lib/python3/dist-packages/sqlalchemy",
                                           "/usr/lib/python3/dist-packages/jinja2"};
    static const char *const words[] = {"load", "parse", "render", "fetch", "visit", "compile", "flush", "encode"};
    static const char *const nouns[] = {"order", "template", "row", "token", "session", "query", "price", "field"};
    for (uint32_t i = 0; i < app_functions; i++) {
        char name[128];
        char file[128];
        uint32_t noun = chance(8);
        snprintf(name, sizeof name, i % 3 == 0 ? "%s_%s_%u" : "Engine%3$u.%1$s_%2$s", words[chance(8)], nouns[noun],
                 (unsigned)i);
        snprintf(file, sizeof file, "%s/%ss.py", packages[i < 120 ? i % 2 : 2 + i % 4], nouns[noun]);
        program->lines[i] = 10 + i * 7 % 900;
        program->functions[i] = function(recorder, name, file, program->lines[i]);
        for (uint32_t j = 0; j < callees; j++) {
            /* Own code calls own code and libraries, libraries call libraries and sometimes back. */
            program->calls[i][j] = chance(20) == 0 ? chance(120) : i + 1 + chance(app_functions / 3);
            program->calls[i][j] %= app_functions;
        }
    }
}

struct walk {
    uint32_t functions[app_depth_max];
    sl_stack stacks[app_depth_max];
    uint32_t depth;
};

static void step(struct sl_recorder *recorder, const struct program *program, struct walk *walk)
{
    uint32_t up = chance(6);
    walk->depth -= up < walk->depth ? up : walk->depth;
    uint32_t down = chance(7);
    for (uint32_t i = 0; i < down && walk->depth < app_depth_max; i++) {
        uint32_t last = walk->depth > 0 ? walk->functions[walk->depth - 1] : 0;
        /* The first of its callees takes most of a function's time. */
        uint32_t next = walk->depth > 0 ? program->calls[last][chance(2) == 0 ? 0 : chance(callees)] : 0;
        sl_stack caller = walk->depth > 0 ? walk->stacks[walk->depth - 1] : 0;
        walk->functions[walk->depth] = next;
        walk->stacks[walk->depth] =
            sl_recorder_stack(recorder, caller, program->functions[next], program->lines[next] + 1 + chance(4));
        walk->depth++;
    }
}

static sl_state some_state(void)
{
    uint32_t dice = chance(20);
    if (dice < 12) {
        return SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL;
    }
    if (dice < 14) {
        return SL_STATE_KNOWN | SL_STATE_ON_CPU;
    }
    if (dice < 15) {
        return SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL | SL_STATE_GC;
    }
    if (dice < 17) {
        return sl_state_in_call(SL_STATE_KNOWN | SL_STATE_WAITS_GIL, 202);
    }
    if (dice < 18) {
        return sl_state_in_call(SL_STATE_KNOWN | SL_STATE_LOCK, 202);
    }
    return sl_state_in_call(SL_STATE_KNOWN, dice < 19 ? 0 : 232);
}

static struct sl_profile *app_of(uint64_t slots)
{
    struct sl_recorder *recorder = begin();
    uint32_t main_thread = thread(recorder, process(recorder, 4711, "manage.py runserver --port 8000"), 4711, "", true);
    struct program program;
    make_program(recorder, &program);
    struct walk walk = {0};
    for (uint64_t slot = 0; slot < slots; slot++) {
        look(recorder, slot);
        step(recorder, &program, &walk);
        sl_recorder_sample(recorder, main_thread, walk.depth > 0 ? walk.stacks[walk.depth - 1] : 0, some_state());
        if (sl_recorder_pending(recorder) > SL_RECORDER_BLOCK_BYTES) {
            must(sl_recorder_flush(recorder, NULL), "flush");
        }
    }
    return end(recorder, slots);
}

static struct sl_profile *app(void)
{
    return app_of(100000);
}

static struct sl_profile *large(void)
{
    return app_of(1000000);
}

static struct sl_profile *deep(void)
{
    struct sl_recorder *recorder = begin();
    uint32_t main_thread = thread(recorder, process(recorder, 4711, "deep.py"), 4711, "", true);
    sl_function module = function(recorder, "<module>", "/srv/app/deep.py", 1);
    sl_function visit = function(recorder, "Tree.visit", "/srv/app/deep.py", 8);
    sl_function compare = function(recorder, "Leaf.compare", "/srv/app/deep.py", 30);
    enum { depth = 10000 };
    sl_stack stack = sl_recorder_stack(recorder, 0, module, 50);
    uint64_t slot = 0;
    for (uint32_t i = 1; i < depth; i++) {
        stack = sl_recorder_stack(recorder, stack, i % 50 == 49 ? compare : visit, 9 + i % 3);
        if (i % 10 == 0) {
            look(recorder, slot++);
            sl_recorder_sample(recorder, main_thread, stack, SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL);
        }
    }
    for (uint32_t i = 0; i < 500; i++) {
        look(recorder, slot++);
        sl_recorder_sample(recorder, main_thread, stack, SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL);
    }
    return end(recorder, slot);
}

static struct sl_profile *threads(void)
{
    enum { count = 210, busy = 12, slots = 3000 };
    struct sl_recorder *recorder = begin();
    uint32_t server = process(recorder, 4711, "gunicorn app:app");
    struct program program;
    make_program(recorder, &program);
    sl_function bootstrap = function(recorder, "Thread._bootstrap", "/usr/lib/python3.12/threading.py", 1000);
    sl_function wait = function(recorder, "Worker.wait", "/srv/app/worker.py", 17);
    sl_stack base = sl_recorder_stack(recorder, 0, bootstrap, 1002);
    sl_stack waiting = sl_recorder_stack(recorder, base, wait, 19);
    uint32_t numbers[count];
    static struct walk walks[count];
    memset(walks, 0, sizeof walks);
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, i % 2 == 0 ? "worker-%u" : "", (unsigned)i);
        numbers[i] = thread(recorder, server, 4711 + i, name, i == 0);
    }
    for (uint64_t slot = 0; slot < slots; slot++) {
        look(recorder, slot);
        for (uint32_t i = 0; i < count; i++) {
            if (i < busy) {
                step(recorder, &program, &walks[i]);
                sl_stack stack = walks[i].depth > 0 ? walks[i].stacks[walks[i].depth - 1] : base;
                sl_recorder_sample(recorder, numbers[i], stack, some_state());
            } else if (slot == 0) {
                sl_recorder_sample(recorder, numbers[i], waiting,
                                   sl_state_in_call(SL_STATE_KNOWN | SL_STATE_LOCK, 202));
            }
        }
    }
    return end(recorder, slots);
}

static struct sl_profile *pool(void)
{
    enum { processes = 4, slots = 150 };
    struct sl_recorder *recorder = begin();
    uint32_t numbers[processes * 2];
    static struct walk walks[processes * 2];
    memset(walks, 0, sizeof walks);
    struct program program;
    make_program(recorder, &program);
    for (uint32_t i = 0; i < processes; i++) {
        char command[64];
        snprintf(command, sizeof command, i == 0 ? "pool.py" : "pool.py, worker %u", (unsigned)i);
        uint32_t number = process(recorder, 4711 + i, command);
        numbers[i * 2] = thread(recorder, number, 4711 + i, "", true);
        numbers[i * 2 + 1] = thread(recorder, number, 4811 + i, "feeder", false);
    }
    for (uint64_t slot = 0; slot < slots; slot++) {
        look(recorder, slot);
        for (uint32_t i = 0; i < processes * 2; i++) {
            step(recorder, &program, &walks[i]);
            sl_recorder_sample(recorder, numbers[i], walks[i].depth > 0 ? walks[i].stacks[walks[i].depth - 1] : 0,
                               some_state());
        }
    }
    return end(recorder, slots);
}

static struct sl_profile *tasks(void)
{
    enum { count = 5, slots = 600 };
    struct sl_recorder *recorder = begin();
    uint32_t main_thread = thread(recorder, process(recorder, 4711, "serve.py"), 4711, "", true);
    struct program program;
    make_program(recorder, &program);
    sl_function module = function(recorder, "<module>", "/srv/app/serve.py", 1);
    sl_function run = function(recorder, "Runner.run", "/usr/lib/python3.12/asyncio/runners.py", 86);
    sl_stack loop = sl_recorder_stack(recorder, sl_recorder_stack(recorder, 0, module, 90), run, 118);
    sl_function select = function(recorder, "EpollSelector.select", "/usr/lib/python3.12/selectors.py", 441);
    sl_function coroutines[count];
    static struct walk walks[count];
    memset(walks, 0, sizeof walks);
    for (uint32_t i = 0; i < count; i++) {
        coroutines[i] = function(recorder, i < 3 ? "Shop.serve" : "Shop.tidy", "/srv/app/serve.py", i < 3 ? 20 : 60);
        walks[i].depth = 1;
        walks[i].stacks[0] = sl_recorder_stack(recorder, loop, coroutines[i], i < 3 ? 24 : 63);
        sl_recorder_task(recorder, main_thread, i + 1, coroutines[i]);
    }
    for (uint64_t slot = 0; slot < slots; slot++) {
        look(recorder, slot);
        /* In turns of 20 ms, and then the loop waits as long. */
        uint32_t task = (uint32_t)(slot / 20 % (count + 1));
        if (task == count) {
            sl_recorder_sample(recorder, main_thread, sl_recorder_stack(recorder, loop, select, 468),
                               sl_state_in_call(SL_STATE_KNOWN, 232));
            continue;
        }
        struct walk *walk = &walks[task];
        step(recorder, &program, walk);
        walk->depth = walk->depth > 0 ? walk->depth : 1;
        walk->stacks[0] = sl_recorder_stack(recorder, loop, coroutines[task], task < 3 ? 24 : 63);
        sl_recorder_sample(recorder, main_thread, walk->stacks[walk->depth - 1],
                           sl_state_in_task(some_state(), task + 1));
    }
    return end(recorder, slots);
}

static struct sl_profile *hostile(void)
{
    struct sl_recorder *recorder = begin();
    uint32_t main_thread =
        thread(recorder, process(recorder, 4711, "</script><script>document.title='broken'</script> \"'&<!--"), 4711,
               "<img src=x onerror=alert(1)>", true);
    static char long_name[10001];
    memset(long_name, 'n', sizeof long_name - 1);
    const char *const names[] = {
        "</script><script>document.title='broken'</script>",
        "<module>",
        "<lambda>",
        "\"double\" 'single' `back` ${x}",
        "line\xe2\x80\xa8separator\xe2\x80\xa9paragraph",
        "\xe2\x80\xae"
        "edirrevo\xe2\x80\xac \xe2\x81\xa6isolated\xe2\x81\xa9",
        "lone surrogate \\udcff, raw \xed\xb3\xbf, and \xff\xfe raw bytes",
        "zero\xe2\x80\x8bwidth\xef\xbb\xbf",
        "{{stacklapse:columns}}",
        "]]> <!-- --> <![CDATA[",
        "tab\tnew\nline\r",
        "__proto__",
        "constructor",
        "",
        "名前.<locals>.\xf0\x9f\x90\x8d",
        long_name,
    };
    sl_stack stack = 0;
    uint64_t slot = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sl_function named = function(recorder, names[i], i % 2 == 0 ? "/srv/app/a\"b</script>.py" : names[i], 3);
        stack = sl_recorder_stack(recorder, i % 5 == 0 ? 0 : stack, named, 4);
        for (int j = 0; j < 4; j++) {
            look(recorder, slot++);
            sl_recorder_sample(recorder, main_thread, stack, SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL);
        }
    }
    sl_string with_nul = sl_recorder_string(recorder, "nul\0inside", 10);
    sl_function nul = sl_recorder_function(
        recorder, (struct sl_function_record){.name = with_nul, .file = with_nul, .first_line = 1});
    look(recorder, slot++);
    sl_recorder_sample(recorder, main_thread, sl_recorder_stack(recorder, 0, nul, 2), 0);
    look(recorder, slot++);
    sl_recorder_sample(recorder, main_thread, sl_recorder_mark(recorder, "[broken]"), 0);
    uint32_t turned = thread(recorder, process(recorder, 4712, "\xe2\x80\xaegnp.exe\xf3\xa0\x81\x81"), 4712, "", true);
    look(recorder, slot++);
    sl_recorder_sample(recorder, turned, stack, 0);
    return end(recorder, slot);
}

static struct sl_profile *late(void)
{
    enum { slots = 300 };
    struct sl_recorder *recorder = begin();
    uint32_t program = process(recorder, 4711, "late.py");
    uint32_t main_thread = thread(recorder, program, 4711, "", true);
    uint32_t feeder = thread(recorder, program, 4712, "feeder", false);
    sl_function module = function(recorder, "<module>", "/srv/app/late.py", 1);
    sl_function import = function(recorder, "_find_and_load", "<frozen importlib._bootstrap>", 1349);
    sl_function fetch = function(recorder, "Feeder.fetch", "/srv/app/late.py", 20);
    sl_stack outermost = sl_recorder_stack(recorder, 0, module, 3);
    sl_stack importing = sl_recorder_stack(recorder, outermost, import, 1360);
    sl_stack fetching = sl_recorder_stack(recorder, 0, fetch, 22);
    for (uint64_t slot = 0; slot < slots; slot++) {
        look(recorder, slot);
        sl_recorder_sample(recorder, main_thread, slot % 3 == 0 ? importing : outermost, some_state());
        sl_recorder_sample(recorder, feeder, fetching, some_state());
    }
    struct sl_profile *profile = end(recorder, slots);
    profile->facts.late = profile->facts.looks * 2 / 3;
    return profile;
}

static struct sl_profile *folded(void)
{
    static const char stacks[] = "main (app.py:3);load (app.py:8) 120\nmain (app.py:4);parse (app.py:14) 225\n";
    struct sl_error error = {0};
    struct sl_profile *profile = sl_folded_read(stacks, sizeof stacks - 1, &error);
    must(profile != NULL, "folded stacks");
    return profile;
}

static const struct {
    const char *name;
    struct sl_profile *(*make)(void);
} shapes[] = {{"empty", empty},     {"tiny", tiny},       {"app", app},      {"large", large},
              {"deep", deep},       {"threads", threads}, {"pool", pool},    {"tasks", tasks},
              {"hostile", hostile}, {"late", late},       {"folded", folded}};

const char *const shape_names[] = {"empty", "tiny",  "app",     "large", "deep",   "threads",
                                   "pool",  "tasks", "hostile", "late",  "folded", NULL};

struct sl_profile *shape_named(const char *name)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (strcmp(shapes[i].name, name) == 0) {
            return shapes[i].make();
        }
    }
    return NULL;
}
