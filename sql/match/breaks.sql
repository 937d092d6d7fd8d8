-- The breaks of a comparison of two files, in words.
-- In:  latest (verdicts), variable as_of.
-- Out: file_break(kind, account, reference, asset, owed_minor, confirmation_ids, entry_ids, reason, …).
--      owed_minor: positive is owed to the customer, negative is what was had too much. A late credit owes nothing.

CREATE TEMP VIEW file_break AS
SELECT
    *,
    CASE kind
        WHEN 'never_credited' THEN format('confirmed {} {}, and no entry up to {}', confirmed_minor, asset, until)
        WHEN 'under_credited' THEN format('confirmed {} {}, credited {}', confirmed_minor, asset, credited_minor)
        WHEN 'over_credited' THEN
            CASE WHEN confirmed_minor = 0 THEN format('the confirmation was taken back, and {} {} stay credited', credited_minor, asset)
            ELSE format('confirmed {} {}, credited {}', confirmed_minor, asset, credited_minor) END
        WHEN 'misdirected' THEN 'an entry with this reference is on another account'
        WHEN 'wrong_asset' THEN 'an entry with this reference is in another asset'
        WHEN 'reversed_after_credit' THEN format('credited, and taken back: {} {} remain of {}', credited_minor, asset, confirmed_minor)
        WHEN 'orphan_credit' THEN format('{} {} credited, and no confirmation', credited_minor, asset)
        WHEN 'late_credit' THEN format('credited {} after it was confirmed', age(credited_at, confirmed_at))
        WHEN 'ambiguous' THEN
            CASE WHEN len(confirmation_ids) = 0 THEN 'a reversal that no free credit explains'
            ELSE 'more than one reading is possible: a person decides' END
        ELSE kind
    END || CASE WHEN blocked IS NOT NULL AND kind NOT IN ('misdirected', 'wrong_asset', 'ambiguous') THEN '; ' || blocked ELSE '' END AS reason
FROM (SELECT *, strftime(timezone('UTC', getvariable('as_of')), '%Y-%m-%d %H:%M:%S UTC') AS until FROM latest);
