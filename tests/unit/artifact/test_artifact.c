#include "artifact/sample.h"

#include "base/stop.h"
#include "crypto/age.h"
#include "crypto/secret.h"
#include "harness/os_faulty.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static const struct {
    int line;
    struct sample_options options;
} cases[] = {
    {__LINE__, {"sqlite3", "zstd", NULL, NULL, 5, 100000, 2}},
    {__LINE__, {"sqlite3", "zstd:1", NULL, NULL, 3, 4 << 20, 1}},
    {__LINE__, {"sqlite3", "gzip", NULL, NULL, 5, 100000, 2}},
    {__LINE__, {"sqlite3", "gzip:6", NULL, NULL, 2, 100000, 2}},
    {__LINE__, {"sqlite3", "none", NULL, NULL, 5, 100000, 3}},
    {__LINE__, {"sqlite3", "zstd", "hold fast", NULL, 3, 100000, 2}},
    {__LINE__, {"sql", "zstd", NULL, NULL, 7, 50000, 2}},
    {__LINE__, {"sql", "gzip", NULL, NULL, 7, 50000, 2}},
    {__LINE__, {"sql", "none", NULL, NULL, 7, 50000, 2}},
    {__LINE__, {"sql", "zstd", "hold fast", NULL, 2, 50000, 2}},
    {__LINE__, {"tar", "zstd", NULL, NULL, 7, 50000, 2}},
    {__LINE__, {"tar", "gzip", NULL, NULL, 7, 50001, 2}},
    {__LINE__, {"tar", "none", NULL, NULL, 7, 512, 2}},
    {__LINE__, {"sqlite3", "zstd", NULL, NULL, 0, 0, 2}},
    {__LINE__, {"sqlite3", "gzip", NULL, NULL, 0, 0, 2}},
    {__LINE__, {"sqlite3", "none", NULL, NULL, 0, 0, 2}},
    {__LINE__, {"sql", "zstd", NULL, NULL, 0, 0, 2}},
    {__LINE__, {"tar", "zstd", NULL, NULL, 0, 0, 2}},
};

TEST(what_was_pushed_comes_back_in_order_and_by_number)
{
    struct sample sample;
    sample_open(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(buf) struct buf plain = BUF_INIT;
        SCOPED(buf) struct buf back = BUF_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        struct artifact_keys keys = {.passphrase = cases[i].options.passphrase};
        assert_ok(sample_write(&sample, &cases[i].options, &plain, &manifest, &err), err);
        assert_ok(sample_read(&sample, manifest.file, &keys, false, &back, &err), err);
        assert_case(cases[i].line, back.length == plain.length);
        assert_case(cases[i].line, memcmp(back.data, plain.data, plain.length) == 0);
        assert_case(cases[i].line, manifest.plain_bytes == plain.length);

        struct artifact_open_options open = {.os = sample.os,
                                             .store = sample.store,
                                             .file = manifest.file,
                                             .keys = &keys,
                                             .jobs = 1};
        SCOPED(artifact_reader) struct artifact_reader *reader = NULL;
        assert_ok(artifact_open(&open, &reader, &err), err);
        struct segment_source *source = artifact_segments(reader);
        for (size_t number = source->ops->count(source); number-- > 0;) {
            struct segment *segment = NULL;
            assert_ok(source->ops->read(source, number, &segment, &err), err);
            assert_case(cases[i].line,
                        memcmp(segment->data, plain.data + segment->offset, segment->size) == 0);
            source->ops->drop(source, segment);
        }
        assert_string_equal(artifact_kind(reader), cases[i].options.kind);
    }
    sample_close(&sample);
}

TEST(without_its_manifest_an_artifact_is_read_front_to_back)
{
    struct sample sample;
    sample_open(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(buf) struct buf plain = BUF_INIT;
        SCOPED(buf) struct buf back = BUF_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        struct artifact_keys keys = {.passphrase = cases[i].options.passphrase};
        assert_ok(sample_write(&sample, &cases[i].options, &plain, &manifest, &err), err);
        if (!manifest.size_bytes)
            continue;
        assert_ok(sample_read(&sample, manifest.file, &keys, true, &back, &err), err);
        assert_case(cases[i].line, back.length >= plain.length);
        assert_case(cases[i].line, memcmp(back.data, plain.data, plain.length) == 0);
    }
    sample_close(&sample);
}

