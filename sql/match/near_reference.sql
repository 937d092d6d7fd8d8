-- Pass 2, near reference: same account, asset and amount, the entry within the window, and references that differ by a
-- slip of the pen.
-- In:  open_purchase, free_unit, purchase.
-- Out: link; doubt (purchases for which there are several such pairs: credited perhaps, and nobody can say by which).
-- Why right: it must be the only such pair on both sides. A slip is O for 0, I or L for 1, a lost prefix or lost leading
--      zeros, or two neighbours swapped. Any other differing character names another purchase (A11 and A12 are two).

CREATE TEMP MACRO look_alike(reference) AS translate(reference, 'OIL', '011');

CREATE TEMP MACRO lost_beginning(whole, part) AS
    suffix(whole, part) AND (length(part) >= 6 OR ltrim(whole, '0') = ltrim(part, '0') AND length(ltrim(part, '0')) > 0);

CREATE TEMP MACRO swapped_neighbours(one, other) AS
    length(one) = length(other)
    AND len(list_filter(range(1, length(one)), lambda i:
        one[i] <> one[i + 1] AND other = one[:i - 1] || one[i + 1] || one[i] || one[i + 2:])) > 0;

CREATE TEMP TABLE near AS
SELECT
    p.group_id, u.unit_id,
    count(*) OVER (PARTITION BY p.group_id) AS units,
    count(*) OVER (PARTITION BY u.unit_id) AS purchases
FROM purchase AS p
JOIN free_unit AS u ON u.account_key = p.account_key AND u.net_minor = p.amount_minor
WHERE p.short AND NOT p.has_entries AND p.readings = 1 AND u.entries = 1 AND p.reference <> u.reference
    AND u.posted_at BETWEEN p.confirmed_at AND p.confirmed_at + getvariable('match_window')
    AND (
        look_alike(p.reference) = look_alike(u.reference)
        OR lost_beginning(look_alike(p.reference), look_alike(u.reference))
        OR lost_beginning(look_alike(u.reference), look_alike(p.reference))
        OR swapped_neighbours(p.reference, u.reference)
    );

INSERT INTO link
SELECT n.unit_id, n.group_id, 'near_reference'
FROM near AS n
WHERE n.units = 1 AND n.purchases = 1 AND n.group_id IN (SELECT group_id FROM open_purchase);

INSERT INTO doubt SELECT DISTINCT group_id FROM near WHERE units > 1 OR purchases > 1;
