/* renderers.h - the list of all outputs: one line for each, in the order in which --help shows them.
 *
 * A line X(name, binary, compare, reader, extensions...) stands for the function `sl_render_<name>`, which is declared here
 * and defined in a file of this folder, and for the function `compare`, which writes what differs between two recordings
 * (NULL: there is no such output). Nothing else names a renderer. */
#ifndef SL_RENDER_RENDERERS_H
#define SL_RENDER_RENDERERS_H

#include "render/render.h"

#define SL_RENDERERS(X)                                                                                                \
    X(text, false, sl_compare_text, "a person in a terminal", ".txt")                                                  \
    X(html, false, NULL, "a browser: one page with everything in it", ".html", ".htm")                                 \
    X(json, false, sl_compare_json, "programs: every number of the report", ".json")                                   \
    X(folded, false, sl_compare_folded, "flamegraph.pl, inferno, speedscope: one stack a line", ".folded",             \
      ".collapsedstack.txt", ".collapsed")                                                                             \
    X(speedscope, false, NULL, "speedscope.app", ".speedscope.json")                                                   \
    X(pstats, true, NULL, "Python's pstats module, SnakeViz, gprof2dot", ".prof", ".pstats")                           \
    X(pprof, true, NULL, "go tool pprof, Pyroscope, Parca", ".pb.gz", ".pprof")                                        \
    X(firefox, true, NULL, "profiler.firefox.com", ".json.gz")                                                         \
    X(chrome, false, NULL, "Chrome's DevTools, Perfetto", ".trace.json", ".chrome.json")                               \
    X(callgrind, false, NULL, "KCachegrind, callgrind_annotate (also callgrind.out.*)", ".callgrind")                  \
    X(otlp, true, NULL, "OpenTelemetry collectors (profiles, v1development)", ".otlp")                                 \
    X(markdown, false, sl_compare_markdown, "a comment on a pull request", ".md")

#define SL_RENDERER_DECLARATION(name, ...)                                                                             \
    bool sl_render_##name(const struct sl_profile *profile, const struct sl_render_options *options,                   \
                          struct sl_output *output, struct sl_error *error);
SL_RENDERERS(SL_RENDERER_DECLARATION)
#undef SL_RENDERER_DECLARATION

bool sl_compare_text(const struct sl_comparison *comparison, const struct sl_render_options *options,
                     struct sl_output *output, struct sl_error *error);
bool sl_compare_json(const struct sl_comparison *comparison, const struct sl_render_options *options,
                     struct sl_output *output, struct sl_error *error);
bool sl_compare_folded(const struct sl_comparison *comparison, const struct sl_render_options *options,
                       struct sl_output *output, struct sl_error *error);
bool sl_compare_markdown(const struct sl_comparison *comparison, const struct sl_render_options *options,
                         struct sl_output *output, struct sl_error *error);

#endif
