-- SPDX-License-Identifier: BSD-2-Clause
-- sqlite3: inserts, indexes, joins, aggregates, JSON and full text.
PRAGMA page_size = 4096;
CREATE TABLE payment (id INTEGER PRIMARY KEY, customer INT, cents INT, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO payment
SELECT i, (i * 7919) % 5003, (i * 104729) % 100000,
	printf('payment %d of customer %d', i, (i * 7919) % 5003) FROM n;
CREATE INDEX by_customer ON payment (customer, cents);
SELECT count(*), sum(cents), max(note) FROM payment;
SELECT customer, count(*), sum(cents) FROM payment
GROUP BY customer ORDER BY 3 DESC, 1 LIMIT 20;
SELECT count(*) FROM payment a JOIN payment b
ON a.customer = b.customer AND a.cents < b.cents;
SELECT length(json_group_array(json_object('id', id, 'note', note)))
FROM payment WHERE id % 3 = 0;
CREATE VIRTUAL TABLE found USING fts5 (note);
INSERT INTO found SELECT note FROM payment WHERE id <= 20000;
SELECT count(*) FROM found WHERE found MATCH 'customer 42';
SELECT group_concat(note) FROM (SELECT note FROM payment ORDER BY note DESC LIMIT 50);
UPDATE payment SET note = upper(note) || id WHERE id % 7 = 0;
DELETE FROM payment WHERE id % 11 = 0;
VACUUM;
PRAGMA integrity_check;
SELECT count(*), sum(length(note)) FROM payment;