TEST(the_index_tells_tables_and_members)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    struct sample_options options = {"sql", "zstd", NULL, NULL, 5, 1000, 2};
    assert_ok(sample_write(&sample, &options, NULL, &manifest, &err), err);
    struct artifact_open_options open = {
        .os = sample.os, .store = sample.store, .file = manifest.file, .jobs = 1};
    SCOPED(artifact_reader) struct artifact_reader *reader = NULL;
    assert_ok(artifact_open(&open, &reader, &err), err);
    struct segment_source *source = artifact_segments(reader);
    assert_int_equal(source->ops->count(source), 5);
    assert_int_equal(source->ops->frame(source, 0)->section, SECTION_PRE);
    assert_string_equal(source->ops->frame(source, 3)->table, "odd \"one\"");
    assert_int_equal(source->ops->table_count(source), 2);
    assert_string_equal(source->ops->table(source, 1)->name, "ev\xc3\xa9n");
    assert_string_equal(source->ops->table(source, 0)->schema, "public");
    sample_close(&sample);
}

static int note_member(void *context, const char *path, char type, uint64_t size, struct error *err)
{
    (void)err;
    struct buf *text = context;
    buf_append_format(text, "%s %c %d\n", path, type, (int)size);
    return 0;
}

TEST(member_paths_bring_every_byte_back)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    struct sample_options options = {"tar", "zstd", NULL, NULL, 2, 1000, 2};
    assert_ok(sample_write(&sample, &options, NULL, &manifest, &err), err);
    struct artifact_open_options open = {
        .os = sample.os, .store = sample.store, .file = manifest.file, .jobs = 1};
    SCOPED(artifact_reader) struct artifact_reader *reader = NULL;
    assert_ok(artifact_open(&open, &reader, &err), err);
    SCOPED(buf) struct buf text = BUF_INIT;
    assert_ok(artifact_segments(reader)->ops->members(artifact_segments(reader), note_member, &text,
                                                      &err),
              err);
    assert_string_equal(text.data, "folder/caf\xe9-0 0 1000\nfolder/file-1 0 1000\n");
    sample_close(&sample);
}

/* Run a tool on a file, its output into `out`. */
static int run(const char *const *argv, const char *out)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    char *arguments[8] = {0};
    for (int i = 0; argv[i]; i++)
        arguments[i] = mem_string(argv[i]);
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; arguments[i]; i++)
        free(arguments[i]);
    int status = 0;
    if (failed)
        return -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(the_ordinary_tools_read_every_artifact)
{
    struct sample sample;
    sample_open(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(buf) struct buf plain = BUF_INIT;
        SCOPED(buf) struct buf back = BUF_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        const struct sample_options *options = &cases[i].options;
        if (options->passphrase)
            continue;
        assert_ok(sample_write(&sample, options, &plain, &manifest, &err), err);
        SCOPED(string) char *path = path_join(sample.folder, manifest.file);
        SCOPED(string) char *out = path_join(sample.folder, "out");
        const char *tool = strncmp(options->compression, "zstd", 4) == 0   ? "zstd"
                           : strncmp(options->compression, "gzip", 4) == 0 ? "gzip"
                                                                           : NULL;
        if (tool)
            assert_case(cases[i].line, run((const char *[]){tool, "-dc", path, NULL}, out) == 0);
        assert_ok(file_read_all(sample.os, tool ? out : path, &back, &err), err);
        assert_case(cases[i].line, back.length >= plain.length);
        assert_case(cases[i].line, memcmp(back.data, plain.data, plain.length) == 0);
        if (strcmp(options->kind, "sqlite3") == 0)
            assert_case(cases[i].line, back.length == plain.length);
        if (strcmp(options->kind, "tar") == 0)
            assert_case(cases[i].line, run((const char *[]){"tar", "-tf", tool ? out : path, NULL},
                                           "/dev/null") == 0);
    }
    sample_close(&sample);
}

