#include "source/files_seats.h"

#include <pthread.h>
#include <stdlib.h>

struct files_seats {
    pthread_mutex_t lock;
    pthread_cond_t left;
    size_t empty;
};

struct files_seats *files_seats_new(size_t count)
{
    struct files_seats *seats = MEM_NEW(struct files_seats);
    pthread_mutex_init(&seats->lock, NULL);
    pthread_cond_init(&seats->left, NULL);
    seats->empty = count;
    return seats;
}

void files_seat_take(struct files_seat *seat)
{
    struct files_seats *seats = seat->seats;
    if (seat->taken)
        return;
    pthread_mutex_lock(&seats->lock);
    while (!seats->empty)
        pthread_cond_wait(&seats->left, &seats->lock);
    seats->empty--;
    pthread_mutex_unlock(&seats->lock);
    seat->taken = true;
}

void files_seat_leave(struct files_seat *seat)
{
    struct files_seats *seats = seat->seats;
    if (!seat->taken)
        return;
    pthread_mutex_lock(&seats->lock);
    seats->empty++;
    pthread_cond_signal(&seats->left);
    pthread_mutex_unlock(&seats->lock);
    seat->taken = false;
}

void files_seats_free(struct files_seats *seats)
{
    if (!seats)
        return;
    pthread_cond_destroy(&seats->left);
    pthread_mutex_destroy(&seats->lock);
    free(seats);
}
