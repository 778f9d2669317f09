#include "source/files_extract.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/segment.h"
#include "base/stop.h"
#include "base/text.h"
#include "io/progress.h"
#include "io/tar.h"
#include "source/files_choice.h"
#include "source/files_early.h"
#include "source/files_make.h"
#include "source/files_member.h"
#include "source/files_records.h"
#include "source/files_roots.h"
#include "source/files_seats.h"
#include "source/files_side.h"
#include "source/files_table.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A worker without a seat holds a segment. A source has more of them than two for each job, so that
 * who has a seat never waits for one. */
#define SEATS_MAXIMUM 8
#define WORKERS_PER_SEAT 2

#define MEMBERS_MAXIMUM ((uint64_t)1 << 32)
#define FILE_MAXIMUM ((uint64_t)1 << 46) /* 64 TiB, holes included */

/* What has to wait, as tar headers: hard links, whose target another thread may be writing, and
 * folders, whose times and modes making files in them would change. */
#define LATER "later"

/* What a segment asks for: a member to be made, or bytes of one. */
struct step {
    struct files_member *member;
    const uint8_t *data; /* in the segment; NULL: make it */
    size_t size;
    uint64_t offset;
};

struct steps {
    struct step *items;
    size_t count, capacity;
};

/* Reading, decompressing and writing go on in parallel; in between, headers are parsed in the
 * archive's order, by whoever's turn it is. */
struct extract {
    const struct files_extract_options *options;
    struct segment_source *source;
    struct files_records *later;
    struct files_early *early;
    struct files_seats *seats;
    struct buf header; /* scratch */

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    size_t frames;  /* that can be read by number; 0: one after the other */
    size_t claimed; /* frames given to workers */
    size_t turn;    /* the frame to be parsed next */
    bool ended;     /* the segments, or the archive in them */
    bool over;      /* end blocks were seen */
    bool failed;
    struct error error;
    struct tar_parser *parser;
    struct files_member *open; /* whose content comes; NULL: it is passed over */
    struct buf path;
    uint64_t devices_left_out;
    /* Hard links to what is not restored, by their target: the first of them becomes the file, in a
     * second reading of the archive. */
    struct files_table *adopted;
    bool second;
    bool folders_repeated; /* some folder was there before its member came */
    struct files_extracted extracted;
};

static void fail(struct extract *extract, const struct error *err)
{
    pthread_mutex_lock(&extract->lock);
    if (!extract->failed)
        extract->error = *err;
    extract->failed = true;
    pthread_cond_broadcast(&extract->changed);
    pthread_mutex_unlock(&extract->lock);
}

/* ---- parsing, under the lock ---- */

static void add_step(struct steps *steps, struct files_member *member, const uint8_t *data,
                     size_t size, uint64_t offset)
{
    ARRAY_GROW(steps->items, steps->count, steps->capacity);
    steps->items[steps->count++] = (struct step){
        .member = files_member_share(member), .data = data, .size = size, .offset = offset};
}

static bool wanted(struct extract *extract, const struct tar_member *member, const char *path)
{
    const struct files_choice *choice = &extract->options->choice;
    if (!files_choice_takes(choice, path, member->type == TAR_FOLDER))
        return false;
    bool device = files_choice_leaves(choice, (char)member->type);
    extract->devices_left_out += device;
    return !device;
}

static int check_limits(struct extract *extract, const struct tar_member *member, struct error *err)
{
    if (++extract->extracted.seen > MEMBERS_MAXIMUM)
        return error_set(err, ERROR_CORRUPT, "the archive has more than %" PRIu64 " members",
                         MEMBERS_MAXIMUM);
    if (strlen(member->path) > FILES_PATH_MAXIMUM)
        return error_set(err, ERROR_CORRUPT, "member %.200s… has too long a path", member->path);
    if (member->size > FILE_MAXIMUM || member->real_size > FILE_MAXIMUM)
        return error_set(err, ERROR_CORRUPT, "member %s is larger than any file may be",
                         member->path);
    return 0;
}

/* A hard link's target is a member too, and no more to be trusted than a path. 1 when it is not
 * among what is restored. */