TEST(foreign_files_are_read)
{
    static const struct {
        const char *tool, *option, *ending;
    } tools[] = {{"zstd", "-3", ".zst"}, {"gzip", "-6", ".gz"}, {"pigz", "-1", ".gz"}};
    struct sample sample;
    sample_open(&sample);
    SCOPED(memory) void *content = mem_alloc(9 << 20, 1);
    sample_fill(content, 9 << 20, 3);
    memcpy(content, "-- made elsewhere\n", 18);
    struct error err = ERROR_INIT;
    char path[128];
    snprintf(path, sizeof path, "%s/plain", sample.folder);
    assert_ok(file_write_atomic(sample.os, path, content, 9 << 20, 0600, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
        char out[160];
        snprintf(out, sizeof out, "%s/dump.sql%s", sample.folder, tools[i].ending);
        if (run((const char *[]){tools[i].tool, tools[i].option, "-c", path, NULL}, out) != 0)
            continue; /* not installed */
        SCOPED(buf) struct buf back = BUF_INIT;
        assert_ok(sample_read(&sample, path_base(out), NULL, false, &back, &err), err);
        assert_int_equal(back.length, 9 << 20);
        assert_memory_equal(back.data, content, 9 << 20);
        /* Cut anywhere, it is found. */
        struct store_entry entry;
        assert_int_equal(store_stat(sample.store, path_base(out), &entry, &err), 1);
        for (off_t cut = 1; cut < 20000; cut = cut * 5 + 1) {
            assert_int_equal(truncate(out, (off_t)entry.size - cut), 0);
            buf_reset(&back);
            assert_fails(sample_read(&sample, path_base(out), NULL, false, &back, &err), err,
                         ERROR_CORRUPT);
        }
        error_clear(&err);
    }
    sample_close(&sample);
}

TEST(a_taken_name_gets_the_next_number)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    struct sample_options options = {"sqlite3", "zstd", NULL, NULL, 1, 1000, 1};
    static const char *const wanted[] = {"shop_2026-01-31_020000.sqlite3.zst",
                                         "shop_2026-01-31_020000_2.sqlite3.zst",
                                         "shop_2026-01-31_020000_3.sqlite3.zst"};
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        assert_ok(sample_write(&sample, &options, NULL, &manifest, &err), err);
        assert_string_equal(manifest.file, wanted[i]);
    }
    sample_close(&sample);
}

static int count_key(void *context, const struct store_entry *entry, struct error *err)
{
    (void)err;
    (void)entry;
    ++*(int *)context;
    return 0;
}

static void assert_nothing(struct sample *sample)
{
    int there = 0;
    struct error err = ERROR_INIT;
    struct store *store = NULL;
    assert_ok(store_open(sample->folder, &(struct store_options){.os = os_real()}, &store, &err),
              err);
    assert_ok(store_list(store, "", count_key, &there, &err), err);
    assert_int_equal(there, 0);
    store_close(store);
}

static void torture(enum fault fault, const struct sample_options *options)
{
    for (long at = 1;; at++) {
        struct sample sample;
        sample_open(&sample);
        store_close(sample.store);
        struct error err = ERROR_INIT;
        sample.os = os_faulty(FAULT_NONE, 0);
        assert_ok(store_open(sample.folder, &(struct store_options){.os = sample.os}, &sample.store,
                             &err),
                  err);
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        sample.os = os_faulty(fault, at);
        SCOPED(buf) struct buf plain = BUF_INIT;
        int result = sample_write(&sample, options, &plain, &manifest, &err);
        bool hit = os_faulty_calls() >= at;
        os_faulty(FAULT_NONE, 0);
        if (result < 0) {
            assert_true(hit);
            assert_true(err.message[0]);
            assert_nothing(&sample);
        } else {
            SCOPED(buf) struct buf back = BUF_INIT;
            struct artifact_keys keys = {.passphrase = options->passphrase};
            assert_ok(sample_read(&sample, manifest.file, &keys, false, &back, &err), err);
            assert_int_equal(back.length, plain.length);
        }
        sample_close(&sample);
        if (!hit)
            break;
    }
}

