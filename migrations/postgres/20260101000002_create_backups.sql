-- +migrate Up
-- Schedules, the backups they and people make, their files, and the restores.

CREATE TABLE schedules (
    id CHAR(26) COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    app_id CHAR(26) COLLATE "C" REFERENCES apps (id) ON DELETE CASCADE,
    name VARCHAR(255) NOT NULL UNIQUE,
    target VARCHAR(255) NOT NULL,
    type VARCHAR(20) NOT NULL CHECK (type IN ('database', 'files', 'full', 'incremental', 'configuration')),
    cron_expression VARCHAR(255) NOT NULL,
    timezone VARCHAR(64),
    retention_days INTEGER CHECK (retention_days >= 0),
    retention_policy JSONB,
    compression VARCHAR(20),
    encryption VARCHAR(20),
    include_files SMALLINT NOT NULL DEFAULT 0 CHECK (include_files IN (0, 1)),
    include_tables JSONB,
    exclude_tables JSONB,
    storage_path VARCHAR(500),
    remote_storage JSONB,
    notification_email VARCHAR(255),
    is_active SMALLINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    last_run_at TIMESTAMPTZ,
    next_run_at TIMESTAMPTZ,
    success_count INTEGER NOT NULL DEFAULT 0,
    failure_count INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_schedules_app ON schedules (app_id);

CREATE INDEX idx_schedules_due ON schedules (next_run_at);

CREATE TABLE backups (
    id CHAR(26) COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    app_id CHAR(26) COLLATE "C" NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    backup_destination_id CHAR(26) COLLATE "C" NOT NULL REFERENCES backup_destinations (id) ON DELETE CASCADE,
    connection_id CHAR(26) COLLATE "C" REFERENCES database_connections (id) ON DELETE SET NULL,
    schedule_id CHAR(26) COLLATE "C" REFERENCES schedules (id) ON DELETE SET NULL,
    target VARCHAR(255) NOT NULL,
    name VARCHAR(255),
    type VARCHAR(20) NOT NULL CHECK (type IN ('database', 'files', 'full', 'incremental', 'configuration')),
    "trigger" VARCHAR(20) NOT NULL DEFAULT 'manual'
        CHECK ("trigger" IN ('manual', 'scheduled', 'pre_restore', 'pre_migration', 'api')),
    status VARCHAR(20) NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'success', 'failed', 'deleting')),
    engine VARCHAR(20),
    format VARCHAR(20),
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    duration_ms BIGINT CHECK (duration_ms >= 0),
    size_bytes BIGINT CHECK (size_bytes >= 0),
    source_bytes BIGINT CHECK (source_bytes >= 0),
    rows_backed_up BIGINT CHECK (rows_backed_up >= 0),
    progress_percentage INTEGER CHECK (progress_percentage BETWEEN 0 AND 100),
    file_path VARCHAR(500),
    checksum VARCHAR(64),
    compression VARCHAR(20),
    encryption VARCHAR(20),
    encryption_key_id VARCHAR(255),
    verified_level INTEGER CHECK (verified_level BETWEEN 0 AND 3),
    verified_at TIMESTAMPTZ,
    tables_included JSONB,
    files_included JSONB,
    tags JSONB,
    metadata JSONB,
    retention_days INTEGER CHECK (retention_days >= 0),
    expires_at TIMESTAMPTZ,
    incomplete SMALLINT NOT NULL DEFAULT 0 CHECK (incomplete IN (0, 1)),
    incomplete_reasons JSONB,
    initiated_by VARCHAR(255),
    worker_id VARCHAR(255),
    heartbeat_at TIMESTAMPTZ,
    priority INTEGER NOT NULL DEFAULT 0,
    retry_count INTEGER NOT NULL DEFAULT 0,
    max_retries INTEGER NOT NULL DEFAULT 0,
    scheduled_at TIMESTAMPTZ,
    notes TEXT,
    error_message TEXT,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_app_created ON backups (app_id, created_at DESC);

CREATE INDEX idx_status ON backups (status);

CREATE INDEX idx_expires ON backups (expires_at);

CREATE INDEX idx_backups_created ON backups (created_at, number);

CREATE INDEX idx_backups_target ON backups (target, created_at, number);

CREATE INDEX idx_backups_status ON backups (status, created_at, number);

CREATE INDEX idx_backups_file ON backups (file_path);

CREATE INDEX idx_backups_destination ON backups (backup_destination_id);

CREATE INDEX idx_backups_connection ON backups (connection_id);

CREATE INDEX idx_backups_schedule ON backups (schedule_id);

CREATE TABLE backup_files (
    id CHAR(26) COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    backup_id CHAR(26) COLLATE "C" NOT NULL REFERENCES backups (id) ON DELETE CASCADE,
    backup_destination_id CHAR(26) COLLATE "C" NOT NULL REFERENCES backup_destinations (id) ON DELETE CASCADE,
    file_path VARCHAR(500) NOT NULL,
    file_name VARCHAR(255) NOT NULL,
    file_type VARCHAR(20) NOT NULL,
    size_bytes BIGINT CHECK (size_bytes >= 0),
    compressed_size_bytes BIGINT CHECK (compressed_size_bytes >= 0),
    checksum VARCHAR(64),
    compression_type VARCHAR(20),
    encryption_type VARCHAR(20),
    is_encrypted SMALLINT NOT NULL DEFAULT 0 CHECK (is_encrypted IN (0, 1)),
    metadata JSONB,
    upload_started_at TIMESTAMPTZ,
    upload_completed_at TIMESTAMPTZ,
    retention_until TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (backup_id, backup_destination_id, file_path)
);

CREATE INDEX idx_backup_files_name ON backup_files (file_name);

CREATE INDEX idx_backup_files_destination ON backup_files (backup_destination_id);

CREATE TABLE restores (
    id CHAR(26) COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    backup_id CHAR(26) COLLATE "C" REFERENCES backups (id) ON DELETE SET NULL,
    backup_name VARCHAR(255),
    restore_type VARCHAR(20) NOT NULL CHECK (restore_type IN ('full', 'tables', 'files')),
    status VARCHAR(20) NOT NULL DEFAULT 'running' CHECK (status IN ('pending', 'running', 'success', 'failed')),
    started_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    target TEXT NOT NULL,
    engine VARCHAR(20),
    safety_kind VARCHAR(20) NOT NULL CHECK (safety_kind IN ('swap', 'backup', 'none')),
    safety_ref JSONB,
    undo_until TIMESTAMPTZ,
    undone_at TIMESTAMPTZ,
    tables_restored JSONB,
    files_restored JSONB,
    initiated_by VARCHAR(255),
    worker_id VARCHAR(255),
    heartbeat_at TIMESTAMPTZ,
    notes TEXT,
    error_message TEXT,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_restores_created ON restores (created_at, number);

CREATE INDEX idx_restores_backup ON restores (backup_id);

CREATE INDEX idx_restores_undo ON restores (undo_until);

-- +migrate Down
DROP TABLE restores;

DROP TABLE backup_files;

DROP TABLE backups;

DROP TABLE schedules;
