/*
 * Another tool's history beside an empty one of ours: whoever comes from that tool and begins with
 * `up` would run again what is there already.
 */
#ifndef KEDGE_MIGRATE_PEER_BESIDE_H
#define KEDGE_MIGRATE_PEER_BESIDE_H

struct error;
struct history;

/* ERROR_FAILED, with the table and the ways out, when a tool that can be imported from has rows
 * beside `ours`. Tables that are called as ours by default are not looked at: either one is where
 * ours would be, which history_find says, or somebody has chosen another name for ours because of
 * it. One query when there is none. */
int peer_beside_check(const struct history *ours, struct error *err);

#endif
