-- +migrate Up
-- What is backed up, and where to.

CREATE TABLE IF NOT EXISTS apps (
    id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    name VARCHAR(255) NOT NULL UNIQUE,
    created_at DATETIME(6) NOT NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS backup_destinations (
    id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    team_id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin,
    name VARCHAR(255) NOT NULL UNIQUE,
    kind VARCHAR(20) NOT NULL CHECK (kind IN ('local', 's3', 'sftp', 'repository')),
    url TEXT NOT NULL,
    region VARCHAR(100),
    bucket VARCHAR(255),
    access_key_encrypted TEXT,
    secret_key_encrypted TEXT,
    encryption_key_id VARCHAR(64),
    options JSON,
    is_default TINYINT NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    is_active TINYINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS database_connections (
    id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    app_id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin,
    team_id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin,
    name VARCHAR(255) NOT NULL UNIQUE,
    engine VARCHAR(20) NOT NULL CHECK (engine IN ('postgres', 'mysql', 'sqlite')),
    host VARCHAR(255),
    port INTEGER CHECK (port BETWEEN 1 AND 65535),
    database_name TEXT,
    username VARCHAR(255),
    password_encrypted TEXT,
    ssl_mode VARCHAR(20),
    ssl_cert TEXT,
    ssl_key TEXT,
    ssl_ca TEXT,
    connection_params JSON,
    encryption_key_id VARCHAR(64),
    is_active TINYINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    last_tested_at DATETIME(6),
    test_result TEXT,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    INDEX idx_connections_app (app_id),
    FOREIGN KEY (app_id) REFERENCES apps (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The next running number of a table. A number is never given twice, not even after its row was deleted.
CREATE TABLE IF NOT EXISTS counters (
    name VARCHAR(50) NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO counters (name, value) VALUES ('backups', 0);

INSERT IGNORE INTO counters (name, value) VALUES ('restores', 0);

-- +migrate Down
DROP TABLE IF EXISTS counters;

DROP TABLE IF EXISTS database_connections;

DROP TABLE IF EXISTS backup_destinations;

DROP TABLE IF EXISTS apps;
