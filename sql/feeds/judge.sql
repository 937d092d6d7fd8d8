-- Which rows of a batch are published, and which are duplicates or contradict one another.
-- In:  staged (every row: row_number, row_id, content, disposition as scope and gate decided it, reason, column_name);
--      earlier (row_id, content of rows that other batches of the feed published and whose key may be among these).
-- Out: judged (every row of the batch once: row_number, disposition, reason, column_name, superseded).
-- Why right: what becomes of a row depends on the rows with its key, never on their order in the file. A key with one
--      content is one row however often it stands there. A key with two contents is two statements of which nobody knows
--      the true one: what was published stands, all others are quarantined. A quarantined row whose key has a published row
--      is settled by it, whichever came first.
CREATE OR REPLACE TABLE judged AS
WITH offered AS (
    SELECT row_id, count(DISTINCT content) AS contents, min(row_number) AS first_row
    FROM staged
    WHERE disposition = 'published'
    GROUP BY row_id
),
known AS (
    SELECT s.row_number, bool_or(e.content IS NOT DISTINCT FROM s.content) AS same
    FROM staged AS s
    JOIN earlier AS e ON e.row_id = s.row_id
    GROUP BY s.row_number
),
weighed AS (
    SELECT
        s.row_number,
        s.disposition AS before,
        s.reason,
        s.column_name,
        known.row_number IS NOT NULL AS is_known,
        coalesce(known.same, false) AS is_same,
        coalesce(offered.contents, 0) AS contents,
        s.row_number > offered.first_row AS is_repeated
    FROM staged AS s
    LEFT JOIN offered ON offered.row_id = s.row_id
    LEFT JOIN known ON known.row_number = s.row_number
),
ruled AS (
    SELECT
        *,
        CASE
            WHEN before <> 'published' THEN before
            WHEN is_same THEN 'duplicate'
            WHEN is_known OR contents > 1 THEN 'quarantined'
            WHEN is_repeated THEN 'duplicate'
            ELSE 'published'
        END AS disposition
    FROM weighed
)
SELECT
    row_number,
    disposition,
    CASE
        WHEN disposition = before THEN reason
        WHEN disposition = 'quarantined' AND is_known THEN
            'key_has_one_content: a row with this key was published before with another content'
        WHEN disposition = 'quarantined' THEN
            'key_has_one_content: another row of this delivery has this key and another content'
    END AS reason,
    CASE WHEN disposition = before THEN column_name WHEN disposition = 'quarantined' THEN 'row_key' END AS column_name,
    before = 'quarantined' AND (is_known OR contents = 1) AS superseded
FROM ruled;
