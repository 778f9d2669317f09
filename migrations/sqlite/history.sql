CREATE TABLE schema_migrations (
    version VARCHAR(64) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    status VARCHAR(20) NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'applied', 'failed', 'rollback')),
    batch INTEGER,
    checksum VARCHAR(64),
    applied_at TEXT,
    rolled_back_at TEXT,
    execution_time_ms INTEGER,
    statements_total INTEGER,
    statements_done INTEGER,
    applied_by VARCHAR(255),
    applied_from VARCHAR(255),
    backup_id CHAR(26),
    error_message TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
