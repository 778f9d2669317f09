-- +migrate Up
-- Read-only views under the names and with the columns that earlier tools' readers know.

CREATE VIEW database_backups AS
SELECT number AS id,
       coalesce(name, file_path, target) AS filename,
       coalesce(file_path, '') AS s3_key,
       coalesce(size_bytes, 0) AS file_size,
       type AS backup_type,
       CASE status WHEN 'success' THEN 'completed' ELSE status END AS status,
       coalesce(initiated_by, 'system') AS created_by,
       metadata,
       created_at,
       finished_at AS completed_at
FROM backups;

CREATE VIEW backup_history AS
SELECT number AS id,
       type AS backup_type,
       coalesce(name, file_path, target) AS backup_name,
       file_path,
       size_bytes AS file_size,
       checksum,
       status,
       started_at,
       finished_at AS completed_at,
       duration_ms / 1000 AS duration_seconds,
       tables_included,
       files_included,
       compression,
       CASE WHEN coalesce(encryption, 'none') = 'none' THEN 0 ELSE 1 END AS encryption,
       encryption_key_id,
       CASE WHEN verified_level >= 1 THEN 1 ELSE 0 END AS verified,
       verified_at,
       retention_days,
       expires_at,
       initiated_by,
       notes,
       error_message,
       created_at
FROM backups;

CREATE VIEW backup_schedule AS
SELECT id,
       name,
       type AS backup_type,
       cron_expression,
       retention_days,
       compression,
       CASE WHEN coalesce(encryption, 'none') = 'none' THEN 0 ELSE 1 END AS encryption,
       include_files,
       include_tables,
       exclude_tables,
       storage_path,
       remote_storage,
       notification_email,
       is_active,
       last_run_at,
       next_run_at,
       created_at,
       updated_at
FROM schedules;

CREATE VIEW backup_restore_log AS
SELECT restores.number AS id,
       backups.number AS backup_id,
       restores.restore_type,
       restores.status,
       restores.started_at,
       restores.completed_at,
       restores.tables_restored,
       restores.files_restored,
       restores.initiated_by,
       restores.notes,
       restores.error_message,
       restores.created_at
FROM restores LEFT JOIN backups ON backups.id = restores.backup_id;

-- +migrate Down
DROP VIEW IF EXISTS backup_restore_log;

DROP VIEW IF EXISTS backup_schedule;

DROP VIEW IF EXISTS backup_history;

DROP VIEW IF EXISTS database_backups;
