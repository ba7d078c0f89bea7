/* door_layout.c - holds the structs that TypeScript reads in place against the offsets it was told
 * (report/src/engine/layout.ts). A change of a struct ends the build here, and both places are changed together. */
#include "analysis/call_tree.h"
#include "analysis/chart.h"
#include "analysis/functions.h"
#include "analysis/kinds.h"
#include "analysis/thread_summary.h"

#define AT(type, member, offset) _Static_assert(offsetof(struct type, member) == (offset), #type "." #member)
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)

AT(sl_amount, ns, 0);
AT(sl_amount, samples, 8);
SIZE(sl_amount, 16);

AT(sl_facts, start_time_ns, 0);
AT(sl_facts, interval_ns, 8);
AT(sl_facts, duration_ns, 16);
AT(sl_facts, looks, 24);
AT(sl_facts, samples, 32);
AT(sl_facts, broken, 40);
AT(sl_facts, missed, 48);
AT(sl_facts, late, 56);
AT(sl_facts, retried, 64);
AT(sl_facts, sampler_cpu_ns, 72);
AT(sl_facts, cpu_ns, 80);
AT(sl_facts, children_cpu_ns, 88);
AT(sl_facts, description, 96);
AT(sl_facts, version, 100);
AT(sl_facts, trace_bytes, 104);
AT(sl_facts, complete, 112);
AT(sl_facts, lost_bytes, 120);
SIZE(sl_facts, 144);

AT(sl_profile, text, 144);
AT(sl_profile, text_offsets, 148);
AT(sl_profile, string_count, 152);
AT(sl_profile, functions, 156);
AT(sl_profile, function_count, 160);
AT(sl_profile, processes, 172);
AT(sl_profile, process_count, 176);
AT(sl_profile, threads, 180);
AT(sl_profile, thread_count, 184);

AT(sl_function_record, name, 0);
AT(sl_function_record, file, 4);
AT(sl_function_record, first_line, 8);
AT(sl_function_record, kind, 12);
SIZE(sl_function_record, 16);

AT(sl_process_record, pid, 0);
AT(sl_process_record, command, 8);
AT(sl_process_record, python, 12);
AT(sl_process_record, executable, 16);
AT(sl_process_record, exit_status, 56);
SIZE(sl_process_record, 72);

AT(sl_thread_record, process, 0);
AT(sl_thread_record, kind, 4);
AT(sl_thread_record, id, 8);
AT(sl_thread_record, name, 16);
AT(sl_thread_record, main, 20);
SIZE(sl_thread_record, 56);

AT(sl_node, kind, 0);
AT(sl_node, subject, 4);
AT(sl_node, parent, 8);
AT(sl_node, first_child, 12);
AT(sl_node, next_sibling, 16);
AT(sl_node, depth, 20);
AT(sl_node, descendants, 24);
AT(sl_node, hidden_frames, 28);
AT(sl_node, total, 32);
AT(sl_node, self, 48);
AT(sl_node, hidden, 64);
AT(sl_node, first_hidden, 104);
AT(sl_node, hidden_count, 108);
SIZE(sl_node, 112);

AT(sl_call_tree, nodes, 0);
AT(sl_call_tree, node_count, 4);
AT(sl_call_tree, hidden, 16);

AT(sl_function_total, function, 0);
AT(sl_function_total, self, 8);
AT(sl_function_total, total, 24);
SIZE(sl_function_total, 40);

AT(sl_line_total, function, 0);
AT(sl_line_total, line, 4);
AT(sl_line_total, state, 8);
AT(sl_line_total, self, 16);
AT(sl_line_total, total, 32);
SIZE(sl_line_total, 48);

AT(sl_edge, caller, 0);
AT(sl_edge, callee, 4);
AT(sl_edge, self, 16);
AT(sl_edge, total, 32);
SIZE(sl_edge, 48);

AT(sl_thread_summary, thread, 0);
AT(sl_thread_summary, total, 8);
AT(sl_thread_summary, running, 24);
AT(sl_thread_summary, idle, 40);
AT(sl_thread_summary, name, 44);
AT(sl_thread_summary, first_function, 48);
SIZE(sl_thread_summary, 56);

AT(sl_kind_amount, kind, 0);
AT(sl_kind_amount, call, 4);
AT(sl_kind_amount, amount, 8);
SIZE(sl_kind_amount, 24);

AT(sl_frames, callers, 0);
AT(sl_frames, functions, 4);

AT(sl_task_lane, task, 0);
AT(sl_task_lane, coroutine, 4);
AT(sl_task_lane, rows, 8);
AT(sl_task_lane, ns, 16);
SIZE(sl_task_lane, 24);

AT(sl_box, frame, 0);
AT(sl_box, row, 4);
AT(sl_box, begin_ns, 8);
AT(sl_box, end_ns, 16);
AT(sl_box, merged, 24);
SIZE(sl_box, 32);

AT(sl_boxes, boxes, 0);
AT(sl_boxes, count, 4);
AT(sl_boxes, rows, 12);
