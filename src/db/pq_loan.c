#include "db/pq_loan.h"

#include "base/big_endian.h"
#include "base/mem.h"
#include "db/pq_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 5 /* the type, and four bytes of length that count themselves */
#define BUFFER_BYTES ((size_t)256 << 10)
#define BUFFER_KEPT ((size_t)4 << 20)
/* No server sends a longer message. The room grows as the bytes come, not as the length says. */
#define BUFFER_MAXIMUM ((size_t)1 << 30)

/* A server sends 8 KiB at a time, and waking up for each costs more than the rows. Once a COPY has
 * shown that it is long, we sleep until there is more, but not for long without. */
#define LONG_BYTES ((uint64_t)1 << 20)
#define ENOUGH_BYTES (128 << 10)
#define ENOUGH_US 2000
/* A Unix socket does not count what waits, and holds about 200 KiB. */
#define NAP_US 400

struct loan {
    int socket; /* the server's; -1 while libpq has it */
    int pair;   /* our end */
    bool is_unix;
    bool patient;   /* asked the kernel to wait for ENOUGH_BYTES */
    bool silent;    /* nothing came while we were patient */
    uint64_t taken; /* of this COPY */
    char *data;
    size_t capacity;
    size_t at; /* the first byte of a message */
    size_t end;
};

struct message {
    char type;
    size_t size; /* header included */
};

static bool is_out(const struct pq *pq)
{
    return pq->loan && pq->loan->socket >= 0;
}

/* ---- borrowing ---- */

static bool may_borrow(const struct pq *pq)
{
    return pq_library.PQsocket_(pq->connection) >= 0 && !pq_library.PQsslInUse_(pq->connection) &&
           !pq_library.PQgssEncInUse_(pq->connection);
}

static bool over_unix(int fd)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

/* Whether the socket is ours now. */
static bool take_socket(struct loan *loan, int libpq)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return false;
    int real = fcntl(libpq, F_DUPFD_CLOEXEC, 3);
    bool taken = real >= 0 && dup3(pair[1], libpq, O_CLOEXEC) >= 0;
    close(pair[1]);
    if (!taken) {
        close(pair[0]);
        if (real >= 0)
            close(real);
        return false;
    }
    loan->socket = real;
    loan->pair = pair[0];
    loan->is_unix = over_unix(real);
    return true;
}

static bool borrow(struct pq *pq)
{
    if (!may_borrow(pq))
        return false;
    if (!pq->loan) {
        pq->loan = MEM_NEW(struct loan);
        pq->loan->socket = -1;
    }
    struct loan *loan = pq->loan;
    if (!loan->data) {
        loan->data = mem_alloc(BUFFER_BYTES, 1);
        loan->capacity = BUFFER_BYTES;
    }
    loan->at = loan->end = 0;
    loan->taken = 0;
    loan->patient = loan->silent = false;
    return take_socket(loan, pq_library.PQsocket_(pq->connection));
}

/* ---- passing on ---- */

/* libpq takes what lies in the pair into its own memory. */
static bool libpq_takes(struct pq *pq)
{
    int left = 0;
    do {
        if (!pq_library.PQconsumeInput_(pq->connection))
            return false;
        if (ioctl(pq_library.PQsocket_(pq->connection), FIONREAD, &left) < 0)
            return false;
    } while (left > 0);
    return true;
}

