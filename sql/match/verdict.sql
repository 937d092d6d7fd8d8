-- The verdicts of this run.
-- In:  bundle, unit, placed, purchase_paid, running_balance, judged (the newest version of every verdict so far), new_entry, withdrawn_id; variables grade,
--      ledger_through_before (the ledger's watermark of the last run).
-- Out: current (one row per open break, and per break that has closed).
-- Why right: a break has the id of its earliest confirmation, else of its earliest entry. A break of `judged` that no
--      group speaks for any more has been explained as part of another; one whose rows are not at hand stays as it is.

-- Entries that came after their feed had been said to be complete.
CREATE TEMP TABLE overdue_entry AS
SELECT entry_id FROM new_entry WHERE posted_at < getvariable('ledger_through_before');

CREATE TEMP TABLE current AS
WITH known AS (
    SELECT
        b.* EXCLUDE (kind, held),
        CASE
            WHEN kind IS NOT NULL THEN kind
            WHEN purchases > 0 AND balance_minor <> 0 OR NOT due OR NOT in_scope
                -- What was said rested on rows that are withdrawn; its time starts again.
                THEN CASE WHEN withdrawn AND judged_kind <> 'settled' AND NOT due THEN 'settled' END
            WHEN judged_kind IS NOT NULL AND NOT judged_open AND NOT withdrawn THEN NULL
            WHEN confirmed_minor > 0 AND own_minor = 0 AND (
                credited_at > deadline_at
                OR judged_kind IN (SELECT unnest(getvariable('owing_kinds')))
                AND list_has_any(entry_ids, (SELECT coalesce(list(entry_id), []) FROM overdue_entry))
            ) THEN 'late_credit'
            WHEN judged_open OR withdrawn AND judged_kind <> 'settled' THEN 'settled'
        END AS kind,
        held AND balance_minor > 0 AS held,
        (
            SELECT list(u.first_entry_id ORDER BY u.first_entry_id)
            FROM unit AS u
            WHERE b.balance_minor > 0 AND b.purchases > 0
                AND u.account_key = b.account_key AND u.net_minor IN (b.confirmed_minor, b.balance_minor)
                AND u.posted_at BETWEEN b.confirmed_at - INTERVAL 72 HOURS AND b.confirmed_at + INTERVAL 72 HOURS
                AND u.unit_id IN (SELECT group_id FROM bundle WHERE purchases = 0)
        ) AS unclaimed_entry_ids,
        group_id IN (SELECT group_id FROM purchase_paid WHERE returned) AS payment_returned,
        group_id IN (SELECT group_id FROM purchase_paid WHERE untold) AS payment_untold,
        r AS heard
    FROM bundle AS b
    LEFT JOIN running_balance AS r USING (group_id)
)
SELECT
    break_id,
    kind,
    account, payer, reference, asset, product, message_id,
    confirmation_ids,
    CASE WHEN entries = 0 AND kind IN ('misdirected', 'wrong_asset', 'ambiguous') THEN coalesce(stray_entry_ids, entry_ids) ELSE entry_ids END
        AS entry_ids,
    confirmed_minor,
    posted_minor AS credited_minor,
    own_minor,
    CASE WHEN kind <> 'settled' THEN balance_minor ELSE 0 END AS owed_minor,
    confirmed_at,
    deadline_at,
    CASE WHEN purchases = 0 THEN first_posted_at WHEN balance_minor <= 0 THEN credited_at END AS credited_at,
    greatest(deadline_at, last_posted_at, own_posted_at, retracted_at, CASE WHEN kind IN ('misdirected', 'wrong_asset') THEN stray_posted_at END)
        AS decidable_at,
    getvariable('grade') AS grade,
    CASE WHEN balance_minor > 0 THEN nullif(concat_ws('; ',
        CASE WHEN low THEN 'the message was read with low confidence' END,
        CASE WHEN held THEN 'a quarantined ledger row could settle it' END,
        CASE WHEN untraceable THEN 'it was told before what can still be looked up: a person decides' END,
        CASE WHEN kind = 'ambiguous' THEN 'more than one reading is possible: a person decides' END,
        CASE WHEN kind = 'misdirected' THEN 'the units went to another account: a person decides' END,
        CASE WHEN kind = 'wrong_asset' THEN 'it was credited in another asset: a person decides' END,
        CASE WHEN kind = 'held' THEN 'the operator holds it until a condition is met: a person sees to it' END,
        CASE WHEN payment_returned THEN 'its payment was given back: a person decides' END,
        CASE WHEN payment_untold THEN 'it was found before as paid and not told: a person decides' END,
        CASE WHEN kind = 'recredit_missing' THEN 'our own credit is not on the ledger: a person decides, nothing is sent again' END,
        CASE WHEN kind <> 'misdirected' AND other_account THEN 'an entry on another account has the same reference' END,
        CASE WHEN unclaimed_entry_ids IS NOT NULL THEN 'an unclaimed entry on this account has the same amount within 72 hours' END,
        CASE WHEN heard.says = 'arrived' THEN 'the balance in the messages of this account says that the credit arrived' END
    ), '') END AS blocked,
    to_json({
        passes: [
            {pass: 'own', found: CASE
                WHEN own_missing THEN 'our credit is not on the ledger'
                WHEN own_doubled THEN 'our credit is on the ledger more than once'
                WHEN own_minor <> 0 THEN 'our own credit'
                ELSE 'no entry carries a key of ours' END},
            {pass: 'reference', found: CASE
                WHEN purchases = 0 AND reference IS NULL THEN 'the entry has no reference'
                WHEN untraceable AND (purchases = 0 OR entries = 0) THEN 'nothing in what can still be looked up'
                WHEN purchases = 0 THEN 'no confirmation has this reference on this account'
                WHEN reference IS NULL THEN 'the confirmation has no reference'
                WHEN entries = 0 AND claims > 1 THEN 'another purchase could mean the same entry'
                WHEN entries = 0 AND other_account THEN 'an entry on another account has the same reference'
                WHEN entries = 0 AND other_asset THEN 'an entry in another asset has the same reference'
                WHEN entries = 0 OR NOT coalesce(by_reference, false) THEN 'no entry has this reference on this account'
                WHEN reversals > 0 THEN 'entries with this reference, some of them reversed'
                ELSE 'entries with this reference' END},
            {pass: 'near_reference', found: CASE
                WHEN entries > 0 AND purchases > 0 AND by_reference THEN 'not tried: the reference was enough'
                WHEN reference IS NULL THEN 'not tried: there is no reference'
                WHEN conflicting THEN 'not tried: the messages contradict one another'
                WHEN 'near_reference' IN passes THEN 'a reference that differs by a slip of the pen'
                WHEN group_id IN (SELECT group_id FROM near WHERE units > 1 OR purchases > 1) THEN 'several entries could be meant'
                ELSE 'nothing with a reference that differs by a slip of the pen' END},
            {pass: 'identity', found: CASE
                WHEN entries > 0 AND purchases > 0 AND by_reference THEN 'not tried: the reference was enough'
                WHEN 'identity' IN passes THEN 'an entry of the same account and amount within the window'
                WHEN untraceable AND (purchases = 0 OR entries = 0) THEN 'nothing in what can still be looked up'
                WHEN purchases = 0 THEN 'no confirmation of the same account and amount was free'
                WHEN conflicting THEN 'not tried: the messages contradict one another'
                WHEN entries = 0 AND reference IS NULL AND claims > 1 THEN 'another purchase could mean the same entry'
                ELSE 'no free entry of the same account and amount within the window' END},
            {pass: 'split', found: CASE
                WHEN entries > 0 AND purchases > 0 AND by_reference THEN 'not tried: the reference was enough'
                WHEN 'split' IN passes THEN 'entries of the account that add up to the amount'
                WHEN purchases = 0 THEN 'not tried: there is no confirmation'
                WHEN conflicting THEN 'not tried: the messages contradict one another'
                WHEN group_id IN (SELECT group_id FROM doubt) AND group_id NOT IN (SELECT group_id FROM near) THEN 'several entries could be meant'
                WHEN untraceable AND entries = 0 THEN 'nothing in what can still be looked up'
                ELSE 'no entries of the account add up to the amount' END},
            {pass: 'tolerance', found: CASE
                WHEN purchases = 0 THEN 'not tried: there is no confirmation'
                WHEN getvariable('fee_minor') = 0 AND getvariable('fee_basis_points') = 0 THEN 'not tried: this flow knows no fee'
                WHEN entries = 0 OR NOT coalesce(by_reference, false) THEN 'not tried: no entry has this reference on this account'
                WHEN balance_minor <= 0 THEN 'not tried: nothing is missing'
                WHEN purchases > 1 OR reversals > 0 OR own_minor <> 0 OR conflicting THEN 'not tried: more than one confirmation and its credit'
                ELSE 'more is missing than the fee of this flow' END},
            {pass: 'balance', found: CASE
                WHEN purchases = 0 THEN 'not tried: there is no confirmation'
                WHEN balance_minor <= 0 THEN 'not tried: nothing is missing'
                WHEN heard.told_minor IS NULL THEN 'not tried: no message tells the balance of this account'
                WHEN heard.says = 'arrived' THEN 'the balance in the messages of this account rose by the amount'
                WHEN heard.says = 'missing' THEN 'the balance in the messages of this account did not rise by the amount'
                ELSE 'the balances in the messages before and after it say nothing' END}
        ],
        low_confidence: low,
        amounts_read: CASE WHEN conflicting THEN amounts_read END,
        own_entry_ids: own_entry_ids,
        late_original_after_recredit: balance_minor < 0 AND own_minor > 0 AND posted_minor > 0,
        stray_entry_ids: stray_entry_ids,
        unclaimed_entry_ids: unclaimed_entry_ids,
        held_entry_ids: hold_entry_ids,
        quarantined_row_could_settle: held,
        running_balance: CASE WHEN heard.told_minor IS NOT NULL THEN struct_pack(
            says := heard.says, told_minor := heard.told_minor,
            before_message_id := heard.before_message_id, before_minor := heard.before_minor,
            after_message_id := heard.after_message_id, after_minor := heard.after_minor) END
    })::VARCHAR AS evidence
FROM known
WHERE kind IS NOT NULL;

INSERT INTO current BY NAME
SELECT
    j.* EXCLUDE (version, is_open, withdrawn)
    REPLACE ('settled' AS kind, 0 AS owed_minor, NULL AS blocked, getvariable('grade') AS grade,
             CASE WHEN j.withdrawn THEN '{"explained": "its rows were withdrawn"}'
                ELSE '{"explained": "its rows now belong to another purchase"}' END AS evidence)
FROM judged AS j
WHERE (j.is_open OR j.withdrawn AND j.kind <> 'settled')
    AND j.break_id NOT IN (SELECT break_id FROM bundle)
    AND (
        j.break_id IN (SELECT id FROM withdrawn_id)
        OR j.break_id IN (SELECT confirmation_id FROM rest_confirmation) OR j.break_id IN (SELECT entry_id FROM rest_entry)
    );