TEST(whatever_call_fails_nothing_half_done_is_visible)
{
    static const enum fault faults[] = {FAULT_EIO, FAULT_NO_SPACE, FAULT_SHORT, FAULT_INTERRUPT};
    struct sample_options options = {"sqlite3", "zstd:1", NULL, NULL, 3, 3000, 2};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        torture(faults[i], &options);
    options.kind = "sql";
    torture(FAULT_EIO, &options);
}

TEST(a_writer_that_is_freed_leaves_nothing)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    struct artifact_options create = {.os = sample.os,
                                      .store = sample.store,
                                      .name = "shop",
                                      .kind = "sqlite3",
                                      .compression = {COMPRESSION_ZSTD, 1},
                                      .jobs = 2};
    struct artifact_writer *writer = NULL;
    assert_ok(artifact_create(&create, &writer, &err), err);
    struct sample_options options = {"sqlite3", "zstd:1", NULL, NULL, 9, 1 << 20, 2};
    assert_ok(sample_push(artifact_sink(writer), &options, NULL, &err), err);
    artifact_writer_free(writer);
    assert_nothing(&sample);
    sample_close(&sample);
}

TEST(a_stop_request_ends_a_backup)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    struct sample_options options = {"sqlite3", "zstd:1", NULL, NULL, 9, 1 << 20, 2};
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    stop_request();
    assert_fails(sample_write(&sample, &options, NULL, &manifest, &err), err, ERROR_INTERRUPTED);
    stop_clear();
    assert_nothing(&sample);
    sample_close(&sample);
}

TEST(a_row_larger_than_a_segment_goes_through)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    struct sample_options options = {"sqlite3", "zstd:1", NULL, NULL, 3, 20 << 20, 1};
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    SCOPED(buf) struct buf plain = BUF_INIT;
    SCOPED(buf) struct buf back = BUF_INIT;
    assert_ok(sample_write(&sample, &options, &plain, &manifest, &err), err);
    assert_ok(sample_read(&sample, manifest.file, NULL, false, &back, &err), err);
    assert_int_equal(back.length, plain.length);
    assert_memory_equal(back.data, plain.data, plain.length);
    sample_close(&sample);
}

TEST(the_wrong_passphrase_is_told_from_damage)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    struct sample_options options = {"sql", "zstd", "hold fast", NULL, 2, 1000, 2};
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    assert_ok(sample_write(&sample, &options, NULL, &manifest, &err), err);
    struct artifact_keys wrong = {.passphrase = "let go"};
    SCOPED(buf) struct buf back = BUF_INIT;
    assert_fails(sample_read(&sample, manifest.file, &wrong, false, &back, &err), err,
                 ERROR_WRONG_KEY);
    assert_fails(sample_read(&sample, manifest.file, NULL, false, &back, &err), err,
                 ERROR_WRONG_KEY);
    assert_true(err.hint[0]);
    sample_close(&sample);
}

