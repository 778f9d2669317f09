#include "harness/test.h"

#include "source/files_seats.h"

#include <pthread.h>
#include <stdatomic.h>

#define SEATS 2
#define WORKERS 5
#define ROUNDS 2000

struct room {
    struct files_seats *seats;
    atomic_int running;
    atomic_int most;
    atomic_int rounds;
};

static void *work(void *context)
{
    struct room *room = context;
    struct files_seat seat = {.seats = room->seats};
    for (int i = 0; i < ROUNDS; i++) {
        files_seat_take(&seat);
        files_seat_take(&seat);
        int running = atomic_fetch_add(&room->running, 1) + 1;
        for (int most = atomic_load(&room->most);
             running > most && !atomic_compare_exchange_weak(&room->most, &most, running);)
            ;
        atomic_fetch_add(&room->rounds, 1);
        atomic_fetch_sub(&room->running, 1);
        files_seat_leave(&seat);
        files_seat_leave(&seat);
    }
    return NULL;
}

TEST(no_more_workers_run_than_there_are_seats)
{
    pthread_t threads[WORKERS];
    struct room room = {.seats = files_seats_new(SEATS)};
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &room), 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&room.rounds), WORKERS * ROUNDS);
    assert_in_range(atomic_load(&room.most), 1, SEATS);
    files_seats_free(room.seats);
}

static void *take_one(void *context)
{
    files_seat_take(context);
    return NULL;
}

TEST(a_seat_that_was_left_is_the_next_ones)
{
    pthread_t thread;
    struct files_seats *seats = files_seats_new(1);
    struct files_seat first = {.seats = seats};
    struct files_seat second = {.seats = seats};
    files_seat_take(&first);
    assert_int_equal(pthread_create(&thread, NULL, take_one, &second), 0);
    files_seat_leave(&first);
    pthread_join(thread, NULL);
    assert_true(second.taken);
    assert_false(first.taken);
    files_seat_leave(&second);
    files_seats_free(seats);
    files_seats_free(NULL);
}

TEST_MAIN(UNIT(no_more_workers_run_than_there_are_seats),
          UNIT(a_seat_that_was_left_is_the_next_ones))