static bool pass_on(struct pq *pq, const char *data, size_t size)
{
    while (size) {
        ssize_t written = send(pq->loan->pair, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            return false;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
        if (!libpq_takes(pq))
            return false;
    }
    return true;
}

static void set_patient(struct loan *loan, bool patient)
{
    if (loan->patient == patient)
        return;
    int bytes = patient ? ENOUGH_BYTES : 1;
    if (!loan->is_unix)
        (void)setsockopt(loan->socket, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
    loan->patient = patient;
}

static void give_back(struct pq *pq)
{
    struct loan *loan = pq->loan;
    set_patient(loan, false);
    /* What cannot be passed on would be missing: then libpq is to find the connection closed. */
    if (!pass_on(pq, loan->data + loan->at, loan->end - loan->at))
        (void)shutdown(loan->socket, SHUT_RDWR);
    /* Should this fail, libpq finds the pair closed. */
    (void)dup3(loan->socket, pq_library.PQsocket_(pq->connection), O_CLOEXEC);
    close(loan->socket);
    close(loan->pair);
    loan->socket = -1;
    if (loan->capacity > BUFFER_BYTES) {
        free(loan->data);
        loan->data = NULL;
    }
}

void loan_end(struct pq *pq)
{
    if (is_out(pq))
        give_back(pq);
}

void loan_free(struct pq *pq)
{
    loan_end(pq);
    if (pq->loan)
        free(pq->loan->data);
    free(pq->loan);
    pq->loan = NULL;
}

/* ---- reading ---- */

static void resize(struct loan *loan, size_t capacity)
{
    loan->data = mem_resize(loan->data, capacity, 1);
    loan->capacity = capacity;
}

/* Room behind `end`, and none kept for a large row that is gone; false when a message is larger
 * than we take. */
static bool make_room(struct loan *loan)
{
    if (loan->at) {
        memmove(loan->data, loan->data + loan->at, loan->end - loan->at);
        loan->end -= loan->at;
        loan->at = 0;
    }
    if (loan->capacity > BUFFER_KEPT && loan->end < BUFFER_BYTES)
        resize(loan, BUFFER_BYTES);
    if (loan->end < loan->capacity)
        return true;
    if (loan->capacity == BUFFER_MAXIMUM)
        return false;
    resize(loan, loan->capacity * 2);
    return true;
}

/* The socket had nothing: 0 when it is worth asking again, -1 on time-out or stop. */
static int await(struct pq *pq, struct error *err)
{
    struct loan *loan = pq->loan;
    wire_start_clock(pq);
    if (loan->taken < LONG_BYTES || loan->silent) {
        loan->silent = false;
        set_patient(loan, false);
        return wire_wait_for(pq, loan->socket, POLLIN, err);
    }
    set_patient(loan, true);
    loan->silent = true;
    int came = loan->is_unix ? wire_poll(pq, -1, 0, NAP_US, err)
                             : wire_poll(pq, loan->socket, POLLIN, ENOUGH_US, err);
    return came < 0 ? -1 : 0;
}

/* More of what the server sends: 1, 0 when nothing more will come or fits, -1 on time-out or
 * stop. */
static int fill(struct pq *pq, struct error *err)
{
    struct loan *loan = pq->loan;
    if (!make_room(loan))
        return 0;
    for (;;) {
        ssize_t got =
            recv(loan->socket, loan->data + loan->end, loan->capacity - loan->end, MSG_DONTWAIT);
        if (got > 0) {
            loan->end += (size_t)got;
            loan->taken += (size_t)got;
            loan->silent = false;
            return 1;
        }
        if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return 0;
        if (await(pq, err) < 0)
            return -1;
    }
}

/* 1 and the next message, whole and still in its place; 0 when there is none or it is not one;
 * -1 on time-out or stop. */
static int next_message(struct pq *pq, struct message *ret_message, struct error *err)
{
    struct loan *loan = pq->loan;
    for (;;) {
        size_t here = loan->end - loan->at;
        const char *head = loan->data + loan->at;
        if (here >= HEADER) {
            size_t size = (size_t)big_endian_32(head + 1) + 1;
            if (size < HEADER || size > BUFFER_MAXIMUM)
                return 0;
            if (size <= here) {
                *ret_message = (struct message){.type = *head, .size = size};
                return 1;
            }
        }
        int more = fill(pq, err);
        if (more <= 0)
            return more;
    }
}

/* Notices and changed settings come at any time. */
static bool is_remark(char type)
{
    return type == 'N' || type == 'S' || type == 'A';
}

/* Pass one message on: 1, 0 when libpq would not have it. */
static int pass_message(struct pq *pq, size_t size)
{
    struct loan *loan = pq->loan;
    if (!pass_on(pq, loan->data + loan->at, size))
        return 0;
    loan->at += size;
    return 1;
}

static int read_head(struct pq *pq, struct error *err)
{
    for (;;) {
        struct message message;
        int found = next_message(pq, &message, err);
        if (found <= 0)
            return found;
        bool rows_follow = message.type == 'H';
        if (!rows_follow && !is_remark(message.type))
            return 0;
        if (!pass_message(pq, message.size))
            return 0;
        if (rows_follow)
            return 1;
    }
}

int loan_begin(struct pq *pq, struct error *err)
{
    if (!borrow(pq))
        return 0;
    int rows_follow = read_head(pq, err);
    if (rows_follow <= 0)
        give_back(pq);
    return rows_follow < 0 ? -1 : 0;
}

static int read_row(struct pq *pq, const char **ret_row, size_t *ret_size, struct error *err)
{
    struct loan *loan = pq->loan;
    for (;;) {
        struct message message;
        int found = next_message(pq, &message, err);
        if (found <= 0)
            return found;
        if (message.type == 'd' && message.size == HEADER) {
            loan->at += HEADER;
            continue;
        }
        if (message.type == 'd') {
            *ret_row = loan->data + loan->at + HEADER;
            *ret_size = message.size - HEADER;
            loan->at += message.size;
            return 1;
        }
        if (!is_remark(message.type) || !pass_message(pq, message.size))
            return 0;
        /* A COPY of no rows so far: libpq looks at the remark and has nothing to hand out. */
        char *nothing = NULL;
        if (pq_library.PQgetCopyData_(pq->connection, &nothing, 1) != 0)
            return 0;
    }
}

int loan_row(struct pq *pq, const char **ret_row, size_t *ret_size, struct error *err)
{
    if (!is_out(pq))
        return 0;
    int found = read_row(pq, ret_row, ret_size, err);
    if (found <= 0)
        give_back(pq);
    return found;
}
