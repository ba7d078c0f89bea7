/* renderers.h - the list of all outputs: one line for each, in the order in which --help shows them.
 *
 * A line X(name, binary, reader, extensions...) stands for the function `sl_render_<name>`, which is declared here and
 * defined in a file of this folder. Nothing else names a renderer. */
#ifndef SL_RENDER_RENDERERS_H
#define SL_RENDER_RENDERERS_H

#include "render/render.h"

#define SL_RENDERERS(X)                                                                                                \
    X(json, false, "programs: every number of the report (docs/json.md)", ".json")                                     \
    X(folded, false, "flamegraph.pl, inferno, speedscope: one stack a line", ".folded", ".collapsedstack.txt",         \
      ".collapsed")

#define SL_RENDERER_DECLARATION(name, ...)                                                                             \
    bool sl_render_##name(const struct sl_profile *profile, const struct sl_render_options *options,                   \
                          struct sl_output *output, struct sl_error *error);
SL_RENDERERS(SL_RENDERER_DECLARATION)
#undef SL_RENDERER_DECLARATION

#endif
