-- A flow without payments.
-- In:  own_attempt, for the type of an id.
-- Out: purchase_paid, paid_break, payment_line, kept_payment, each empty: the payment side says nothing.

CREATE TEMP TABLE purchase_paid (group_id UBIGINT, returned BOOLEAN, untold BOOLEAN);

CREATE TEMP TABLE paid_break AS SELECT break_id AS id FROM own_attempt LIMIT 0;

CREATE TEMP TABLE payment_line (asset VARCHAR, day DATE, line VARCHAR, rows BIGINT, minor BIGINT, kept BOOLEAN);

CREATE TEMP TABLE kept_payment (
    payment_id UUID, match_key UUID, account_key UUID, reference VARCHAR, account VARCHAR, payer VARCHAR, asset VARCHAR,
    amount_minor BIGINT, paid_at TIMESTAMPTZ, batch_id UUID
);
