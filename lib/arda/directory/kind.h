/* SPDX-License-Identifier: ISC
 *
 * kind: the kinds of entries as one table, which reading, writing and Redis follow, and
 * what the files of the directory share. Nobody else includes this. Threads: any.
 */
#ifndef ARDA_DIRECTORY_KIND_H
#define ARDA_DIRECTORY_KIND_H

#include "arda/directory_line.h"
#include "arda/name/keys.h"

#define DIRECTORY_PARTS   3
#define DIRECTORY_MEMBERS 5

/* How Redis holds the entries of a kind. */
enum directory_form {
    DIRECTORY_SET,    /* a set of ids */
    DIRECTORY_HASH,   /* a hash of ids with a text */
    DIRECTORY_FIELDS, /* one entry: a hash of its members */
};

/* A part of an id. */
struct directory_part {
    const char *name; /* NULL behind the last one */
    bool nullable;
    /* A list such as "a|b|c"; NULL: any id. */
    const char *(*choices)(void);
};

enum directory_value { DIRECTORY_TEXT, DIRECTORY_BOOLEAN };

struct directory_member {
    const char *name; /* NULL behind the last one */
    enum directory_value value;
    const char *expected;
    bool (*is_right)(const char *text, size_t len); /* of a TEXT; NULL: any is */
    /* What is_right takes may be of no use all the same; then it is not to be entered, while what
     * Redis has stays. 0; BASE_ERR_INVALID with the reason; BASE_ERR_NOMEM. NULL: all is of use. */
    int (*check)(struct base_slice text, struct base_why *why);
    const char *otherwise; /* JSON that is written when it is missing; NULL: nothing is */
    bool required;
    bool lenient; /* not checked when Redis has it, which others may have written */
    bool hidden;  /* its value is not shown in messages */
    bool secret;
    bool erasable; /* an empty text stands for none, and Redis holds that for none */
};

struct directory_kind {
    const char *name;
    const char *called;          /* "a user" */
    enum arda_key_family family; /* of its key */
    enum directory_form form;
    bool open; /* unknown members are kept, and text stays as it was written */
    struct directory_part parts[DIRECTORY_PARTS + 1];
    struct directory_member members[DIRECTORY_MEMBERS + 1];
};

extern const struct directory_kind arda_directory_kinds[ARDA_DIRECTORY_KINDS];

static inline bool directory_has_members(const struct directory_kind *kind)
{
    return kind->members[0].name != NULL;
}

/* ---- messages ---- */

int arda_directory_no_memory(struct base_why *why);
/* "NAME: expected EXPECTED, got VALUE" */
int arda_directory_wrong_value(struct base_why *why, const char *name, const char *expected,
                               struct base_slice value);
/* "NAME: VALUE is not one of a, b, c" */
int arda_directory_not_of(struct base_why *why, const char *name, bool nullable,
                          const char *choices, struct base_slice value);
/* How much of a text a message shows: whole characters. */
int arda_directory_shown(const char *text, size_t len);

/* ---- parts of an id ---- */

/* Appends a part to the line's id; `text` NULL stands for null. BASE_ERR_SYNTAX with a message that
 * shows `shown`. */
int arda_directory_add_part(struct arda_directory_line *line, const struct directory_part *part,
                            const char *text, size_t len, struct base_slice shown,
                            struct base_why *why);

/* ---- values ---- */

enum directory_source {
    DIRECTORY_OF_REDIS, /* lenient members are not checked */
    DIRECTORY_OF_INPUT,
};

/* Checks that the text is an object none of whose members stands twice. */
int arda_directory_object(const char *text, size_t len, struct base_json_value *object,
                          struct base_why *why);
struct base_json_value arda_directory_find(const struct base_json_value *object, const char *name);
/* Makes the object canonical and keeps it as the line's value, which may be where it lies. */
int arda_directory_keep(struct arda_directory_line *line, const struct base_json_value *object,
                        enum directory_source source, struct base_why *why);
/* Whether the value is right for the member: 0; BASE_ERR_SYNTAX with the reason; BASE_ERR_NOMEM. */
int arda_directory_check_member(const struct directory_member *member,
                                const struct base_json_value *value, struct base_why *why);

/* The same of what is entered, which has to be of use, too. */
int arda_directory_check_input(const struct directory_member *member,
                               const struct base_json_value *value, struct base_why *why);

bool arda_directory_is_address(const char *text, size_t len);
int arda_directory_check_address(struct base_slice text, struct base_why *why);
bool arda_directory_is_url(const char *text, size_t len);
bool arda_directory_is_secret(const char *text, size_t len);
bool arda_directory_is_schedule(const char *text, size_t len);
bool arda_directory_is_time(const char *text, size_t len);
bool arda_directory_is_zone(const char *text, size_t len);

#endif
