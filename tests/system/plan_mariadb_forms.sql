ALTER TABLE orders ADD COLUMN extra int
ALTER TABLE orders ADD extra varchar(20) NOT NULL DEFAULT 'x'
ALTER TABLE orders ADD COLUMN extra int FIRST
ALTER TABLE orders ADD COLUMN extra int AFTER code
ALTER TABLE orders ADD COLUMN (extra int, more text)
ALTER TABLE plain ADD COLUMN extra int AUTO_INCREMENT PRIMARY KEY
ALTER TABLE orders ADD COLUMN extra int GENERATED ALWAYS AS (amount * 3) STORED
ALTER TABLE orders ADD COLUMN extra int AS (amount * 3) VIRTUAL
ALTER TABLE orders ADD COLUMN extra int UNIQUE
ALTER TABLE orders ADD COLUMN extra int CHECK (extra > 0)
ALTER TABLE orders ADD COLUMN extra datetime DEFAULT CURRENT_TIMESTAMP
ALTER TABLE orders ADD COLUMN extra char(36) DEFAULT uuid()
ALTER TABLE orders ADD COLUMN IF NOT EXISTS amount int
ALTER TABLE orders DROP COLUMN note
ALTER TABLE orders DROP small
ALTER TABLE orders DROP COLUMN code
ALTER TABLE orders DROP COLUMN doubled
ALTER TABLE orders DROP COLUMN virtually
ALTER TABLE orders MODIFY code varchar(20)
ALTER TABLE orders MODIFY COLUMN code varchar(70)
ALTER TABLE orders MODIFY code varchar(5)
ALTER TABLE orders MODIFY wide varchar(200)
ALTER TABLE orders MODIFY wider varchar(400)
ALTER TABLE orders MODIFY latin varchar(200) CHARACTER SET latin1
ALTER TABLE orders MODIFY latin varchar(300) CHARACTER SET latin1
ALTER TABLE orders MODIFY latin varchar(10) CHARACTER SET utf8mb4
ALTER TABLE plain MODIFY c varchar(10) CHARACTER SET utf8mb4
ALTER TABLE orders MODIFY amount bigint
ALTER TABLE orders MODIFY small int
ALTER TABLE orders MODIFY amount int NOT NULL
ALTER TABLE orders MODIFY flag tinyint NULL DEFAULT 0
ALTER TABLE orders MODIFY price decimal(12,2)
ALTER TABLE orders MODIFY price decimal(12,4)
ALTER TABLE orders MODIFY kind enum('a','b','c')
ALTER TABLE orders MODIFY kind enum('b','a')
ALTER TABLE orders MODIFY note mediumtext
ALTER TABLE orders MODIFY note varchar(500)
ALTER TABLE orders MODIFY at timestamp NULL
ALTER TABLE orders MODIFY small smallint AFTER flag
ALTER TABLE orders MODIFY small smallint COMMENT 'x'
ALTER TABLE orders MODIFY small smallint DEFAULT 5
ALTER TABLE orders MODIFY small smallint UNSIGNED
ALTER TABLE orders CHANGE small little smallint
ALTER TABLE orders CHANGE COLUMN small little int
ALTER TABLE orders RENAME COLUMN small TO little
ALTER TABLE orders ALTER COLUMN small SET DEFAULT 5
ALTER TABLE orders ALTER flag DROP DEFAULT
ALTER TABLE orders ADD INDEX (amount)
ALTER TABLE orders ADD UNIQUE KEY u (amount)
ALTER TABLE orders ADD KEY k (small, amount)
ALTER TABLE orders ADD FULLTEXT INDEX f (note)
ALTER TABLE orders DROP INDEX code
ALTER TABLE orders DROP KEY code, ADD KEY code (code, amount)
ALTER TABLE orders RENAME INDEX code TO code2
ALTER TABLE plain ADD PRIMARY KEY (id)
ALTER TABLE customers DROP PRIMARY KEY, ADD PRIMARY KEY (id, name)
ALTER TABLE plain ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES customers (id)
ALTER TABLE orders DROP FOREIGN KEY to_customer
ALTER TABLE orders ADD CONSTRAINT c CHECK (small > 0)
ALTER TABLE orders DROP CONSTRAINT positive
ALTER TABLE orders RENAME TO purchases
ALTER TABLE orders CONVERT TO CHARACTER SET latin1
ALTER TABLE orders DEFAULT CHARACTER SET latin1
ALTER TABLE plain ENGINE=InnoDB
ALTER TABLE plain FORCE
ALTER TABLE orders AUTO_INCREMENT = 1000
ALTER TABLE plain ROW_FORMAT=COMPRESSED
ALTER TABLE plain COMMENT = 'x'
ALTER TABLE parts ADD COLUMN b int
ALTER TABLE orders ADD COLUMN extra int, ADD INDEX (amount)
ALTER TABLE orders ADD COLUMN extra int, MODIFY amount bigint
ALTER TABLE orders ADD COLUMN extra int, DROP COLUMN note
CREATE INDEX i ON orders (amount)
CREATE UNIQUE INDEX i ON orders (amount)
CREATE FULLTEXT INDEX i ON orders (note)
ALTER TABLE simple ADD COLUMN extra int FIRST
ALTER TABLE simple ADD COLUMN extra int AFTER a
ALTER TABLE simple MODIFY b varchar(10)
ALTER TABLE simple MODIFY a int NOT NULL
ALTER TABLE simple MODIFY b varchar(20) NULL
ALTER TABLE simple ADD COLUMN extra int, DROP COLUMN c
ALTER TABLE simple DROP COLUMN c, DROP COLUMN d
ALTER TABLE simple DROP COLUMN d, ADD INDEX (a)
ALTER TABLE simple MODIFY a int FIRST
ALTER TABLE simple MODIFY a integer(11) DEFAULT 5
ALTER TABLE simple CHANGE a `new name` int
ALTER TABLE simple ADD COLUMN extra boolean NOT NULL DEFAULT 0, ADD COLUMN extra2 varchar(10) AFTER id
ALTER TABLE simple MODIFY d int unsigned
ALTER TABLE simple MODIFY c longtext
ALTER TABLE simple ADD INDEX (a), ADD INDEX (d)
ALTER TABLE simple ALTER COLUMN a SET DEFAULT 1, ADD COLUMN z int