/* So many frames that their list does not fit into a manifest, as of an image of 50 GB and more. */
TEST(frames_of_a_huge_image_are_found_by_number_too)
{
    static const char *const compressions[] = {"zstd:1", "gzip:1", "none"};
    for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
        struct sample sample;
        struct error err = ERROR_INIT;
        sample_open(&sample);
        SCOPED(buf) struct buf plain = BUF_INIT;
        SCOPED(buf) struct buf back = BUF_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        struct sample_options options = {"sqlite3", compressions[i], NULL, NULL, 20000, 40, 2};
        assert_ok(sample_write(&sample, &options, &plain, &manifest, &err), err);
        assert_int_equal(manifest.frame_count, 0);
        SCOPED(string) char *path = path_join(sample.folder, manifest.file);
        SCOPED(string) char *out = path_join(sample.folder, "out");
        if (i < 2) {
            assert_true(manifest.index_length > 0);
            assert_int_equal(run((const char *[]){i ? "gzip" : "zstd", "-dc", path, NULL}, out), 0);
            assert_ok(file_read_all(sample.os, out, &back, &err), err);
            assert_int_equal(back.length, plain.length);
            assert_memory_equal(back.data, plain.data, plain.length);
        }
        struct artifact_open_options open = {
            .os = sample.os, .store = sample.store, .file = manifest.file, .jobs = 2};
        SCOPED(artifact_reader) struct artifact_reader *reader = NULL;
        assert_ok(artifact_open(&open, &reader, &err), err);
        struct segment_source *source = artifact_segments(reader);
        size_t count = source->ops->count(source);
        assert_int_equal(count, i < 2 ? 20000 : 1);
        struct segment *segment = NULL;
        assert_ok(source->ops->read(source, count - 1, &segment, &err), err);
        assert_int_equal(segment->offset + segment->size, plain.length);
        assert_memory_equal(segment->data, plain.data + segment->offset, segment->size);
        source->ops->drop(source, segment);
        struct verify_result result;
        assert_ok(artifact_verify(&open, 2, &result, &err), err);
        verify_result_clear(&result);
        buf_reset(&back);
        assert_ok(sample_read(&sample, manifest.file, NULL, true, &back, &err), err);
        assert_int_equal(back.length, plain.length);
        sample_close(&sample);
    }
}

/* A destination that cannot be reread while it is written, as a bucket. */
static struct upload_ops distant_upload_ops;
static struct store_ops distant_ops;
static const struct store_ops *near_ops;
static bool damage;

static int distant_put(struct store *store, struct upload **ret_upload, struct error *err)
{
    if (near_ops->put(store, ret_upload, err) < 0)
        return -1;
    distant_upload_ops = *(*ret_upload)->ops;
    distant_upload_ops.reread = NULL;
    (*ret_upload)->ops = &distant_upload_ops;
    return 0;
}

static int distant_read(struct store *store, const char *key, uint64_t offset, void *data,
                        size_t size, size_t *ret_size, struct error *err)
{
    int result = near_ops->read(store, key, offset, data, size, ret_size, err);
    if (result == 0 && damage && *ret_size > 100)
        ((char *)data)[100] ^= 1;
    return result;
}

static void make_distant(struct store *store)
{
    near_ops = store->ops;
    distant_ops = *near_ops;
    distant_ops.put = distant_put;
    distant_ops.read = distant_read;
    store->ops = &distant_ops;
}

TEST(what_a_distant_store_holds_is_read_back)
{
    for (int damaged = 0; damaged < 2; damaged++) {
        struct sample sample;
        struct error err = ERROR_INIT;
        sample_open(&sample);
        make_distant(sample.store);
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        SCOPED(buf) struct buf plain = BUF_INIT;
        SCOPED(buf) struct buf back = BUF_INIT;
        struct sample_options options = {"sqlite3", "zstd:1", NULL, NULL, 3, 3 << 20, 2};
        damage = damaged;
        int result = sample_write(&sample, &options, &plain, &manifest, &err);
        damage = false;
        assert_int_equal(result, damaged ? -1 : 0);
        if (damaged) {
            assert_int_equal(err.code, ERROR_CORRUPT);
            assert_nothing(&sample);
        } else {
            assert_ok(sample_read(&sample, manifest.file, NULL, false, &back, &err), err);
            assert_int_equal(back.length, plain.length);
        }
        sample_close(&sample);
    }
}

