/* SPDX-License-Identifier: ISC
 *
 * replay: what the parts of arda-replay share.
 *
 * The way of an event: a source (source_lines.c, source_stream.c) hands its text to the intake
 * (intake.c), which reads it, leaves it out or puts it in order, gives it its due time and appends
 * it to the queue. pace.c takes what is due from there and hands it to the sink: bus.c, which
 * publishes, or print.c. What is done is entered in the ledger, from which checkpoint.c writes how
 * far the replay has come. With --plan events end in plan.c. One thread, one loop.
 */
#ifndef ARDA_REPLAY_H
#define ARDA_REPLAY_H

#include "arda-replay/options.h"

#include "app/outbox.h"
#include "arda/bus.h"
#include "arda/envelope.h"
#include "arda/filter.h"
#include "arda/publication.h"
#include "arda/record.h"
#include "arda/replay/ledger.h"
#include "arda/tenant.h"
#include "arda/when.h"
#include "base/id.h"
#include "base/list.h"
#include "base/map.h"
#include "base/place.h"
#include "base/quantile.h"
#include "base/reorder.h"
#include "base/timeline.h"

#include <uv.h>

#define PROGRAM        "arda-replay"
#define MAX_LINE_BYTES (16 << 20)

struct settings {
    REPLAY_OPTIONS(BASE_OPT_MEMBER)
};

enum format { FORMAT_AUTO, FORMAT_TEXT, FORMAT_JSON };

struct replay;
struct tenant;

/* An event on its way. */
struct event {
    struct base_reorder_item order; /* its time is that of the event before it, if it has none */
    struct base_list link;          /* in the queue */
    struct base_place place;
    uint64_t ticket; /* in the ledger */
    struct arda_ledger_position at;
    int64_t time_ms;           /* BASE_TIMELINE_NO_TIME: none */
    int64_t mark_ms;           /* the latest time up to this event, or none */
    uint64_t due_us;           /* after the beginning */
    struct tenant *tenant;     /* to be waited for, or NULL */
    struct arda_record record; /* points into the text */
    char text[];
};

/* What is read. A source calls intake_record for each record and intake_end once. */
struct source {
    int (*open)(
        struct replay *replay); /* for each round: 0, or an exit status, with the cause said */
    void (*pause)(struct replay *replay);
    void (*resume)(struct replay *replay);
    void (*close)(struct replay *replay);
};

/* Where events go. */
struct sink {
    int (*start)(struct replay *replay); /* 0, or an exit status, with the cause said */
    /* Whether it takes one now; it calls pace_go_on when that changes. */
    bool (*is_ready)(struct replay *replay, const struct event *event);
    /* Takes the event over and calls replay_settled once it is sent, then or later. */
    void (*send)(struct replay *replay, struct event *event);
    bool (*is_idle)(const struct replay *replay); /* everything is settled */
};

/* What is derived from options and used at each event. */
struct wishes {
    double speed, rate;
    struct arda_when since, until;
    struct arda_member sets[ARDA_MEMBERS_MAX]; /* with the bytes in set_texts */
    size_t set_count;
    char command[BASE_UUID_LEN + 1]; /* tells one command from another */
};

struct counts {
    uint64_t sent, duplicates, bad_lines; /* kept over restarts */
    uint64_t sent_before;                 /* by former starts */
    uint64_t filtered, gaps, untimed, behind;
};

struct replay {
    struct settings settings;
    struct wishes wishes;
    char **operands;
    int operand_count;
    uv_loop_t loop;
    uv_signal_t signals[3];
    const struct source *source;
    const struct sink *sink;
    char run[ARDA_ID_MAX + 1];
    struct counts counts;
    struct base_quantile late_us;
    uint64_t began_us;   /* the first event was sent; 0: not yet */
    uint64_t settled_us; /* the last one was */
    bool has_started;
    bool is_complete; /* everything was read and sent */
    bool ending;
    bool refused; /* by Redis, at the first connection */
    int status;
    int signal;
    bool reader_gone; /* of standard output */

