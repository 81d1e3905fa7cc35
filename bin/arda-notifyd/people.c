/* SPDX-License-Identifier: ISC
 *
 * What is kept of a tenant's directory, at one version of it. The step compares that with the
 * present version where the copy is older than the event (work.c), so a copy that is out of date is
 * found out before it does anything.
 */
#include "notifyd.h"

#include "arda/directory.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"

#include <string.h>

struct people *people_ref(struct people *people)
{
    people->refs++;
    return people;
}

void people_unref(struct people *people)
{
    if (!people || --people->refs > 0)
        return;
    for (int type = 0; type < ARDA_NOTIFY_TYPES; type++)
        base_free(people->users[type]);
    arda_notify_preferences_free(people->preferences);
    base_buf_fini(&people->texts);
    base_free(people->persons);
    base_free(people->webhook);
    base_free(people);
}

/* ---- reading ---- */

struct loading {
    struct people *people;
    people_fn done;
    void *data;
    size_t room; /* of persons */
    struct {
        size_t id, email; /* where they stand among the texts; SIZE_MAX: none */
        bool active;
    } * at;
    bool all, nomem;
};

static bool is_true(const struct arda_directory_line *line, const char *name)
{
    return arda_directory_line_member(line, name).kind == BASE_JSON_TRUE;
}

/* A member that is a string, behind the texts that are there, with a NUL. */
static size_t add_text(struct loading *loading, const struct base_json_value *value)
{
    struct base_buf *texts = &loading->people->texts;
    size_t at = texts->len;
    if (value->kind != BASE_JSON_STRING || value->len == 2)
        return SIZE_MAX;
    int failed = base_json_unescape(value, texts);
    if (failed == BASE_ERR_SYNTAX)
        return SIZE_MAX;
    loading->nomem |= failed || base_buf_add_byte(texts, '\0') < 0;
    return at;
}

static void add_user(struct loading *loading, const struct arda_directory_line *line)
{
    struct people *people = loading->people;
    bool active = is_true(line, "active");
    if (!active && !loading->all)
        return;
    if (BASE_VEC_RESERVE(loading->at, loading->room, people->count + 1) < 0) {
        loading->nomem = true;
        return;
    }
    struct base_json_value email = arda_directory_line_member(line, "email");
    loading->at[people->count].active = active;
    loading->at[people->count].id = people->texts.len;
    loading->nomem |= base_buf_add(&people->texts, line->id, strlen(line->id) + 1) < 0;
    loading->at[people->count++].email = add_text(loading, &email);
}

static void add_preference(struct loading *loading, const struct arda_directory_line *line)
{
    int failed =
        arda_notify_preferences_set_field(loading->people->preferences, line->id, strlen(line->id),
                                          is_true(line, "enabled") ? "1" : "0", 1);
    loading->nomem |= failed == BASE_ERR_NOMEM;
}

static void add_webhook(struct loading *loading, const struct arda_directory_line *line)
{
    struct base_buf url = BASE_BUF_INIT;
    struct base_json_value value = arda_directory_line_member(line, "url");
    if (!is_true(line, "enabled") || value.kind != BASE_JSON_STRING || value.len == 2)
        return;
    if (base_json_unescape(&value, &url) == 0 && base_buf_cstr(&url)) {
        base_free(loading->people->webhook);
        loading->people->webhook = base_buf_take(&url, NULL);
    }
    base_buf_fini(&url);
}

static void on_line(void *data, const struct arda_directory_line *line)
{
    struct loading *loading = data;
    switch (line->kind) {
    case ARDA_DIRECTORY_USER: add_user(loading, line); break;
    case ARDA_DIRECTORY_PREFERENCE: add_preference(loading, line); break;
    case ARDA_DIRECTORY_WEBHOOK: add_webhook(loading, line); break;
    default: break;
    }
}

static void on_bad(void *data, const struct base_why *why)
{
    static struct base_log_limit limit;
    (void)data;
    base_log_limited(&limit, BASE_LOG_WARNING, "directory: %s", why->text);
}

static int take_texts(struct loading *loading)
{
    struct people *people = loading->people;
    people->persons = base_calloc(people->count + 1, sizeof *people->persons);
    if (!people->persons || loading->nomem)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < people->count; i++) {
        size_t email = loading->at[i].email;
        people->persons[i].id = people->texts.data + loading->at[i].id;
        people->persons[i].email = email == SIZE_MAX ? NULL : people->texts.data + email;
        people->persons[i].active = loading->at[i].active;
    }
    return BASE_OK;
}

static void on_done(void *data, int result, const struct arda_directory_state *state,
                    const struct base_why *why)
{
    struct loading *loading = data;
    struct people *people = loading->people;
    struct base_why own;
    if (!result && state->version < 0 && !loading->all)
        result = base_why_set(&own, BASE_ERR_SYNTAX,
                              "its version is not a number; the next change "
                              "of its directory repairs that");
    else if (!result && take_texts(loading) < 0)
        result = base_why_set(&own, BASE_ERR_NOMEM, "out of memory");
    else if (!result)
        people->version = state->version;
    if (result && state)
        why = &own;
    if (result) {
        people_unref(people);
        people = NULL;
    }
    loading->done(loading->data, result, people, why);
    base_free(loading->at);
    base_free(loading);
}

int people_load(struct arda_bus *bus, const char *tenant, bool all, people_fn done, void *data)
{
    const unsigned kinds = ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_USER) |
                           ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_PREFERENCE) |
                           ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_WEBHOOK);
    struct loading *loading = base_calloc(1, sizeof *loading);
    struct people *people = base_calloc(1, sizeof *people);
    struct arda_notify_preferences *preferences = arda_notify_preferences_new();
    int failed = loading && people && preferences ? BASE_OK : BASE_ERR_NOMEM;
    if (!failed) {
        struct arda_directory_handlers handlers = {on_line, on_bad, on_done, loading};
        people->refs = 1;
        people->preferences = preferences;
        *loading = (struct loading){.people = people, .done = done, .data = data, .all = all};
        failed = arda_directory_snapshot(bus, tenant, kinds, &handlers);
    }
    if (failed) {
        base_free(loading);
        base_free(people);
        arda_notify_preferences_free(preferences);
    }
    return failed;
}

/* ---- asking ---- */

unsigned people_channels(const struct people *people, const struct person *person,
                         enum arda_notify_type type, enum arda_notify_source *sources)
{
    unsigned channels =
        arda_notify_resolve(people->preferences, person->id, strlen(person->id), type, sources);
    if (!person->email)
        channels &= ~ARDA_NOTIFY_BIT(ARDA_NOTIFY_EMAIL);
    if (!people->webhook)
        channels &= ~ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK);
    return channels;
}

const struct arda_notify_user *people_users(struct people *people, enum arda_notify_type type)
{
    struct arda_notify_user *users = people->users[type];
    if (users)
        return users;
    users = base_calloc(people->count + 1, sizeof *users);
    for (size_t i = 0; users && i < people->count; i++)
        users[i] = (struct arda_notify_user){
            people->persons[i].id, people_channels(people, &people->persons[i], type, NULL)};
    people->users[type] = users;
    return users;
}
