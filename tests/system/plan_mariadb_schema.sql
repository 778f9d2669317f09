-- Tables for the forms in plan_mariadb_forms.sql.
CREATE TABLE customers (id int PRIMARY KEY, name varchar(20) NOT NULL, email varchar(100), UNIQUE KEY email (email));
CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, customer_id int, code varchar(10), wide varchar(100), wider varchar(300),
  kind enum('a','b'), amount int, small smallint, price decimal(10,2), note text, flag tinyint NOT NULL DEFAULT 0, at datetime,
  doubled int GENERATED ALWAYS AS (amount * 2) STORED, virtually int GENERATED ALWAYS AS (amount + 1) VIRTUAL, bin varbinary(10), latin varchar(10) CHARACTER SET latin1,
  KEY code (code), KEY customer (customer_id), CONSTRAINT to_customer FOREIGN KEY (customer_id) REFERENCES customers (id),
  CONSTRAINT positive CHECK (amount > 0)) CHARACTER SET utf8mb4;
CREATE TABLE plain (id int, a int, b text, c varchar(10) CHARACTER SET latin1) CHARACTER SET latin1;
CREATE TABLE myisam (id int PRIMARY KEY, a varchar(10)) ENGINE=MyISAM;
CREATE TABLE parts (id int, d int) PARTITION BY RANGE (d) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20));
INSERT INTO customers VALUES (1,'a','a'),(2,'b','b');
INSERT INTO orders (customer_id, code, amount) VALUES (1,'x',1),(2,'y',2);
INSERT INTO plain VALUES (1,1,'x','y');
CREATE TABLE simple (id int PRIMARY KEY, a int, b varchar(10) NOT NULL, c text, d int);
INSERT INTO simple VALUES (1, 1, 'x', 'y', 1);