    /* sources */
    uint64_t round;
    struct lines *lines;   /* source_lines.c */
    struct stream *stream; /* source_stream.c */
    bool paused;           /* reading */
    bool read_all;         /* all rounds */

    /* intake.c */
    struct arda_filter *filter;
    struct base_reorder reorder;
    struct base_timeline timeline;
    struct arda_ledger ledger;
    int64_t last_time_ms;  /* of an event that was read */
    uint64_t round_events; /* that the round has had */
    uv_timer_t next_round;
    uint64_t scheduled_round; /* of the last event that got its due time */
    struct base_list queue;
    size_t queued, queued_bytes;

    /* pace.c */
    uv_poll_t alarm;
    int alarm_fd;
    uint64_t start_us; /* by the monotonic clock, of due time 0 */
    bool is_started;   /* that is known */

    /* rewrite.c */
    struct base_buf old_id, edited, mapped;
    uint64_t shifted_round; /* whose shift is known; 0: none */
    int64_t shift_ms;

    /* checkpoint.c */
    struct checkpoint *checkpoint;

    /* bus.c */
    struct arda_bus *bus;
    struct app_outbox *outbox;
    struct base_map tenants;
    bool is_up; /* has been */

    struct printer *printer; /* print.c */
    struct plan *plan;       /* plan.c */
};

/* ---- main.c ---- */

/* Ends the program; the first status that is not 0 counts. */
void replay_end(struct replay *replay, int status);
void replay_out_of_memory(struct replay *replay);
/* Ends it when everything is read, sent and settled. */
void replay_end_when_done(struct replay *replay);
/* It is not published, which is logged and counted: its message would have `bytes`, more than
 * --max-event, or, with 0, its text is no event any more after --set. */
void replay_refused(struct replay *replay, const struct event *event, size_t bytes);
/* Nothing more has to be done for the event. It was sent at `sent_us` by the monotonic clock; 0: it
 * was left out. */
void replay_settled(struct replay *replay, const struct event *event, uint64_t sent_us);

/* ---- settings.c ---- */

/* Checks what the options say together, and fills `wishes`. 0, or an exit status, said. */
int settings_check(struct replay *replay);

/* ---- source_lines.c, source_stream.c ---- */

extern const struct source lines_source, stream_source;
/* Whether files can be read once more: standard input only if it is a file itself. */
bool lines_can_repeat(char **operands, int count);
/* Before a message about a line whose form is wrong; true with a stream. */
bool lines_may_complain(const struct replay *replay);
void lines_free(struct replay *replay);
void stream_free(struct replay *replay);

/* ---- intake.c ---- */

int intake_start(struct replay *replay);
/* A record: a line, or the envelope of a stream's entry. Its position as in struct
 * arda_ledger_position; that of an entry is its id. */
void intake_record(struct replay *replay, uint64_t major, uint64_t minor,
                   const struct base_place *place, struct base_slice text);
/* A record that could not be read, which has been said. */
void intake_bad(struct replay *replay, uint64_t major, uint64_t minor);
/* The round is read. */
void intake_end(struct replay *replay);
/* There may be room for more. */
void intake_room(struct replay *replay);
void intake_fini(struct replay *replay);
void event_free(struct event *event);
/* "FILE: line N: " or "stream of TENANT: entry ID: ", to stand before a message. */
const char *event_place(const struct replay *replay, const struct event *event,
                        char out[static BASE_PLACE_MAX]);

/* ---- pace.c ---- */

int pace_start(struct replay *replay);
/* Sends what is due, as far as the sink takes it. */
void pace_go_on(struct replay *replay);
void pace_end(struct replay *replay);

/* ---- rewrite.c ---- */

/* The tenant an event is replayed for, in `out`; the length is the result, 0 for none, or
 * BASE_ERR_LIMIT when it gets too long by --shadow. */
