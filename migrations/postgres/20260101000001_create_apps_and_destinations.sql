-- +migrate Up
-- What is backed up, and where to.

CREATE TABLE apps (
    id CHAR(26) COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    name VARCHAR(255) NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE backup_destinations (
    id CHAR(26) COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    team_id CHAR(26) COLLATE "C",
    name VARCHAR(255) NOT NULL UNIQUE,
    kind VARCHAR(20) NOT NULL CHECK (kind IN ('local', 's3', 'sftp', 'repository')),
    url TEXT NOT NULL,
    region VARCHAR(100),
    bucket VARCHAR(255),
    access_key_encrypted TEXT,
    secret_key_encrypted TEXT,
    encryption_key_id VARCHAR(64),
    options JSONB,
    is_default SMALLINT NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    is_active SMALLINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE database_connections (
    id CHAR(26) COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    app_id CHAR(26) COLLATE "C" REFERENCES apps (id) ON DELETE CASCADE,
    team_id CHAR(26) COLLATE "C",
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
    connection_params JSONB,
    encryption_key_id VARCHAR(64),
    is_active SMALLINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    last_tested_at TIMESTAMPTZ,
    test_result TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_connections_app ON database_connections (app_id);

-- The next running number of a table. A number is never given twice, not even after its row was deleted.
CREATE TABLE counters (
    name VARCHAR(50) NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('backups', 0);

INSERT INTO counters (name, value) VALUES ('restores', 0);

-- +migrate Down
DROP TABLE counters;

DROP TABLE database_connections;

DROP TABLE backup_destinations;

DROP TABLE apps;