static int check_link(struct extract *extract, const struct tar_member *member, struct buf *clean,
                      struct error *err)
{
    int result = tar_path_clean(member->link, clean, err);
    size_t side = 0;
    char *place =
        result == 0 ? files_sides_place(extract->options->choice.sides, clean->data, &side) : NULL;
    bool elsewhere =
        result == 0 && files_sides_elsewhere(extract->options->choice.sides, clean->data);
    if (result == 0 && !place && !elsewhere)
        result = error_set(err, ERROR_CORRUPT, "member %s is a link to %s, outside of the archive",
                           member->path, member->link);
    free(place);
    if (result < 0)
        return error_prefix(err, "member %s", member->path);
    return !files_choice_takes(&extract->options->choice, clean->data, false);
}

static int note_later(struct extract *extract, const struct tar_member *member, struct error *err)
{
    buf_reset(&extract->header);
    tar_append_header(&extract->header, member);
    return files_records_add(extract->later, extract->header.data, extract->header.length, err);
}

/* A later member of that name would be another file: such an archive is linked at once, as it is
 * read. Else links wait until all files are there. */
static int take_link(struct extract *extract, struct files_member *member, struct steps *steps,
                     struct error *err)
{
    struct buf target = BUF_INIT;
    int missing = check_link(extract, &member->header, &target, err);
    int result = missing < 0 ? -1 : 0;
    if (missing > 0)
        result = files_table_add(extract->adopted, target.data, member->side, member->place, err);
    buf_clear(&target);
    if (result < 0)
        return -1;
    if (extract->options->repetitions && !missing) {
        add_step(steps, member, NULL, 0, 0);
        return 0;
    }
    return note_later(extract, &member->header, err);
}

/* Of the second reading: what a link stands for is made in the link's place. */
static void take_adopted(struct extract *extract, const struct tar_member *header, const char *path,
                         struct steps *steps)
{
    const struct files_place *at = files_table_find(extract->adopted, path);
    if (!at || header->type == TAR_HARD_LINK || header->type == TAR_FOLDER)
        return;
    extract->open =
        files_member_new(extract->options->os, header, path, at->side, mem_string(at->place));
    add_step(steps, extract->open, NULL, 0, 0);
}

static int take_member(struct extract *extract, struct steps *steps, struct error *err)
{
    const struct tar_member *header = tar_parser_member(extract->parser);
    files_member_release(STEAL(extract->open));
    if (tar_path_clean(header->path, &extract->path, err) < 0)
        return -1;
    const char *path = extract->path.data;
    if (strcmp(path, FILES_INDEX_MEMBER) == 0)
        return 0;
    if (extract->second) {
        take_adopted(extract, header, path, steps);
        return 0;
    }
    if (check_limits(extract, header, err) < 0)
        return -1;
    size_t side = 0;
    char *place = files_sides_place(extract->options->choice.sides, path, &side);
    if (!place && !files_sides_elsewhere(extract->options->choice.sides, path))
        return error_set(err, ERROR_CORRUPT, "member %s is in none of the backup's trees", path);
    if (!wanted(extract, header, path)) {
        free(place);
        return 0;
    }
    struct files_member *member = files_member_new(extract->options->os, header, path, side, place);
    extract->open = member;
    if (!path[0])
        member->header.path = ".";
    if (header->type == TAR_HARD_LINK)
        return take_link(extract, member, steps, err);
    if (header->type == TAR_FOLDER && note_later(extract, &member->header, err) < 0)
        return -1;
    add_step(steps, member, NULL, 0, 0);
    return 0;
}

static int take_content(struct extract *extract, const struct tar_piece *piece, struct steps *steps,
                        struct error *err)
{
    struct files_member *member = extract->open;
    if (!member)
        return 0;
    const uint8_t *data = piece->data;
    size_t size = piece->size;
    if (member->header.sparse && !member->map.complete) {
        if (tar_map_read(&member->map, &data, &size, err) < 0)
            return error_prefix(err, "member %s", member->header.path);
        /* The making is still to come, so this cannot be the last of it. */
        atomic_fetch_sub(&member->left, piece->size - size);
    }
    if (size)
        add_step(steps, member, data, size, member->seen);
    member->seen += size;
    return 0;
}