TEST(an_artifact_goes_to_recipients_and_the_age_program_opens_it)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    SCOPED(secret) struct secret identity = SECRET_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    assert_ok(age_keygen(sample.os, &identity, recipient, &err), err);
    struct text_list recipients = TEXT_LIST_INIT;
    text_list_add(&recipients, recipient);
    SCOPED(buf) struct buf plain = BUF_INIT;
    SCOPED(buf) struct buf back = BUF_INIT;
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    struct sample_options options = {"sqlite3", "zstd:1", NULL, &recipients, 3, 1 << 20, 2};
    assert_ok(sample_write(&sample, &options, &plain, &manifest, &err), err);
    assert_string_equal(manifest.recipients.items[0], recipient);
    struct artifact_keys keys = {0};
    text_list_add(&keys.identities, secret_text(&identity));
    assert_ok(sample_read(&sample, manifest.file, &keys, false, &back, &err), err);
    assert_int_equal(back.length, plain.length);
    assert_memory_equal(back.data, plain.data, plain.length);

    SCOPED(string) char *path = path_join(sample.folder, manifest.file);
    SCOPED(string) char *key = path_join(sample.folder, "key");
    SCOPED(string) char *out = path_join(sample.folder, "out");
    assert_ok(file_write_atomic(sample.os, key, secret_text(&identity),
                                strlen(secret_text(&identity)), 0600, &err),
              err);
    int status = run((const char *[]){"age", "-d", "-i", key, path, NULL}, out);
    if (status >= 0) {
        SCOPED(string) char *content = path_join(sample.folder, "content");
        assert_int_equal(status, 0);
        assert_int_equal(run((const char *[]){"zstd", "-dc", out, NULL}, content), 0);
        buf_reset(&back);
        assert_ok(file_read_all(sample.os, content, &back, &err), err);
        assert_int_equal(back.length, plain.length);
    }
    text_list_clear(&recipients);
    text_list_clear(&keys.identities);
    sample_close(&sample);
}

/* An artifact that lost its manifest is an orphan that people see; the other way round would be a
 * lie. */
TEST(a_removal_that_fails_half_way_leaves_no_manifest_alone)
{
    for (long at = 1;; at++) {
        struct sample sample;
        struct store_entry entry;
        struct error err = ERROR_INIT;
        sample_open(&sample);
        SCOPED(string) char *file = path_join(sample.folder, "a.sql");
        SCOPED(string) char *manifest = path_join(sample.folder, "a.sql.json");
        assert_ok(file_write_atomic(os_real(), file, "x", 1, 0600, &err), err);
        assert_ok(file_write_atomic(os_real(), manifest, "{}", 2, 0600, &err), err);

        sample.store->os = os_faulty(FAULT_DEAD, at);
        int result = artifact_remove(sample.store, "a.sql", &err);
        bool hit = os_faulty_calls() >= at;
        sample.store->os = os_real();
        int artifact_there = store_stat(sample.store, "a.sql", &entry, &err);
        int manifest_there = store_stat(sample.store, "a.sql.json", &entry, &err);
        assert_true(artifact_there >= manifest_there);
        assert_int_equal(result < 0, artifact_there);
        assert_ok(artifact_remove(sample.store, "a.sql", &err), err);
        assert_ok(artifact_remove(sample.store, "a.sql", &err), err);
        sample_close(&sample);
        if (!hit)
            break;
    }
}

TEST_MAIN(UNIT(what_was_pushed_comes_back_in_order_and_by_number),
          UNIT(without_its_manifest_an_artifact_is_read_front_to_back),
          UNIT(the_index_tells_tables_and_members), UNIT(member_paths_bring_every_byte_back),
          UNIT(the_ordinary_tools_read_every_artifact), UNIT(foreign_files_are_read),
          UNIT(a_taken_name_gets_the_next_number),
          UNIT(whatever_call_fails_nothing_half_done_is_visible),
          UNIT(a_writer_that_is_freed_leaves_nothing), UNIT(a_stop_request_ends_a_backup),
          UNIT(a_row_larger_than_a_segment_goes_through),
          UNIT(frames_of_a_huge_image_are_found_by_number_too),
          UNIT(what_a_distant_store_holds_is_read_back),
          UNIT(an_artifact_goes_to_recipients_and_the_age_program_opens_it),
          UNIT(the_wrong_passphrase_is_told_from_damage),
          UNIT(a_removal_that_fails_half_way_leaves_no_manifest_alone))
