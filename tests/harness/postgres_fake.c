#include "harness/postgres_fake.h"

#include "harness/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAUSE_US 30000
#define CANCEL_REQUEST 80877102

/* ---- the script ---- */

void postgres_fake_say(struct buf *script, char type, const void *data, size_t size)
{
    uint32_t length = htonl((uint32_t)size + 4);
    buf_append_char(script, type);
    buf_append(script, &length, sizeof length);
    buf_append(script, data, size);
}

void postgres_fake_copy(struct buf *script)
{
    postgres_fake_say(script, 'H', "\0\0\1\0\0", 5);
}

void postgres_fake_row(struct buf *script, const char *text)
{
    postgres_fake_say(script, 'd', text, strlen(text));
}

static void ready(struct buf *script)
{
    postgres_fake_say(script, 'Z', "I", 1);
}

void postgres_fake_done(struct buf *script, unsigned rows)
{
    char tag[32];
    int length = snprintf(tag, sizeof tag, "COPY %u", rows);
    postgres_fake_say(script, 'c', "", 0);
    postgres_fake_say(script, 'C', tag, (size_t)length + 1);
    ready(script);
}

void postgres_fake_refuse(struct buf *script, const char *state, const char *message)
{
    char fields[256];
    int length =
        snprintf(fields, sizeof fields, "SERROR%cC%s%cM%s%c", '\0', state, '\0', message, '\0');
    postgres_fake_say(script, 'E', fields, (size_t)length + 1);
    ready(script);
}

/* ---- the conversation ---- */

static bool take(int fd, void *data, size_t size)
{
    return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

/* A message or, without a type, a first packet: false at the end. */
static bool hear(int fd, bool typed, char *ret_type, uint32_t *ret_first)
{
    uint32_t length;
    char text[4096];
    if ((typed && !take(fd, ret_type, 1)) || !take(fd, &length, sizeof length))
        return false;
    size_t rest = ntohl(length) - sizeof length;
    if (rest > sizeof text || !take(fd, text, rest))
        return false;
    if (!typed) {
        memcpy(ret_first, text, sizeof *ret_first);
        *ret_first = ntohl(*ret_first);
    }
    return true;
}

static bool give(const struct postgres_fake *fake, int fd, const struct buf *from, size_t at,
                 size_t end)
{
    while (at < end) {
        size_t part = fake->chunk && fake->chunk < end - at ? fake->chunk : end - at;
        if (send(fd, from->data + at, part, MSG_NOSIGNAL) != (ssize_t)part)
            return false;
        at += part;
    }
    return true;
}

static void await_cancel(const struct postgres_fake *fake)
{
    int fd = accept(fake->listener, NULL, NULL);
    uint32_t code = 0;
    if (!hear(fd, false, NULL, &code) || code != CANCEL_REQUEST)
        fprintf(stderr, "fake server: not a cancel request\n");
    close(fd);
}

static bool play(const struct postgres_fake *fake, int fd)
{
    const struct buf *script = &fake->script;
    size_t stop = fake->hold_at ? fake->hold_at : script->length;
    size_t pause = fake->pause_at ? fake->pause_at : stop;
    if (!give(fake, fd, script, 0, pause))
        return false;
    if (fake->pause_at)
        usleep(PAUSE_US);
    if (!give(fake, fd, script, pause, stop))
        return false;
    if (!fake->hold_at)
        return !fake->hang_up;
    await_cancel(fake);
    return give(fake, fd, &fake->instead, 0, fake->instead.length);
}

static void converse(const struct postgres_fake *fake, int fd)
{
    struct buf words = BUF_INIT;
    postgres_fake_say(&words, 'R', "\0\0\0\0", 4);
    postgres_fake_say(&words, 'S', "server_version\00015.0", sizeof "server_version\00015.0");
    ready(&words);
    uint32_t version = 0;
    bool going = hear(fd, false, NULL, &version) && give(fake, fd, &words, 0, words.length);
    buf_clear(&words);
    postgres_fake_say(&words, 'C', "SELECT 0", sizeof "SELECT 0");
    ready(&words);
    char type = 0;
    for (bool first = true; going && hear(fd, true, &type, NULL) && type == 'Q'; first = false)
        going = first ? play(fake, fd) : give(fake, fd, &words, 0, words.length);
    buf_clear(&words);
}

static void *serve(void *context)
{
    const struct postgres_fake *fake = context;
    int fd = accept(fake->listener, NULL, NULL);
    converse(fake, fd);
    close(fd);
    return NULL;
}

void postgres_fake_start(struct postgres_fake *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fake->listener, 4), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&address, &size), 0);
    fake->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
}

void postgres_fake_end(struct postgres_fake *fake)
{
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    buf_clear(&fake->script);
    buf_clear(&fake->instead);
}
