-- Where the audit's chain of hashes stands: whoever keeps a report can show later that nothing before it was changed.
-- In:  nothing.
-- Out: chain_position, chain_hash of the newest sealed row; no row while nothing is sealed.
-- Why right: positions are given once, in order, by the sealer alone.
select chain_position, chain_hash
from audit
where chain_position is not null
order by chain_position desc
limit 1
