#include "sampler/session_members.h"

#include <stdlib.h>

/* More processes than this are not recorded at the same time; each takes so many descriptors beside those of its
 * threads. */
#define MEMBERS_MAX ((size_t)4096)
#define MEMBER_DESCRIPTORS 6
#define MEMBERS_FEW 16

struct sl_member *sl_session_add_member(struct sl_session *session, const struct sl_session_target *target,
                                        uint64_t now_ns, struct sl_error *error)
{
    size_t count = session->member_count;
    bool room = count < MEMBERS_FEW || session->descriptors_left >= MEMBER_DESCRIPTORS;
    if (count == MEMBERS_MAX || !room) {
        sl_error_set(error, SL_ERROR_USAGE, "more than %zu processes cannot be recorded at once", count);
        return NULL;
    }
    struct sl_member **members = realloc(session->members, (count + 1) * sizeof *members);
    if (members == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    session->members = members;
    struct sl_member *member =
        sl_member_create(&session->recording, &session->options, target, &session->descriptors_left, now_ns, error);
    if (member == NULL) {
        return NULL;
    }
    member->descriptors = session->descriptors_left < MEMBER_DESCRIPTORS ? 0 : MEMBER_DESCRIPTORS;
    session->descriptors_left -= member->descriptors;
    session->members[session->member_count++] = member;
    return member;
}

static struct sl_member *member_of(const struct sl_session *session, pid_t pid)
{
    for (size_t i = 0; i < session->member_count; i++) {
        if (session->members[i]->process.pid == pid) {
            return session->members[i];
        }
    }
    return NULL;
}

/* `covered_ns` of what the process `parent` has waited for are accounted for elsewhere. */
static void cover(struct sl_session *session, pid_t parent, uint64_t covered_ns)
{
    for (unsigned steps = 0; parent != 0 && steps < SL_ENDED_KIN_MAX; steps++) {
        struct sl_member *member = member_of(session, parent);
        if (member != NULL) {
            sl_member_cover(member, covered_ns);
            return;
        }
        if (sl_family_cover(&session->family, parent, covered_ns)) {
            return;
        }
        parent = sl_family_heir(&session->family, parent);
    }
}

static bool belongs(void *context, pid_t pid)
{
    return member_of(context, pid) != NULL;
}

static void cover_member(void *context, pid_t pid, uint64_t covered_ns)
{
    cover(context, pid, covered_ns);
}

/* Records what the last poll has found. */
static void take_found(struct sl_session *session, uint64_t now_ns)
{
    struct sl_family *family = &session->family;
    for (size_t i = 0; i < family->found_count; i++) {
        const struct sl_found *found = &family->found[i];
        const struct sl_session_target target = {
            .pid = found->pid,
            .command = found->root ? session->root_command : NULL,
            .starting = !found->before,
            .again = found->again,
        };
        struct sl_error error = {0};
        struct sl_member *member = sl_session_add_member(session, &target, now_ns, &error);
        if (member == NULL) {
            sl_family_return(family, found, &error, now_ns);
        }
        if (member != NULL && found->covered_ns > 0) {
            sl_member_cover(member, found->covered_ns);
        }
        if (member != NULL) {
            member->found = !found->root && session->options.descendants == SL_DESCENDANTS_ALL;
        }
        if (member != NULL && session->options.descendants == SL_DESCENDANTS_FIRST) {
            sl_family_rest(family);
            return;
        }
    }
}

void sl_session_follow(struct sl_session *session, uint64_t now_ns)
{
    struct sl_family *family = &session->family;
    if (session->options.descendants == SL_DESCENDANTS_FIRST && session->member_count == 0 && !family->searching &&
        sl_family_has_root(family)) {
        sl_family_search(family, now_ns);
    }
    if (now_ns >= family->due_ns) {
        const struct sl_relation relation = {.context = session, .belongs = belongs, .cover = cover_member};
        sl_family_poll(family, now_ns, &relation);
        take_found(session, now_ns);
    }
}

/* Frees a member that is over, and remembers what of it counts beyond its end. */
static void bury(struct sl_session *session, struct sl_member *member)
{
    session->past.sampled = session->past.sampled || sl_member_came_up(member);
    if (session->past.error.kind == SL_ERROR_NONE) {
        session->past.error = member->error;
    }
    pid_t pid = member->process.pid;
    bool failed = member->phase == SL_MEMBER_FAILED;
    bool left = member->left;
    session->descriptors_left += member->descriptors;
    sl_member_destroy(member);
    if (failed && session->family.searching) {
        sl_family_keep(&session->family, pid, sl_clock_now_ns());
    } else if (left && session->family.searching) {
        sl_family_take_back(&session->family, pid, sl_clock_now_ns());
    }
}

bool sl_session_any_left(struct sl_session *session)
{
    size_t kept = 0;
    bool sampling = false;
    /* What those that are over have used counts for the others, of which some may be over, too: so none is freed yet. */
    for (size_t i = 0; i < session->member_count; i++) {
        const struct sl_member *member = session->members[i];
        if (sl_member_over(member) && member->phase != SL_MEMBER_FAILED) {
            cover(session, (pid_t)member->record.parent_pid, sl_member_new_cpu(member));
        }
    }
    for (size_t i = 0; i < session->member_count; i++) {
        struct sl_member *member = session->members[i];
        if (sl_member_over(member)) {
            bury(session, member);
            continue;
        }
        session->members[kept++] = member;
        sampling = sampling || member->phase == SL_MEMBER_SAMPLING;
    }
    session->member_count = kept;
    atomic_store(&session->sampling, sampling);
    return kept > 0 || sl_family_has_root(&session->family);
}