int rewrite_tenant(const struct replay *replay, const struct arda_message *message,
                   char out[static ARDA_ID_MAX + 1]);
/* The event as it is published. `publication` points into `texts`. 0; BASE_ERR_NOMEM;
 * BASE_ERR_INTERNAL; BASE_ERR_SYNTAX when --set makes it no event; BASE_ERR_LIMIT when it is longer
 * than --max-event. */
int rewrite(struct replay *replay, const struct event *event, struct arda_publication_texts *texts,
            struct arda_publication *publication);
void rewrite_fini(struct replay *replay);

/* ---- bus.c, tenants.c, print.c ---- */

extern const struct sink bus_sink, print_sink;

/* A question to Redis: sent by `send` until there is an answer. */
struct request {
    struct app_outbox_item item;
    struct replay *replay;
    int (*send)(struct request *request);
    struct tenant *tenant;
    /* of an event */
    struct event *event;
    struct arda_publication_texts texts;
    struct arda_publication publication;
    uint64_t sent_us; /* for the first time; 0: not yet */
    unsigned times_sent;
};

/* The bus and its outbox, for a sink or a source. 0, or an exit status. */
int bus_open(struct replay *replay);
void bus_close(struct replay *replay);
/* A request to be filled and added to the outbox. NULL without memory; the program ends then. */
struct request *bus_request(struct replay *replay, int (*send)(struct request *request));
/* The answer to a question. True: it came; false: it will be asked again, or the program ends. */
bool bus_answer(struct request *request, int result, const struct base_why *why);

/* What has to be known of a tenant before its first event, or NULL when nothing has. Begins to ask
 * for it. `*failed` is set without memory. */
struct tenant *tenants_get(struct replay *replay, const char *id, size_t len, bool *failed);
bool tenant_is_ready(const struct tenant *tenant);
/* Whether the event is in the stream; it is from now on. */
bool tenant_has_seen(struct tenant *tenant, struct base_slice id);
void tenants_fini(struct replay *replay);

void printer_close(struct replay *replay);
void printer_free(struct replay *replay);

/* ---- checkpoint.c ---- */

/* Without --checkpoint none of these does anything. */

/* Reads the file if there is one, and takes the run from it. 0, or an exit status, said. */
int checkpoint_start(struct replay *replay);
/* Whether there was one. */
bool checkpoint_is_read(const struct replay *replay);
bool checkpoint_is_complete(const struct replay *replay);
/* Writes it for the first time. 0, or an exit status, said. */
int checkpoint_begin(struct replay *replay);
/* Whether this position was done before. */
bool checkpoint_has(const struct replay *replay, const struct arda_ledger_position *position);
/* The ids between which the stream is read, if a former start has found them out. */
bool checkpoint_range(const struct replay *replay, struct arda_stream_id *first,
                      struct arda_stream_id *last);
void checkpoint_set_range(struct replay *replay, struct arda_stream_id first,
                          struct arda_stream_id last);
/* The last position that is done with all before it; NULL: none. */
const struct arda_ledger_position *checkpoint_done(const struct replay *replay);
/* The recorded time up to which a former start has come, and how long ago that was due. */
bool checkpoint_time(const struct replay *replay, int64_t *time_ms, int64_t *ago_ms);
/* Something was done: writes the file at once, or else soon. */
void checkpoint_change(struct replay *replay, bool at_once);
/* Closes its timer. */
void checkpoint_close(struct replay *replay);
/* Writes it for the last time, if it was begun. 0, or an exit status; the error has been logged. */
int checkpoint_finish(struct replay *replay, bool complete);
void checkpoint_free(struct replay *replay);

/* ---- plan.c, report.c ---- */

int plan_start(struct replay *replay);
void plan_event(struct replay *replay, const struct event *event);
/* 0, or an exit status. */
int plan_print(struct replay *replay);
void plan_free(struct replay *replay);
/* At the end, on standard error. */
void report_print(struct replay *replay);
void report_progress(struct replay *replay);

#endif
