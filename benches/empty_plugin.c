/* A Polars plugin that returns its input: what a call of any plugin costs before it does anything.
   It follows version 0.1 of Polars' plugin interface and the Arrow C data interface. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct schema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct schema **children, *dictionary;
    void (*release)(struct schema *);
    void *private_data;
};

struct series {
    struct schema *field;
    void **arrays;
    size_t len;
    void (*release)(struct series *);
    void *private_data;
};

uint32_t _polars_plugin_get_version(void) { return 1; }

const char *_polars_plugin_get_last_error_message(void) { return "none"; }

/* The input becomes the output: its owner changes, nothing is copied. */
void _polars_plugin_empty(struct series *inputs, size_t count, const uint8_t *kwargs, size_t kwargs_len,
                          struct series *output, const void *context) {
    (void)count, (void)kwargs, (void)kwargs_len, (void)context;
    *output = inputs[0];
}

static void release(struct schema *schema) {
    free((void *)schema->format);
    free((void *)schema->name);
    schema->release = NULL;
}

/* The field stays Polars': the output is a copy of its format and name, enough for plain numbers. */
void _polars_plugin_field_empty(const struct schema *fields, size_t count, struct schema *output,
                                const uint8_t *kwargs, size_t kwargs_len) {
    (void)count, (void)kwargs, (void)kwargs_len;
    struct schema field = {.format = strdup(fields[0].format), .name = strdup(fields[0].name), .flags = fields[0].flags};
    field.release = release;
    field.private_data = (void *)field.format;
    *output = field;
}
