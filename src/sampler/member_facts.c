#include "sampler/member_facts.h"

#include "target/root.h"
#include "target/usage.h"

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* How often what changes slowly is read again: at growing intervals, because it is set up while a program starts. */
#define FACTS_RETRY_NS (2 * MS)
#define FACTS_SOON_NS (50 * MS)
#define FACTS_EVERY_NS (1000 * MS)

/* The folder of the script comes into sys.path last, after site and all it imports, and right before its first line runs.
 * A program that ends soon after that is to be told with it: so while it is loading, code of a file that lies in no folder
 * known so far makes that due, and later no more often than would be soon. It takes a tenth of a millisecond. */
#define LOADING_NS (500 * MS)

static sl_string *string_of(struct sl_process_record *record, enum sl_member_text which)
{
    switch (which) {
    case SL_MEMBER_COMMAND:
        return &record->command;
    case SL_MEMBER_PYTHON:
        return &record->python;
    case SL_MEMBER_EXECUTABLE:
        return &record->executable;
    case SL_MEMBER_PREFIXES:
        return &record->prefixes;
    default:
        return &record->path;
    }
}

static void tell_text(struct sl_member *member, enum sl_member_text which)
{
    const char *text = member->texts[which] != NULL ? member->texts[which] : "";
    sl_string string = sl_recorder_string(member->recording->recorder, text, strlen(text));
    *string_of(&member->record, which) = string != SL_NONE ? string : 0;
}

void sl_member_know(struct sl_member *member, enum sl_member_text which, const char *text)
{
    if (member->texts[which] == NULL || strcmp(member->texts[which], text) != 0) {
        free(member->texts[which]);
        member->texts[which] = strdup(text);
        tell_text(member, which);
    }
}

void sl_member_tell_texts(struct sl_member *member)
{
    for (enum sl_member_text which = 0; which < SL_MEMBER_TEXTS; which++) {
        tell_text(member, which);
    }
}

void sl_member_read_facts(struct sl_member *member, uint64_t now_ns)
{
    struct sl_python_facts facts;
    member->facts_read_ns = now_ns;
    if (!sl_python_facts(member->python, &facts)) {
        member->facts_due_ns = now_ns + FACTS_RETRY_NS;
        return;
    }
    bool complete = facts.prefixes[0] != '\0';
    if (complete) {
        sl_member_know(member, SL_MEMBER_PREFIXES, facts.prefixes);
        /* An interpreter that ends takes its sys.path away before all else, and may then be busy for seconds. */
        if (facts.path[0] != '\0') {
            sl_member_know(member, SL_MEMBER_PATH, facts.path);
            sl_translation_know_folders(&member->translation, facts.path);
        }
        if (facts.executable[0] != '\0') {
            sl_member_know(member, SL_MEMBER_EXECUTABLE, facts.executable);
        }
        sl_root_number(&member->process, &member->record.root);
        sl_recorder_process_update(member->recording->recorder, member->index, &member->record);
    }
    sl_python_facts_destroy(&facts);
    member->facts_read += complete;
    uint64_t wait_ns = FACTS_RETRY_NS;
    if (complete) {
        unsigned doublings = member->facts_read < 8 ? member->facts_read - 1 : 7;
        wait_ns = FACTS_SOON_NS << doublings < FACTS_EVERY_NS ? FACTS_SOON_NS << doublings : FACTS_EVERY_NS;
    }
    member->facts_due_ns = now_ns + wait_ns;
}

bool sl_member_facts_due(const struct sl_member *member, uint64_t now_ns)
{
    bool loading = now_ns < member->phase_since_ns + LOADING_NS;
    uint64_t spacing_ns = loading ? FACTS_RETRY_NS : FACTS_SOON_NS;
    return now_ns >= member->facts_due_ns ||
           (member->translation.elsewhere && now_ns >= member->facts_read_ns + spacing_ns);
}

static void take_cpu(struct sl_member *member, uint64_t whole_ns)
{
    uint64_t cpu_ns = whole_ns - member->cpu_before_ns;
    if (whole_ns >= member->cpu_before_ns && cpu_ns > member->cpu_ns) {
        sl_member_facts(member)->cpu_ns += cpu_ns - member->cpu_ns;
        member->cpu_ns = cpu_ns;
    }
}

/* Of children that are not recorded. One that is recorded is covered when it has ended, which may be before its parent
 * has waited for it: then this is too little for a while. */
static void tell_children_cpu(struct sl_member *member)
{
    uint64_t before_ns = member->children_cpu_before_ns + member->covered_ns;
    uint64_t children_ns = member->children_all_ns > before_ns ? member->children_all_ns - before_ns : 0;
    struct sl_facts *facts = sl_member_facts(member);
    facts->children_cpu_ns = facts->children_cpu_ns - member->children_cpu_ns + children_ns;
    member->children_cpu_ns = children_ns;
}

void sl_member_cover(struct sl_member *member, uint64_t covered_ns)
{
    member->covered_ns += covered_ns;
    tell_children_cpu(member);
}

void sl_member_read_usage(struct sl_member *member)
{
    struct sl_usage usage;
    if (!sl_usage_read(&member->process, &usage)) {
        return;
    }
    take_cpu(member, usage.cpu_ns);
    if (usage.children_cpu_ns > member->children_all_ns) {
        member->children_all_ns = usage.children_cpu_ns;
        tell_children_cpu(member);
    }
}

void sl_member_leave_out_children(struct sl_member *member)
{
    sl_member_read_usage(member);
    uint64_t covered_ns = member->covered_ns;
    member->children_cpu_before_ns = member->children_all_ns > covered_ns ? member->children_all_ns - covered_ns : 0;
    tell_children_cpu(member);
}

void sl_member_read_cpu(struct sl_member *member)
{
    uint64_t whole_ns;
    if (sl_usage_cpu(&member->process, &whole_ns)) {
        take_cpu(member, whole_ns);
    }
}

void sl_member_count_anew(struct sl_member *member)
{
    member->cpu_before_ns += member->cpu_ns;
    member->cpu_ns = 0;
    member->children_cpu_before_ns += member->children_cpu_ns;
    member->children_cpu_ns = 0;
}
