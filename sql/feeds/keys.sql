-- The keys by which matching joins: 128 bits of SHA-256 over the parts, so that it never compares strings.
-- The unit separator keeps ('ab', 'c') and ('a', 'bc') apart; no part can hold it.
CREATE OR REPLACE MACRO account_key(flow, account, asset) AS
    sha256(flow || chr(31) || account || chr(31) || asset)[:32]::UUID;
CREATE OR REPLACE MACRO match_key(flow, reference, account, asset) AS
    sha256(flow || chr(31) || reference || chr(31) || account || chr(31) || asset)[:32]::UUID;
