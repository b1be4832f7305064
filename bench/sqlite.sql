-- SPDX-License-Identifier: BSD-2-Clause
-- sqlite3: inserts, indexes, joins, aggregates, JSON, full text, blobs of
-- changing lengths; in memory.
CREATE TABLE payment (id INTEGER PRIMARY KEY, customer INT, cents INT, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
INSERT INTO payment
SELECT i, (i * 7919) % 5003, (i * 104729) % 100000,
	printf('payment %d of customer %d', i, (i * 7919) % 5003) FROM n;
CREATE INDEX by_customer ON payment (customer, cents);
CREATE INDEX by_note ON payment (note);
SELECT customer, count(*), sum(cents) FROM payment
GROUP BY customer ORDER BY 3 DESC, 1 LIMIT 20;
SELECT count(*) FROM payment a JOIN payment b
ON a.customer = b.customer AND a.cents < b.cents WHERE a.id < 20000;
SELECT length(json_group_array(json_object('id', id, 'note', note)))
FROM payment WHERE id % 3 = 0;
CREATE TABLE document (id INTEGER PRIMARY KEY, body BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO document SELECT i, randomblob((i * 104729) % 40000) FROM n;
UPDATE document SET body = substr(body, 1, (id * 7919) % 30000) WHERE id % 3 = 0;
DELETE FROM document WHERE id % 5 = 0;
CREATE VIRTUAL TABLE found USING fts5 (note);
INSERT INTO found SELECT note FROM payment WHERE id <= 30000;
SELECT count(*) FROM found WHERE found MATCH 'customer 42';
SELECT group_concat(note) FROM (SELECT note FROM payment ORDER BY note DESC LIMIT 5000);
UPDATE payment SET note = upper(note) || id WHERE id % 7 = 0;
DELETE FROM payment WHERE id % 11 = 0;
SELECT count(*), sum(length(note)) FROM payment;