static int parse(struct extract *extract, const struct segment *segment, struct steps *steps,
                 struct error *err)
{
    const uint8_t *data = segment->data;
    size_t size = segment->size;
    while (!extract->over) {
        enum tar_event event = TAR_MORE;
        struct tar_piece piece;
        if (tar_parser_next(extract->parser, &data, &size, &event, &piece, err) < 0)
            return -1;
        if (event == TAR_MORE)
            return 0;
        extract->over = event == TAR_END;
        if (event == TAR_MEMBER && take_member(extract, steps, err) < 0)
            return -1;
        if (event == TAR_CONTENT && take_content(extract, &piece, steps, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- one worker ---- */

/* By number: read in parallel, parse in turn. 1, 0 after the last, -1. */
static int next_frame(struct extract *extract, struct steps *steps, struct segment **ret_segment,
                      struct error *err)
{
    pthread_mutex_lock(&extract->lock);
    size_t number = extract->claimed;
    bool none = extract->failed || number == extract->frames;
    extract->claimed += !none;
    pthread_mutex_unlock(&extract->lock);
    if (none)
        return 0;
    if (extract->source->ops->read(extract->source, number, ret_segment, err) < 0)
        return -1;
    pthread_mutex_lock(&extract->lock);
    while (extract->turn != number && !extract->failed)
        pthread_cond_wait(&extract->changed, &extract->lock);
    int result = extract->failed ? 0 : parse(extract, *ret_segment, steps, err);
    extract->turn++;
    pthread_cond_broadcast(&extract->changed);
    pthread_mutex_unlock(&extract->lock);
    return result < 0 ? -1 : 1;
}

/* One after the other: fetched and parsed under the lock, written without it. */
static int next_piece(struct extract *extract, struct steps *steps, struct segment **ret_segment,
                      struct error *err)
{
    pthread_mutex_lock(&extract->lock);
    int result = 0;
    if (!extract->failed && !extract->ended)
        result = extract->source->ops->next(extract->source, ret_segment, err);
    if (result == 0)
        extract->ended = true;
    if (result > 0 && parse(extract, *ret_segment, steps, err) < 0)
        result = -1;
    pthread_mutex_unlock(&extract->lock);
    return result;
}

/* Checked when the member was parsed, so it has a place. */
static char *place_of(const struct extract *extract, const char *path, size_t *ret_side)
{
    struct buf clean = BUF_INIT;
    char *place = NULL;
    if (tar_path_clean(path, &clean, NULL) == 0)
        place = files_sides_place(extract->options->choice.sides, clean.data, ret_side);
    buf_clear(&clean);
    return place;
}

static int link_at_once(const struct extract *extract, struct files_maker *maker,
                        const struct files_member *member, struct error *err)
{
    size_t side = 0;
    SCOPED(string) char *target = place_of(extract, member->header.link, &side);
    return files_make_link(maker, member->side, member->place, side, target, &member->header, err);
}

static int do_step(const struct extract *extract, struct files_maker *maker,
                   const struct step *step, struct error *err)
{
    if (step->data)
        return files_make_content(maker, step->member, step->data, step->size, step->offset, err);
    if (step->member->header.type == TAR_HARD_LINK)
        return link_at_once(extract, maker, step->member, err);
    return files_make(maker, step->member, err);
}

static int do_steps(const struct extract *extract, struct files_maker *maker,
                    const struct steps *steps, struct files_seat *seat, struct error *err)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        if (step->data && files_make_waits(step->member))
            files_seat_leave(seat);
        else
            files_seat_take(seat);
        int result = do_step(extract, maker, step, err);
        if (result < 0)
            return -1;
    }
    return stop_check(err);
}

static void clear_steps(struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        files_member_release(steps->items[i].member);
    steps->count = 0;
}

static int side_in_use(const struct extract *extract, const struct files_maker *maker)
{
    return extract->options->choice.sides->items[maker->parent_side].fd;
}

static int work(struct extract *extract, struct files_maker *maker, struct steps *steps,
                struct files_seat *seat, struct error *err)
{
    for (int more = 1; more;) {
        struct segment *segment = NULL;
        /* Kept until the frame was parsed, for which the one before has to be. */
        files_seat_take(seat);
        more = extract->frames ? next_frame(extract, steps, &segment, err)
                               : next_piece(extract, steps, &segment, err);
        uint64_t size = segment ? segment->size : 0, cached = maker->cached;
        if (more > 0 && do_steps(extract, maker, steps, seat, err) < 0)
            more = -1;
        files_early_wrote(extract->early, side_in_use(extract, maker), maker->cached - cached);
        clear_steps(steps);
        if (segment)
            extract->source->ops->drop(extract->source, segment);
        if (more < 0)
            return -1;
        progress_add(extract->options->progress, size);
    }
    return 0;
}

static void add_totals(struct extract *extract, const struct files_maker *maker)
{
    pthread_mutex_lock(&extract->lock);
    extract->extracted.made += maker->made;
    extract->extracted.entries += maker->entries;
    extract->extracted.bytes += maker->bytes;
    extract->folders_repeated |= maker->folders_repeated;
    pthread_mutex_unlock(&extract->lock);
}

static void *worker_thread(void *context)
{
    struct extract *extract = context;
    const struct files_extract_options *options = extract->options;
    struct error err = ERROR_INIT;
    struct steps steps = {0};
    struct files_seat seat = {.seats = extract->seats};
    struct files_maker maker;
    files_maker_init(&maker, options->os, options->choice.sides, options->repetitions,
                     options->no_owner);
    if (work(extract, &maker, &steps, &seat, &err) < 0)
        fail(extract, &err);
    files_seat_leave(&seat);
    add_totals(extract, &maker);
    free(steps.items);
    files_maker_clear(&maker);
    return NULL;
}

static int run_workers(struct extract *extract, struct error *err)
{
    /* Where the later of two equal members counts, they have to be made in order. */
    bool ordered = extract->options->repetitions;
    int jobs = ordered ? 1 : extract->options->jobs;
    size_t seats = jobs < 1 ? 1 : jobs > SEATS_MAXIMUM ? SEATS_MAXIMUM : (size_t)jobs;
    size_t wanted_count = ordered ? 1 : WORKERS_PER_SEAT * seats;
    pthread_t threads[WORKERS_PER_SEAT * SEATS_MAXIMUM];
    size_t started = 0;
    SCOPED(files_seats) struct files_seats *all = extract->seats = files_seats_new(seats);
    while (started < wanted_count &&
           pthread_create(&threads[started], NULL, worker_thread, extract) == 0)
        started++;
    if (!started)
        return error_set(err, ERROR_FAILED, "no thread to write with");
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (!extract->failed)
        return tar_parser_finish(extract->parser, err);
    *err = extract->error;
    return -1;
}

/* The archive once more, for what links stand for. */
static int read_again(struct extract *extract, struct error *err)
{
    if (!files_table_count(extract->adopted))
        return 0;
    if (!extract->frames) {
        error_set(err, ERROR_FAILED, "some files have other names that are not restored with them");
        return error_hint(err,
                          "this archive can be read only once: restore the other names too, or "
                          "all of it with --to");
    }
    files_member_release(STEAL(extract->open));
    tar_parser_free(extract->parser);
    extract->parser = tar_parser_new();
    extract->second = true;
    extract->over = false;
    extract->claimed = extract->turn = 0;
    return run_workers(extract, err);
}

/* ---- what comes last ---- */

struct final {
    struct extract *extract;
    struct files_maker *maker;
    struct files_table *done; /* folders, where one may come twice; else NULL */
    int (*act)(struct final *final, const struct tar_member *member, struct error *err);
};

/* What a link is made to: its target, or the link that was made in the target's stead. */
static char *target_of(const struct extract *extract, const char *link, size_t *ret_side)
{
    struct buf clean = BUF_INIT;
    char *place = NULL;
    if (tar_path_clean(link, &clean, NULL) == 0) {
        const struct files_place *at = files_table_find(extract->adopted, clean.data);
        if (at)
            *ret_side = at->side;
        place = at ? mem_string(at->place)
                   : files_sides_place(extract->options->choice.sides, clean.data, ret_side);
    }
    buf_clear(&clean);
    return place;
}

static int make_link(struct final *final, const struct tar_member *member, struct error *err)
{
    if (member->type != TAR_HARD_LINK)
        return 0;
    size_t side = 0, target_side = 0;
    SCOPED(string) char *place = place_of(final->extract, member->path, &side);
    SCOPED(string) char *target = target_of(final->extract, member->link, &target_side);
    if (side == target_side && strcmp(place, target) == 0 &&
        files_table_count(final->extract->adopted))
        return 0;
    return files_make_link(final->maker, side, place, target_side, target, member, err);
}

static int finish_folder(struct final *final, const struct tar_member *member, struct error *err)
{
    if (member->type != TAR_FOLDER)
        return 0;
    size_t side = 0;
    SCOPED(string) char *place = place_of(final->extract, member->path, &side);
    /* The way goes backwards, and the last one counts. */
    int fresh = final->done ? files_table_add(final->done, place, side, "", err) : 1;
    if (fresh <= 0)
        return fresh;
    return files_make_folder_final(final->maker, side, place, member, err);
}

static int visit_later(void *context, const void *data, size_t size, struct error *err)
{
    struct final *final = context;
    const uint8_t *at = data;
    enum tar_event event = TAR_MORE;
    struct tar_piece piece;
    struct tar_parser *parser = tar_parser_new();
    int result = tar_parser_next(parser, &at, &size, &event, &piece, err);
    if (result == 0 && event == TAR_MEMBER)
        result = final->act(final, tar_parser_member(parser), err);
    tar_parser_free(parser);
    return result < 0 ? -1 : stop_check(err);
}

/* Links in the archive's order; folders backwards, so that children come before parents. */
static int finish(struct extract *extract, struct error *err)
{
    const struct files_extract_options *options = extract->options;
    struct files_maker maker;
    files_maker_init(&maker, options->os, options->choice.sides, options->repetitions,
                     options->no_owner);
    struct final final = {.extract = extract, .maker = &maker, .act = make_link};
    int result = files_records_forwards(extract->later, visit_later, &final, err);
    final.act = finish_folder;
    final.done = extract->folders_repeated && options->repetitions ? files_table_new() : NULL;
    if (result == 0)
        result = files_records_backwards(extract->later, visit_later, &final, err);
    files_table_free(final.done);
    add_totals(extract, &maker);
    files_maker_clear(&maker);
    return result;
}

int files_extract(const struct files_extract_options *options, struct segment_source *source,
                  struct files_extracted *ret_extracted, struct error *err)
{
    SCOPED(files_records) struct files_records *later = NULL;
    SCOPED(files_early) struct files_early *early = files_early_new(options->os);
    int folder = options->choice.sides->items[0].fd;
    if (files_records_create(options->os, folder, LATER, &later, err) < 0)
        return -1;
    struct extract extract = {.options = options,
                              .source = source,
                              .later = later,
                              .early = early,
                              .frames = source->ops->count(source),
                              .parser = tar_parser_new(),
                              .adopted = files_table_new(),
                              .path = BUF_INIT,
                              .header = BUF_INIT};
    pthread_mutex_init(&extract.lock, NULL);
    pthread_cond_init(&extract.changed, NULL);
    int result = run_workers(&extract, err);
    if (result == 0)
        result = read_again(&extract, err);
    if (result == 0)
        result = finish(&extract, err);
    if (result == 0)
        result = files_early_end(early, err);
    files_table_free(extract.adopted);
    if (extract.devices_left_out)
        log_warning("%" PRIu64 " device nodes were left out", extract.devices_left_out);
    options->os->unlinkat(options->os, folder, LATER, 0);
    *ret_extracted = extract.extracted;
    buf_clear(&extract.header);
    files_member_release(extract.open);
    tar_parser_free(extract.parser);
    buf_clear(&extract.path);
    pthread_cond_destroy(&extract.changed);
    pthread_mutex_destroy(&extract.lock);
    return result;
}
