/*
 * The seals of the manifests that kedge wrote beside a backup's file.
 *
 * They stand in `backup_files.metadata` under "manifest_seals". A manifest at a destination that
 * carries one of them is, byte by byte, one that was written there; any other was made or changed
 * by somebody else.
 */
#ifndef KEDGE_CATALOG_BACKUP_SEALS_H
#define KEDGE_CATALOG_BACKUP_SEALS_H

struct backup_file_row;
struct catalog;
struct error;
struct text_list;

/* `metadata` (a JSON object or NULL) with `seal` noted in it, to be freed. An empty seal is none.
 */
char *backup_seals_note(const char *metadata, const char *seal);

/* Those that `file` has are added to `seals`. */
void backup_seals_of(const struct backup_file_row *file, struct text_list *seals);

/* One more for the file `file_path` of a backup, whatever the destination. */
int backup_seals_add(struct catalog *catalog, const char *backup_id, const char *file_path,
                     const char *seal, struct error *err);

#endif
