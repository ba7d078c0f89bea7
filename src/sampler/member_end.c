#include "sampler/member_end.h"

#include "sampler/member_facts.h"
#include "sampler/member_thread.h"
#include "target/usage.h"

void sl_member_end_thread(struct sl_member *member, struct sl_subject_thread *observed, uint64_t end_ns)
{
    struct sl_member_thread *thread = observed->viewer;
    if (thread == NULL) {
        return;
    }
    if (thread == member->main_thread) {
        member->main_thread = NULL;
    }
    sl_member_thread_take_cpu(thread, observed);
    sl_member_thread_end(thread, member->recording, end_ns);
    observed->viewer = NULL;
}

void sl_member_stop_sampling(struct sl_member *member)
{
    if (member->python == NULL) {
        return;
    }
    for (size_t i = 0; i < member->subject.count; i++) {
        struct sl_member_thread *thread = member->subject.all[i]->viewer;
        if (thread != member->main_thread) {
            sl_member_thread_destroy(thread);
        }
    }
    if (member->main_thread != NULL) {
        sl_member_thread_forget(member->main_thread);
    }
    sl_subject_close(&member->subject);
    sl_translation_destroy(&member->translation);
    sl_python_detach(member->python);
    member->python = NULL;
}

static void tell_end(struct sl_member *member, uint64_t end_ns)
{
    int32_t exit_status;
    if (!sl_usage_exit_status(&member->process, &exit_status)) {
        exit_status = -1;
    }
    sl_recorder_process_end(member->recording->recorder, member->index, end_ns, member->cpu_ns, exit_status);
}

void sl_member_end_process(struct sl_member *member, uint64_t now_ns)
{
    uint64_t end_ns = sl_member_time(member, now_ns);
    sl_member_read_usage(member);
    if (member->main_thread != NULL) {
        sl_member_thread_end(member->main_thread, member->recording, end_ns);
        member->main_thread = NULL;
    }
    tell_end(member, end_ns);
    sl_member_set_phase(member, SL_MEMBER_ENDED, now_ns);
}

void sl_member_lose_memory(struct sl_member *member, uint64_t now_ns)
{
    uint64_t end_ns = sl_member_time(member, now_ns);
    for (size_t i = 0; i < member->subject.count; i++) {
        struct sl_subject_thread *observed = member->subject.all[i];
        struct sl_member_thread *thread = observed->viewer;
        if (thread != NULL && thread == member->main_thread) {
            sl_member_thread_take_cpu(thread, observed);
        } else {
            sl_member_end_thread(member, observed, end_ns);
        }
    }
    sl_member_stop_sampling(member);
    sl_member_set_phase(member, SL_MEMBER_EXITING, now_ns);
}

void sl_member_leave(struct sl_member *member, uint64_t now_ns)
{
    sl_member_read_usage(member);
    uint64_t end_ns = sl_member_time(member, now_ns);
    for (size_t i = 0; i < member->subject.count; i++) {
        struct sl_subject_thread *observed = member->subject.all[i];
        if (observed->viewer != NULL) {
            sl_member_thread_refresh(observed->viewer, member->recording, &member->subject, observed, UINT64_MAX);
            sl_member_thread_take_cpu(observed->viewer, observed);
            if (observed->viewer != member->main_thread) {
                sl_member_thread_leave(observed->viewer, member->recording, end_ns);
            }
        }
    }
    if (member->main_thread != NULL) {
        sl_member_thread_leave(member->main_thread, member->recording, end_ns);
    }
    tell_end(member, end_ns);
    sl_member_count_anew(member);
}

bool sl_member_enter(struct sl_member *member)
{
    member->record.begin_ns = 0;
    sl_member_tell_texts(member);
    member->index = sl_recorder_process(member->recording->recorder, &member->record);
    sl_translation_turn(&member->translation, member->recording->recorder);
    sl_subject_tell_anew(&member->subject);
    member->meanwhile = member->recording->starting;
    if (member->phase == SL_MEMBER_STARTING) {
        sl_member_tell_program(member);
    }
    return member->index != SL_NONE;
}

void sl_member_notice(struct sl_member *member, uint64_t now_ns)
{
    sl_member_attempt(member, now_ns);
    if (member->phase == SL_MEMBER_STARTING && member->left_told) {
        sl_member_end_process(member, now_ns);
    }
}

void sl_member_finish(struct sl_member *member, uint64_t now_ns)
{
    if (sl_member_over(member)) {
        return;
    }
    sl_member_leave(member, now_ns);
    sl_member_stop_sampling(member);
    sl_member_thread_destroy(member->main_thread);
    member->main_thread = NULL;
    sl_member_set_phase(member, SL_MEMBER_ENDED, now_ns);
}
