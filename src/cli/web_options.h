/* web_options.h - the options of `requests` and `token` that only they take, for the table in options.c. */
#ifndef SL_CLI_WEB_OPTIONS_H
#define SL_CLI_WEB_OPTIONS_H

#include "cli/options.h"

extern const char *const sl_sort_words[];

bool sl_set_sort(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_route(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_status(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_slower(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_limit(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_ttl(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_secret_file(struct sl_options *options, const char *given, const char *value, struct sl_error *error);

#endif
